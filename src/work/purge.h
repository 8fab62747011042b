/*
 * Erasing versions for good: a secret that leaked, a person's right.
 *
 * Expiry leaves a line in history.jsonl with size and hash, and bytes that go when there is time. Purging leaves the
 * line alone. In this order, so that after a crash it can be done again and finds what is left:
 *
 *	1. the rows say "purged", durably: nobody opens them any more
 *	2. their own files go, and their contents from the packs, which are written anew without them
 *	3. the rows forget hashes and types, and the file's former extended attributes
 *	4. the store's files are scrubbed, the WAL is emptied
 *
 * What other versions, or the live file, have in common with what is purged stays with these.
 */
#ifndef TARN_WORK_PURGE_H
#define TARN_WORK_PURGE_H

#include "content/run.h"

struct purge_item {
	uint64_t version, number; /* number 0: not listed, it repeats one that is */
	uint64_t node;		  /* that it was the content of */
	uint64_t size, stored;
	enum version_state state;
};

struct purge {
	struct purge_item *items;
	size_t n, room;
	uint64_t bytes; /* that keeping them occupies */
	bool whole;	/* all old versions of the file */
	bool lives;	/* the file is there now */
	bool folder;	/* all that ever was below a folder */
	uid_t owner;	/* of what is to go, or whose it was at its end; of the folder */
	bool others;	/* some of it, or of what is below the folder, is or was another's */
};

/*
 * What is to be purged of the file PATH (below buckets/; it may be deleted): version NUMBER, or with 0 all but the live
 * one. PATH may be a folder but the root, with 0: then it is all that ever was in it and below, but what lies there
 * now, and what was renamed to elsewhere; and what a file was that had its name before. 0, or -errno with a line for
 * the user in ERROR. The plan is to be released in any case.
 */
int purge_plan(struct lake *lake, const char *path, uint64_t number, struct purge *out, struct buf *error);
void purge_release(struct purge *p);

/*
 * Carries it out. *LEFT: versions of which files are still there, for others are read through them. 0, or -errno with a
 * line for the user in ERROR: to be done again. Any thread that serves no request.
 */
int purge_carry_out(struct lake *lake, const struct purge *p, const struct actor *actor, uint64_t *left,
		    struct buf *error);

#endif
