/*
 * The index of a pack that is only in the cloud: the maps of its objects, so that it is known here which of its bytes
 * are needed for what.
 *
 *	VERSIONS/packs/NUMBER.index
 *
 * It has the format of a pack (content/pack/pack_file.h), but for two things: of an object's run of bytes only the map
 * and its trailer are there, and the directory is sorted by SHA-256. One that is lost or damaged costs requests, and no
 * bytes: the pack has all of it.
 */
#ifndef TARN_CONTENT_PACK_PACK_INDEX_H
#define TARN_CONTENT_PACK_PACK_INDEX_H

#include "content/pack/pack_file.h"

struct pack_index;

/* Makes the index of PACK, which is here, durable below PACKSFD; one that is there is replaced. 0; -EBADMSG: the pack
 * is damaged; -errno: there is none. */
int pack_index_write(int packsfd, const struct pack_file *pack);
/* 0; -ENOENT; -EBADMSG; -errno. */
int pack_index_open(int packsfd, uint64_t number, struct pack_index **out);
void pack_index_close(struct pack_index *x); /* NULL is fine */
/* The map of the object SHA256, whose run in the pack has LENGTH bytes. 0; -ENOENT; -EBADMSG; -errno. */
int pack_index_map(const struct pack_index *x, const uint8_t sha256[SHA256_BYTES], uint64_t length,
		   struct pack_map *out);

void pack_index_name(uint64_t number, char name[PACK_NAME_MAX]);
/* False for another name. */
bool pack_index_name_parse(const char *name, uint64_t *number);

#endif
