/*
 * Who opens stubs, and what that may cost. Nobody who only looks shall empty the cloud onto the disk:
 *
 *	- programs on the deny list (hybrid_storage.recall_deny: indexers, thumbnailers), and everybody on a mount with
 *	  stubs=fail or stubs=skip, get what is here, and -ENODATA for the rest
 *	- a run that opens many stubs one after the other reads everything (tar, rsync, grep -r): what it reads passes
 *	  through cache/ and does not come back to stay
 *	- so it is with what a program reads when a user's runs of it have opened stubs of more than
 *	  hybrid_storage.recall_budget_gb within an hour: nobody gets an error for that
 */
#ifndef TARN_CONTENT_RECALL_RECALL_CALLER_H
#define TARN_CONTENT_RECALL_RECALL_CALLER_H

#include "content/run.h"

#define CALLER_MANY 32 /* stubs opened within a minute by one that reads everything */

struct recall_callers;
int recall_callers_new(struct recall_callers **out);
void recall_callers_free(struct recall_callers *c);

/* May ACTOR, on the mount FRONT, have bytes that are not here? */
bool recall_is_allowed(struct lake *lake, const struct frontend *front, const struct actor *actor);
/* ACTOR opens a stub. Is it one of many? */
bool recall_is_one_of_many(struct lake *lake, const struct actor *actor);
/* ACTOR opens a stub of SIZE bytes to read it. Is that more than its budget? If not, it is counted. */
bool recall_is_over_budget(struct lake *lake, const struct actor *actor, uint64_t size);
/* It is one of many, and has opened INODE: what it will open next is fetched (content/recall/recall_walk.h). */
void recall_follow(struct lake *lake, const struct actor *actor, struct inode *inode);

#endif
