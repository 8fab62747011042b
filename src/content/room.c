#include "content/room.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* A file that is opened while there is more than so much free is written without coming by here. */
#define NEAR_TIMES 3
#define NEAR_MOST (UINT64_C(4) << 30)
#define LOOK_NS (20 * NSEC_PER_MSEC) /* so often a waiter asks the disk */

struct room {
	_Atomic uint64_t wanted[LAKE_VOLUMES]; /* bytes that are to be free; 0: nobody waits */
	_Atomic unsigned waiters;
	atomic_uint_fast64_t waits, ns;
};

int room_new(struct room **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void room_free(struct room *r)
{
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

bool room_is_near(struct lake *lake, const struct volume *volume)
{
	uint64_t wanted = atomic_load_explicit(&lake->room->wanted[volume->index], memory_order_relaxed), near;
	struct statvfs fs;

	if (!wanted || fstatvfs(volume->mountfd, &fs) < 0)
		return false;
	near = (uint64_t)fs.f_blocks * fs.f_frsize / 2;
	if (near > NEAR_MOST)
		near = NEAR_MOST;
	if (near < NEAR_TIMES * wanted)
		near = NEAR_TIMES * wanted;
	return (uint64_t)fs.f_bavail * fs.f_frsize < near;
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

void room_counts(struct lake *lake, uint64_t *waits, uint64_t *ns)
{
	*waits = atomic_load(&lake->room->waits);
	*ns = atomic_load(&lake->room->ns);
}
