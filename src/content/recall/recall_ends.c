/*
 * Head and tail of what leaves for the cloud stay in cache/, for those who look at a file without reading it: file(1),
 * thumbnailers, head(1), readers of a Parquet file's footer.
 *
 *	cache/ID-CONTENT.ends	a header, then the first and the last RECALL_END bytes; of a file that has no more than
 *				both, all of it
 *
 * They are a hundredth of the disk at most; then those that were used longest ago go. They need not survive a power
 * failure: a checksum tells.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/full_io.h"
#include "base/cleanup.h"
#include "content/recall/recall_int.h"

#define MAGIC "tarnends"
#define ENDS_PART 100

struct ends_header {
	char magic[8];
	uint64_t size;
	uint8_t content[PART_CONTENT];
	uint8_t sha256[SHA256_BYTES]; /* of the bytes that follow */
};

/* How many bytes of each end: *TAIL is 0 when the head is all there is. */
static void measure(uint64_t size, size_t *head, size_t *tail)
{
	bool all = size <= 2 * RECALL_END;

	*head = all ? (size_t)size : RECALL_END;
	*tail = all ? 0 : RECALL_END;
}

static bool read_exactly(int fd, char *to, size_t len, uint64_t at)
{
	return read_full_at(fd, to, len, at) == (ssize_t)len;
}

/* ---- keeping ---- */

static int write_ends(int cachefd, const char *name, const char *bytes, size_t len)
{
	_cleanup_close_ int fd = openat(cachefd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -errno : write_full_at(fd, bytes, len, 0);

	if (rc < 0 && fd >= 0)
		unlinkat(cachefd, name, 0);
	return rc;
}

static bool has_room(struct recalls *rs, int cachefd, size_t len)
{
	uint64_t total = 0, left = recall_calls.room(cachefd, &total);

	return left > total / ENDS_PART && recall_count_ends(rs, cachefd, len, total / ENDS_PART);
}

void recall_keep_ends(struct recalls *rs, int cachefd, const struct recall_source *s, int fd)
{
	struct ends_header h = {.magic = MAGIC, .size = s->size};
	char name[RECALL_NAME_MAX];
	struct recall_key of = {.id = s->id};
	_cleanup_free_ char *bytes = NULL;
	size_t head, tail;

	measure(s->size, &head, &tail);
	if (!s->hashed || !s->size || !has_room(rs, cachefd, sizeof(h) + head + tail))
		return;
	recall_tell_content(s, of.content);
	memcpy(h.content, of.content, PART_CONTENT);
	bytes = malloc(sizeof(h) + head + tail);
	if (!bytes || !read_exactly(fd, bytes + sizeof(h), head, 0) ||
	    !read_exactly(fd, bytes + sizeof(h) + head, tail, s->size - tail) ||
	    EVP_Digest(bytes + sizeof(h), head + tail, h.sha256, NULL, EVP_sha256(), NULL) != 1)
		return;
	memcpy(bytes, &h, sizeof(h));
	recall_key_name(&of, RECALL_ENDS_FILE, name);
	write_ends(cachefd, name, bytes, sizeof(h) + head + tail);
}

bool recall_has_ends(int cachefd, const struct recall_source *s)
{
	struct recall_key of = {.id = s->id};
	char name[RECALL_NAME_MAX];

	recall_tell_content(s, of.content);
	recall_key_name(&of, RECALL_ENDS_FILE, name);
	return !faccessat(cachefd, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* ---- using them ---- */

/* The bytes behind a header that is right; NULL: there are none. */
static char *read_ends(const struct recall *r, size_t len)
{
	struct ends_header h;
	uint8_t sha256[SHA256_BYTES];
	char name[RECALL_NAME_MAX], *bytes;
	_cleanup_close_ int fd = -1;

	recall_file_name(r, RECALL_ENDS_FILE, name);
	fd = openat(r->cachefd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || !read_exactly(fd, (char *)&h, sizeof(h), 0) || memcmp(h.magic, MAGIC, sizeof(h.magic)) != 0 ||
	    h.size != r->size || memcmp(h.content, r->of.content, PART_CONTENT) != 0)
		return NULL;
	bytes = malloc(len);
	if (bytes && read_exactly(fd, bytes, len, sizeof(h)) &&
	    EVP_Digest(bytes, len, sha256, NULL, EVP_sha256(), NULL) == 1 && !memcmp(sha256, h.sha256, sizeof(sha256)))
		return bytes;
	free(bytes);
	return NULL;
}

void recall_begin_with_ends(struct recall *r)
{
	_cleanup_free_ char *bytes = NULL;
	size_t head, tail;

	measure(r->size, &head, &tail);
	bytes = r->size ? read_ends(r, head + tail) : NULL;
	if (!bytes)
		return;
	if (!write_full_at(r->fd, bytes, head, 0))
		extents_add(&r->here, 0, head);
	if (tail && !write_full_at(r->fd, bytes + head, tail, r->size - tail))
		extents_add(&r->here, r->size - tail, r->size);
}
