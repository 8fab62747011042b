/*
 * What tarn says of a file in the folder: an extended attribute, or a file below .tarn%own/facts where there are none.
 *
 *	etag <32 hex>		the first half of the SHA-256 of the file's bytes
 *	stat <size> <mtime ns>	of the file when that was said: somebody may have written it since
 *	<name> <value>		tier/facts.h
 *
 * A file of facts may have two such blocks, with an empty line between: that of the object which is there, and that of
 * the one which takes its place a moment later.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/clock.h"
#include "tier/dir/dir_int.h"
#include "tier/facts.h"

#define XATTR "user.tarn.object"
#define TEXT_MAX 2048
#define HASH_IN_ETAG 16 /* bytes */

static int64_t mtime_of(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * NSEC_PER_SEC + st->st_mtim.tv_nsec;
}

static void add_line(void *arg, const char *name, const char *value)
{
	buf_addf(arg, "%s %s\n", name, value);
}

void dir_etag(char etag[TIER_ETAG_ROOM], const uint8_t sha256[32])
{
	for (int i = 0; i < HASH_IN_ETAG; i++)
		snprintf(etag + 2 * i, 3, "%02x", sha256[i]);
}

bool dir_etag_is_hash(const char *etag)
{
	return strlen(etag) == 2 * HASH_IN_ETAG && !strchr(etag, '-');
}

static void compose(struct buf *text, const struct tier_facts *facts, const char *etag, const struct stat *st)
{
	buf_addf(text, "etag %s\nstat %" PRIu64 " %" PRId64 "\n", etag, (uint64_t)st->st_size, mtime_of(st));
	facts_each(facts, add_line, text);
}

static void take_line(const char *line, size_t len, const struct stat *st, struct tier_head *head, bool *fits)
{
	const char *space = memchr(line, ' ', len);
	char name[32], value[128];
	uint64_t size;
	int64_t mtime;

	if (!space || (size_t)(space - line) >= sizeof(name) || len - (size_t)(space - line) > sizeof(value))
		return;
	snprintf(name, sizeof(name), "%.*s", (int)(space - line), line);
	snprintf(value, sizeof(value), "%.*s", (int)(len - (size_t)(space - line) - 1), space + 1);
	if (strcmp(name, "etag") == 0)
		snprintf(head->etag, sizeof(head->etag), "%.64s", value);
	else if (strcmp(name, "stat") == 0)
		*fits = sscanf(value, "%" SCNu64 " %" SCNd64, &size, &mtime) == 2 && size == (uint64_t)st->st_size &&
			mtime == mtime_of(st);
	else
		facts_take(&head->facts, name, value, strlen(value));
}

/* The block that fits the file; false: none does. *BLOCK: where it is, of *LEN bytes (both may be NULL). */
static bool take_text(const char *text, const struct stat *st, struct tier_head *head, const char **block, size_t *len)
{
	bool fits = false;

	while (*text && !fits) {
		const char *end = strstr(text, "\n\n"), *begin = text;
		size_t size = end ? (size_t)(end + 1 - text) : strlen(text);

		head->etag[0] = '\0';
		head->facts = (struct tier_facts){0};
		for (const char *line = text; line < text + size;) {
			size_t n = strcspn(line, "\n");

			take_line(line, n, st, head, &fits);
			line += n + 1;
		}
		fits = fits && head->etag[0];
		text += size + (end ? 1 : 0);
		if (fits && block) {
			*block = begin;
			*len = size;
		}
	}
	return fits;
}

static void name_of_file(struct buf *path, const char *key)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)key, strlen(key), hash);
	buf_addf(path, "%s/%02x/", DIR_FACTS, hash[0]);
	buf_add_hex(path, hash, sizeof(hash));
}

