/*
 * What history may go now, and letting it go. First a plan, which can be shown (`tarn gc --dry-run`); carrying it out
 * looks at each version again. Any thread.
 */
#ifndef TARN_WORK_GC_H
#define TARN_WORK_GC_H

#include "content/lake.h"

struct gc_reason {
	char text[48]; /* as it will stand in history.jsonl */
	uint64_t versions, bytes;
};

struct gc_item {
	uint64_t version, bytes;
	unsigned reason; /* in the plan's list */
};

struct gc_plan {
	struct gc_item *items;
	size_t n, room;
	struct gc_reason *reasons;
	unsigned nreasons;
	uint64_t bytes;
};

/*
 * What is beyond its retention, then what the history budget does not hold any more: the oldest first, labelled ones
 * last. STOP (may be NULL) ends it early. 0, -ECANCELED or -errno; the plan is to be released in any case.
 */
int gc_plan(struct lake *lake, const _Atomic bool *stop, struct gc_plan *plan);
/* *VERSIONS, *BYTES: how much of it went. 0, -ECANCELED or -errno. */
int gc_carry_out(struct lake *lake, const struct gc_plan *plan, const _Atomic bool *stop, uint64_t *versions,
		 uint64_t *bytes);
void gc_plan_release(struct gc_plan *plan);

/* Bytes that keeping old versions may occupy. */
int gc_budget(struct lake *lake, uint64_t *budget);

#endif
