#include <linux/xattr.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "content/registered.h"
#include "content/settle.h"
#include "content/cloud/stub.h"
#include "content/swap.h"
#include "content/xattrs.h"
#include "ns/real.h"
#include "ns/view/view.h"
#include "ns/virtual_xattr.h"

#define PROC_FD_MAX 40

/* An O_PATH descriptor cannot be used by fchmod and the xattr calls; its name in /proc can. */
static const char *proc_fd(int fd, char path[PROC_FD_MAX])
{
	snprintf(path, PROC_FD_MAX, "/proc/self/fd/%d", fd);
	return path;
}

/* A cached file that was closed and not released: stores through its mapping wait in the kernel, and mtime with
 * them. */
static bool may_be_mapped(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	return inode->state == INODE_CACHED && inode->closed;
}

int ns_get_attributes(struct lake *lake, uint64_t ino, struct stat *st, double *timeout)
{
	struct inode *inode;
	struct stat raw;
	int rc;

	if (ino & VIEW_NODE)
		return view_get_attributes(lake, ino, st, timeout);
	rc = real_get(lake, ino, &inode);
	if (rc < 0)
		return rc;
	if (may_be_mapped(inode) && lake->frontend.write_back)
		lake->frontend.write_back(lake->frontend.arg, ino);
	rc = inode_stat(lake, inode, &raw);
	if (!rc) {
		real_fill_stat(inode, &raw, st);
		*timeout = real_attr_timeout(lake, inode, raw.st_mode);
	}
	inode_unref(lake, inode);
	return rc;
}

static int set_mode(int fd, mode_t mode, const struct stat *raw)
{
	char path[PROC_FD_MAX];
	int rc;

	/* without CAP_FSETID a setgid bit stays only for a member of the file's group */
	caller_enter(&(struct caller){.uid = geteuid(), .gid = raw->st_gid});
	rc = chmod(proc_fd(fd, path), mode & 07777) < 0 ? -errno : 0;
	caller_leave();
	return rc;
}

