/*
 * The recall of a version: where the store says that its content lies in the cloud.
 */
#ifndef TARN_CONTENT_RECALL_RECALL_VERSION_H
#define TARN_CONTENT_RECALL_RECALL_VERSION_H

#include "content/lake.h"
#include "content/recall/recall.h"

/*
 * Opens it. -ENODATA: no object has its content. -EHOSTUNREACH: no remote is configured. Else as recall_open().
 */
int recall_open_version(struct lake *lake, const struct version_row *v, struct recall **out);
/* R said -ESTALE: its object may have got another key since. 0: R goes on from there, if it did. */
int recall_find_again(struct lake *lake, uint64_t version);

/* The content of V, in FD, left: its head and tail stay, if there is room. */
void recall_keep_version_ends(struct lake *lake, const struct version_row *v, int fd);
/* Did they? */
bool recall_has_version_ends(struct lake *lake, uint64_t version);

#endif
