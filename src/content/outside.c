#include "content/outside.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/run.h"

static enum node_kind kind_of(mode_t mode)
{
	return S_ISREG(mode) ? KIND_FILE : S_ISDIR(mode) ? KIND_FOLDER : S_ISLNK(mode) ? KIND_SYMLINK : KIND_OTHER;
}

/* One name on disk, on its way to an inode. */
struct found {
	struct inode *parent;
	struct bucket *bucket;
	struct volume *volume;
	const char *name;
	struct fhandle handle;
	struct stat st;
};

static struct record *outside_record(const struct found *f, uint64_t node)
{
	return record_new(OP_OUTSIDE, RUN_OUTSIDE, f->st.st_uid, node, f->parent->id, f->name);
}

static void fill_row(const struct found *f, struct node_row *row)
{
	row->kind = kind_of(f->st.st_mode);
	row->volume = f->volume->index;
	row->handle = f->handle;
	row_set_stat(row, &f->st);
}

/* The content as it is now becomes the live version of ROW's node. */
static void add_version(struct lake *lake, const struct found *f, struct node_row *row, struct record *r)
{
	struct version_row v = {.node = row->id,
				.state = VERSION_LIVE,
				.settled = true,
				.run = RUN_OUTSIDE,
				.run_uid = f->st.st_uid,
				.volume = row->volume};

	if (row->kind != KIND_FILE || !bucket_versions(f->bucket, f->parent, f->name))
		return;
	if (row->version)
		record_version_state(r, row->version, VERSION_NOT_KEPT, HOW_NONE, "changed outside tarn");
	v.id = store_new_version(lake->store);
	version_set_stat(&v, &f->st);
	record_version_add(r, &v);
	record_job_add(r, JOB_SNIFF, v.id, clock_wall());
	row->version = v.id;
}

static bool same_content(const struct node_row *row, const struct stat *st)
{
	return row->kind == kind_of(st->st_mode) &&
	       (row->kind != KIND_FILE || (row->size == (uint64_t)st->st_size && row->mtime == stat_mtime(st)));
}

/* Is the file of a row still there, under some other name? Then it was renamed, and was not replaced by what has its name. */
static bool lives_on(const struct found *f, const struct node_row *row)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (row->volume != f->volume->index || !f->volume->handles || !row->handle.len || row->handle.made)
		return false;
	fd = fhandle_open(f->volume->mountfd, &row->handle, O_PATH);
	return fd >= 0 && !fstat(fd, &st) && st.st_nlink > 0;
}

/* ROW's file has a name that was OVER's. */
static void come_over(const struct found *f, const struct node_row *row, const struct node_row *over, struct record *r)
{
	if (lives_on(f, over)) {
		record_entry_end(r, f->parent->id, f->name, ENDED_RENAME);
		return;
	}
	if (row->kind != KIND_FILE)
		return;
	record_series_take(r, row->id, over->id);
	if (over->version)
		record_version_state(r, over->version, VERSION_NOT_KEPT, HOW_NONE, "replaced outside tarn");
}

/* Known by its handle; perhaps under another name, perhaps with other bytes. */
static int refresh(struct lake *lake, const struct found *f, struct node_row *row, bool here)
{
	bool changed = !same_content(row, &f->st), attributes = row->ctime != stat_ctime(&f->st);
	struct node_row over;
	struct record *r;

	if (row->writing) { /* a crash left it unsettled; settling it tells what changed */
		changed = false;
		attributes = false;
	}
	if (here && !changed && !attributes)
		return 0;
	r = outside_record(f, row->id);
	if (!r)
		return -ENOMEM;
	if (!here) {
		if (!store_entry(lake->store, f->parent->id, f->name, &over) && over.id != row->id)
			come_over(f, row, &over, r);
		record_entry_add(r, f->parent->id, f->name, row->id);
	}
	if (changed || attributes) {
		fill_row(f, row);
		record_node_set(r, row);
	}
	if (changed)
		add_version(lake, f, row, r);
	return store_submit(lake->store, r, NULL);
}

