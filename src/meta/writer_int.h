/*
 * The writer's insides: what its thread (writer.c) and the database side of a group (group.c) share.
 */
#ifndef TARN_META_WRITER_INT_H
#define TARN_META_WRITER_INT_H

#include <pthread.h>

#include "meta/apply/apply.h"
#include "meta/reserve.h"
#include "meta/tally.h"
#include "meta/wal.h"
#include "meta/writer.h"

struct journal;

#define NUMBERS_RESERVED 65536 /* at a time */

struct counter {
	_Atomic uint64_t next;
	_Atomic uint64_t limit; /* numbers below are reserved */
};

struct writer {
	struct conn *conn; /* the writer thread's */
	struct wal wal;
	struct reserve reserve; /* the writer thread's, too */
	pthread_t thread;
	void (*on_jobs)(void *arg);
	void *on_jobs_arg;
	struct counter counters[COUNTERS];
	struct journal *_Atomic journal; /* NULL until changes are kept for the first time */
	_Atomic uint64_t visible, durable;

	pthread_mutex_t lock;
	pthread_cond_t work; /* for the writer */
	pthread_cond_t done; /* for those who wait for it */
	/* protected by lock */
	struct record *first, *last_record;
	size_t count, bytes;
	uint64_t last;
	int64_t last_time;
	uint64_t want_visible, want_durable;
	bool want_numbers, stop;
	bool want_empty; /* the WAL, by writer_empty_wal() */
	int emptied;	 /* how that ended: SQLite's code */
	bool asleep;	 /* in a wait for the first record or the end of the linger */
	int error;	 /* of the group that is tried again; 0 */

	/* the writer thread's own */
	struct apply apply;
	struct tally tally, saved;
	bool full;	   /* synchronous = FULL is set */
	size_t most_bytes; /* that the queue had since memory was last given back; protected by lock */
	/* for tests; protected by lock */
	int fail_after, fail_count, fail_code;
};

/* One transaction. */
struct group {
	struct record *first;
	size_t count;
	uint64_t last;
	bool durable;		   /* somebody waits for that */
	uint64_t limits[COUNTERS]; /* new ones; 0: unchanged */
	bool clean;		   /* the last group of all */
	bool sync_failed;	   /* it is committed, but not durable */
};

/* Its thread is to look again whether there is anything to do; called with the lock held. */
void writer_wake(struct writer *w);

/* What the last writer left. */
int group_load(struct writer *w, bool *clean);
/* One durable commit: not clean from now on, and the first numbers are reserved. 0 or -errno. */
int group_begin(struct writer *w);
/* Commits G. SQLite's code; after an error the transaction may still be open. */
int group_write(struct writer *w, struct group *g);
/* Ends the transaction of a group that failed with RC, and says why. */
void group_roll_back(struct writer *w, int rc, char *message, size_t room);

#endif
