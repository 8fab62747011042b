/*
 * What lineage is told of files: who opened which version to read it, who closed what it had written, and of which
 * version that became. The rules are those of lineage/lineage.h.
 *
 * A process counts as having written a file when it closes it (FLUSH) and the content is another than at the last
 * close: of a descriptor that was only inherited, as a shell's children do, nothing is said. Who goes on with content
 * that is there (appends, or writes in place) made the new version from the old one, too.
 *
 * Nothing here fails: what cannot be found out is not told.
 */
#ifndef TARN_CONTENT_WITNESS_H
#define TARN_CONTENT_WITNESS_H

#include "content/handle.h"

/* H was opened by ACTOR. */
void witness_open(struct lake *lake, const struct handle *h, const struct actor *actor);
/* ACTOR opened an old VERSION to read it. */
void witness_open_version(struct lake *lake, uint64_t version, const struct actor *actor);
/* CALLER closes H, or a descriptor of it. */
void witness_close(struct lake *lake, const struct handle *h, const struct caller *caller);
/* INODE is cut while somebody writes it: what that one has read so far counts. */
void witness_cut_early(struct lake *lake, struct inode *inode);
/* A version of INODE is part of R from now on. LAST: its next version begins anew. The lock is held. */
void witness_cut_locked(struct inode *inode, struct record *r, uint64_t version, bool last);
/* The content of INODE begins anew. The lock is held. */
void witness_emptied_locked(struct inode *inode);

#endif
