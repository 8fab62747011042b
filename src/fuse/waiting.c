#include "fuse/waiting.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/cleanup.h"

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t added;
	/* protected by lock */
	struct waiter *queue;
	pthread_t threads[WAITING_THREADS];
	unsigned nthreads, idle;
	_Atomic bool stop;
};

struct waiter {
	fuse_req_t req;
	struct wait what;
	struct waiting *of;
	_Atomic bool interrupted;
	struct waiter *prev, *next;
};

static void interrupt(fuse_req_t req, void *data)
{
	(void)req;
	((struct waiter *)data)->interrupted = true;
}

static bool is_over(void *arg)
{
	struct waiter *w = arg;

	return w->interrupted || w->of->stop;
}

static void serve(struct waiter *w)
{
	struct tier_call call = {.stop = is_over, .arg = w};
	int rc;

	fuse_req_interrupt_func(w->req, interrupt, w);
	rc = is_over(w) ? -ECANCELED : w->what.wait(w->what.arg, &call);
	fuse_req_interrupt_func(w->req, NULL, NULL); /* after that W may go */
	w->what.reply(w->req, w->what.arg, rc == -ECANCELED ? -EINTR : rc);
	free(w);
}

static struct waiter *next(struct waiting *w)
{
	SCOPED_LOCK(&w->lock);
	struct waiter *first;

	while (!w->queue && !w->stop) {
		w->idle++;
		pthread_cond_wait(&w->added, &w->lock);
		w->idle--;
	}
	first = w->queue;
	if (first)
		DL_DELETE(w->queue, first);
	return first;
}

static void *run(void *arg)
{
	struct waiter *w;

	while ((w = next(arg)))
		serve(w);
	return NULL;
}

int waiting_new(struct waiting **out)
{
	struct waiting *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->added, NULL);
	*out = w;
	return 0;
}

void waiting_free(struct waiting *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->added);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->nthreads; i++)
		pthread_join(w->threads[i], NULL);
	pthread_cond_destroy(&w->added);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* True when a thread will take it. */
static bool enqueue(struct waiting *w, struct waiter *one)
{
	SCOPED_LOCK(&w->lock);
	unsigned queued;
	struct waiter *other;

	DL_COUNT(w->queue, other, queued);
	if (queued >= w->idle && w->nthreads < WAITING_THREADS &&
	    !pthread_create(&w->threads[w->nthreads], NULL, run, w))
		w->nthreads++;
	if (!w->nthreads)
		return false;
	DL_APPEND(w->queue, one);
	pthread_cond_signal(&w->added);
	return true;
}

void waiting_add(struct waiting *w, fuse_req_t req, const struct wait *what)
{
	struct waiter *one = calloc(1, sizeof(*one));

	if (one)
		*one = (struct waiter){.req = req, .what = *what, .of = w};
	if (one && enqueue(w, one))
		return;
	free(one);
	what->reply(req, what->arg, -ENOMEM);
}
