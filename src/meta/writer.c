/*
 * How records become durable.
 *
 * store_submit() gives a record its commit number and time under the queue's lock and appends it: numbers, times and
 * the queue's order agree. The writer thread takes what has arrived as a group, applies it in one transaction and
 * COMMITs. A transaction costs about 25 µs, a record in it a third of that, so groups are worth waiting for: while
 * nobody waits and the queue is short, the writer lets LINGER pass since the oldest record came. Somebody who waits
 * (barrier, sync, a number) or GROUP_ENOUGH records end that at once. Under load groups form by themselves: what
 * arrives during one commit is the next group.
 *
 *	last     the newest commit number that was given out
 *	visible  the newest that is COMMITted: readers see it
 *	durable  the newest whose WAL frames are fsynced
 *
 * Durable. SQLite in WAL mode with synchronous = NORMAL does not fsync at COMMIT, with FULL it fsyncs the WAL, and with
 * that all earlier frames. So a group is committed with FULL when somebody waits in store_sync(), and all who came
 * before the group began share its fsync. When nothing is queued, a tiny row is written to have something to COMMIT.
 *
 * An fsync that failed may have marked earlier frames clean without writing them, and the next one would then succeed
 * and lie. After such a failure the WAL is not trusted: a checkpoint copies all of it into the database file and fsyncs
 * that, and only then is anything called durable again.
 *
 * Failing. A group that cannot be committed is rolled back, its records stay in the queue, the totals go back to what
 * they were, and waiters are told (-ENOSPC, -EIO). It is tried again each second. store_submit() goes on until the
 * queue is full. For a full disk something is kept: see reserve.h. What that has room for is a small group in a WAL
 * that starts again at its front; so a group that finds no room is tried once more after a checkpoint, and small.
 *
 * Checkpoints are not left to SQLite, which makes them inside somebody's COMMIT: see wal.h.
 */
#include "meta/writer.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "meta/journal.h"
#include "meta/writer_int.h"

#define LINGER (10 * NSEC_PER_MSEC)
#define GROUP_ENOUGH 512
#define GROUP_MOST 1024 /* bounds how long others wait for a group */
#define GROUP_SMALL 64	/* on a full disk */
#define QUEUE_BYTES ((size_t)64 << 20)
#define RETRY NSEC_PER_SEC
#define WAL_SMALL ((int64_t)1 << 20)
#define QUEUE_MUCH ((size_t)4 << 20)
#define IDLE_SOON NSEC_PER_SEC	      /* quiet for so long: a checkpoint, if the WAL is not small */
#define IDLE_LONG (30 * NSEC_PER_SEC) /* or any */
#define CLOCK_BACKWARD (3600 * NSEC_PER_SEC)

static int64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* Until DEADLINE (0: for ever) or a signal. False when the time is over. */
static bool wait_work(struct writer *w, int64_t deadline)
{
	struct timespec until = {deadline / NSEC_PER_SEC, deadline % NSEC_PER_SEC};
	int err = 0;

	w->asleep = true;
	if (deadline)
		err = pthread_cond_timedwait(&w->work, &w->lock, &until);
	else
		pthread_cond_wait(&w->work, &w->lock);
	w->asleep = false;
	return err != ETIMEDOUT;
}

void writer_wake(struct writer *w)
{
	if (w->asleep)
		pthread_cond_signal(&w->work);
}

/* ---- the loop ---- */

static bool anybody_waits(const struct writer *w)
{
	return w->want_visible > w->visible || w->want_durable > w->durable || w->want_numbers || w->stop;
}

/* Records in the next group; called with the lock held. */
static size_t group_most(const struct writer *w)
{
	return w->error == -ENOSPC ? GROUP_SMALL : GROUP_MOST;
}

/* What the next transaction is about; called with the lock held. */
static void take_group(struct writer *w, struct group *g)
{
	size_t most = group_most(w);
	struct record *r = w->first;

	*g = (struct group){.first = r, .last = w->visible};
	for (; r && g->count < most; r = r->next) {
		g->count++;
		g->last = r->commit;
	}
	g->durable = w->want_durable > w->durable || w->want_numbers;
	for (int i = 0; w->want_numbers && i < COUNTERS; i++) {
		uint64_t next = w->counters[i].next, limit = w->counters[i].limit;

		if (limit < next || limit - next <= NUMBERS_RESERVED / 2)
			g->limits[i] = (limit > next ? limit : next) + NUMBERS_RESERVED;
	}
}

