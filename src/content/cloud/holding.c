#include "content/cloud/holding.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "content/reach.h"

/* Who read a file last is the users' business: atime stays, where that is allowed. */
static int open_raw(struct lake *lake, struct inode *inode)
{
	int fd = inode_open(lake, inode, O_RDONLY | O_NOATIME);

	return fd == -EPERM ? inode_open(lake, inode, O_RDONLY) : fd;
}

static int hold(struct holding *h, struct inode *inode, uint64_t version)
{
	SCOPED_LOCK(&inode->lock);

	if (inode->dirty || inode->writers)
		return -EBUSY;
	if (inode->version != version || !inode->name)
		return -ESTALE;
	if (inode->state == INODE_CHANGING || inode->frozen || inode->wanted)
		return -EAGAIN;
	inode->holders++;
	*h = (struct holding){.inode = inode, .version = version, .write_seq = inode->write_seq, .fd = -1};
	return 0;
}

static bool is_clean(struct holding *h)
{
	SCOPED_LOCK(&h->inode->lock);

	return (uint64_t)h->st.st_size == h->inode->clean_size && stat_mtime(&h->st) == h->inode->clean_mtime;
}

int holding_begin(struct lake *lake, uint64_t node, uint64_t version, struct holding *out)
{
	struct holding h = {.fd = -1};
	struct inode *inode;
	int rc = reach_node(lake, node, &inode);

	*out = h;
	if (rc < 0)
		return rc == -ENOENT || rc == -ENOTDIR ? -ESTALE : rc;
	rc = hold(&h, inode, version);
	if (rc < 0) {
		inode_unref(lake, inode);
		return rc;
	}
	h.fd = open_raw(lake, inode);
	if (h.fd < 0)
		rc = h.fd;
	else if (fstat(h.fd, &h.st) < 0)
		rc = -errno;
	else if (!S_ISREG(h.st.st_mode) || !is_clean(&h))
		rc = -ESTALE;
	if (rc < 0)
		holding_end(lake, &h);
	else
		*out = h;
	return rc;
}

bool holding_is_wanted(struct holding *h)
{
	SCOPED_LOCK(&h->inode->lock);

	return h->inode->wanted;
}

bool holding_end(struct lake *lake, struct holding *h)
{
	struct inode *inode = h->inode;
	struct stat after;
	bool same;

	if (!inode)
		return false;
	same = h->fd >= 0 && fstat(h->fd, &after) == 0 && after.st_size == h->st.st_size &&
	       stat_mtime(&after) == stat_mtime(&h->st);
	if (h->fd >= 0)
		close(h->fd);
	pthread_mutex_lock(&inode->lock);
	inode->holders--;
	same = same && inode->write_seq == h->write_seq && inode->version == h->version && !inode->dirty;
	pthread_cond_broadcast(&inode->changed);
	pthread_mutex_unlock(&inode->lock);
	inode_unref(lake, inode);
	*h = (struct holding){.fd = -1};
	return same;
}
