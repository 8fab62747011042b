/*
 * A file's local bytes go, because the cloud has them. In this order, so that a crash anywhere leaves the file or its
 * stub:
 *
 *	1. nobody has it, and nobody can get it: CHANGING, and the lease F_WRLCK on the raw file
 *	2. what the store says is right, and durable: the version, the verified object, the attributes
 *	3. the placeholder is made beside the old versions, and exchanged with the file
 *	4. the lease is held still: nobody opened it behind tarn's back. Else they are exchanged again
 *	5. the record, and the file is removed
 */
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/past/chain.h"
#include "content/past/kept.h"
#include "content/recall/recall_version.h"
#include "content/registered.h"
#include "content/cloud/stub.h"
#include "content/swap.h"
#include "content/xattrs.h"

#define NAMES_ROOM 4096
#define SLACK_NS (100 * NSEC_PER_MSEC) /* between a change and its record */

/* An eviction under way. */
struct evict {
	struct lake *lake;
	struct inode *inode;
	struct inode *parent; /* with a reference */
	char name[NAME_BYTES + 1];
	uint64_t version;
	struct version_row content; /* of that version */
	int fd;			    /* the raw file, with the lease */
	bool leased;
	bool plain; /* it has no extended attributes at all */
	struct stat st;
	struct node_row row; /* as the store has it, then as a stub */
	int64_t verified_at;
	char staged[VERSION_NAME_MAX];
};

/* ---- 1. alone ---- */

/* Marks INODE CHANGING, or says why not. */
static int take(struct inode *inode, uint64_t *version)
{
	SCOPED_LOCK(&inode->lock);

	if (inode_is_stub(inode))
		return -EALREADY;
	if (inode->kind != KIND_FILE || !inode->name)
		return -ENOENT;
	if (inode->state != INODE_IDLE || inode->frozen || inode->handles || inode->writers || inode->holders ||
	    inode->changing || inode->dirty || inode->partial || inode->base_unsure || inode->recalling)
		return -EBUSY;
	if (!inode->version)
		return -ENODATA;
	*version = inode->version;
	inode->state = INODE_CHANGING;
	return 0;
}

/* Mappings under passthrough outlive their handles; and elsewhere than over buckets/ others can open the file. */
static int lease(struct evict *e)
{
	if (fcntl(e->fd, F_SETLEASE, F_WRLCK) == 0) {
		e->leased = true;
		return 0;
	}
	if (errno == EAGAIN || errno == EBUSY)
		return -EBUSY;
	return e->lake->passthrough ? -errno : 0; /* no leases here: the count of handles is all that there is */
}

static bool is_alone_still(const struct evict *e)
{
	return !e->leased || fcntl(e->fd, F_GETLEASE) == F_WRLCK;
}

static int open_alone(struct evict *e)
{
	struct inode *inode = e->inode;

	e->fd = inode_open(e->lake, inode, O_RDONLY | O_NONBLOCK);
	if (e->fd < 0)
		return e->fd;
	if (fstat(e->fd, &e->st) < 0)
		return -errno;
	if (!S_ISREG(e->st.st_mode))
		return -ENOENT;
	if (e->st.st_nlink != 1)
		return -EMLINK;
	if (!e->st.st_size)
		return -ENODATA;
	return lease(e);
}

/* ---- 2. the store first ---- */

/* Is there anything that would be lost? A label of SELinux comes back by itself. */
static int check_attributes(struct evict *e)
{
	char names[NAMES_ROOM];
	ssize_t n = flistxattr(e->fd, names, sizeof(names));

	e->plain = !n;
	if (n < 0)
		return errno == ENOTSUP ? 0 : errno == ERANGE ? -EPERM : -errno;
	for (const char *name = names; name < names + n; name += strlen(name) + 1)
		if (!xattr_is_kept(name) && strcmp(name, "security.selinux"))
			return -EPERM;
	return 0;
}

