#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "content/outside.h"
#include "content/cloud/stub.h"
#include "ns/real.h"
#include "ns/view/view.h"

int real_get(struct lake *lake, uint64_t ino, struct inode **out)
{
	*out = inode_find(lake, ino);
	return *out ? 0 : -ESTALE;
}

int real_folder_get(struct lake *lake, uint64_t ino, struct real_folder *f)
{
	int rc;

	if (ino & VIEW_NODE)
		return -EROFS;
	if (lake->read_only)
		return -EROFS;
	f->lake = lake;
	rc = real_get(lake, ino, &f->inode);
	if (!rc)
		rc = folder_get(lake, f->inode, &f->folder);
	if (!rc)
		f->fd = folder_fd(f->folder);
	return rc;
}

void real_folder_put(struct real_folder *f)
{
	folder_put(f->folder);
	if (f->inode)
		inode_unref(f->lake, f->inode);
}

static bool others_can_write(struct lake *lake, struct inode *inode)
{
	return !lake->in_place || (inode->bucket && inode->bucket->fd >= 0);
}

double real_entry_timeout(struct lake *lake, struct inode *inode)
{
	return others_can_write(lake, inode) ? SHORT_TIMEOUT : LONG_TIMEOUT;
}

/* Stores through a mapping change mtime unseen: until the file is settled nothing may be cached. */
double real_attr_timeout(struct lake *lake, struct inode *inode, mode_t mode)
{
	if (S_ISREG(mode) && (mode & (S_ISUID | S_ISGID)))
		return 0; /* a write under passthrough takes these bits away unseen */
	if (inode->kind == KIND_FILE) {
		SCOPED_LOCK(&inode->lock);

		if (inode->dirty)
			return 0;
	}
	return real_entry_timeout(lake, inode);
}

void real_fill_stat(struct inode *inode, const struct stat *raw, struct stat *st)
{
	*st = *raw;
	st->st_ino = inode->id;
	if (inode->kind == KIND_FILE || inode->kind == KIND_FOLDER) {
		SCOPED_LOCK(&inode->lock);

		if (inode->kind == KIND_FILE && (inode->kept_aside || (inode_is_stub(inode) && !inode->name)))
			st->st_nlink = 0;
		stub_show_ctime_locked(inode, st);
	}
}

void real_fill_entry(struct lake *lake, struct inode *inode, const struct stat *raw, struct ns_entry *e)
{
	e->ino = inode->id;
	real_fill_stat(inode, raw, &e->st);
	e->attr_timeout = real_attr_timeout(lake, inode, raw->st_mode);
	e->entry_timeout = real_entry_timeout(lake, inode);
	inode_look_up(lake, inode);
}

struct record *real_record(enum change_op op, const struct actor *actor, uint64_t node, uint64_t parent,
			   const char *name)
{
	return record_new(op, actor->run, actor->caller.uid, node, parent, name);
}

void real_record_node(struct lake *lake, struct inode *inode, const struct stat *raw, struct record *r)
{
	struct node_row row = {.id = inode->id, .kind = inode->kind, .volume = inode->volume->index};

	row_set_stat(&row, raw);
	row.size = stub_recorded_size(inode, raw);
	row.handle = inode_handle(lake, inode);
	row.acl = inode->acl;
	record_node_set(r, &row);
}

int real_submit(struct lake *lake, struct record *r, struct inode *inode, struct inode *parent)
{
	uint64_t commit;
	int rc;

	if (!r)
		return -ENOMEM;
	rc = store_submit(lake->store, r, &commit);
	if (rc < 0) {
		log_error("a change could not be recorded: %s", strerror(-rc));
		return rc;
	}
	if (inode)
		inode_submitted(inode, commit);
	if (parent)
		inode_submitted(parent, commit);
	return 0;
}

int real_submit_name(struct lake *lake, struct record *r, struct inode *inode, struct inode *parent, const char *name)
{
	int rc = real_submit(lake, r, inode, parent);

	if (!rc && name)
		view_name_changed(lake, parent->id, name);
	return rc;
}

int real_check_root(struct lake *lake, struct inode *parent, const char *name, bool is_folder)
{
	if (parent->id != NODE_ROOT)
		return 0;
	if (is_folder && !bucket_name_reserved(name))
		return 0;
	if (is_folder)
		log_warning("%s: the name is taken: it is tarn's own", name);
	else
		log_warning("%s: refused: only folders (buckets) can be made at the root of %s; put the file into one",
			    name, lake->path);
	return -EPERM;
}

bool real_name_is_version(struct lake *lake, struct inode *parent, const char *name)
{
	struct ns_entry e = {0};

	if (!strstr(name, "@v") || view_look_up_at(lake, parent, name, &e) < 0 || !e.ino)
		return false;
	ns_forget(lake, e.ino, 1);
	return true;
}

static int look_up_real(struct lake *lake, struct inode *parent, const char *name, struct ns_entry *e)
{
	_cleanup_folder_ struct folder_fd *folder = NULL;
	struct inode *inode;
	struct stat raw;
	int rc = folder_get(lake, parent, &folder);

	if (!rc)
		rc = outside_look_up(lake, parent, folder_fd(folder), name, &inode, &raw);
	if (rc < 0)
		return rc;
	/* a file with several names is found under the one asked for last */
	if (!inode_is_at(inode, parent, name))
		inode_set_name(lake, inode, parent, name, parent->id == NODE_ROOT ? inode->bucket : parent->bucket);
	real_fill_entry(lake, inode, &raw, e);
	inode_unref(lake, inode);
	return 0;
}

int ns_look_up(struct lake *lake, uint64_t parent, const char *name, const struct actor *actor, struct ns_entry *e)
{
	struct inode *folder;
	int rc;

	memset(e, 0, sizeof(*e));
	if (parent & VIEW_NODE)
		return view_look_up(lake, parent, name, actor, e);
	rc = real_get(lake, parent, &folder);
	if (rc < 0)
		return rc;
	if (strlen(name) > NAME_BYTES) { /* a version of a file with a long name, perhaps */
		rc = view_look_up_at(lake, folder, name, e);
		inode_unref(lake, folder);
		return rc == -ENOENT ? -ENAMETOOLONG : rc;
	}
	rc = look_up_real(lake, folder, name, e);
	if (rc == -ENOENT)
		rc = view_look_up_at(lake, folder, name, e);
	if (rc == -ENOENT && !strstr(name, "@v") && lake->in_place && folder->id != NODE_ROOT &&
	    !(folder->bucket && folder->bucket->fd >= 0)) {
		e->ino = 0; /* only a creation through here can change that */
		e->entry_timeout = LONG_TIMEOUT;
		rc = 0;
	}
	inode_unref(lake, folder);
	return rc;
}

void ns_forget(struct lake *lake, uint64_t ino, uint64_t n)
{
	if (ino & VIEW_NODE)
		view_forget(ino, n);
	else
		inode_forget(lake, ino, n);
}
