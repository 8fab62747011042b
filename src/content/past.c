#include "content/past.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "content/packs.h"

struct past {
	uint64_t version, size;
	int fd; /* the file that the bytes lie in; -1: the version is empty, or packed */
	struct pack_object *packed;
	struct stat st; /* of that when it was opened */
	/* of a live version; else NULL */
	struct lake *lake;
	struct inode *inode; /* with a reference */
	unsigned write_seq;
};

/* ---- may it be read ---- */

/* The live file is this version still, and nobody can be writing it. */
static bool live_is_whole(struct lake *lake, const struct version_row *v)
{
	struct inode *inode = inode_find(lake, v->node);
	bool whole;

	if (!inode)
		return true; /* nobody has it open */
	pthread_mutex_lock(&inode->lock);
	whole = inode->version == v->id && !inode->writers && !inode->may_map && !inode->written && !inode->base_lost;
	pthread_mutex_unlock(&inode->lock);
	inode_unref(lake, inode);
	return whole;
}

bool version_is_readable(struct lake *lake, const struct version_row *v)
{
	return v->settled && (v->state == VERSION_KEPT ||
			      (v->state == VERSION_LIVE && (v->how == HOW_PACKED || live_is_whole(lake, v))));
}

/* ---- opening ---- */

static int open_kept(struct lake *lake, const struct version_row *v, struct past *p)
{
	struct volume *volume = lake_volume(lake, v->volume);
	char name[VERSION_NAME_MAX];

	if (!v->size)
		return 0;
	if (!volume)
		return -EIO; /* its disk is not there now */
	version_name(v->node, v->id, name);
	p->fd = openat(volume->versionsfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (p->fd < 0 || fstat(p->fd, &p->st) < 0)
		return -errno;
	return (uint64_t)p->st.st_size == v->size ? 0 : -EIO;
}

/* A live version whose inode is not in memory: nobody has it open, and its path leads to it. */
static int live_inode(struct lake *lake, const struct version_row *v, struct inode **out)
{
	struct node_row row;
	int rc;

	*out = inode_find(lake, v->node);
	if (*out)
		return 0;
	rc = store_node(lake->store, v->node, &row);
	return rc ? rc : inode_get(lake, &row, NULL, NULL, NULL, out, NULL);
}

static int open_live(struct lake *lake, const struct version_row *v, struct past *p)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	int rc = live_inode(lake, v, &p->inode);

	if (rc)
		return rc;
	p->fd = inode_open(lake, p->inode, O_RDONLY);
	if (p->fd == -ESTALE && !store_path(lake->store, v->node, &path)) {
		p->fd = openat(lake->buckets_fd, buf_str(&path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		p->fd = p->fd < 0 ? -errno : p->fd;
	}
	if (p->fd < 0 || fstat(p->fd, &p->st) < 0)
		return p->fd < 0 ? p->fd : -errno;
	SCOPED_LOCK(&p->inode->lock);
	p->write_seq = p->inode->write_seq;
	return p->inode->version == v->id && inode_is_clean_locked(p->inode, &p->st) ? 0 : -ENOENT;
}

static int open_by_how(struct lake *lake, const struct version_row *v, struct past *p)
{
	if (v->how == HOW_PACKED && v->size)
		return pack_open(lake, v->sha256, &p->packed);
	return v->state == VERSION_LIVE ? open_live(lake, v, p) : open_kept(lake, v, p);
}

/* What lay in a file of its own when V was looked up may be packed by now. */
static int open_now(struct lake *lake, const struct version_row *v, struct past *p)
{
	struct version_row now;
	int rc = store_version(lake->store, v->id, &now);

	if (rc < 0)
		return rc;
	return now.how != v->how && version_is_readable(lake, &now) ? open_by_how(lake, &now, p) : -ENOENT;
}

int past_open(struct lake *lake, const struct version_row *v, struct past **out)
{
	struct past *p;
	int rc;

	if (!version_is_readable(lake, v))
		return -ENOENT;
	p = malloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	*p = (struct past){.version = v->id, .size = v->size, .fd = -1, .lake = lake};
	rc = open_by_how(lake, v, p);
	if (rc == -ENOENT)
		rc = open_now(lake, v, p);
	if (rc < 0) {
		past_close(p);
		return rc;
	}
	*out = p;
	return 0;
}

void past_close(struct past *p)
{
	if (!p)
		return;
	if (p->fd >= 0)
		close(p->fd);
	inode_unref(p->lake, p->inode);
	pack_object_close(p->packed);
	free(p);
}

/* ---- reading ---- */

/* After reading: are the bytes that were read the version's? */
static bool is_unchanged(struct past *p)
{
	struct stat now;

	if (fstat(p->fd, &now) < 0 || now.st_size != p->st.st_size || stat_mtime(&now) != stat_mtime(&p->st))
		return false;
	if (!p->inode)
		return true;
	SCOPED_LOCK(&p->inode->lock);
	return p->inode->version == p->version && p->inode->write_seq == p->write_seq;
}

static ssize_t read_full(int fd, void *to, size_t len, off_t at)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)to + done, len - done, at + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO; /* the file is shorter than it was */
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t past_read(struct past *p, void *to, size_t len, off_t at)
{
	ssize_t n;

	if (at < 0)
		return -EINVAL;
	if ((uint64_t)at >= p->size)
		return 0;
	if (len > p->size - (uint64_t)at)
		len = p->size - (uint64_t)at;
	if (p->packed)
		return pack_object_read(p->packed, to, len, (uint64_t)at);
	n = read_full(p->fd, to, len, at);
	return n < 0 || is_unchanged(p) ? n : -EIO;
}

uint64_t past_size(const struct past *p)
{
	return p->size;
}

int past_fd(const struct past *p)
{
	return p->inode ? -1 : p->fd;
}

int past_attributes_fd(const struct past *p)
{
	return p->fd;
}
