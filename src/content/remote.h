/*
 * The remote of a lake, as its settings name it (tier/tier.h), and what the background work on it does, for those who
 * show it. Opening asks no network: a remote that cannot be reached is found out by who uses it.
 */
#ifndef TARN_CONTENT_REMOTE_H
#define TARN_CONTENT_REMOTE_H

#include "content/lake.h"
#include "tier/tier.h"

/* With a reference, for tier_unref(); NULL: none is configured, or what is configured cannot be used. */
struct tier *lake_tier(struct lake *lake);
static inline void tier_unrefp(struct tier **t)
{
	if (*t)
		tier_unref(*t);
}
#define _cleanup_tier_ __attribute__((cleanup(tier_unrefp)))

/* By the newest settings, when the lake is opened and when they are read again. What is wrong is logged. */
void remote_open(struct lake *lake);
void remote_close(struct lake *lake);

/* Is BUCKET (may be NULL), a file of which is just cut, one that goes to the cloud without waiting? */
bool remote_wants_at_once(struct lake *lake, struct bucket *bucket);

#endif
