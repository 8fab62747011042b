/*
 * After a crash: what lies in versions/ without a right row.
 *
 * Each move aside is: staged name NODE.VERSION → operation on the tree → record. A crash between the last two leaves a
 * file in versions/ that the store does not know as kept. Its handle tells which half happened:
 *
 *	its handle is the node's	the old content is here: the version is kept, the node goes on with what lies at
 *					its path now (O_TRUNC), or has lost its name (unlink, rename over it)
 *	… and also lies at its path	the hard link before a rename that did not happen: removed
 *	another handle			the staged successor of a truncation that did not happen: removed
 *	the node is unknown		it was created and removed, and neither was made durable: removed
 *
 * Then the nodes that were open for writing are queued to be settled: handles and mappings of the last mount may still
 * be in use.
 */
#ifndef TARN_CONTENT_RECOVER_H
#define TARN_CONTENT_RECOVER_H

#include "content/lake.h"

/* Did the last daemon not end cleanly, or leave something that was still in use? */
bool lake_must_recover(struct lake *lake);
/* Then, before the first request. 0 or -errno. */
int lake_recover(struct lake *lake);
/* What lies at NODE's path now; false when nothing does. */
bool recover_look_at_path(struct lake *lake, uint64_t node, struct fhandle *h, struct stat *st);
/* After that, always: queues what is unsettled. */
int lake_queue_unsettled(struct lake *lake);

#endif
