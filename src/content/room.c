#include "content/room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* A file that is opened while there is more than so much free is written without coming by here: whoever writes it
 * needs some seconds until the disk is full, in which the keeper sees that. */
#define NEAR_TIMES 3
#define NEAR_MOST (UINT64_C(4) << 30)
#define VAIN_NS (60 * NSEC_PER_SEC)
#define COMING_NS (5 * NSEC_PER_SEC) /* what went is given back by then, also where a job had it open */
#define LOOK_NS (20 * NSEC_PER_MSEC) /* so often a waiter asks the disk */
#define AGAIN_LOOKS 50		     /* after so many it asks the keeper again */

struct room {
	_Atomic uint64_t wanted[LAKE_VOLUMES]; /* bytes that are to be free; 0: nobody waits */
	_Atomic unsigned waiters;
	atomic_uint_fast64_t waits, ns;

	pthread_mutex_t lock; /* a leaf, of what follows */
	pthread_cond_t wake, made;
	uint64_t asked[LAKE_VOLUMES];
	uint64_t begun, done; /* times that room was made */
	bool woken;
	struct {
		uint64_t bytes; /* of history that is needed */
		int64_t until;	/* monotonic; 0: it may not be */
		int64_t went;	/* monotonic: when something went last */
	} vain[LAKE_VOLUMES];
};

int room_new(struct room **out)
{
	struct room *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;

	if (!r)
		return -ENOMEM;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &attr);
	pthread_cond_init(&r->made, &attr);
	pthread_condattr_destroy(&attr);
	*out = r;
	return 0;
}

void room_free(struct room *r)
{
	if (!r)
		return;
	pthread_cond_destroy(&r->wake);
	pthread_cond_destroy(&r->made);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static bool is_enough(const struct volume *v, uint64_t wanted, uint64_t length)
{
	struct statvfs fs;

	return fstatvfs(v->mountfd, &fs) < 0 || (uint64_t)fs.f_bavail * fs.f_frsize >= wanted + length;
}

static void wait_for(struct room *r, const struct volume *v, uint64_t length)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	int64_t begun = clock_monotonic();
	uint64_t wanted;

	do {
		wanted = atomic_load(&r->wanted[v->index]);
		if (!wanted || is_enough(v, wanted, length))
			break;
		nanosleep(&pause, NULL);
	} while (clock_monotonic() - begun < ROOM_WAIT_NS);
	atomic_fetch_add(&r->waits, 1);
	atomic_fetch_add(&r->ns, (uint64_t)(clock_monotonic() - begun));
}

/* Bytes of history, on whatever volume. */
static uint64_t history(struct lake *lake)
{
	struct store_totals totals;

	return store_totals(lake->store, &totals) ? 0 : totals.stored_bytes;
}

bool room_is_near(struct lake *lake, const struct volume *volume)
{
	uint64_t wanted = atomic_load_explicit(&lake->room->wanted[volume->index], memory_order_relaxed);
	uint64_t near = NEAR_MOST > NEAR_TIMES * wanted ? NEAR_MOST : NEAR_TIMES * wanted, half, free_bytes;
	struct statvfs fs;

	if (fstatvfs(volume->mountfd, &fs) < 0)
		return false;
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	half = (uint64_t)fs.f_blocks * fs.f_frsize / 2;
	if (free_bytes >= near)
		return false;
	return (wanted && (free_bytes < half || free_bytes < NEAR_TIMES * wanted)) || history(lake) > 0;
}

void room_wait(struct lake *lake, const struct volume *volume, uint64_t length)
{
	struct room *r = lake->room;

	if (!atomic_load_explicit(&r->wanted[volume->index], memory_order_relaxed))
		return;
	if (is_enough(volume, atomic_load(&r->wanted[volume->index]), length))
		return;
	if (atomic_fetch_add(&r->waiters, 1) < ROOM_WAITERS)
		wait_for(r, volume, length);
	atomic_fetch_sub(&r->waiters, 1);
}

void room_tell(struct lake *lake, const struct volume *volume, uint64_t free_bytes)
{
	atomic_store(&lake->room->wanted[volume->index], free_bytes);
}

