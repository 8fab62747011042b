/*
 * The tree in buckets/ and what the store says of it, folder by folder.
 *
 * While the lake is mounted over its buckets nobody changes them behind it: what differs then, and still does when
 * nobody is in the middle of a change, is wrong. Otherwise it is what somebody did to the plain files, which the next
 * mount or look-up takes in: a note. Either is put right in the same way, by taking in what lies there; and a
 * placeholder that stands for nothing stays.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "content/outside.h"
#include "content/cloud/stub.h"
#include "work/fsck/fsck_int.h"

#define TAKE_IN "it is taken in as it is"
#define MISSING "it is missing"
#define SCAN_NS (100 * NSEC_PER_MSEC)

struct entry {
	char *name;
	uint64_t node;
	bool seen;
};

struct folder {
	struct fsck *f;
	struct inode *inode;
	int fd;
	struct buf path; /* "buckets/data/" */
	struct entry *list;
	size_t n, room;
};

struct walk {
	uint64_t *folders; /* still to be looked at */
	size_t n, room;
};

static int add_folder(struct walk *w, uint64_t node)
{
	if (array_grow(&w->folders, w->n, &w->room, sizeof(*w->folders)))
		return -ENOMEM;
	w->folders[w->n++] = node;
	return 0;
}

/* ---- one name ---- */

/* Its bytes are where the store says. */
static const char *compare_stub(struct folder *d, const char *name, const struct node_row *row, const struct stat *st)
{
	uint64_t named = stub_named(d->f->lake, d->fd, name, st);

	if (row->stub)
		return named == row->id ? NULL : "its bytes are in the cloud, but no placeholder of it lies here";
	return named ? "a placeholder of a file that the store does not know to be in the cloud" : NULL;
}

/* Somebody has it open, or it was written and not cut yet: then nothing is known of it. */
static bool is_in_use(struct fsck *f, const struct node_row *row)
{
	struct inode *inode = inode_find(f->lake, row->id);
	bool used = row->writing || !row->version;

	if (!inode)
		return used;
	pthread_mutex_lock(&inode->lock);
	used |= inode->dirty || inode->writers || inode->changing || inode->state == INODE_CHANGING;
	pthread_mutex_unlock(&inode->lock);
	inode_unref(f->lake, inode);
	return used;
}

