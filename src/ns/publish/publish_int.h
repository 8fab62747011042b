/* What the files of a publication share. */
#ifndef TARN_NS_PUBLISH_PUBLISH_INT_H
#define TARN_NS_PUBLISH_PUBLISH_INT_H

#include "ns/change.h"
#include "ns/publish/publish.h"

#define PUBLISH_NAMES_MAX 100000 /* names that change their place; a folder that goes as a whole is one */

enum publish_kind {
	PUBLISH_MOVE = 'M',	    /* to a free name */
	PUBLISH_OVER = 'O',	    /* over a file or symlink */
	PUBLISH_REMOVE = 'R',	    /* a file or symlink that only the target has… */
	PUBLISH_REMOVE_FOLDER = 'F' /* …a folder, after all that was in it */
};

struct publish_step {
	enum publish_kind kind;
	char *from, *to; /* paths below buckets/; from: NULL for what is removed */
	struct rename m; /* for what is removed only to, to_name, over, over_raw */
	struct fhandle moved, over;
	/* The content that comes is that which is there: so it was with these versions, before the lock was taken. */
	bool same;
	uint64_t new_version, old_version;
};

struct publishing {
	struct lake *lake;
	const struct actor *actor;
	unsigned flags;
	struct buf *error;
	struct inode *staging; /* borrowed */
	struct publish_step *steps;
	size_t n, room;
	struct inode **files; /* that come to the target, with references: all must be settled */
	size_t nfiles, files_room;
	struct inode **frozen; /* borrowed from the steps */
	size_t nfrozen;
};

/* ---- publish_plan.c: what there is to do; no lock held ---- */

int publish_plan(struct publishing *p, const char *from, const char *to);
void publish_release(struct publishing *p);
/* May the caller do that? 0 or -errno, said in P->error. */
int publish_check(struct publishing *p, const char *from, const char *to);

/* ---- publish_intent.c ---- */

/* What P is about to do becomes durable. */
int intent_begin(struct publishing *p);
/* Rows for the record that does it: what is left to clean up takes the place of the intent. True: there is some. */
bool intent_commit(struct publishing *p, struct record *r);
/* Undoes, or cleans up, what the intent in the store says, and takes it away. 0, also when there is none; -errno. */
int intent_end(struct lake *lake);

#endif
