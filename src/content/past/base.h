/*
 * The base: the content that the live version has while its file is being changed, and that must be kept.
 *
 *	sure	every change comes by here, and saves first (base_save()); or it is kept whole; or files only grow
 *	unsure	something could change it unseen: a mapping under passthrough, or a crash cut off what is known of its
 *		writers. Nobody reads it until it is verified, by its hash, once nobody can write any more
 *	lost	what had to be saved could not be: recorded as not kept, before the change
 */
#ifndef TARN_CONTENT_PAST_BASE_H
#define TARN_CONTENT_PAST_BASE_H

#include "content/lake.h"

/* [FROM, TO) of the raw file is about to change: what versions have there is saved, or they are lost. */
void base_save(struct lake *lake, struct inode *inode, uint64_t from, uint64_t to);
/* Is there any reason to keep it? Not in an excluded place or under a temporary name, unless older versions need it. */
bool base_is_wanted(struct lake *lake, struct inode *inode);
/* The base is unsure from now on; durable before the open that makes it so is answered. 0 or -errno. */
int base_note_unsure(struct lake *lake, struct inode *inode);
/*
 * INODE is unsure, and nobody can write it unseen now: compares the base with its hash. Afterwards it is sure or lost.
 * STOP (may be NULL) is asked now and then. 0; -EAGAIN: somebody opened it meanwhile; -ECANCELED; -errno.
 */
int base_verify(struct lake *lake, struct inode *inode, bool (*stop)(void *arg), void *arg);

/*
 * After a crash: how V is kept, which was live and whose raw file, RAWFD with the stat ST, has other bytes by now; and
 * how many bytes are stored for it. HOW_NONE: it is not.
 */
enum version_how base_recover(struct lake *lake, const struct version_row *v, int rawfd, const struct stat *st,
			      uint64_t *stored);

#endif
