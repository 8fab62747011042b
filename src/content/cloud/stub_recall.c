/* The bytes of a stub come back, and with them the file. */
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/aside.h"
#include "content/cloud/draft.h"
#include "content/recall/recall_version.h"
#include "content/settle.h"
#include "content/cloud/stub.h"
#include "content/cloud/stub_int.h"
#include "content/swap.h"
#include "content/xattrs.h"
#include "content/room.h"

#define POLL_NS (100 * NSEC_PER_MSEC)

/* ---- the file takes the stub's place ---- */

struct giveback {
	struct lake *lake;
	struct inode *inode, *parent;
	char name[NAME_BYTES + 1];
	uint64_t version;
	int dirfd;
	const char *staged;
	int fd;
	struct draft *draft; /* what was written to it; NULL: nothing */
	struct stat stub;    /* what the stub looks like */
	struct node_row row;
};

/* INODE is frozen. */
static int check(struct giveback *g)
{
	SCOPED_LOCK(&g->inode->lock);

	if (!stub_stat_locked(g->inode, &g->stub) || g->inode->version != g->version || !g->inode->name)
		return -ESTALE;
	return 0;
}

static int dress(struct giveback *g)
{
	_cleanup_buf_ struct buf xattrs = BUF_INIT;
	int rc = stub_xattrs(g->lake, g->inode, &xattrs);

	return rc ? rc : stub_dress(g->lake, g->fd, &g->stub, &xattrs);
}

/* The node's raw file is another from now on. WAIT: until readers of the store see it. */
static int record(struct giveback *g, bool stub, const struct fhandle *handle, bool wait)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, g->inode->id, 0, NULL);
	uint64_t commit;
	int rc;

	if (!r)
		return -ENOMEM;
	record_node_stub(r, g->inode->id, stub, handle);
	if (!stub)
		record_node_set(r, &g->row);
	rc = store_submit(g->lake->store, r, &commit);
	if (rc < 0)
		return rc;
	inode_submitted(g->inode, commit);
	return wait ? store_barrier(g->lake->store, commit) : 0;
}

static void become_file(struct giveback *g)
{
	struct inode *inode = g->inode;
	SCOPED_LOCK(&inode->lock);

	inode->raw_ino = (uint64_t)g->stub.st_ino;
	if (!g->draft) {
		inode->clean_size = (uint64_t)g->stub.st_size;
		inode->clean_mtime = stat_mtime(&g->stub);
	}
	inode->ctime_raw = stat_ctime(&g->stub);
	inode->ctime_shown = inode->as_stub.ctime;
	inode->write_seq++;
	atomic_store_explicit(&inode->stub, false, memory_order_release);
}

/* Who reads a folder, as tar does, shall not see that it changed: nothing did but for tarn. */
static void hide_exchange(struct inode *folder, int folderfd, const struct stat *before)
{
	struct stat shown = *before, after;

	if (fstat(folderfd, &after) < 0)
		return;
	SCOPED_LOCK(&folder->lock);

	stub_show_ctime_locked(folder, &shown);
	folder->ctime_raw = stat_ctime(&after);
	folder->ctime_shown = stat_ctime(&shown);
}

/* Before the store is told that its version ended. */
static void sync_folder(struct giveback *g)
{
	_cleanup_close_ int fd = inode_open(g->lake, g->parent, O_RDONLY | O_DIRECTORY);

	if (fd < 0 || fsync(fd) < 0)
		log_error("%s: its folder cannot be synced: %s", g->name, strerror(fd < 0 ? -fd : errno));
}

static int exchange(struct giveback *g)
{
	struct stat before;
	_cleanup_folder_ struct folder_fd *folder = NULL;
	ino_t placeholder = g->stub.st_ino;
	int rc = folder_get(g->lake, g->parent, &folder);

	if (!rc)
		rc = fstat(folder_fd(folder), &before) < 0 ? -errno : 0;
	if (!rc)
		rc = swap_in(g->dirfd, g->staged, folder_fd(folder), g->name, placeholder);
	if (rc <= 0)
		return rc ? rc : -ESTALE;
	hide_exchange(g->parent, folder_fd(folder), &before);
	unlinkat(g->dirfd, g->staged, 0);
	if (g->draft)
		sync_folder(g);
	return 0;
}

