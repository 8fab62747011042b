/* What the files of content/outside.h share: all of it with the tree lock for writing. */
#ifndef TARN_CONTENT_OUTSIDE_INT_H
#define TARN_CONTENT_OUTSIDE_INT_H

#include "content/outside.h"

/* One name on disk, on its way to an inode. */
struct found {
	struct inode *parent;
	struct bucket *bucket;
	struct volume *volume;
	const char *name;
	int folderfd;
	const char *on_disk; /* below the descriptor of its folder: the name, or "." for a bucket elsewhere */
	struct fhandle handle;
	struct stat st;
	uint64_t stub; /* the node whose placeholder it says to be; 0: none's */
};

/* A new record about NODE, which was found there. */
struct record *outside_record(const struct found *f, uint64_t node);
/* Is a row's file still there, under some other name? Then it was renamed, not replaced by what has its name now. */
bool outside_lives_on(const struct found *f, const struct node_row *row);
/* NODE has the name from now on. What the store still has there was renamed, or else NODE goes on with its series. */
void outside_take_place(struct lake *lake, const struct found *f, uint64_t node, enum node_kind kind, struct record *r);

/* ---- outside_stub.c ---- */

/* ROW has its handle: is it that one's placeholder? */
bool outside_is_stub_of(const struct found *f, const struct node_row *row);
/* Then its row is all that there is to know of it, but for its name. HERE: it has that. 0 or -errno. */
int outside_refresh_stub(struct lake *lake, const struct found *f, const struct node_row *row, bool here);
/*
 * No row has its handle. 0: it is ROW's, the node's that it names, from now on; -ESRCH: it is no placeholder, but a
 * user's symlink, or something else; -ENOENT: it is gone; -errno.
 */
int outside_adopt_stub(struct lake *lake, const struct found *f, struct node_row *row);
/*
 * Does the placeholder of OVER, which the store has where F was found, lie where the store has NODE? Then R gives OVER
 * that name in the same commit: what has no name for a while would be taken for something that was removed.
 */
bool outside_exchanged(struct lake *lake, const struct found *f, uint64_t node, uint64_t over, struct record *r);

#endif
