/* Making names: files, folders (buckets, at the root), symlinks, devices, hard links, unnamed files. */
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "content/cut.h"
#include "content/database.h"
#include "content/past/former.h"
#include "content/outside.h"
#include "content/cloud/stub.h"
#include "content/xattrs.h"
#include "ns/real.h"
#include "ns/view/view.h"

/* Before anything is made: may NAME be made in F? */
static int check_name(struct lake *lake, struct real_folder *f, const char *name, bool is_folder)
{
	int rc = real_check_root(lake, f->inode, name, is_folder);

	if (!rc && strlen(name) > NAME_BYTES)
		rc = -ENAMETOOLONG;
	if (!rc && real_name_is_version(lake, f->inode, name))
		rc = -EROFS;
	return rc;
}

/* Under the daemon's capabilities a setgid bit that the caller may set is dropped by the kernel; put it back. */
static void mend_setgid(int fd, mode_t wanted, struct stat *raw)
{
	char path[40];

	if (!(wanted & S_ISGID) || (raw->st_mode & S_ISGID) || !S_ISREG(raw->st_mode))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	caller_enter(&(struct caller){.uid = geteuid(), .gid = raw->st_gid});
	if (!chmod(path, (raw->st_mode & 07777) | S_ISGID))
		raw->st_mode |= S_ISGID;
	caller_leave();
}

struct newborn {
	struct inode *inode;
	int fd;	    /* O_PATH */
	int openfd; /* opened as it was made, where it could not be opened again; else -1 */
	struct stat raw;
};

static void newborn_release(struct lake *lake, struct newborn *n)
{
	if (n->fd >= 0)
		close(n->fd);
	if (n->openfd >= 0)
		close(n->openfd);
	if (n->inode)
		inode_unref(lake, n->inode);
}

static int newborn_bucket(struct lake *lake, struct real_folder *f, const char *name, struct bucket **bucket,
			  struct volume **volume)
{
	int rc = 0;

	*bucket = f->inode->bucket;
	*volume = f->inode->volume;
	if (f->inode->id == NODE_ROOT) {
		rc = lake_bucket(lake, name, bucket);
		*volume = rc ? NULL : (*bucket)->volume;
	}
	return rc;
}

/* What one kind of creation needs. */
struct creation {
	enum change_op op;
	mode_t mode; /* with the type */
	dev_t rdev;
	const char *target; /* of a symlink */
	bool exclusive;
	int flags; /* of an open that makes it */
};

/* What is known of it from the start beside its row. */
static void record_rest(struct lake *lake, struct real_folder *f, const char *name, const struct creation *c,
			const struct actor *actor, struct newborn *n, struct record *r)
{
	_cleanup_buf_ struct buf encoded = BUF_INIT;

	if (c->target)
		record_node_target(r, n->inode->id, c->target);
	if (n->inode->acl && !c->target && !xattrs_read(n->fd, &encoded)) /* inherited */
		record_node_xattrs(r, n->inode->id, encoded.data, encoded.len);
	if (c->op != OP_MKNOD || n->inode->kind != KIND_FILE || !bucket_versions(n->inode->bucket, f->inode, name))
		return;
	SCOPED_LOCK(&n->inode->lock); /* nobody opens it, so nobody will cut its first version, which is empty */

	cut_add_live(lake, n->inode, r, &n->raw, actor);
}

/*
 * What was just made as C says, and N->fd is open on, becomes a node: in memory and in the store. NAME NULL: it has
 * none yet. The tree lock is held for reading.
 */
static int record_newborn(struct lake *lake, struct real_folder *f, const char *name, const struct creation *c,
			  const struct actor *actor, struct newborn *n)
{
	struct node_row row = {.id = store_new_node(lake->store), .kind = kind_of_mode(n->raw.st_mode)};
	struct bucket *bucket;
	struct volume *volume;
	struct record *r;
	int rc;

	rc = newborn_bucket(lake, f, name, &bucket, &volume);
	if (!rc)
		rc = fhandle_get(n->fd, "", &row.handle);
	if (rc < 0)
		return rc;
	row.volume = volume->index;
	row.writing = c->op == OP_CREATE;
	row.acl = f->inode->acl;
	row_set_stat(&row, &n->raw);
	rc = inode_get(lake, &row, name ? f->inode : NULL, name, bucket, &n->inode, NULL);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&n->inode->lock);
	n->inode->raw_ino = n->raw.st_ino;
	n->inode->bucket = bucket;
	n->inode->moved = n->inode->no_past = true;
	n->inode->made_here = c->exclusive;
	n->inode->maker = n->inode->writer_run = actor->run;
	n->inode->writer_uid = actor->caller.uid;
	if (name && row.kind == KIND_FILE)
		n->inode->former = former_take(lake, f->inode->id, name);
	pthread_mutex_unlock(&n->inode->lock);
	if (name)
		database_note_name(n->inode, f->fd, name);

	r = real_record(c->op, actor, row.id, f->inode->id, name);
	if (r) {
		record_node_add(r, &row);
		if (name)
			record_entry_add(r, f->inode->id, name, row.id);
		record_rest(lake, f, name, c, actor, n, r);
	}
	return real_submit_name(lake, r, n->inode, f->inode, name);
}

