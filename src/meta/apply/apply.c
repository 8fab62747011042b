#include "meta/apply/apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define COMPLAINTS 20 /* lines per minute about rows that do not fit */

static void complain(struct apply *a, const char *what, uint64_t id, const char *reason)
{
	int64_t minute = a->record->time / 60000000000;

	if (a->minute != minute)
		a->complaints = 0;
	a->minute = minute;
	if (a->complaints++ < COMPLAINTS)
		log_error("metadata store: commit %llu (%s): %s %llu is left out: %s",
			  (unsigned long long)a->record->commit, change_op_name(a->record->op), what,
			  (unsigned long long)id, reason);
}

int apply_failed(struct apply *a, int rc, const char *what, uint64_t id)
{
	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
		complain(a, what, id, sqlite3_errmsg(a->conn->db));
		return SQLITE_OK;
	default:
		return rc;
	}
}

int apply_refused(struct apply *a, const char *what, uint64_t id, const char *reason)
{
	complain(a, what, id, reason);
	return SQLITE_OK;
}

int apply_missing(struct apply *a, const char *what, uint64_t id)
{
	return apply_refused(a, what, id, "what it is about is not in the store");
}

int apply_numbers(struct apply *a, enum sql id, int *changes, const int64_t *values, int count)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, id);
	for (int i = 0; i < count; i++)
		query_int(&q, values[i]);
	rc = query_step(&q);
	if (rc != SQLITE_DONE)
		return rc == SQLITE_ROW ? SQLITE_INTERNAL : rc;
	if (changes)
		*changes = sqlite3_changes(a->conn->db);
	return SQLITE_OK;
}

static int add_change(struct apply *a, struct record_reader *in)
{
	_cleanup_query_ struct query q = {};
	const struct record *r = a->record;
	const char *name = NULL;
	size_t len = 0;
	int rc;

	if (r->named)
		name = record_get_string(in, &len);
	if (!r->logged)
		return SQLITE_OK;
	query_start(&q, a->conn, SQL_CHANGE_ADD);
	query_int(&q, (int64_t)r->commit);
	query_int(&q, r->time);
	query_int(&q, r->op);
	query_int(&q, (int64_t)r->run);
	query_int(&q, r->uid);
	query_int(&q, (int64_t)r->node);
	query_int(&q, (int64_t)r->parent);
	query_blob(&q, name, len);
	rc = query_step(&q);
	if (rc != SQLITE_DONE)
		return apply_failed(a, rc, "the change", r->commit);
	a->tally->items[TALLY_COMMITS]++;
	return SQLITE_OK;
}

static int (*const appliers[])(struct apply *, struct record_reader *) = {
	[ROW_NODE_ADD] = apply_node_add,
	[ROW_NODE_SET] = apply_node_set,
	[ROW_NODE_WRITING] = apply_node_writing,
	[ROW_NODE_END] = apply_node_end,
	[ROW_NODE_TARGET] = apply_node_target,
	[ROW_NODE_XATTRS] = apply_node_xattrs,
	[ROW_ENTRY_ADD] = apply_entry_add,
	[ROW_ENTRY_END] = apply_entry_end,
	[ROW_SERIES_TAKE] = apply_series_take,
	[ROW_SERIES_LEAVE] = apply_series_leave,
	[ROW_VERSION_ADD] = apply_version_add,
	[ROW_VERSION_STATE] = apply_version_state,
	[ROW_VERSION_HOW] = apply_version_how,
	[ROW_VERSION_SAME] = apply_version_same,
	[ROW_VERSION_DROP] = apply_version_drop,
	[ROW_VERSION_GROW] = apply_version_grow,
	[ROW_VERSION_SETTLED] = apply_version_settled,
	[ROW_VERSION_FACTS] = apply_version_facts,
	[ROW_VERSION_FORGET] = apply_version_forget,
	[ROW_NODE_FORGET] = apply_node_forget,
	[ROW_LABEL_SET] = apply_label_set,
	[ROW_LABEL_REMOVE] = apply_label_remove,
	[ROW_PACK_SET] = apply_pack_set,
	[ROW_PACK_REMOVE] = apply_pack_remove,
	[ROW_OBJECT_SET] = apply_object_set,
	[ROW_OBJECT_REMOVE] = apply_object_remove,
	[ROW_NODE_STUB] = apply_node_stub,
	[ROW_NODE_PIN] = apply_node_pin,
	[ROW_CLOUD_SET] = apply_cloud_set,
	[ROW_CLOUD_VERIFIED] = apply_cloud_verified,
	[ROW_CLOUD_STATE] = apply_cloud_state,
	[ROW_CLOUD_REMOVE] = apply_cloud_remove,
	[ROW_CLOUD_HAND_OVER] = apply_cloud_handed,
	[ROW_JOB_ADD] = apply_job_add,
	[ROW_JOB_DONE] = apply_job_done,
	[ROW_JOB_RETRY] = apply_job_retry,
	[ROW_RUN] = apply_run,
	[ROW_OPENS] = apply_opens,
	[ROW_LAKE] = apply_lake,
	[ROW_SYNCED] = apply_synced,
	[ROW_DURABLE] = apply_durable,
	[ROW_FORGET_HANDLES] = apply_forget_handles,
	[ROW_DESCRIBED_TEXT] = apply_described_text,
	[ROW_DESCRIPTION] = apply_description,
	[ROW_TAGS] = apply_tags,
	[ROW_EDGE] = apply_edge,
	[ROW_RUN_WROTE] = apply_run_wrote,
	[ROW_QUALITY] = apply_quality,
};

