#include "tier/errand.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define IDLE_SECONDS 10
#define LOOK (100 * NSEC_PER_MSEC) /* how often who waits looks whether it is over */

enum errand_state { ERRAND_QUEUED, ERRAND_RUNNING, ERRAND_DONE, ERRAND_LOST };

struct errand {
	int (*fn)(void *arg);
	void (*drop)(void *arg);
	void *arg;
	int result;
	enum errand_state state;
	pthread_cond_t done;
	struct errand *next;
};

struct errands {
	pthread_mutex_t lock; /* protects everything here, and the states */
	pthread_cond_t work;
	struct errand *first, **last;
	int max, threads, idle, queued;
	bool closing;
};

static void cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
}

struct errands *errands_new(int threads)
{
	struct errands *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	pthread_mutex_init(&e->lock, NULL);
	cond_init(&e->work);
	e->last = &e->first;
	e->max = threads;
	return e;
}

static void destroy(struct errands *e)
{
	pthread_cond_destroy(&e->work);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

void errands_free(struct errands *e)
{
	bool last;

	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	e->closing = true;
	last = e->threads == 0;
	pthread_cond_broadcast(&e->work);
	pthread_mutex_unlock(&e->lock);
	if (last)
		destroy(e);
}

/* By the real clock: a test's clock does not move by itself. */
static struct timespec moment_in(int64_t ns)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	ns += t.tv_nsec;
	t.tv_sec += ns / NSEC_PER_SEC;
	t.tv_nsec = ns % NSEC_PER_SEC;
	return t;
}

static struct errand *take_locked(struct errands *e)
{
	struct errand *it = e->first;

	e->first = it->next;
	if (!e->first)
		e->last = &e->first;
	e->queued--;
	if (it->state == ERRAND_QUEUED)
		it->state = ERRAND_RUNNING;
	return it;
}

/* Another errand, or NULL: this thread ends. */
static struct errand *next_locked(struct errands *e)
{
	struct timespec until = moment_in(IDLE_SECONDS * NSEC_PER_SEC);
	int r = 0;

	e->idle++;
	while (!e->first && !e->closing && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&e->work, &e->lock, &until);
	e->idle--;
	return e->first ? take_locked(e) : NULL;
}

static void *errand_thread(void *arg)
{
	struct errands *e = arg;
	struct errand *it;
	bool last;

	pthread_mutex_lock(&e->lock);
	while ((it = next_locked(e))) {
		int r;

		pthread_mutex_unlock(&e->lock);
		r = it->fn ? it->fn(it->arg) : 0;
		pthread_mutex_lock(&e->lock);
		it->result = r;
		if (it->state == ERRAND_LOST) {
			pthread_mutex_unlock(&e->lock);
			it->drop(it->arg);
			pthread_cond_destroy(&it->done);
			free(it);
			pthread_mutex_lock(&e->lock);
		} else {
			it->state = ERRAND_DONE;
			pthread_cond_signal(&it->done);
		}
	}
	e->threads--;
	last = e->closing && e->threads == 0;
	pthread_mutex_unlock(&e->lock);
	if (last)
		destroy(e);
	return NULL;
}

/* False: there is no thread at all, and none can be had. */
static bool have_thread_locked(struct errands *e)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (e->idle >= e->queued || e->threads >= e->max)
		return true;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, errand_thread, e) == 0)
		e->threads++;
	pthread_attr_destroy(&attr);
	return e->threads > 0;
}

static void enqueue_locked(struct errands *e, struct errand *it)
{
	*e->last = it;
	e->last = &it->next;
	e->queued++;
	pthread_cond_signal(&e->work);
}

static void unqueue_locked(struct errands *e, struct errand *it)
{
	struct errand **p = &e->first;

	while (*p != it)
		p = &(*p)->next;
	*p = it->next;
	if (!*p)
		e->last = p;
	e->queued--;
}

/* Waits until it is done. 0, or why nobody waits any longer. */
static int wait_locked(struct errands *e, struct errand *it, const struct tier_try *t)
{
	int64_t since = clock_monotonic();

	while (it->state != ERRAND_DONE) {
		struct timespec until = moment_in(LOOK);
		int r;

		pthread_cond_timedwait(&it->done, &e->lock, &until);
		if (it->state == ERRAND_DONE)
			break;
		pthread_mutex_unlock(&e->lock);
		r = try_over(t);
		pthread_mutex_lock(&e->lock);
		if (it->state == ERRAND_DONE)
			break;
		if (r == 0 && t->stall && clock_monotonic() - since > t->stall)
			r = -ETIMEDOUT;
		if (r < 0)
			return r;
	}
	return 0;
}

int errand_run(struct errands *e, const struct tier_try *t, int (*fn)(void *arg), void (*drop)(void *arg), void *arg,
	       bool *lost)
{
	struct errand *it = calloc(1, sizeof(*it));
	int r;

	*lost = false;
	if (!it)
		return -ENOMEM;
	*it = (struct errand){.fn = fn, .drop = drop, .arg = arg};
	cond_init(&it->done);
	pthread_mutex_lock(&e->lock);
	enqueue_locked(e, it);
	r = have_thread_locked(e) ? 0 : -EAGAIN;
	if (r == 0)
		r = wait_locked(e, it, t);
	if (r == 0) {
		r = it->result;
	} else if (it->state == ERRAND_QUEUED) {
		unqueue_locked(e, it);
	} else {
		it->state = ERRAND_LOST;
		*lost = true;
	}
	pthread_mutex_unlock(&e->lock);
	if (!*lost) {
		pthread_cond_destroy(&it->done);
		free(it);
	}
	return r;
}

void errand_post(struct errands *e, void (*drop)(void *arg), void *arg)
{
	struct errand *it = calloc(1, sizeof(*it));
	bool queued = it != NULL;

	if (it) {
		*it = (struct errand){.drop = drop, .arg = arg, .state = ERRAND_LOST};
		cond_init(&it->done);
		pthread_mutex_lock(&e->lock);
		enqueue_locked(e, it);
		queued = have_thread_locked(e);
		if (!queued)
			unqueue_locked(e, it);
		pthread_mutex_unlock(&e->lock);
	}
	if (!queued) {
		drop(arg);
		free(it);
	}
}
