/*
 * Asking /proc about processes, but not for long.
 *
 * Who reads the /proc of a process that is just executing a program waits until it has (do_task_stat(), mm_access()
 * take its exec_update_lock); and on its way that process may close files of this mount, for which it needs an answer.
 * So a thread that serves requests could wait for one that waits for a thread that serves requests; tried: with enough
 * of them nobody is left, and ps(1) hangs, too. What asks about others than the caller itself, who is known to be in a
 * call of another kind, is done in a thread of its own, which is waited for PATIENCE_NS and then left to itself.
 */
#ifndef TARN_LINEAGE_PATIENCE_H
#define TARN_LINEAGE_PATIENCE_H

#include "base/clock.h"

#define PATIENCE_NS (NSEC_PER_SEC / 50)
#define PATIENCE_MOST 256 /* that are left to themselves at the same time; what is more is not done */

/* FN(ARG) is done, or will be; ARG is freed after it. No lock may be held that FN takes. Any thread. */
void patience_do(void (*fn)(void *arg), void *arg);
/* Returns when nothing is left that patience_do() began. */
void patience_end(void);

#endif
