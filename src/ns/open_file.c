#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/full_io.h"
#include "content/cloud/draft.h"
#include "content/outside.h"
#include "content/recall/recall_version.h"
#include "content/room.h"
#include "content/cloud/stub.h"
#include "ns/opened.h"
#include "ns/real.h"
#include "ns/view/view.h"

struct open_file {
	struct opened opened;
	struct handle *real;
	struct view_file *view; /* else */
};

struct open_file *open_file_of(struct lake *lake, struct handle *h)
{
	struct open_file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->real = h;
	opened_add(lake, &lake->open_files, &f->opened);
	return f;
}

struct handle *open_file_handle(struct open_file *f)
{
	return f->real;
}

bool open_file_keeps_cache(const struct open_file *f)
{
	return f->real ? f->real->keep_cache : view_file_keeps_cache(f->view);
}

/* Where others can write, each open looks whether they did. */
static int check_outside(struct lake *lake, struct inode *inode)
{
	char name[NAME_BYTES + 1];
	struct folder_fd *folder = NULL;
	struct inode *parent;
	struct stat st;
	bool changed;
	int rc;

	if (real_entry_timeout(lake, inode) == LONG_TIMEOUT)
		return 0;
	rc = inode_stat(lake, inode, &st);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&inode->lock);
	changed = !inode->dirty && !inode->handles &&
		  ((uint64_t)st.st_size != inode->clean_size || stat_mtime(&st) != inode->clean_mtime);
	pthread_mutex_unlock(&inode->lock);
	parent = changed ? inode_parent(lake, inode, name) : NULL;
	if (!parent)
		return 0;
	rc = folder_get(lake, parent, &folder);
	if (!rc)
		rc = outside_refresh(lake, parent, folder_fd(folder), name, inode);
	folder_put(folder);
	inode_unref(lake, parent);
	return rc;
}

static void audit_read(struct lake *lake, struct inode *inode, const struct actor *actor)
{
	struct record *r = real_record(OP_READ, actor, inode->id, 0, NULL);

	real_submit(lake, r, inode, NULL);
}

static int open_real(struct lake *lake, uint64_t ino, int flags, const struct actor *actor, struct handle **out)
{
	struct inode *inode;
	int rc = real_get(lake, ino, &inode);

	if (rc < 0)
		return rc;
	if (lake->read_only && (flags & O_ACCMODE) != O_RDONLY)
		rc = -EROFS;
	if (!rc)
		rc = check_outside(lake, inode);
	if (!rc)
		rc = handle_open(lake, inode, flags, actor, out);
	if (!rc && (flags & O_TRUNC) && (flags & (O_SYNC | O_DSYNC))) {
		rc = inode_sync(lake, inode, *out, false);
		if (rc < 0)
			handle_close(lake, *out);
	}
	if (!rc && (flags & O_ACCMODE) == O_RDONLY && atomic_load_explicit(&lake->audit_reads, memory_order_relaxed))
		audit_read(lake, inode, actor);
	inode_unref(lake, inode);
	return rc;
}

int ns_open(struct lake *lake, uint64_t ino, int flags, const struct actor *actor, struct open_file **out)
{
	struct open_file *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return -ENOMEM;
	if (!(ino & VIEW_NODE))
		rc = open_real(lake, ino, flags, actor, &f->real);
	else if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC))
		rc = -EROFS;
	else
		rc = view_open(lake, ino, actor, &f->view);
	if (rc < 0) {
		free(f);
		return rc;
	}
	f->opened.front = ino & VIEW_NODE ? view_front(ino) : NULL;
	opened_add(lake, &lake->open_files, &f->opened);
	*out = f;
	return 0;
}

void ns_release(struct lake *lake, struct open_file *f)
{
	opened_remove(lake, &f->opened);
	if (f->real)
		handle_close(lake, f->real);
	if (f->view)
		view_close(f->view);
	free(f);
}

