/*
 * Reading a version: an earlier one, or the live one while its bytes are those of the version.
 *
 * A version's bytes lie in one whole file that nobody changes (put aside, or deleted), or in the live file. What is
 * read is the version or an error, never other bytes. Who has one open can read it to its end, also when it expires
 * meanwhile: a past holds descriptors.
 *
 * Threads: any; one past may be used by many at once.
 */
#ifndef TARN_CONTENT_PAST_H
#define TARN_CONTENT_PAST_H

#include "content/lake.h"

struct past;

/* -ENOENT: V cannot be read, or not any more. -EIO: its disk is not there, or its bytes are damaged. */
int past_open(struct lake *lake, const struct version_row *v, struct past **out);
/* NULL is fine. */
void past_close(struct past *p);

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

/* Would past_open() succeed? Asks neither the disk nor the store. */
bool version_is_readable(struct lake *lake, const struct version_row *v);

#endif
