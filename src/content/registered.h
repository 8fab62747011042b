/*
 * Backing files that the kernel knows (inode->backing_id), kept registered for a while after the last close:
 * registering costs more than the rest of an open. At most REGISTERED_KEPT, first in, first out. A registration holds
 * its file, so it ends when the file is unlinked, put aside or gets another owner, and when the inode leaves memory.
 */
#ifndef TARN_CONTENT_REGISTERED_H
#define TARN_CONTENT_REGISTERED_H

#include "content/lake.h"

#define REGISTERED_KEPT 4096

struct registered {
	pthread_mutex_t lock;
	uint64_t nodes[REGISTERED_KEPT]; /* protected by lock: a ring; 0: free */
	unsigned next;
};

int registered_new(struct registered **out);
void registered_free(struct registered *r);

/* INODE was closed by the last one: it stays registered, and the one that did so longest ago does not. */
void registered_keep(struct lake *lake, struct inode *inode);
/* INODE's registration ends, unless somebody has it open. */
void registered_drop(struct lake *lake, struct inode *inode);

#endif
