#include "content/outside.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/past/chain.h"
#include "content/cut.h"
#include "content/database.h"
#include "content/hash.h"
#include "content/past/kept.h"
#include "content/lease.h"
#include "content/outside_int.h"
#include "content/run.h"
#include "content/settle.h"
#include "content/cloud/stub.h"
#include "content/xattrs.h"

#define CRASH_WINDOW_NS (5 * NSEC_PER_SEC)
#define COMPARE_MAX (16 * 1024 * 1024)

static int look(const struct lake *lake, struct found *f, int folderfd)
{
	if (fstatat(folderfd, f->on_disk, &f->st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	f->stub = stub_named(lake, folderfd, f->on_disk, &f->st);
	return fhandle_get(folderfd, f->on_disk, &f->handle);
}

struct record *outside_record(const struct found *f, uint64_t node)
{
	return record_new(OP_OUTSIDE, RUN_OUTSIDE, f->st.st_uid, node, f->parent->id, f->name);
}

static void fill_row(const struct found *f, struct node_row *row)
{
	_cleanup_close_ int fd = openat(f->folderfd, f->on_disk, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	row->kind = kind_of_mode(f->st.st_mode);
	row->volume = f->volume->index;
	row->handle = f->handle;
	row->acl = fd >= 0 && row->kind != KIND_SYMLINK && xattrs_have_acl(fd);
	row_set_stat(row, &f->st);
}

/* What the row does not say: where a symlink points to, extended attributes. */
static void record_rest(const struct found *f, const struct node_row *row, struct record *r)
{
	_cleanup_close_ int fd = openat(f->folderfd, f->on_disk, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_buf_ struct buf encoded = BUF_INIT;
	char target[PATH_MAX];
	ssize_t n;

	if (fd < 0)
		return;
	if (row->kind == KIND_SYMLINK) {
		n = readlinkat(fd, "", target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		if (n > 0)
			record_node_target(r, row->id, target);
	} else if (!xattrs_read(fd, &encoded)) {
		record_node_xattrs(r, row->id, encoded.data, encoded.len);
	}
}

/* By a handle or a mapping of a mount that died, or by somebody outside. Those cannot be counted, only asked for. */
static bool is_being_written(const struct found *f)
{
	_cleanup_close_ int fd = -1;

	if (!f->volume->handles)
		return false;
	fd = fhandle_open(f->volume->mountfd, &f->handle, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 && lease_probe(fd, F_RDLCK) == -EAGAIN;
}

/* By the last mount, whose last moments a crash took from the store: by a power failure all since the last fsync. */
static bool was_written_before_crash(const struct lake *lake, const struct found *f, uint64_t node, uint64_t version)
{
	int64_t until = lake->power_failed ? lake->since : lake->crashed_at + CRASH_WINDOW_NS;

	/* or it has saved what it was about to overwrite */
	return version && lake->crashed_at && (stat_ctime(&f->st) < until || kept_was_begun(f->volume, node, version));
}

/* The content as it is now becomes the live version of ROW's node; of one that is being written, once it is settled. */
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
	if (row->writing || is_being_written(f) || was_written_before_crash(lake, f, row->id, row->version)) {
		row->writing = true;
		record_node_writing(r, row->id, true);
		return;
	}
	if (row->asset || row->version)
		kept_lose_raw(lake, row->id, "changed outside tarn", r);
	row->version = cut_add_row(lake, &v, &f->st, r);
}

static bool same_content(const struct node_row *row, const struct stat *st)
{
	return row->kind == kind_of_mode(st->st_mode) &&
	       (row->kind != KIND_FILE || (row->size == (uint64_t)st->st_size && row->mtime == stat_mtime(st)));
}

bool outside_lives_on(const struct found *f, const struct node_row *row)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (row->volume != f->volume->index || !f->volume->handles || !row->handle.len || row->handle.made)
		return false;
	fd = fhandle_open(f->volume->mountfd, &row->handle, O_PATH);
	return fd >= 0 && !fstat(fd, &st) && st.st_nlink > 0;
}

void outside_take_place(struct lake *lake, const struct found *f, uint64_t node, enum node_kind kind, struct record *r)
{
	struct node_row over;

	if (store_entry(lake->store, f->parent->id, f->name, &over) || over.id == node) {
		/* the name is free */
	} else if (outside_lives_on(f, &over)) {
		record_entry_end(r, f->parent->id, f->name, ENDED_RENAME);
	} else if (outside_exchanged(lake, f, node, over.id, r)) {
		/* that one has its other name now */
	} else if (kind == KIND_FILE) {
		record_series_take(r, node, over.id);
		kept_lose_raw(lake, over.id, "replaced outside tarn", r);
	}
	record_entry_add(r, f->parent->id, f->name, node);
}

/* Only touched? Small files are compared by their hash before they are called changed. */
static bool has_same_hash(struct lake *lake, const struct found *f, const struct node_row *row)
{
	_cleanup_close_ int fd = -1;
	uint8_t sha256[SHA256_BYTES];
	struct version_row v;
	uint64_t bytes;

	if (row->kind != KIND_FILE || row->size != (uint64_t)f->st.st_size || row->size > COMPARE_MAX ||
	    !row->version || store_version(lake->store, row->version, &v) || !v.hashed || !f->volume->handles)
		return false;
	fd = fhandle_open(f->volume->mountfd, &f->handle, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && !hash_fd(fd, NULL, NULL, sha256, &bytes) && !memcmp(sha256, v.sha256, sizeof(sha256));
}

/* Known by its handle; perhaps under another name, perhaps with other bytes. */
static int refresh(struct lake *lake, const struct found *f, struct node_row *row, bool here)
{
	bool changed = !same_content(row, &f->st), attributes = row->ctime != stat_ctime(&f->st);
	struct record *r;

	if (row->writing) /* a crash left it unsettled; settling it tells what became of its content */
		changed = false;
	if (changed && has_same_hash(lake, f, row)) {
		changed = false;
		attributes = true;
	}
	if (here && !changed && !attributes)
		return 0;
	r = outside_record(f, row->id);
	if (!r)
		return -ENOMEM;
	if (!here)
		outside_take_place(lake, f, row->id, row->kind, r);
	if (changed || attributes) {
		fill_row(f, row);
		record_node_set(r, row);
		record_rest(f, row, r);
	}
	if (changed || (!here && !row->version)) /* or its version was taken for lost when another came to its name */
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
	record_rest(f, row, r);
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

	if (!same && kind_of_mode(f->st.st_mode) != row->kind)
		return -ENOENT;
	if (outside_lives_on(f, row))
		return take_in(lake, f, row);
	if (!same && row->kind == KIND_FILE)
		row->id = store_new_node(lake->store);
	r = outside_record(f, row->id);
	if (!r)
		return -ENOMEM;
	fill_row(f, row);
	if (row->id == old.id) {
		if (old.stub) {
			row->stub = false;
			record_node_stub(r, row->id, false, &f->handle);
		}
		record_node_set(r, row);
		record_rest(f, row, r);
	} else {
		row->asset = row->version = 0;
		row->stub = false;
		record_node_add(r, row);
		record_rest(f, row, r);
		record_series_take(r, row->id, old.id);
		kept_lose_raw(lake, old.id, "replaced outside tarn", r);
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

	if (!rc && row->stub)
		return outside_is_stub_of(f, row) ? outside_refresh_stub(lake, f, row, here) : -EIO;
	if (!rc)
		return refresh(lake, f, row, here);
	if (rc != -ENOENT)
		return rc;
	rc = outside_adopt_stub(lake, f, row);
	if (rc != -ESRCH)
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
	if (row->stub)
		return here && outside_is_stub_of(f, row);
	return here && (row->writing || same_content(row, &f->st)) && row->ctime == stat_ctime(&f->st);
}

static int make_inode(struct lake *lake, const struct found *f, const struct node_row *row, struct inode **out)
{
	struct version_row version;
	bool made, unsettled;
	int rc = inode_get(lake, row, f->parent, f->name, f->bucket, out, &made);

	if (rc < 0)
		return rc;
	/* left so by a crash: the row may have been written while the content was on its way, the version was not */
	unsettled = made && row->writing && row->version && !store_version(lake->store, row->version, &version);
	pthread_mutex_lock(&(*out)->lock);
	(*out)->raw_ino = f->st.st_ino;
	if (!made && row->stub && !inode_is_stub(*out)) /* others put it there */
		stub_set_locked(lake, *out, row);
	if (made && row->writing) {
		(*out)->may_map = true; /* ask the kernel before believing it */
		(*out)->base_unsure = row->version;
		(*out)->writer_run = RUN_OUTSIDE;
		(*out)->writer_uid = f->st.st_uid;
	}
	if (unsettled) {
		(*out)->clean_size = version.size;
		(*out)->clean_mtime = version.mtime;
	}
	pthread_mutex_unlock(&(*out)->lock);
	if (made && row->writing)
		settle_later(lake, *out);
	return 0;
}

/* The same; FOLDERFD: where it was found. */
static int make_inode_at(struct lake *lake, const struct found *f, int folderfd, const struct node_row *row,
			 struct inode **out)
{
	int rc = make_inode(lake, f, row, out);

	if (!rc)
		database_note_name(*out, folderfd, f->on_disk);
	return rc;
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

/*
 * INODE is in memory, and so is all that is known of its content; only the name may be new to the store. 0, or -ENOENT:
 * it has to be recorded.
 */
static int check_name(struct lake *lake, const struct found *f, struct inode *inode)
{
	struct node_row row;
	int rc;

	if (inode_is_at(inode, f->parent, f->name))
		return 0;
	rc = read_your_writes(lake, f->parent);
	if (!rc)
		rc = store_entry(lake->store, f->parent->id, f->name, &row);
	return rc ? rc : row.id == inode->id ? 0 : -ENOENT;
}

/* A file that is known by another name has this one as well. */
static int record_name(struct lake *lake, const struct found *f, struct inode *inode)
{
	struct record *r = outside_record(f, inode->id);
	uint64_t commit;
	int rc;

	if (!r)
		return -ENOMEM;
	outside_take_place(lake, f, inode->id, inode->kind, r);
	rc = store_submit(lake->store, r, &commit);
	if (!rc)
		inode_submitted(inode, commit);
	if (!rc)
		inode_submitted(f->parent, commit);
	return rc;
}

static int resolve_frozen(struct lake *lake, struct found *f, int folderfd, struct inode **out)
{
	struct node_row row;
	struct inode *known;
	int rc;

	f->folderfd = folderfd;
	rc = look(lake, f, folderfd);
	if (rc < 0)
		return rc;
	known = inode_find_handle(lake, f->volume->index, &f->handle);
	if (known) {
		rc = check_name(lake, f, known);
		if (rc == -ENOENT)
			rc = record_name(lake, f, known);
		if (rc < 0)
			inode_unref(lake, known);
		else
			*out = known;
		return rc;
	}
	rc = read_your_writes(lake, f->parent);
	if (!rc)
		rc = resolve(lake, f, &row);
	if (!rc)
		rc = make_inode_at(lake, f, folderfd, &row, out);
	if (!rc)
		inode_submitted(*out, store_last_commit(lake->store));
	return rc;
}

/* The inode in memory that had this name last. */
static struct inode *find_by_name(struct lake *lake, const struct found *f)
{
	struct node_row row;

	if (read_your_writes(lake, f->parent) || store_entry(lake->store, f->parent->id, f->name, &row))
		return NULL;
	return inode_find(lake, row.id);
}

/*
 * Under the tree lock for writing: nobody is between the disk and the store now; but for a truncation that moves the
 * old content aside, which has a file at this name that nobody knows until it is done. That one is waited for.
 */
static int resolve_alone(struct lake *lake, struct found *f, int folderfd, struct inode **out)
{
	struct inode *last = find_by_name(lake, f);
	int rc;

	if (last)
		inode_freeze(last);
	rc = resolve_frozen(lake, f, folderfd, out);
	if (last)
		inode_thaw(last);
	inode_unref(lake, last);
	return rc;
}

static bool lies_elsewhere(struct lake *lake, const char *bucket)
{
	struct settings *s = lake_settings(lake);
	bool elsewhere = settings_bucket(s, bucket)->path;

	settings_unref(s);
	return elsewhere;
}

/* An empty folder that stands for a bucket elsewhere, which is not there (or not in the settings) now. */
static bool is_placeholder(struct lake *lake, const char *name)
{
	struct node_row row;

	return !store_entry(lake->store, NODE_ROOT, name, &row) && !lake_volume(lake, row.volume) &&
	       !lies_elsewhere(lake, name);
}

/* The bucket that a name in the root is, and the folder that it really lies in. */
static int find_bucket(struct lake *lake, struct found *f, bool exists, int *folderfd)
{
	int rc;

	if (f->parent->id != NODE_ROOT) {
		f->bucket = f->parent->bucket;
		f->volume = f->parent->volume;
		return atomic_load(&f->parent->in_root) && !strcmp(f->name, ".tarn-versions") ? -ENOENT : 0;
	}
	if (!exists && !lies_elsewhere(lake, f->name)) /* else every name ever asked for would become a bucket */
		return -ENOENT;
	rc = lake_bucket(lake, f->name, &f->bucket);
	if (rc < 0)
		return rc == -EINVAL ? -ENOENT : rc;
	f->volume = f->bucket->volume;
	if (f->bucket->fd >= 0)
		*folderfd = f->bucket->fd;
	return 0;
}

/* A stub looks like the file that it stands for. */
static int show(const struct found *f, struct inode *inode, struct stat *st)
{
	if (!stub_stat(inode, st))
		*st = f->st;
	return 0;
}

int outside_look_up(struct lake *lake, struct inode *parent, int folderfd, const char *name, struct inode **out,
		    struct stat *st)
{
	struct found f = {.parent = parent, .name = name, .on_disk = name, .volume = parent->volume};
	struct inode *known;
	struct node_row row;
	bool here = false, exists;
	int rc;

	*out = NULL;
	exists = !fstatat(folderfd, name, &f.st, AT_SYMLINK_NOFOLLOW);
	if (!exists && parent->id != NODE_ROOT)
		return -errno;
	if (parent->id == NODE_ROOT && is_placeholder(lake, name))
		return -ENOENT;
	rc = find_bucket(lake, &f, exists, &folderfd);
	if (rc < 0)
		return rc;
	if (f.bucket && f.bucket->fd >= 0 && parent->id == NODE_ROOT)
		f.on_disk = ".";
	if (parent->id == NODE_ROOT) {
		if (fstatat(folderfd, f.on_disk, &f.st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		if (!S_ISDIR(f.st.st_mode)) /* a plain file in the root is no bucket */
			return -ENOENT;
	}
	rc = look(lake, &f, folderfd);
	if (rc < 0)
		return rc;
	known = inode_find_handle(lake, f.volume->index, &f.handle);
	if (known) {
		rc = check_name(lake, &f, known);
		if (!rc) {
			*out = known;
			return show(&f, known, st);
		}
		inode_unref(lake, known);
		if (rc != -ENOENT)
			return rc;
	}
	rc = store_node_by_handle(lake->store, f.volume->index, &f.handle, parent->id, name, &row, &here);
	if (!rc && row_is_right(&row, &f, here)) {
		rc = make_inode_at(lake, &f, folderfd, &row, out);
		return rc ? rc : show(&f, *out, st);
	}
	if (rc < 0 && rc != -ENOENT)
		return rc;
	pthread_rwlock_wrlock(&lake->tree_lock);
	rc = resolve_alone(lake, &f, folderfd, out);
	pthread_rwlock_unlock(&lake->tree_lock);
	return rc ? rc : show(&f, *out, st);
}

/* It is of bytes that are not there any more. */
static void forget_chain_locked(struct inode *inode)
{
	if (inode->chain)
		chain_void(inode->chain);
	chain_unref(inode->chain);
	inode->chain = NULL;
	inode->no_past = false;
}

int outside_refresh(struct lake *lake, struct inode *parent, int folderfd, const char *name, struct inode *inode)
{
	struct found f = {.parent = parent,
			  .name = name,
			  .folderfd = folderfd,
			  .on_disk = name,
			  .volume = inode->volume,
			  .bucket = inode->bucket};
	struct node_row row;
	bool here = false;
	int rc;

	pthread_rwlock_wrlock(&lake->tree_lock);
	rc = store_barrier(lake->store, 0);
	if (!rc)
		rc = look(lake, &f, folderfd);
	if (!rc)
		rc = store_node_by_handle(lake->store, f.volume->index, &f.handle, parent->id, name, &row, &here);
	if (!rc && row.stub)
		rc = -ENOENT;
	if (!rc && row.id == inode->id)
		rc = refresh(lake, &f, &row, here);
	if (!rc && row.id == inode->id) {
		SCOPED_LOCK(&inode->lock);

		inode->acl = row.acl;
		if (row.writing) {
			inode->dirty = inode->may_map = inode->base_unsure = true;
		} else if (!inode->dirty) {
			if (inode->version != row.version)
				forget_chain_locked(inode);
			inode->version = row.version;
			inode->clean_size = row.size;
			inode->clean_mtime = row.mtime;
		}
		inode_submitted(inode, store_last_commit(lake->store));
	}
	pthread_rwlock_unlock(&lake->tree_lock);
	if (inode_is_dirty(inode))
		settle_later(lake, inode);
	return rc == -ENOENT ? 0 : rc;
}
