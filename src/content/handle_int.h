/* What the files of handles share. */
#ifndef TARN_CONTENT_HANDLE_INT_H
#define TARN_CONTENT_HANDLE_INT_H

#include "content/handle.h"

#define IS_STUB 1  /* its bytes went to the cloud since they were asked for */
#define NOT_STUB 2 /* they came back */

struct handle *handle_new(struct lake *lake, struct inode *inode, int flags, int openfd);
void handle_count_open(struct lake *lake, struct inode *inode, const struct handle *h);

/* ---- handle_wait.c ---- */

/*
 * H is about to be opened by ACTOR. What others wrote and closed is cut before, though their releases may be late.
 * IN_PLACE: it empties the file; APPENDS: it does nothing else than that.
 */
void handle_meet_writers(struct lake *lake, const struct handle *h, bool in_place, bool appends,
			 const struct actor *actor);
/* True when nobody has INODE open, after a moment for releases that are on their way. Marks it CHANGING. */
bool handle_become_alone(struct lake *lake, struct inode *inode);

/* ---- handle_cloud.c ---- */

/*
 * Opens a stub: it is read as its bytes come, or these come first. 0; IS_STUB: look again; -ENODATA: ACTOR gets only
 * what is here; else -errno.
 */
int handle_open_stub(struct lake *lake, struct inode *inode, int flags, const struct actor *actor, struct handle **out);
/* A writer is about to close it: what it wrote to the draft stays, whatever happens to the daemon. */
void handle_keep_draft(struct handle *h);
/* Its last use is over. What has come whole is to take the stub's place. */
void handle_close_cloud(struct lake *lake, struct handle *h);

#endif
