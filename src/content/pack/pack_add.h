/*
 * Inside content/pack_*.c: a pack being written, and how one object is divided into segments and compressed.
 */
#ifndef TARN_CONTENT_PACK_PACK_ADD_H
#define TARN_CONTENT_PACK_PACK_ADD_H

#include "content/pack/pack_writer.h"

struct pack_writer {
	int packsfd; /* borrowed */
	char temp[PACK_NAME_MAX];
	uint64_t number;
	struct pack_cache *cache;
	struct pack_file *file;
	bool finished;
	uint64_t at; /* where the next object begins */
	struct pack_entry *entries;
	size_t count, room;

	ZSTD_CCtx *cctx;
	uint8_t *buffer, *whole, *delta, *spare; /* PACK_SEGMENT_MAX each */
};

/* Writes segments and map at W->at and fills in OUT; W->at stays. 0 or as pack_writer_add(). */
int pack_add(struct pack_writer *w, const struct pack_input *in, struct pack_object *base, unsigned ordinal,
	     struct pack_added *out);

#endif
