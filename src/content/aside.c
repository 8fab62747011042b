#include "content/aside.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/past/chain.h"
#include "content/cut.h"
#include "content/cloud/draft.h"
#include "content/durable.h"
#include "content/past/kept.h"
#include "content/lease.h"
#include "content/registered.h"
#include "content/cloud/stub.h"
#include "content/swap.h"
#include "content/xattrs.h"

/* Attributes of the inode that its successor gets, too (chattr(1)); immutable ones cannot be truncated. */
#define FS_FLAGS_KEPT (FS_NODUMP_FL | FS_NOATIME_FL | FS_SYNC_FL | FS_COMPR_FL | FS_NOCOW_FL)

/* The live version does not describe these bytes: somebody wrote since. */
bool inode_changed_locked(const struct inode *inode, const struct stat *st)
{
	return !inode->version || !inode_is_clean_locked(inode, st);
}

static void plan_locked(struct lake *lake, struct inode *inode, struct inode *parent, const char *name,
			uint64_t remover, struct aside *a)
{
	bool changed = inode_changed_locked(inode, &a->st);

	if (inode->companion && changed) { /* it has no history but with its database */
		a->base_ended = true;
		a->settled = !inode->writers;
		return;
	}
	a->settled = !inode->dirty || (!inode->writers && !inode->may_map);
	if (!(changed ? bucket_versions(inode->bucket, parent, name) : cut_keeps_base(inode, parent, name))) {
		a->base_ended = changed;
		a->lost = changed ? 0 : inode->version;
		a->reason = "excluded or temporary name";
		return;
	}
	if (remover && inode->made_here && inode->maker == remover && inode->writer_run == remover) {
		a->dropped = inode->version;
		return;
	}
	if (!a->st.st_size) { /* needs no bytes */
		a->base_ended = changed;
		a->version = changed ? 0 : inode->version;
		return;
	}
	if (inode_is_stub(inode)) {
		a->cloud = true;
		a->version = inode->version;
		return;
	}
	a->wanted = true;
	a->fresh = a->base_ended = changed;
	a->version = changed ? store_new_version(lake->store) : inode->version;
	version_name(inode->id, a->version, a->name);
}

/* What is not wanted itself may have to stay for others; but one run's own files are nobody's history. */
static void plan_for_others(struct lake *lake, struct inode *inode, struct aside *a)
{
	bool needed = (a->base_ended && inode->version && inode->clean_size) || kept_needs_raw(lake, inode);

	if (needed && a->dropped) {
		a->ends_all = true;
	} else if (needed) {
		a->wanted = a->others = true;
		a->version = a->lost ? a->lost : store_new_version(lake->store);
		a->fresh = !a->lost;
		a->lost = 0;
		version_name(inode->id, a->version, a->name);
	}
}

static void give_up(struct inode *inode, struct aside *a, const char *reason)
{
	log_warning("node %llu: old content is not kept: %s", (unsigned long long)inode->id, reason);
	a->wanted = a->others = a->base_ended = false;
	a->ends_all = true;
	a->version = a->lost = 0;
	a->reason = reason;
}

int aside_plan(struct lake *lake, struct inode *inode, struct inode *parent, const char *name, uint64_t remover,
	       struct aside *a)
{
	int rc;

	memset(a, 0, sizeof(*a));
	if (inode->kind != KIND_FILE)
		return 0;
	rc = inode_stat(lake, inode, &a->st);
	if (rc < 0)
		return rc;
	if (a->st.st_nlink > 1) /* it lives on under another name */
		return 0;
	cut_check_base(lake, inode, &a->st);
	pthread_mutex_lock(&inode->lock);
	plan_locked(lake, inode, parent, name, remover, a);
	pthread_mutex_unlock(&inode->lock);
	if (!a->wanted && a->st.st_size && !inode_is_stub(inode))
		plan_for_others(lake, inode, a);
	/* Kept content that cannot be recorded could never be let go: the disk would stay full whatever is removed. */
	if (a->wanted && store_is_full(lake->store))
		give_up(inode, a, "disk full");
	if (a->wanted)
		durable_vouch(lake, inode, &a->st, a->fresh);
	return 0;
}

