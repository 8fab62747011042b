#include "content/folder.h"

#include <fcntl.h>
#include <stdatomic.h>

#include "base/cleanup.h"
#include "content/lake.h"

#define FOLDERS_OPEN 512

struct folder_fd {
	int fd;
	atomic_int refs;
};

void folder_cache_init(struct folder_cache *c)
{
	pthread_mutex_init(&c->lock, NULL);
}

void folder_put(struct folder_fd *f)
{
	if (!f || atomic_fetch_sub(&f->refs, 1) != 1)
		return;
	close(f->fd);
	free(f);
}

int folder_fd(const struct folder_fd *f)
{
	return f->fd;
}

static void unlink_locked(struct folder_cache *c, struct inode *inode)
{
	if (inode->folder_prev)
		inode->folder_prev->folder_next = inode->folder_next;
	else
		c->newest = inode->folder_next;
	if (inode->folder_next)
		inode->folder_next->folder_prev = inode->folder_prev;
	else
		c->oldest = inode->folder_prev;
	inode->folder_next = inode->folder_prev = NULL;
	c->n--;
}

static void link_locked(struct folder_cache *c, struct inode *inode)
{
	inode->folder_next = c->newest;
	if (c->newest)
		c->newest->folder_prev = inode;
	else
		c->oldest = inode;
	c->newest = inode;
	c->n++;
}

/* Takes INODE's descriptor out of the cache; the caller puts it. */
static struct folder_fd *remove_locked(struct folder_cache *c, struct inode *inode)
{
	struct folder_fd *f = inode->folder;

	if (f) {
		unlink_locked(c, inode);
		inode->folder = NULL;
	}
	return f;
}

void folder_cache_forget(struct folder_cache *c, struct inode *inode)
{
	SCOPED_LOCK(&c->lock);

	folder_put(remove_locked(c, inode));
}

void folder_cache_drop(struct folder_cache *c)
{
	SCOPED_LOCK(&c->lock);

	while (c->oldest)
		folder_put(remove_locked(c, c->oldest));
}

static struct folder_fd *cached(struct folder_cache *c, struct inode *inode)
{
	SCOPED_LOCK(&c->lock);

	if (!inode->folder)
		return NULL;
	if (c->newest != inode) {
		unlink_locked(c, inode);
		link_locked(c, inode);
	}
	atomic_fetch_add(&inode->folder->refs, 1);
	return inode->folder;
}

int folder_get(struct lake *lake, struct inode *folder, struct folder_fd **out)
{
	struct folder_cache *c = inode_folders(lake);
	struct folder_fd *f = cached(c, folder);
	int fd;

	if (f) {
		*out = f;
		return 0;
	}
	if (folder->kind != KIND_FOLDER)
		return -ENOTDIR;
	fd = inode_open(lake, folder, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	f = malloc(sizeof(*f));
	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	f->fd = fd;
	atomic_init(&f->refs, 1);

	pthread_mutex_lock(&c->lock);
	if (!folder->folder) { /* else another thread was faster; this one is used once */
		atomic_fetch_add(&f->refs, 1);
		folder->folder = f;
		link_locked(c, folder);
		if (c->n > FOLDERS_OPEN)
			folder_put(remove_locked(c, c->oldest));
	}
	pthread_mutex_unlock(&c->lock);
	*out = f;
	return 0;
}
