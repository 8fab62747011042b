/* What the files of handles share. */
#ifndef TARN_CONTENT_HANDLE_INT_H
#define TARN_CONTENT_HANDLE_INT_H

#include "content/handle.h"

#define IS_STUB 1  /* its bytes went to the cloud since they were asked for */
#define NOT_STUB 2 /* they came back */

struct handle *handle_new(struct lake *lake, struct inode *inode, int flags, int openfd);
void handle_count_open(struct lake *lake, struct inode *inode, const struct handle *h);

/* ---- handle_cloud.c ---- */

/*
 * Opens a stub: it is read as its bytes come, or these come first. 0; IS_STUB: look again; -ENODATA: ACTOR gets only
 * what is here; else -errno.
 */
int handle_open_stub(struct lake *lake, struct inode *inode, int flags, const struct actor *actor, struct handle **out);
/* Its last use is over. What has come whole is to take the stub's place. */
void handle_close_cloud(struct lake *lake, struct handle *h);

#endif