/* Has the cloud these very bytes? */
static int check_object(struct evict *e)
{
	struct version_row *v = &e->content;
	struct cloud_row object;
	int rc = store_version(e->lake->store, e->version, v);

	if (!rc)
		rc = store_cloud_of_version(e->lake->store, e->version, &object);
	if (rc < 0)
		return rc == -ENOENT ? -ENODATA : rc;
	if (!v->settled || !v->hashed || v->node != e->inode->id || v->state != VERSION_LIVE || !object.hashed ||
	    memcmp(v->sha256, object.sha256, sizeof(v->sha256)) != 0)
		return -ENODATA;
	if (object.state != CLOUD_VERIFIED && object.state != CLOUD_FOREIGN)
		return -ENODATA;
	e->verified_at = object.time;
	return v->size == object.size && v->size == (uint64_t)e->st.st_size ? 0 : -ENODATA;
}

/*
 * What was read here must survive a power failure that the exchange survives. Many leave at once, and most of what
 * these rely on is older than the last fsync of the store.
 */
static int rely(struct evict *e)
{
	struct lake *lake = e->lake;
	int64_t at = clock_wall(), last = atomic_load(&lake->relied_on_at) - SLACK_NS;
	uint64_t commit = store_last_commit(lake->store);
	int rc;

	if (e->verified_at < last && stat_ctime(&e->st) < last &&
	    atomic_load(&e->inode->commit) <= atomic_load(&lake->relied_on))
		return 0;
	rc = store_sync(lake->store, commit);
	if (!rc) {
		atomic_store(&lake->relied_on, commit);
		atomic_store(&lake->relied_on_at, at);
	}
	return rc;
}

/* The version is what the file has. */
static int check_content(struct evict *e)
{
	SCOPED_LOCK(&e->inode->lock);

	return e->inode->clean_size == (uint64_t)e->st.st_size && e->inode->clean_mtime == stat_mtime(&e->st) ? 0
													      : -EBUSY;
}

static bool is_recorded(const struct evict *e, const struct buf *now, const struct buf *known)
{
	const struct node_row *row = &e->row;

	return row->mode == e->st.st_mode && row->uid == e->st.st_uid && row->gid == e->st.st_gid &&
	       row->size == (uint64_t)e->st.st_size && row->mtime == stat_mtime(&e->st) && now->len == known->len &&
	       (!now->len || !memcmp(now->data, known->data, now->len));
}

/* What the store does not know of the attributes, it learns now. XATTRS: those of the file. */
static int record_attributes(struct evict *e, const struct buf *xattrs)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, e->inode->id, 0, NULL);
	struct lake *lake = e->lake;
	uint64_t commit;
	int rc;

	row_set_stat(&e->row, &e->st);
	e->row.acl = xattrs_have_acl(e->fd);
	record_node_set(r, &e->row);
	record_node_xattrs(r, e->inode->id, xattrs->data, xattrs->len);
	rc = store_submit(lake->store, r, &commit);
	if (!rc)
		rc = store_barrier(lake->store, commit);
	return rc;
}

/* 1: the store has all that it needs, of one moment; 0: all but the attributes, whose XATTRS are these. */
static int check_store(struct evict *e, struct buf *xattrs)
{
	_cleanup_buf_ struct buf known = BUF_INIT;
	struct store *s = e->lake->store;
	int rc = store_moment_begin(s);

	if (rc < 0)
		return rc;
	rc = check_object(e);
	if (!rc && kept_needs_raw(e->lake, e->inode))
		rc = -EXDEV;
	if (!rc)
		rc = store_node(s, e->inode->id, &e->row);
	if (!rc && !e->plain)
		rc = xattrs_read(e->fd, xattrs);
	if (!rc)
		rc = store_node_xattrs_at(s, e->inode->id, COMMIT_LIVE, &known);
	if (!rc)
		rc = is_recorded(e, xattrs, &known);
	store_moment_end(s);
	return rc;
}

static int prepare(struct evict *e)
{
	_cleanup_buf_ struct buf xattrs = BUF_INIT;
	uint64_t commit = atomic_load(&e->inode->commit);
	int rc = check_attributes(e);

	if (!rc)
		rc = check_content(e);
	if (!rc && commit)
		rc = store_barrier(e->lake->store, commit);
	if (!rc)
		rc = check_store(e, &xattrs);
	if (!rc)
		rc = record_attributes(e, &xattrs);
	return rc < 0 ? rc : rely(e);
}

