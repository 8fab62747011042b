#include "base/fhandle.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tap.h"

static void test_blob(const struct fhandle *h, const char *what)
{
	uint8_t blob[FHANDLE_BLOB_MAX];
	struct fhandle back;
	int len = fhandle_to_blob(h, blob);

	is_int(fhandle_from_blob(&back, blob, len), 0, what);
	ok(fhandle_equal(h, &back), "and is the same");
}

static void test_format(void)
{
	struct fhandle made = {.len = 3, .made = 1, .bytes = {1, 2, 3}};
	struct fhandle real = {.len = 2, .type = 0x181, .bytes = {9, 8}};
	struct fhandle longest = {.len = FHANDLE_MAX, .type = 1}, none;
	uint8_t blob[FHANDLE_BLOB_MAX];

	is_int(fhandle_to_blob(&real, blob), 4, "length of a blob");
	ok(memcmp(blob, "\x81\x01\x09\x08", 4) == 0, "type little endian, then the bytes");
	fhandle_to_blob(&made, blob);
	ok(memcmp(blob, "\x00\x80\x01\x02\x03", 5) == 0, "the sign bit marks a made-up one");
	test_blob(&made, "a made-up handle goes through a blob");
	test_blob(&real, "a real handle goes through a blob");
	test_blob(&longest, "the longest handle goes through a blob");
	is_int(fhandle_from_blob(&none, "x", 1), -EINVAL, "a blob too short");
	is_int(fhandle_from_blob(&none, blob, FHANDLE_BLOB_MAX + 1), -EINVAL, "a blob too long");
	is_int(fhandle_open(AT_FDCWD, &made, O_RDONLY), -EOPNOTSUPP, "a made-up handle cannot be opened");
}

static void test_files(int dir)
{
	struct fhandle a, again, b, link, self;

	close(openat(dir, "a", O_CREAT | O_WRONLY, 0600));
	close(openat(dir, "b", O_CREAT | O_WRONLY, 0600));
	is_int(symlinkat("nowhere", dir, "link"), 0, "a dangling symlink");
	is_int(fhandle_get(dir, "a", &a), 0, "the handle of a file");
	is_int(fhandle_get(dir, "b", &b), 0, "of another");
	is_int(fhandle_get(dir, "link", &link), 0, "of a dangling symlink, not followed");
	is_int(fhandle_get(dir, "", &self), 0, "of the folder's descriptor");
	is_int(fhandle_get(dir, "none", &again), -ENOENT, "of nothing");
	ok(!fhandle_equal(&a, &b) && !fhandle_equal(&a, &link) && !fhandle_equal(&a, &self), "all differ");
	renameat(dir, "a", dir, "c");
	is_int(fhandle_get(dir, "c", &again), 0, "after a rename");
	ok(fhandle_equal(&a, &again), "it is the same");
	if (fhandle_usable(dir)) {
		_cleanup_close_ int fd = fhandle_open(dir, &a, O_PATH);

		ok(fd >= 0, "opens by handle");
		unlinkat(dir, "c", 0);
		close(steal_fd(&fd));
		is_int(fhandle_open(dir, &a, O_PATH), -ESTALE, "an inode that is gone is stale");
	} else {
		skip("opens by handle", "a file system with handles, and CAP_DAC_READ_SEARCH");
	}
}

int main(void)
{
	char path[] = "/tmp/test-fhandle-XXXXXX";
	_cleanup_close_ int dir = -1;

	test_format();
	if (mkdtemp(path))
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return skip_all("no folder for temporary files");
	test_files(dir);
	unlinkat(dir, "b", 0);
	unlinkat(dir, "c", 0);
	unlinkat(dir, "link", 0);
	rmdir(path);
	return done();
}
