/* Saving into an undo file: what is not saved yet is read from the raw file, in batches, and appended. */
#include <endian.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "content/past/undo_int.h"

#define IOVECS 128

static int write_all(int fd, struct iovec *v, int n, uint64_t at)
{
	while (n) {
		ssize_t done = undo_calls.write(fd, v, n < IOVECS ? n : IOVECS, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		at += (uint64_t)done;
		for (; n && (size_t)done >= v->iov_len; v++, n--)
			done -= (ssize_t)v->iov_len;
		if (n) {
			v->iov_base = (char *)v->iov_base + done;
			v->iov_len -= (size_t)done;
		}
	}
	return 0;
}

/* Where a file system does not make the name of a new file durable with the file itself. */
static int sync_name(const struct undo_file *u)
{
	struct statfs fs;

	if (!fstatfs(u->fd, &fs) &&
	    (fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == XFS_SUPER_MAGIC || fs.f_type == BTRFS_SUPER_MAGIC))
		return 0;
	return fsync(u->folderfd) < 0 ? -errno : 0;
}

static void fill_header(struct undo_header *h, const struct undo_file *u)
{
	*h = (struct undo_header){
		.format = htole32(UNDO_FORMAT), .node = htole64(u->node), .version = htole64(u->version)};
	memcpy(h->magic, UNDO_MAGIC, sizeof(h->magic));
	h->sum = undo_checksum(h, offsetof(struct undo_header, sum));
}

struct batch {
	struct undo_file *u;
	struct undo_header header;
	uint64_t limit, most;
	char *bytes; /* UNDO_BATCH at most, of `room` */
	size_t used, room;
	struct undo_head *heads;
	struct undo_extent *extents;
	struct iovec *v;
	int n, nv;
	uint64_t at; /* in the undo file */
};

static void batch_release(struct batch *b)
{
	free(b->bytes);
	free(b->heads);
	free(b->extents);
	free(b->v);
}

/* For at most LEN bytes. */
static int batch_init(struct batch *b, struct undo_file *u, uint64_t len)
{
	size_t records = (size_t)(len / UNDO_BLOCK) + 2;

	*b = (struct batch){.u = u, .room = len, .at = u->file_end};
	b->bytes = malloc(len);
	b->heads = calloc(records, sizeof(*b->heads));
	b->extents = calloc(records, sizeof(*b->extents));
	b->v = calloc(2 * records + 1, sizeof(*b->v));
	if (!b->bytes || !b->heads || !b->extents || !b->v)
		return -ENOMEM;
	b->v[b->nv++] = (struct iovec){&b->header, sizeof(b->header)}; /* used when it is the first */
	return 0;
}

static bool all_zeros(const char *bytes, size_t len)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, len - 1);
}

static void batch_add(struct batch *b, uint64_t offset, uint64_t length, const char *bytes)
{
	struct undo_extent *e = &b->extents[b->n];
	struct undo_head *h = &b->heads[b->n++];

	b->v[b->nv++] = (struct iovec){h, sizeof(*h)};
	b->at += sizeof(*h);
	*e = (struct undo_extent){.offset = offset, .length = length};
	if (bytes) {
		e->at = b->at;
		e->sum = undo_checksum(bytes, length);
		b->v[b->nv++] = (struct iovec){(char *)bytes, length};
		b->at += length;
	}
	*h = (struct undo_head){.magic = htole32(UNDO_RECORD_MAGIC),
				.kind = htole32(bytes ? UNDO_KIND_BYTES : UNDO_KIND_ZEROS),
				.batch = htole64(b->u->batch + 1),
				.offset = htole64(offset),
				.length = htole64(length),
				.bytes_sum = e->sum};
	h->sum = undo_checksum(h, offsetof(struct undo_head, sum));
}

/* A short file has been cut from outside: what is not there cannot be saved. */
static int read_raw(int rawfd, char *to, uint64_t len, uint64_t at)
{
	errno = 0;
	return undo_read_exactly(rawfd, to, len, at) ? 0 : errno ? -errno : -ENODATA;
}

/* [FROM, TO), of which nothing is saved yet, in records. */
static int batch_read(struct batch *b, int rawfd, uint64_t from, uint64_t to)
{
	while (from < to) {
		uint64_t len = UNDO_RECORD - from % UNDO_RECORD;
		char *bytes = b->bytes + b->used;
		int rc;

		if (len > to - from)
			len = to - from;
		rc = read_raw(rawfd, bytes, len, from);
		if (rc < 0)
			return rc;
		if (all_zeros(bytes, len)) {
			batch_add(b, from, len, NULL);
		} else {
			batch_add(b, from, len, bytes);
			b->used += len;
		}
		from += len;
	}
	return 0;
}