/* ---- history gives way ---- */

static bool is_vain(struct lake *lake, int volume)
{
	struct room *r = lake->room;
	uint64_t bytes;

	if (!store_barrier(lake->store, 0)) /* what was removed just now is history, too */
		bytes = history(lake);
	else
		bytes = 0;
	SCOPED_LOCK(&r->lock);
	return clock_monotonic() < r->vain[volume].until && bytes <= r->vain[volume].bytes;
}

void room_was_vain(struct lake *lake, const struct volume *volume, bool vain)
{
	struct room *r = lake->room;
	uint64_t bytes = history(lake);
	int64_t now = clock_monotonic();
	SCOPED_LOCK(&r->lock);

	if (!vain)
		r->vain[volume->index].went = now;
	r->vain[volume->index].bytes = bytes;
	r->vain[volume->index].until = vain && now - r->vain[volume->index].went >= COMING_NS ? now + VAIN_NS : 0;
}

static struct timespec time_after(int64_t ns)
{
	int64_t end = clock_monotonic() + ns;

	return (struct timespec){end / NSEC_PER_SEC, end % NSEC_PER_SEC};
}

static void ask(struct room *r, int volume, uint64_t length)
{
	struct timespec until = time_after(ROOM_WAIT_NS);
	int64_t since = clock_monotonic();
	SCOPED_LOCK(&r->lock);
	uint64_t enough = r->begun + 1; /* what has begun already may have looked before */

	r->asked[volume] += length;
	pthread_cond_signal(&r->wake);
	while (r->done < enough && pthread_cond_timedwait(&r->made, &r->lock, &until) != ETIMEDOUT)
		;
	atomic_fetch_add(&r->waits, 1);
	atomic_fetch_add(&r->ns, (uint64_t)(clock_monotonic() - since));
}

/* What went may still be open in a job, or be given back by the disk only in a moment. */
static bool comes_soon(const struct volume *volume, uint64_t length)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};

	for (int i = 0; i < AGAIN_LOOKS; i++) {
		if (is_enough(volume, 0, length))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

bool room_make(struct lake *lake, const struct volume *volume, uint64_t length)
{
	int64_t until = clock_monotonic() + ROOM_WAIT_NS;
	struct room *r = lake->room;
	bool there = false;

	if (lake->read_only || is_vain(lake, volume->index))
		return false;
	if (atomic_fetch_add(&r->waiters, 1) < ROOM_WAITERS) {
		do {
			ask(r, volume->index, length);
			there = is_enough(volume, 0, length);
			if (there || is_vain(lake, volume->index))
				break;
			there = comes_soon(volume, length);
		} while (!there && clock_monotonic() < until);
	}
	atomic_fetch_sub(&r->waiters, 1);
	return there;
}

void room_sleep(struct room *r, int64_t ns)
{
	struct timespec until = time_after(ns);
	SCOPED_LOCK(&r->lock);
	bool asked = false;

	for (;;) {
		for (int i = 0; i < LAKE_VOLUMES; i++)
			asked |= r->asked[i] > 0;
		if (asked || r->woken || pthread_cond_timedwait(&r->wake, &r->lock, &until) == ETIMEDOUT)
			break;
	}
	r->woken = false;
}

void room_wake(struct room *r)
{
	SCOPED_LOCK(&r->lock);

	r->woken = true;
	pthread_cond_signal(&r->wake);
}

void room_asked(struct room *r, uint64_t bytes[])
{
	SCOPED_LOCK(&r->lock);

	memcpy(bytes, r->asked, sizeof(r->asked));
	memset(r->asked, 0, sizeof(r->asked));
	r->begun++;
}

void room_made(struct room *r)
{
	SCOPED_LOCK(&r->lock);

	r->done = r->begun;
	pthread_cond_broadcast(&r->made);
}

void room_counts(struct lake *lake, uint64_t *waits, uint64_t *ns)
{
	*waits = atomic_load(&lake->room->waits);
	*ns = atomic_load(&lake->room->ns);
}
