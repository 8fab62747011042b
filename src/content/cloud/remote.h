/*
 * The remote of a lake, as its settings name it (tier/tier.h), and what the background work on it does, for those who
 * show it. Opening asks no network: a remote that cannot be reached is found out by who uses it.
 */
#ifndef TARN_CONTENT_CLOUD_REMOTE_H
#define TARN_CONTENT_CLOUD_REMOTE_H

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

/*
 * Whose is what lies there? Who writes or removes objects, or gives up local bytes because of an object, holds the
 * remote: no other lake uses its prefix, as seen less than half a minute ago. Reading needs no such thing.
 *
 * remote_hold(): asks the remote where that is needed. 0; -EBUSY: another lake's, which is logged once; -EHOSTUNREACH:
 * none is configured; as the tier. Threads: any.
 */
int remote_hold(struct lake *lake, const struct tier_call *call);
/* The same without asking: where it is not known, work/ finds it out soon. */
bool remote_is_held(struct lake *lake);
/* Is it known to be another lake's? WHO (may be NULL): whose, in words. */
bool remote_is_others(struct lake *lake, struct buf *who);
/* From now on it is this lake's; the other one will see that. WHO: whose it was, "": nobody's or this lake's. */
int remote_take(struct lake *lake, const struct tier_call *call, struct buf *who);

/* Is BUCKET (may be NULL), a file of which is just cut, one that goes to the cloud without waiting? */
bool remote_wants_at_once(struct lake *lake, struct bucket *bucket);

#endif
