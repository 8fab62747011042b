/*
 * A lake from its copy at the remote: the store from the newest snapshot and the changes since, then the tree from the
 * store. Nothing may have the lake mounted, and the store must not have its own name yet: a daemon that met a tree of
 * which half is there would take the other half for removed.
 *
 *	folders, symlinks, pipes, empty files	are made as they were
 *	files whose bytes are at the remote	become stubs; with more than one name they are fetched
 *	other files				are lost: they leave the tree, and their version says why
 *	old versions				are read from the remote where it has them; else lost, too
 *
 * All of it may be done again after it was interrupted: what is there already stays.
 */
#ifndef TARN_CONTENT_CLOUD_REBUILD_H
#define TARN_CONTENT_CLOUD_REBUILD_H

#include "meta/store.h"
#include "tier/tier.h"

#define REBUILD_LOST "lost with its disk: it was only there"

/*
 * The newest store that the copy of LAKE at T leads to, as the new file PATH; what lay there goes first. *COMMIT,
 * *TIME: how far it goes. 0; -ENOENT: there is no copy; -EPROTONOSUPPORT: another tarn made it; -errno, with a line in
 * WHY.
 */
int rebuild_store(struct tier *t, uint64_t lake, const struct tier_call *call, const char *path, uint64_t *commit,
		  int64_t *time, struct buf *why);

struct rebuild_counts {
	uint64_t folders, files, bytes, symlinks; /* that are there again; files: stubs, fetched ones, empty ones */
	uint64_t lost, lost_bytes;		  /* files */
	uint64_t versions, versions_lost, versions_lost_bytes;
};

struct rebuild {
	/* set by the caller */
	struct store *store;
	struct tier *tier;
	const struct tier_call *call;
	uint64_t lake;	/* its id */
	int buckets_fd; /* where the tree is made */
	/* Each file that is lost: its path below buckets/, its version (number 0: none was cut), why. May be NULL. */
	void (*lost)(void *arg, const char *path, const struct version_row *v, const char *why);
	/* Now and then: how far it is. May be NULL. */
	void (*progress)(void *arg, const struct rebuild_counts *so_far);
	void *arg;
	struct rebuild_counts counts;

	/* its own */
	struct record *record;
	unsigned in_record;
	struct linked *linked;
	struct buf path;
};

/* 0 or -errno, with a line in WHY. */
int rebuild_tree(struct rebuild *r, struct buf *why);

#endif
