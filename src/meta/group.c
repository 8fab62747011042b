/*
 * The database side of a group: one transaction, its durability, and the WAL. writer.c has the essay.
 */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "meta/writer_int.h"

static const char *const counter_keys[COUNTERS] = {"store.next.node", "store.next.version", "store.next.run"};

static int plain(struct writer *w, enum sql id)
{
	return apply_numbers(&w->apply, id, NULL, NULL, 0);
}

/* The pragma acts when it is prepared, and only outside a transaction. */
static int set_full(struct writer *w, bool full)
{
	int rc = SQLITE_OK;

	if (w->full != full)
		rc = sqlite3_exec(w->conn->db, full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", NULL,
				  NULL, NULL);
	if (rc == SQLITE_OK)
		w->full = full;
	return rc;
}

static int set_number(struct writer *w, const char *key, int64_t value)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, w->conn, SQL_LAKE_SET);
	query_text(&q, key);
	query_int(&q, value);
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Commits and their times rise on from R, which has no row in the change log to tell. */
static int set_last(struct writer *w, const struct record *r)
{
	int rc = set_number(w, "store.last.commit", (int64_t)r->commit);

	return rc == SQLITE_OK ? set_number(w, "store.last.time", r->time) : rc;
}

static int injected(struct writer *w)
{
	SCOPED_LOCK(&w->lock);

	if (w->fail_count <= 0)
		return SQLITE_OK;
	if (w->fail_after > 0) {
		w->fail_after--;
		return SQLITE_OK;
	}
	w->fail_count--;
	return w->fail_code;
}

static int apply_group(struct writer *w, const struct group *g)
{
	const struct record *r = NULL;
	int rc = plain(w, SQL_BEGIN_WRITE);

	/* The last one's next is the queue's business: others append there. */
	for (size_t i = 0; rc == SQLITE_OK && i < g->count; i++) {
		r = i ? r->next : g->first;
		rc = apply_record(&w->apply, r);
	}
	if (rc == SQLITE_OK)
		rc = apply_found_finish(&w->apply);
	if (rc == SQLITE_OK && r && !r->logged)
		rc = set_last(w, r);
	for (int i = 0; rc == SQLITE_OK && i < COUNTERS; i++) {
		if (g->limits[i])
			rc = set_number(w, counter_keys[i], (int64_t)g->limits[i]);
	}
	if (rc == SQLITE_OK && g->clean)
		rc = set_number(w, "store.clean", 1);
	if (rc == SQLITE_OK && g->durable && !g->count)
		rc = plain(w, SQL_SYNC_MARK);
	if (rc == SQLITE_OK)
		rc = tally_save(w->conn, &w->tally, &w->saved);
	if (rc == SQLITE_OK)
		rc = injected(w);
	return rc == SQLITE_OK ? plain(w, SQL_COMMIT) : rc;
}

int group_write(struct writer *w, struct group *g)
{
	int rc = set_full(w, g->durable);

	if (rc == SQLITE_OK)
		rc = apply_group(w, g);
	apply_found_done(&w->apply);
	if (rc == SQLITE_OK) {
		w->saved = w->tally;
		g->sync_failed = g->durable && w->wal.distrusted && wal_leave(&w->wal) != SQLITE_OK;
		return SQLITE_OK;
	}
	if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
		w->wal.distrusted = true;
	w->tally = w->saved;
	apply_forget(&w->apply);
	return rc;
}

void group_roll_back(struct writer *w, int rc, char *message, size_t room)
{
	sqlite3 *db = w->conn->db;
	bool told = sqlite3_extended_errcode(db) == rc;

	snprintf(message, room, "%s (SQLite %d)", told ? sqlite3_errmsg(db) : sqlite3_errstr(rc), rc);
	if (!sqlite3_get_autocommit(db))
		plain(w, SQL_ROLLBACK);
}

/* ---- at the start ---- */

static int load_number(struct writer *w, const char *key, uint64_t *out)
{
	_cleanup_query_ struct query q = {};
	int got;

	query_start(&q, w->conn, SQL_LAKE_GET);
	query_text(&q, key);
	got = query_row(&q);
	if (got > 0)
		*out = (uint64_t)query_get(&q);
	return got > 0 ? 0 : got < 0 ? got : -EUCLEAN;
}

static int load_last(struct writer *w)
{
	_cleanup_query_ struct query q = {};
	int got;

	query_start(&q, w->conn, SQL_LAST_COMMIT);
	got = query_row(&q);
	if (got > 0) {
		w->last = (uint64_t)query_get(&q);
		w->last_time = query_get(&q);
	}
	w->visible = w->durable = w->last;
	return got < 0 ? got : 0;
}

int group_load(struct writer *w, bool *clean)
{
	uint64_t value = 0;
	int err = load_number(w, "store.clean", &value);

	*clean = value;
	for (int i = 0; !err && i < COUNTERS; i++) {
		err = load_number(w, counter_keys[i], &value);
		w->counters[i].next = w->counters[i].limit = value;
	}
	if (!err)
		err = load_last(w);
	if (!err)
		err = tally_load(w->conn, &w->saved);
	w->tally = w->saved;
	/* to query_row() it was just a failure; here it decides whether the file is a store */
	return err == -EIO && (sqlite3_errcode(w->conn->db) & 0xff) == SQLITE_CORRUPT ? -EUCLEAN : err;
}

int group_begin(struct writer *w)
{
	int rc = set_full(w, true);

	if (rc == SQLITE_OK)
		rc = plain(w, SQL_BEGIN_WRITE);
	if (rc == SQLITE_OK)
		rc = set_number(w, "store.clean", 0);
	for (int i = 0; rc == SQLITE_OK && i < COUNTERS; i++) {
		w->counters[i].limit = w->counters[i].next + NUMBERS_RESERVED;
		rc = set_number(w, counter_keys[i], (int64_t)w->counters[i].limit);
	}
	if (rc == SQLITE_OK)
		rc = plain(w, SQL_COMMIT);
	return rc == SQLITE_OK ? 0 : conn_error(w->conn, rc, "opening");
}
