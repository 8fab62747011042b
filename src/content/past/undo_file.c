#include "content/past/undo_file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/cleanup.h"
#include "base/full_io.h"
#include "content/past/undo_int.h"

struct undo_calls undo_calls = {.write = pwritev, .sync = fdatasync};

uint64_t undo_checksum(const void *bytes, size_t len)
{
	uint8_t sha[SHA256_DIGEST_LENGTH];
	uint64_t sum;

	SHA256(bytes, len, sha);
	memcpy(&sum, sha, sizeof(sum));
	return sum; /* eight bytes as they are: the same on every machine */
}

/* ---- the map ---- */

/* The index of the first extent that ends after AT. */
static size_t first_after_locked(const struct undo_file *u, uint64_t at)
{
	size_t low = 0, high = u->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (u->extents[middle].offset + u->extents[middle].length > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

int undo_make_room_locked(struct undo_file *u, size_t more)
{
	size_t room = u->room ? u->room : 16;
	struct undo_extent *extents;

	while (room < u->n + more)
		room *= 2;
	if (room == u->room)
		return 0;
	extents = reallocarray(u->extents, room, sizeof(*extents));
	if (!extents)
		return -ENOMEM;
	u->extents = extents;
	u->room = room;
	return 0;
}

bool undo_insert_locked(struct undo_file *u, const struct undo_extent *e)
{
	size_t i = first_after_locked(u, e->offset);

	if (i < u->n && u->extents[i].offset < e->offset + e->length)
		return false;
	memmove(u->extents + i + 1, u->extents + i, (u->n - i) * sizeof(*u->extents));
	u->extents[i] = *e;
	u->n++;
	return true;
}

bool undo_file_find(struct undo_file *u, uint64_t at, struct undo_extent *e, uint64_t *run)
{
	SCOPED_LOCK(&u->lock);
	size_t i = first_after_locked(u, at);

	if (i == u->n)
		return false;
	if (u->extents[i].offset > at) {
		if (u->extents[i].offset - at < *run)
			*run = u->extents[i].offset - at;
		return false;
	}
	*e = u->extents[i];
	return true;
}

bool undo_file_covers(struct undo_file *u, uint64_t from, uint64_t to)
{
	SCOPED_LOCK(&u->lock);

	for (size_t i = first_after_locked(u, from); from < to; i++) {
		if (i == u->n || u->extents[i].offset > from)
			return false;
		from = u->extents[i].offset + u->extents[i].length;
	}
	return true;
}

bool undo_file_is_empty(struct undo_file *u)
{
	SCOPED_LOCK(&u->lock);

	return !u->n;
}

uint64_t undo_file_bytes(struct undo_file *u)
{
	return u->fresh ? 0 : u->file_end;
}

/* ---- life ---- */

static struct undo_file *new_file(int fd, uint64_t node, uint64_t version)
{
	struct undo_file *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->fd = fd;
	u->folderfd = -1;
	u->node = node;
	u->version = version;
	u->fresh = true;
	u->file_end = UNDO_HEADER;
	u->last_end = UINT64_MAX;
	pthread_mutex_init(&u->lock, NULL);
	return u;
}

void undo_file_free(struct undo_file *u)
{
	if (!u)
		return;
	close(u->fd);
	if (u->folderfd >= 0)
		close(u->folderfd);
	pthread_mutex_destroy(&u->lock);
	free(u->extents);
	free(u);
}

static int open_folder_of(int dirfd, const char *name)
{
	char folder[64];
	int fd;

	snprintf(folder, sizeof(folder), "%.*s", (int)strcspn(name, "/"), name);
	fd = openat(dirfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int undo_file_create(int dirfd, const char *name, uint64_t node, uint64_t version, struct undo_file **out)
{
	_cleanup_close_ int folderfd = open_folder_of(dirfd, name);
	int fd;

	if (folderfd < 0)
		return folderfd;
	fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	*out = new_file(fd, node, version);
	if (!*out) {
		close(fd);
		unlinkat(dirfd, name, 0);
		return -ENOMEM;
	}
	(*out)->folderfd = steal_fd(&folderfd);
	return 0;
}

/* ---- loading ---- */

bool undo_read_exactly(int fd, void *to, size_t len, uint64_t at)
{
	return read_full_at(fd, to, len, at) == (ssize_t)len;
}

static bool header_is_right(int fd, uint64_t node, uint64_t version)
{
	struct undo_header h;

	return undo_read_exactly(fd, &h, sizeof(h), 0) && !memcmp(h.magic, UNDO_MAGIC, sizeof(h.magic)) &&
	       le32toh(h.format) == UNDO_FORMAT && h.sum == undo_checksum(&h, offsetof(struct undo_header, sum)) &&
	       le64toh(h.node) == node && le64toh(h.version) == version;
}

/* A whole record at *AT: its extent, its batch, and *AT is behind it. */
static bool read_head(int fd, uint64_t size, uint64_t *at, struct undo_extent *e, uint64_t *batch)
{
	struct undo_head h;

	if (size - *at < sizeof(h) || !undo_read_exactly(fd, &h, sizeof(h), *at) ||
	    le32toh(h.magic) != UNDO_RECORD_MAGIC || h.sum != undo_checksum(&h, offsetof(struct undo_head, sum)))
		return false;
	*e = (struct undo_extent){le64toh(h.offset), le64toh(h.length), *at + sizeof(h), h.bytes_sum};
	*batch = le64toh(h.batch);
	*at += sizeof(h);
	if (le32toh(h.kind) == UNDO_KIND_ZEROS) {
		e->at = 0;
		return e->length;
	}
	if (!e->length || e->length > UNDO_RECORD || e->length > size - *at)
		return false;
	*at += e->length;
	return true;
}

int undo_file_read(struct undo_file *u, const struct undo_extent *e, uint64_t at, size_t len, void *to)
{
	_cleanup_free_ char *bytes = NULL;

	if (!e->at) {
		memset(to, 0, len);
		return 0;
	}
	bytes = malloc(e->length);
	if (!bytes)
		return -ENOMEM;
	if (!undo_read_exactly(u->fd, bytes, e->length, e->at) || undo_checksum(bytes, e->length) != e->sum)
		return -EIO;
	memcpy(to, bytes + (at - e->offset), len);
	return 0;
}

static bool is_whole(struct undo_file *u, const struct undo_extent *e)
{
	char byte;

	return !undo_file_read(u, e, e->offset, 1, &byte);
}

/* Is there a first record, or more than one batch, or another header? Then the header was written, and is damaged. */
static bool was_begun(int fd, uint64_t size)
{
	uint64_t at = UNDO_HEADER, batch;
	struct undo_extent e;
	struct undo_header h;

	return size > UNDO_HEADER + UNDO_BATCH_MOST ||
	       (size >= UNDO_HEADER &&
		((undo_read_exactly(fd, &h, sizeof(h), 0) && !memcmp(h.magic, UNDO_MAGIC, sizeof(h.magic))) ||
		 read_head(fd, size, &at, &e, &batch)));
}

/* Takes the records up to the first that is not whole, behind KNOWN; *END is where that begins. */
static int load_records(struct undo_file *u, uint64_t size, uint64_t known, uint64_t *end)
{
	uint64_t at = UNDO_HEADER, batch, last = 0;
	struct undo_extent e;
	int rc;

	/* In two rounds: a batch was written before the next was begun, so only the last one's bytes are checked. */
	while (read_head(u->fd, size, &at, &e, &batch))
		last = batch > last ? batch : last;
	at = *end = UNDO_HEADER;
	while (read_head(u->fd, size, &at, &e, &batch) && (batch != last || *end < known || is_whole(u, &e))) {
		rc = undo_make_room_locked(u, 1);
		if (rc < 0)
			return rc;
		if (!undo_insert_locked(u, &e))
			return -EUCLEAN;
		*end = at;
	}
	u->batch = last;
	return *end < known ? -EUCLEAN : 0;
}

int undo_file_load(int dirfd, const char *name, uint64_t node, uint64_t version, uint64_t known, struct undo_file **out)
{
	int fd = openat(dirfd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC), rc = 0;
	struct undo_file *u;
	struct stat st;
	uint64_t end = UNDO_HEADER;

	if (fd < 0 && errno == EROFS)
		fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	u = new_file(fd, node, version);
	if (!u) {
		close(fd);
		return -ENOMEM;
	}
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (header_is_right(fd, node, version))
		u->fresh = false;
	else if (known || was_begun(fd, (uint64_t)st.st_size))
		rc = -EUCLEAN;
	if (!rc && !u->fresh)
		rc = load_records(u, (uint64_t)st.st_size, known, &end);
	if (!rc && !u->fresh && (uint64_t)st.st_size - end > UNDO_BATCH_MOST)
		rc = -EUCLEAN; /* no batch is that long: more than a torn one is unreadable */
	if (rc < 0) {
		undo_file_free(u);
		return rc;
	}
	u->file_end = end;
	u->torn = (uint64_t)st.st_size > end || u->fresh;
	*out = u;
	return 0;
}
