/*
 * From a node's id to its inode. An inode that comes to memory must be made the way a look-up by the kernel makes it,
 * with its folder, name and bucket, because that very inode is used for everything from then on: so its path is walked
 * from the root, one look-up per name.
 */
#ifndef TARN_CONTENT_REACH_H
#define TARN_CONTENT_REACH_H

#include "content/lake.h"

/* With a reference. -ENOENT: the node has no name. */
int reach_node(struct lake *lake, uint64_t node, struct inode **out);
/* A volume by the index that rows have; NULL when it is not there (a bucket elsewhere that could not be opened). */
struct volume *reach_volume(struct lake *lake, int index);

#endif
