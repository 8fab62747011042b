/* Handles of stubs that are read while their bytes come, and written before: nobody waits for all of a large file. */
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/cloud/draft.h"
#include "content/handle_int.h"
#include "content/recall/recall_caller.h"
#include "content/recall/recall_version.h"
#include "content/cloud/stub.h"
#include "content/witness.h"

#define SPACE_PART 8 /* of the disk is free where what was read comes back to stay */

/* What is known of who opens a stub (content/recall/recall_caller.h). */
struct reader {
	bool only_here, passes, many;
};

static struct reader reader_of(struct lake *lake, struct inode *inode, int flags, const struct actor *actor)
{
	struct reader reader = {.only_here = !recall_is_allowed(lake, &lake->frontend, actor)};
	struct stat st;

	reader.passes = reader.many = recall_is_one_of_many(lake, actor);
	if ((flags & O_ACCMODE) == O_RDONLY && !reader.only_here && !reader.passes && stub_stat(inode, &st))
		reader.passes = recall_is_over_budget(lake, actor, (uint64_t)st.st_size);
	return reader;
}

/*
 * Small ones come first: but for what has its ends here, for who reads everything, and for writers, of which touch(1)
 * writes nothing.
 */
static bool reads_as_it_comes(struct lake *lake, struct inode *inode, int flags, const struct reader *reader)
{
	struct stat st;
	uint64_t version;

	if ((flags & O_ACCMODE) != O_RDONLY)
		return !reader->only_here;
	if (reader->only_here || reader->passes)
		return true;
	pthread_mutex_lock(&inode->lock);
	version = stub_stat_locked(inode, &st) ? inode->version : 0;
	pthread_mutex_unlock(&inode->lock);
	return version && ((uint64_t)st.st_size > RECALL_SMALL || recall_has_version_ends(lake, version));
}

/* The version that INODE is the stub of now, and its recall. 0, IS_STUB or -errno. */
static int open_recall(struct lake *lake, struct inode *inode, struct handle *h)
{
	uint64_t commit = atomic_load(&inode->commit);
	struct version_row v;
	bool stub;
	int rc;

	pthread_mutex_lock(&inode->lock);
	stub = inode_is_stub(inode);
	h->version = inode->version;
	pthread_mutex_unlock(&inode->lock);
	if (!stub)
		return IS_STUB;
	rc = commit ? store_barrier(lake->store, commit) : 0;
	if (!rc)
		rc = store_version(lake->store, h->version, &v);
	if (!rc)
		rc = recall_open_version(lake, &v, &h->recall);
	return rc == -ENOENT || rc == -ENODATA ? -EIO : rc;
}

/* Counts it in, unless the inode became something else meanwhile. */
static int enter(struct inode *inode, struct handle *h)
{
	SCOPED_LOCK(&inode->lock);

	inode_wait_free_locked(inode);
	if (!inode_is_stub(inode) || inode->version != h->version)
		return IS_STUB;
	h->way = WAY_CACHED;
	h->error_seq = inode->error_seq;
	inode->state = INODE_CACHED;
	inode->handles++;
	inode->writers += h->writer;
	h->write_seq = inode->write_seq;
	return 0;
}

static int open_cloud(struct lake *lake, struct inode *inode, int flags, const struct reader *reader,
		      struct handle **out)
{
	struct handle *h = handle_new(lake, inode, flags, -1);
	int rc = h ? open_recall(lake, inode, h) : -ENOMEM;

	if (!rc)
		rc = enter(inode, h);
	if (rc) {
		if (h)
			recall_close(h->recall);
		free(h);
		return rc;
	}
	h->only_here = reader->only_here;
	h->passes = reader->passes;
	inode_ref(lake, inode);
	handle_count_open(lake, inode, h);
	*out = h;
	return 0;
}

int handle_open_stub(struct lake *lake, struct inode *inode, int flags, const struct actor *actor, struct handle **out)
{
	struct reader reader = reader_of(lake, inode, flags, actor);
	int rc;

	if (reads_as_it_comes(lake, inode, flags, &reader)) {
		rc = open_cloud(lake, inode, flags, &reader, out);
		if (!rc)
			witness_open(lake, *out, actor);
		if (!rc && reader.many && !reader.only_here && !(*out)->writer)
			recall_follow(lake, actor, inode);
		return rc;
	}
	rc = reader.only_here ? -ENODATA : stub_recall(lake, inode, actor->call);
	return rc ? rc : IS_STUB;
}

