/* Inside work/: what walks over a part of the tree (tree.c), and what is done to each file (tree_file.c). */
#ifndef TARN_WORK_TREE_INT_H
#define TARN_WORK_TREE_INT_H

#include <pthread.h>

#include "work/tree.h"

#define TREE_BATCH 128

struct tree_file {
	uint64_t node;
	char *path;
};

struct tree {
	struct lake *lake;
	const struct tree_request *request;
	struct tree_reply *out; /* protected by lock while a batch is worked on */
	int64_t until;		/* monotonic */
	struct buf path;
	struct tree_file batch[TREE_BATCH];
	int n;
	pthread_mutex_t lock;
	int next; /* of the batch; protected by lock */
};

/* A file to be worked on. 1: time is over, and it is not taken. 0 or -errno. */
int tree_add(struct tree *t, uint64_t node, const char *path);
/* Works on those that were added. 0 or -errno. */
int tree_flush(struct tree *t);

#endif