static int take_in(struct lake *lake, const struct found *f, struct node_row *row)
{
	struct record *r;

	memset(row, 0, sizeof(*row));
	row->id = store_new_node(lake->store);
	fill_row(f, row);
	r = outside_record(f, row->id);
	if (!r)
		return -ENOMEM;
	record_node_add(r, row);
	record_entry_end(r, f->parent->id, f->name, ENDED_RENAME); /* of a file that went elsewhere with its series */
	record_entry_add(r, f->parent->id, f->name, row->id);
	add_version(lake, f, row, r);
	atomic_fetch_add_explicit(&lake->counters.adopted, 1, memory_order_relaxed);
	return store_submit(lake->store, r, NULL);
}

/* No row has this handle, but the path has a row: the same file after a restore, or another one in its place. */
static int replace(struct lake *lake, const struct found *f, struct node_row *row)
{
	struct node_row old = *row;
	bool same = same_content(row, &f->st);
	struct record *r;

	if (!same && kind_of(f->st.st_mode) != row->kind)
		return -ENOENT;
	if (lives_on(f, row))
		return take_in(lake, f, row);
	if (!same && row->kind == KIND_FILE)
		row->id = store_new_node(lake->store);
	r = outside_record(f, row->id);
	if (!r)
		return -ENOMEM;
	fill_row(f, row);
	if (row->id == old.id) {
		record_node_set(r, row);
	} else {
		row->asset = row->version = 0;
		record_node_add(r, row);
		record_series_take(r, row->id, old.id);
		if (old.version)
			record_version_state(r, old.version, VERSION_NOT_KEPT, HOW_NONE, "replaced outside tarn");
		record_entry_end(r, f->parent->id, f->name, ENDED_UNLINK);
		record_entry_add(r, f->parent->id, f->name, row->id);
		add_version(lake, f, row, r);
	}
	return store_submit(lake->store, r, NULL);
}

/* The row of what was found, made or mended when need be. *MENDED: something was submitted. */
static int resolve(struct lake *lake, const struct found *f, struct node_row *row)
{
	bool here = false;
	int rc = store_node_by_handle(lake->store, f->volume->index, &f->handle, f->parent->id, f->name, row, &here);

	if (!rc)
		return refresh(lake, f, row, here);
	if (rc != -ENOENT)
		return rc;
	rc = store_entry(lake->store, f->parent->id, f->name, row);
	if (!rc)
		rc = replace(lake, f, row);
	if (rc == -ENOENT)
		rc = take_in(lake, f, row);
	return rc;
}

static bool row_is_right(const struct node_row *row, const struct found *f, bool here)
{
	return here && (row->writing || (same_content(row, &f->st) && row->ctime == stat_ctime(&f->st)));
}

static int make_inode(struct lake *lake, const struct found *f, const struct node_row *row, struct inode **out)
{
	bool made;
	int rc = inode_get(lake, row, f->parent, f->name, f->bucket, out, &made);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&(*out)->lock);
	(*out)->raw_ino = f->st.st_ino;
	if (made)
		(*out)->may_map = (*out)->dirty; /* left unsettled by a crash: ask the kernel before believing it */
	pthread_mutex_unlock(&(*out)->lock);
	return 0;
}

/* In memory under this very name: then the store knows it by this name, too. */
static struct inode *find_in_memory(struct lake *lake, const struct found *f)
{
	struct inode *inode = inode_find_handle(lake, f->volume->index, &f->handle);
	bool so;

	if (!inode)
		return NULL;
	pthread_mutex_lock(&inode->lock);
	so = inode->parent == f->parent && inode->name && !strcmp(inode->name, f->name);
	pthread_mutex_unlock(&inode->lock);
	if (so)
		return inode;
	inode_unref(lake, inode);
	return NULL;
}

/*
 * What was submitted about the names in FOLDER can be read. About files nothing more is needed: as long as something
 * about one is not visible, it is in memory, and found there first.
 */
static int read_your_writes(struct lake *lake, struct inode *folder)
{
	uint64_t commit = atomic_load(&folder->commit);

	return commit ? store_barrier(lake->store, commit) : 0;
}

