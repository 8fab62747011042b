#include "content/pack/pack_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "content/pack/pack_add.h"
#include "content/pack/pack_io.h"

#define TEMP_SUFFIX ".new"

static int open_temp(struct pack_writer *w)
{
	int fd;

	snprintf(w->temp, sizeof(w->temp), "%08" PRIx64 TEMP_SUFFIX, w->number);
	fd = openat(w->packsfd, w->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : pack_file_new(fd, w->number, &w->file);
}

bool pack_writer_leftover(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot && !strcmp(dot, TEMP_SUFFIX) && strspn(name, "0123456789abcdef") == (size_t)(dot - name);
}

int pack_writer_new(int packsfd, uint64_t number, struct pack_cache *cache, struct pack_writer **out)
{
	struct pack_writer *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	w->packsfd = packsfd;
	w->number = number;
	w->cache = cache;
	w->at = PACK_HEADER;
	w->cctx = ZSTD_createCCtx();
	w->buffer = malloc(PACK_SEGMENT_MAX);
	w->whole = malloc(PACK_SEGMENT_MAX);
	w->delta = malloc(PACK_SEGMENT_MAX);
	w->spare = malloc(PACK_SEGMENT_MAX);
	rc = w->cctx && w->buffer && w->whole && w->delta && w->spare ? open_temp(w) : -ENOMEM;
	if (rc < 0) {
		pack_writer_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

void pack_writer_free(struct pack_writer *w)
{
	if (!w)
		return;
	if (w->file) {
		if (!w->finished)
			unlinkat(w->packsfd, w->temp, 0);
		pack_file_unref(w->file);
	}
	ZSTD_freeCCtx(w->cctx);
	free(w->buffer);
	free(w->whole);
	free(w->delta);
	free(w->spare);
	free(w->entries);
	free(w);
}

struct pack_file *pack_writer_file(struct pack_writer *w)
{
	return w->file;
}

uint64_t pack_writer_length(const struct pack_writer *w)
{
	return w->at;
}

size_t pack_writer_count(const struct pack_writer *w)
{
	return w->count;
}

/* ---- objects ---- */

static int reserve_entry(struct pack_writer *w)
{
	size_t room = w->room ? w->room * 2 : 16;
	struct pack_entry *more;

	if (w->count < w->room)
		return 0;
	more = reallocarray(w->entries, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	w->entries = more;
	w->room = room;
	return 0;
}

static void enter(struct pack_writer *w, const uint8_t sha256[SHA256_BYTES], uint64_t size, uint64_t length)
{
	struct pack_entry *e = &w->entries[w->count++];

	memcpy(e->sha256, sha256, SHA256_BYTES);
	e->size = size;
	e->offset = w->at;
	e->length = length;
	w->at += length;
}

int pack_writer_add(struct pack_writer *w, const struct pack_input *in, struct pack_object *base, unsigned ordinal,
		    struct pack_added *out)
{
	struct pack_place place = {.file = w->file, .offset = w->at};
	int rc = base && base->map.depth >= PACK_DEPTH_MAX ? -EINVAL : reserve_entry(w);

	if (!rc)
		rc = pack_add(w, in, base, ordinal, out);
	place.length = out->length;
	if (!rc)
		rc = pack_object_verify_at(w->cache, &place, out->based ? base : NULL, in->stop, in->arg);
	if (!rc)
		enter(w, out->sha256, out->size, out->length);
	return rc;
}

static int copy_bytes(struct pack_writer *w, const struct pack_place *from)
{
	int rc = 0;

	for (uint64_t done = 0; done < from->length && !rc;) {
		uint64_t rest = from->length - done;
		size_t n = rest < PACK_SEGMENT_MAX ? rest : PACK_SEGMENT_MAX;

		rc = pack_file_read(from->file, w->buffer, n, from->offset + done);
		if (!rc)
			rc = pack_pwrite(w->file->fd, w->buffer, n, w->at + done);
		done += n;
	}
	return rc;
}

int pack_writer_copy(struct pack_writer *w, const struct pack_place *from, const uint8_t sha256[SHA256_BYTES],
		     uint64_t *offset)
{
	struct pack_map map = {.count = 0};
	int rc = reserve_entry(w);

	if (!rc)
		rc = copy_bytes(w, from);
	if (!rc)
		rc = pack_map_read(w->file->fd, w->at, from->length, &map);
	if (!rc && memcmp(map.sha256, sha256, SHA256_BYTES))
		rc = -EIO;
	if (!rc) {
		*offset = w->at;
		enter(w, map.sha256, map.size, from->length);
	}
	pack_map_release(&map);
	return rc == -EBADMSG ? -EIO : rc;
}

void pack_writer_drop(struct pack_writer *w)
{
	if (w->count)
		w->at = w->entries[--w->count].offset;
}

/* ---- the end ---- */

int pack_writer_finish(struct pack_writer *w, uint64_t *length)
{
	char name[PACK_NAME_MAX];
	int rc = w->count ? 0 : -ENODATA;

	if (!rc)
		rc = pack_file_end(w->file->fd, w->at, w->entries, w->count, length);
	if (!rc && ftruncate(w->file->fd, (off_t)*length) < 0) /* of objects that were dropped */
		rc = -errno;
	if (!rc)
		rc = pack_fsync(w->file->fd);
	pack_file_name(w->number, name);
	if (!rc && renameat(w->packsfd, w->temp, w->packsfd, name) < 0)
		rc = -errno;
	if (rc < 0)
		return rc;
	rc = pack_fsync(w->packsfd);
	if (rc < 0)
		unlinkat(w->packsfd, name, 0);
	w->finished = true;
	return rc;
}