int aside_unlink(struct inode *inode, int folderfd, const char *name, struct aside *a)
{
	if (a->wanted && !renameat2(folderfd, name, inode->volume->versionsfd, a->name, RENAME_NOREPLACE))
		return 0;
	if (a->wanted)
		give_up(inode, a, strerror(errno));
	return unlinkat(folderfd, name, 0) < 0 ? -errno : 0;
}

void aside_link(struct inode *inode, int folderfd, const char *name, struct aside *a)
{
	if (a->wanted && linkat(folderfd, name, inode->volume->versionsfd, a->name, 0) < 0)
		give_up(inode, a, strerror(errno));
}

void aside_undo_link(struct inode *inode, const struct aside *a)
{
	if (a->wanted)
		unlinkat(inode->volume->versionsfd, a->name, 0);
}

/* The rows that every way aside has in common. */
static void record_rows(struct lake *lake, struct inode *inode, const struct aside *a, const struct actor *actor,
			struct record *r)
{
	const struct cut kept = {.id = a->version, .state = VERSION_KEPT, .how = HOW_ASIDE, .settled = a->settled};

	if (a->base_ended)
		cut_end_base(inode, r, (uint64_t)a->st.st_size);
	if (!a->ends_all) {
		cut_lose(r, a->lost, a->reason);
		cut_drop(r, a->dropped);
	}
	if (a->wanted && a->fresh)
		cut_add(lake, inode, r, &a->st, &kept, actor);
	if (a->others)
		cut_lose_aside(r, a->version, a->reason);
	else if (a->fresh)
		; /* it is all said */
	else if (a->version && (a->settled || !a->wanted))
		cut_keep(r, a->version, a->cloud ? HOW_CLOUD : a->wanted ? HOW_ASIDE : HOW_NONE);
	if (a->wanted)
		atomic_fetch_add(&lake->counters.asides, 1);
}

static void end_all(struct lake *lake, struct inode *inode, const struct aside *a, struct record *r)
{
	uint64_t commit = atomic_load(&inode->commit);
	int rc = commit ? store_barrier(lake->store, commit) : 0;

	if (!rc || rc == -ENOSPC)
		rc = kept_lose_raw(lake, inode->id, a->reason, r);
	if (rc < 0)
		log_error("node %llu: the versions that are lost cannot be found: %s", (unsigned long long)inode->id,
			  strerror(-rc));
}

/* Who has the file open goes on with what was written; nobody else does. */
static void end_draft(struct inode *inode)
{
	struct draft *d = draft_of(inode);

	if (!d)
		return;
	log_info("node %llu: what was written since it left for the cloud goes with its name",
		 (unsigned long long)inode->id);
	draft_drop(d);
	draft_unref(d);
}

void aside_record(struct lake *lake, struct inode *inode, const struct aside *a, const struct actor *actor,
		  struct record *r)
{
	if (inode->kind != KIND_FILE || a->st.st_nlink > 1)
		return;
	registered_drop(lake, inode);
	if (a->ends_all)
		end_all(lake, inode, a, r);
	end_draft(inode);
	SCOPED_LOCK(&inode->lock);

	record_rows(lake, inode, a, actor, r);
	inode->kept_aside = a->wanted;
	inode->kept_version = a->wanted ? a->version : 0;
	inode->kept_fresh = a->fresh;
	if (inode->dirty && !inode->writers && (!a->wanted || a->settled || a->others)) {
		inode->dirty = false;
		record_node_writing(r, inode->id, false);
	}
	if (a->wanted && (a->settled || a->others)) {
		inode->kept_version = 0; /* nothing is left to do for it */
		inode->kept_listed = a->version;
	}
}

/* ---- O_TRUNC ---- */

static int copy_xattrs(int from, int to)
{
	char names[65536], value[65536]; /* XATTR_LIST_MAX, XATTR_SIZE_MAX */
	ssize_t n = flistxattr(from, names, sizeof(names)), size;

	if (n < 0)
		return errno == ENOTSUP ? 0 : -errno;
	for (char *name = names; name < names + n; name += strlen(name) + 1) {
		if (!strcmp(name, "security.capability")) /* goes at any write */
			continue;
		size = fgetxattr(from, name, value, sizeof(value));
		if (size < 0 || fsetxattr(to, name, value, (size_t)size, 0) < 0)
			return -errno;
	}
	return 0;
}