/* TEXT "": there is none. */
static int read_file(int root, const char *key, char text[TEXT_MAX])
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	_cleanup_close_ int fd = -1;
	ssize_t n;

	text[0] = '\0';
	name_of_file(&path, key);
	fd = openat(root, buf_str(&path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	n = read(fd, text, TEXT_MAX - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

static bool no_xattrs(int error)
{
	return error == EOPNOTSUPP || error == ENOSYS || error == EPERM || error == EACCES || error == EINVAL ||
	       error == E2BIG || error == ERANGE || error == ENOSPC;
}

static int read_text(int root, const char *key, int fd, char text[TEXT_MAX])
{
	ssize_t n = fgetxattr(fd, XATTR, text, TEXT_MAX - 1);

	if (n < 0 && errno != ENODATA && !no_xattrs(errno))
		return -errno;
	if (n < 0)
		return read_file(root, key, text);
	text[n] = '\0';
	return 0;
}

static void plain_head(const struct stat *st, struct tier_head *head)
{
	*head = (struct tier_head){.size = (uint64_t)st->st_size, .mtime = mtime_of(st)};
}

int dir_facts_read(int root, const char *key, int fd, const struct stat *st, struct tier_head *head)
{
	char text[TEXT_MAX];
	int r = read_text(root, key, fd, text);

	plain_head(st, head);
	if (r < 0 || take_text(text, st, head, NULL, NULL))
		return r;
	/* Written by somebody else: what changes with its bytes is an ETag, too. */
	snprintf(head->etag, sizeof(head->etag), "%" PRIx64 "-%" PRIx64, head->size, (uint64_t)head->mtime);
	head->facts = (struct tier_facts){0};
	return 0;
}

/* What is said of the object that is there now, and is to be believed until it is replaced. */
static int keep_former(int root, const char *key, struct buf *text)
{
	_cleanup_close_ int fd = -1;
	char former[TEXT_MAX];
	struct tier_head head;
	const char *block;
	struct stat st;
	size_t len;
	int r;

	fd = dir_open_file(root, key, &st);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = read_text(root, key, fd, former);
	if (r == 0 && take_text(former, &st, &head, &block, &len)) {
		buf_addc(text, '\n');
		buf_add(text, block, len);
	}
	return r;
}

static int write_all(int fd, const struct buf *text)
{
	ssize_t n = write(fd, text->data, text->len);

	if (n >= 0 && (size_t)n < text->len)
		return -ENOSPC;
	return n < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int write_file(int root, const char *key, struct buf *text)
{
	_cleanup_buf_ struct buf path = BUF_INIT, temp = BUF_INIT;
	_cleanup_close_ int fd = -1, folder = -1;
	const char *name;
	int r;

	name_of_file(&path, key);
	folder = dir_open_parent(root, &path, true, &name);
	if (folder < 0)
		return folder;
	buf_addf(&temp, "%s.%lx", name, (unsigned long)pthread_self());
	fd = openat(folder, buf_str(&temp), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = buf_error(text) ? buf_error(text) : write_all(fd, text);
	if (r == 0 && renameat(folder, buf_str(&temp), folder, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(folder, buf_str(&temp), 0);
	if (r == 0 && fsync(folder) < 0)
		r = -errno;
	return r;
}

int dir_facts_write(int root, const char *key, int fd, const struct tier_facts *facts, const char *etag,
		    struct tier_head *head)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	compose(&text, facts, etag, &st);
	if (buf_error(&text))
		return buf_error(&text);
	if (fsetxattr(fd, XATTR, text.data, text.len, 0) < 0) {
		r = no_xattrs(errno) ? keep_former(root, key, &text) : -errno;
		if (r == 0)
			r = write_file(root, key, &text);
	}
	plain_head(&st, head);
	if (r == 0 && !take_text(buf_str(&text), &st, head, NULL, NULL))
		r = -EIO;
	return r;
}

void dir_facts_remove(int root, const char *key)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	name_of_file(&path, key);
	unlinkat(root, buf_str(&path), 0);
}