/* ---- writing ---- */

static bool is_small(struct inode *inode)
{
	struct stat st;

	return stub_stat(inode, &st) && (uint64_t)st.st_size <= recall_calls.small;
}

static ssize_t write_draft(struct lake *lake, struct handle *h, struct draft *d, const struct actor *actor,
			   const void *bytes, size_t len, uint64_t at)
{
	struct inode *inode = h->inode;
	ssize_t n = 0;

	inode_before_change(lake, inode, h, actor, at, at + len);
	if (inode_is_stub(inode)) {
		n = draft_write(d, bytes, len, at);
		n = n < 0 ? n : (ssize_t)len;
	}
	pthread_mutex_lock(&inode->lock);
	if (n > 0)
		stub_was_written_locked(inode, at, len);
	pthread_mutex_unlock(&inode->lock);
	inode_after_change(inode);
	return n;
}

ssize_t handle_write_stub(struct lake *lake, struct handle *h, const struct actor *actor, const void *bytes, size_t len,
			  uint64_t at)
{
	struct draft *d = NULL;
	ssize_t n = 0;
	int rc = 0;

	if (!handle_has_draft(h) && is_small(h->inode))
		return stub_recall(lake, h->inode, actor->call);
	while (inode_is_stub(h->inode) && !d && !rc) {
		rc = draft_begin(lake, h->inode, &d);
		rc = rc == -ESTALE ? 0 : rc; /* it changed: look again */
	}
	if (!rc && d)
		n = write_draft(lake, h, d, actor, bytes, len, at);
	draft_unref(d);
	return rc ? rc : n;
}

bool handle_has_draft(struct handle *h)
{
	struct draft *d = h->recall ? draft_of(h->inode) : NULL;

	draft_unref(d);
	return d;
}

int handle_read_stub(struct lake *lake, struct handle *h, void *to, size_t len, uint64_t at,
		     const struct tier_call *call, size_t *n)
{
	struct draft *d = h->recall ? draft_of(h->inode) : NULL;
	ssize_t got;

	if (!d)
		return -ENOENT;
	got = draft_read(d, h->recall, to, len, at, call);
	if (got == -ESTALE && !recall_find_again(lake, h->version))
		got = draft_read(d, h->recall, to, len, at, call);
	draft_unref(d);
	*n = got < 0 ? 0 : (size_t)got;
	return got == -ESTALE || got == -ENOENT ? -EIO : got < 0 ? (int)got : 0;
}

void handle_keep_draft(struct handle *h)
{
	struct draft *d = h->recall ? draft_of(h->inode) : NULL;
	int rc = d ? draft_sync(d) : 0;

	if (rc < 0)
		log_error("node %llu: what was written is not durable: %s", (unsigned long long)h->inode->id,
			  strerror(-rc));
	draft_unref(d);
}

/* ---- its end ---- */

static bool may_return(struct handle *h)
{
	SCOPED_LOCK(&h->inode->lock);

	return inode_is_stub(h->inode) && h->inode->version == h->version && h->inode->name;
}

/* Where space is short, what was read can go again sooner when it stays in cache/. */
static bool has_space(struct lake *lake, const struct handle *h)
{
	struct statvfs fs;

	return !atomic_load(&lake->space_short) && !fstatvfs(h->inode->volume->cachefd, &fs) &&
	       fs.f_bavail > fs.f_blocks / SPACE_PART;
}

void handle_close_cloud(struct lake *lake, struct handle *h)
{
	struct record *r;

	if (!h->passes && recall_is_whole(h->recall) && may_return(h) && has_space(lake, h)) {
		r = record_new(OP_SYSTEM, RUN_TARN, 0, h->inode->id, 0, NULL);
		if (r) {
			record_job_add(r, JOB_RECALL, h->inode->id, clock_wall());
			store_submit(lake->store, r, NULL); /* if not, it comes back some other time */
		}
	}
	recall_close(h->recall);
}