/* Takes the group's records off the queue, with the lock held; they are freed without it. */
static struct record *drop_group(struct writer *w, const struct group *g)
{
	struct record *head = w->first, *end = NULL;
	bool was_full = w->bytes >= QUEUE_BYTES;

	for (size_t i = 0; i < g->count; i++) {
		end = w->first;
		w->bytes -= record_size(end);
		w->first = end->next;
	}
	w->count -= g->count;
	if (!w->first)
		w->last_record = NULL;
	if (end)
		end->next = NULL;
	if (was_full)
		pthread_cond_broadcast(&w->done);
	return g->count ? head : NULL;
}

static void free_records(struct record *r)
{
	while (r) {
		struct record *next = r->next;

		record_free(r);
		r = next;
	}
}

/* The cause is logged once, however often it is tried again. */
static void failing(struct writer *w, int err, const char *message)
{
	if (err != w->error)
		log_error("metadata store: cannot commit: %s; %zu changes wait in memory", message, w->count);
	w->error = err;
}

static struct record *group_done(struct writer *w, const struct group *g)
{
	bool durable = g->durable && !g->sync_failed;

	w->visible = g->last;
	if (g->sync_failed) {
		failing(w, -EIO, "the write-ahead log cannot be made durable");
	} else if (w->error) {
		log_info("metadata store: writing works again");
		w->error = 0;
	}
	for (int i = 0; durable && i < COUNTERS; i++) {
		if (g->limits[i])
			w->counters[i].limit = g->limits[i];
	}
	if (durable) {
		w->durable = g->last;
		w->want_numbers = false;
	}
	return drop_group(w, g);
}

/* Under the lock, so that nobody is being called any more when writer_on_jobs() returns. */
static void tell_jobs(struct writer *w)
{
	SCOPED_LOCK(&w->lock);

	if (w->on_jobs)
		w->on_jobs(w->on_jobs_arg);
}

/* SQLite's code. What has failed is rolled back, ERR and MESSAGE say why. */
static int write_group(struct writer *w, struct group *g, char *message, size_t room, int *err)
{
	bool again = true;

	for (;; again = false) {
		int rc = group_write(w, g);

		*err = conn_errno(w->conn->db, rc);
		if (rc == SQLITE_OK)
			return rc;
		group_roll_back(w, rc, message, room);
		if (!again || *err != -ENOSPC || wal_leave(&w->wal) != SQLITE_OK)
			return rc;
	}
}

/* Called with the lock held, and comes back with it. */
static int commit_group(struct writer *w, bool clean)
{
	struct journal *journal = w->journal;
	struct record *done = NULL;
	struct group g;
	char message[160] = "";
	int rc, err;

	take_group(w, &g);
	g.clean = clean;
	g.durable |= clean;
	for (int i = 0; clean && i < COUNTERS; i++)
		g.limits[i] = w->counters[i].next;
	pthread_mutex_unlock(&w->lock);

	journal_begin(journal, &g, w->counters);
	rc = write_group(w, &g, message, sizeof(message), &err);
	journal_end(journal, rc == SQLITE_OK);

	pthread_mutex_lock(&w->lock);
	if (rc == SQLITE_OK)
		done = group_done(w, &g);
	else
		failing(w, err ? err : -EIO, message);
	pthread_cond_broadcast(&w->done);
	pthread_mutex_unlock(&w->lock);

	free_records(done);
	if (rc == SQLITE_OK && w->apply.jobs)
		tell_jobs(w);
	w->apply.jobs = false;
	if (rc == SQLITE_OK) {
		wal_mind(&w->wal);
		reserve_keep(&w->reserve, w->wal.path);
	}
	pthread_mutex_lock(&w->lock);
	return w->error;
}

