/*
 * Who changes something: the caller and its run. A run is one execution of one program: (boot id, tgid, start time).
 * /proc is read once per run, not per operation; a cached answer is checked again after RUN_CHECK_NS, because process
 * ids are used again.
 */
#ifndef TARN_CONTENT_RUN_H
#define TARN_CONTENT_RUN_H

#include "base/caller.h"
#include "content/lake.h"

struct tier_call;

struct actor {
	struct caller caller;
	uint64_t run;
	const struct tier_call *call; /* what it may wait for a remote, and who may stop it; NULL: as in tier/tier.h */
};

/*
 * Never fails: RUN_UNKNOWN when the process is outside or gone. CHANGES: it is about to change something, so that the
 * store is told of it; of who only reads nothing is stored, least of all a command line. Any thread.
 */
uint64_t run_of(struct lake *lake, const struct caller *caller, bool changes);
/* What was found out of a thread before, without a look at /proc, and whether the store knows it; 0: nothing. */
uint64_t run_known(pid_t tid, bool *recorded);
/* CALLER, which is RUN, opens something: if it has executed a program since it was forked, the store is told which. */
void run_look_again(struct lake *lake, const struct caller *caller, uint64_t run);
/* Frees the cache, at the end. */
void run_forget_all(void);

#endif
