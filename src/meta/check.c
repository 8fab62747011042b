/*
 * Totals, and whether the store is whole.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "meta/store_int.h"
#include "meta/tally.h"

static uint64_t file_bytes(const char *path, const char *suffix)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct stat st;

	buf_addf(&name, "%s%s", path, suffix);
	return !buf_error(&name) && stat(name.data, &st) == 0 ? (uint64_t)st.st_size : 0;
}

int store_totals(struct store *s, struct store_totals *out)
{
	struct tally t = {0};
	int err;
	struct conn *c = store_conn(s, &err);

	if (c)
		err = tally_load(c, &t);
	if (err)
		return err == -EUCLEAN ? -EIO : err;
	*out = (struct store_totals){
		.files = (uint64_t)t.items[TALLY_FILES],
		.folders = (uint64_t)t.items[TALLY_FOLDERS],
		.symlinks = (uint64_t)t.items[TALLY_SYMLINKS],
		.bytes = (uint64_t)t.items[TALLY_BYTES],
		.versions_kept = (uint64_t)t.items[TALLY_KEPT],
		.versions_kept_bytes = (uint64_t)t.items[TALLY_KEPT_BYTES],
		.versions_not_kept = (uint64_t)t.items[TALLY_NOT_KEPT],
		.stored_bytes = (uint64_t)t.items[TALLY_STORED],
		.jobs = (uint64_t)t.items[TALLY_JOBS],
		.commits = (uint64_t)t.items[TALLY_COMMITS],
		.opens = (uint64_t)t.items[TALLY_OPENS],
		.stubs = (uint64_t)t.items[TALLY_STUBS],
		.stub_bytes = (uint64_t)t.items[TALLY_STUB_BYTES],
		.uploaded = (uint64_t)t.items[TALLY_UPLOADED],
		.uploaded_bytes = (uint64_t)t.items[TALLY_UPLOADED_BYTES],
		.cloud = (uint64_t)t.items[TALLY_CLOUD],
		.cloud_bytes = (uint64_t)t.items[TALLY_CLOUD_BYTES],
		.cloud_intents = (uint64_t)t.items[TALLY_CLOUD_INTENTS],
		.cloud_intent_bytes = (uint64_t)t.items[TALLY_CLOUD_INTENT_BYTES],
		.cloud_going = (uint64_t)t.items[TALLY_CLOUD_GOING],
		.store_bytes = file_bytes(s->path, "") + file_bytes(s->path, "-wal"),
	};
	for (int how = HOW_NONE; how <= HOW_CLOUD; how++)
		out->versions_by_how[how] = (uint64_t)t.items[TALLY_HOW + how];
	return 0;
}

int store_not_kept(struct store *s, store_reason_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	int got, answer = 0;

	store_query(s, &q, SQL_NOT_KEPT);
	while (!answer && (got = query_row(&q)) > 0) {
		char reason[128];

		query_get_text(&q, reason, sizeof(reason));
		answer = fn(arg, reason, (uint64_t)query_get(&q));
	}
	return answer ? answer : got;
}

/* Runs a query that answers with rows of text about what is wrong; GOOD is the one that means nothing is. */
static int complaints(struct conn *c, const char *sql, const char *good, struct buf *why)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(c->db, sql, -1, &st, NULL);
	bool bad = false;

	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		const char *text;

		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			break;
		text = (const char *)sqlite3_column_text(st, 0);
		if (!text || strcmp(text, good) == 0)
			continue;
		buf_addf(why, "%s%s", why->len ? "; " : "", text);
		bad = true;
	}
	if (rc != SQLITE_DONE) {
		buf_addf(why, "%s%s", why->len ? "; " : "", sqlite3_errmsg(c->db));
		bad = true;
	}
	sqlite3_finalize(st);
	return bad ? -EUCLEAN : 0;
}

static int compare_totals(struct conn *c, struct buf *why)
{
	struct tally kept = {0}, counted = {0};
	int err = tally_load(c, &kept);
	bool bad = false;

	if (!err)
		err = tally_count(c, &counted);
	if (err) {
		buf_adds(why, "the totals cannot be read");
		return -EUCLEAN;
	}
	for (int i = 0; i < TALLY_COUNTED; i++) {
		if (i == TALLY_OPENS || kept.items[i] == counted.items[i])
			continue;
		buf_addf(why, "%stotal %s is %lld, counted %lld", why->len ? "; " : "", tally_name(i),
			 (long long)kept.items[i], (long long)counted.items[i]);
		bad = true;
	}
	return bad ? -EUCLEAN : 0;
}

