/*
 * Reaching the backing file of an inode. Where files can be opened by handle, that is the way: it follows every rename
 * and finds unlinked files too. Elsewhere (an ordinary user, overlayfs) it is looked up by name in its folder, and a
 * descriptor is pinned before the last name goes away.
 */
#include <fcntl.h>

#include "base/cleanup.h"
#include "content/lake.h"
#include "content/cloud/stub.h"

static int open_pinned(int pinned, int flags)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", pinned);
	fd = open(path, (flags & ~O_NOFOLLOW) | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_in_folder(struct lake *lake, struct inode *inode, int flags)
{
	char name[NAME_BYTES + 1];
	struct inode *parent = inode_parent(lake, inode, name);
	_cleanup_folder_ struct folder_fd *folder = NULL;
	struct stat st;
	int fd, rc;

	if (!parent)
		return -ESTALE;
	if (inode->bucket && inode->bucket->fd >= 0 && parent->id == NODE_ROOT) {
		inode_unref(lake, parent);
		fd = openat(inode->bucket->fd, ".", flags | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	rc = folder_get(lake, parent, &folder);
	inode_unref(lake, parent);
	if (rc < 0)
		return rc;
	fd = openat(folder_fd(folder), name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	if (fstat(fd, &st) < 0 || st.st_ino != inode->raw_ino) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

int inode_open(struct lake *lake, struct inode *inode, int flags)
{
	struct fhandle h;
	int fd;

	if (inode->id == NODE_ROOT) {
		fd = openat(lake->buckets_fd, ".", flags | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	if (inode->volume->handles) {
		h = inode_handle(lake, inode);
		if (h.len && !h.made)
			return fhandle_open(inode->volume->mountfd, &h, flags | O_NOFOLLOW | O_CLOEXEC);
	}
	fd = -1;
	pthread_mutex_lock(&inode->lock);
	if (inode->pinned >= 0)
		fd = open_pinned(inode->pinned, flags);
	pthread_mutex_unlock(&inode->lock);
	return fd != -1 ? fd : open_in_folder(lake, inode, flags);
}

int inode_pin(struct lake *lake, struct inode *inode)
{
	int fd;

	if (inode->volume->handles || inode->pinned >= 0)
		return 0;
	fd = inode_open(lake, inode, O_PATH);
	if (fd < 0)
		return fd;
	SCOPED_LOCK(&inode->lock);
	if (inode->pinned >= 0)
		close(fd);
	else
		inode->pinned = fd;
	return 0;
}

/* Most often the folder's descriptor is at hand, and one call does; the inode number says whether it is still it. */
static bool stat_in_folder(struct lake *lake, struct inode *inode, struct stat *st)
{
	char name[NAME_BYTES + 1];
	struct inode *parent = inode_parent(lake, inode, name);
	_cleanup_folder_ struct folder_fd *folder = NULL;
	bool ok;

	if (!parent)
		return false;
	ok = parent->id != NODE_ROOT && !folder_get(lake, parent, &folder) &&
	     !fstatat(folder_fd(folder), name, st, AT_SYMLINK_NOFOLLOW) && st->st_ino == inode->raw_ino;
	inode_unref(lake, parent);
	return ok;
}

int inode_stat(struct lake *lake, struct inode *inode, struct stat *st)
{
	_cleanup_folder_ struct folder_fd *folder = NULL;
	_cleanup_close_ int fd = -1;
	int rc;

	if (stub_stat(inode, st))
		return 0;
	if (inode->kind == KIND_FOLDER) {
		rc = folder_get(lake, inode, &folder);
		if (rc < 0)
			return rc;
		return fstat(folder_fd(folder), st) < 0 ? -errno : 0;
	}
	if (stat_in_folder(lake, inode, st))
		return 0;
	fd = inode_open(lake, inode, O_PATH);
	if (fd < 0)
		return fd;
	return fstat(fd, st) < 0 ? -errno : 0;
}

int inode_read_link(struct lake *lake, struct inode *inode, char *target, size_t room)
{
	_cleanup_close_ int fd = inode_open(lake, inode, O_PATH);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", target, room - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	return (int)n;
}
