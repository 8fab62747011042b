/*
 * Writing a pack: objects one after the other into a file under a temporary name, which nobody knows until
 * pack_writer_finish(). One thread per writer; memory is bounded (some 20 MiB, and 80 bytes per segment).
 *
 * An object that was added can already be read, and be the base of the next one, through pack_writer_file(). Whatever
 * is added has been read back from the file and compared with its SHA-256 before pack_writer_add() returns.
 */
#ifndef TARN_CONTENT_PACK_PACK_WRITER_H
#define TARN_CONTENT_PACK_PACK_WRITER_H

#include "content/pack/pack_object.h"

struct pack_writer;

/* Where content comes from. */
struct pack_input {
	/* As pread: short only at the end; -errno. */
	ssize_t (*read)(void *arg, void *to, size_t len, uint64_t at);
	bool (*stop)(void *arg); /* asked before each segment, also while reading back; may be NULL */
	void *arg;
};

struct pack_added {
	uint8_t sha256[SHA256_BYTES];
	uint64_t size;
	uint64_t offset, length; /* its run of bytes */
	bool based;		 /* it builds on BASE, whose name this is: */
	uint8_t base[SHA256_BYTES];
	unsigned depth, ordinal; /* as in pack_map.h */
};

/* PACKSFD: the folder of packs, which stays open. NUMBER: of the pack. 0 or -errno. */
int pack_writer_new(int packsfd, uint64_t number, struct pack_cache *cache, struct pack_writer **out);
/*
 * Adds what IN has. BASE (may be NULL): an open object of depth below PACK_DEPTH_MAX whose content is like it, for the
 * object with this ORDINAL; it is used where that saves something. 0; -ECANCELED when IN says stop; -EIO: what was
 * written reads back as something else; -errno. After a failure the pack is as it was before.
 */
int pack_writer_add(struct pack_writer *w, const struct pack_input *in, struct pack_object *base, unsigned ordinal,
		    struct pack_added *out);
/*
 * Takes an object over from another pack, its run of bytes as it is; its map is checked, damaged segments stay damaged.
 * SHA256: which it is. OFFSET: where it is now. 0; -EIO; -errno.
 */
int pack_writer_copy(struct pack_writer *w, const struct pack_place *from, const uint8_t sha256[SHA256_BYTES],
		     uint64_t *offset);
/* The last object is not wanted after all. */
void pack_writer_drop(struct pack_writer *w);
/* The pack so far; borrowed. Offsets and lengths are those of pack_added. */
struct pack_file *pack_writer_file(struct pack_writer *w);
uint64_t pack_writer_length(const struct pack_writer *w);
size_t pack_writer_count(const struct pack_writer *w);
/*
 * The pack is complete, durable, and has its name. *LENGTH: of the file. 0; -ENODATA: there is nothing in it, and no
 * file; -errno: there is none.
 */
int pack_writer_finish(struct pack_writer *w, uint64_t *length);
/* Removes it unless it is finished. NULL is fine. */
void pack_writer_free(struct pack_writer *w);
static inline void pack_writer_freep(struct pack_writer **w)
{
	pack_writer_free(*w);
}
#define _cleanup_pack_writer_ __attribute__((cleanup(pack_writer_freep)))

/* Is it the name of a pack that was never finished? */
bool pack_writer_leftover(const char *name);

#endif
