#include "work/work_int.h"

#include <linux/ioprio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/room.h"
#include "content/settle.h"
#include "work/cloud/cloud.h"

#define IO_LEVEL_LAST 7 /* the last one of the best-effort class */

void work_be_nice(int nice)
{
	/* On Linux both are a thread's own; 0 is the caller. What is refused is only a pity. */
	setpriority(PRIO_PROCESS, 0, nice);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, IO_LEVEL_LAST));
}

/* ---- sleeping ---- */

bool work_is_stopping(void *arg)
{
	return work_stopping(arg);
}

static struct timespec in(int64_t ns)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	ns += t.tv_nsec;
	t.tv_sec += ns / NSEC_PER_SEC;
	t.tv_nsec = ns % NSEC_PER_SEC;
	return t;
}

bool work_sleep(struct work *w, int64_t ns)
{
	struct timespec until = in(ns);
	SCOPED_LOCK(&w->lock);

	while (!work_stopping(w))
		if (pthread_cond_timedwait(&w->stop, &w->lock, &until) == ETIMEDOUT)
			break;
	return !work_stopping(w);
}

bool work_sleep_for_jobs(struct work *w, int64_t ns)
{
	struct timespec until = in(ns < 0 ? 0 : ns);
	int rc = 0;
	SCOPED_LOCK(&w->lock);

	while (!w->jobs_added && !work_stopping(w) && rc != ETIMEDOUT)
		rc = ns < 0 ? pthread_cond_wait(&w->jobs, &w->lock)
			    : pthread_cond_timedwait(&w->jobs, &w->lock, &until);
	return !work_stopping(w);
}

void work_jobs_seen(struct work *w)
{
	SCOPED_LOCK(&w->lock);

	w->jobs_added = false;
}

/* From the store's writer thread. */
static void ring(void *arg)
{
	struct work *w = arg;
	SCOPED_LOCK(&w->lock);

	w->jobs_added = true;
	pthread_cond_signal(&w->jobs);
}

/* ---- life ---- */

static void init_cond(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

static int start_thread(struct work *w, void *(*fn)(void *arg), const char *name)
{
	int err = pthread_create(&w->threads[w->nthreads], NULL, fn, w);

	if (err)
		return -err;
	pthread_setname_np(w->threads[w->nthreads++], name);
	return 0;
}

/* Signals are for the thread that waits for them. */
static int start_threads(struct work *w)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	rc = start_thread(w, settle_main, "tarn-settle");
	if (!rc)
		rc = start_thread(w, sniff_main, "tarn-sniff");
	if (!rc)
		rc = start_thread(w, scan_main, "tarn-scan");
	if (!rc)
		rc = start_thread(w, keeper_main, "tarn-keeper");
	if (!rc)
		rc = start_thread(w, durable_main, "tarn-durable");
	if (!rc)
		rc = start_thread(w, gc_main, "tarn-gc");
	if (!rc)
		rc = start_thread(w, pack_main, "tarn-pack");
	if (!rc)
		rc = start_thread(w, backup_main, "tarn-backup");
	if (!rc)
		rc = start_thread(w, recall_main, "tarn-recall");
	if (!rc)
		rc = upload_pool_start(w->uploads);
	if (!rc)
		rc = start_thread(w, burst_main, "tarn-burst");
	if (!rc)
		rc = start_thread(w, tend_main, "tarn-tend");
	if (!rc)
		rc = start_thread(w, history_main, "tarn-history");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

static void init(struct work *w, struct lake *lake)
{
	w->lake = lake;
	w->first_version = store_new_version(lake->store);
	pthread_mutex_init(&w->lock, NULL);
	init_cond(&w->stop);
	init_cond(&w->jobs);
}

static void release(struct work *w)
{
	pthread_cond_destroy(&w->stop);
	pthread_cond_destroy(&w->jobs);
	pthread_mutex_destroy(&w->lock);
}

void work_bare(struct work *w, struct lake *lake, const _Atomic bool *ending)
{
	*w = (struct work){.ending = ending};
	init(w, lake);
}

void work_bare_end(struct work *w)
{
	release(w);
}

int work_start(struct lake *lake, struct work **out)
{
	struct work *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	init(w, lake);
	atomic_store(&lake->scan_running, true); /* from the first request on, not only from the thread's first step */
	store_on_jobs(lake->store, ring, w);
	history_begin(w);
	w->claims = claims_new();
	rc = w->claims ? upload_pool_new(w, &w->uploads) : -ENOMEM;
	if (!rc)
		rc = start_threads(w);
	if (rc < 0) {
		log_error("background work: cannot start its threads: %s", strerror(-rc));
		work_stop(w);
		return rc;
	}
	*out = w;
	return 0;
}

void work_stop(struct work *w)
{
	if (!w)
		return;
	store_on_jobs(w->lake->store, NULL, NULL);
	pthread_mutex_lock(&w->lock);
	atomic_store(&w->stopping, true);
	pthread_cond_broadcast(&w->stop);
	pthread_cond_broadcast(&w->jobs);
	pthread_mutex_unlock(&w->lock);
	room_wake(w->lake->room); /* the keeper sleeps there */
	settle_stop(w->lake);
	for (int i = 0; i < w->nthreads; i++)
		pthread_join(w->threads[i], NULL);
	upload_pool_stop(w->uploads);
	claims_free(w->claims);
	atomic_store(&w->lake->scan_running, false);
	release(w);
	free(w);
}
