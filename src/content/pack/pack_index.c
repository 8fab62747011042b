#include "content/pack/pack_index.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "content/pack/pack_io.h"

#define PIECE (64 * 1024)
#define LENGTH_AT PACK_CHECK /* in the trailer of a map */

struct pack_index {
	struct pack_file *file; /* as if it were a pack */
	struct pack_entry *list;
	size_t n;
};

void pack_index_name(uint64_t number, char name[PACK_NAME_MAX])
{
	snprintf(name, PACK_NAME_MAX, "%08" PRIx64 ".index", number);
}

bool pack_index_name_parse(const char *name, uint64_t *number)
{
	int end = 0;

	return sscanf(name, "%" SCNx64 ".index%n", number, &end) == 1 && end && !name[end];
}

static int by_hash(const void *a, const void *b)
{
	return memcmp(((const struct pack_entry *)a)->sha256, ((const struct pack_entry *)b)->sha256, SHA256_BYTES);
}

/* ---- writing ---- */

/* The map of E in PACK, with its trailer, goes to AT of FD; E says where it is then. */
static int copy_map(const struct pack_file *pack, struct pack_entry *e, int fd, uint64_t at)
{
	uint8_t trailer[PACK_TRAILER], piece[PIECE];
	uint64_t from, len;
	int rc = e->length < PACK_TRAILER ? -EBADMSG : 0;

	if (!rc)
		rc = pack_pread(pack->fd, trailer, sizeof(trailer), e->offset + e->length - PACK_TRAILER);
	if (rc)
		return rc;
	len = pack_get32(trailer + LENGTH_AT) + (uint64_t)PACK_TRAILER;
	if (len > e->length)
		return -EBADMSG;
	from = e->offset + e->length - len;
	for (uint64_t done = 0; done < len && !rc;) {
		size_t n = len - done < PIECE ? len - done : PIECE;

		rc = pack_pread(pack->fd, piece, n, from + done);
		if (!rc)
			rc = pack_pwrite(fd, piece, n, at + done);
		done += n;
	}
	e->offset = at;
	e->length = len;
	return rc;
}

static int write_all(const struct pack_file *pack, int fd)
{
	_cleanup_free_ struct pack_entry *list = NULL;
	uint64_t at = PACK_HEADER, end;
	size_t n;
	int rc = pack_file_list(pack, &list, &n);

	for (size_t i = 0; i < n && !rc; i++) {
		rc = copy_map(pack, &list[i], fd, at);
		at += list[i].length;
	}
	if (rc)
		return rc;
	if (n)
		qsort(list, n, sizeof(*list), by_hash);
	rc = pack_file_end(fd, at, list, n, &end);
	return rc ? rc : pack_fsync(fd);
}

int pack_index_write(int packsfd, const struct pack_file *pack)
{
	char name[PACK_NAME_MAX], temp[PACK_NAME_MAX];
	_cleanup_close_ int fd = -1;
	int rc;

	pack_index_name(pack->number, name);
	snprintf(temp, sizeof(temp), "%08" PRIx64 ".new", pack->number); /* as that of a pack: a crash's is removed */
	fd = openat(packsfd, temp, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = write_all(pack, fd);
	if (!rc && renameat(packsfd, temp, packsfd, name) < 0)
		rc = -errno;
	if (rc) {
		unlinkat(packsfd, temp, 0);
		return rc;
	}
	return pack_fsync(packsfd);
}

/* ---- reading ---- */

int pack_index_open(int packsfd, uint64_t number, struct pack_index **out)
{
	struct pack_index *x = calloc(1, sizeof(*x));
	char name[PACK_NAME_MAX];
	int fd, rc = x ? 0 : -ENOMEM;

	pack_index_name(number, name);
	if (!rc) {
		fd = openat(packsfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		rc = fd < 0 ? -errno : pack_file_new(fd, number, &x->file);
	}
	if (!rc)
		rc = pack_file_list(x->file, &x->list, &x->n);
	if (rc < 0) {
		pack_index_close(x);
		return rc;
	}
	*out = x;
	return 0;
}

void pack_index_close(struct pack_index *x)
{
	if (!x)
		return;
	if (x->file)
		pack_file_unref(x->file);
	free(x->list);
	free(x);
}

int pack_index_map(const struct pack_index *x, const uint8_t sha256[SHA256_BYTES], uint64_t length,
		   struct pack_map *out)
{
	struct pack_entry key;
	const struct pack_entry *e;

	memcpy(key.sha256, sha256, SHA256_BYTES);
	e = x->n ? bsearch(&key, x->list, x->n, sizeof(key), by_hash) : NULL;
	if (!e)
		return -ENOENT;
	if (e->length > length)
		return -EBADMSG;
	return pack_map_read_by(pack_file_read, x->file, e->offset, e->length, length - e->length, out);
}
