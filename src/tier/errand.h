/*
 * Errands: what may hang in the kernel, on a disk that is far away, is done by a thread of its own, and who waits for
 * it can give up. The thread cannot: it keeps what it works on until the kernel lets it go.
 */
#ifndef TARN_TIER_ERRAND_H
#define TARN_TIER_ERRAND_H

#include "tier/tier_ops.h"

struct errands;

/* At most THREADS at once; they come when they are needed, and go when there is nothing to do. NULL: no memory. */
struct errands *errands_new(int threads);
/* Waits for nothing: threads that hang end when they can. No errand may be begun any more. */
void errands_free(struct errands *e);

/*
 * FN(ARG) in another thread. Its value, and *LOST is false; or -ETIMEDOUT or -ECANCELED when T was over first, or
 * nothing came for T->stall. Then *LOST says whether the thread has ARG for good: it calls DROP(ARG) at its end. Where
 * it had not begun ARG stays the caller's.
 */
int errand_run(struct errands *e, const struct tier_try *t, int (*fn)(void *arg), void (*drop)(void *arg), void *arg,
	       bool *lost);
/* DROP(ARG) in another thread, some time; nobody waits for it. */
void errand_post(struct errands *e, void (*drop)(void *arg), void *arg);

#endif
