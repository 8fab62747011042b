#include "content/pack/pack_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "content/pack/pack_index.h"
#include "content/pack/pack_io.h"
#include "content/recall/recall.h"

#define MAGIC_BEGIN "tarnpck1"
#define MAGIC_END "tarnend1"
#define MAGIC_LEN 8
#define ENTRY (SHA256_BYTES + 24)
#define TRAILER (16 + PACK_CHECK + MAGIC_LEN)

void pack_file_name(uint64_t number, char name[PACK_NAME_MAX])
{
	snprintf(name, PACK_NAME_MAX, "%08" PRIx64 ".pack", number);
}

bool pack_file_name_parse(const char *name, uint64_t *number)
{
	int end = 0;

	return sscanf(name, "%" SCNx64 ".pack%n", number, &end) == 1 && end && !name[end];
}

int pack_file_new(int fd, uint64_t number, struct pack_file **out)
{
	struct pack_file *f = calloc(1, sizeof(*f));

	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	f->fd = fd;
	f->number = number;
	atomic_init(&f->refs, 1);
	*out = f;
	return 0;
}

int pack_file_new_away(struct recall *recall, struct pack_index *index, uint64_t number, struct pack_file **out)
{
	struct pack_file *f = calloc(1, sizeof(*f));

	if (!f) {
		recall_close(recall);
		pack_index_close(index);
		return -ENOMEM;
	}
	*f = (struct pack_file){.fd = -1, .recall = recall, .index = index, .number = number};
	atomic_init(&f->refs, 1);
	*out = f;
	return 0;
}

struct pack_file *pack_file_ref(struct pack_file *f)
{
	atomic_fetch_add(&f->refs, 1);
	return f;
}

void pack_file_unref(struct pack_file *f)
{
	if (atomic_fetch_sub(&f->refs, 1) > 1)
		return;
	if (f->fd >= 0)
		close(f->fd);
	recall_close(f->recall);
	pack_index_close(f->index);
	free(f);
}

/* What came already is read as it is: it is not the next step of somebody who reads in order. */
static bool read_what_came(const struct pack_file *f, void *to, size_t len, uint64_t at)
{
	bool there;

	recall_hold(f->recall);
	there = at + len <= recall_size(f->recall) && recall_has(f->recall, at, len) &&
		!pack_pread(recall_fd(f->recall), to, len, at);
	recall_let_go(f->recall);
	return there;
}

int pack_file_read(const void *arg, void *to, size_t len, uint64_t at)
{
	const struct pack_file *f = arg;
	ssize_t n;

	if (!f->recall)
		return pack_pread(f->fd, to, len, at);
	if (read_what_came(f, to, len, at))
		return 0;
	n = recall_read(f->recall, to, len, at, NULL);
	return n < 0 ? (int)n : (size_t)n == len ? 0 : -EBADMSG;
}

bool pack_file_has(const struct pack_file *f, uint64_t at, uint64_t len)
{
	return !f->recall || recall_has(f->recall, at, len);
}

int pack_file_map(const struct pack_file *f, const uint8_t *sha256, uint64_t offset, uint64_t length,
		  struct pack_map *out)
{
	int rc = f->index && sha256 ? pack_index_map(f->index, sha256, length, out) : -ENOENT;

	/* A damaged index is only a pity. */
	return rc == -ENOENT || rc == -EBADMSG ? pack_map_read_by(pack_file_read, f, offset, length, 0, out) : rc;
}

int pack_file_open(int packsfd, uint64_t number, struct pack_file **out)
{
	char name[PACK_NAME_MAX], magic[MAGIC_LEN];
	_cleanup_close_ int fd = -1;
	struct stat st;
	int rc;

	pack_file_name(number, name);
	fd = openat(packsfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	rc = st.st_size < PACK_HEADER + TRAILER ? -EBADMSG : pack_pread(fd, magic, sizeof(magic), 0);
	if (!rc && memcmp(magic, MAGIC_BEGIN, MAGIC_LEN))
		rc = -EBADMSG;
	return rc < 0 ? rc : pack_file_new(steal_fd(&fd), number, out);
}

/* ---- the directory ---- */

static void check_directory(const uint8_t *entries, size_t len, uint8_t check[PACK_CHECK])
{
	if (pack_check(entries, len, check))
		memset(check, 0, PACK_CHECK);
}

int pack_file_list(const struct pack_file *f, struct pack_entry **out, size_t *count)
{
	uint8_t trailer[TRAILER], check[PACK_CHECK];
	_cleanup_free_ uint8_t *bytes = NULL;
	uint64_t at, n, end;
	struct stat st;
	int rc;

	if (fstat(f->fd, &st) < 0)
		return -errno;
	if (st.st_size < PACK_HEADER + TRAILER)
		return -EBADMSG;
	end = (uint64_t)st.st_size - TRAILER;
	rc = pack_pread(f->fd, trailer, TRAILER, end);
	if (rc < 0)
		return rc;
	at = pack_get64(trailer);
	n = pack_get64(trailer + 8);
	if (memcmp(trailer + 16 + PACK_CHECK, MAGIC_END, MAGIC_LEN) || at < PACK_HEADER || at > end ||
	    n != (end - at) / ENTRY || (end - at) % ENTRY)
		return -EBADMSG;
	bytes = malloc(n * ENTRY + 1);
	*out = calloc(n + 1, sizeof(**out));
	if (!bytes || !*out)
		rc = -ENOMEM;
	if (!rc)
		rc = pack_pread(f->fd, bytes, n * ENTRY, at);
	if (!rc)
		check_directory(bytes, n * ENTRY, check);
	if (!rc && memcmp(check, trailer + 16, PACK_CHECK))
		rc = -EBADMSG;
	for (size_t i = 0; !rc && i < n; i++) {
		const uint8_t *from = bytes + i * ENTRY;
		struct pack_entry *e = &(*out)[i];

		memcpy(e->sha256, from, SHA256_BYTES);
		e->size = pack_get64(from + SHA256_BYTES);
		e->offset = pack_get64(from + SHA256_BYTES + 8);
		e->length = pack_get64(from + SHA256_BYTES + 16);
	}
	if (rc < 0) {
		free(*out);
		*out = NULL;
	}
	*count = rc < 0 ? 0 : n;
	return rc;
}

int pack_file_end(int fd, uint64_t at, const struct pack_entry *list, size_t count, uint64_t *end)
{
	size_t len = count * ENTRY;
	_cleanup_free_ uint8_t *bytes = malloc(len + TRAILER);
	int rc;

	if (!bytes)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		uint8_t *to = bytes + i * ENTRY;

		memcpy(to, list[i].sha256, SHA256_BYTES);
		pack_put64(to + SHA256_BYTES, list[i].size);
		pack_put64(to + SHA256_BYTES + 8, list[i].offset);
		pack_put64(to + SHA256_BYTES + 16, list[i].length);
	}
	pack_put64(bytes + len, at);
	pack_put64(bytes + len + 8, count);
	check_directory(bytes, len, bytes + len + 16);
	memcpy(bytes + len + 16 + PACK_CHECK, MAGIC_END, MAGIC_LEN);
	rc = pack_pwrite(fd, MAGIC_BEGIN, MAGIC_LEN, 0);
	if (!rc)
		rc = pack_pwrite(fd, bytes, len + TRAILER, at);
	*end = at + len + TRAILER;
	return rc;
}
