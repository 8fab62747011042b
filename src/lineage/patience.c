#include "lineage/patience.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* Freed by who is the last to look at it: its thread, or who waits for it. */
struct asked {
	void (*fn)(void *arg);
	void *arg;
	bool done, left; /* protected by the lock */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER; /* one was done */
static int running;					/* protected by lock */

static void *ask(void *arg)
{
	struct asked *a = arg;

	a->fn(a->arg);
	free(a->arg);
	SCOPED_LOCK(&lock);
	a->done = true;
	if (a->left)
		free(a);
	running--;
	pthread_cond_broadcast(&ended);
	return NULL;
}

static bool begin(struct asked *a)
{
	pthread_attr_t attributes;
	pthread_t thread;
	bool begun;
	SCOPED_LOCK(&lock);

	if (running >= PATIENCE_MOST || pthread_attr_init(&attributes))
		return false;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	begun = !pthread_create(&thread, &attributes, ask, a);
	pthread_attr_destroy(&attributes);
	running += begun;
	return begun;
}

static void wait_for(struct asked *a)
{
	const struct timespec until = clock_deadline(PATIENCE_NS);
	SCOPED_LOCK(&lock);

	while (!a->done && !pthread_cond_timedwait(&ended, &lock, &until))
		;
	if (a->done)
		free(a);
	else
		a->left = true;
}

void patience_do(void (*fn)(void *arg), void *arg)
{
	struct asked *a = malloc(sizeof(*a));

	if (a)
		*a = (struct asked){.fn = fn, .arg = arg};
	if (a && begin(a)) {
		wait_for(a);
		return;
	}
	free(a);
	free(arg);
}

void patience_end(void)
{
	SCOPED_LOCK(&lock);

	while (running)
		pthread_cond_wait(&ended, &lock);
}
