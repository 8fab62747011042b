#include "content/past/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/full_io.h"
#include "base/cleanup.h"

#define PIECE ((size_t)1024 * 1024)

/* The folder "HH" of NAME, and a file in it that has no name yet. */
static int open_unnamed(const struct volume *v, const char *name, int *folderfd)
{
	char folder[3];
	int fd;

	snprintf(folder, sizeof(folder), "%.2s", name);
	*folderfd = openat(v->versionsfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*folderfd < 0)
		return -errno;
	fd = openat(*folderfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* It is complete: durable, and then it gets its name. What a crash left under that is the same copy. */
static int give_name(const struct volume *v, int fd, int folderfd, const char *name)
{
	char path[40];

	if (fsync(fd) < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	unlinkat(v->versionsfd, name, 0);
	if (linkat(AT_FDCWD, path, v->versionsfd, name, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	return fsync(folderfd) < 0 ? -errno : 0;
}

int whole_name(const struct volume *v, int fd, const char *name)
{
	_cleanup_close_ int folderfd = -1;
	char folder[3];

	snprintf(folder, sizeof(folder), "%.2s", name);
	folderfd = openat(v->versionsfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folderfd < 0 ? -errno : give_name(v, fd, folderfd, name);
}

int whole_reflink(struct volume *v, int rawfd, const char *name, uint64_t size)
{
	_cleanup_close_ int folderfd = -1;
	_cleanup_close_ int fd = open_unnamed(v, name, &folderfd);
	struct stat st;
	int rc;

	if (fd < 0)
		return fd;
	if (ioctl(fd, FICLONE, rawfd) < 0) {
		rc = -errno;
		v->no_reflink = rc == -EOPNOTSUPP || rc == -ENOTTY || rc == -EINVAL || rc == -EXDEV;
		return rc;
	}
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size < size)
		return -EBUSY; /* cut by somebody else */
	rc = give_name(v, fd, folderfd, name);
	return rc < 0 ? rc : steal_fd(&fd);
}

static int copy_bytes(int fd, uint64_t size, whole_read_fn read, void *arg)
{
	_cleanup_free_ char *bytes = malloc(PIECE);
	int rc = bytes ? 0 : -ENOMEM;

	for (uint64_t at = 0; at < size && !rc; at += PIECE) {
		size_t len = size - at < PIECE ? (size_t)(size - at) : PIECE;

		rc = read(arg, bytes, len, at);
		if (!rc)
			rc = write_full_at(fd, bytes, len, at);
	}
	return rc;
}

int whole_copy(struct volume *v, const char *name, uint64_t size, whole_read_fn read, void *arg)
{
	_cleanup_close_ int folderfd = -1, fd = -1;
	int rc;

	if (size > WHOLE_COPY_MAX)
		return -EFBIG;
	fd = open_unnamed(v, name, &folderfd);
	if (fd < 0)
		return fd;
	rc = copy_bytes(fd, size, read, arg);
	if (!rc)
		rc = give_name(v, fd, folderfd, name);
	return rc < 0 ? rc : steal_fd(&fd);
}
