/*
 * zstd, taken apart as it comes: frames one after the other, also such as hold no content (RFC 8878). A checksum that a
 * frame has is compared.
 *
 * Threads: one at a time.
 */
#ifndef TARN_CONTENT_RECALL_INFLATE_H
#define TARN_CONTENT_RECALL_INFLATE_H

#include <stddef.h>

struct inflate;

/*
 * SINK gets the content, in order, from who calls inflate_take(); what it returns other than 0 is what that returns.
 * 0 or -ENOMEM.
 */
int inflate_new(int (*sink)(void *arg, const void *bytes, size_t len), void *arg, struct inflate **out);
void inflate_free(struct inflate *z); /* NULL is fine */
/* The next bytes; ARG is a struct inflate, as struct tier_get wants it. 0; -EBADMSG: damaged; what SINK returned. */
int inflate_take(void *arg, const void *bytes, size_t len);
/* Nothing more comes. 0; -EBADMSG: it ends in the middle. */
int inflate_end(const struct inflate *z);

static inline void inflate_freep(struct inflate **z)
{
	inflate_free(*z);
}
#define _cleanup_inflate_ __attribute__((cleanup(inflate_freep)))

#endif
