/*
 * Packs: many objects, the contents of versions, in one file of 16 to 64 MiB.
 *
 *	VERSIONS/packs/NUMBER.pack	NUMBER: 8 hex digits or more, never used twice; VERSIONS is a volume's folder
 *	                          	for old content (content/volume.h)
 *
 *	"tarnpck1"		8 bytes
 *	the objects		one run of bytes each: pack_map.h says what is in it
 *	the directory		per object SHA-256, then size, offset and length of its run, 8 bytes each
 *	trailer			offset of the directory, count of objects (8 bytes each), check of the directory
 *				(16 bytes), "tarnend1"
 *
 * All numbers are little-endian. An object larger than a pack should be has a pack of its own.
 *
 * A pack is written under a temporary name, fsynced, renamed, and the folder fsynced; only then does a record in the
 * store name its objects (pack_writer.h). Nothing in it ever changes after. Which object is in which pack is the
 * store's knowledge; the directory is there so that it can be won back from the packs alone, and checked.
 *
 * When objects are no longer wanted, those that are go to a new pack (their runs of bytes as they are), a record names
 * the new places, and the old file is unlinked. Who reads has the file open and goes on.
 *
 * A pack may lie only in the cloud, as the very file. Then it is read through a recall, a few ranges of it at a time,
 * and its maps from an index that stays here (content/pack/pack_index.h).
 *
 * Trust: each segment, map and directory carries a check, and whatever does not agree with it is -EIO and never given
 * to a reader. The checks are cut from SHA-256, so that nobody can prepare content whose segments are taken for
 * another's.
 */
#ifndef TARN_CONTENT_PACK_PACK_FILE_H
#define TARN_CONTENT_PACK_PACK_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdatomic.h>

#include "content/pack/pack_map.h"

#define PACK_HEADER 8
#define PACK_LEAST (16 * 1024 * 1024)
#define PACK_MOST (64 * 1024 * 1024)
#define PACK_NAME_MAX 32

struct recall;
struct pack_index;

/* A pack that is open; any thread. */
struct pack_file {
	int fd;			  /* the file; -1: it is only in the cloud, then: */
	struct recall *recall;	  /* its bytes */
	struct pack_index *index; /* its maps; NULL: they come from there, too */
	uint64_t number;
	atomic_uint refs;
};

/* PACKSFD: the folder of packs. 0; -ENOENT; -EBADMSG: it is no pack, or its end is missing; -errno. */
int pack_file_open(int packsfd, uint64_t number, struct pack_file **out);
/* Takes FD, also on failure. -ENOMEM. */
int pack_file_new(int fd, uint64_t number, struct pack_file **out);
/* One that is only in the cloud. Takes both, also on failure; INDEX may be NULL. -ENOMEM. */
int pack_file_new_away(struct recall *recall, struct pack_index *index, uint64_t number, struct pack_file **out);
struct pack_file *pack_file_ref(struct pack_file *f);
void pack_file_unref(struct pack_file *f);
static inline void pack_file_unrefp(struct pack_file **f)
{
	if (*f)
		pack_file_unref(*f);
}
#define _cleanup_pack_file_ __attribute__((cleanup(pack_file_unrefp)))

/* All of LEN bytes at AT, waiting for the cloud where they are there. 0; -EBADMSG when it ends before; as
 * recall_read(); -errno. ARG: a struct pack_file. */
int pack_file_read(const void *arg, void *to, size_t len, uint64_t at);
/* Can they be read without waiting? */
bool pack_file_has(const struct pack_file *f, uint64_t at, uint64_t len);
/* The map of the object SHA256 (NULL: it is in no index), whose run is there. As pack_map_read_by(). */
int pack_file_map(const struct pack_file *f, const uint8_t *sha256, uint64_t offset, uint64_t length,
		  struct pack_map *out);

struct pack_entry {
	uint8_t sha256[SHA256_BYTES];
	uint64_t size, offset, length;
};
/* The directory, which the caller frees, of a pack that is here. 0; -EBADMSG; -errno. */
int pack_file_list(const struct pack_file *f, struct pack_entry **out, size_t *count);
/* Writes directory and trailer of LIST at offset AT of FD. *END: where the file ends then. 0 or -errno. */
int pack_file_end(int fd, uint64_t at, const struct pack_entry *list, size_t count, uint64_t *end);

void pack_file_name(uint64_t number, char name[PACK_NAME_MAX]);
/* False for another name, that of an unfinished pack included. */
bool pack_file_name_parse(const char *name, uint64_t *number);

#endif
