/*
 * Putting damaged bytes right: the file that has them is overwritten where it differs from bytes that were verified,
 * and nowhere else. Each block that is written is a right one, so a crash in between leaves it better than it was;
 * times, owner and attributes stay.
 */
#ifndef TARN_CONTENT_MEND_H
#define TARN_CONTENT_MEND_H

#include "content/lake.h"

/*
 * The content with this SHA-256 and size, other than as VERSION has it: from a pack, another version, or the cloud. *FD
 * is a new file without a name in versions/ of VOLUME that has it, verified and durable. STOP may be NULL. -ENOENT:
 * there is none; -ECANCELED; -errno.
 */
int mend_find(struct lake *lake, struct volume *volume, const struct version_row *v, bool (*stop)(void *arg), void *arg,
	      int *fd);

/* The file of V in versions/, put aside or copied, gets the content of FROMFD. 0 or -errno. */
int mend_kept(struct lake *lake, const struct version_row *v, int fromfd);
/* The same of INODE, whose live version V is. -EBUSY: somebody has it open, or it was changed. */
int mend_live(struct lake *lake, struct inode *inode, const struct version_row *v, int fromfd);
/* V, which is packed, is kept as a file of its own from now on: FROMFD. 0 or -errno. */
int mend_unpack(struct lake *lake, const struct version_row *v, int fromfd);

#endif