/* What the store is told first, of the file that is about to take the place. */
static int prepare(struct giveback *g)
{
	struct stat st;
	int rc = g->draft ? draft_lay(g->draft, g->fd) : 0;

	if (!rc)
		rc = dress(g);
	if (!rc)
		rc = fhandle_get(g->fd, "", &g->row.handle);
	if (!rc && fstat(g->fd, &st) < 0)
		rc = -errno;
	if (!rc && st.st_size != g->stub.st_size)
		rc = -EIO;
	if (rc < 0)
		return rc;
	row_set_stat(&g->row, &st);
	g->row.size = stub_recorded_size(g->inode, &st);
	return 0;
}

/* The exchange gave it another ctime. And with a draft it has another content: its version ended. */
static int record_again(struct giveback *g)
{
	struct record *r;
	uint64_t commit;
	int rc;

	if (!g->draft)
		return record(g, false, &g->row.handle, false);
	r = record_new(OP_WRITE, g->inode->writer_run, g->inode->writer_uid, g->inode->id, g->parent->id, g->name);
	if (!r)
		return -ENOMEM;
	record_node_stub(r, g->inode->id, false, &g->row.handle);
	record_node_set(r, &g->row);
	aside_end_stub(g->lake, g->inode, g->parent, g->name, r);
	rc = store_submit(g->lake->store, r, &commit);
	if (rc < 0)
		return rc;
	inode_submitted(g->inode, commit);
	return store_sync(g->lake->store, commit);
}

static void end_draft(struct giveback *g)
{
	pthread_mutex_lock(&g->inode->lock);
	g->inode->draft = NULL;
	pthread_mutex_unlock(&g->inode->lock);
	draft_drop(g->draft);
	draft_unref(g->draft); /* the inode's */
}

/*
 * The record first: with a file whose handle the store does not know, a crash would leave a stranger. Without the
 * exchange the placeholder says whose it is.
 */
static int give_back(struct giveback *g)
{
	struct fhandle placeholder = inode_handle(g->lake, g->inode);
	struct stat st;
	int rc = check(g);

	if (!rc)
		rc = prepare(g);
	if (!rc)
		rc = record(g, false, &g->row.handle, true);
	if (rc < 0)
		return rc;
	rc = exchange(g);
	if (rc < 0) {
		record(g, true, &placeholder, false);
		return rc;
	}
	fstat(g->fd, &st);
	row_set_stat(&g->row, &st);
	g->stub = st;
	inode_set_handle(g->lake, g->inode, &g->row.handle);
	rc = record_again(g);
	become_file(g);
	if (!rc && g->draft) /* else the next mount tells the store: content/cloud/draft_load.c */
		end_draft(g);
	return rc;
}

int stub_return(struct lake *lake, struct inode *inode, uint64_t version, int dirfd, const char *name, int fd)
{
	struct giveback g = {
		.lake = lake,
		.inode = inode,
		.version = version,
		.dirfd = dirfd,
		.staged = name,
		.fd = fd,
		.row = {.id = inode->id, .kind = KIND_FILE, .volume = inode->volume->index, .acl = inode->acl},
	};
	int rc;

	pthread_rwlock_rdlock(&lake->tree_lock);
	inode_freeze(inode);
	g.draft = draft_of(inode);
	g.parent = inode_parent(lake, inode, g.name);
	rc = g.parent ? give_back(&g) : -ESTALE;
	draft_unref(g.draft);
	inode_thaw(inode);
	pthread_rwlock_unlock(&lake->tree_lock);
	inode_unref(lake, g.parent);
	if (!rc && lake->frontend.invalidate)
		lake->frontend.invalidate(lake->frontend.arg, inode->id, false);
	return rc;
}

/* ---- all of its bytes ---- */

/* Nothing that the remote says may look as if the file were gone, or another's. */
static int error_of(int rc)
{
	switch (rc) {
	case -ENOENT:
	case -EACCES:
	case -ESTALE:
	case -ERANGE:
	case -ENODATA:
	case -EINVAL:
		return -EIO;
	default:
		return rc;
	}
}

static int whole(struct lake *lake, uint64_t version, struct recall *r, const struct tier_call *call)
{
	int rc = recall_whole(r, call);

	if (rc == -ESTALE && !recall_find_again(lake, version)) /* its object has another key by now */
		rc = recall_whole(r, call);
	return rc;
}