static int batch_write(struct batch *b, uint64_t most)
{
	struct undo_file *u = b->u;
	int rc;

	if (!b->n)
		return 0;
	if (b->at > most)
		return -EFBIG;
	/* a record that stayed there from before would overlap one that is written now */
	if (u->torn && ftruncate(u->fd, u->fresh ? 0 : (off_t)u->file_end) < 0)
		return -errno;
	u->torn = true;
	if (u->fresh)
		fill_header(&b->header, u);
	rc = write_all(u->fd, u->fresh ? b->v : b->v + 1, u->fresh ? b->nv : b->nv - 1, u->fresh ? 0 : u->file_end);
	if (!rc && undo_calls.sync(u->fd) < 0)
		rc = -errno;
	if (!rc && u->folderfd >= 0)
		rc = sync_name(u);
	if (rc < 0)
		return rc;
	if (u->folderfd >= 0)
		close(u->folderfd);
	u->folderfd = -1;
	u->fresh = false;
	SCOPED_LOCK(&u->lock);
	rc = undo_make_room_locked(u, (size_t)b->n);
	if (rc < 0)
		return rc;
	u->torn = false;
	for (int i = 0; i < b->n; i++)
		undo_insert_locked(u, &b->extents[i]);
	u->batch++;
	u->file_end = b->at;
	return 0;
}

/* What of [FROM, TO) is not saved yet: its first piece. False: nothing. */
static bool next_gap(struct undo_file *u, uint64_t *from, uint64_t to, uint64_t *end)
{
	struct undo_extent e;

	for (; *from < to; *from = e.offset + e.length) {
		uint64_t run = to - *from;

		if (!undo_file_find(u, *from, &e, &run)) {
			*end = *from + run;
			return true;
		}
	}
	return false;
}

/* At most UNDO_BATCH bytes long. */
static int save_batch(struct undo_file *u, int rawfd, uint64_t from, uint64_t to, uint64_t most)
{
	struct batch b;
	uint64_t end;
	int rc = batch_init(&b, u, to - from);

	while (!rc && next_gap(u, &from, to, &end)) {
		rc = batch_read(&b, rawfd, from, end);
		from = end;
	}
	if (!rc)
		rc = batch_write(&b, most);
	batch_release(&b);
	return rc;
}

/* A hole is saved as one record. *TO is where it ends; false: there is none at FROM. */
static bool find_hole(int rawfd, uint64_t from, uint64_t *to)
{
	off_t data = lseek(rawfd, (off_t)from, SEEK_DATA);
	uint64_t end = data < 0 ? (errno == ENXIO ? *to : from) : (uint64_t)data;

	end -= end < *to ? end % UNDO_BLOCK : 0;
	if (end < from + UNDO_RECORD)
		return false;
	*to = end < *to ? end : *to;
	return true;
}

static int save_hole(struct undo_file *u, uint64_t from, uint64_t to, uint64_t most)
{
	uint64_t end;
	int rc = 0;

	while (!rc && next_gap(u, &from, to, &end)) {
		struct batch b;

		rc = batch_init(&b, u, UNDO_BLOCK);
		if (!rc) {
			batch_add(&b, from, end - from, NULL);
			rc = batch_write(&b, most);
		}
		batch_release(&b);
		from = end;
	}
	return rc;
}

static uint64_t ahead_of(struct undo_file *u, uint64_t from)
{
	u->ahead = from != u->last_end ? 0 : u->ahead ? u->ahead * 4 : UNDO_RECORD;
	if (u->ahead > UNDO_AHEAD)
		u->ahead = UNDO_AHEAD;
	return u->ahead;
}

static uint64_t round_up(uint64_t n)
{
	return n > UINT64_MAX - UNDO_BLOCK ? UINT64_MAX : (n + UNDO_BLOCK - 1) / UNDO_BLOCK * UNDO_BLOCK;
}

int undo_file_save(struct undo_file *u, int rawfd, uint64_t from, uint64_t to, uint64_t limit, uint64_t most)
{
	uint64_t end;
	int rc = 0;

	if (to > limit)
		to = limit;
	if (!next_gap(u, &from, to, &end))
		return 0;
	from -= from % UNDO_BLOCK;
	to = round_up(to);
	to += ahead_of(u, from);
	if (to > limit)
		to = limit;
	while (!rc && from < to) {
		end = to;
		if (find_hole(rawfd, from, &end)) {
			rc = save_hole(u, from, end, most);
		} else {
			end = to - from > UNDO_BATCH ? from + UNDO_BATCH : to;
			rc = save_batch(u, rawfd, from, end, most);
		}
		from = end;
	}
	if (!rc)
		u->last_end = to;
	return rc;
}
