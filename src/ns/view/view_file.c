/* Files of views: opening and reading them, their extended attributes, and text that is rendered for one. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/full_io.h"
#include "base/cleanup.h"
#include "content/pack/pack_ahead.h"
#include "content/recall/recall_caller.h"
#include "content/witness.h"
#include "content/xattrs.h"
#include "ns/view/view_past.h"
#include "ns/virtual_xattr.h"

/* ---- rendered text ---- */

int view_temp_file(struct lake *lake)
{
	int fd = openat(lake->temp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		fd = memfd_create("tarn-view", MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* What is in memory already may stay there when the disk is full. */
static int text_file(struct lake *lake, const struct buf *text)
{
	_cleanup_close_ int fd = view_temp_file(lake);
	int rc = fd < 0 ? fd : write_full_at(fd, text->data, text->len, 0);

	if (rc == -ENOSPC) {
		close(fd);
		fd = memfd_create("tarn-view", MFD_CLOEXEC);
		rc = fd < 0 ? -errno : write_full_at(fd, text->data, text->len, 0);
	}
	if (!rc) {
		rc = fd;
		fd = -1;
	}
	return rc;
}

int view_render(struct lake *lake, const struct buf *text, mode_t mode, uid_t uid, gid_t gid, struct view_node *draft)
{
	struct timespec now;
	int fd;

	if (buf_error(text))
		return -ENOMEM;
	fd = text_file(lake, text);
	if (fd < 0)
		return fd;
	clock_gettime(CLOCK_REALTIME, &now);
	draft->kind = KIND_FILE;
	draft->rendered = true;
	draft->fd = fd;
	draft->st = (struct stat){.st_mode = S_IFREG | mode,
				  .st_uid = uid,
				  .st_gid = gid,
				  .st_nlink = 1,
				  .st_size = (off_t)text->len,
				  .st_blocks = (blkcnt_t)((text->len + 511) / 512),
				  .st_blksize = 4096,
				  .st_mtim = now,
				  .st_ctim = now,
				  .st_atim = now};
	return 0;
}

/* ---- files ---- */

/*
 * The kernel has one inode open in one way at a time: through one backing file, or cached. So the first open decides,
 * and those that come while it lasts go the same way.
 */
static pthread_mutex_t ways_lock = PTHREAD_MUTEX_INITIALIZER;

/* Whole local files that nobody changes are read by the kernel itself. ST: what it is now. */
static void choose_way(struct lake *lake, struct view_file *f, const struct stat *st)
{
	SCOPED_LOCK(&ways_lock);
	struct view_node *n = f->node;
	int fd = view_file_fd(f), id = 0;

	n->opened_st = *st;
	if (!n->cached_opens && !n->passthrough_opens && fd >= 0 && n->front->backing_open)
		id = n->front->backing_open(n->front->arg, fd);
	if (id > 0)
		n->backing_id = id;
	if (id > 0 || n->passthrough_opens) {
		f->backing_id = n->backing_id;
		n->passthrough_opens++;
		atomic_fetch_add_explicit(&lake->counters.opens_passthrough, 1, memory_order_relaxed);
	} else {
		n->cached_opens++;
	}
}

bool view_stat_opened(struct view_node *n, struct stat *st)
{
	SCOPED_LOCK(&ways_lock);

	*st = n->opened_st;
	return n->cached_opens || n->passthrough_opens;
}

static void end_way(struct view_file *f)
{
	SCOPED_LOCK(&ways_lock);
	struct view_node *n = f->node;

	if (!f->backing_id)
		n->cached_opens--;
	else if (!--n->passthrough_opens)
		n->front->backing_close(n->front->arg, n->backing_id);
}

bool view_open_waits(struct lake *lake, uint64_t ino)
{
	_cleanup_view_node_ struct view_node *n = atomic_load(&lake->has_tier) ? view_find(ino) : NULL;
	struct version_row v;
	uint64_t id;

	return n && !n->rendered && n->ops->version && !n->ops->version(lake, n, &id) &&
	       !store_version(lake->store, id, &v) && v.how == HOW_PACKED && v.size && pack_asks_remote(lake, v.sha256);
}

static int open_version(struct lake *lake, struct view_file *f, const struct tier_call *call)
{
	int rc = f->node->ops->version ? f->node->ops->version(lake, f->node, &f->version) : -EACCES;

	return rc ? rc : past_open_version(lake, f->version, call, &f->past);
}

static int open_bytes(struct lake *lake, struct view_file *f, const struct actor *actor)
{
	if (!f->node->rendered)
		return open_version(lake, f, actor->call);
	f->fd = view_rendered_open(f->node);
	return f->fd < 0 ? f->fd : 0;
}

static void close_bytes(struct view_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	past_close(f->past);
	view_put(&f->node);
	free(f);
}

int view_open(struct lake *lake, uint64_t ino, const struct actor *actor, struct view_file **out)
{
	struct view_file *f = calloc(1, sizeof(*f));
	struct stat st;
	int rc;

	if (!f)
		return -ENOMEM;
	f->fd = -1;
	f->node = view_find(ino);
	rc = f->node ? open_bytes(lake, f, actor) : -ESTALE;
	if (!rc)
		rc = view_stat(lake, f->node, &st);
	if (rc < 0) {
		close_bytes(f);
		return rc;
	}
	f->only_here =
		f->past && !past_has(f->past, 0, past_size(f->past)) && !recall_is_allowed(lake, f->node->front, actor);
	choose_way(lake, f, &st);
	witness_open_version(lake, f->version, actor);
	*out = f;
	return 0;
}

void view_close(struct view_file *f)
{
	end_way(f);
	close_bytes(f);
}

int view_file_backing_id(const struct view_file *f)
{
	return f->backing_id;
}

bool view_file_keeps_cache(const struct view_file *f)
{
	return f->past && !f->backing_id;
}

int view_file_fd(const struct view_file *f)
{
	return f->past ? past_fd(f->past) : -1;
}

bool view_file_has(const struct view_file *f, off_t at, size_t len)
{
	return !f->past || past_has(f->past, (uint64_t)at, len);
}

int view_file_want(const struct view_file *f, off_t at, size_t len, const struct tier_call *call)
{
	if (f->only_here && !past_has(f->past, (uint64_t)at, len))
		return -ENODATA;
	return f->past ? past_want(f->past, (uint64_t)at, len, call) : 0;
}

ssize_t view_file_read(struct view_file *f, void *to, size_t len, off_t at)
{
	ssize_t n = f->past ? past_read(f->past, to, len, at) : pread(f->fd, to, len, at);

	return n < 0 && !f->past ? -errno : n;
}

/* A version has the holes of its file where it is one; else it is all data, for its parts may have other holes. */
off_t view_file_seek(struct view_file *f, off_t offset, int whence)
{
	off_t end = f->past ? (off_t)past_size(f->past) : 0, at;
	int fd = f->past ? past_fd(f->past) : f->fd;

	if (f->past && whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL; /* the kernel does the others by itself */
	if (fd < 0)
		return offset < 0 || offset >= end ? -ENXIO : whence == SEEK_DATA ? offset : end;
	at = lseek(fd, offset, whence);
	return at < 0 ? -errno : at;
}

/* ---- extended attributes ---- */

static bool is_users(const char *name)
{
	return !strncmp(name, "user.", 5);
}

static int read_xattrs(struct lake *lake, uint64_t ino, struct buf *encoded)
{
	_cleanup_view_node_ struct view_node *n = view_find(ino);
	int rc;

	if (!n || !n->ops->xattrs || n->rendered)
		return n ? -ENODATA : -ESTALE;
	rc = store_barrier(lake->store, 0);
	return rc ? rc : n->ops->xattrs(lake, n, encoded);
}

static int get_virtual(struct lake *lake, uint64_t ino, const char *name, void *value, size_t size)
{
	_cleanup_view_node_ struct view_node *n = view_find(ino);
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = n && n->ops->fact ? n->ops->fact(lake, n, virtual_xattr_fact(name), &b) : -ENODATA;

	return rc ? rc : virtual_xattr_reply(&b, value, size);
}

int view_get_xattr(struct lake *lake, uint64_t ino, const char *name, void *value, size_t size)
{
	_cleanup_buf_ struct buf encoded = BUF_INIT;
	const char *at, *end;
	struct xattr x;
	int rc;

	if (xattr_is_virtual(name))
		return get_virtual(lake, ino, name, value, size);
	rc = is_users(name) ? read_xattrs(lake, ino, &encoded) : -ENODATA;
	if (rc)
		return rc;
	at = encoded.data;
	end = at + encoded.len;
	while (encoded.len && xattrs_next(&at, end, &x)) {
		if (strcmp(x.name, name))
			continue;
		if (size && size < x.size)
			return -ERANGE;
		if (size)
			memcpy(value, x.value, x.size);
		return (int)x.size;
	}
	return -ENODATA;
}

int view_list_xattrs(struct lake *lake, uint64_t ino, char *names, size_t size)
{
	_cleanup_buf_ struct buf encoded = BUF_INIT, list = BUF_INIT;
	int rc = read_xattrs(lake, ino, &encoded);
	const char *at = encoded.data, *end = at + encoded.len;
	struct xattr x;

	if (rc)
		return rc == -ENODATA ? 0 : rc;
	while (encoded.len && xattrs_next(&at, end, &x))
		if (is_users(x.name))
			buf_add(&list, x.name, strlen(x.name) + 1);
	if (buf_error(&list) || (size && list.len > size))
		return buf_error(&list) ? -ENOMEM : -ERANGE;
	if (size && list.len)
		memcpy(names, list.data, list.len);
	return (int)list.len;
}
