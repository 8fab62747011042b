/*
 * fsync: the content, then the folder if the name moved, then the record.
 */
#include <fcntl.h>

#include "base/cleanup.h"
#include "content/cloud/draft.h"
#include "content/durable.h"
#include "content/handle.h"
#include "content/cloud/stub.h"

static int sync_folder(struct lake *lake, struct inode *folder)
{
	_cleanup_close_ int fd = inode_open(lake, folder, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd == -ESTALE ? 0 : fd; /* removed since */
	return fsync(fd) < 0 ? -errno : 0;
}

static int sync_raw(struct lake *lake, struct inode *inode, struct handle *h, bool data_only)
{
	_cleanup_close_ int own = -1;
	int fd = h ? h->fd : -1;

	if (fd < 0) {
		fd = own = inode_open(lake, inode, O_RDONLY);
		if (own == -EACCES) /* an ordinary user's write-only file */
			fd = own = inode_open(lake, inode, O_WRONLY);
		if (own < 0)
			return own;
	}
	return (data_only ? fdatasync(fd) : fsync(fd)) < 0 ? -errno : 0;
}

/* A write-back error is told once to every handle that was open when it was found. */
static int tell_error(struct inode *inode, struct handle *h, int rc)
{
	SCOPED_LOCK(&inode->lock);

	if (rc == -EIO || rc == -ENOSPC || rc == -EDQUOT) {
		inode->write_error = rc;
		inode->error_seq++;
	}
	if (h && h->error_seq != inode->error_seq) {
		h->error_seq = inode->error_seq;
		return inode->write_error;
	}
	return rc;
}

/* Its bytes are durable where they are, and what was written since… */
static int sync_stub(struct inode *inode, struct handle *h)
{
	struct draft *d = draft_of(inode);
	int rc = d ? tell_error(inode, h, draft_sync(d)) : 0;

	draft_unref(d);
	return rc;
}

/*
 * The content, and that it is durable: the commit to wait for in *COMMIT, or 0. ST is from before: what is written
 * meanwhile has a later time.
 */
static int sync_content(struct lake *lake, struct inode *inode, struct handle *h, bool data_only, uint64_t *commit)
{
	bool file = inode->kind == KIND_FILE;
	struct stat st;
	int rc;

	*commit = 0;
	if (inode_is_stub(inode))
		return sync_stub(inode, h);
	rc = file ? inode_stat(lake, inode, &st) : 0;

	if (rc == -ESTALE)
		file = false;
	else if (rc < 0)
		return rc;
	rc = tell_error(inode, h, sync_raw(lake, inode, h, data_only));
	*commit = rc < 0 || !file ? 0 : durable_synced(lake, inode, &st);
	return rc;
}

void inode_sync_content(struct lake *lake, struct inode *inode, struct handle *h)
{
	uint64_t commit;

	sync_content(lake, inode, h, true, &commit);
}

int inode_sync(struct lake *lake, struct inode *inode, struct handle *h, bool data_only)
{
	char name[NAME_BYTES + 1];
	struct inode *parent;
	uint64_t commit, told;
	bool moved;
	int rc;

	rc = sync_content(lake, inode, h, data_only, &told);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&inode->lock);
	moved = inode->moved;
	inode->moved = false;
	pthread_mutex_unlock(&inode->lock);
	commit = atomic_load(&inode->commit);
	commit = told > commit ? told : commit;
	parent = moved ? inode_parent(lake, inode, name) : NULL;
	if (parent) {
		rc = sync_folder(lake, parent);
		inode_unref(lake, parent);
	}
	if (rc < 0) {
		SCOPED_LOCK(&inode->lock);

		inode->moved = true;
		return rc;
	}
	return commit ? store_sync(lake->store, commit) : 0;
}
