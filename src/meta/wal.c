#include "meta/wal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

#define FRAME 4096 /* SQLite's page size, and nearly that of a frame */
#define WAL_LARGE ((int64_t)16 << 20)
#define WAL_LITTLE ((int64_t)1 << 20)
#define WAL_HUGE ((int64_t)64 << 20)
#define WAL_ALARMING ((int64_t)256 << 20)
#define ROUNDS_MOST 4

static int64_t to_copy(const struct wal *wal)
{
	int copied = wal->copied;

	/* What a round found in a WAL that has started again since says nothing of this one. */
	return (int64_t)(wal->frames - (copied <= wal->frames ? copied : 0)) * FRAME;
}

int64_t wal_left(const struct wal *wal)
{
	return wal->tried_at == wal->frames ? 0 : to_copy(wal);
}

static int checkpoint(struct wal *wal, struct conn *c, int mode)
{
	int frames = 0, copied = 0, rc = sqlite3_wal_checkpoint_v2(c->db, NULL, mode, &frames, &copied);

	if (rc == SQLITE_OK)
		wal->copied = copied;
	if (rc == SQLITE_IOERR_FSYNC)
		wal->distrusted = true;
	if (rc != SQLITE_OK && rc != SQLITE_BUSY)
		conn_error(c, rc, "checkpoint");
	/* A reader kept it from coming to the end. */
	return rc == SQLITE_OK && copied < frames ? SQLITE_BUSY : rc;
}

static void *wal_main(void *arg)
{
	struct wal *wal = arg;

	pthread_mutex_lock(&wal->lock);
	while (!wal->stop) {
		if (!wal->asked) {
			pthread_cond_wait(&wal->changed, &wal->lock);
			continue;
		}
		wal->asked = false;
		wal->busy = true;
		pthread_mutex_unlock(&wal->lock);
		checkpoint(wal, wal->conn, SQLITE_CHECKPOINT_PASSIVE);
		pthread_mutex_lock(&wal->lock);
		wal->busy = false;
		pthread_cond_broadcast(&wal->changed);
	}
	pthread_mutex_unlock(&wal->lock);
	return NULL;
}

static bool working(struct wal *wal)
{
	SCOPED_LOCK(&wal->lock);

	return wal->asked || wal->busy;
}

static void ask(struct wal *wal)
{
	SCOPED_LOCK(&wal->lock);

	wal->asked = true;
	pthread_cond_broadcast(&wal->changed);
}

static void wait_until_idle(struct wal *wal)
{
	SCOPED_LOCK(&wal->lock);

	while (wal->asked || wal->busy)
		pthread_cond_wait(&wal->changed, &wal->lock);
}

static void watch(struct wal *wal)
{
	int64_t size = (int64_t)wal->frames * FRAME;

	if (size < wal->alarm)
		return;
	log_warning("metadata store: %s-wal has grown to %lld MiB: a reader has not ended for a long time", wal->path,
		    (long long)(size >> 20));
	wal->alarm = size * 2;
}

static void give_up(struct wal *wal)
{
	wal->tried_at = wal->frames;
	wal->rounds = 0;
	watch(wal);
}

/* A round has ended, and the thread is idle. */
static void next_round(struct wal *wal)
{
	int64_t left = to_copy(wal);

	if (left > WAL_LITTLE && wal->rounds < ROUNDS_MOST) {
		wal->rounds++;
		ask(wal);
		return;
	}
	if (checkpoint(wal, wal->writer, SQLITE_CHECKPOINT_PASSIVE) == SQLITE_OK)
		wal->rounds = 0;
	else
		give_up(wal);
}

void wal_mind(struct wal *wal)
{
	bool grown = (int64_t)(wal->frames - wal->tried_at) * FRAME >= WAL_LARGE;

	if (!wal->rounds) {
		if (to_copy(wal) < WAL_LARGE || !grown)
			return;
		wal->rounds = 1;
		ask(wal);
	}
	if (to_copy(wal) >= WAL_HUGE && grown)
		wait_until_idle(wal);
	if (!working(wal))
		next_round(wal);
}

void wal_tidy(struct wal *wal)
{
	wal->tried_at = wal->frames;
	wal->rounds = 0;
	ask(wal);
}

int wal_leave(struct wal *wal)
{
	/* One that waits for readers would make everybody wait who waits for the writer. */
	int rc = checkpoint(wal, wal->writer, SQLITE_CHECKPOINT_PASSIVE);

	if (rc == SQLITE_OK)
		wal->distrusted = false;
	return rc;
}

int wal_empty(struct wal *wal)
{
	int rc;

	wait_until_idle(wal);
	sqlite3_busy_timeout(wal->writer->db, 0);
	rc = checkpoint(wal, wal->writer, SQLITE_CHECKPOINT_TRUNCATE);
	sqlite3_busy_timeout(wal->writer->db, BUSY_MSEC);
	if (rc == SQLITE_OK) {
		wal->frames = wal->tried_at = wal->rounds = 0;
		wal->copied = 0;
		wal->distrusted = false;
	}
	return rc;
}

static int committed(void *arg, sqlite3 *db, const char *name, int frames)
{
	struct wal *wal = arg;

	(void)db;
	(void)name;
	/* It began again at its front. */
	if (frames < wal->frames) {
		wal->copied = wal->tried_at = 0;
		wal->alarm = wal->alarm_from;
	}
	wal->frames = frames;
	return SQLITE_OK;
}

int wal_start(struct wal *wal, struct conn *writer, const char *path)
{
	sigset_t all, old;
	int rc, err;

	*wal = (struct wal){.writer = writer, .path = strdup(path), .alarm = WAL_ALARMING, .alarm_from = WAL_ALARMING};
	pthread_mutex_init(&wal->lock, NULL);
	pthread_cond_init(&wal->changed, NULL);
	if (!wal->path)
		return -ENOMEM;
	rc = conn_open(path, CONN_CHECKPOINT, &wal->conn);
	if (rc != SQLITE_OK)
		return wal->conn ? conn_error(wal->conn, rc, "opening a connection") : -ENOMEM;
	sqlite3_wal_hook(writer->db, committed, wal);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(&wal->thread, NULL, wal_main, wal);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		pthread_setname_np(wal->thread, "tarn-wal");
	wal->started = !err;
	return -err;
}

void wal_stop(struct wal *wal, bool whole)
{
	if (wal->started) {
		pthread_mutex_lock(&wal->lock);
		wal->stop = true;
		pthread_cond_broadcast(&wal->changed);
		pthread_mutex_unlock(&wal->lock);
		pthread_join(wal->thread, NULL);
	}
	conn_close(wal->conn);
	conn_set_chunk(wal->writer, 0);
	if (whole)
		checkpoint(wal, wal->writer, SQLITE_CHECKPOINT_TRUNCATE);
	pthread_mutex_destroy(&wal->lock);
	pthread_cond_destroy(&wal->changed);
	free(wal->path);
}
