/*
 * Opening and closing, and who may use the database.
 *
 * The writer's totals and numbers live in memory, so there can be only one: it holds flock(2) on the file "PATH-lock"
 * for its life. Not on the database itself: SQLite locks that with POSIX locks, and closing any other descriptor of the
 * file in the same process would drop them all. And not by SQLite's own exclusive mode: readers must get in. The lock
 * ends with the process, however that ends, and the file stays.
 *
 * Readers have a connection per thread, made at the thread's first query and closed when the thread ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "meta/reserve.h"
#include "meta/schema.h"
#include "meta/store_int.h"
#include "meta/store_test.h"

#define SCRUB_RETRY_US 20000

/* ---- connections of readers ---- */

static void forget_reader(struct store *s, struct conn *c)
{
	SCOPED_LOCK(&s->lock);

	if (c->next)
		c->next->prev = c->prev;
	if (c->prev)
		c->prev->next = c->next;
	else
		s->readers = c->next;
}

static void reader_ends(void *arg)
{
	struct conn *c = arg;

	forget_reader(c->store, c);
	conn_close(c);
}

static void remember_reader(struct store *s, struct conn *c)
{
	SCOPED_LOCK(&s->lock);

	c->store = s;
	c->next = s->readers;
	if (c->next)
		c->next->prev = c;
	s->readers = c;
}

static int open_conn(struct store *s, struct conn **out)
{
	struct conn *c = NULL;
	int rc = conn_open(s->path, CONN_READER, &c);
	int err = !c ? -ENOMEM : rc != SQLITE_OK ? conn_error(c, rc, "opening a connection") : 0;

	if (!err)
		err = -pthread_setspecific(s->key, c);
	if (err) {
		conn_close(c);
		return err;
	}
	remember_reader(s, c);
	*out = c;
	return 0;
}

struct conn *store_conn(struct store *s, int *err)
{
	struct conn *c = pthread_getspecific(s->key);

	*err = c ? 0 : open_conn(s, &c);
	if (*err && *err != -ENOMEM)
		*err = -EIO;
	return c;
}

int store_begin(struct store *s, struct conn **c)
{
	int err;

	*c = store_conn(s, &err);
	return *c ? conn_begin(*c) : err;
}

int store_moment_begin(struct store *s)
{
	struct conn *c;

	return store_begin(s, &c);
}

void store_moment_end(struct store *s)
{
	struct conn *c = pthread_getspecific(s->key);

	if (c)
		conn_end(c);
}

int store_query(struct store *s, struct query *q, enum sql id)
{
	int err;
	struct conn *c = store_conn(s, &err);

	if (c)
		return query_start(q, c, id);
	*q = (struct query){.error = err};
	return err;
}

/* ---- opening ---- */

