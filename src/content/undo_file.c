#include "content/undo_file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/cleanup.h"

#define MAGIC "tarnundo"
#define RECORD_MAGIC 0x6f646e75u /* "undo" */
#define FORMAT 1
#define IOVECS 128

enum { KIND_BYTES = 1, KIND_ZEROS };

struct header {
	char magic[8];
	uint32_t format, spare;
	uint64_t node, version;
	uint64_t spares[3];
	uint64_t sum; /* of all before it */
};
_Static_assert(sizeof(struct header) == UNDO_HEADER, "the header is as the format says");

struct head {
	uint32_t magic, kind;
	uint64_t batch, offset, length;
	uint64_t bytes_sum, spare;
	uint64_t sum; /* of all before it */
};
_Static_assert(sizeof(struct head) == UNDO_HEAD, "a head is as the format says");

struct undo_file {
	int fd;
	/* of who saves */
	uint64_t batch;		   /* the number of the last one */
	bool torn;		   /* something lies behind file_end */
	uint64_t last_end, ahead;  /* where the last save ended, and how far ahead it went */
	_Atomic uint64_t file_end; /* where the next record goes */

	pthread_mutex_t lock; /* no call is made under it */
	/* protected by lock: by offset, not overlapping */
	struct undo_extent *extents;
	size_t n, room;
};

struct undo_calls undo_calls = {.write = pwritev, .sync = fdatasync};

static uint64_t checksum(const void *bytes, size_t len)
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

static int make_room_locked(struct undo_file *u, size_t more)
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

/* There is room. False when it overlaps what is there. */
static bool insert_locked(struct undo_file *u, const struct undo_extent *e)
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
	return u->file_end;
}

/* ---- life ---- */

static struct undo_file *new_file(int fd)
{
	struct undo_file *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->fd = fd;
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
	pthread_mutex_destroy(&u->lock);
	free(u->extents);
	free(u);
}

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

static int sync_folder_of(int dirfd, const char *name)
{
	_cleanup_close_ int fd = -1;
	char folder[64];

	snprintf(folder, sizeof(folder), "%.*s", (int)strcspn(name, "/"), name);
	fd = openat(dirfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int write_header(int fd, uint64_t node, uint64_t version)
{
	struct header h = {.format = htole32(FORMAT), .node = htole64(node), .version = htole64(version)};

	memcpy(h.magic, MAGIC, sizeof(h.magic));
	h.sum = checksum(&h, offsetof(struct header, sum));
	return write_all(fd, &(struct iovec){&h, sizeof(h)}, 1, 0);
}

int undo_file_create(int dirfd, const char *name, uint64_t node, uint64_t version, struct undo_file **out)
{
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), rc;

	if (fd < 0)
		return -errno;
	rc = write_header(fd, node, version);
	if (!rc && undo_calls.sync(fd) < 0)
		rc = -errno;
	if (!rc)
		rc = sync_folder_of(dirfd, name);
	*out = rc ? NULL : new_file(fd);
	if (*out)
		return 0;
	unlinkat(dirfd, name, 0);
	close(fd);
	return rc ? rc : -ENOMEM;
}

/* ---- loading ---- */

static bool read_exactly(int fd, void *to, size_t len, uint64_t at)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, (char *)to + done, len - done, (off_t)(at + done));

		if (n <= 0 && !(n < 0 && errno == EINTR))
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static bool header_is_right(int fd, uint64_t node, uint64_t version)
{
	struct header h;

	return read_exactly(fd, &h, sizeof(h), 0) && !memcmp(h.magic, MAGIC, sizeof(h.magic)) &&
	       le32toh(h.format) == FORMAT && h.sum == checksum(&h, offsetof(struct header, sum)) &&
	       le64toh(h.node) == node && le64toh(h.version) == version;
}