static int copy_flags(int from, int to)
{
	unsigned int flags = 0;

	if (ioctl(from, FS_IOC_GETFLAGS, &flags) < 0 || !(flags & FS_FLAGS_KEPT))
		return 0;
	flags &= FS_FLAGS_KEPT;
	return ioctl(to, FS_IOC_SETFLAGS, &flags) < 0 ? -errno : 0;
}

/* Truncation takes set-id bits away, but from root. */
static mode_t truncated_mode(mode_t mode, const struct actor *actor)
{
	mode &= 07777;
	if (actor->caller.uid) {
		mode &= ~(mode_t)S_ISUID;
		if (mode & S_IXGRP)
			mode &= ~(mode_t)S_ISGID;
	}
	return mode;
}

static int copy_stub_xattrs(struct lake *lake, struct inode *inode, int to)
{
	_cleanup_buf_ struct buf encoded = BUF_INIT;
	int rc = stub_xattrs(lake, inode, &encoded);

	return rc || !encoded.len ? rc : xattrs_write(to, encoded.data, encoded.len);
}

/* The new, empty inode, under the name that the old content will have. OLDFD -1: of a stub. A descriptor or -errno. */
static int stage(struct lake *lake, struct inode *inode, const struct aside *a, int oldfd, const struct actor *actor)
{
	int dir = inode->volume->versionsfd;
	int fd, rc;

	caller_enter(&(struct caller){.uid = a->st.st_uid, .gid = a->st.st_gid});
	fd = openat(dir, a->name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, a->st.st_mode & 0777);
	rc = fd < 0 ? -errno : 0;
	caller_leave();
	if (rc < 0)
		return rc;
	rc = oldfd < 0 ? copy_stub_xattrs(lake, inode, fd) : copy_xattrs(oldfd, fd);
	if (!rc && oldfd >= 0)
		rc = copy_flags(oldfd, fd);
	if (!rc && (a->st.st_mode & 07000))
		rc = fchmod(fd, truncated_mode(a->st.st_mode, actor)) < 0 ? -errno : 0;
	if (rc < 0) {
		unlinkat(dir, a->name, 0);
		close(fd);
		return rc;
	}
	return fd;
}

/* Its raw file is a new one, with nothing in it that a version is read through. INODE's lock is held. */
static void begin_anew_locked(struct inode *inode, const struct aside *a)
{
	inode->version = 0;
	inode->former = (struct former){a->version, (uint64_t)a->st.st_size};
	inode->dirty = inode->written = inode->moved = true;
	inode->may_map = inode->base_unsure = inode->dependants = false;
	inode->partial = inode->provisional = false;
	chain_unref(inode->chain); /* it is the old file's, for those who read that */
	inode->chain = NULL;
	inode->no_past = true;
	inode->era = a->version;
	inode->clean_size = 0;
	inode->write_seq++;
}

void aside_end_stub(struct lake *lake, struct inode *inode, struct inode *parent, const char *name, struct record *r)
{
	SCOPED_LOCK(&inode->lock);
	struct aside a = {.st.st_size = (off_t)inode->clean_size};

	a.st.st_mtim.tv_sec = inode->clean_mtime / NSEC_PER_SEC;
	a.st.st_mtim.tv_nsec = inode->clean_mtime % NSEC_PER_SEC;
	plan_locked(lake, inode, parent, name, 0, &a);
	record_rows(lake, inode, &a, NULL, r);
	record_node_writing(r, inode->id, true);
	begin_anew_locked(inode, &a);
}

static void become_new(struct lake *lake, struct inode *inode, const struct aside *a, int newfd,
		       const struct actor *actor)
{
	struct record *r = record_new(OP_TRUNCATE, actor->run, actor->caller.uid, inode->id, 0, NULL);
	struct node_row row = {.id = inode->id, .kind = KIND_FILE, .volume = inode->volume->index};
	struct draft *draft;
	struct stat st;
	uint64_t commit;

	registered_drop(lake, inode); /* it is the old one's */
	fhandle_get(newfd, "", &row.handle);
	inode_set_handle(lake, inode, &row.handle);
	if (fstat(newfd, &st) < 0)
		st = a->st;
	row_set_stat(&row, &st);
	pthread_mutex_lock(&inode->lock);
	inode->raw_ino = st.st_ino;
	if (inode->pinned >= 0) {
		close(inode->pinned);
		inode->pinned = -1;
	}
	if (r) {
		record_rows(lake, inode, a, actor, r);
		if (inode_is_stub(inode))
			record_node_stub(r, inode->id, false, &row.handle);
		record_node_set(r, &row);
		record_node_writing(r, inode->id, true);
		if (!store_submit(lake->store, r, &commit))
			inode_submitted(inode, commit);
	}
	atomic_store(&inode->stub, false);
	begin_anew_locked(inode, a);
	inode->flush_at_close = true;
	draft = steal_ptr(&inode->draft);
	pthread_mutex_unlock(&inode->lock);
	if (draft)
		draft_drop(draft);
	draft_unref(draft);
}

