/*
 * Which bytes of a sparse file are those of its content: a small file beside it, in cache/, that survives a crash.
 *
 *	header		PART_HEADER bytes: magic, format, size of the content, which content, checksum
 *	records		PART_RECORD bytes each: kind, number, from, to, checksum
 *
 * Numbers are little-endian; a checksum is the first eight bytes of a SHA-256. Records are only appended:
 *
 *	HERE		the bytes [from, to) are in the sparse file. Written after they were made durable there
 *	GONE		they are not there any more. Durable before they are given up
 *
 * so what the map says is true after kill -9 and after a power failure. A torn record ends the map: what followed is
 * fetched again. Their numbers rise by one, so that what an older map left in the same place is never taken for its
 * own.
 *
 * Threads: one at a time.
 */
#ifndef TARN_CONTENT_RECALL_PART_MAP_H
#define TARN_CONTENT_RECALL_PART_MAP_H

#include "content/recall/extents.h"

#define PART_HEADER 64
#define PART_RECORD 40
#define PART_CONTENT 24 /* bytes that tell one content from another */

struct part_map;

/*
 * Opens NAME below DIRFD for SIZE bytes of CONTENT; what is there of another content, or broken, begins anew. HERE
 * becomes what is there. 0 or -errno.
 */
int part_map_open(int dirfd, const char *name, uint64_t size, const uint8_t content[PART_CONTENT],
		  struct part_map **out, struct extents *here);
void part_map_close(struct part_map *m); /* NULL is fine */
/* [FROM, TO) is durable in the sparse file. 0 or -errno: the map does not say so. */
int part_map_here(struct part_map *m, uint64_t from, uint64_t to);
/* What the map says is durable when it returns 0; else -errno. */
int part_map_sync(struct part_map *m);
/* They are about to go; durable when it returns 0. Else -errno: they have to stay. */
int part_map_gone(struct part_map *m, uint64_t from, uint64_t to);

#endif