static int open_newborn(struct real_folder *f, const char *name, mode_t mode, struct newborn *n)
{
	n->fd = openat(f->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (n->fd < 0 || fstat(n->fd, &n->raw) < 0)
		return -errno;
	mend_setgid(n->fd, mode, &n->raw);
	return 0;
}

/* OPENFD: gets a descriptor where the file is to be opened by one who may not open it afterwards. */
static int make_on_disk(struct lake *lake, int folderfd, const char *name, const struct creation *c, int *openfd)
{
	if (c->op == OP_CREATE && !lake->privileged) {
		*openfd =
			openat(folderfd, name, O_CREAT | O_EXCL | O_CLOEXEC | (c->flags & O_ACCMODE), c->mode & 07777);
		return *openfd;
	}
	if (c->target)
		return symlinkat(c->target, folderfd, name);
	if (S_ISDIR(c->mode))
		return mkdirat(folderfd, name, c->mode & 07777);
	return mknodat(folderfd, name, c->mode, c->rdev);
}

static int make(struct lake *lake, struct real_folder *f, const char *name, const struct creation *c,
		const struct actor *actor, struct newborn *n)
{
	int rc = check_name(lake, f, name, S_ISDIR(c->mode));

	if (rc < 0)
		return rc;
	pthread_rwlock_rdlock(&lake->tree_lock);
	caller_enter(&actor->caller);
	rc = make_on_disk(lake, f->fd, name, c, &n->openfd) < 0 ? -errno : 0;
	caller_leave();
	if (!rc)
		rc = open_newborn(f, name, c->mode, n);
	if (!rc)
		rc = record_newborn(lake, f, name, c, actor, n);
	pthread_rwlock_unlock(&lake->tree_lock);
	return rc;
}

static int make_entry(struct lake *lake, uint64_t parent, const char *name, const struct creation *c,
		      const struct actor *actor, struct ns_entry *e)
{
	_cleanup_real_folder_ struct real_folder f = {0};
	struct newborn n = {.fd = -1, .openfd = -1};
	int rc = real_folder_get(lake, parent, &f);

	if (!rc)
		rc = make(lake, &f, name, c, actor, &n);
	if (!rc)
		real_fill_entry(lake, n.inode, &n.raw, e);
	newborn_release(lake, &n);
	return rc;
}

int ns_mknod(struct lake *lake, uint64_t parent, const char *name, mode_t mode, dev_t rdev, const struct actor *actor,
	     struct ns_entry *e)
{
	const struct creation c = {.op = OP_MKNOD, .mode = mode, .rdev = rdev};

	return make_entry(lake, parent, name, &c, actor, e);
}

int ns_mkdir(struct lake *lake, uint64_t parent, const char *name, mode_t mode, const struct actor *actor,
	     struct ns_entry *e)
{
	const struct creation c = {.op = OP_MKDIR, .mode = S_IFDIR | (mode & 07777)};

	if (parent & VIEW_NODE)
		return view_make_folder(lake, parent, name, actor, e);
	return make_entry(lake, parent, name, &c, actor, e);
}

int ns_symlink(struct lake *lake, uint64_t parent, const char *name, const char *target, const struct actor *actor,
	       struct ns_entry *e)
{
	const struct creation c = {.op = OP_SYMLINK, .mode = S_IFLNK, .target = target};

	return make_entry(lake, parent, name, &c, actor, e);
}

/* O_SYNC: the file is durable before the answer, or there is no answer. */
static int sync_created(struct lake *lake, struct newborn *n, struct ns_entry *e, struct handle *h)
{
	int rc = inode_sync(lake, n->inode, h, false);

	if (rc < 0) {
		handle_close(lake, h);
		inode_forget(lake, e->ino, 1);
	}
	return rc;
}

int ns_create(struct lake *lake, uint64_t parent, const char *name, mode_t mode, int flags, const struct actor *actor,
	      struct ns_entry *e, struct handle **out)
{
	const struct creation c = {
		.op = OP_CREATE, .mode = S_IFREG | (mode & 07777), .exclusive = flags & O_EXCL, .flags = flags};
	_cleanup_real_folder_ struct real_folder f = {0};
	struct newborn n = {.fd = -1, .openfd = -1};
	int rc = real_folder_get(lake, parent, &f);

	if (!rc)
		rc = make(lake, &f, name, &c, actor, &n);
	if (rc == -EEXIST && !(flags & O_EXCL))
		rc = -ESTALE; /* somebody was faster: the kernel looks up again, and checks permissions then */
	if (!rc)
		rc = handle_open_new(lake, n.inode, flags, n.fd, steal_fd(&n.openfd), actor, out);
	if (!rc)
		real_fill_entry(lake, n.inode, &n.raw, e);
	if (!rc && !e->attr_timeout && !(n.raw.st_mode & (S_ISUID | S_ISGID)))
		e->attr_timeout = NEWBORN_TIMEOUT;
	if (!rc && (flags & (O_SYNC | O_DSYNC)))
		rc = sync_created(lake, &n, e, *out);
	newborn_release(lake, &n);
	return rc;
}

int ns_tmpfile(struct lake *lake, uint64_t parent, mode_t mode, int flags, const struct actor *actor,
	       struct ns_entry *e, struct handle **out)
{
	const struct creation c = {.op = OP_CREATE};
	_cleanup_real_folder_ struct real_folder f = {0};
	struct newborn n = {.fd = -1, .openfd = -1};
	int rc = real_folder_get(lake, parent, &f);

	if (!rc && f.inode->id == NODE_ROOT)
		rc = real_check_root(lake, f.inode, "an unnamed file", false);
	if (rc < 0)
		return rc;
	pthread_rwlock_rdlock(&lake->tree_lock);
	caller_enter(&actor->caller);
	n.fd = openat(f.fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC | (flags & O_EXCL), mode);
	rc = n.fd < 0 ? -errno : 0;
	caller_leave();
	if (!rc && fstat(n.fd, &n.raw) < 0)
		rc = -errno;
	if (!rc)
		rc = record_newborn(lake, &f, NULL, &c, actor, &n);
	pthread_rwlock_unlock(&lake->tree_lock);
	if (!rc && !n.inode->volume->handles) {
		n.inode->pinned = n.fd;
		n.fd = -1;
	}
	if (!rc)
		rc = handle_open_new(lake, n.inode, flags & ~O_EXCL, -1, -1, actor, out);
	if (!rc)
		real_fill_entry(lake, n.inode, &n.raw, e);
	newborn_release(lake, &n);
	return rc;
}

/* ---- hard links ---- */

static int link_on_disk(struct lake *lake, struct inode *inode, int folderfd, const char *name, struct stat *raw)
{
	_cleanup_close_ int fd = inode_open(lake, inode, O_PATH);
	char path[40];

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, folderfd, name, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	return fstat(fd, raw) < 0 ? -errno : 0;
}

/*
 * Takes the tree lock for reading, and freezes INODE: an aside would put another inode in its place meanwhile. A stub
 * gets its bytes before: of two names, both would have to be exchanged.
 */
static int freeze_file(struct lake *lake, struct inode *inode, const struct actor *actor)
{
	for (;;) {
		int rc = stub_recall(lake, inode, actor->call);

		if (rc < 0)
			return rc;
		pthread_rwlock_rdlock(&lake->tree_lock);
		inode_freeze(inode);
		if (!inode_is_stub(inode))
			return 0;
		inode_thaw(inode);
		pthread_rwlock_unlock(&lake->tree_lock);
	}
}

int ns_link(struct lake *lake, uint64_t ino, uint64_t parent, const char *name, const struct actor *actor,
	    struct ns_entry *e)
{
	_cleanup_real_folder_ struct real_folder f = {0};
	struct inode *inode = NULL;
	struct record *r;
	struct stat raw;
	int rc;

	if (ino & VIEW_NODE)
		return -EROFS;
	rc = real_folder_get(lake, parent, &f);
	if (!rc)
		rc = check_name(lake, &f, name, false);
	if (!rc)
		rc = real_get(lake, ino, &inode);
	if (!rc)
		rc = freeze_file(lake, inode, actor);
	if (rc < 0) {
		inode_unref(lake, inode);
		return rc;
	}
	/* its last name was published over before the kernel knew: what lies in versions/ gets no name again */
	pthread_mutex_lock(&inode->lock);
	rc = inode->kept_aside ? -ENOENT : 0;
	pthread_mutex_unlock(&inode->lock);
	if (!rc)
		rc = link_on_disk(lake, inode, f.fd, name, &raw);
	inode_thaw(inode);
	if (!rc) {
		if (!inode_is_named(inode))
			inode_set_name(lake, inode, f.inode, name, f.inode->bucket);
		pthread_mutex_lock(&inode->lock);
		inode->moved = true;
		inode->made_here = false;
		pthread_mutex_unlock(&inode->lock);
		r = real_record(OP_LINK, actor, ino, f.inode->id, name);
		if (r) {
			real_record_node(lake, inode, &raw, r);
			record_entry_add(r, f.inode->id, name, ino);
		}
		rc = real_submit_name(lake, r, inode, f.inode, name);
	}
	pthread_rwlock_unlock(&lake->tree_lock);
	if (!rc)
		real_fill_entry(lake, inode, &raw, e);
	inode_unref(lake, inode);
	return rc;
}
