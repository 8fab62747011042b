/*
 * The map of a packed object: which segments its content consists of, and where each one's bytes are.
 *
 * An object is the content of one version, named by its SHA-256. In a pack (pack_file.h) it occupies one run of bytes:
 *
 *	the stored bytes of its own segments, in order
 *	its map, encoded
 *	trailer: 16 bytes check of the encoded map, its length (4 bytes, little-endian), "tmap"
 *
 * A segment is at most 1 MiB of content, so that any offset is near. It is stored in the smallest of these ways:
 *
 *	ZERO	only zero bytes; any length; nothing is stored
 *	RAW	as it is
 *	ZSTD	a zstd frame of its own
 *	DELTA	a zstd frame that refers to one or two segments that lie side by side in the base object
 *		(ZSTD_CCtx_refPrefix)
 *	SAME	nothing is stored: the bytes of another segment
 *
 * What a DELTA or SAME refers to is found by its number in the map of the *base*: the one other object that this object
 * may build on, the content of an earlier version. Or by its number in the same map, when marked OWN; such a one is
 * earlier there and builds on nothing. So every object needs a chain of at most PACK_DEPTH_MAX others, an object never
 * needs to know in which pack another lies, and moving it elsewhere is copying one run of bytes.
 *
 * Which earlier version is the base? The next older one would make chains without end; always the first one would make
 * deltas that grow. ORDINAL counts the objects since one that has no base, and pack_parent() says on which ordinal an
 * object builds, so that depth stays within 8, a new start comes with every 165th object and each object's base is 2.6
 * versions away on average. (With anchors at each 8th and 64th version, a depth of 8 costs a new start at each 64th
 * and a distance of 5: more bytes.) The tree is the one of Pascal's triangle: S(d, k) = S(d, k-1) + S(d-1, k) objects
 * have room below a root with depth d left; the second part hangs below the root as its last child.
 *
 * Encoding: SHA-256, then unsigned LEB128 numbers: size, flags (1: a base follows, as its SHA-256), depth, ordinal,
 * count of segments. Per segment its kind (16 is added for OWN) and length; then for
 *	RAW, ZSTD	stored length, check, features
 *	DELTA		stored length, check, features, first base segment, how many (1 or 2)
 *	SAME		the segment
 * The check is the first 16 bytes of the SHA-256 of the segment's content; every read compares it. Features are four
 * hashes of 4 bytes (pack_cut.h), left out when an object has one segment.
 */
#ifndef TARN_CONTENT_PACK_PACK_MAP_H
#define TARN_CONTENT_PACK_PACK_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "meta/store.h"

#define PACK_SEGMENT_MAX (1024 * 1024)
#define PACK_CHECK 16
#define PACK_FEATURES 4
#define PACK_DEPTH_MAX 8
#define PACK_PERIOD 165 /* S(8, 3) */
#define PACK_TRAILER (PACK_CHECK + 8)

enum pack_kind { PACK_ZERO = 1, PACK_RAW, PACK_ZSTD, PACK_DELTA, PACK_SAME };

struct pack_segment {
	enum pack_kind kind;
	bool own;	     /* DELTA, SAME: in this map, not in the base's */
	uint8_t bases;	     /* DELTA: 1 or 2 segments */
	uint32_t base;	     /* DELTA, SAME: the (first) segment */
	uint64_t at, length; /* in the content */
	uint64_t stored_at;  /* from the beginning of the object's run */
	uint32_t stored;     /* bytes there */
	uint8_t check[PACK_CHECK];
	uint32_t features[PACK_FEATURES];
};

struct pack_map {
	uint8_t sha256[SHA256_BYTES];
	uint64_t size;
	bool has_base;
	uint8_t base[SHA256_BYTES];
	unsigned depth;	  /* objects that must be there to read it; 0: none but itself */
	unsigned ordinal; /* objects since one without a base */
	struct pack_segment *segments;
	uint32_t count, room;
};

void pack_map_release(struct pack_map *m);
/* A new last segment, zeroed but for AT and STORED_AT; NULL when out of memory. Its kind, length and stored are set
 * before the next one is added. */
struct pack_segment *pack_map_add(struct pack_map *m);
/* Appends the map with its trailer. 0 or -ENOMEM. */
int pack_map_encode(const struct pack_map *m, struct buf *out);
/* All of LEN bytes at AT of what ARG says. 0; -EBADMSG when it ends before; -errno. */
typedef int (*pack_read_fn)(const void *arg, void *to, size_t len, uint64_t at);
/*
 * Reads the map of the object whose run of LENGTH bytes begins at OFFSET of ARG, which READ reads. LEFT_OUT: so many
 * bytes of its segments are not in that run (content/pack/pack_index.h). 0; -EBADMSG when it is damaged: then nothing
 * in it is believed; what READ says; -errno.
 */
int pack_map_read_by(pack_read_fn read, const void *arg, uint64_t offset, uint64_t length, uint64_t left_out,
		     struct pack_map *out);
/* The same in the file FD. */
int pack_map_read(int fd, uint64_t offset, uint64_t length, struct pack_map *out);
/* The segment that has byte AT, which is below the size. */
uint32_t pack_map_find(const struct pack_map *m, uint64_t at);

/* The ordinal that the object with ORDINAL (1 to PACK_PERIOD - 1) builds on: it is on the chain of ORDINAL - 1. */
unsigned pack_parent(unsigned ordinal);

/* The first PACK_CHECK bytes of the SHA-256 of LEN bytes. 0 or -EIO. */
int pack_check(const void *bytes, size_t len, uint8_t check[PACK_CHECK]);

#endif
