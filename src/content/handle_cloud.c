/* Handles of stubs that are read while their bytes come: nobody waits for all of a large file. */
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content/handle_int.h"
#include "content/recall_version.h"
#include "content/stub.h"

bool handle_reads_cloud(struct lake *lake, struct inode *inode, int flags)
{
	struct stat st;
	uint64_t version;

	if ((flags & O_ACCMODE) != O_RDONLY)
		return false;
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
	return 0;
}

int handle_open_cloud(struct lake *lake, struct inode *inode, int flags, struct handle **out)
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
	inode_ref(lake, inode);
	handle_count_open(lake, inode, h);
	*out = h;
	return 0;
}

static bool may_return(struct handle *h)
{
	SCOPED_LOCK(&h->inode->lock);

	return inode_is_stub(h->inode) && h->inode->version == h->version && h->inode->name;
}

void handle_close_cloud(struct lake *lake, struct handle *h)
{
	struct record *r;

	if (recall_is_whole(h->recall) && may_return(h)) {
		r = record_new(OP_SYSTEM, RUN_TARN, 0, h->inode->id, 0, NULL);
		if (r) {
			record_job_add(r, JOB_RECALL, h->inode->id, clock_wall());
			store_submit(lake->store, r, NULL); /* if not, it comes back some other time */
		}
	}
	recall_close(h->recall);
}
