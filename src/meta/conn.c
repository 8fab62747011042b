#include "meta/conn.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "meta/functions.h"
#include "meta/reserve.h"

/*
 * Caches are per connection, and the daemon promises to stay small: the writer's holds the inner pages of every index,
 * a reader's the path to what it looks up. The database is not mapped: each reader would count all of it again.
 */
#define WRITER_CACHE "12288" /* KiB */
#define READER_CACHE "2048"

static const char *const pragmas[] = {
	[CONN_READER] = "PRAGMA cache_size = -" READER_CACHE
			"; PRAGMA temp_store = MEMORY; PRAGMA query_only = 1;"
			"PRAGMA cell_size_check = 1; PRAGMA trusted_schema = 0",
	[CONN_WRITER] =
		"PRAGMA cache_size = -" WRITER_CACHE
		"; PRAGMA temp_store = MEMORY;"
		"PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 33554432;"
		"PRAGMA cell_size_check = 1; PRAGMA trusted_schema = 0; PRAGMA secure_delete = FAST",
	[CONN_CHECKPOINT] = "PRAGMA cache_size = -64; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = NORMAL",
};

int conn_errno(sqlite3 *db, int rc)
{
	int system = db ? sqlite3_system_errno(db) : 0;

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
		return system == ENOENT || system == EACCES || system == EMFILE || system == ENFILE ? -system : -EIO;
	case SQLITE_IOERR:
		return system == ENOSPC || system == EDQUOT ? -ENOSPC : -EIO;
	default:
		return -EIO;
	}
}

int conn_error(struct conn *c, int rc, const char *doing)
{
	static _Atomic int last_rc;
	static _Atomic int64_t last_time;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (atomic_exchange(&last_rc, rc) != rc || now.tv_sec - atomic_load(&last_time) >= 60) {
		atomic_store(&last_time, now.tv_sec);
		log_error("metadata store: %s: %s (SQLite %d)", doing, sqlite3_errmsg(c->db), rc);
	}
	return conn_errno(c->db, rc);
}

void conn_set_chunk(struct conn *c, int bytes)
{
	sqlite3_file_control(c->db, "main", SQLITE_FCNTL_CHUNK_SIZE, &bytes);
}

int conn_open(const char *path, enum conn_kind kind, struct conn **out)
{
	int flags = kind == CONN_READER ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, rc;
	struct conn *c = calloc(1, sizeof(*c));

	*out = c;
	if (!c)
		return SQLITE_NOMEM;
	rc = sqlite3_open_v2(path, &c->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_extended_result_codes(c->db, 1);
		sqlite3_busy_timeout(c->db, BUSY_MSEC);
		rc = sqlite3_exec(c->db, pragmas[kind], NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK && kind != CONN_CHECKPOINT)
		rc = functions_add(c->db);
	if (rc == SQLITE_OK && kind != CONN_READER)
		conn_set_chunk(c, RESERVE_BYTES); /* whoever writes to the file */
	return rc;
}

void conn_close(struct conn *c)
{
	if (!c)
		return;
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(c->statements[i]);
	if (sqlite3_close(c->db) != SQLITE_OK)
		log_error("metadata store: a connection is closed while in use: %s", sqlite3_errmsg(c->db));
	free(c);
}

static int prepare(struct conn *c, enum sql id, unsigned flags, sqlite3_stmt **st)
{
	return sqlite3_prepare_v3(c->db, sql_text[id], -1, flags, st, NULL);
}

int conn_prepare_all(struct conn *c)
{
	for (int i = 0; i < SQL_COUNT; i++) {
		sqlite3_stmt *st = NULL;
		int rc = prepare(c, i, 0, &st);

		sqlite3_finalize(st);
		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}

int query_start(struct query *q, struct conn *c, enum sql id)
{
	int rc = SQLITE_OK;

	*q = (struct query){.conn = c, .id = id, .own = c->used[id]};
	if (q->own) {
		rc = prepare(c, id, 0, &q->st);
	} else {
		if (!c->statements[id])
			rc = prepare(c, id, SQLITE_PREPARE_PERSISTENT, &c->statements[id]);
		q->st = c->statements[id];
		c->used[id] = rc == SQLITE_OK;
	}
	if (rc != SQLITE_OK) {
		q->st = NULL;
		q->error = conn_error(c, rc, "preparing a statement");
	}
	return q->error;
}

void query_int(struct query *q, int64_t value)
{
	if (q->st)
		sqlite3_bind_int64(q->st, ++q->bound, value);
}

void query_blob(struct query *q, const void *bytes, size_t len)
{
	if (q->st && bytes)
		sqlite3_bind_blob64(q->st, ++q->bound, bytes, len, SQLITE_STATIC);
	else if (q->st)
		sqlite3_bind_null(q->st, ++q->bound);
}

void query_text(struct query *q, const char *text)
{
	if (q->st)
		sqlite3_bind_text(q->st, ++q->bound, text, -1, SQLITE_STATIC);
}

int query_step(struct query *q)
{
	q->column = 0;
	return q->st ? sqlite3_step(q->st) : SQLITE_ERROR;
}

int query_row(struct query *q)
{
	int rc, err;

	if (!q->st)
		return q->error;
	rc = query_step(q);
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return rc == SQLITE_ROW;
	err = conn_error(q->conn, rc, "reading");
	return err == -ENOMEM ? err : -EIO;
}

void query_again(struct query *q)
{
	if (q->st)
		sqlite3_reset(q->st);
	q->bound = 0;
}

void query_end(struct query *q)
{
	if (!q->st)
		return;
	if (q->own) {
		sqlite3_finalize(q->st);
	} else {
		sqlite3_reset(q->st);
		q->conn->used[q->id] = false;
	}
	q->st = NULL;
}

int64_t query_get(struct query *q)
{
	return sqlite3_column_int64(q->st, q->column++);
}

const void *query_get_blob(struct query *q, size_t *len)
{
	const void *bytes = sqlite3_column_blob(q->st, q->column);

	*len = (size_t)sqlite3_column_bytes(q->st, q->column++);
	return bytes;
}

const char *query_get_string(struct query *q)
{
	return (const char *)sqlite3_column_text(q->st, q->column++);
}

void query_get_text(struct query *q, char *to, size_t room)
{
	const unsigned char *text = sqlite3_column_text(q->st, q->column++);

	snprintf(to, room, "%s", text ? (const char *)text : "");
}

static int plain(struct conn *c, enum sql id)
{
	_cleanup_query_ struct query q = {};

	return query_start(&q, c, id) ? q.error : query_row(&q);
}

int conn_begin(struct conn *c)
{
	int err = c->transactions ? 0 : plain(c, SQL_BEGIN_READ);

	if (!err)
		c->transactions++;
	return err;
}

void conn_end(struct conn *c)
{
	if (--c->transactions == 0 && !sqlite3_get_autocommit(c->db))
		plain(c, SQL_COMMIT);
}
