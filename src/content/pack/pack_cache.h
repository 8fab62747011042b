/*
 * Segments of packed objects that were read lately, unpacked and verified. Shared by all threads and all objects: a
 * piece is found by its check, so equal segments of different versions are one piece.
 *
 * The least recently used go when there is more than the limit; one that somebody holds stays in memory until it is
 * given back. Also keeps the decompressors, which are costly to make.
 */
#ifndef TARN_CONTENT_PACK_PACK_CACHE_H
#define TARN_CONTENT_PACK_PACK_CACHE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <uthash.h>
#include <zstd.h>

#include "content/pack/pack_map.h"

struct pack_cache;

struct pack_piece {
	uint8_t check[PACK_CHECK];
	uint32_t length;
	atomic_uint refs;
	UT_hash_handle hh;		  /* protected by the cache's lock, as the next two */
	struct pack_piece *newer, *older; /* in the cache */
	uint8_t bytes[];
};

/* LIMIT: bytes that it may hold. -ENOMEM. */
int pack_cache_new(size_t limit, struct pack_cache **out);
void pack_cache_free(struct pack_cache *c); /* nobody holds a piece */

/* The piece with this check, with a reference, or NULL. */
struct pack_piece *pack_cache_find(struct pack_cache *c, const uint8_t check[PACK_CHECK]);
/* A piece with room for LENGTH bytes, with a reference, not in the cache. NULL when out of memory. */
struct pack_piece *pack_piece_new(uint32_t length);
/* PIECE, whose bytes agree with its check, may be found from now on. */
void pack_cache_add(struct pack_cache *c, struct pack_piece *piece);
void pack_piece_unref(struct pack_piece *piece);
static inline void pack_piece_unrefp(struct pack_piece **p)
{
	if (*p)
		pack_piece_unref(*p);
}
#define _cleanup_piece_ __attribute__((cleanup(pack_piece_unrefp)))

/* A decompressor, to be given back; NULL when out of memory. */
ZSTD_DCtx *pack_cache_borrow(struct pack_cache *c);
void pack_cache_give_back(struct pack_cache *c, ZSTD_DCtx *dctx);

#endif
