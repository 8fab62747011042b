/* Who opens a file waits for releases that are on their way; and what was closed is cut before it is changed. */
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content/appends.h"
#include "content/handle_int.h"
#include "content/lease.h"
#include "content/settle.h"

/*
 * RELEASE is sent after close() returned, so an open that follows may be served first. FLUSH came before close()
 * returned, though: of a handle that had none somebody has a descriptor, and nobody waits for it. One that had one is
 * released in a moment, unless a duplicate or a mapping lives on; what was waited for in vain is not waited for again.
 * How long that takes depends on the load, so no version depends on it: what was closed is cut all the same
 * (inode_settle_closed()) before it is changed.
 */
#define RELEASE_WAIT_NS (250 * NSEC_PER_MSEC)
#define RELEASE_TRIES 40		    /* so often, when it is known to come */
#define OTHERS_WAIT_NS (10 * NSEC_PER_MSEC) /* where little depends on it */
#define ALL_WAIT_NS (500 * NSEC_PER_MSEC)   /* for many files together */

static int64_t others_wait(const struct inode *inode, bool writes)
{
	if (inode->writers)
		return writes ? RELEASE_WAIT_NS : OTHERS_WAIT_NS;
	/* the kernel gives up a backing file a little later */
	return inode->settling ? 3 * OTHERS_WAIT_NS : OTHERS_WAIT_NS;
}

/* Is what was written about to be cut? STAY: how many that were closed are known to stay. */
static bool is_ending_locked(const struct inode *inode, unsigned stay)
{
	if (!inode->dirty)
		return false;
	if (inode->writers)
		return !inode->settling && inode->closed_writers > stay;
	return inode->met_at != inode->writer_releases + 1;
}

/*
 * Another run wrote, and may have closed: what it wrote is cut before ACTOR reads or adds to it. The lock is held, and
 * given up meanwhile. True when it was closed and nobody writes, but the release does not come, or did and who brought
 * it has not cut it yet.
 */
static bool wait_for_others_locked(struct inode *inode, bool writes)
{
	unsigned *stay = writes ? &inode->stay.writer : &inode->stay.reader;
	struct timespec until = clock_deadline(others_wait(inode, writes));
	unsigned changes = inode->changes;

	while (is_ending_locked(inode, *stay)) {
		if (pthread_cond_timedwait(&inode->changed, &inode->lock, &until) != ETIMEDOUT)
			continue;
		if (inode->writers) {
			*stay = inode->closed_writers;
			return inode->changes == changes;
		}
		inode->met_at = inode->writer_releases + 1;
	}
	return !inode->writers;
}

/* Where the same run goes on to write, that is not waited for: only what it appends to its appends belongs together. */
void handle_meet_writers(struct lake *lake, const struct handle *h, bool in_place, bool appends,
			 const struct actor *actor)
{
	struct inode *inode = h->inode;
	bool closed;

	pthread_mutex_lock(&inode->lock);
	if (!inode->dirty || in_place)
		closed = in_place;
	else if (inode->writer_run != actor->run)
		closed = wait_for_others_locked(inode, h->writer);
	else
		closed = !appends || !appends_are_of_locked(inode, actor->run);
	pthread_mutex_unlock(&inode->lock);
	if (h->writer && closed)
		inode_settle_closed(lake, inode, in_place);
}

static bool gets_quiet_locked(const struct inode *inode)
{
	bool moves = inode->frozen || inode->state == INODE_CHANGING;

	if (inode->settling || inode->waited_at == inode->releases + 1)
		return false;
	return moves || (inode->writers ? inode->closed_writers > inode->stay.writer : inode->dirty);
}

void inode_wait_quiet(struct inode *inode)
{
	struct timespec until = clock_deadline(RELEASE_WAIT_NS);
	SCOPED_LOCK(&inode->lock);

	while (gets_quiet_locked(inode))
		if (pthread_cond_timedwait(&inode->changed, &inode->lock, &until) == ETIMEDOUT) {
			inode->waited_at = inode->releases + 1;
			break;
		}
}

static bool is_below(struct lake *lake, struct inode *inode, const struct inode *folder)
{
	char name[NAME_BYTES + 1];
	struct inode *at = inode_parent(lake, inode, name);

	while (at && at != folder) {
		struct inode *parent = inode_parent(lake, at, name);

		inode_unref(lake, at);
		at = parent;
	}
	inode_unref(lake, at);
	return at;
}

struct quiet {
	struct lake *lake;
	const struct inode *folder;
	int64_t until; /* monotonic */
};

static void wait_quiet(void *arg, struct inode *inode)
{
	const struct quiet *q = arg;
	bool waits = false;

	if (inode->kind == KIND_FILE) {
		SCOPED_LOCK(&inode->lock);
		waits = gets_quiet_locked(inode);
	}
	if (waits && clock_monotonic() < q->until && (!q->folder || is_below(q->lake, inode, q->folder)))
		inode_wait_quiet(inode);
}

void inodes_wait_quiet(struct lake *lake, const struct inode *folder)
{
	struct quiet q = {lake, folder, clock_monotonic() + ALL_WAIT_NS};

	inode_each(lake, wait_quiet, &q);
}

/* It was waited for in vain: is it worth waiting again? The lock is held, and given up meanwhile. */
static bool wait_again_locked(struct lake *lake, struct inode *inode, int *tries, struct timespec *until)
{
	bool again;

	if (--*tries < 0)
		return false;
	pthread_mutex_unlock(&inode->lock);
	again = lake->passthrough && lease_alone(lake, inode); /* then releases are on their way, however late */
	*until = clock_deadline(RELEASE_WAIT_NS);
	pthread_mutex_lock(&inode->lock);
	return again || !inode->handles;
}

bool handle_become_alone(struct lake *lake, struct inode *inode)
{
	struct timespec until = clock_deadline(RELEASE_WAIT_NS);
	int tries = RELEASE_TRIES;
	SCOPED_LOCK(&inode->lock);

	inode->wanted = true;
	while (inode->state == INODE_CHANGING || inode->frozen || inode->holders || inode->changing || inode->handles) {
		if (inode->state == INODE_CHANGING || inode->frozen || inode->holders || inode->changing) {
			pthread_cond_wait(&inode->changed, &inode->lock);
			continue;
		}
		if (inode->closed < inode->handles || inode->closed <= inode->stay.alone)
			break; /* somebody has it open, and stays */
		if (pthread_cond_timedwait(&inode->changed, &inode->lock, &until) == ETIMEDOUT && inode->handles &&
		    !wait_again_locked(lake, inode, &tries, &until)) {
			inode->stay.alone = inode->closed;
			break;
		}
	}
	inode->wanted = false;
	if (inode->handles || inode->holders)
		return false;
	inode->state = INODE_CHANGING;
	return true;
}
