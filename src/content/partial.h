/*
 * Cutting a file that is still being written: a partial version.
 *
 *	somebody else reads it	(freeze on foreign read) another run opens it, and must not read what has no version. It
 *				is needed only as long as something was made of it: the next cut takes it back. What was
 *				saved of it goes when no older version is read through that
 *	it is open for long	each version_interval, when it changed; that one stays
 *	it was closed		and is about to be changed, but it is not known whether somebody goes on to write; if
 *				nobody does until the next cut, it becomes a version as any other
 *
 * Its bytes are kept in the ways that cost its writers nothing: as the beginning of what is appended to, by an undo
 * file from now on (an epoch of its own in the chain, when all writes come by here), or by a reflink. Where none of
 * these can be had, it is transient: recorded, but its bytes are not kept. Both are in history.jsonl and not in F@v/.
 *
 * Of an SQLite database there are none: what is between two transactions cannot be told from outside.
 */
#ifndef TARN_CONTENT_PARTIAL_H
#define TARN_CONTENT_PARTIAL_H

#include "content/lake.h"

enum partial_why {
	PARTIAL_READ,
	PARTIAL_TIME,
	PARTIAL_CLOSED,
	PARTIAL_CLOSED_ALL, /* and all of it is saved by whoever changes it */
};

/* Cuts what INODE has now, unless it is settled, or has not changed since the last cut, or it is to be closed and is
 * not. 0 or -errno. */
int partial_cut(struct lake *lake, struct inode *inode, enum partial_why why);

#endif