static void configure(void)
{
	/* Statistics of memory cost a lock that all connections share. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int take_lock(struct store *s, const char **why)
{
	_cleanup_buf_ struct buf name = BUF_INIT;

	buf_addf(&name, "%s-lock", s->path);
	if (buf_error(&name))
		return -ENOMEM;
	s->lock_fd = open(name.data, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return -errno;
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK) {
		*why = "another program has it open for writing";
		return -EBUSY;
	}
	return -errno;
}

static int refuse_what_is_no_file(const char *path, const char **why)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return 0;
	*why = "it is not a regular file";
	return -EUCLEAN;
}

/* A connection is tried out: the schema, and that every statement can be prepared. */
static int check_conn(struct conn *c, bool migrate, const char **why)
{
	int err = schema_check(c->db, migrate, why), rc;

	if (err)
		return err;
	if (migrate && sqlite3_exec(c->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK)
		return -EIO; /* only now: what is not ours stays as it is */
	rc = conn_prepare_all(c);
	if (rc == SQLITE_OK && migrate)
		rc = schema_reindex(c->db);
	if (rc == SQLITE_OK)
		return 0;
	log_error("metadata store: %s", sqlite3_errmsg(c->db));
	if (rc == SQLITE_NOMEM)
		return -ENOMEM;
	*why = "its tables are damaged";
	return rc == SQLITE_ERROR ? -EUCLEAN : conn_errno(c->db, rc);
}

static const char not_a_database[] = "it is no SQLite database, or damaged";

static int open_writer(struct store *s, const char **why)
{
	struct conn *c = NULL;
	int rc, err;

	reserve_take_back(s->path);
	rc = conn_open(s->path, CONN_WRITER, &c);
	err = rc == SQLITE_OK ? check_conn(c, true, why) : !c ? -ENOMEM : conn_errno(c->db, rc);

	if (err) {
		if (!*why && err == -EUCLEAN)
			*why = not_a_database;
		conn_close(c);
		reserve_lay_by(s->path);
		return err;
	}
	err = writer_open(c, s->path, &s->clean, &s->writer);
	if (err == -EUCLEAN)
		*why = "its own facts (table lake) are damaged";
	return err;
}

static int open_reader(struct store *s, const char **why)
{
	struct conn *c = NULL;
	int err = open_conn(s, &c);

	if (!err)
		err = check_conn(c, false, why);
	if (err && !*why)
		*why = err == -EUCLEAN ? not_a_database : "it cannot be opened for reading";
	return err;
}

static int open_parts(struct store *s, const char **why)
{
	int err = 0;

	if (s->mode != STORE_READ)
		err = take_lock(s, why);
	if (!err && s->mode == STORE_CREATE)
		err = schema_create(s->path, why);
	if (!err)
		err = refuse_what_is_no_file(s->path, why);
	if (!err)
		err = -pthread_key_create(&s->key, reader_ends);
	s->has_key = !err;
	if (err)
		return err;
	return s->mode == STORE_READ ? open_reader(s, why) : open_writer(s, why);
}

/* The folder is looked up now: a daemon changes its working directory later. */
static int full_path(const char *path, char **out)
{
	_cleanup_free_ char *copy = strdup(path), *folder = NULL;
	_cleanup_buf_ struct buf whole = BUF_INIT;
	char *slash = copy ? strrchr(copy, '/') : NULL;

	if (!copy)
		return -ENOMEM;
	if (slash)
		*slash = 0;
	folder = realpath(!slash ? "." : slash == copy ? "/" : copy, NULL);
	if (!folder)
		return -errno;
	buf_addf(&whole, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, slash ? slash + 1 : path);
	if (buf_error(&whole))
		return -ENOMEM;
	*out = buf_detach(&whole);
	return 0;
}

int store_open(const char *path, enum store_mode mode, struct store **out, const char **why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct store *s = calloc(1, sizeof(*s));
	int err;

	pthread_once(&once, configure);
	*why = NULL;
	if (!s)
		return -ENOMEM;
	s->mode = mode;
	s->lock_fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	err = full_path(path, &s->path);
	if (!err)
		err = open_parts(s, why);
	if (err)
		store_close(s);
	else
		*out = s;
	return err;
}

int store_close(struct store *s)
{
	int err = 0;

	if (!s)
		return 0;
	if (s->has_key)
		pthread_key_delete(s->key);
	while (s->readers) {
		struct conn *c = s->readers;

		s->readers = c->next;
		conn_close(c);
	}
	if (s->writer) {
		err = writer_close(s->writer);
		reserve_lay_by(s->path);
	}
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
	return err;
}

bool store_was_clean(struct store *s)
{
	return s->clean;
}

/* ---- the writer's, by the store's names ---- */

uint64_t store_new_node(struct store *s)
{
	return writer_number(s->writer, COUNTER_NODE);
}

uint64_t store_new_version(struct store *s)
{
	return writer_number(s->writer, COUNTER_VERSION);
}

uint64_t store_last_commit(struct store *s)
{
	return s->writer ? writer_last(s->writer) : store_visible(s);
}

int store_submit(struct store *s, struct record *r, uint64_t *commit)
{
	if (s->writer)
		return writer_submit(s->writer, r, commit);
	record_free(r);
	return -EROFS;
}

int store_barrier(struct store *s, uint64_t commit)
{
	return s->writer ? writer_barrier(s->writer, commit) : 0;
}

int store_sync(struct store *s, uint64_t commit)
{
	return s->writer ? writer_sync(s->writer, commit) : 0;
}

bool store_is_full(struct store *s)
{
	return s->writer && writer_is_full(s->writer);
}

int store_scrub(struct store *s, int wait_ms)
{
	int64_t until = clock_monotonic() + wait_ms * NSEC_PER_MSEC;
	int rc;

	if (!s->writer)
		return -EROFS;
	for (;;) {
		rc = writer_sync(s->writer, 0);
		if (rc < 0)
			return rc;
		rc = writer_empty_wal(s->writer);
		if (rc != SQLITE_BUSY || clock_monotonic() >= until)
			return rc == SQLITE_OK ? 0 : rc == SQLITE_BUSY ? -EBUSY : -EIO;
		usleep(SCRUB_RETRY_US);
	}
}

uint64_t store_visible(struct store *s)
{
	_cleanup_query_ struct query q = {};

	if (s->writer)
		return writer_visible(s->writer);
	store_query(s, &q, SQL_LAST_COMMIT);
	return query_row(&q) > 0 ? (uint64_t)query_get(&q) : 0;
}

void store_on_jobs(struct store *s, void (*fn)(void *arg), void *arg)
{
	writer_on_jobs(s->writer, fn, arg);
}

void store_fail_commits(struct store *s, int after, int count, int err)
{
	writer_fail_commits(s->writer, after, count,
			    err == -ENOSPC   ? SQLITE_FULL
			    : err == -ENOMEM ? SQLITE_NOMEM
					     : SQLITE_IOERR_WRITE);
}

void store_fail_fsyncs(struct store *s, int after, int count)
{
	writer_fail_commits(s->writer, after, count, SQLITE_IOERR_FSYNC);
}

void store_alarm_wal(struct store *s, int64_t bytes)
{
	writer_alarm_wal(s->writer, bytes);
}
