#include <errno.h>
#include <limits.h>
#include <linux/limits.h>
#include <stdlib.h>

#include "fuse/ops.h"

static void reply_attr(fuse_req_t req, int rc, const struct stat *st, double timeout)
{
	if (rc < 0)
		ops_reply_error(req, rc);
	else
		fuse_reply_attr(req, st, timeout);
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	double timeout = 0;
	struct stat st;
	int rc = ns_get_attributes(ops_lake(req), ops_node(req, ino), &st, &timeout);

	(void)fi;
	reply_attr(req, rc, &st, timeout);
}

static unsigned what_to_set(int to_set)
{
	static const struct {
		int fuse;
		unsigned ns;
	} map[] = {
		{FUSE_SET_ATTR_MODE, NS_SET_MODE},
		{FUSE_SET_ATTR_UID, NS_SET_UID},
		{FUSE_SET_ATTR_GID, NS_SET_GID},
		{FUSE_SET_ATTR_SIZE, NS_SET_SIZE},
		{FUSE_SET_ATTR_ATIME, NS_SET_ATIME},
		{FUSE_SET_ATTR_MTIME, NS_SET_MTIME},
		{FUSE_SET_ATTR_ATIME_NOW, NS_SET_ATIME_NOW},
		{FUSE_SET_ATTR_MTIME_NOW, NS_SET_MTIME_NOW},
	};
	unsigned set = 0;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (to_set & map[i].fuse)
			set |= map[i].ns;
	return set;
}

/* A change of attributes; of the size, too, of a file whose bytes have to come first. */
struct set_attributes {
	struct lake *lake;
	uint64_t ino;
	struct stat want, st;
	unsigned set;
	struct open_file *f;
	struct actor actor;
	double timeout;
};

static int set_attributes(void *arg, const struct tier_call *call)
{
	struct set_attributes *a = arg;

	a->actor.call = call;
	return ns_set_attributes(a->lake, a->ino, &a->want, a->set, a->f ? open_file_handle(a->f) : NULL, &a->actor,
				 &a->st, &a->timeout);
}

static void reply_set(fuse_req_t req, void *arg, int rc)
{
	struct set_attributes *a = arg;

	if (a->f)
		order_before_reply(a->f);
	reply_attr(req, rc, &a->st, a->timeout);
	free(a);
}

void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
	struct set_attributes *a = malloc(sizeof(*a));

	if (!a) {
		ops_reply_error(req, -ENOMEM);
		return;
	}
	*a = (struct set_attributes){.lake = ops_lake(req),
				     .ino = ino,
				     .want = *attr,
				     .set = what_to_set(to_set),
				     .f = ops_file(fi),
				     .actor = ops_actor(req)};
	if ((a->set & NS_SET_SIZE) && (attr->st_size || ns_ends_draft(a->lake)) && ns_waits(a->lake, ino))
		ops_wait(req, &(struct wait){.wait = set_attributes, .reply = reply_set, .arg = a});
	else
		reply_set(req, a, set_attributes(a, NULL));
}

void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char target[PATH_MAX + 1];
	int rc = ns_read_link(ops_lake(req), ops_node(req, ino), target, sizeof(target));

	if (rc < 0)
		ops_reply_error(req, rc);
	else
		fuse_reply_readlink(req, target);
}

static void reply_xattr(fuse_req_t req, int rc, const char *value, size_t size)
{
	if (rc < 0)
		ops_reply_error(req, rc);
	else if (!size)
		fuse_reply_xattr(req, (size_t)rc);
	else
		fuse_reply_buf(req, value, (size_t)rc);
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	char *value = size ? malloc(size) : NULL;

	if (size && !value)
		ops_reply_error(req, -ENOMEM);
	else
		reply_xattr(req, ns_get_xattr(ops_lake(req), ops_node(req, ino), name, value, size), value, size);
	free(value);
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	char *names = size ? malloc(size) : NULL;

	if (size && !names)
		ops_reply_error(req, -ENOMEM);
	else
		reply_xattr(req, ns_list_xattrs(ops_lake(req), ops_node(req, ino), names, size), names, size);
	free(names);
}

void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	struct actor actor = ops_actor(req);

	ops_reply_error(req, ns_set_xattr(ops_lake(req), ino, name, value, size, flags, &actor));
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct actor actor = ops_actor(req);

	ops_reply_error(req, ns_remove_xattr(ops_lake(req), ino, name, &actor));
}

void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs fs;
	int rc = ns_stat_fs(ops_lake(req), ops_node(req, ino), &fs);

	if (rc < 0)
		ops_reply_error(req, rc);
	else
		fuse_reply_statfs(req, &fs);
}