/* An object that somebody else put there: what it holds is known now. */
static void record_hash(struct lake *lake, const struct version_row *v, struct recall *r)
{
	struct record *record;
	uint8_t sha256[SHA256_BYTES];

	if (v->hashed)
		return;
	recall_sha256(r, sha256);
	record = record_new(OP_SYSTEM, RUN_TARN, 0, v->node, 0, NULL);
	record_version_facts(record, v->id, sha256, NULL);
	store_submit(lake->store, record, NULL);
}

/* None of the version's bytes is needed any more. */
static int make_empty(struct inode *inode, const char *staged)
{
	int fd = openat(inode->volume->versionsfd, staged, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

/*
 * All bytes of V are in the file STAGED of INODE's volume, verified and durable, but for those that DRAFT has. A
 * descriptor or -errno.
 */
static int bring(struct lake *lake, struct inode *inode, const struct version_row *v, struct draft *draft,
		 const char *staged, const struct tier_call *call)
{
	int dir = inode->volume->versionsfd, fd;
	struct recall *r;
	int rc;

	if (draft && draft_is_all(draft))
		return make_empty(inode, staged);
	rc = recall_open_version(lake, v, &r);
	if (rc < 0)
		return rc;
	rc = whole(lake, v->id, r, call);
	if (!rc)
		record_hash(lake, v, r);
	if (!rc)
		rc = recall_take(r, dir, staged);
	recall_close(r);
	if (rc < 0)
		return rc;
	fd = openat(dir, staged, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int recall(struct lake *lake, struct inode *inode, uint64_t version, const struct tier_call *call)
{
	uint64_t commit = atomic_load(&inode->commit); /* it may be new: content/cut.h, and another's by now */
	_cleanup_close_ int fd = -1;
	char staged[VERSION_NAME_MAX];
	struct version_row v;
	struct draft *draft;
	int rc = commit ? store_barrier(lake->store, commit) : 0;

	if (!rc)
		rc = store_version(lake->store, version, &v);
	if (rc < 0)
		return error_of(rc);
	room_wait(lake, inode->volume, v.size);
	recall_name(inode->id, version, staged);
	draft = draft_of(inode);
	fd = bring(lake, inode, &v, draft, staged, call);
	rc = fd < 0 ? error_of(fd) : draft ? draft_lay(draft, fd) : 0; /* most of it, while nobody has to wait */
	draft_unref(draft);
	if (fd < 0)
		return rc;
	if (!rc)
		rc = stub_return(lake, inode, version, inode->volume->versionsfd, staged, fd);
	if (rc < 0 && inode_is_stub(inode))
		unlinkat(inode->volume->versionsfd, staged, 0);
	return rc;
}

/* ---- one at a time ---- */

static bool is_stopped(const struct tier_call *call)
{
	return call &&
	       ((call->stop && call->stop(call->arg)) || (call->deadline && clock_monotonic() >= call->deadline));
}

/* 1: it is the caller's to do; 0: it was done; -ECANCELED. */
static int begin(struct inode *inode, const struct tier_call *call, uint64_t *version)
{
	SCOPED_LOCK(&inode->lock);
	struct timespec until;

	while (inode_is_stub(inode) && inode->recalling) {
		if (is_stopped(call))
			return -ECANCELED;
		until = clock_deadline(POLL_NS);
		pthread_cond_timedwait(&inode->changed, &inode->lock, &until);
	}
	if (!inode_is_stub(inode))
		return 0;
	inode->recalling = true;
	*version = inode->version;
	return 1;
}

/* Is it worth another try? Its version went elsewhere, or another one came. */
static bool end(struct inode *inode, uint64_t version)
{
	SCOPED_LOCK(&inode->lock);

	inode->recalling = false;
	pthread_cond_broadcast(&inode->changed);
	return !inode_is_stub(inode) || inode->version != version;
}

int stub_recall(struct lake *lake, struct inode *inode, const struct tier_call *call)
{
	uint64_t version;
	bool again;
	int rc;

	do {
		rc = begin(inode, call, &version);
		if (rc <= 0)
			return rc;
		rc = recall(lake, inode, version, call);
		again = end(inode, version);
	} while (rc == -ESTALE && again);
	if (!rc && inode_is_dirty(inode)) /* with what was written to the stub */
		inode_settle(lake, inode);
	return rc;
}