/* What will be its content is nothing, and what was its content stays in the cloud. */
static int truncate_stub_named(struct lake *lake, struct inode *inode, struct inode *parent, const char *name,
			       const struct actor *actor)
{
	_cleanup_folder_ struct folder_fd *folder = NULL;
	_cleanup_close_ int newfd = -1;
	struct aside a = {0};
	int rc = folder_get(lake, parent, &folder);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&inode->lock);
	rc = stub_stat_locked(inode, &a.st) ? 0 : -EAGAIN;
	if (!rc)
		plan_locked(lake, inode, parent, name, 0, &a);
	recall_name(inode->id, inode->version, a.name);
	pthread_mutex_unlock(&inode->lock);
	if (rc < 0)
		return rc;
	newfd = stage(lake, inode, &a, -1, actor);
	if (newfd < 0)
		return newfd;
	rc = swap_in(inode->volume->versionsfd, a.name, folder_fd(folder), name, a.st.st_ino);
	if (rc > 0)
		become_new(lake, inode, &a, newfd, actor);
	unlinkat(inode->volume->versionsfd, a.name, 0);
	return rc > 0 ? 0 : rc ? rc : -EAGAIN;
}

int aside_truncate_stub(struct lake *lake, struct inode *inode, const struct actor *actor)
{
	char name[NAME_BYTES + 1];
	struct inode *parent;
	int rc;

	pthread_rwlock_rdlock(&lake->tree_lock);
	inode_freeze(inode);
	parent = inode_parent(lake, inode, name);
	rc = parent ? truncate_stub_named(lake, inode, parent, name, actor) : -ESTALE;
	inode_thaw(inode);
	pthread_rwlock_unlock(&lake->tree_lock);
	inode_unref(lake, parent);
	return rc;
}

static int truncate_named(struct lake *lake, struct inode *inode, struct inode *parent, const char *name,
			  const struct actor *actor)
{
	_cleanup_folder_ struct folder_fd *folder = NULL;
	_cleanup_close_ int oldfd = -1, newfd = -1;
	struct aside a = {0};
	int rc;

	oldfd = inode_open(lake, inode, O_RDONLY | O_NONBLOCK);
	if (oldfd < 0)
		return 0; /* an ordinary user's write-only file */
	if (fstat(oldfd, &a.st) < 0 || a.st.st_nlink != 1 || !a.st.st_size)
		return 0;
	if (lake->passthrough && lease_probe(oldfd, F_WRLCK) < 0)
		return 0;
	cut_check_base(lake, inode, &a.st);
	pthread_mutex_lock(&inode->lock);
	plan_locked(lake, inode, parent, name, 0, &a);
	pthread_mutex_unlock(&inode->lock);
	if (!a.wanted || store_is_full(lake->store))
		return 0;
	a.settled = true;
	durable_vouch(lake, inode, &a.st, a.fresh);
	rc = folder_get(lake, parent, &folder);
	if (rc < 0)
		return rc;
	newfd = stage(lake, inode, &a, oldfd, actor);
	if (newfd < 0) {
		log_warning("node %llu: old content is not kept: %s", (unsigned long long)inode->id, strerror(-newfd));
		return 0;
	}
	rc = swap_in(inode->volume->versionsfd, a.name, folder_fd(folder), name, a.st.st_ino);
	if (rc <= 0) {
		unlinkat(inode->volume->versionsfd, a.name, 0);
		return 0;
	}
	become_new(lake, inode, &a, newfd, actor);
	return 1;
}

int aside_truncate(struct lake *lake, struct inode *inode, const struct actor *actor)
{
	char name[NAME_BYTES + 1];
	struct inode *parent = inode_parent(lake, inode, name);
	int rc;

	if (!parent)
		return 0;
	rc = truncate_named(lake, inode, parent, name, actor);
	inode_unref(lake, parent);
	return rc;
}