int open_file_fd(struct lake *lake, struct open_file *f)
{
	struct handle *h = f->real;
	int fd;

	if (f->view)
		return -EBADF;
	SCOPED_LOCK(&h->inode->lock);
	if (h->fd >= 0)
		return h->fd;
	pthread_mutex_unlock(&h->inode->lock);
	fd = inode_open(lake, h->inode, h->flags & O_ACCMODE);
	if (fd < 0 && h->recall && recall_is_whole(h->recall)) /* the same file, without a name by now */
		fd = fcntl(recall_fd(h->recall), F_DUPFD_CLOEXEC, 3);
	pthread_mutex_lock(&h->inode->lock);
	if (fd < 0)
		return fd;
	if (h->fd >= 0) { /* another thread was faster */
		close(fd);
		return h->fd;
	}
	h->fd = fd;
	h->inode->raw_writers += h->writer;
	return fd;
}

int open_file_view_backing(const struct open_file *f)
{
	return f->view ? view_file_backing_id(f->view) : 0;
}

int open_file_view_fd(const struct open_file *f)
{
	return f->view ? view_file_fd(f->view) : -1;
}

struct recall *open_file_recall(const struct open_file *f)
{
	return f->real && f->real->recall && inode_is_stub(f->real->inode) ? f->real->recall : NULL;
}

bool ns_has(struct open_file *f, off_t at, size_t len)
{
	struct recall *r = open_file_recall(f);

	if (f->view)
		return view_file_has(f->view, at, len);
	if (r && handle_has_draft(f->real))
		return false;
	return !r || recall_has(r, (uint64_t)at, len);
}

int ns_want(struct lake *lake, struct open_file *f, off_t at, size_t len, const struct tier_call *call)
{
	struct recall *r = open_file_recall(f);
	int rc = !r ? 0 : f->real->only_here ? -ENODATA : recall_want(r, (uint64_t)at, len, call);

	if (f->view)
		return view_file_want(f->view, at, len, call);
	if (rc == -ESTALE && !recall_find_again(lake, f->real->version))
		rc = recall_want(r, (uint64_t)at, len, call);
	return rc == -ESTALE ? -EIO : rc;
}

int ns_read_stub(struct lake *lake, struct open_file *f, void *to, size_t len, off_t at, const struct tier_call *call,
		 size_t *n)
{
	if (!open_file_recall(f))
		return -ENOENT;
	if (f->real->only_here)
		return -ENODATA;
	return handle_read_stub(lake, f->real, to, len, (uint64_t)at, call, n);
}

bool ns_writes_stub(const struct open_file *f)
{
	return open_file_recall(f);
}

ssize_t ns_write_stub(struct lake *lake, struct open_file *f, const struct actor *actor, const void *bytes, size_t len,
		      off_t at)
{
	ssize_t n;
	int fd;

	room_wait(lake, f->real->inode->volume, len);
	n = handle_write_stub(lake, f->real, actor, bytes, len, (uint64_t)at);
	if (n)
		return n;
	fd = open_file_fd(lake, f);
	if (fd < 0)
		return fd;
	inode_before_change(lake, f->real->inode, f->real, actor, (uint64_t)at, (uint64_t)at + len);
	n = write_full_at(fd, bytes, len, (uint64_t)at);
	inode_after_change(f->real->inode);
	return n < 0 ? n : (ssize_t)len;
}

bool ns_ends_draft(struct lake *lake)
{
	return drafts_any(lake);
}

bool ns_waits(struct lake *lake, uint64_t ino)
{
	struct inode *inode;
	bool waits;

	if (ino & VIEW_NODE)
		return view_open_waits(lake, ino);
	inode = inode_find(lake, ino);
	waits = inode && inode_is_stub(inode);
	inode_unref(lake, inode);
	return waits;
}

ssize_t ns_read_view(struct open_file *f, void *to, size_t len, off_t at)
{
	return view_file_read(f->view, to, len, at);
}

int ns_before_write(struct lake *lake, struct open_file *f, const struct actor *actor, off_t offset, size_t length)
{
	if (!f->real)
		return -EROFS;
	room_wait(lake, f->real->inode->volume, length);
	inode_before_change(lake, f->real->inode, f->real, actor, (uint64_t)offset, (uint64_t)offset + length);
	return 0;
}

void ns_after_write(struct open_file *f)
{
	inode_after_change(f->real->inode);
}

bool ns_make_room(struct lake *lake, struct open_file *f, int error, size_t length)
{
	return error == -ENOSPC && f->real && room_make(lake, f->real->inode->volume, length);
}

