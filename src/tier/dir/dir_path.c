/* Where an object's file is: names, and the walk to it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tier/dir/dir_int.h"

#define MARK_LEN (sizeof(DIR_MARK)) /* with the kind's letter */

void dir_marked(struct buf *out, char kind, const char *name)
{
	buf_addf(out, "%s%c%s", DIR_MARK, kind, name);
}

/* One component, of LEN bytes. */
static void add_component(struct buf *path, const char *c, size_t len)
{
	bool dots = (len == 1 && c[0] == '.') || (len == 2 && c[0] == '.' && c[1] == '.');

	while (len > NAME_PLAIN) {
		buf_adds(path, DIR_MARK "l");
		buf_add(path, c, NAME_HEAD);
		buf_addc(path, '/');
		c += NAME_HEAD;
		len -= NAME_HEAD;
	}
	if (len == 0 || dots || strncmp(c, DIR_MARK, sizeof(DIR_MARK) - 1) == 0)
		buf_adds(path, DIR_MARK "e");
	buf_add(path, c, len);
}

void dir_path_of_key(struct buf *path, const char *key)
{
	for (;;) {
		size_t len = strcspn(key, "/");

		add_component(path, key, len);
		if (!key[len])
			return;
		buf_addc(path, '/');
		key += len + 1;
	}
}

int dir_part_of_name(struct buf *key, const char *name)
{
	char kind;

	if (strncmp(name, DIR_MARK, MARK_LEN - 1) != 0) {
		buf_adds(key, name);
		return 1;
	}
	kind = name[MARK_LEN - 1];
	if (kind == 'd' || kind == 'f')
		return dir_part_of_name(key, name + MARK_LEN);
	if (kind != 'e' && kind != 'l')
		return 0;
	buf_adds(key, name + MARK_LEN);
	return kind == 'l' ? 2 : 1;
}

/* Below DIRFD, and never through a symlink: whoever can write to the folder could lead us anywhere. */
static int open_below(int dirfd, const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC | O_NOCTTY),
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	long fd;

	do
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd < 0 ? -errno : (int)fd;
}

static int open_folder(int dirfd, const char *path)
{
	return open_below(dirfd, path, O_RDONLY | O_DIRECTORY);
}

static int make_folder(int dirfd, const char *name)
{
	if (mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	/* The name must be there for as long as the objects below it. */
	if (fsync(dirfd) < 0)
		return -errno;
	return open_folder(dirfd, name);
}

/* The folder NAME in DIRFD; where an object has that name, the one in marks. */
static int enter(int dirfd, const char *name, bool create)
{
	_cleanup_buf_ struct buf marked = BUF_INIT;
	int fd = open_folder(dirfd, name), other;

	if (fd != -ENOENT && fd != -ENOTDIR)
		return fd;
	dir_marked(&marked, 'd', name);
	if (buf_error(&marked))
		return buf_error(&marked);
	other = open_folder(dirfd, buf_str(&marked));
	if (other != -ENOENT)
		return other;
	return create ? make_folder(dirfd, fd == -ENOTDIR ? buf_str(&marked) : name) : -ENOENT;
}

static int walk(int root, const char *path, bool create)
{
	_cleanup_close_ int at = open_folder(root, ".");
	_cleanup_buf_ struct buf name = BUF_INIT;

	while (at >= 0 && *path) {
		size_t len = strcspn(path, "/");
		int next;

		buf_clear(&name);
		buf_add(&name, path, len);
		next = buf_error(&name) ? buf_error(&name) : enter(at, buf_str(&name), create);
		if (next < 0)
			return next;
		close(at);
		at = next;
		path += len + (path[len] == '/');
	}
	return steal_fd(&at);
}

int dir_open_folder(int root, const char *path)
{
	int fd = path[0] ? open_folder(root, path) : open_folder(root, ".");

	return fd == -ENAMETOOLONG ? walk(root, path, false) : fd;
}

int dir_open_parent(int root, const struct buf *path, bool create, const char **name)
{
	_cleanup_buf_ struct buf folder = BUF_INIT;
	const char *slash;
	int fd;

	if (buf_error(path))
		return buf_error(path);
	slash = strrchr(buf_str(path), '/');
	*name = slash ? slash + 1 : buf_str(path);
	if (slash)
		buf_add(&folder, path->data, (size_t)(slash - path->data));
	if (buf_error(&folder))
		return buf_error(&folder);
	/* Mostly all of it is there, under its plain names: one call. */
	fd = open_folder(root, slash ? buf_str(&folder) : ".");
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ENAMETOOLONG)
		fd = walk(root, buf_str(&folder), create);
	return fd;
}

/* A FIFO must not hold us up. */
int dir_open_plain(int dirfd, const char *path, struct stat *st)
{
	_cleanup_close_ int fd = open_below(dirfd, path, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return fd == -ELOOP ? -ENOENT : fd;
	if (fstat(fd, st) < 0)
		return -errno;
	return S_ISREG(st->st_mode) ? steal_fd(&fd) : -ENOENT;
}

int dir_open_file(int root, const char *key, struct stat *st)
{
	_cleanup_buf_ struct buf path = BUF_INIT, marked = BUF_INIT;
	_cleanup_close_ int parent = -1;
	const char *name;
	int fd;

	dir_path_of_key(&path, key);
	if (buf_error(&path))
		return buf_error(&path);
	fd = dir_open_plain(root, buf_str(&path), st);
	if (fd != -ENOENT && fd != -ENOTDIR && fd != -ENAMETOOLONG)
		return fd;
	parent = dir_open_parent(root, &path, false, &name);
	if (parent < 0)
		return parent;
	fd = dir_open_plain(parent, name, st);
	if (fd != -ENOENT)
		return fd;
	dir_marked(&marked, 'f', name);
	return dir_open_plain(parent, buf_str(&marked), st);
}
