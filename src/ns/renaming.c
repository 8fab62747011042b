/*
 * rename(2). What it replaces goes into history, and the new file goes on with the series of the path: that is how
 * editors and rsync save. A rename to a free name takes the series along.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/settings_edit.h"
#include "content/cut.h"
#include "content/database.h"
#include "content/past/former.h"
#include "content/outside.h"
#include "content/settle.h"
#include "content/cloud/stub.h"
#include "content/xattrs.h"
#include "ns/change.h"
#include "ns/view/view.h"

static bool is_bucket_elsewhere(const struct inode *inode)
{
	return atomic_load(&inode->in_root) && inode->bucket && inode->bucket->fd >= 0;
}

int rename_check(struct rename *m)
{
	int rc = 0;

	if (m->flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (m->over && (m->flags & RENAME_NOREPLACE))
		return -EEXIST;
	if ((m->flags & RENAME_EXCHANGE) && (m->from.inode->id == NODE_ROOT || m->to.inode->id == NODE_ROOT))
		return -EINVAL; /* two buckets would exchange their policies */
	if (is_bucket_elsewhere(m->inode) || (m->over && is_bucket_elsewhere(m->over)))
		return -EBUSY;
	if (strcmp(m->name, m->to_name) || m->from.inode != m->to.inode)
		rc = real_check_root(m->lake, m->to.inode, m->to_name, m->inode->kind == KIND_FOLDER);
	if (!rc && (m->flags & RENAME_EXCHANGE))
		rc = real_check_root(m->lake, m->from.inode, m->name, m->over && m->over->kind == KIND_FOLDER);
	if (!rc && !m->over && real_name_is_version(m->lake, m->to.inode, m->to_name))
		rc = -EROFS;
	return rc;
}

int rename_find(struct rename *m)
{
	int rc = outside_look_up(m->lake, m->from.inode, m->from.fd, m->name, &m->inode, &m->raw);

	if (rc < 0) /* a synthetic name cannot be moved */
		return rc == -ENOENT && view_has(m->lake, m->from.inode, m->name) ? -EROFS : rc;
	rc = outside_look_up(m->lake, m->to.inode, m->to.fd, m->to_name, &m->over, &m->over_raw);
	return rc == -ENOENT ? 0 : rc;
}

static void end_over(struct rename *m, struct record *r)
{
	struct stat raw;

	if (m->over->kind == KIND_FILE && m->over_raw.st_nlink > 1) {
		if (!inode_stat(m->lake, m->over, &raw))
			real_record_node(m->lake, m->over, &raw, r);
		return;
	}
	inode_set_name(m->lake, m->over, NULL, NULL, NULL);
	aside_record(m->lake, m->over, &m->aside, m->actor, r);
	record_node_end(r, m->over->id);
}

/* Content that had no version under its old name (a temporary one) gets one now. */
static void cut_if_new(struct rename *m, struct record *r)
{
	struct inode *inode = m->inode;
	SCOPED_LOCK(&inode->lock);

	inode->made_here = false;
	if (!inode->version && !inode->dirty && bucket_versions(m->to.inode->bucket, m->to.inode, m->to_name))
		cut_add_live(m->lake, inode, r, &m->raw, m->actor);
}

/* What comes here may be what was here before. */
static void compare_with_over(struct rename *m, struct record *r)
{
	SCOPED_LOCK(&m->inode->lock);

	if (m->inode->dirty)
		m->inode->former = m->over_content;
	else if (m->same)
		cut_same(r, m->inode->version, m->over_content.version);
}

static int note_first(void *arg, const struct version_row *v)
{
	*(uint64_t *)arg = v->number;
	return 1;
}

/*
 * A file that has a history of its own leaves it where it was, down to the last number. A version before this one makes
 * a history, a number does not: temporary files of one name come and go.
 */
static bool has_history(struct rename *m, struct inode *inode)
{
	struct version_row v;
	uint64_t version, first;

	pthread_mutex_lock(&inode->lock);
	version = inode->version;
	pthread_mutex_unlock(&inode->lock);
	if (!version || store_barrier(m->lake->store, atomic_load(&inode->commit)) ||
	    store_version(m->lake->store, version, &v))
		return false;
	first = v.number;
	store_versions(m->lake->store, v.asset, note_first, &first);
	return first < v.number;
}

/* What a stub is of. */
struct stub_content {
	struct version_row version;
	bool known; /* it has an object of its own, whose hash is that of the version */
};

