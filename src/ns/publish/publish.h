/*
 * Publishing: what lies in a staging folder takes its place in a target folder, many files in one commit or not at all.
 *
 * Names that the target does not have come to it, whole folders with all that is below them. A file takes the place of
 * the file of its name, whose content becomes history, as with a rename over it; folders that both have are gone
 * through. What only the target has stays, or goes with PUBLISH_REPLACE. Staging is left with the folders that are
 * empty now.
 *
 * All rows are one record: in history the target is as it was in the commit before, and as it is to be in this one. The
 * disk takes some milliseconds for many names, and live readers who look names up just then meet each file whole, old
 * or new, but can meet both kinds; other changes to names wait meanwhile. Who must not meet both reads
 * TARGET@v/commit-N.
 *
 * How it is done, under the tree lock for writing, with every file that moves frozen:
 *
 *	1. the intent to do it is durable: for each name where it is, where it goes, and which files are there
 *	2. each file goes where it belongs; over another one by exchanging them
 *	3. old content goes from staging into versions/, where history wants it
 *	4. the record, which also takes the intent away or replaces it by what is left to be cleaned up; durable
 *	5. what nobody wants any more is removed
 *
 * Each step up to 3 can be undone. After a crash the next mount finds the intent and undoes (before 4) or cleans up
 * (after it): ns_publish_recover(). Something failing on the way is undone at once.
 */
#ifndef TARN_NS_PUBLISH_PUBLISH_H
#define TARN_NS_PUBLISH_PUBLISH_H

#include "content/run.h"

#define PUBLISH_REPLACE 1u /* what only the target has goes */

struct published {
	uint64_t commit; /* 0: there was nothing to publish */
	uint64_t added, replaced, removed;
};

/*
 * FROM, TO: paths below buckets/. TO may be missing in a folder that is there: then FROM takes that name. ACTOR's
 * rights are asked, as rename(2) and unlink(2) would. 0, or -errno with a line for the user in ERROR: -EBUSY: something
 * is still being written there; -EAGAIN: others change these names all the time. Any thread that serves no request.
 */
int ns_publish(struct lake *lake, const char *from, const char *to, unsigned flags, const struct actor *actor,
	       struct published *out, struct buf *error);

/* Before anything else looks at a lake that was opened: ends what a crash left. 0 or -errno. */
int ns_publish_recover(struct lake *lake);

#endif
