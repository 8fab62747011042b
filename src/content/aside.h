/*
 * Old content moved aside instead of copied: O(1), whatever its size.
 *
 *	O_TRUNC, alone	a new empty inode is staged in versions/ with owner, mode, ACL and xattrs of the old one, and
 *			exchanged with it (RENAME_EXCHANGE); the old inode then lies under the staged name
 *	unlink		the file is renamed into versions/
 *	rename over it	the file is hard-linked into versions/, then the rename replaces it
 *
 * The name in versions/ carries node and version, so that after a crash between the operation and its record the next
 * mount knows what it is (recover.h). Only a file with one link, with bytes, in a bucket that keeps history; what
 * cannot be kept is recorded as not kept, with the reason. A file that older versions are read through
 * (content/past/chain.h) is moved in any case, and recorded as not kept, but aside. Of a stub (content/cloud/stub.h)
 * only the placeholder goes: its bytes are kept in the cloud.
 */
#ifndef TARN_CONTENT_ASIDE_H
#define TARN_CONTENT_ASIDE_H

#include "content/run.h"

struct aside {
	bool wanted;	  /* there are bytes to keep */
	bool fresh;	  /* they have no version yet */
	bool settled;	  /* nobody can change them any more */
	uint64_t version; /* the one that is kept; 0: none */
	bool base_ended;  /* the bytes of the live version were replaced before */
	uint64_t lost;	  /* a version whose bytes are gone for REASON; 0: none */
	const char *reason;
	uint64_t dropped; /* a version that was no history after all; 0: none */
	bool cloud;	  /* it is a stub: its bytes are where they shall be */
	bool others;	  /* not wanted for itself, but older versions are read through it */
	bool ends_all;	  /* nothing that is read through the raw file is kept: lost for REASON, or (NULL) dropped */
	struct stat st;
	char name[VERSION_NAME_MAX];
};

/*
 * What becomes of INODE's content when its name NAME in PARENT goes away. From here until aside_record() the caller
 * keeps INODE frozen. REMOVER: the run that unlinks it (what one run makes O_EXCL and unlinks is no history), else 0. 0
 * or -errno.
 */
int aside_plan(struct lake *lake, struct inode *inode, struct inode *parent, const char *name, uint64_t remover,
	       struct aside *a);
/* unlink: into versions/, or really away. 0 or -errno of the unlink. */
int aside_unlink(struct inode *inode, int folderfd, const char *name, struct aside *a);
/* rename over it: before the rename … */
void aside_link(struct inode *inode, int folderfd, const char *name, struct aside *a);
/* … and when the rename failed after all. */
void aside_undo_link(struct inode *inode, const struct aside *a);
/* Afterwards: the version's rows, added to the record of the operation, and what INODE is from now on. */
void aside_record(struct lake *lake, struct inode *inode, const struct aside *a, const struct actor *actor,
		  struct record *r);

/*
 * O_TRUNC of INODE, which the caller has marked CHANGING: 1 done (the node has a new, empty backing inode), 0 not
 * possible now (truncate in place), or -errno.
 */
int aside_truncate(struct lake *lake, struct inode *inode, const struct actor *actor);

/*
 * The same of a stub: it is an empty file from now on, and nothing is recalled for that. 0; -EAGAIN: it is no stub any
 * more, or its name is changing; -errno.
 */
int aside_truncate_stub(struct lake *lake, struct inode *inode, const struct actor *actor);

/*
 * INODE, a stub called NAME in PARENT, is frozen and gets another content, which is whole already: its version is
 * history in the cloud, and what is there now has none. Adds the rows.
 */
void aside_end_stub(struct lake *lake, struct inode *inode, struct inode *parent, const char *name, struct record *r);

/* Is the content other than that of the live version? INODE's lock is held. */
bool inode_changed_locked(const struct inode *inode, const struct stat *st);

#endif