/* False: it is none. */
static bool find_stub_content(struct lake *lake, struct inode *inode, struct stub_content *out)
{
	struct cloud_row object;
	uint64_t version;

	*out = (struct stub_content){0};
	if (!inode_is_stub(inode))
		return false;
	pthread_mutex_lock(&inode->lock);
	version = inode->version;
	pthread_mutex_unlock(&inode->lock);
	out->known = !store_barrier(lake->store, atomic_load(&inode->commit)) &&
		     !store_version(lake->store, version, &out->version) && out->version.hashed &&
		     !store_cloud_of_version(lake->store, version, &object) && object.version == version;
	return true;
}

/*
 * The stub is of VERSION from now on, which has the same bytes. The one before is found by its hash. Where its objects
 * are by then the store knows: they may be on their way to another key just now.
 */
static void hand_over(const struct stub_content *c, uint64_t version, struct record *r)
{
	record_version_facts(r, version, c->version.sha256, c->version.mime[0] ? c->version.mime : NULL);
	record_cloud_hand_over(r, c->version.id, version);
}

/*
 * INODE goes on with the series of OVER. Its live version goes along when it is the only one (a file on its way to this
 * name); else that one ends, and the new series gets one of its own.
 */
static void take_series(struct rename *m, struct inode *inode, const struct inode *over, const struct stat *raw,
			bool leaves, struct record *r)
{
	struct stub_content content;
	bool stub = find_stub_content(m->lake, inode, &content);
	SCOPED_LOCK(&inode->lock);

	/* an object without a hash can be that of one version only */
	leaves = leaves && inode->version && !inode->dirty &&
		 (!stub || (content.known && content.version.id == inode->version));
	if (leaves) {
		origin_add(&inode->origin, inode->version, inode->id, EDGE_COPY, m->actor->run);
		cut_end_base(inode, r, (uint64_t)raw->st_size);
	}
	record_series_take(r, inode->id, over->id);
	if (leaves)
		cut_add_live(m->lake, inode, r, raw, m->actor);
	if (leaves && stub)
		hand_over(&content, inode->version, r);
}

/* A backup on its way: the series stays at the path, for the file that comes there next. */
static bool leaves_series(const struct rename *m)
{
	return m->inode->kind == KIND_FILE && !(m->flags & RENAME_EXCHANGE) && name_is_temporary(m->to_name);
}

static void leave_series(struct rename *m, struct record *r)
{
	SCOPED_LOCK(&m->inode->lock);

	record_series_leave(r, m->inode->id);
	m->inode->left = true;
	if (!m->inode->dirty)
		former_note(m->lake, m->from.inode->id, m->name,
			    (struct former){m->inode->version, m->inode->clean_size});
}

/*
 * The new file goes on with the series of the path. What lay there and has another name (a backup by link) begins anew
 * under that, and what it was until now stays history of the path.
 */
static void continue_series(struct rename *m, struct record *r)
{
	take_series(m, m->inode, m->over, &m->raw, has_history(m, m->inode), r);
	if (m->over_raw.st_nlink == 1)
		return;
	SCOPED_LOCK(&m->over->lock);
	record_series_leave(r, m->over->id);
	m->over->left = true;
}

/* It changes the ctime, by which a file is known again when it is not in memory any more. */
static void add_new_times(struct rename *m, struct inode *inode, int dirfd, const char *name, struct record *r)
{
	struct stat raw;

	/* a stub's are its file's, and stay */
	if (!inode_is_stub(inode) && !inode_is_dirty(inode) && !fstatat(dirfd, name, &raw, AT_SYMLINK_NOFOLLOW))
		real_record_node(m->lake, inode, &raw, r);
}

void rename_add_rows(struct rename *m, struct record *r)
{
	bool exchange = m->flags & RENAME_EXCHANGE;
	struct bucket *bucket = m->to.inode->id == NODE_ROOT ? m->inode->bucket : m->to.inode->bucket;

	record_entry_end(r, m->from.inode->id, m->name, ENDED_RENAME);
	if (leaves_series(m))
		leave_series(m, r);
	if (m->over)
		record_entry_end(r, m->to.inode->id, m->to_name, exchange ? ENDED_RENAME : ENDED_UNLINK);
	record_entry_add(r, m->to.inode->id, m->to_name, m->inode->id);
	inode_set_name(m->lake, m->inode, m->to.inode, m->to_name, bucket);
	if (exchange) {
		record_entry_add(r, m->from.inode->id, m->name, m->over->id);
		inode_set_name(m->lake, m->over, m->from.inode, m->name,
			       m->from.inode->id == NODE_ROOT ? m->over->bucket : m->from.inode->bucket);
		if (m->inode->kind == KIND_FILE && m->over->kind == KIND_FILE) { /* series stay with paths */
			take_series(m, m->inode, m->over, &m->raw, true, r);
			take_series(m, m->over, m->inode, &m->over_raw, true, r);
		}
	} else if (m->over) {
		end_over(m, r);
		if (m->inode->kind == KIND_FILE && !leaves_series(m))
			continue_series(m, r);
	}
	if (m->inode->kind == KIND_FILE && !exchange)
		cut_if_new(m, r);
	if (m->over_content.version)
		compare_with_over(m, r);
	if (!exchange)
		database_note_name(m->inode, m->to.fd, m->to_name);
	add_new_times(m, m->inode, m->to.fd, m->to_name, r);
	if (exchange)
		add_new_times(m, m->over, m->from.fd, m->name, r);
	pthread_mutex_lock(&m->inode->lock);
	m->inode->moved = true;
	pthread_mutex_unlock(&m->inode->lock);
}