/* When to tidy up if nothing happens until then; 0: never. */
static int64_t idle_deadline(const struct writer *w)
{
	int64_t left = wal_left(&w->wal);

	if (left >= WAL_SMALL || w->most_bytes >= QUEUE_MUCH)
		return monotonic() + IDLE_SOON;
	return left ? monotonic() + IDLE_LONG : 0;
}

/* Called with the lock held, which it drops meanwhile. */
static void tidy_up(struct writer *w)
{
	bool much = w->most_bytes >= QUEUE_MUCH;

	w->most_bytes = 0;
	pthread_mutex_unlock(&w->lock);
	/* Records are made in other threads: without this, what a long queue took stays with the process for ever. */
	if (much)
		malloc_trim(0);
	if (wal_left(&w->wal))
		wal_tidy(&w->wal);
	reserve_keep(&w->reserve, w->wal.path);
	pthread_mutex_lock(&w->lock);
}

static void empty_wal(struct writer *w)
{
	int rc;

	pthread_mutex_unlock(&w->lock);
	rc = wal_empty(&w->wal);
	reserve_keep(&w->reserve, w->wal.path);
	pthread_mutex_lock(&w->lock);
	w->emptied = rc;
	w->want_empty = false;
	pthread_cond_broadcast(&w->done);
}

static void wait_for_work(struct writer *w)
{
	int64_t deadline = idle_deadline(w);

	if (w->want_empty)
		empty_wal(w);
	while (!w->count && !anybody_waits(w)) {
		if (w->want_empty) {
			empty_wal(w);
			continue;
		}
		if (wait_work(w, deadline))
			continue;
		tidy_up(w);
		deadline = idle_deadline(w);
	}
}

static void linger(struct writer *w)
{
	while (w->count && w->count < GROUP_ENOUGH && !anybody_waits(w) && wait_work(w, w->first->queued + LINGER))
		;
}

static void wait_for_retry(struct writer *w)
{
	int64_t deadline = monotonic() + RETRY;

	while (!w->stop && wait_work(w, deadline))
		;
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	int err = 0, failed;

	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		wait_for_work(w);
		linger(w);
		if (w->stop)
			break;
		err = commit_group(w, false);
		if (err)
			wait_for_retry(w);
	}
	/* What is left, each group once (that which fails first: twice, see group_most()); then the clean end. */
	do {
		failed = w->error;
		err = commit_group(w, w->count <= group_most(w));
	} while (w->count && (!err || !failed));
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* ---- what others call ---- */

static void append(struct writer *w, struct record *r)
{
	r->next = NULL;
	if (w->last_record)
		w->last_record->next = r;
	else
		w->first = r;
	w->last_record = r;
	w->bytes += record_size(r);
	w->count++;
	if (w->bytes > w->most_bytes)
		w->most_bytes = w->bytes;
}

/* Times rise with commits, though the clock is set back a little now and then. A clock that was far off is followed. */
static int64_t commit_time(struct writer *w)
{
	int64_t now = clock_wall();

	if (now < w->last_time && w->last_time - now < CLOCK_BACKWARD)
		now = w->last_time;
	if (now < w->last_time)
		log_warning("the clock went back by %lld seconds: later changes will seem older",
			    (long long)((w->last_time - now) / NSEC_PER_SEC));
	w->last_time = now;
	return now;
}

int writer_submit(struct writer *w, struct record *r, uint64_t *commit)
{
	if (!r || r->error) {
		record_free(r);
		return -ENOMEM;
	}
	r->queued = monotonic();
	pthread_mutex_lock(&w->lock);
	while (w->bytes >= QUEUE_BYTES)
		pthread_cond_wait(&w->done, &w->lock);
	r->commit = ++w->last;
	r->time = commit_time(w);
	if (commit)
		*commit = r->commit;
	append(w, r);
	if (w->count == 1 || w->count == GROUP_ENOUGH)
		writer_wake(w);
	pthread_mutex_unlock(&w->lock);
	return 0;
}

