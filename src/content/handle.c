#include "content/handle.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/kernel_order.h"
#include "base/log.h"
#include "content/appends.h"
#include "content/aside.h"
#include "content/past/base.h"
#include "content/past/chain.h"
#include "content/cut.h"
#include "content/cloud/draft.h"
#include "content/handle_int.h"
#include "content/partial.h"
#include "content/registered.h"
#include "content/room.h"
#include "content/settle.h"
#include "content/cloud/stub.h"
#include "content/witness.h"

static bool is_writer(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

/* Its writes need not come by here: what was there before is the beginning of what is there after. */
static bool only_appends(int flags)
{
	return (flags & O_ACCMODE) == O_WRONLY && (flags & O_APPEND) && !(flags & O_TRUNC);
}

/* Under passthrough the stores through a mapping of it come by nobody. */
static bool may_change_unseen(int flags)
{
	return (flags & O_ACCMODE) == O_RDWR;
}

/*
 * Bytes of versions are only in the raw file: a change has to save them first. Of a chain that nobody asked for yet it
 * is known whether it has versions at all.
 */
static bool base_due_locked(const struct inode *inode)
{
	if (inode_is_stub(inode))
		return false;
	if (inode->chain)
		return chain_is_due(inode->chain);
	return inode->version ? inode->clean_size > 0 : !inode->no_past || inode->dependants;
}

static enum open_way decide_locked(struct lake *lake, const struct inode *inode, int flags, bool slow)
{
	if (!lake->passthrough || inode->state == INODE_CACHED)
		return WAY_CACHED;
	if (!is_writer(flags))
		return WAY_PASSTHROUGH;
	if (may_change_unseen(flags) && inode->state == INODE_IDLE && base_due_locked(inode))
		return WAY_CACHED;
	if (slow || (flags & O_DIRECT))
		return WAY_PASSTHROUGH_DIRECT;
	if (only_appends(flags) || !base_due_locked(inode))
		return WAY_PASSTHROUGH;
	return WAY_PASSTHROUGH_DIRECT;
}

/* Registers the raw file with the kernel, as its owner: else anybody could eat what the disk reserves for root. */
static int register_backing(struct lake *lake, struct inode *inode, int rawfd)
{
	_cleanup_close_ int own = -1;
	struct stat st;
	int id;

	if (rawfd < 0) {
		own = rawfd = inode_open(lake, inode, O_PATH);
		if (own < 0)
			return own;
	}
	if (fstat(rawfd, &st) < 0)
		return -errno;
	caller_enter(&(struct caller){.uid = st.st_uid, .gid = st.st_gid});
	id = lake->frontend.backing_open(lake->frontend.arg, rawfd);
	caller_leave();
	return id;
}

/*
 * The file has no name any more, and its bytes are those of a listed version: whoever reached it through an old handle
 * (/proc/PID/fd) is about to change them, so that version is not kept after all.
 */
static void take_back_locked(struct inode *inode, struct record *r)
{
	cut_lose_aside(r, inode->kept_listed, "written after it was deleted");
	inode->kept_listed = 0;
}

/* The content may change from now on, only by appending to it if APPENDS; the store is told once. */
static void mark_writing_locked(struct lake *lake, struct inode *inode, const struct handle *h,
				const struct actor *actor, bool appends)
{
	struct record *r;
	uint64_t commit;

	inode->write_seq++;
	inode->writer_run = actor->run;
	inode->writer_uid = actor->caller.uid;
	appends_note_locked(inode, actor->run, appends);
	settle_watch(lake, inode);
	if (h && (h->flags & O_ACCMODE) == O_RDWR) {
		if (!inode->dirty && lake->frontend.invalidate) /* from now on attributes may go stale unseen */
			lake->frontend.invalidate(lake->frontend.arg, inode->id, false);
		inode->may_map |= h->way != WAY_CACHED;
	}
	if (inode->dirty)
		return;
	inode->dirty = true;
	if (inode_is_stub(inode)) /* its draft says so */
		return;
	r = record_new(OP_OPEN, actor->run, actor->caller.uid, inode->id, 0, NULL);
	if (!r)
		return;
	record_node_writing(r, inode->id, true);
	take_back_locked(inode, r);
	if (!store_submit(lake->store, r, &commit))
		inode_submitted(inode, commit);
}

static int access_flags(int flags)
{
	return flags & (O_ACCMODE | O_NOATIME | O_SYNC | O_DSYNC);
}

/* Counts the handle in, or says IS_STUB. With WAY_PASSTHROUGH the first one registers the file, without the lock. */
static int enter(struct lake *lake, struct inode *inode, struct handle *h, int rawfd, const struct actor *actor)
{
	SCOPED_LOCK(&inode->lock);
	int id;

	inode_wait_free_locked(inode);
	if (inode_is_stub(inode))
		return IS_STUB;
	h->way = decide_locked(lake, inode, h->flags, h->slow);
	if (h->writer && h->way == WAY_PASSTHROUGH_DIRECT && may_change_unseen(h->flags) && base_due_locked(inode))
		inode->base_unsure = h->unsure = true;
	if (h->way == WAY_CACHED) {
		inode->state = INODE_CACHED;
	} else if (inode->state == INODE_IDLE && inode->backing_id > 0) {
		inode->state = INODE_PASSTHROUGH;
	} else if (inode->state == INODE_IDLE) {
		inode->state = INODE_CHANGING;
		pthread_mutex_unlock(&inode->lock);
		id = register_backing(lake, inode, rawfd);
		pthread_mutex_lock(&inode->lock);
		inode->state = id > 0 ? INODE_PASSTHROUGH : INODE_IDLE;
		pthread_cond_broadcast(&inode->changed);
		if (id == -ESTALE || id == -ENOENT)
			return id;
		if (id <= 0) { /* out of ids or memory: this open goes without */
			log_warning("passthrough refused for node %llu: %s", (unsigned long long)inode->id,
				    strerror(-id));
			h->way = WAY_CACHED;
			inode->state = INODE_CACHED;
		} else {
			inode->backing_id = id;
		}
	}
	h->backing_id = inode->backing_id;
	h->error_seq = inode->error_seq;
	inode->handles++;
	if (h->writer)
		inode->writers++;
	h->unseen = h->writer && h->way == WAY_PASSTHROUGH && !only_appends(h->flags);
	inode->unseen += h->unseen;
	h->foreign = !h->writer && inode->dirty && inode->writer_run != actor->run;
	return 0;
}

static void count_out_locked(struct inode *inode, const struct handle *h)
{
	inode->handles--;
	inode->releases++;
	inode->writer_releases += h->writer;
	inode->unseen -= h->unseen;
	inode->writers -= h->writer;
	inode->raw_writers -= h->writer && h->fd >= 0;
	inode->closed -= h->closed;
	inode->closed_writers -= h->closed && h->writer;
	if (inode->stay.alone > inode->closed)
		inode->stay.alone = inode->closed;
	if (inode->stay.reader > inode->closed_writers)
		inode->stay.reader = inode->closed_writers;
	if (inode->stay.writer > inode->closed_writers)
		inode->stay.writer = inode->closed_writers;
}

/* Counts it out. Its registration stays, unless the file's name is gone: it would hold the disk's space. */
static void leave(struct lake *lake, struct inode *inode, struct handle *h)
{
	bool last, named;

	pthread_mutex_lock(&inode->lock);
	count_out_locked(inode, h);
	last = !inode->handles && inode->state == INODE_PASSTHROUGH;
	named = inode->name;
	if (!inode->handles)
		inode->state = INODE_IDLE;
	pthread_cond_broadcast(&inode->changed);
	pthread_mutex_unlock(&inode->lock);
	if (last && named)
		registered_keep(lake, inode);
	else if (last)
		registered_drop(lake, inode);
}

static int truncate_in_place(struct lake *lake, struct inode *inode, struct handle *h, const struct actor *actor)
{
	_cleanup_close_ int own = -1;
	int fd = h->fd, rc;

	if (fd < 0) {
		fd = own = inode_open(lake, inode, O_WRONLY);
		if (own < 0)
			return own;
	}
	inode_before_change(lake, inode, h, actor, 0, UINT64_MAX);
	rc = ftruncate(fd, 0) < 0 ? -errno : 0;
	inode_after_change(inode);
	return rc;
}

static void count_writer(struct inode *inode, int change)
{
	SCOPED_LOCK(&inode->lock);

	inode->writers += (unsigned)change;
}

/*
 * The old content goes aside if nobody else has the file. 0 done, 1 truncate in place after opening, or -errno.
 * Done: a writer is counted until the caller's handle is, or a release that is late would cut a version of the empty
 * file.
 */
static int truncate_aside(struct lake *lake, struct inode *inode, const struct actor *actor)
{
	int rc;

	if (inode_is_draft(inode)) /* that is to be a version first; if not, it is lost */
		stub_recall(lake, inode, actor->call);
	if (inode_is_stub(inode)) {
		rc = aside_truncate_stub(lake, inode, actor);
		if (!rc)
			count_writer(inode, 1);
		if (rc != -EAGAIN)
			return rc;
	}
	pthread_mutex_lock(&inode->lock);
	rc = base_due_locked(inode) || (inode->dirty && inode->name);
	pthread_mutex_unlock(&inode->lock);
	if (!rc || !handle_become_alone(lake, inode))
		return 1;
	rc = aside_truncate(lake, inode, actor);
	if (rc > 0)
		count_writer(inode, 1);
	inode_end_change(inode);
	return rc < 0 ? rc : !rc;
}

static int open_raw(struct lake *lake, struct handle *h)
{
	int fd;

	if (h->way == WAY_PASSTHROUGH)
		return 0;
	fd = inode_open(lake, h->inode, access_flags(h->flags));
	if (fd == -EPERM && (h->flags & O_NOATIME))
		fd = inode_open(lake, h->inode, access_flags(h->flags) & ~O_NOATIME);
	if (fd < 0)
		return fd;
	h->fd = fd;
	return 0;
}

void handle_count_open(struct lake *lake, struct inode *inode, const struct handle *h)
{
	atomic_fetch_add_explicit(h->way == WAY_PASSTHROUGH	     ? &lake->counters.opens_passthrough
				  : h->way == WAY_PASSTHROUGH_DIRECT ? &lake->counters.opens_direct
								     : &lake->counters.opens_cached,
				  1, memory_order_relaxed);
	if (!h->writer) {
		SCOPED_LOCK(&inode->lock);

		inode->opens++;
		appends_note_reader_locked(inode);
	}
}

/* Counts H in and makes it usable, or says IS_STUB. IN_PLACE: O_TRUNC, and the old content could not go aside. H is
 * taken. */
static int finish_open(struct lake *lake, struct handle *h, int pathfd, bool in_place, const struct actor *actor)
{
	struct inode *inode = h->inode;
	int rc;

	handle_meet_writers(lake, h, in_place, only_appends(h->flags), actor);
	rc = enter(lake, inode, h, pathfd, actor);
	if (rc) {
		if (h->fd >= 0)
			close(h->fd);
		free(h);
		return rc;
	}
	inode_ref(lake, inode);
	rc = h->fd < 0 ? open_raw(lake, h) : 0;
	if (!rc && h->writer) {
		SCOPED_LOCK(&inode->lock);

		inode->raw_writers += h->fd >= 0;
		mark_writing_locked(lake, inode, h, actor, only_appends(h->flags));
		h->write_seq = inode->write_seq;
	}
	if (!rc && h->foreign)
		partial_cut(lake, inode, PARTIAL_READ); /* if not, it is read all the same */
	if (!rc && h->unsure)
		rc = base_note_unsure(lake, inode);
	if (!rc && in_place)
		rc = truncate_in_place(lake, inode, h, actor);
	if (rc < 0) {
		handle_close(lake, h);
		return rc;
	}
	handle_count_open(lake, inode, h);
	witness_open(lake, h, actor);
	return 0;
}

struct handle *handle_new(struct lake *lake, struct inode *inode, int flags, int openfd)
{
	struct handle *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->flags = flags;
	h->writer = is_writer(flags);
	h->slow = h->writer && (atomic_load(&lake->space_short) || room_is_near(lake, inode->volume));
	h->fd = openfd;
	h->inode = inode;
	/* under passthrough, or where others can write, pages cached before may be stale */
	h->keep_cache = !lake->passthrough && lake->in_place && inode->volume->index == 0;
	return h;
}

/*
 * A base that is kept whole costs its writer nothing more. A reflink is had for nothing; a copy is made where else the
 * base would be unsure.
 */
static void keep_whole(struct lake *lake, struct inode *inode, int flags)
{
	struct chain *c;
	bool due, unseen;

	pthread_mutex_lock(&inode->lock);
	due = base_due_locked(inode);
	unseen = lake->passthrough && may_change_unseen(flags) && inode->state == INODE_PASSTHROUGH && inode->handles;
	pthread_mutex_unlock(&inode->lock);
	if (!due || !base_is_wanted(lake, inode) || chain_of(lake, inode, &c) < 0)
		return;
	chain_save_whole(lake, inode, c, unseen); /* if not, there are other ways */
	chain_unref(c);
}

static int open_file(struct lake *lake, struct inode *inode, int flags, const struct actor *actor, struct handle **out)
{
	struct handle *h = handle_new(lake, inode, flags, -1);
	bool truncates, aside;
	int rc = 0;

	if (!h)
		return -ENOMEM;
	truncates = (flags & O_TRUNC) && h->writer;
	if (truncates)
		rc = truncate_aside(lake, inode, actor);
	if (rc < 0) {
		free(h);
		return rc;
	}
	if (h->writer && !only_appends(flags) && (!truncates || rc))
		keep_whole(lake, inode, flags);
	*out = h;
	aside = truncates && !rc;
	rc = finish_open(lake, h, -1, rc, actor);
	if (aside) {
		count_writer(inode, -1);
		if (rc)
			inode_settle(lake, inode);
	}
	return rc;
}

int handle_open(struct lake *lake, struct inode *inode, int flags, const struct actor *actor, struct handle **out)
{
	int rc;

	do
		rc = inode_is_stub(inode) && !((flags & O_TRUNC) && is_writer(flags))
			     ? handle_open_stub(lake, inode, flags, actor, out)
			     : open_file(lake, inode, flags, actor, out);
	while (rc == IS_STUB);
	return rc;
}

int handle_open_new(struct lake *lake, struct inode *inode, int flags, int pathfd, int openfd,
		    const struct actor *actor, struct handle **out)
{
	struct handle *h = handle_new(lake, inode, flags & ~O_TRUNC, openfd);

	if (!h) {
		if (openfd >= 0)
			close(openfd);
		return -ENOMEM;
	}
	*out = h;
	return finish_open(lake, h, pathfd, false, actor);
}

/*
 * What ext4 does after a truncation: the new bytes go out soon, so that a power loss does not leave an empty file.
 * Asked by the last writer before it leaves: who wants the file alone then waits for the descriptor, which would deny a
 * lease.
 */
static bool hold_for_writeback(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	if (!inode->flush_at_close || inode->writers > 1)
		return false;
	inode->flush_at_close = false;
	inode->holders++;
	return true;
}

static void start_writeback(struct lake *lake, struct inode *inode)
{
	int fd = inode_open(lake, inode, O_RDONLY);

	if (fd >= 0) {
		sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		close(fd);
	}
	SCOPED_LOCK(&inode->lock);
	inode->holders--;
	pthread_cond_broadcast(&inode->changed);
}

void handle_close(struct lake *lake, struct handle *h)
{
	struct inode *inode = h->inode;
	bool writeback = h->writer && hold_for_writeback(inode);

	if (h->writer && (h->flags & O_DSYNC)) /* all that it wrote is on the disk: the version to be cut shall know */
		inode_sync_content(lake, inode, h);
	else if (h->writer)
		handle_keep_draft(h);
	close_after_replies(h->fd);
	leave(lake, inode, h);
	if (h->recall)
		handle_close_cloud(lake, h);
	if (writeback)
		start_writeback(lake, inode);
	if (h->writer)
		inode_settle(lake, inode);
	inode_unref(lake, inode);
	free(h);
}

void handle_flush(struct handle *h)
{
	SCOPED_LOCK(&h->inode->lock);

	if (h->closed)
		return;
	h->closed = true;
	h->inode->closed++;
	h->inode->closed_writers += h->writer;
}

void inode_before_change(struct lake *lake, struct inode *inode, const struct handle *h, const struct actor *actor,
			 uint64_t from, uint64_t to)
{
	bool due;

	pthread_mutex_lock(&inode->lock);
	inode_wait_free_locked(inode);
	inode->changing++;
	inode->changes++;
	/*
	 * Closed by one of several descriptors, before what was cut then: that was not the end of it. But a shell's `>`
	 * closes one before it writes at all.
	 */
	if (h && h->closed && h->write_seq <= inode->provisional_seq)
		inode->provisional = false;
	if (!inode->written || !inode->dirty)
		mark_writing_locked(lake, inode, NULL, actor, from >= inode->clean_size);
	else if (from < inode->clean_size)
		appends_note_locked(inode, actor->run, false);
	inode->written = true;
	due = base_due_locked(inode);
	pthread_mutex_unlock(&inode->lock);
	if (due)
		base_save(lake, inode, from, to);
}
