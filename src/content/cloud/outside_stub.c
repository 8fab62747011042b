/* Placeholders that are found on disk. content/cloud/stub.h says whose one is. */
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "content/outside_int.h"
#include "content/cloud/stub.h"

bool outside_is_stub_of(const struct found *f, const struct node_row *row)
{
	return row->stub && f->stub == row->id;
}

int outside_refresh_stub(struct lake *lake, const struct found *f, const struct node_row *row, bool here)
{
	struct record *r;

	if (here)
		return 0;
	r = outside_record(f, row->id);
	if (!r)
		return -ENOMEM;
	outside_take_place(lake, f, row->id, row->kind, r);
	return store_submit(lake->store, r, NULL);
}

/* Is what lies at PATH another node's? A crash may have come while two files exchanged their names. */
static bool is_of_another(struct lake *lake, const struct found *f, const char *path, const struct stat *st,
			  uint64_t node)
{
	struct fhandle handle;
	struct node_row row;

	if (S_ISLNK(st->st_mode))
		return stub_named(lake, lake->buckets_fd, path, st) != node;
	return f->volume->handles && !fhandle_get(lake->buckets_fd, path, &handle) &&
	       !store_node_by_handle(lake->store, f->volume->index, &handle, 0, "", &row, NULL) && row.id != node;
}

/* Has the node a file or a placeholder where the store says that it lies? */
static bool is_at_home(struct lake *lake, const struct found *f, uint64_t node)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct stat st;

	if (f->bucket->fd >= 0) /* perhaps; its path is another one on the disk */
		return true;
	return !store_path(lake->store, node, &path) && path.len &&
	       !fstatat(lake->buckets_fd, buf_str(&path), &st, AT_SYMLINK_NOFOLLOW) && st.st_ino != f->st.st_ino &&
	       !is_of_another(lake, f, buf_str(&path), &st, node);
}

bool outside_exchanged(struct lake *lake, const struct found *f, uint64_t node, uint64_t over, struct record *r)
{
	_cleanup_buf_ struct buf path = BUF_INIT, name = BUF_INIT;
	uint64_t parent;
	struct stat st;

	if (f->bucket->fd >= 0 || store_path(lake->store, node, &path) || !path.len ||
	    store_name(lake->store, node, &parent, &name) ||
	    fstatat(lake->buckets_fd, buf_str(&path), &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    stub_named(lake, lake->buckets_fd, buf_str(&path), &st) != over)
		return false;
	record_entry_end(r, f->parent->id, f->name, ENDED_RENAME);
	record_entry_end(r, parent, buf_str(&name), ENDED_RENAME);
	record_entry_add(r, parent, buf_str(&name), over);
	return true;
}

/* A power failure brought back what the store knows to be removed. */
static int remove_again(struct lake *lake, const struct found *f)
{
	if (!lake->power_failed || stat_ctime(&f->st) >= lake->since)
		return -ESRCH;
	log_info("folder %llu, %s: removed again: its record was durable, the operation was not",
		 (unsigned long long)f->parent->id, f->name);
	return unlinkat(f->folderfd, f->on_disk, 0) < 0 ? -errno : -ENOENT;
}

int outside_adopt_stub(struct lake *lake, const struct found *f, struct node_row *row)
{
	struct cloud_row object;
	struct node_row entry;
	struct record *r;
	bool here;

	if (!f->stub || f->st.st_uid != geteuid() || store_node(lake->store, f->stub, row) || row->kind != KIND_FILE ||
	    row->volume != f->volume->index)
		return -ESRCH;
	if (store_named_elsewhere(lake->store, row->id, 0, "") == 0)
		return remove_again(lake, f);
	here = !store_entry(lake->store, f->parent->id, f->name, &entry) && entry.id == row->id;
	if (!row->version || row->writing || store_cloud_of_version(lake->store, row->version, &object) ||
	    (!here && (outside_lives_on(f, row) || is_at_home(lake, f, row->id))))
		return -ESRCH;
	r = outside_record(f, row->id);
	if (!r)
		return -ENOMEM;
	row->stub = true;
	row->handle = f->handle;
	record_node_stub(r, row->id, true, &f->handle);
	if (!here)
		outside_take_place(lake, f, row->id, row->kind, r);
	return store_submit(lake->store, r, NULL);
}
