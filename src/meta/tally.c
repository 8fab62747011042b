#include "meta/tally.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "meta/store.h"

static const char *const keys[TALLY_ITEMS] = {
	[TALLY_FILES] = "store.files",
	[TALLY_FOLDERS] = "store.folders",
	[TALLY_SYMLINKS] = "store.symlinks",
	[TALLY_BYTES] = "store.bytes",
	[TALLY_KEPT] = "store.kept",
	[TALLY_KEPT_BYTES] = "store.kept_bytes",
	[TALLY_NOT_KEPT] = "store.not_kept",
	[TALLY_STORED] = "store.stored",
	[TALLY_HOW + HOW_NONE] = "store.how.0",
	[TALLY_HOW + HOW_ASIDE] = "store.how.1",
	[TALLY_HOW + HOW_PREFIX] = "store.how.2",
	[TALLY_HOW + HOW_UNDO] = "store.how.3",
	[TALLY_HOW + HOW_REFLINK] = "store.how.4",
	[TALLY_HOW + HOW_PACKED] = "store.how.5",
	[TALLY_HOW + HOW_COPY] = "store.how.6",
	[TALLY_HOW + HOW_CLOUD] = "store.how.7",
	[TALLY_JOBS] = "store.jobs",
	[TALLY_COMMITS] = "store.commits",
	[TALLY_STUBS] = "store.stubs",
	[TALLY_STUB_BYTES] = "store.stub_bytes",
	[TALLY_UPLOADED] = "store.uploaded",
	[TALLY_UPLOADED_BYTES] = "store.uploaded_bytes",
	[TALLY_CLOUD] = "store.cloud",
	[TALLY_CLOUD_BYTES] = "store.cloud_bytes",
	[TALLY_CLOUD_INTENTS] = "store.cloud_intents",
	[TALLY_CLOUD_INTENT_BYTES] = "store.cloud_intent_bytes",
	[TALLY_CLOUD_GOING] = "store.cloud_going",
	[TALLY_OPENS] = "store.opens",
	[TALLY_NEXT_ASSET] = "store.next.asset",
	[TALLY_NEXT_JOB] = "store.next.job",
};
static_assert(TALLY_HOW + HOW_CLOUD == TALLY_HOW_LAST, "one total for each way of keeping");

#define LIVE_NODES "(SELECT DISTINCT node FROM entry INDEXED BY entry_node WHERE to_commit = " SQL_LIVE ")"

/* One pass over the names, one over the versions. A column per item, in its order; TALLY_OPENS cannot be counted. */
static const char count_names[] =
	"SELECT count(CASE kind WHEN 1 THEN 1 END), count(CASE kind WHEN 2 THEN 1 END), count(CASE kind WHEN 3 THEN 1 "
	"END),"
	" ifnull(sum(CASE kind WHEN 1 THEN size END), 0) FROM node WHERE id IN " LIVE_NODES;
static const char count_versions[] =
	"SELECT count(CASE state WHEN 2 THEN 1 END), ifnull(sum(CASE state WHEN 2 THEN size END), 0),"
	" count(CASE state WHEN 5 THEN 1 END), ifnull(sum(stored), 0), count(CASE WHEN state = 2 AND how = 0 THEN 1 "
	"END),"
	" count(CASE WHEN state = 2 AND how = 1 THEN 1 END), count(CASE WHEN state = 2 AND how = 2 THEN 1 END),"
	" count(CASE WHEN state = 2 AND how = 3 THEN 1 END), count(CASE WHEN state = 2 AND how = 4 THEN 1 END),"
	" count(CASE WHEN state = 2 AND how = 5 THEN 1 END), count(CASE WHEN state = 2 AND how = 6 THEN 1 END),"
	" count(CASE WHEN state = 2 AND how = 7 THEN 1 END) FROM version";
static const char count_rest[] = "SELECT (SELECT count(*) FROM job), (SELECT count(*) FROM change)";
static const char count_stubs[] =
	"SELECT count(*), ifnull(sum(size), 0) FROM node WHERE kind = 1 AND stub = 1 AND id IN " LIVE_NODES;
static const char count_uploaded[] =
	"SELECT count(*), ifnull(sum(size), 0) FROM version WHERE state = 1 AND id IN"
	" (SELECT version FROM cloud WHERE version > 0 AND state IN (2, 3))";
static const char count_cloud[] =
	"SELECT count(CASE WHEN state IN (2, 3) THEN 1 END), ifnull(sum(CASE WHEN state IN (2, 3) THEN stored END), 0),"
	" count(CASE state WHEN 1 THEN 1 END), ifnull(sum(CASE state WHEN 1 THEN size END), 0),"
	" count(CASE state WHEN 4 THEN 1 END) FROM cloud";

const char *tally_name(int item)
{
	return keys[item] + strlen("store.");
}

static int find(const char *key)
{
	for (int i = 0; i < TALLY_ITEMS; i++) {
		if (strcmp(keys[i], key) == 0)
			return i;
	}
	return -1;
}

int tally_load(struct conn *c, struct tally *t)
{
	_cleanup_query_ struct query q = {};
	int found = 0, got, item;

	query_start(&q, c, SQL_LAKE_RANGE);
	query_text(&q, "store.");
	query_text(&q, "store/");
	while ((got = query_row(&q)) > 0) {
		char key[32];

		query_get_text(&q, key, sizeof(key));
		item = find(key);
		if (item < 0)
			continue;
		t->items[item] = query_get(&q);
		found++;
	}
	return got ? got : found == TALLY_ITEMS ? 0 : -EUCLEAN;
}

int tally_save(struct conn *c, const struct tally *t, const struct tally *saved)
{
	_cleanup_query_ struct query q = {};
	int rc = SQLITE_DONE;

	query_start(&q, c, SQL_LAKE_SET);
	for (int i = 0; i < TALLY_ITEMS && rc == SQLITE_DONE; i++) {
		if (t->items[i] == saved->items[i])
			continue;
		query_text(&q, keys[i]);
		query_int(&q, t->items[i]);
		rc = query_step(&q);
		query_again(&q);
	}
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int columns(struct conn *c, const char *sql, int64_t *items, int count)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(c->db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	for (int i = 0; rc == SQLITE_ROW && i < count; i++)
		items[i] = sqlite3_column_int64(st, i);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 0 : conn_error(c, rc, "counting");
}

int tally_count(struct conn *c, struct tally *t)
{
	int err = columns(c, count_names, &t->items[TALLY_FILES], TALLY_KEPT - TALLY_FILES);

	if (!err)
		err = columns(c, count_versions, &t->items[TALLY_KEPT], TALLY_JOBS - TALLY_KEPT);
	if (!err)
		err = columns(c, count_rest, &t->items[TALLY_JOBS], TALLY_STUBS - TALLY_JOBS);
	if (!err)
		err = columns(c, count_stubs, &t->items[TALLY_STUBS], TALLY_UPLOADED - TALLY_STUBS);
	if (!err)
		err = columns(c, count_uploaded, &t->items[TALLY_UPLOADED], TALLY_CLOUD - TALLY_UPLOADED);
	if (!err)
		err = columns(c, count_cloud, &t->items[TALLY_CLOUD], TALLY_OPENS - TALLY_CLOUD);
	return err;
}