static int set_owner(int fd, const struct stat *want, unsigned set)
{
	uid_t uid = set & NS_SET_UID ? want->st_uid : (uid_t)-1;
	gid_t gid = set & NS_SET_GID ? want->st_gid : (gid_t)-1;

	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* The kernel writes to a registered file as its owner. */
static int change_owner(struct lake *lake, struct inode *inode, int fd, const struct stat *want, unsigned set)
{
	registered_drop(lake, inode);
	return set_owner(fd, want, set);
}

static struct timespec time_to_set(struct timespec given, bool set, bool now)
{
	if (now)
		return (struct timespec){.tv_nsec = UTIME_NOW};
	return set ? given : (struct timespec){.tv_nsec = UTIME_OMIT};
}

/* A file whose mtime alone was set has the same content as before. */
static void follow_mtime(struct inode *inode, const struct stat *before, const struct stat *after)
{
	SCOPED_LOCK(&inode->lock);

	if (inode_is_clean_locked(inode, before))
		inode->clean_mtime = stat_mtime(after);
}

static int change_times(struct inode *inode, int fd, const struct stat *want, unsigned set, const struct stat *before)
{
	struct timespec times[2] = {
		time_to_set(want->st_atim, set & NS_SET_ATIME, set & NS_SET_ATIME_NOW),
		time_to_set(want->st_mtim, set & NS_SET_MTIME, set & NS_SET_MTIME_NOW),
	};
	struct stat after;

	if (utimensat(fd, "", times, AT_EMPTY_PATH) < 0)
		return -errno;
	if (!fstat(fd, &after))
		follow_mtime(inode, before, &after);
	return 0;
}

static int set_times(struct inode *inode, int fd, const struct stat *want, unsigned set, const struct stat *before)
{
	if (inode->kind != KIND_FOLDER)
		return change_times(inode, fd, want, set, before);
	SCOPED_LOCK(swap_times_lock(before->st_ino));
	return change_times(inode, fd, want, set, before);
}

/* What attributes are changed through, while nobody can put another file in INODE's place. */
static int open_attributes(struct lake *lake, struct inode *inode)
{
	return inode_is_stub(inode) ? stub_proxy(lake, inode) : inode_open(lake, inode, O_PATH);
}

/* They are changed: what the file looks like now. */
static int take_attributes(struct inode *inode, int fd, struct stat *raw)
{
	if (inode_is_stub(inode))
		return stub_take(inode, fd, raw);
	return fstat(fd, raw) < 0 ? -errno : 0;
}

static int set_attributes(struct lake *lake, struct inode *inode, int fd, const struct stat *want, unsigned set,
			  struct stat *raw)
{
	struct stat before;
	int rc = 0;

	if (fstat(fd, &before) < 0)
		return -errno;
	if (set & (NS_SET_UID | NS_SET_GID))
		rc = change_owner(lake, inode, fd, want, set);
	if (!rc && (set & NS_SET_MODE))
		rc = set_mode(fd, want->st_mode, set & NS_SET_GID ? want : &before);
	if (!rc && (set & (NS_SET_ATIME | NS_SET_MTIME | NS_SET_ATIME_NOW | NS_SET_MTIME_NOW)))
		rc = set_times(inode, fd, want, set, &before);
	return rc ? rc : take_attributes(inode, fd, raw);
}

/* All extended attributes as they are now: what they were is the store's business. */
static void record_xattrs(const struct inode *inode, int fd, struct record *r)
{
	_cleanup_buf_ struct buf encoded = BUF_INIT;
	int rc = xattrs_read(fd, &encoded);

	if (rc < 0)
		log_warning("node %llu: its extended attributes cannot be recorded: %s", (unsigned long long)inode->id,
			    strerror(-rc));
	else
		record_node_xattrs(r, inode->id, encoded.data, encoded.len);
}

/* A stub's are nowhere else: they must survive a daemon that is killed, as those of a file do, which the kernel has. */
static int submit(struct lake *lake, struct inode *inode, struct record *r)
{
	int rc = real_submit(lake, r, inode, NULL);

	return !rc && inode_is_stub(inode) ? store_barrier(lake->store, atomic_load(&inode->commit)) : rc;
}

/* The live version has the time that was given to its file last: what tar(1) extracts gets its own after it was cut. */
static void record_mtime(struct inode *inode, const struct stat *raw, struct record *r)
{
	SCOPED_LOCK(&inode->lock);

	if (inode->version && inode_is_clean_locked(inode, raw))
		record_version_settled(r, inode->version, (uint64_t)raw->st_size, stat_mtime(raw));
}

/* All but the size, and the record. */
static int change_attributes(struct lake *lake, struct inode *inode, const struct stat *want, unsigned set,
			     const struct actor *actor, struct stat *raw)
{
	_cleanup_close_ int fd = open_attributes(lake, inode);
	struct record *r;
	int rc = fd < 0 ? fd : set_attributes(lake, inode, fd, want, set, raw);

	if (rc < 0)
		return rc;
	r = real_record(set & NS_SET_SIZE ? OP_TRUNCATE : OP_ATTR, actor, inode->id, 0, NULL);
	if (r)
		real_record_node(lake, inode, raw, r);
	if (r && (set & (NS_SET_MTIME | NS_SET_MTIME_NOW)))
		record_mtime(inode, raw, r);
	if (r && (set & NS_SET_MODE) && inode->acl) /* chmod changes the mask of an ACL */
		record_xattrs(inode, fd, r);
	return submit(lake, inode, r);
}

int ns_set_attributes(struct lake *lake, uint64_t ino, const struct stat *want, unsigned set, struct handle *h,
		      const struct actor *actor, struct stat *st, double *timeout)
{
	struct inode *inode;
	struct stat raw;
	int rc;

	if ((ino & VIEW_NODE) || lake->read_only)
		return -EROFS;
	rc = real_get(lake, ino, &inode);
	if (rc < 0)
		return rc;
	if (set & NS_SET_SIZE)
		rc = inode_truncate(lake, inode, h, want->st_size, actor);
	if (!rc) {
		inode_begin_change(inode);
		rc = change_attributes(lake, inode, want, set, actor, &raw);
		inode_after_change(inode);
	}
	if (!rc && (set & (NS_SET_MODE | NS_SET_UID | NS_SET_GID)))
		view_changed(ino);
	if (set & NS_SET_SIZE)
		inode_settle(lake, inode);
	if (!rc) {
		real_fill_stat(inode, &raw, st);
		*timeout = real_attr_timeout(lake, inode, raw.st_mode);
	}
	inode_unref(lake, inode);
	return rc;
}

int ns_read_link(struct lake *lake, uint64_t ino, char *target, size_t room)
{
	struct inode *inode;
	int rc;

	if (ino & VIEW_NODE)
		return view_read_link(lake, ino, target, room);
	rc = real_get(lake, ino, &inode);
	if (rc < 0)
		return rc;
	rc = inode_read_link(lake, inode, target, room);
	inode_unref(lake, inode);
	return rc;
}

/* ---- extended attributes ---- */

/* As getxattr(2) and listxattr(2) answer. */
static int answer(const void *bytes, size_t len, void *to, size_t room)
{
	if (room && room < len)
		return -ERANGE;
	if (room && len)
		memcpy(to, bytes, len);
	return (int)len;
}

static int get_stub_xattr(struct lake *lake, struct inode *inode, const char *name, void *value, size_t size)
{
	_cleanup_buf_ struct buf encoded = BUF_INIT;
	const char *at, *end;
	struct xattr x;
	int rc;

	/* what each `ls -l` asks for is known without asking */
	if (!xattr_is_kept(name) || (!inode->acl && !strncmp(name, "system.posix_acl", 16)))
		return -ENODATA;
	rc = stub_xattrs(lake, inode, &encoded);
	if (rc < 0)
		return rc;
	at = encoded.data;
	end = at + encoded.len;
	while (encoded.len && xattrs_next(&at, end, &x))
		if (!strcmp(x.name, name))
			return answer(x.value, x.size, value, size);
	return -ENODATA;
}

static int list_stub_xattrs(struct lake *lake, struct inode *inode, char *names, size_t size)
{
	_cleanup_buf_ struct buf encoded = BUF_INIT, list = BUF_INIT;
	const char *at, *end;
	struct xattr x;
	int rc = stub_xattrs(lake, inode, &encoded);

	if (rc < 0)
		return rc;
	at = encoded.data;
	end = at + encoded.len;
	while (encoded.len && xattrs_next(&at, end, &x))
		buf_add(&list, x.name, strlen(x.name) + 1);
	rc = buf_error(&list);
	return rc ? rc : answer(list.data, list.len, names, size);
}

int ns_get_xattr(struct lake *lake, uint64_t ino, const char *name, void *value, size_t size)
{
	_cleanup_close_ int fd = -1;
	char path[PROC_FD_MAX];
	struct inode *inode;
	ssize_t n;
	int rc;

	if (ino & VIEW_NODE)
		return view_get_xattr(lake, ino, name, value, size);
	rc = real_get(lake, ino, &inode);
	if (rc < 0)
		return rc;
	if (xattr_is_virtual(name)) {
		rc = virtual_xattr_get(lake, inode, name, value, size);
		inode_unref(lake, inode);
		return rc;
	}
	if (inode_is_stub(inode)) {
		rc = get_stub_xattr(lake, inode, name, value, size);
		inode_unref(lake, inode);
		return rc;
	}
	fd = inode_open(lake, inode, O_PATH);
	inode_unref(lake, inode);
	if (fd < 0)
		return fd;
	n = getxattr(proc_fd(fd, path), name, value, size);
	return n < 0 ? -errno : (int)n;
}

int ns_list_xattrs(struct lake *lake, uint64_t ino, char *names, size_t size)
{
	_cleanup_close_ int fd = -1;
	char path[PROC_FD_MAX];
	struct inode *inode;
	ssize_t n;
	int rc;

	if (ino & VIEW_NODE)
		return view_list_xattrs(lake, ino, names, size);
	rc = real_get(lake, ino, &inode);
	if (rc < 0)
		return rc;
	if (inode_is_stub(inode)) {
		rc = list_stub_xattrs(lake, inode, names, size);
		inode_unref(lake, inode);
		return rc;
	}
	fd = inode_open(lake, inode, O_PATH);
	inode_unref(lake, inode);
	if (fd < 0)
		return fd;
	n = listxattr(proc_fd(fd, path), names, size);
	return n < 0 ? -errno : (int)n;
}

/* VALUE NULL: remove. */
struct xattr_change {
	const char *name;
	const void *value;
	size_t size;
	int flags;
};

static int apply_xattr(int fd, const struct xattr_change *c)
{
	char path[PROC_FD_MAX];
	struct stat raw;
	int rc = 0;

	if (fstat(fd, &raw) < 0)
		return -errno;
	caller_enter(&(struct caller){.uid = geteuid(), .gid = raw.st_gid}); /* an ACL may carry a setgid bit */
	if ((c->value ? setxattr(proc_fd(fd, path), c->name, c->value, c->size, c->flags)
		      : removexattr(proc_fd(fd, path), c->name)) < 0)
		rc = -errno;
	caller_leave();
	return rc;
}

static int change_xattr_of(struct lake *lake, struct inode *inode, const struct xattr_change *c,
			   const struct actor *actor)
{
	_cleanup_close_ int fd = open_attributes(lake, inode);
	bool acl = !strncmp(c->name, "system.posix_acl", 16);
	struct record *r;
	struct stat raw;
	int rc = fd < 0 ? fd : apply_xattr(fd, c);

	if (!rc)
		rc = take_attributes(inode, fd, &raw);
	if (rc < 0)
		return rc;
	if (acl)
		inode->acl = xattrs_have_acl(fd);
	r = real_record(OP_XATTR, actor, inode->id, 0, NULL);
	if (r) {
		real_record_node(lake, inode, &raw, r);
		record_xattrs(inode, fd, r);
	}
	rc = submit(lake, inode, r);
	if (acl)
		view_changed(inode->id);
	return rc;
}

static int change_xattr(struct lake *lake, uint64_t ino, const struct xattr_change *c, const struct actor *actor)
{
	struct inode *inode;
	int rc;

	if ((ino & VIEW_NODE) || lake->read_only)
		return -EROFS;
	rc = real_get(lake, ino, &inode);
	if (rc < 0)
		return rc;
	if (xattr_is_virtual(c->name)) {
		rc = virtual_xattr_set(lake, inode, c->name, c->value, c->size, actor);
		inode_unref(lake, inode);
		return rc;
	}
	if (!xattr_is_kept(c->name) && inode_is_stub(inode)) /* the store cannot have it: it needs its file */
		rc = c->value ? stub_recall(lake, inode, actor->call) : -ENODATA;
	if (!rc) {
		inode_begin_change(inode);
		rc = change_xattr_of(lake, inode, c, actor);
		inode_after_change(inode);
	}
	inode_unref(lake, inode);
	return rc;
}

int ns_set_xattr(struct lake *lake, uint64_t ino, const char *name, const void *value, size_t size, int flags,
		 const struct actor *actor)
{
	return change_xattr(lake, ino, &(struct xattr_change){name, value ? value : "", size, flags}, actor);
}

int ns_remove_xattr(struct lake *lake, uint64_t ino, const char *name, const struct actor *actor)
{
	return change_xattr(lake, ino, &(struct xattr_change){.name = name}, actor);
}

/* History gives way to what is written: what it occupies is as good as free. On several disks nobody knows where. */
static void add_history(struct lake *lake, struct statvfs *fs)
{
	struct store_totals totals;
	fsblkcnt_t blocks;

	if (lake_volume(lake, 1) || lake->read_only || !fs->f_frsize || store_totals(lake->store, &totals))
		return;
	blocks = totals.stored_bytes / fs->f_frsize;
	if (blocks > fs->f_blocks - fs->f_bfree)
		blocks = fs->f_blocks - fs->f_bfree;
	fs->f_bfree += blocks;
	fs->f_bavail += blocks;
}

int ns_stat_fs(struct lake *lake, uint64_t ino, struct statvfs *fs)
{
	struct inode *inode = ino & VIEW_NODE ? NULL : inode_find(lake, ino);
	int fd = inode ? inode->volume->mountfd : lake->fd;
	int rc = fstatvfs(fd, fs) < 0 ? -errno : 0;

	inode_unref(lake, inode);
	if (!rc)
		add_history(lake, fs);
	fs->f_namemax = NAME_BYTES;
	return rc;
}
