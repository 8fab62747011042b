/*
 * A whole copy of the store, as of one commit: VACUUM INTO reads one moment of it, and the copy has no free pages in
 * which something forgotten could still be.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "meta/changes.h"
#include "meta/store_int.h"

#define STEPS_BETWEEN 20000 /* of SQLite's machine, between two questions whether to stop */

struct stopping {
	bool (*stop)(void *arg);
	void *arg;
};

static int asked_to_stop(void *arg)
{
	const struct stopping *s = arg;

	return s->stop && s->stop(s->arg);
}

static int run(sqlite3 *db, const char *sql, const char *text)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK && text)
		rc = sqlite3_bind_text(st, 1, text, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int open_db(const char *path, int flags, struct stopping *stop, sqlite3 **db)
{
	int rc = sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_extended_result_codes(*db, 1);
		sqlite3_busy_timeout(*db, BUSY_MSEC);
		sqlite3_progress_handler(*db, STEPS_BETWEEN, asked_to_stop, stop);
	}
	return rc;
}

static int failed(sqlite3 *db, int rc)
{
	if ((rc & 0xff) == SQLITE_INTERRUPT)
		return -ECANCELED;
	log_warning("the copy of the metadata: no snapshot: %s (SQLite %d)", db ? sqlite3_errmsg(db) : "", rc);
	return conn_errno(db, rc);
}

static int copy(const char *from, const char *to, struct stopping *stop)
{
	sqlite3 *db = NULL;
	int rc = open_db(from, SQLITE_OPEN_READONLY, stop, &db), err = 0;

	if (rc == SQLITE_OK)
		rc = run(db, "PRAGMA cache_size = -2048", NULL);
	if (rc == SQLITE_OK)
		rc = run(db, "VACUUM INTO ?", to);
	if (rc != SQLITE_OK)
		err = failed(db, rc);
	sqlite3_close(db);
	return err;
}

static int last_commit(sqlite3 *db, uint64_t *commit)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql_text[SQL_LAST_COMMIT], -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	*commit = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* The index has text in it, and who opens the copy makes it anew. */
static const char *const leave[] = {
	"UPDATE run SET argv = NULL, name = NULL WHERE argv IS NOT NULL OR name IS NOT NULL",
	"UPDATE document SET text = NULL, sample = NULL WHERE text IS NOT NULL OR sample IS NOT NULL",
	"DELETE FROM quality",
	"INSERT INTO found(found) VALUES('delete-all')",
	"INSERT OR REPLACE INTO lake(key, value) VALUES('store.reindex', 1)",
};

/* What must not leave the machine goes from the copy, and its bytes with it. */
static int prepare(const char *path, bool full, struct stopping *stop, uint64_t *commit)
{
	sqlite3 *db = NULL;
	int rc = open_db(path, SQLITE_OPEN_READWRITE, stop, &db), err = 0;

	if (rc == SQLITE_OK)
		rc = run(db, "PRAGMA secure_delete = ON", NULL);
	if (rc == SQLITE_OK)
		rc = run(db, "PRAGMA journal_mode = MEMORY", NULL);
	for (size_t i = 0; rc == SQLITE_OK && !full && i < sizeof(leave) / sizeof(leave[0]); i++)
		rc = run(db, leave[i], NULL);
	if (rc == SQLITE_OK)
		rc = last_commit(db, commit);
	if (rc != SQLITE_OK)
		err = failed(db, rc);
	rc = sqlite3_close(db);
	return err ? err : rc == SQLITE_OK ? 0 : -EIO;
}

int store_snapshot(struct store *s, const char *path, bool full, bool (*stop)(void *arg), void *arg, uint64_t *commit)
{
	struct stopping stopping = {stop, arg};
	_cleanup_close_ int fd = -1;
	int rc;

	unlink(path);
	if (asked_to_stop(&stopping))
		return -ECANCELED;
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600); /* only ours; it may be empty */
	if (fd < 0)
		return -errno;
	rc = copy(s->path, path, &stopping);
	if (!rc)
		rc = prepare(path, full, &stopping, commit);
	if (rc)
		unlink(path);
	return rc;
}