/* A whole record at *AT: its extent, its batch, and *AT is behind it. */
static bool read_head(int fd, uint64_t size, uint64_t *at, struct undo_extent *e, uint64_t *batch)
{
	struct head h;

	if (size - *at < sizeof(h) || !read_exactly(fd, &h, sizeof(h), *at) || le32toh(h.magic) != RECORD_MAGIC ||
	    h.sum != checksum(&h, offsetof(struct head, sum)))
		return false;
	*e = (struct undo_extent){le64toh(h.offset), le64toh(h.length), *at + sizeof(h), h.bytes_sum};
	*batch = le64toh(h.batch);
	*at += sizeof(h);
	if (le32toh(h.kind) == KIND_ZEROS) {
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
	if (!read_exactly(u->fd, bytes, e->length, e->at) || checksum(bytes, e->length) != e->sum)
		return -EIO;
	memcpy(to, bytes + (at - e->offset), len);
	return 0;
}

static bool is_whole(struct undo_file *u, const struct undo_extent *e)
{
	char byte;

	return !undo_file_read(u, e, e->offset, 1, &byte);
}

/* Takes the records up to the first that is not whole; *END is where that begins. */
static int load_records(struct undo_file *u, uint64_t size, uint64_t *end)
{
	uint64_t at = UNDO_HEADER, batch, last = 0;
	struct undo_extent e;
	int rc;

	/* In two rounds: a batch was written before the next was begun, so only the last one's bytes are checked. */
	while (read_head(u->fd, size, &at, &e, &batch))
		last = batch > last ? batch : last;
	at = *end = UNDO_HEADER;
	while (read_head(u->fd, size, &at, &e, &batch) && (batch != last || is_whole(u, &e))) {
		rc = make_room_locked(u, 1);
		if (rc < 0)
			return rc;
		if (!insert_locked(u, &e))
			return -EUCLEAN;
		*end = at;
	}
	u->batch = last;
	return 0;
}

int undo_file_load(int dirfd, const char *name, uint64_t node, uint64_t version, struct undo_file **out)
{
	int fd = openat(dirfd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC), rc = 0;
	struct undo_file *u;
	struct stat st;
	uint64_t end = UNDO_HEADER;

	if (fd < 0 && errno == EROFS)
		fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	u = new_file(fd);
	if (!u) {
		close(fd);
		return -ENOMEM;
	}
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (st.st_size < UNDO_HEADER) /* a crash came before its making was durable: nothing was overwritten */
		rc = unlinkat(dirfd, name, 0) < 0 ? -errno : -ENOENT;
	else if (!header_is_right(fd, node, version))
		rc = -EUCLEAN;
	if (!rc)
		rc = load_records(u, (uint64_t)st.st_size, &end);
	if (!rc && (uint64_t)st.st_size - end > UNDO_BATCH + UNDO_BATCH / UNDO_BLOCK * UNDO_HEAD + UNDO_HEAD)
		rc = -EUCLEAN; /* no batch is that long: more than a torn one is unreadable */
	if (rc < 0) {
		undo_file_free(u);
		return rc;
	}
	u->file_end = end;
	u->torn = (uint64_t)st.st_size > end;
	*out = u;
	return 0;
}

/* ---- saving ---- */

struct batch {
	struct undo_file *u;
	uint64_t limit, most;
	char *bytes; /* UNDO_BATCH at most, of `room` */
	size_t used, room;
	struct head *heads;
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
	b->v = calloc(2 * records, sizeof(*b->v));
	return b->bytes && b->heads && b->extents && b->v ? 0 : -ENOMEM;
}

static bool all_zeros(const char *bytes, size_t len)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, len - 1);
}

static void batch_add(struct batch *b, uint64_t offset, uint64_t length, const char *bytes)
{
	struct undo_extent *e = &b->extents[b->n];
	struct head *h = &b->heads[b->n++];

	b->v[b->nv++] = (struct iovec){h, sizeof(*h)};
	b->at += sizeof(*h);
	*e = (struct undo_extent){.offset = offset, .length = length};
	if (bytes) {
		e->at = b->at;
		e->sum = checksum(bytes, length);
		b->v[b->nv++] = (struct iovec){(char *)bytes, length};
		b->at += length;
	}
	*h = (struct head){.magic = htole32(RECORD_MAGIC),
			   .kind = htole32(bytes ? KIND_BYTES : KIND_ZEROS),
			   .batch = htole64(b->u->batch + 1),
			   .offset = htole64(offset),
			   .length = htole64(length),
			   .bytes_sum = e->sum};
	h->sum = checksum(h, offsetof(struct head, sum));
}

/* A short file has been cut from outside: what is not there cannot be saved. */
static int read_raw(int rawfd, char *to, uint64_t len, uint64_t at)
{
	errno = 0;
	return read_exactly(rawfd, to, len, at) ? 0 : errno ? -errno : -ENODATA;
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
	if (u->torn && ftruncate(u->fd, (off_t)u->file_end) < 0)
		return -errno;
	u->torn = true;
	rc = write_all(u->fd, b->v, b->nv, u->file_end);
	if (!rc && undo_calls.sync(u->fd) < 0)
		rc = -errno;
	if (rc < 0)
		return rc;
	SCOPED_LOCK(&u->lock);
	rc = make_room_locked(u, (size_t)b->n);
	if (rc < 0)
		return rc;
	u->torn = false;
	for (int i = 0; i < b->n; i++)
		insert_locked(u, &b->extents[i]);
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
