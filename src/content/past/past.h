/*
 * Reading a version: an earlier one, or the live one while its file is being changed.
 *
 * A version's bytes lie in a whole file that nobody changes (put aside, a copy), are put together from the raw file
 * and what was saved before that was changed in place (content/past/chain.h), or come from the cloud
 * (content/recall/recall.h). What is read is the version or an error, never other bytes. Who has one open can read it
 * to its end, also when it expires meanwhile: a past holds descriptors.
 *
 * Threads: any; one past may be used by many at once.
 */
#ifndef TARN_CONTENT_PAST_PAST_H
#define TARN_CONTENT_PAST_PAST_H

#include "content/lake.h"
#include "tier/tier.h"

struct past;
struct chain;

/* -ENOENT: V cannot be read, or not any more. -EIO: its disk is not there, or its bytes are damaged. */
int past_open(struct lake *lake, const struct version_row *v, struct past **out);
/* The same for the live version of INODE, whose base is unsure: for who verifies it (content/past/base.h). */
int past_open_unsure(struct lake *lake, const struct version_row *v, struct inode *inode, struct past **out);
/* The same for a version that C is of, with the raw file RAWFD at its end. */
int past_open_chain(const struct version_row *v, struct chain *c, int rawfd, struct past **out);
/* NULL is fine. */
void past_close(struct past *p);

/*
 * Can [AT, AT + LEN) be read without waiting for a remote? Else past_want() waits until it can; CALL may be NULL. 0 or
 * -errno, as recall_want().
 */
bool past_has(struct past *p, uint64_t at, uint64_t len);
int past_want(struct past *p, uint64_t at, uint64_t len, const struct tier_call *call);

/* Up to LEN bytes from AT; fewer only at the version's end. -EIO: they are damaged, or not the version's any more. */
ssize_t past_read(struct past *p, void *to, size_t len, off_t at);
uint64_t past_size(const struct past *p);

/*
 * The descriptor of a local file that is the whole version and does not change, for passthrough and splice; -1 when
 * only past_read() will do. It belongs to P.
 */
int past_fd(const struct past *p);
/* A descriptor (perhaps O_PATH) of the file that has the version's extended attributes; -1: none. It belongs to P. */
int past_attributes_fd(const struct past *p);

/* As hash_fd(): of the whole version. */
int hash_past(struct past *p, bool (*stop)(void *arg), void *arg, uint8_t sha256[SHA256_BYTES]);

/* Are its bytes on this machine? 0; -ENOENT: some are only in the cloud; -errno. */
int version_is_here(struct lake *lake, uint64_t version);

/* Would past_open() succeed? Asks neither the disk nor the store. */
bool version_is_readable(struct lake *lake, const struct version_row *v);

#endif
