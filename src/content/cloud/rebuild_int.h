/* Inside content/: what the files that rebuild a lake share. */
#ifndef TARN_CONTENT_CLOUD_REBUILD_INT_H
#define TARN_CONTENT_CLOUD_REBUILD_INT_H

#include "content/cloud/rebuild.h"

/* The record that is being put together, and its end: when it has grown, or ALL of it. */
struct record *rebuild_record(struct rebuild *r);
int rebuild_submit(struct rebuild *r, bool all);

/* How an old version is still kept when all local files are gone: HOW_CLOUD, HOW_PACKED, or HOW_NONE: it is not. */
enum version_how rebuild_kept(struct rebuild *r, const struct version_row *v);
/* Says of every old version what became of it. */
int rebuild_versions(struct rebuild *r);
/* The content of V from its object C as the file NAME in DIRFD, verified. What is there already is replaced. */
int rebuild_fetch(struct rebuild *r, const struct cloud_row *c, const struct version_row *v, int dirfd,
		  const char *name);

#endif