/* The bytes that fallocate(2) takes away are from its offset on, until… */
static uint64_t fallocate_end(int mode, off_t offset, off_t length)
{
	if (mode & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE))
		return UINT64_MAX; /* all that follow move */
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return (uint64_t)offset + (uint64_t)length;
	return (uint64_t)offset; /* room alone changes none */
}

static int allocate(struct lake *lake, struct open_file *f, int fd, int mode, off_t offset, off_t length,
		    const struct actor *actor)
{
	int rc;

	inode_before_change(lake, f->real->inode, f->real, actor, (uint64_t)offset,
			    fallocate_end(mode, offset, length));
	rc = fallocate(fd, mode, offset, length) < 0 ? -errno : 0;
	inode_after_change(f->real->inode);
	return rc;
}

static size_t still_missing(const struct stat *st, size_t length)
{
	size_t has = (size_t)st->st_blocks * 512;

	return has < length ? length - has : 0;
}

int ns_fallocate(struct lake *lake, struct open_file *f, int mode, off_t offset, off_t length,
		 const struct actor *actor)
{
	struct stat st;
	int fd, rc;

	if (!f->real)
		return -EROFS;
	rc = stub_recall(lake, f->real->inode, actor->call);
	if (rc < 0)
		return rc;
	fd = open_file_fd(lake, f);
	if (fd < 0)
		return fd;
	rc = allocate(lake, f, fd, mode, offset, length, actor);
	/* what was had before it failed stays */
	if (rc == -ENOSPC && !fstat(fd, &st) && ns_make_room(lake, f, rc, still_missing(&st, (size_t)length)))
		rc = allocate(lake, f, fd, mode, offset, length, actor);
	return rc;
}

static ssize_t copy_range(struct lake *lake, int in, off_t from, int out, struct open_file *to, off_t at, size_t length,
			  const struct actor *actor)
{
	ssize_t n = ns_before_write(lake, to, actor, at, length);

	if (n < 0)
		return n;
	n = copy_file_range(in, &from, out, &at, length, 0);
	n = n < 0 ? -errno : n;
	ns_after_write(to);
	return n;
}

ssize_t ns_copy_range(struct lake *lake, struct open_file *from, off_t from_offset, struct open_file *to,
		      off_t to_offset, size_t length, const struct actor *actor)
{
	/* other versions are checked as they are read */
	int in, out,
		rc = (from->view && view_file_fd(from->view) < 0) || open_file_recall(from) || open_file_recall(to)
			     ? -EXDEV
			     : 0;
	ssize_t n;

	if (!rc && to->view)
		rc = -EROFS;
	if (rc < 0)
		return rc;
	in = from->view ? view_file_fd(from->view) : open_file_fd(lake, from);
	out = open_file_fd(lake, to);
	if (in < 0 || out < 0)
		return in < 0 ? in : out;
	n = copy_range(lake, in, from_offset, out, to, to_offset, length, actor);
	if (ns_make_room(lake, to, n < 0 ? (int)n : 0, length))
		n = copy_range(lake, in, from_offset, out, to, to_offset, length, actor);
	return n;
}

/* Of what is not all here it is all data. */
static off_t seek_data(uint64_t size, off_t offset, int whence)
{
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL; /* the kernel does the others by itself */
	return offset < 0 || (uint64_t)offset >= size ? -ENXIO : whence == SEEK_DATA ? offset : (off_t)size;
}

off_t ns_seek(struct lake *lake, struct open_file *f, off_t offset, int whence)
{
	struct stat st;
	int fd;
	off_t at;

	if (f->view)
		return view_file_seek(f->view, offset, whence);
	if (open_file_recall(f) && stub_stat(f->real->inode, &st))
		return seek_data((uint64_t)st.st_size, offset, whence);
	fd = open_file_fd(lake, f);
	if (fd < 0)
		return fd;
	at = lseek(fd, offset, whence);
	return at < 0 ? -errno : at;
}

int ns_fsync(struct lake *lake, uint64_t ino, struct open_file *f, bool data_only)
{
	struct inode *inode;
	int rc;

	if (ino & VIEW_NODE)
		return 0;
	rc = real_get(lake, ino, &inode);
	if (rc < 0)
		return rc;
	rc = inode_sync(lake, inode, f ? f->real : NULL, data_only);
	inode_unref(lake, inode);
	return rc;
}