/* What the tables promise each other (schema.c), one complaint per kind. */
static const char *const promises[] = {
	"SELECT 'an entry leads to node ' || node || ', which is not there' FROM entry"
	" WHERE NOT EXISTS(SELECT 1 FROM node WHERE id = entry.node) LIMIT 1",
	"SELECT 'an entry lies in folder ' || parent || ', which is not there' FROM entry"
	" WHERE NOT EXISTS(SELECT 1 FROM node WHERE id = entry.parent) LIMIT 1",
	"SELECT 'series ' || id || ' has other readable versions than it says' FROM asset WHERE readable <>"
	" (SELECT count(*) FROM version WHERE asset = asset.id AND state IN (1, 2) AND settled = 1) LIMIT 1",
	"SELECT 'series ' || id || ' has a version numbered above its last' FROM asset WHERE last_number <"
	" (SELECT ifnull(max(number), 0) FROM version WHERE asset = asset.id) LIMIT 1",
	"SELECT 'version ' || id || ' ended before it began' FROM version WHERE end_commit < cut_commit LIMIT 1",
	"SELECT 'version ' || id || ' is live and has ended' FROM version WHERE state = 1 AND end_commit <> " SQL_LIVE
	" LIMIT 1",
	"SELECT 'object ' || hex(sha256) || ' lies in pack ' || pack || ', which is not there' FROM object"
	" WHERE NOT EXISTS(SELECT 1 FROM pack WHERE id = object.pack) LIMIT 1",
	"SELECT 'other versions are not kept than their reasons count' WHERE (SELECT ifnull(sum(count), 0) FROM "
	"not_kept)"
	" <> (SELECT count(*) FROM version WHERE state = 5)",
	"SELECT 'node ' || id || ' has its bytes in the cloud, which has none of its version' FROM node WHERE stub = 1"
	" AND EXISTS(SELECT 1 FROM entry INDEXED BY entry_node WHERE node = node.id AND to_commit = " SQL_LIVE
	") AND NOT EXISTS(SELECT 1 FROM cloud WHERE cloud.version = node.version AND state IN (2, 3)) LIMIT 1",
	"SELECT 'version ' || version || ' is described, and is not there' FROM description"
	" WHERE NOT EXISTS(SELECT 1 FROM version WHERE id = description.version) LIMIT 1",
	"SELECT 'version ' || version || ' has columns that are not there' FROM description WHERE schema > 0"
	" AND NOT EXISTS(SELECT 1 FROM schema WHERE id = description.schema) LIMIT 1",
	/* One whose name ended outside keeps its handle until it is known that it is nowhere else
	 * (content/past/gone.c). */
	"SELECT 'node ' || node || ' can be found, and has no name' FROM document WHERE NOT EXISTS"
	" (SELECT 1 FROM entry INDEXED BY entry_node WHERE node = document.node AND to_commit = " SQL_LIVE
	")"
	" AND (SELECT handle FROM node WHERE id = document.node) IS NULL LIMIT 1",
	"SELECT 'node ' || node || ' has tags, and is not there' FROM tag"
	" WHERE NOT EXISTS(SELECT 1 FROM node WHERE id = tag.node) LIMIT 1",
	"SELECT 'an edge leads to version ' || output || ' from ' || input || ', and one is not there' FROM edge WHERE"
	" NOT EXISTS(SELECT 1 FROM version WHERE id = edge.output)"
	" OR NOT EXISTS(SELECT 1 FROM version WHERE id = edge.input) LIMIT 1",
	"SELECT 'node ' || id || ' has no such live version' FROM node WHERE version <> 0 AND NOT EXISTS"
	" (SELECT 1 FROM version WHERE id = node.version AND node = node.id AND state = 1) LIMIT 1",
};

int store_check(struct store *s, bool full, struct buf *why)
{
	int err, bad;
	struct conn *c = store_conn(s, &err);

	if (c)
		err = conn_begin(c);
	if (err)
		return err;
	bad = complaints(c, full ? "PRAGMA integrity_check" : "PRAGMA quick_check", "ok", why);
	for (size_t i = 0; full && !bad && i < sizeof(promises) / sizeof(promises[0]); i++)
		bad = complaints(c, promises[i], "", why);
	if (full && !bad)
		bad = compare_totals(c, why);
	conn_end(c);
	return buf_error(why) ? -ENOMEM : bad;
}
