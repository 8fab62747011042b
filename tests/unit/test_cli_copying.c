#include "cli/copying.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tap.h"

static int temporary(void)
{
	char path[] = "./tarn-copying-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	return fd;
}

static bool same_bytes(int a, int b, off_t size)
{
	static char x[65536], y[65536];

	for (off_t at = 0; at < size;) {
		ssize_t n = pread(a, x, sizeof(x), at), m = pread(b, y, sizeof(y), at);

		if (n <= 0 || n != m || memcmp(x, y, (size_t)n))
			return false;
		at += n;
	}
	return true;
}

static void test_bytes(off_t size, off_t data_at, const char *what)
{
	int from = temporary(), to = temporary();
	struct stat st;

	if (ftruncate(from, size) || (size > data_at && pwrite(from, "data", 4, data_at) != 4))
		diag("%s: cannot be prepared", what);
	fstat(from, &st);
	size = st.st_size;
	is_int(copy_bytes(from, to, size, NULL), 0, what);
	fstat(to, &st);
	is_int(st.st_size, size, "  has the size");
	ok(same_bytes(from, to, size), "  and the bytes");
	ok(st.st_blocks * 512 <= 1 << 20, "  and its holes (%lld blocks)", (long long)st.st_blocks);
	close(from);
	close(to);
}

static void test_shorter(void)
{
	int from = temporary(), to = temporary();

	if (pwrite(from, "data", 4, 0) != 4)
		diag("cannot write");
	is_int(copy_bytes(from, to, 100, NULL), -EIO, "a file that is shorter than it should be is an error");
	close(from);
	close(to);
}

static void test_other_file_system(void)
{
	int from = open("/proc/self/status", O_RDONLY | O_CLOEXEC), to = temporary();
	char byte;

	is_int(copy_bytes(from, to, 16, NULL), 0, "where copy_file_range() does not work");
	is_int(pread(to, &byte, 1, 0), 1, "there are bytes");
	is_int(byte, 'N', "the right ones");
	close(from);
	close(to);
}

static void test_attributes(void)
{
	int from = temporary(), to = temporary();
	char value[16];

	if (fsetxattr(from, "user.note", "hello", 5, 0) < 0) {
		skip("extended attributes", "a file system with user.* attributes");
		return;
	}
	fsetxattr(from, "user.empty", "", 0, 0);
	fsetxattr(from, "user.tarn.state", "kept", 4, 0);
	is_int(copy_user_xattrs(from, to), 0, "attributes are copied");
	is_int(fgetxattr(to, "user.note", value, sizeof(value)), 5, "one with a value");
	is_int(fgetxattr(to, "user.empty", value, sizeof(value)), 0, "an empty one");
	is_int(fgetxattr(to, "user.tarn.state", value, sizeof(value)), -1, "tarn's own are not");
	is_int(copy_acl(from, to), 0, "a file without an ACL has none to copy");
	close(from);
	close(to);
}

static void test_interrupt(void)
{
	int from = temporary(), to = temporary();

	if (pwrite(from, "data", 4, 0) != 4)
		diag("cannot write");
	copying_catch_signals();
	raise(SIGINT);
	is_int(copy_bytes(from, to, 4, NULL), -EINTR, "a signal ends it, and not the process");
	close(from);
	close(to);
}

int main(void)
{
	test_bytes(0, 0, "an empty file");
	test_bytes(10, 0, "a small file");
	test_bytes(20 << 20, 10 << 20, "a file with holes at both ends");
	test_bytes(20 << 20, (20 << 20) - 4, "a file with a hole in front");
	test_bytes(20 << 20, 20 << 20, "a file that is one hole");
	test_shorter();
	test_other_file_system();
	test_attributes();
	test_interrupt();
	return done();
}
