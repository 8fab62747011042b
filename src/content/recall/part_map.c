#include "content/recall/part_map.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/cleanup.h"

#define MAGIC "tarnpart"
#define FORMAT 1

enum { HERE = 1, GONE };

struct header {
	char magic[8];
	uint32_t format, spare;
	uint64_t size;
	uint8_t content[PART_CONTENT];
	uint64_t spare2;
	uint64_t sum; /* of all before it */
};
_Static_assert(sizeof(struct header) == PART_HEADER, "the header is as the format says");

struct part_record {
	uint32_t kind, spare;
	uint64_t number, from, to;
	uint64_t sum; /* of all before it */
};
_Static_assert(sizeof(struct part_record) == PART_RECORD, "a record is as the format says");

struct part_map {
	int fd;
	uint64_t number; /* of the next record */
};

static uint64_t checksum(const void *bytes, size_t len)
{
	uint8_t sha[SHA256_DIGEST_LENGTH];
	uint64_t sum;

	SHA256(bytes, len, sha);
	memcpy(&sum, sha, sizeof(sum));
	return sum; /* eight bytes as they are: the same on every machine */
}

static bool has_header(int fd, uint64_t size, const uint8_t content[PART_CONTENT])
{
	struct header h;

	return pread(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) && !memcmp(h.magic, MAGIC, sizeof(h.magic)) &&
	       le32toh(h.format) == FORMAT && h.sum == checksum(&h, offsetof(struct header, sum)) &&
	       le64toh(h.size) == size && !memcmp(h.content, content, PART_CONTENT);
}

static int begin(int fd, uint64_t size, const uint8_t content[PART_CONTENT])
{
	struct header h = {.format = htole32(FORMAT), .size = htole64(size)};

	memcpy(h.magic, MAGIC, sizeof(h.magic));
	memcpy(h.content, content, PART_CONTENT);
	h.sum = checksum(&h, offsetof(struct header, sum));
	if (ftruncate(fd, 0) < 0 || pwrite(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h))
		return errno ? -errno : -EIO;
	return 0;
}

static off_t place_of(uint64_t number)
{
	return (off_t)(PART_HEADER + number * PART_RECORD);
}

/* The next record, when there is a whole one. */
static bool read_record(struct part_map *m, uint64_t size, struct part_record *r)
{
	return pread(m->fd, r, sizeof(*r), place_of(m->number)) == (ssize_t)sizeof(*r) &&
	       r->sum == checksum(r, offsetof(struct part_record, sum)) && le64toh(r->number) == m->number &&
	       le64toh(r->from) < le64toh(r->to) && le64toh(r->to) <= size;
}

static int load(struct part_map *m, uint64_t size, struct extents *here)
{
	struct part_record r;
	int rc = 0;

	for (; !rc && read_record(m, size, &r); m->number++) {
		if (le32toh(r.kind) == HERE)
			rc = extents_add(here, le64toh(r.from), le64toh(r.to));
		else if (le32toh(r.kind) == GONE)
			rc = extents_remove(here, le64toh(r.from), le64toh(r.to));
		else
			break;
	}
	/* What follows is torn: it must not stand behind the next record. */
	return rc ? rc : ftruncate(m->fd, place_of(m->number)) < 0 ? -errno : 0;
}

int part_map_open(int dirfd, const char *name, uint64_t size, const uint8_t content[PART_CONTENT],
		  struct part_map **out, struct extents *here)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct part_map *m;
	int rc;

	if (fd < 0)
		return -errno;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->fd = fd;
	extents_clear(here);
	rc = has_header(fd, size, content) ? load(m, size, here) : begin(fd, size, content);
	if (rc < 0) {
		free(m);
		return rc;
	}
	steal_fd(&fd);
	*out = m;
	return 0;
}

void part_map_close(struct part_map *m)
{
	if (!m)
		return;
	close(m->fd);
	free(m);
}

static int append(struct part_map *m, uint32_t kind, uint64_t from, uint64_t to)
{
	struct part_record r = {
		.kind = htole32(kind), .number = htole64(m->number), .from = htole64(from), .to = htole64(to)};
	ssize_t n;

	r.sum = checksum(&r, offsetof(struct part_record, sum));
	n = pwrite(m->fd, &r, sizeof(r), place_of(m->number));
	if (n != (ssize_t)sizeof(r))
		return n < 0 ? -errno : -ENOSPC;
	m->number++;
	return 0;
}

int part_map_here(struct part_map *m, uint64_t from, uint64_t to)
{
	return append(m, HERE, from, to);
}

int part_map_sync(struct part_map *m)
{
	return fdatasync(m->fd) < 0 ? -errno : 0;
}

int part_map_gone(struct part_map *m, uint64_t from, uint64_t to)
{
	int rc = append(m, GONE, from, to);

	return rc ? rc : part_map_sync(m);
}