/* NULL: NAME is what ROW says. */
static const char *compare(struct folder *d, const char *name, const struct node_row *row)
{
	struct fhandle handle;
	struct stat st;
	const char *what;

	if (fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? MISSING : "it cannot be looked at";
	what = compare_stub(d, name, row, &st);
	if (what || row->stub)
		return what;
	if (kind_of_mode(st.st_mode) != row->kind)
		return "it is of another kind than the store says";
	if (row->handle.len && !fhandle_get(d->fd, name, &handle) && !fhandle_equal(&handle, &row->handle))
		return "it is another file than the store says";
	if (row->kind == KIND_FILE && !is_in_use(d->f, row) &&
	    ((uint64_t)st.st_size != row->size || stat_mtime(&st) != row->mtime))
		return "it was changed, and the store does not know it";
	return NULL;
}

/* As compare(), of what the store says that NAME is. */
static const char *look_at(struct folder *d, const char *name)
{
	struct lake *lake = d->f->lake;
	struct node_row row;
	struct stat st;
	int rc = store_entry(lake->store, d->inode->id, name, &row);

	if (!rc)
		return compare(d, name, &row);
	if (rc != -ENOENT || fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return NULL;
	return stub_named(lake, d->fd, name, &st) ? "a placeholder of a file that is not known here"
						  : "the store does not know it";
}

/* The same when nobody is in the middle of a change. */
static const char *look_again(struct folder *d, const char *name)
{
	struct lake *lake = d->f->lake;
	const char *what;

	pthread_rwlock_wrlock(&lake->tree_lock);
	what = store_barrier(lake->store, 0) ? NULL : look_at(d, name);
	pthread_rwlock_unlock(&lake->tree_lock);
	return what;
}

/* 0: the store says now what lies there. */
static int take_in(struct folder *d, const char *name, const char *what)
{
	struct lake *lake = d->f->lake;
	struct inode *inode;
	struct stat st;
	int rc;

	if (!strcmp(what, MISSING))
		rc = outside_check_folder(lake, d->inode, &d->f->work.stopping);
	else
		rc = outside_look_up(lake, d->inode, d->fd, name, &inode, &st);
	if (!rc && strcmp(what, MISSING) != 0) {
		if (inode->kind == KIND_FILE && !inode_is_stub(inode))
			rc = outside_refresh(lake, d->inode, d->fd, name, inode);
		inode_unref(lake, inode);
	}
	if (!rc)
		rc = store_barrier(lake->store, 0);
	return rc ? rc : look_again(d, name) ? -EBUSY : 0;
}

static void tell(struct folder *d, const char *name, const char *what)
{
	struct fsck *f = d->f;
	_cleanup_buf_ struct buf place = BUF_INIT;
	bool behind = !f->options->work || !f->lake->in_place;
	const char *remedy = TAKE_IN;
	int rc = 0;

	buf_addf(&place, "%s%s", buf_str(&d->path), name);
	if (fsck_repairs(f))
		rc = take_in(d, name, what);
	if (fsck_repairs(f) && rc < 0)
		remedy = NULL;
	if (behind && !fsck_repairs(f))
		fsck_note(f, buf_str(&place), remedy, "%s: changed while nothing was mounted over it?", what);
	else
		fsck_tell(f, rc, buf_str(&place), remedy, "%s", what);
}

static void check_name(struct folder *d, const char *name, const char *what)
{
	if (what)
		what = look_again(d, name);
	if (what)
		tell(d, name, what);
}

/* ---- one folder ---- */

static int note_entry(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	struct folder *d = arg;

	(void)kind;
	if (array_grow(&d->list, d->n, &d->room, sizeof(*d->list)))
		return -ENOMEM;
	d->list[d->n] = (struct entry){.name = strdup(name), .node = node};
	if (!d->list[d->n].name)
		return -ENOMEM;
	d->n++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* Names that have no rows: private buckets and plain files at the root; what another file system keeps of its own. */
static bool is_left_out(const struct folder *d, const char *name)
{
	struct stat st;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return true;
	if (d->inode->id == NODE_ROOT)
		return name[0] == '.' || fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode);
	return atomic_load(&d->inode->in_root) && !strcmp(name, ".tarn-versions");
}

static int check_disk(struct folder *d)
{
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!stream) {
		int rc = -errno;

		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (!fsck_stopping(d->f) && (e = readdir(stream))) {
		struct entry key = {.name = e->d_name}, *known;

		if (is_left_out(d, e->d_name))
			continue;
		known = d->n ? bsearch(&key, d->list, d->n, sizeof(key), by_name) : NULL;
		if (known)
			known->seen = true;
		else
			check_name(d, e->d_name, "the store does not know it");
	}
	return 0;
}

/* A bucket that lies elsewhere has another folder than the empty one here. */
static bool lies_elsewhere(const struct folder *d, const char *name)
{
	struct bucket *b;

	return d->inode->id == NODE_ROOT && !lake_bucket(d->f->lake, name, &b) && b->fd >= 0;
}

static int check_entries(struct folder *d, struct walk *w)
{
	int rc = 0;

	for (size_t i = 0; i < d->n && !rc && !fsck_stopping(d->f); i++) {
		struct entry *e = &d->list[i];
		struct node_row row;

		d->f->result->names++;
		if (store_node(d->f->lake->store, e->node, &row))
			continue; /* the store's own check tells */
		if (!lies_elsewhere(d, e->name))
			check_name(d, e->name, e->seen ? compare(d, e->name, &row) : MISSING);
		if (row.kind == KIND_FOLDER)
			rc = add_folder(w, e->node);
	}
	return rc;
}

static void folder_release(struct folder *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->list[i].name);
	free(d->list);
	buf_release(&d->path);
}

static int check_folder(struct fsck *f, uint64_t node, struct walk *w)
{
	_cleanup_(folder_release) struct folder d = {.f = f, .path = BUF_INIT};
	_cleanup_folder_ struct folder_fd *fd = NULL;
	struct inode *inode;
	int rc = node == NODE_ROOT ? 0 : reach_node(f->lake, node, &inode);

	if (rc) /* it went since, or is not there: its own folder tells */
		return rc == -ENOENT || rc == -ENOTDIR || rc == -ESTALE ? 0 : rc;
	if (node == NODE_ROOT)
		inode = inode_find(f->lake, node);
	d.inode = inode;
	buf_adds(&d.path, "buckets/");
	if (node != NODE_ROOT && !store_path(f->lake->store, node, &d.path))
		buf_addc(&d.path, '/');
	rc = folder_get(f->lake, inode, &fd);
	d.fd = rc ? -1 : folder_fd(fd);
	if (!rc)
		rc = store_entries(f->lake->store, node, note_entry, &d);
	if (d.n)
		qsort(d.list, d.n, sizeof(*d.list), by_name);
	if (!rc)
		rc = check_disk(&d);
	if (!rc)
		rc = check_entries(&d, w);
	inode_unref(f->lake, inode);
	return rc == -ENOENT || rc == -ESTALE ? 0 : rc;
}

int fsck_tree(struct fsck *f)
{
	struct walk w = {0};
	int rc = add_folder(&w, NODE_ROOT);

	while (atomic_load(&f->lake->scan_running) && !fsck_stopping(f))
		work_sleep(&f->work, SCAN_NS);
	while (!rc && w.n && !fsck_stopping(f))
		rc = check_folder(f, w.folders[--w.n], &w);
	free(w.folders);
	return rc;
}