/* Tags and the comment are about what lies at a path: who saves a file by a new one did not mean to lose them. */
static bool carry_attribute(const char *from, const char *to, const char *name)
{
	_cleanup_free_ char *value = NULL;
	ssize_t size = getxattr(from, name, NULL, 0);

	if (size <= 0 || getxattr(to, name, NULL, 0) >= 0 || errno != ENODATA)
		return false;
	value = malloc((size_t)size);
	size = value ? getxattr(from, name, value, (size_t)size) : -1;
	return size > 0 && setxattr(to, name, value, (size_t)size, XATTR_CREATE) == 0;
}

/*
 * Before the rename, for what is replaced may be gone after it. What moves has none of its own; nothing fails for want
 * of them. A stub's are in the store, and stay there.
 */
static void carry_tags(struct rename *m)
{
	_cleanup_close_ int over = -1, fd = -1;
	char from[40], to[40];

	if (m->inode->kind != KIND_FILE || m->over->kind != KIND_FILE || inode_is_stub(m->over) ||
	    inode_is_stub(m->inode))
		return;
	over = inode_open(m->lake, m->over, O_PATH);
	snprintf(from, sizeof(from), "/proc/self/fd/%d", over);
	if (over < 0 || (getxattr(from, XATTR_TAGS, NULL, 0) <= 0 && getxattr(from, XATTR_COMMENT, NULL, 0) <= 0))
		return;
	fd = inode_open(m->lake, m->inode, O_PATH);
	snprintf(to, sizeof(to), "/proc/self/fd/%d", fd);
	if (fd < 0)
		return;
	m->tags_carried = carry_attribute(from, to, XATTR_TAGS);
	m->comment_carried = carry_attribute(from, to, XATTR_COMMENT);
}

/* The rename failed. */
static void carry_back(struct rename *m)
{
	_cleanup_close_ int fd = m->tags_carried || m->comment_carried ? inode_open(m->lake, m->inode, O_PATH) : -1;
	char to[40];

	if (fd < 0)
		return;
	snprintf(to, sizeof(to), "/proc/self/fd/%d", fd);
	if (m->tags_carried)
		removexattr(to, XATTR_TAGS);
	if (m->comment_carried)
		removexattr(to, XATTR_COMMENT);
}

static void record_carried(struct rename *m, struct record *r)
{
	_cleanup_close_ int fd = inode_open(m->lake, m->inode, O_PATH);
	_cleanup_buf_ struct buf encoded = BUF_INIT;

	if (fd >= 0 && !xattrs_read(fd, &encoded))
		record_node_xattrs(r, m->inode->id, encoded.data, encoded.len);
}

static int record(struct rename *m)
{
	enum change_op op = m->flags & RENAME_EXCHANGE ? OP_EXCHANGE : OP_RENAME;
	struct record *r = real_record(op, m->actor, m->inode->id, m->to.inode->id, m->to_name);
	uint64_t commit;
	int rc;

	if (!r)
		return -ENOMEM;
	if (m->tags_carried || m->comment_carried)
		record_carried(m, r);
	rename_add_rows(m, r);
	rc = real_submit_name(m->lake, r, m->inode, m->to.inode, m->to_name);
	if (!rc)
		view_name_changed(m->lake, m->from.inode->id, m->name);
	commit = atomic_load(&m->inode->commit);
	inode_submitted(m->from.inode, commit);
	if (m->over)
		inode_submitted(m->over, commit);
	if (m->over && !(m->flags & RENAME_EXCHANGE))
		removal_done(m->lake, &m->to, m->to_name, m->over);
	return rc;
}

/* Is what is there, and is kept, the same content as what comes? `over` is frozen. */
static void compare(struct rename *m)
{
	if (m->inode->kind != KIND_FILE || !m->aside.version || !m->aside.settled)
		return;
	m->over_content = (struct former){m->aside.version, (uint64_t)m->aside.st.st_size};
	m->same = !m->aside.fresh && !inode_is_dirty(m->inode) &&
		  former_is_same(m->lake, &m->over_content, m->inode, (uint64_t)m->raw.st_size);
}