static int apply_row(struct apply *a, enum row row, struct record_reader *body)
{
	if (row >= sizeof(appliers) / sizeof(appliers[0]) || !appliers[row])
		return apply_refused(a, "row", row, "this tarn does not know it");
	return appliers[row](a, body);
}

int apply_record(struct apply *a, const struct record *r)
{
	struct record_reader in = {r->bytes, r->bytes + r->len}, body;
	enum row row;
	int rc;

	a->record = r;
	a->fresh_count = a->take_count = a->take_next = 0;
	a->left = 0;
	a->described = (struct described_text){0};
	rc = add_change(a, &in);
	while (rc == SQLITE_OK && record_next(&in, &row, &body))
		rc = apply_row(a, row, &body);
	return rc;
}

void apply_forget(struct apply *a)
{
	memset(a->days, 0, sizeof(a->days));
	memset(a->alone, 0, sizeof(a->alone));
}

void apply_release(struct apply *a)
{
	free(a->fresh);
	free(a->takes);
	free(a->unindexed);
}

/* ---- jobs, runs, facts ---- */

/*
 * A job for a subject that has one already replaces it, with a number of its own: a worker that is busy with the old
 * one ends that one only, and the new one is still done.
 */
static int add_job(struct apply *a, int64_t type, int64_t subject, int64_t due)
{
	int64_t id = a->tally->items[TALLY_NEXT_JOB];
	int replaced = 0, rc = APPLY(a, SQL_JOB_ADD, NULL, id, type, subject, due);

	if (rc == SQLITE_CONSTRAINT_UNIQUE) {
		rc = APPLY(a, SQL_JOB_REPLACE, &replaced, type, subject);
		if (rc == SQLITE_OK)
			rc = APPLY(a, SQL_JOB_ADD, NULL, id, type, subject, due);
	}
	if (rc != SQLITE_OK)
		return apply_failed(a, rc, "the job for", (uint64_t)subject);
	a->tally->items[TALLY_NEXT_JOB]++;
	a->tally->items[TALLY_JOBS] += 1 - replaced;
	a->jobs = true;
	return SQLITE_OK;
}

int apply_job_add(struct apply *a, struct record_reader *in)
{
	int64_t type = (int64_t)record_get(in), subject = (int64_t)record_get(in);

	return add_job(a, type, subject, record_get_signed(in));
}

int apply_job(struct apply *a, enum job_type type, uint64_t subject)
{
	return add_job(a, type, (int64_t)subject, a->record->time);
}

