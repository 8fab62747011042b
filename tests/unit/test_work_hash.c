/* SHA-256 of files, and what that does to the page cache. */
#include <sys/mman.h>

#include "content/hash.h"
#include "test_work.h"

#define MIB ((size_t)1 << 20)

static const char *make_file(size_t size)
{
	const char *path = in_lake("file");
	_cleanup_free_ unsigned char *bytes = malloc(size + 1);

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(i * 2654435761u >> 13);
	put_bytes(path, bytes, size);
	return path;
}

static void test_sizes(void)
{
	static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 300000, MIB - 1, MIB, MIB + 1, 3 * MIB + 12345};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const char *path = make_file(sizes[i]);
		_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
		struct version_row v = {.hashed = true};
		uint64_t bytes = 99;

		is_int(hash_fd(fd, NULL, NULL, v.sha256, &bytes), 0, "a file is hashed");
		is_int((int64_t)bytes, (int64_t)sizes[i], "all of it");
		ok(has_hash_of(&v, path), "%zu bytes: as sha256sum has it", sizes[i]);
	}
}

static bool stop_after_two(void *arg)
{
	int *asked = arg;

	return ++*asked > 2;
}

static void test_stop(void)
{
	_cleanup_close_ int fd = open(make_file(8 * MIB), O_RDONLY | O_CLOEXEC);
	uint8_t sha256[SHA256_BYTES];
	uint64_t bytes;
	int asked = 0;

	is_int(hash_fd(fd, stop_after_two, &asked, sha256, &bytes), -ECANCELED, "it can be stopped");
	is_int((int64_t)bytes, 2 * HASH_PIECE, "between two pieces");
	is_int(hash_fd(-1, NULL, NULL, sha256, &bytes), -EBADF, "what cannot be read is an error");
}

static bool grown_hash_is(struct hash_states *states, const struct growing *g, const char *path, const char *like)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct version_row v = {.hashed = true};
	uint64_t bytes;

	return !hash_fd_growing(states, g, fd, NULL, NULL, v.sha256, &bytes) && has_hash_of(&v, like);
}

static void append(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		bail_out(path);
}

/* That a beginning is not read again shows when it was changed meanwhile. */
static void test_growing(void)
{
	struct hash_states *states = hash_states_new();
	struct growing g = {.node = 7, .version = 10, .since = 10};
	const char *path = make_file(2 * MIB + 5), *was = in_lake("was");
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	_cleanup_free_ char *bytes = malloc(2 * MIB + 5);

	ok(pread(fd, bytes, 2 * MIB + 5, 0) == 2 * MIB + 5, "a large file");
	put_bytes(was, bytes, 2 * MIB + 5);
	ok(grown_hash_is(states, &g, path, was), "is hashed");
	ok(pwrite(fd, "changed", 7, 100) == 7, "its beginning changes behind our back");
	append(path, "one");
	append(was, "one");
	g.version = 11;
	ok(grown_hash_is(states, &g, path, was), "the hash goes on with what was appended");
	append(path, "two");
	append(was, "two");
	ok(grown_hash_is(states, &g, path, was), "and once more, of the same version");
	ok(grown_hash_is(states, &(struct growing){8, 11, 10}, path, path), "not of another file");
	g.version = g.since = 12;
	ok(grown_hash_is(states, &g, path, path), "nor of one that was rewritten");
	if (truncate(path, (off_t)MIB) < 0)
		bail_out(path);
	g.version = 13;
	ok(grown_hash_is(states, &g, path, path), "nor of one that is shorter");
	ok(grown_hash_is(NULL, &g, path, path), "and without anything remembered");
	hash_states_free(states);
}

/* How many of the file's pages are in memory. */
static size_t resident(int fd, size_t size)
{
	size_t pages = size / (size_t)sysconf(_SC_PAGESIZE), n = 0;
	_cleanup_free_ unsigned char *in = malloc(pages);
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED || mincore(map, size, in) < 0)
		bail_out("mincore");
	for (size_t i = 0; i < pages; i++)
		n += in[i] & 1;
	munmap(map, size);
	return n;
}

static void test_cache(void)
{
	size_t size = 8 * MIB, pages = size / (size_t)sysconf(_SC_PAGESIZE);
	_cleanup_close_ int fd = open(make_file(size), O_RDONLY | O_CLOEXEC);
	uint8_t sha256[SHA256_BYTES];
	uint64_t bytes;
	char byte;

	is_int((int64_t)resident(fd, size), (int64_t)pages, "a file that was just written is in memory");
	hash_fd(fd, NULL, NULL, sha256, &bytes);
	is_int((int64_t)resident(fd, size), (int64_t)pages, "hashing leaves it there");
	fdatasync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (resident(fd, size)) {
		skip("hashing a cold file leaves it cold", "a file system that gives up its pages");
		return;
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	if (pread(fd, &byte, 1, 3 * (off_t)MIB + 5) != 1)
		bail_out("pread");
	is_int((int64_t)resident(fd, size), 1, "one page is in use");
	hash_fd(fd, NULL, NULL, sha256, &bytes);
	ok(resident(fd, size) <= 8, "hashing a cold file leaves it cold");
	diag("%zu of %zu pages are in memory", resident(fd, size), pages);
}

int main(void)
{
	test_begin("storage: {}\n");
	test_sizes();
	test_stop();
	test_growing();
	test_cache();
	return test_end();
}
