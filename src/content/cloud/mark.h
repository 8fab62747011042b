/*
 * The mark at a remote: which lake uses it. Two lakes under one prefix would overwrite and remove each other's objects,
 * and the id of a lake does not tell them apart: a copy of a whole lake, or one that was restored, has the same.
 *
 *	<prefix>/.tarn/lake	lines: "tarn mark 1", "lake <id>", "use <32 hex>", "host <name>", "since <time>"
 *	catalog/remotes		lines: <32 hex: hash of the remote's URL> <use> <next, or ->
 *
 * Each time when a lake begins to use the remote it writes another `use` there, and remembers it: so only who wrote the
 * last one knows it. Of two copies of a lake the one that is used first goes on; to the other its mark is a stranger's.
 * `next` is written before the mark is: a crash in between leaves one of both.
 *
 * A server without If-None-Match lets two begin in the same moment: the one that wrote first sees that when it looks
 * again.
 *
 * Errors: -EBUSY: it is another lake's, and WHO (may be NULL) says whose: "lake <id> of <host>, since <time>". Else
 * those of the tier and of the disk. Threads: one at a time for a lake; the caller sees to that.
 */
#ifndef TARN_CONTENT_CLOUD_MARK_H
#define TARN_CONTENT_CLOUD_MARK_H

#include <stdint.h>

#include "base/buf.h"
#include "tier/tier.h"

#define MARK_USE 33 /* hex digits and a NUL */

struct mark_of {
	int lakefd; /* the lake's folder */
	uint64_t lake;
	struct tier *tier;
	const struct tier_call *call;
};

/* Begins to use the remote. 0: USE is what the mark says now. */
int mark_begin(const struct mark_of *m, char use[MARK_USE], struct buf *who);
/* The same, whosever it was: WHO says that, and is empty when it was nobody's. */
int mark_take(const struct mark_of *m, char use[MARK_USE], struct buf *who);
/* Does the mark still say USE? -ENOENT: there is none any more. */
int mark_check(const struct mark_of *m, const char *use, struct buf *who);
/* May the lake use it, without beginning? 0; -ENOENT: nobody does. */
int mark_look(const struct mark_of *m, struct buf *who);

#endif
