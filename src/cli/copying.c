#include "cli/copying.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cli.h"

#define STEP_BYTES (8 << 20)
#define BUFFER_BYTES (1 << 20)

static volatile sig_atomic_t caught;

static void on_signal(int signal)
{
	caught = signal;
}

void copying_catch_signals(void)
{
	const struct sigaction act = {.sa_handler = on_signal};

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
}

bool copying_interrupted(void)
{
	return caught;
}

void copying_end_by_signal(void)
{
	if (!caught)
		return;
	fflush(NULL);
	signal(caught, SIG_DFL);
	raise(caught);
}

/* ---- bytes ---- */

static ssize_t read_write(int from, int to, off_t at, size_t len, char *buffer)
{
	ssize_t n = pread(from, buffer, len < BUFFER_BYTES ? len : BUFFER_BYTES, at);

	for (ssize_t done = 0; n > 0 && done < n;) {
		ssize_t w = pwrite(to, buffer + done, (size_t)(n - done), at + done);

		if (w < 0 && errno != EINTR)
			return -1;
		done += w > 0 ? w : 0;
	}
	return n;
}

static bool cannot_here(int error)
{
	return error == EXDEV || error == ENOSYS || error == EOPNOTSUPP || error == EINVAL || error == EPERM;
}

/* From *AT to END; *AT moves on. BUFFER is NULL as long as copy_file_range() works. */
static int copy_range(int from, int to, off_t *at, off_t end, struct progress *p, char **buffer)
{
	while (*at < end) {
		size_t len = end - *at < STEP_BYTES ? (size_t)(end - *at) : STEP_BYTES;
		off_t in = *at, out = *at;
		ssize_t n;

		if (caught)
			return -EINTR;
		n = *buffer ? read_write(from, to, *at, len, *buffer) : copy_file_range(from, &in, to, &out, len, 0);
		/* copy_file_range() gives 0 too where a file system does not say its sizes: ask by reading */
		if (!*buffer && (n == 0 || (n < 0 && cannot_here(errno)))) {
			*buffer = malloc(BUFFER_BYTES);
			if (!*buffer)
				return -ENOMEM;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		*at += n;
		progress_add(p, (uint64_t)n);
	}
	return 0;
}

int copy_bytes(int from, int to, off_t size, struct progress *p)
{
	_cleanup_free_ char *buffer = NULL;
	off_t at = 0;
	int rc = 0;

	while (!rc && at < size) {
		off_t data = lseek(from, at, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO) {
			/* the rest is a hole, or not there */
			rc = lseek(from, 0, SEEK_END) < size ? -EIO : 0;
			break;
		}
		at = data < 0 ? at : data;
		hole = data < 0 ? size : lseek(from, at, SEEK_HOLE);
		rc = copy_range(from, to, &at, hole < 0 || hole > size ? size : hole, p, &buffer);
	}
	if (!rc && ftruncate(to, size) < 0)
		rc = -errno;
	if (!rc && caught)
		rc = -EINTR;
	return rc;
}

/* ---- attributes ---- */

#define ACL_NAME "system.posix_acl_access"

static bool has_none(int error)
{
	return error == ENODATA || error == EOPNOTSUPP || error == ENOSYS;
}

/* The value of attribute NAME: malloc'ed, its length, or -errno. */
static ssize_t get_xattr(int fd, const char *name, char **value)
{
	for (;;) {
		ssize_t len = fgetxattr(fd, name, NULL, 0), got;
		char *bytes;

		if (len < 0)
			return -errno;
		bytes = malloc((size_t)len + 1);
		if (!bytes)
			return -ENOMEM;
		got = fgetxattr(fd, name, bytes, (size_t)len);
		if (got >= 0) {
			*value = bytes;
			return got;
		}
		free(bytes);
		if (errno != ERANGE)
			return -errno;
	}
}

int copy_acl(int from, int to)
{
	_cleanup_free_ char *value = NULL;
	ssize_t len = get_xattr(from, ACL_NAME, &value);

	if (len < 0)
		return has_none((int)-len) ? 0 : (int)len;
	if (fsetxattr(to, ACL_NAME, value, (size_t)len, 0) < 0 && !has_none(errno))
		return -errno;
	return 0;
}

static void copy_one(int from, int to, const char *name)
{
	_cleanup_free_ char *value = NULL;
	ssize_t len = get_xattr(from, name, &value);

	if (len < 0 || fsetxattr(to, name, value, (size_t)len, 0) < 0)
		say("attribute %s: left out: %s", name, strerror(len < 0 ? (int)-len : errno));
}

static bool is_users_own(const char *name)
{
	return !strncmp(name, "user.", 5) && strncmp(name, "user.tarn.", 10);
}

/* The names of FD's attributes, each with its NUL: malloc'ed, their length, or -errno. */
static ssize_t list_xattrs(int fd, char **names)
{
	ssize_t room = flistxattr(fd, NULL, 0), len;

	*names = NULL;
	if (room <= 0)
		return room < 0 && !has_none(errno) ? -errno : 0;
	*names = malloc((size_t)room + 1);
	if (!*names)
		return -ENOMEM;
	len = flistxattr(fd, *names, (size_t)room);
	if (len < 0)
		return -errno;
	(*names)[len] = '\0';
	return len;
}

int copy_user_xattrs(int from, int to)
{
	_cleanup_free_ char *names = NULL;
	ssize_t len = list_xattrs(from, &names);

	for (char *name = names; len > 0 && name < names + len; name += strlen(name) + 1) {
		if (is_users_own(name))
			copy_one(from, to, name);
	}
	return len < 0 ? (int)len : 0;
}

int drop_other_user_xattrs(int from, int to)
{
	_cleanup_free_ char *names = NULL;
	ssize_t len = list_xattrs(to, &names);

	for (char *name = names; len > 0 && name < names + len; name += strlen(name) + 1) {
		if (is_users_own(name) && fgetxattr(from, name, NULL, 0) < 0 && errno == ENODATA &&
		    fremovexattr(to, name) < 0)
			return -errno;
	}
	return len < 0 ? (int)len : 0;
}