int apply_job_done(struct apply *a, struct record_reader *in)
{
	int gone = 0, rc = APPLY(a, SQL_JOB_DONE, &gone, (int64_t)record_get(in));

	a->tally->items[TALLY_JOBS] -= gone;
	return rc;
}

int apply_job_retry(struct apply *a, struct record_reader *in)
{
	_cleanup_query_ struct query q = {};
	size_t len;
	int rc;

	query_start(&q, a->conn, SQL_JOB_RETRY);
	query_int(&q, (int64_t)record_get(in));
	query_int(&q, record_get_signed(in));
	query_text(&q, record_get_string(in, &len));
	rc = query_step(&q);
	a->jobs = true;
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int apply_run(struct apply *a, struct record_reader *in)
{
	_cleanup_query_ struct query q = {};
	uint64_t id = record_get(in);
	size_t len;
	int rc;

	query_start(&q, a->conn, SQL_RUN_ADD);
	query_int(&q, (int64_t)id);
	query_text(&q, record_get_string(in, &len)); /* boot */
	query_int(&q, record_get_signed(in));	     /* tgid */
	query_int(&q, (int64_t)record_get(in));	     /* start */
	query_int(&q, (int64_t)record_get(in));	     /* uid */
	for (int i = 0; i < 4; i++)
		query_text(&q, record_get_string(in, &len)); /* exe, argv, cwd, cgroup */
	query_int(&q, (int64_t)record_get(in));		     /* parent */
	query_int(&q, record_get_signed(in));		     /* began */
	query_text(&q, record_get_string(in, &len));	     /* name */
	query_int(&q, (int64_t)a->record->commit);
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : apply_failed(a, rc, "the run", id);
}

int apply_opens(struct apply *a, struct record_reader *in)
{
	int64_t node = (int64_t)record_get(in), count = (int64_t)record_get(in), day = a->record->time / 86400000000000;
	struct node_brief brief;
	bool found;
	int rc = apply_node_brief(a, (uint64_t)node, &brief, &found);

	if (rc != SQLITE_OK)
		return rc;
	if (!found)
		return apply_missing(a, "a count of opens of node", (uint64_t)node);
	a->tally->items[TALLY_OPENS] += count;
	if (count) {
		rc = APPLY(a, SQL_NODE_SET_OPENED, NULL, node, a->record->time);
		if (rc != SQLITE_OK)
			return rc;
	}
	/* A file that no version was cut of yet has no series to count for. */
	if (!brief.asset)
		return SQLITE_OK;
	rc = APPLY(a, SQL_OPENS_ADD, NULL, (int64_t)brief.asset, day, count);
	return rc != SQLITE_OK ? rc : APPLY(a, SQL_OPENS_TOTAL, NULL, (int64_t)brief.asset, count);
}

int apply_lake(struct apply *a, struct record_reader *in)
{
	_cleanup_query_ struct query q = {};
	size_t key_len, len;
	const char *key = record_get_string(in, &key_len);
	const void *value = record_get_blob(in, &len);
	int rc;

	if (strncmp(key, "store.", strlen("store.")) == 0)
		return apply_refused(a, key, 0, "keys that begin with store. are the store's own");
	query_start(&q, a->conn, value ? SQL_LAKE_SET : SQL_LAKE_UNSET);
	query_text(&q, key);
	if (value)
		query_blob(&q, value, len);
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : apply_failed(a, rc, key, 0);
}

/* ---- what a power failure leaves ---- */

int apply_synced(struct apply *a, struct record_reader *in)
{
	int64_t node = (int64_t)record_get(in), size = (int64_t)record_get(in), mtime = record_get_signed(in);
	int rc = APPLY(a, SQL_SYNCED_ADD, NULL, node, size, mtime, (int64_t)a->record->commit);

	return rc == SQLITE_OK ? rc : apply_failed(a, rc, "what was fsynced of node", (uint64_t)node);
}

int apply_durable(struct apply *a, struct record_reader *in)
{
	int64_t commit = (int64_t)record_get(in);
	int rc = APPLY(a, SQL_DURABLE_SET, NULL, commit);

	return rc == SQLITE_OK ? APPLY(a, SQL_SYNCED_FORGET, NULL, commit) : rc;
}
