/*
 * Objects that hold a content compressed, and can be read anywhere: the seekable format of zstd (contrib/
 * seekable_format/zstd_seekable_compression_format.md, version 0.1.0), so that `zstd -d` gives the content.
 *
 *	frame …		each of FRAME_BYTES of the content, the last one of what is left; with a checksum
 *	a skippable frame (magic 0x184d2a5e, u32 size), with the table:
 *		for each frame	u32 its size here, u32 its size as content
 *		u32 number of frames, u8 descriptor (0: no checksums in the table), u32 0x8f92eab1
 *
 * All numbers are little-endian. Since all frames have the same size of content, the size of the content says how large
 * the table is, and a read anywhere takes one request for the table and one for its frames.
 *
 * Such an object is made without a copy on the disk, which may be full: the content is compressed once to know how long
 * each frame gets, and again when it is sent. That is the same each time.
 *
 * Errors besides those of the tier: -EBADMSG: the object is damaged, or not laid out so. -ENOMEM.
 */
#ifndef TARN_CONTENT_CLOUD_FRAMES_H
#define TARN_CONTENT_CLOUD_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "meta/store.h"
#include "tier/tier.h"

#define FRAME_BYTES (UINT64_C(1024) * 1024)

/* ---- making ---- */

struct frames;

/* Is it worth it? Samples say so: an eighth less. 1, 0, or what reading gave. */
int frames_gain(const struct tier_source *content);
/*
 * Reads all of CONTENT, whose source and argument stay as they are until frames_free(). SHA256: of the content. 0;
 * -errno of reading; -ESTALE: there was less than its size.
 */
int frames_new(const struct tier_source *content, uint8_t sha256[SHA256_BYTES], struct frames **out);
void frames_free(struct frames *f); /* NULL is fine */
/* Of the object. */
uint64_t frames_size(const struct frames *f);
void frames_sha256(const struct frames *f, uint8_t sha256[SHA256_BYTES]);
/* The object as a source, for several threads at once; ARG: struct frames. -ESTALE: the content is another now. */
ssize_t frames_read(void *arg, void *to, size_t len, uint64_t at);

/* ---- reading ---- */

struct frame_table;
struct frame_table *frame_table_ref(struct frame_table *t);
void frame_table_unref(struct frame_table *t); /* NULL is fine */

typedef int frames_getter(struct tier *t, const struct tier_get *g, const struct tier_call *call,
			  struct tier_head *head);

/* How a compressed object is read. */
struct frames_object {
	struct tier *tier;
	const char *key, *etag; /* ETAG NULL: any */
	uint64_t size, stored;	/* of the content; of the object */
	frames_getter *get;	/* NULL: tier_get() */
	struct tier_head *head; /* filled in as tier_get() does */
};

/* Its table; NULL in *OUT where none is needed, since the content is one frame. */
int frame_table_get(const struct frames_object *o, const struct tier_call *call, struct frame_table **out);
/* As tier_get(), of the content. T: its table. Each frame that is touched is moved whole. */
int frames_get(const struct frames_object *o, const struct frame_table *t, uint64_t offset, uint64_t length,
	       int (*sink)(void *arg, const void *bytes, size_t len), void *arg, const struct tier_call *call);

/* All of the content of C's object, compressed or not, in order. */
int frames_get_whole(struct tier *tier, const struct cloud_row *c,
		     int (*sink)(void *arg, const void *bytes, size_t len), void *arg, const struct tier_call *call);

#endif
