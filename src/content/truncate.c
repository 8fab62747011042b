/* truncate(2) and ftruncate(2): the size of a file that is there, or of a stub. */
#include <fcntl.h>

#include "base/cleanup.h"
#include "content/aside.h"
#include "content/cloud/draft.h"
#include "content/handle.h"
#include "content/settle.h"
#include "content/cloud/stub.h"

static int truncate_file(struct lake *lake, struct inode *inode, struct handle *h, off_t size,
			 const struct actor *actor)
{
	_cleanup_close_ int own = -1;
	int fd = h ? h->fd : -1, rc;

	inode_before_change(lake, inode, h, actor, (uint64_t)size, UINT64_MAX);
	if (fd < 0)
		fd = own = inode_open(lake, inode, O_WRONLY); /* now that nobody can put another file in its place */
	rc = fd < 0 ? fd : ftruncate(fd, size) < 0 ? -errno : 0;
	inode_after_change(inode);
	return rc;
}

/* It counts as a writer from here on, so that nothing is cut, nor evicted, meanwhile. False: it is a stub. */
static bool begin_truncation(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	inode_wait_free_locked(inode);
	if (inode_is_stub(inode))
		return false;
	inode->writers++;
	return true;
}

static void end_truncation(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	inode->writers--;
}

int inode_truncate(struct lake *lake, struct inode *inode, struct handle *h, off_t size, const struct actor *actor)
{
	int rc = 0;

	if (!h)
		inode_settle_closed(lake, inode, false);
	while (!begin_truncation(inode)) {
		if (!size && inode_is_draft(inode)) /* that is to be a version first; if not, it is lost */
			stub_recall(lake, inode, actor->call);
		rc = size ? stub_recall(lake, inode, actor->call) : aside_truncate_stub(lake, inode, actor);
		if (rc < 0 && rc != -EAGAIN)
			return rc;
	}
	rc = truncate_file(lake, inode, h, size, actor);
	end_truncation(inode);
	return rc;
}