/* ---- 3. to 5. ---- */

static int stage(struct evict *e)
{
	char target[STUB_TARGET_ROOM];
	int dir = e->inode->volume->versionsfd, rc;

	stub_target(e->lake->id, e->inode->id, target);
	stub_name(e->inode->id, e->version, e->staged);
	if (symlinkat(target, dir, e->staged) < 0)
		return -errno;
	rc = fhandle_get(dir, e->staged, &e->row.handle);
	if (rc < 0)
		unlinkat(dir, e->staged, 0);
	return rc;
}

static int exchange(struct evict *e)
{
	_cleanup_folder_ struct folder_fd *folder = NULL;
	int dir = e->inode->volume->versionsfd;
	int rc = folder_get(e->lake, e->parent, &folder);

	if (!rc)
		rc = swap_in(dir, e->staged, folder_fd(folder), e->name, e->st.st_ino);
	if (rc > 0 && !is_alone_still(e)) {
		renameat2(dir, e->staged, folder_fd(folder), e->name, RENAME_EXCHANGE);
		rc = 0;
	}
	if (rc > 0)
		return 0;
	unlinkat(dir, e->staged, 0);
	return rc ? rc : -EBUSY;
}

static void become_stub(struct evict *e, ino_t placeholder)
{
	struct inode *inode = e->inode;
	SCOPED_LOCK(&inode->lock);

	inode->raw_ino = placeholder;
	if (inode->pinned >= 0) {
		close(inode->pinned);
		inode->pinned = -1;
	}
	chain_unref(inode->chain); /* it is the old file's, for those who read that */
	inode->chain = NULL;
	e->row.mode = e->st.st_mode;
	stub_show_ctime_locked(inode, &e->st);
	e->row.ctime = stat_ctime(&e->st);
	stub_set_locked(e->lake, inode, &e->row);
}

static int record(struct evict *e)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, e->inode->id, 0, NULL);
	uint64_t commit;
	int rc;

	record_node_stub(r, e->inode->id, true, &e->row.handle);
	rc = store_submit(e->lake->store, r, &commit);
	if (!rc)
		inode_submitted(e->inode, commit);
	return rc;
}

static int evict(struct evict *e)
{
	int dir = e->inode->volume->versionsfd;
	struct stat placeholder;
	int rc = open_alone(e);

	if (!rc)
		rc = prepare(e);
	if (!rc)
		rc = stage(e);
	if (rc < 0)
		return rc;
	if (fstatat(dir, e->staged, &placeholder, AT_SYMLINK_NOFOLLOW) < 0)
		placeholder.st_ino = 0;
	registered_drop(e->lake, e->inode); /* it holds the old file */
	rc = exchange(e);
	if (rc < 0)
		return rc;
	become_stub(e, placeholder.st_ino); /* before it is reached there: content/past/past.c */
	inode_set_handle(e->lake, e->inode, &e->row.handle);
	rc = record(e); /* if not, the placeholder says it */
	unlinkat(dir, e->staged, 0);
	return rc;
}

int stub_evict(struct lake *lake, struct inode *inode)
{
	struct evict e = {.lake = lake, .inode = inode, .fd = -1};
	int rc;

	if (lake->read_only)
		return -EROFS;
	pthread_rwlock_rdlock(&lake->tree_lock); /* nobody takes the placeholder in before it is known whose it is */
	rc = take(inode, &e.version);
	if (!rc) {
		e.parent = inode_parent(lake, inode, e.name);
		rc = e.parent ? evict(&e) : -ENOENT;
		if (rc && e.fd >= 0) /* the lease goes before anybody may open it again */
			close(steal_fd(&e.fd));
		inode_end_change(inode);
	}
	pthread_rwlock_unlock(&lake->tree_lock);
	inode_unref(lake, e.parent);
	if (!rc && e.fd >= 0)
		recall_keep_version_ends(lake, &e.content, e.fd);
	if (e.fd >= 0)
		close(e.fd); /* that is when the disk gives the blocks back, which takes its time */
	if (!rc && lake->frontend.invalidate)
		lake->frontend.invalidate(lake->frontend.arg, inode->id, false); /* it occupies less */
	return rc;
}