/* Under the tree lock for writing: nobody is between the disk and the store now. */
static int resolve_alone(struct lake *lake, struct found *f, int folderfd, struct inode **out)
{
	struct node_row row;
	int rc;

	if (fstatat(folderfd, f->name, &f->st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	rc = fhandle_get(folderfd, f->name, &f->handle);
	if (rc < 0)
		return rc;
	*out = find_in_memory(lake, f);
	if (*out)
		return 0;
	rc = read_your_writes(lake, f->parent);
	if (!rc)
		rc = resolve(lake, f, &row);
	if (!rc)
		rc = make_inode(lake, f, &row, out);
	if (!rc)
		inode_submitted(*out, store_last_commit(lake->store));
	return rc;
}

/* The bucket that a name in the root is, and the folder that it really lies in. */
static int find_bucket(struct lake *lake, struct found *f, int *folderfd)
{
	int rc;

	if (f->parent->id != NODE_ROOT) {
		f->bucket = f->parent->bucket;
		f->volume = f->parent->volume;
		return f->parent->parent && f->parent->parent->id == NODE_ROOT && !strcmp(f->name, ".tarn-versions")
			       ? -ENOENT
			       : 0;
	}
	rc = lake_bucket(lake, f->name, &f->bucket);
	if (rc < 0)
		return rc == -EINVAL ? -ENOENT : rc;
	f->volume = f->bucket->volume;
	if (f->bucket->fd >= 0)
		*folderfd = f->bucket->fd;
	return 0;
}

int outside_look_up(struct lake *lake, struct inode *parent, int folderfd, const char *name, struct inode **out,
		    struct stat *st)
{
	struct found f = {.parent = parent, .name = name, .volume = parent->volume};
	const char *on_disk = name;
	struct node_row row;
	bool here = false;
	int rc;

	if (fstatat(folderfd, name, &f.st, AT_SYMLINK_NOFOLLOW) < 0 && parent->id != NODE_ROOT)
		return -errno;
	rc = find_bucket(lake, &f, &folderfd);
	if (rc < 0)
		return rc;
	if (f.bucket && f.bucket->fd >= 0 && parent->id == NODE_ROOT)
		on_disk = ".";
	if (on_disk != name || parent->id == NODE_ROOT) {
		if (fstatat(folderfd, on_disk, &f.st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		if (!S_ISDIR(f.st.st_mode)) /* a plain file in the root is no bucket */
			return -ENOENT;
	}
	rc = fhandle_get(folderfd, on_disk, &f.handle);
	if (rc < 0)
		return rc;
	*st = f.st;
	*out = find_in_memory(lake, &f);
	if (*out)
		return 0;
	rc = store_node_by_handle(lake->store, f.volume->index, &f.handle, parent->id, name, &row, &here);
	if (!rc && row_is_right(&row, &f, here))
		return make_inode(lake, &f, &row, out);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	pthread_rwlock_wrlock(&lake->tree_lock);
	if (on_disk == name) {
		rc = resolve_alone(lake, &f, folderfd, out);
	} else {
		rc = read_your_writes(lake, parent);
		if (!rc)
			rc = resolve(lake, &f, &row);
		if (!rc)
			rc = make_inode(lake, &f, &row, out);
	}
	pthread_rwlock_unlock(&lake->tree_lock);
	*st = f.st;
	return rc;
}

int outside_refresh(struct lake *lake, struct inode *parent, int folderfd, const char *name, struct inode *inode)
{
	struct found f = {.parent = parent, .name = name, .volume = inode->volume, .bucket = inode->bucket};
	struct node_row row;
	bool here = false;
	int rc;

	pthread_rwlock_wrlock(&lake->tree_lock);
	rc = store_barrier(lake->store, 0);
	if (!rc && fstatat(folderfd, name, &f.st, AT_SYMLINK_NOFOLLOW) < 0)
		rc = -errno;
	if (!rc)
		rc = fhandle_get(folderfd, name, &f.handle);
	if (!rc)
		rc = store_node_by_handle(lake->store, f.volume->index, &f.handle, parent->id, name, &row, &here);
	if (!rc && row.id == inode->id)
		rc = refresh(lake, &f, &row, here);
	if (!rc) {
		SCOPED_LOCK(&inode->lock);

		inode->version = row.version;
		inode->clean_size = row.size;
		inode->clean_mtime = row.mtime;
		inode_submitted(inode, store_last_commit(lake->store));
	}
	pthread_rwlock_unlock(&lake->tree_lock);
	return rc == -ENOENT ? 0 : rc;
}
