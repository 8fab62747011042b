/*
 * Who may see what was. Never more than both what was allowed then and what is allowed now:
 *
 *	mode then AND mode now, nothing to write, no set-id bits; the owner is that of now, or was that at its end
 *	who takes a file's name gets nothing of what it was, whoever that is, and may but close it to others
 *	an ACL's group bits are a mask, and its named entries drop: their bits AND into group and other
 *	who could not reach the node where it lies now (or lay at its end) does not reach what it was elsewhere
 *	who could not reach it then, below a folder that was opened since, does not reach it now
 *
 * Modes and owners "now" are those of the live inode while it is in memory, so that a chmod holds at once.
 */
#ifndef TARN_NS_VIEW_VIEW_ACCESS_H
#define TARN_NS_VIEW_VIEW_ACCESS_H

#include "content/lake.h"

struct access {
	uint64_t node;
	mode_t mode; /* permission bits, as they hold without an ACL */
	uid_t uid;
	gid_t gid;
};

/* What NODE allows now, or allowed at its end. */
int access_now(struct lake *lake, uint64_t node, struct access *now);
/* The same, ROW being what the store has of the node now. */
int access_of_row(struct lake *lake, const struct node_row *row, struct access *now);
/* What ROW, the node as it was as of COMMIT, allows. */
int access_at(struct lake *lake, const struct node_row *row, uint64_t commit, struct access *then);
/* Its mode with the set-id and sticky bits, in octal, for whoever gives it to a file that has no ACL. */
int access_mode_fact(struct lake *lake, const struct node_row *row, uint64_t commit, struct buf *b);
/* Leaves of ST (mode, uid, gid: as they were) what NOW, the same node, allows, too; it is its owner's and group's. */
void access_restrict(struct stat *st, const struct access *now);
/* Leaves of ST what OTHER, the node that has its name now, allows its group and others, and its owner if it is his. */
void access_restrict_to_other(struct stat *st, const struct access *other);
/* NODE was seen below FOLDER: when it is elsewhere now, leaves of ST what those may do who can reach it there. 1: it
 * is; 0: it is where it was; -errno. */
int access_restrict_to_place(struct lake *lake, uint64_t node, uint64_t folder, struct stat *st);

/*
 * NODE was below folders as of COMMIT: of those that were closed then and are open now, leaves of ST what those may do
 * who could have reached it. 1: one was closed to somebody then, and opening it changes ST; 0: none was; -errno.
 */
int access_restrict_to_past(struct lake *lake, uint64_t node, uint64_t commit, struct stat *st);

#endif