/* What is there goes into history, unless the rename fails. `over` is frozen. */
static int replace(struct rename *m)
{
	int rc = aside_plan(m->lake, m->over, m->to.inode, m->to_name, 0, &m->aside);

	if (!rc)
		rc = inode_pin(m->lake, m->over);
	if (rc < 0)
		return rc;
	compare(m);
	aside_link(m->over, m->to.fd, m->to_name, &m->aside);
	carry_tags(m);
	if (renameat2(m->from.fd, m->name, m->to.fd, m->to_name, m->flags) < 0) {
		rc = -errno;
		aside_undo_link(m->over, &m->aside);
		carry_back(m);
		return rc;
	}
	return record(m);
}

static int move(struct rename *m)
{
	int rc;

	if (m->over && m->over != m->inode && !(m->flags & RENAME_EXCHANGE)) {
		inode_freeze(m->over);
		rc = replace(m);
		inode_thaw(m->over);
		return rc;
	}
	if (renameat2(m->from.fd, m->name, m->to.fd, m->to_name, m->flags) < 0)
		return -errno;
	if (m->over == m->inode) /* two names of one file: nothing happens, says POSIX */
		return 0;
	return record(m);
}

static void rename_bucket(struct rename *m)
{
	struct findings findings = {0};

	if (m->inode->kind != KIND_FOLDER)
		return;
	if (m->from.inode->id == NODE_ROOT && m->to.inode->id == NODE_ROOT) {
		lake_bucket_renamed(m->lake, m->name, m->to_name);
		if (settings_rename_bucket(m->lake->path, m->name, m->to_name, &findings) < 0 ||
		    lake_reload(m->lake, &findings) < 0)
			log_warning("bucket %s is %s now, but its settings could not be renamed", m->name, m->to_name);
		findings_release(&findings);
		return;
	}
	if (m->from.inode->id == NODE_ROOT)
		lake_bucket_removed(m->lake, m->name);
	if (m->to.inode->id == NODE_ROOT) {
		struct bucket *bucket;

		if (!lake_bucket(m->lake, m->to_name, &bucket))
			inode_set_name(m->lake, m->inode, m->to.inode, m->to_name, bucket);
	}
}

/*
 * What the old name's history is, and what the new one's, is decided with all versions there are. What is closed is
 * one of them, though its release may be on its way still.
 */
static void settle_source(struct rename *m)
{
	if (m->inode->kind == KIND_FOLDER) {
		inodes_wait_quiet(m->lake, m->inode);
		if (m->over)
			inodes_wait_quiet(m->lake, m->over);
	} else if (m->inode->kind == KIND_FILE && (m->over || leaves_series(m)) &&
		   bucket_versions(m->from.inode->bucket, m->from.inode, m->name)) {
		inode_wait_quiet(m->inode);
	}
}

/* Finds and checks; then the tree lock is held for reading. */
static int begin(struct rename *m)
{
	bool tried = m->flags & RENAME_EXCHANGE; /* then it stays */

	for (;;) {
		unsigned seq = atomic_load(&m->lake->published);
		int rc = rename_find(m);

		if (!rc)
			rc = rename_check(m);
		if (!rc)
			rc = change_ends_draft(m->lake, m->over, m->actor, &tried);
		if (!rc)
			settle_source(m);
		if (rc < 0 || (!rc && change_begin(m->lake, seq)))
			return rc;
		inode_unref(m->lake, m->over);
		inode_unref(m->lake, m->inode);
		m->over = m->inode = NULL;
	}
}

int ns_rename(struct lake *lake, uint64_t parent, const char *name, uint64_t to_parent, const char *to_name,
	      unsigned flags, const struct actor *actor)
{
	struct rename m = {.lake = lake, .actor = actor, .name = name, .to_name = to_name, .flags = flags};
	int rc = real_folder_get(lake, parent, &m.from);

	if (!rc)
		rc = real_folder_get(lake, to_parent, &m.to);
	if (!rc)
		rc = begin(&m);
	if (!rc) {
		rc = move(&m);
		pthread_rwlock_unlock(&lake->tree_lock);
	}
	if (!rc && m.inode->kind == KIND_FOLDER && m.over != m.inode) {
		rename_bucket(&m);
		inode_folder_moved(lake, m.inode);
		if (flags & RENAME_EXCHANGE)
			inode_folder_moved(lake, m.over);
	}
	if (!rc && m.inode->kind == KIND_FILE)
		inode_settle(lake, m.inode);
	if (!rc)
		view_changed(m.inode->id);
	if (!rc && m.over)
		view_changed(m.over->id);
	inode_unref(lake, m.over);
	inode_unref(lake, m.inode);
	real_folder_put(&m.to);
	real_folder_put(&m.from);
	return rc;
}
