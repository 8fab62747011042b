/*
 * Extended attributes: encoded, taken apart, put back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "content/xattrs.h"
#include "tap.h"

static char folder[64];

static int make_file(const char *name)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		abort();
	unlink(path);
	return fd;
}

static const char *names_of(const struct buf *encoded)
{
	static char names[256];
	const char *at = encoded->data;
	struct xattr x;

	names[0] = 0;
	while (encoded->len && xattrs_next(&at, encoded->data + encoded->len, &x)) {
		size_t len = strlen(names);

		snprintf(names + len, sizeof(names) - len, "%s=%.*s ", x.name, (int)x.size, (const char *)x.value);
	}
	return names;
}

static void test_round_trip(void)
{
	_cleanup_buf_ struct buf encoded = BUF_INIT, again = BUF_INIT;
	_cleanup_close_ int a = make_file("a"), b = make_file("b");

	is_int(xattrs_read(a, &encoded), 0, "a file without any");
	is_int(encoded.len, 0, "is encoded as nothing");
	fsetxattr(a, "user.two", "2", 1, 0);
	fsetxattr(a, "user.empty", "", 0, 0);
	fsetxattr(a, "user.one", "first", 5, 0);
	is_int(xattrs_read(a, &encoded), 0, "a file with three");
	is_str(names_of(&encoded), "user.empty= user.one=first user.two=2 ", "which come in the order of their names");
	fsetxattr(b, "user.other", "x", 1, 0);
	fsetxattr(b, "user.one", "second", 6, 0);
	is_int(xattrs_write(b, encoded.data, encoded.len), 0, "written to another file");
	xattrs_read(b, &again);
	ok(again.len == encoded.len && memcmp(again.data, encoded.data, again.len) == 0,
	   "which has these and no others then");
	is_int(xattrs_write(b, NULL, 0), 0, "none is written");
	again.len = 0;
	xattrs_read(b, &again);
	is_int(again.len, 0, "and none is left");
	is_int(xattrs_have_acl(b), false, "no ACL");
}

static void test_damaged(void)
{
	static const char bytes[] = "user.a\0\005\0\0\0abc";
	const char *at = bytes;
	struct xattr x;

	is_int(xattrs_next(&at, bytes + sizeof(bytes) - 1, &x), false, "a value that is cut off");
	is_int(xattrs_next(&at, bytes + 9, &x), false, "a length that is");
	is_int(xattrs_next(&at, bytes + 3, &x), false, "a name that is");
	ok(xattr_is_kept("user.a") && xattr_is_kept("system.posix_acl_access") && !xattr_is_kept("security.selinux") &&
		   !xattr_is_kept("trusted.a"),
	   "what people set is kept");
}

int main(void)
{
	const char *base = getenv("TMPDIR");
	int fd;

	snprintf(folder, sizeof(folder), "%s/tarn-xattrs-XXXXXX", base && strlen(base) < 40 ? base : "/tmp");
	if (!mkdtemp(folder))
		abort();
	test_damaged();
	fd = make_file("probe");
	if (fsetxattr(fd, "user.probe", "", 0, 0) < 0 && errno == ENOTSUP)
		skip("extended attributes", "a file system that has them");
	else
		test_round_trip();
	close(fd);
	rmdir(folder);
	return done();
}
