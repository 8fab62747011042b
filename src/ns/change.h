/*
 * Changes to the tree, taken apart: what is found, what is allowed, and the rows of the record. An ordinary operation
 * does all of it for one name (renaming.c, removal.c); a publication (publish.h) for many, in one record.
 */
#ifndef TARN_NS_CHANGE_H
#define TARN_NS_CHANGE_H

#include "content/aside.h"
#include "ns/real.h"

/*
 * The tree lock for reading, for a change whose names were looked up when lake->published was SEQ. False: names were
 * published meanwhile, and the lock is not held: what was found may be elsewhere by now, and is to be looked up again.
 */
bool change_begin(struct lake *lake, unsigned seq);
/*
 * INODE (may be NULL) is about to be removed or replaced: what was written to it as a stub becomes a version before; if
 * that cannot be, it is lost, once *TRIED. 1: look everything up again; 0: go on; -ECANCELED: it was interrupted.
 */
int change_ends_draft(struct lake *lake, struct inode *inode, const struct actor *actor, bool *tried);

/* ---- renaming.c ---- */

struct rename {
	struct lake *lake;
	const struct actor *actor;
	struct real_folder from, to;
	const char *name, *to_name;
	unsigned flags;
	struct inode *inode; /* what moves */
	struct inode *over;  /* what is there now, or NULL */
	struct stat raw, over_raw;
	struct aside aside;		    /* of `over` */
	struct former over_content;	    /* the version that `over` leaves behind */
	bool same;			    /* it has the bytes of what moves */
	bool tags_carried, comment_carried; /* what moves got those of `over` */
};

/* What lies at both names now, with references. Not with the tree lock held. */
int rename_find(struct rename *m);
/* May it be done at all? */
int rename_check(struct rename *m);
/* It was done on the disk: the rows, and what the inodes are called from now on. `over` is still frozen. */
void rename_add_rows(struct rename *m, struct record *r);

/* ---- removal.c ---- */

/* NAME in F is gone from the disk: the rows. BEFORE: its stat then; A: of a file. INODE is still frozen. */
void removal_add_rows(struct lake *lake, struct real_folder *f, const char *name, struct inode *inode,
		      const struct stat *before, const struct aside *a, const struct actor *actor, struct record *r);
/* Once that is submitted: INODE may be known by a name that is gone, and have others. */
void removal_done(struct lake *lake, struct real_folder *f, const char *name, struct inode *inode);

#endif
