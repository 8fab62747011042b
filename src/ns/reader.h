/*
 * Who asks for what is in the lake, and which files that is for them: those that they may read, in folders that they
 * may list. What modes and owners the store has decides; an ACL can take away what a mode gives, so of what has one
 * only its owner is sure.
 *
 * One request's own: what it learnt of folders is remembered, and holds no longer.
 */
#ifndef TARN_NS_READER_H
#define TARN_NS_READER_H

#include <uthash.h>

#include "content/lake.h"
#include "content/run.h"

struct reader_folder {
	UT_hash_handle hh;
	uint64_t id;
	bool visible;
	char *path; /* below buckets/; "" is the root's */
};

struct reader {
	struct lake *lake;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	int ngroups;
	struct reader_folder *folders;
};

int reader_init(struct reader *r, struct lake *lake, const struct actor *actor);
void reader_release(struct reader *r);
#define _cleanup_reader_ __attribute__((cleanup(reader_release)))

/* BITS as in "other": 4 read, 1 search. */
bool reader_may(const struct reader *r, const struct node_row *n, unsigned bits);
/*
 * NODE as this reader sees it: 1, with its row, and its path below buckets/ added to PATH; 0: it has no name, or is
 * nothing for them, or lies in a private bucket; -errno.
 */
int reader_sees(struct reader *r, uint64_t node, struct node_row *row, struct buf *path);
/* NAME in the folder PARENT, whatever lies there: 1, with its path added to PATH; 0; -errno. */
int reader_sees_name(struct reader *r, uint64_t parent, const char *name, struct buf *path);
/* What lies at a path below buckets/, "" for the root: as above. */
int reader_find(struct reader *r, const char *path, struct node_row *row);

#endif
