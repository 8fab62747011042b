/*
 * Reading a packed object at any offset, with the objects that it builds on.
 *
 * An open object holds the packs of its whole chain open: it can be read to its end whatever becomes of those files.
 * Any thread; one object may be read by many at once.
 */
#ifndef TARN_CONTENT_PACK_PACK_OBJECT_H
#define TARN_CONTENT_PACK_PACK_OBJECT_H

#include <sys/types.h>

#include "content/pack/pack_cache.h"
#include "content/pack/pack_file.h"
#include "content/pack/pack_map.h"
#include "tier/tier.h"

/* Where an object's run of bytes is. */
struct pack_place {
	struct pack_file *file;
	uint64_t offset, length;
};

struct pack_object {
	struct pack_cache *cache;
	struct pack_file *file;
	uint64_t offset;
	struct pack_map map;
	struct pack_object *base; /* as its map wants it */
};

/* Where the object SHA256 is, with a reference to the file: 0; -ENOENT; -errno. */
typedef int (*pack_find_fn)(void *arg, const uint8_t sha256[SHA256_BYTES], struct pack_place *out);
/*
 * Opens SHA256 and all that it builds on. 0; -EIO: a map is damaged, or not the one of that object; what FIND says;
 * -errno.
 */
int pack_object_open(struct pack_cache *cache, const uint8_t sha256[SHA256_BYTES], pack_find_fn find, void *arg,
		     struct pack_object **out);
void pack_object_close(struct pack_object *o); /* NULL is fine */
static inline void pack_object_closep(struct pack_object **o)
{
	pack_object_close(*o);
}
#define _cleanup_object_ __attribute__((cleanup(pack_object_closep)))

/*
 * Can [AT, AT + LEN) be read without waiting for the cloud? Else pack_object_want() waits until it can, for only what
 * it takes. CALL may be NULL. 0 or -errno, as recall_want().
 */
bool pack_object_has(const struct pack_object *o, uint64_t at, uint64_t len);
int pack_object_want(const struct pack_object *o, uint64_t at, uint64_t len, const struct tier_call *call);
/* Is all of it, and of what it builds on, on the local disk? */
bool pack_object_is_here(const struct pack_object *o);

/* Short only at the end. -EIO: damaged; where it is in the cloud, as recall_read(). */
ssize_t pack_object_read(struct pack_object *o, void *to, size_t len, uint64_t at);
/* Reads all of it and compares with its name. STOP (may be NULL) is asked before each segment: -ECANCELED. 0; -EIO. */
int pack_object_verify(struct pack_object *o, bool (*stop)(void *arg), void *arg);

/* The same for the object at PLACE that builds on BASE (NULL: on none), which stays the caller's. */
int pack_object_verify_at(struct pack_cache *cache, const struct pack_place *place, struct pack_object *base,
			  bool (*stop)(void *arg), void *arg);

/* The segment that has the bytes of SEGMENT of O (PACK_SAME followed to its end), and whose map it is in. */
const struct pack_segment *pack_object_origin(const struct pack_object *o, uint32_t segment,
					      const struct pack_object **where);
/* Its bytes, verified, with a reference; not of a PACK_ZERO. 0 or -errno. */
int pack_object_piece(const struct pack_object *o, uint32_t segment, struct pack_piece **out);

#endif
