/* Taking names away. A file's last name takes its content into history (content/aside.h). */
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "config/settings_edit.h"
#include "content/cloud/draft.h"
#include "content/past/former.h"
#include "content/outside.h"
#include "content/cloud/stub.h"
#include "ns/change.h"
#include "ns/view/view.h"

static int look_up(struct lake *lake, struct real_folder *f, const char *name, struct inode **inode, struct stat *raw)
{
	int rc = outside_look_up(lake, f->inode, f->fd, name, inode, raw);

	/* a synthetic name cannot be removed */
	return rc == -ENOENT && view_has(lake, f->inode, name) ? -EROFS : rc;
}

/* The name by which INODE was known is gone, and it has others: it is known by one of those from now on. */
static void take_other_name(struct lake *lake, struct inode *inode)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct inode *parent;
	struct node_row row;
	uint64_t id;

	if (store_barrier(lake->store, atomic_load(&inode->commit)) || store_name(lake->store, inode->id, &id, &name) ||
	    store_node(lake->store, id, &row) || inode_get(lake, &row, NULL, NULL, NULL, &parent, NULL))
		return;
	inode_set_name(lake, inode, parent, buf_str(&name), inode->bucket);
	inode_unref(lake, parent);
}

void removal_add_rows(struct lake *lake, struct real_folder *f, const char *name, struct inode *inode,
		      const struct stat *before, const struct aside *a, const struct actor *actor, struct record *r)
{
	struct stat raw;

	record_entry_end(r, f->inode->id, name, ENDED_UNLINK);
	if (inode->kind == KIND_FILE && before->st_nlink > 1) {
		if (!inode_stat(lake, inode, &raw))
			real_record_node(lake, inode, &raw, r);
		return;
	}
	inode_set_name(lake, inode, NULL, NULL, NULL);
	aside_record(lake, inode, a, actor, r);
	if (a->settled)
		former_note(lake, f->inode->id, name, (struct former){a->version, (uint64_t)a->st.st_size});
	record_node_end(r, inode->id);
}

void removal_done(struct lake *lake, struct real_folder *f, const char *name, struct inode *inode)
{
	if (inode_is_at(inode, f->inode, name))
		take_other_name(lake, inode);
}

/* The name is gone from the tree; the store is told. */
static int record_unlink(struct lake *lake, struct real_folder *f, const char *name, struct inode *inode,
			 const struct stat *before, const struct aside *a, const struct actor *actor)
{
	struct record *r = real_record(OP_UNLINK, actor, inode->id, f->inode->id, name);
	int rc;

	if (!r)
		return -ENOMEM;
	removal_add_rows(lake, f, name, inode, before, a, actor, r);
	rc = real_submit_name(lake, r, inode, f->inode, name);
	if (!rc)
		removal_done(lake, f, name, inode);
	return rc;
}

bool change_begin(struct lake *lake, unsigned seq)
{
	pthread_rwlock_rdlock(&lake->tree_lock);
	if (atomic_load(&lake->published) == seq)
		return true;
	pthread_rwlock_unlock(&lake->tree_lock);
	return false;
}

int change_ends_draft(struct lake *lake, struct inode *inode, const struct actor *actor, bool *tried)
{
	if (!inode || *tried || !inode_is_draft(inode))
		return 0;
	*tried = true;
	return stub_recall(lake, inode, actor->call) == -ECANCELED ? -ECANCELED : 1;
}

/* Looks NAME up, and begins to change it. */
static int begin(struct lake *lake, struct real_folder *f, const char *name, const struct actor *actor,
		 struct inode **inode, struct stat *raw)
{
	bool tried = false;

	for (;;) {
		unsigned seq = atomic_load(&lake->published);
		int rc = look_up(lake, f, name, inode, raw);

		if (rc < 0)
			return rc;
		rc = change_ends_draft(lake, *inode, actor, &tried);
		if (!rc && change_begin(lake, seq))
			return 0;
		inode_unref(lake, *inode);
		if (rc < 0)
			return rc;
	}
}

int ns_unlink(struct lake *lake, uint64_t parent, const char *name, const struct actor *actor)
{
	_cleanup_real_folder_ struct real_folder f = {0};
	struct inode *inode;
	struct aside a;
	struct stat raw;
	int rc = real_folder_get(lake, parent, &f);

	if (!rc)
		rc = begin(lake, &f, name, actor, &inode, &raw);
	if (rc < 0)
		return rc;
	inode_freeze(inode);
	rc = aside_plan(lake, inode, f.inode, name, actor->run, &a);
	if (!rc)
		rc = inode_pin(lake, inode);
	if (!rc)
		rc = aside_unlink(inode, f.fd, name, &a);
	if (!rc)
		rc = record_unlink(lake, &f, name, inode, &raw, &a, actor);
	inode_thaw(inode);
	pthread_rwlock_unlock(&lake->tree_lock);
	if (!rc && raw.st_nlink > 1)
		view_changed(inode->id); /* it lies under its other names now */
	inode_unref(lake, inode);
	return rc;
}

static void forget_bucket(struct lake *lake, const char *name)
{
	struct findings findings = {0};

	lake_bucket_removed(lake, name);
	if (settings_remove_bucket(lake->path, name, &findings) < 0 || lake_reload(lake, &findings) < 0)
		log_warning("bucket %s was removed, but its settings could not be", name);
	findings_release(&findings);
}

int ns_rmdir(struct lake *lake, uint64_t parent, const char *name, const struct actor *actor)
{
	_cleanup_real_folder_ struct real_folder f = {0};
	struct inode *inode;
	struct record *r;
	struct stat raw;
	int rc;

	if (parent & VIEW_NODE)
		return view_remove_folder(lake, parent, name, actor);
	rc = real_folder_get(lake, parent, &f);
	if (!rc)
		rc = begin(lake, &f, name, actor, &inode, &raw);
	if (rc < 0)
		return rc;
	if (f.inode->id == NODE_ROOT && inode->bucket && inode->bucket->fd >= 0) {
		log_warning("%s: not removed: the bucket lies elsewhere; take it out of config/settings.yaml", name);
		pthread_rwlock_unlock(&lake->tree_lock);
		inode_unref(lake, inode);
		return -EBUSY;
	}
	rc = inode_pin(lake, inode);
	if (!rc && unlinkat(f.fd, name, AT_REMOVEDIR) < 0)
		rc = -errno;
	if (!rc) {
		r = real_record(OP_RMDIR, actor, inode->id, f.inode->id, name);
		if (r) {
			record_entry_end(r, f.inode->id, name, ENDED_UNLINK);
			record_node_end(r, inode->id);
		}
		inode_set_name(lake, inode, NULL, NULL, NULL);
		rc = real_submit_name(lake, r, inode, f.inode, name);
	}
	pthread_rwlock_unlock(&lake->tree_lock);
	inode_unref(lake, inode);
	if (!rc && f.inode->id == NODE_ROOT)
		forget_bucket(lake, name);
	return rc;
}
