/*
 * One thing done to all files at and below a path, piece by piece: a call works for a while, on several files at once,
 * and says where to go on. So who asked can show how far it is, stop, and begin again later; what is done already
 * costs little the second time.
 */
#ifndef TARN_WORK_TREE_H
#define TARN_WORK_TREE_H

#include "content/lake.h"

enum tree_verb {
	TREE_COUNT,  /* only looks */
	TREE_EVICT,  /* local bytes go, once the cloud has them */
	TREE_RECALL, /* bytes that are only in the cloud come */
};

struct tree_request {
	enum tree_verb verb;
	const char *path;	 /* below buckets/; "": all */
	const char *after;	 /* where an earlier call ended; NULL: from the beginning */
	int64_t budget;		 /* ns, after which no other files are begun */
	bool (*stop)(void *arg); /* true: soon */
	void *arg;
};

#define TREE_TOLD 64 /* of those that were skipped */
struct tree_skipped {
	char *path;
	const char *why; /* static */
};

struct tree_reply {
	uint64_t done, done_bytes;	 /* now */
	uint64_t already, already_bytes; /* were as wanted */
	uint64_t waiting, waiting_bytes; /* will be: they are being uploaded, or time was over. Ask again later */
	uint64_t skipped, skipped_bytes;
	/* TREE_COUNT: here only, here and in the cloud, in the cloud only; what reading the last costs in requests */
	uint64_t local, local_bytes, both, both_bytes, cloud, cloud_bytes, cloud_stored, requests;
	struct tree_skipped list[TREE_TOLD];
	int told;
	bool ended;	  /* there is nothing after this */
	struct buf after; /* else: where to go on */
};

/* 0, -ENOENT: no such path, -EHOSTUNREACH …: no file could be worked on; else -errno. OUT is to be released anyhow. */
int tree_work(struct lake *lake, const struct tree_request *q, struct tree_reply *out);
void tree_reply_release(struct tree_reply *r);

#endif
