/*
 * Drafts: what is written to a large stub (content/cloud/stub.h) before its bytes are here.
 *
 * A write waits for no byte of the old content. What is written lies in a sparse file, and a map
 * (content/recall/part_map.h) says which bytes these are; a read takes those from there, and the others from the recall
 * of the stub's version (content/recall/recall.h). What is between the old end and a write beyond it counts as written:
 * zeros.
 *
 *	cache/NODE-VERSION.draft	the sparse file; its time is the content's
 *	cache/NODE-VERSION.draftmap	its map, which says only what is durable
 *
 * The placeholder stays in the bucket, and VERSION the live one, until all of that has come and is verified. Then the
 * draft is laid over it, and the result takes the stub's place (content/cloud/stub_recall.c) as the file's new content,
 * which is cut when it is settled; VERSION is history from then on, in the cloud. A job (JOB_RECALL) sees to that, and
 * so does whoever needs the file itself: link(2), fallocate(2), a truncation. Who takes its name (unlink, a rename over
 * it, O_TRUNC) has it made whole before; where that fails, VERSION is history, and the draft goes with its last handle.
 *
 * fsync makes the draft durable, and so does the end of each writable handle. A crash leaves the stub, and what of its
 * draft was durable. The order at the end: the file is whole and durable; takes the placeholder's place; that is
 * durable; the record that VERSION ended is; the draft goes. So a draft whose node has a file already, and VERSION
 * still as its live version, needs that record and no more (drafts_load()).
 *
 * Threads: any. A draft has a lock of its own, a leaf; `making` and a draft's `syncing` are taken with nothing held.
 */
#ifndef TARN_CONTENT_CLOUD_DRAFT_H
#define TARN_CONTENT_CLOUD_DRAFT_H

#include "content/lake.h"
#include "content/recall/recall.h"

struct drafts; /* all of a lake */
struct draft;

int drafts_new(struct drafts **out);
/* What is durable of them stays for the next mount. NULL is fine. */
void drafts_free(struct drafts *ds);
/* What the last daemon left, before anything is looked up: 0 or the store's -errno. */
int drafts_load(struct lake *lake);
/* Are there any? */
bool drafts_any(struct lake *lake);

/* INODE became known as a stub: its draft, if it has one, is taken. INODE's lock is held, or nobody else has it. */
void draft_attach_locked(struct lake *lake, struct inode *inode);
bool inode_is_draft(struct inode *inode);
/* That of INODE, with a reference; NULL: it has none. */
struct draft *draft_of(struct inode *inode);
/* Found or made, with a reference. -ESTALE: INODE is not a stub any more; else -errno. */
int draft_begin(struct lake *lake, struct inode *inode, struct draft **out);
void draft_unref(struct draft *d); /* NULL is fine */

uint64_t draft_base_size(const struct draft *d); /* of its version */
uint64_t draft_size(struct draft *d);
/* Its version has no byte that was not written: none has to come. */
bool draft_is_all(struct draft *d);
/* 0 or -errno: perhaps some of it was written. Its inode may not be frozen meanwhile (inode_before_change()). */
int draft_write(struct draft *d, const void *bytes, size_t len, uint64_t at);
/* As pread(2) of the content; R is the recall of its version, waited for as recall_read() does. */
ssize_t draft_read(struct draft *d, struct recall *r, void *to, size_t len, uint64_t at, const struct tier_call *call);
/* What was written so far survives a power failure. 0 or -errno. */
int draft_sync(struct draft *d);
void draft_set_times(struct draft *d, const struct stat *st);
/* What was written since the last call for the same file is laid over what FD has, and durable there. 0 or -errno. */
int draft_lay(struct draft *d, int fd);
/* It is of no use any more: its files go. Who has a reference reads and writes on. */
void draft_drop(struct draft *d);

/* Is NAME, in cache/, a file of a draft, and one that is in use? */
bool draft_file_parse(const char *name, uint64_t *node, uint64_t *version);
bool draft_is_in_use(struct lake *lake, uint64_t node);

#endif
