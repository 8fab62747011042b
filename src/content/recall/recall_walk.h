/*
 * Walks: who reads everything in a folder, one small stub after the other (tar, grep -r), would wait for the remote at
 * each of them. So those that follow are fetched beside each other, before they are opened: at most WALK_FILES of them,
 * of at most WALK_BYTES, in the order in which the walk goes, that of the folder or of the names.
 *
 * Threads: one walk is used by one at a time; who comes while it is busy does without.
 */
#ifndef TARN_CONTENT_RECALL_RECALL_WALK_H
#define TARN_CONTENT_RECALL_RECALL_WALK_H

#include "content/lake.h"

#define WALK_FILES 256
#define WALK_BYTES (UINT64_C(32) * 1024 * 1024)
#define WALK_SMALL (UINT64_C(1024) * 1024) /* larger ones are fetched ahead of by themselves */

struct walk;

int walk_new(struct walk **out);
void walk_free(struct walk *w); /* NULL is fine */
/* INODE, a stub, was opened by the walk. */
void walk_on(struct lake *lake, struct walk *w, struct inode *inode);

#endif
