/*
 * The keeper: small things that have to be done again and again. It runs at normal priority, for it holds the lock of
 * the inode table while it counts, and does nothing long but expire history, which makes room for those who write.
 */
#include <malloc.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/room.h"
#include "work/work_int.h"

#define TICK_NS NSEC_PER_SEC
#define FLUSH_NS (4 * NSEC_PER_SEC) /* with a tick's delay: opens are in the store within five seconds */
#define RECORD_NODES 1000	    /* in one record: others wait for its commit */
#define TRIM_INODES 20000	    /* so many gone from memory: some 15 MB */

/* ---- counts of opens ---- */

struct opens {
	struct lake *lake;
	struct record *record;
	unsigned n;
};

static void submit_opens(struct opens *o)
{
	int rc = o->record ? store_submit(o->lake->store, steal_ptr(&o->record), NULL) : 0;

	if (rc < 0)
		log_warning("opens of %u files were not counted: out of memory", o->n);
	o->n = 0;
}

static void take_opens(void *arg, struct inode *inode)
{
	struct opens *o = arg;
	uint64_t count;

	if (!o->record)
		o->record = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	if (!o->record)
		return; /* they stay where they are, for the next time */
	pthread_mutex_lock(&inode->lock);
	count = inode->opens;
	inode->opens = 0;
	pthread_mutex_unlock(&inode->lock);
	if (!count)
		return;
	record_opens(o->record, inode->id, count);
	if (++o->n == RECORD_NODES)
		submit_opens(o);
}

static void flush_opens(struct lake *lake)
{
	struct opens o = {.lake = lake};

	inode_each(lake, take_opens, &o);
	if (o.n)
		submit_opens(&o);
	record_free(o.record);
}

static uint64_t opens_so_far(struct lake *lake)
{
	struct lake_counters *c = &lake->counters;

	return atomic_load(&c->opens_passthrough) + atomic_load(&c->opens_direct) + atomic_load(&c->opens_cached);
}

/* ---- memory ---- */

/* What malloc keeps of inodes that the kernel forgot goes back to the system. */
static void trim(uint64_t now, uint64_t *most)
{
	if (now > *most)
		*most = now;
	if (*most - now < TRIM_INODES || now > *most / 2)
		return;
	malloc_trim(0);
	*most = now;
}

void *keeper_main(void *arg)
{
	struct work *w = arg;
	struct lake *lake = w->lake;
	uint64_t opens = 0, most = 0;
	int64_t flushed = clock_monotonic();

	do {
		inode_sweep(lake);
		trim(inode_count(lake), &most);
		space_check(w);
		remove_jobs(w);
		if (clock_monotonic() - flushed >= FLUSH_NS && opens_so_far(lake) != opens) {
			opens = opens_so_far(lake);
			flushed = clock_monotonic();
			flush_opens(lake);
		}
		room_sleep(lake->room, TICK_NS);
	} while (!work_stopping(w));
	flush_opens(lake);
	return NULL;
}
