#include "fuse/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define WAIT_NS (100 * NSEC_PER_MSEC)
#define FLUSH_NS (5 * NSEC_PER_SEC)

struct notice {
	UT_hash_handle hh;
	struct notice_key {
		uint64_t ino; /* or the parent of the entry */
		char name[256];
	} key;
	bool data;
};

struct notifier {
	struct fuse_session *se;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t added;
	pthread_cond_t sent;
	struct notice *queue; /* uthash keeps the order of addition */
	bool sending;	      /* one has left the queue, and is not with the kernel yet */
	uint64_t waited_for;  /* the inode whose data notice somebody waits for; 0: nobody */
	bool stopped;
};

static void send_notice(struct notifier *n, const struct notice *o)
{
	if (o->key.name[0])
		fuse_lowlevel_notify_inval_entry(n->se, o->key.ino, o->key.name, strlen(o->key.name));
	else
		fuse_lowlevel_notify_inval_inode(n->se, o->key.ino, o->data ? 0 : -1, 0);
}

static void *run(void *arg)
{
	struct notifier *n = arg;
	struct notice *o;

	pthread_mutex_lock(&n->lock);
	while (!n->stopped) {
		o = n->queue;
		if (!o) {
			pthread_cond_wait(&n->added, &n->lock);
			continue;
		}
		HASH_DEL(n->queue, o);
		n->sending = true;
		pthread_mutex_unlock(&n->lock);
		send_notice(n, o);
		pthread_mutex_lock(&n->lock);
		n->sending = false;
		if (!n->queue)
			pthread_cond_broadcast(&n->sent);
		if (o->data && o->key.ino == n->waited_for) {
			n->waited_for = 0;
			pthread_cond_broadcast(&n->sent);
		}
		free(o);
	}
	pthread_mutex_unlock(&n->lock);
	return NULL;
}

int notifier_start(struct fuse_session *se, struct notifier **out)
{
	struct notifier *n = calloc(1, sizeof(*n));
	int rc;

	if (!n)
		return -ENOMEM;
	n->se = se;
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->added, NULL);
	pthread_cond_init(&n->sent, NULL);
	rc = pthread_create(&n->thread, NULL, run, n);
	if (rc) {
		free(n);
		return -rc;
	}
	*out = n;
	return 0;
}

void notifier_stop(struct notifier *n)
{
	struct notice *o, *next;

	if (!n)
		return;
	pthread_mutex_lock(&n->lock);
	n->stopped = true;
	pthread_cond_signal(&n->added);
	pthread_mutex_unlock(&n->lock);
	pthread_join(n->thread, NULL);
	HASH_ITER (hh, n->queue, o, next) {
		HASH_DEL(n->queue, o);
		free(o);
	}
	pthread_mutex_destroy(&n->lock);
	pthread_cond_destroy(&n->added);
	pthread_cond_destroy(&n->sent);
	free(n);
}

/* What is queued already is not queued again. */
static void queue_notice(struct notifier *n, uint64_t ino, const char *name, bool data)
{
	struct notice *o = calloc(1, sizeof(*o)), *known;

	if (!o)
		return;
	o->key.ino = ino;
	o->data = data;
	snprintf(o->key.name, sizeof(o->key.name), "%s", name);
	SCOPED_LOCK(&n->lock);
	HASH_FIND(hh, n->queue, &o->key, sizeof(o->key), known);
	if (known) {
		known->data |= data;
		free(o);
		return;
	}
	HASH_ADD(hh, n->queue, key, sizeof(o->key), o);
	pthread_cond_signal(&n->added);
}

void notify_inode(struct notifier *n, uint64_t ino, bool data)
{
	queue_notice(n, ino, "", data);
}

static void wait_sent(struct notifier *n, struct timespec until)
{
	SCOPED_LOCK(&n->lock);

	while ((n->queue || n->sending) && !n->stopped)
		if (pthread_cond_timedwait(&n->sent, &n->lock, &until))
			return;
}

void notify_wait(struct notifier *n)
{
	wait_sent(n, clock_deadline(WAIT_NS));
}

/*
 * Writing back needs request threads, so not all of them may wait for it: one does, and that not for long.
 */
void notify_write_back(struct notifier *n, uint64_t ino)
{
	struct timespec until = clock_deadline(WAIT_NS);
	bool mine;

	pthread_mutex_lock(&n->lock);
	mine = !n->waited_for;
	if (mine)
		n->waited_for = ino;
	pthread_mutex_unlock(&n->lock);
	queue_notice(n, ino, "", true);
	SCOPED_LOCK(&n->lock);
	while (mine && n->waited_for && !n->stopped)
		if (pthread_cond_timedwait(&n->sent, &n->lock, &until))
			n->waited_for = 0;
}

void notify_entry(struct notifier *n, uint64_t parent, const char *name)
{
	queue_notice(n, parent, name, false);
}

void notify_flush(struct notifier *n)
{
	wait_sent(n, clock_deadline(FLUSH_NS));
}
