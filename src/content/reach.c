#include "content/reach.h"

#include <string.h>

#include "base/cleanup.h"
#include "content/outside.h"

/* In memory, and it has a name there. */
static struct inode *find_named(struct lake *lake, uint64_t node)
{
	struct inode *inode = inode_find(lake, node);
	bool named;

	if (!inode)
		return NULL;
	pthread_mutex_lock(&inode->lock);
	named = inode->name || inode->id == NODE_ROOT;
	pthread_mutex_unlock(&inode->lock);
	if (named)
		return inode;
	inode_unref(lake, inode);
	return NULL;
}

static int step(struct lake *lake, struct inode *folder, const char *name, struct inode **out)
{
	_cleanup_folder_ struct folder_fd *fd = NULL;
	struct stat st;
	int rc = folder_get(lake, folder, &fd);

	return rc < 0 ? rc : outside_look_up(lake, folder, folder_fd(fd), name, out, &st);
}

/* PATH is cut up. */
static int walk(struct lake *lake, char *path, struct inode **out)
{
	struct inode *at = inode_find(lake, NODE_ROOT), *next;
	char *save, *name;
	int rc = at ? 0 : -ENOENT;

	for (name = strtok_r(path, "/", &save); name && !rc; name = strtok_r(NULL, "/", &save)) {
		rc = step(lake, at, name, &next);
		inode_unref(lake, at);
		at = rc < 0 ? NULL : next;
	}
	*out = at;
	return rc;
}

int reach_node(struct lake *lake, uint64_t node, struct inode **out)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	int rc;

	*out = find_named(lake, node);
	if (*out)
		return 0;
	rc = store_path(lake->store, node, &path);
	if (!rc && !path.len)
		rc = -ENOENT;
	if (!rc)
		rc = walk(lake, path.data, out);
	if (!rc && (*out)->id != node) { /* something else lies there by now */
		inode_unref(lake, *out);
		*out = NULL;
		rc = -ENOENT;
	}
	return rc;
}

struct volume *reach_volume(struct lake *lake, int index)
{
	SCOPED_LOCK(&lake->buckets_lock);

	return lake_volume(lake, index);
}
