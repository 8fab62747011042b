/* Inside work/: what its threads share. */
#ifndef TARN_WORK_WORK_INT_H
#define TARN_WORK_WORK_INT_H

#include "content/reach.h"
#include "work/work.h"

#define WORK_THREADS 14

/* How fast a disk fills: what was seen of it last. */
struct space {
	uint64_t free_bytes;
	int64_t at;	/* monotonic; 0: not yet */
	uint64_t speed; /* bytes per second, the highest of late */
};

struct claims;
struct upload_pool;

struct work {
	struct lake *lake;
	struct claims *claims;		  /* work/cloud/cloud.h */
	struct upload_pool *uploads;	  /* work/cloud/cloud.h */
	_Atomic bool stopping;		  /* written under lock, so that no sleeper misses it */
	const _Atomic bool *ending;	  /* NULL, or what ends it as well; of one without threads (work/fsck/fsck.c) */
	uint64_t first_version;		  /* ids below were given out before this start */
	struct space space[LAKE_VOLUMES]; /* the keeper's */
	int64_t budget_again;		  /* the keeper's: when the budget is looked at again, monotonic */
	uint64_t damaged_pack;		  /* history_main()'s: this one and those before it cannot leave as packs */
	struct {
		uint64_t commit, version; /* looked at up to here, as store_kept_after() goes */
		int64_t again;		  /* monotonic: when it begins anew; or when this is another: */
		uint64_t packed_to;
	} loose;	   /* its, too: what leaves unpacked */
	int64_t made_room; /* the keeper's: when history last gave way to space, monotonic */

	pthread_mutex_t lock; /* a leaf: nothing is locked while it is held */
	pthread_cond_t stop;  /* stopping was set */
	pthread_cond_t jobs;  /* jobs were added, or stopping was set */
	bool jobs_added;      /* protected by lock */

	pthread_t threads[WORK_THREADS];
	int nthreads;
};

/* For what is done without the threads: nothing runs, and it ends with ENDING. To be released by work_bare_end(). */
void work_bare(struct work *w, struct lake *lake, const _Atomic bool *ending);
void work_bare_end(struct work *w);

static inline bool work_stopping(struct work *w)
{
	return atomic_load_explicit(&w->stopping, memory_order_relaxed) || (w->ending && atomic_load(w->ending));
}
bool work_is_stopping(void *arg); /* the same; ARG: struct work */
/* Sleeps so long, or until the end: then false. */
bool work_sleep(struct work *w, int64_t ns);
/* Sleeps until jobs are added after the last work_jobs_seen(), so long at most (-1: no limit), or until the end: then
 * false. */
bool work_sleep_for_jobs(struct work *w, int64_t ns);
void work_jobs_seen(struct work *w);

/* The threads. ARG: struct work. */
void *settle_main(void *arg);
void *sniff_main(void *arg);
void *scan_main(void *arg);
void *keeper_main(void *arg);
void *durable_main(void *arg);
void *gc_main(void *arg);
void *pack_main(void *arg);
void *backup_main(void *arg);
void *recall_main(void *arg);
void *burst_main(void *arg);
void *tend_main(void *arg);
void *history_main(void *arg);
/* Before there are threads: history that can leave is not to expire in their first second. */
void history_begin(struct work *w);

/*
 * Background threads are nice, so that they take what others leave. Not SCHED_IDLE, and no idle I/O priority: a request
 * may wait for them (a truncation for a hasher, a look-up for the scan), and something that never gets its turn on a
 * busy machine would hold it up for as long.
 */
void work_be_nice(int nice);

/* ---- history's space ---- */

/* FREE_BYTES are free NOW; the speed. */
uint64_t space_speed(struct space *s, uint64_t free_bytes, int64_t now);
/* So much must stay free on a disk of TOTAL bytes that fills at SPEED. */
uint64_t space_wanted(uint64_t total, uint64_t speed);

#define HISTORY_BUDGET "history budget"
#define EXPIRE_BATCH 128 /* few enough to be finished when the daemon ends */
/* A version on its way out. */
struct victim {
	struct version_row version;
	uint64_t bytes;
	const char *reason;
};
/* Records N of them durably as expired, then removes what kept them. 0 or -errno: then nothing was removed. */
int expire_batch(struct lake *lake, const struct victim *list, int n);

/* Has the cloud, which can be reached, the content of the old version V, so that no bytes of it are needed here?
 * (work/cloud/cloud_history.c) */
bool history_can_leave(struct work *w, const struct version_row *v);
/* Is the content of V only in the cloud, as an object or in a pack? */
bool history_is_away(struct lake *lake, const struct version_row *v);
/* Will it be, as far as can be told now? Where history leaves, what can be packed does, and what is whole. */
bool history_will_leave(struct lake *lake, const struct version_row *v);

/* V is over, durably so: its files go, and those of others of its node that are over, as far as nobody needs them. */
void expire_remove(struct lake *lake, const struct version_row *v);

#define ANY_VOLUME (-1)
/*
 * Lets go of kept versions, oldest first and labelled ones last, until BYTES are given up: recorded durably as expired
 * with REASON first, then removed. VOLUME: only there. DESPERATE: those that may leave for the cloud are not spared.
 * *FREED, *COUNT (added to): what went. 0, also when there was too little; -errno.
 */
int expire_history(struct work *w, int volume, bool desperate, uint64_t bytes, const char *reason, uint64_t *freed,
		   uint64_t *count);
/* Looks at budget and free space once; what is due goes. Sets lake->space_short. */
void space_check(struct work *w);

/* The bytes of versions that are over go, as far as jobs say so. */
void remove_jobs(struct work *w);
struct fsck;
/* versions/ and the store agree after this: what a crash in the middle of an expiry left. F (work/fsck/fsck_int.h;
 * NULL: at each start) is told of each, and says whether it is put right. */
void leftovers_sweep(struct work *w, struct fsck *f);
void pack_leftovers_sweep(struct work *w, struct fsck *f);

/* purge.c, purge_folder.c: a version is to go; nothing is left of it but its line; all below FOLDER is to go. */
struct purge;
int purge_add(struct purge *p, const struct version_row *v, uint64_t number);
bool purge_is_done(const struct version_row *v);
int purge_plan_folder(struct lake *lake, uint64_t folder, struct purge *out);

#endif