/* As writer_submit(), for what has its commit and time already. */
int writer_replay(struct writer *w, struct record *r)
{
	SCOPED_LOCK(&w->lock);

	if (r->commit <= w->last || r->commit > w->last + 1) {
		int rc = r->commit <= w->last ? 0 : -EILSEQ;

		record_free(r);
		return rc;
	}
	r->queued = monotonic();
	while (w->bytes >= QUEUE_BYTES && !w->error)
		pthread_cond_wait(&w->done, &w->lock);
	if (w->error) {
		record_free(r);
		return w->error;
	}
	w->last = r->commit;
	w->last_time = r->time;
	append(w, r);
	if (w->count == 1 || w->count == GROUP_ENOUGH)
		writer_wake(w);
	return 0;
}

/* Waits until *REACHED has come to COMMIT; WANT tells the writer. */
static int wait_for(struct writer *w, uint64_t commit, const _Atomic uint64_t *reached, uint64_t *want)
{
	int err = 0;

	if (commit && *reached >= commit)
		return 0;
	pthread_mutex_lock(&w->lock);
	if (!commit || commit > w->last)
		commit = w->last;
	while (*reached < commit && !(err = w->error)) {
		if (*want < commit)
			*want = commit;
		writer_wake(w);
		pthread_cond_wait(&w->done, &w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return err;
}

bool writer_is_full(struct writer *w)
{
	SCOPED_LOCK(&w->lock);

	return w->error == -ENOSPC;
}

int writer_barrier(struct writer *w, uint64_t commit)
{
	return wait_for(w, commit, &w->visible, &w->want_visible);
}

int writer_sync(struct writer *w, uint64_t commit)
{
	return wait_for(w, commit, &w->durable, &w->want_durable);
}

int writer_empty_wal(struct writer *w)
{
	int rc;

	pthread_mutex_lock(&w->lock);
	w->want_empty = true;
	pthread_cond_signal(&w->work);
	while (w->want_empty)
		pthread_cond_wait(&w->done, &w->lock);
	rc = w->emptied;
	pthread_mutex_unlock(&w->lock);
	return rc;
}

uint64_t writer_visible(struct writer *w)
{
	return w->visible;
}

uint64_t writer_last(struct writer *w)
{
	SCOPED_LOCK(&w->lock);

	return w->last;
}

void writer_on_jobs(struct writer *w, void (*fn)(void *arg), void *arg)
{
	SCOPED_LOCK(&w->lock);

	w->on_jobs = fn;
	w->on_jobs_arg = arg;
}

void writer_fail_commits(struct writer *w, int after, int count, int code)
{
	SCOPED_LOCK(&w->lock);

	w->fail_after = after;
	w->fail_count = count;
	w->fail_code = code;
}

void writer_alarm_wal(struct writer *w, int64_t bytes)
{
	SCOPED_LOCK(&w->lock);

	w->wal.alarm_from = w->wal.alarm = bytes;
}

/* ---- life ---- */

static int start(struct writer *w)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(&w->thread, NULL, writer_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		pthread_setname_np(w->thread, "tarn-store");
	return -err;
}

static void writer_free(struct writer *w, bool whole)
{
	wal_stop(&w->wal, whole);
	journal_free(w->journal);
	free_records(w->first);
	apply_release(&w->apply);
	conn_close(w->conn);
	reserve_end(&w->reserve);
	pthread_cond_destroy(&w->work);
	pthread_cond_destroy(&w->done);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int writer_open(struct conn *c, const char *path, bool *clean, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;
	int err;

	if (!w) {
		conn_close(c);
		return -ENOMEM;
	}
	w->conn = c;
	w->reserve = RESERVE_NONE;
	w->apply = (struct apply){.conn = c, .tally = &w->tally};
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->work, &attr);
	pthread_cond_init(&w->done, NULL);
	pthread_condattr_destroy(&attr);
	err = wal_start(&w->wal, c, path);
	if (!err)
		err = group_load(w, clean);
	if (!err)
		err = group_begin(w);
	if (!err) {
		reserve_keep(&w->reserve, path);
		err = start(w);
	}
	if (err)
		writer_free(w, false);
	else
		*out = w;
	return err;
}

int writer_close(struct writer *w)
{
	int err;

	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	err = w->error;
	if (err)
		log_error("metadata store: %zu changes are lost: they could not be committed", w->count);
	writer_free(w, !err);
	return err;
}
