#include <errno.h>
#include <stdlib.h>

#include "fuse/ops.h"

static struct listing *listing_of(const struct fuse_file_info *fi)
{
	return ops_handle(fi);
}

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct lake *lake = ops_lake(req);
	struct listing *l;
	bool keep;
	int rc = ns_open_folder(lake, ops_node(req, ino), &l);

	if (rc < 0) {
		ops_reply_error(req, rc);
		return;
	}
	fi->fh = (uintptr_t)l;
	fi->cache_readdir = ns_folder_is_cached(lake, l, &keep);
	fi->keep_cache = fi->cache_readdir && keep;
	ops_handle_done(fi);
	if (fuse_reply_open(req, fi) < 0)
		ns_release_folder(lake, l);
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	ns_release_folder(ops_lake(req), listing_of(fi));
	fuse_reply_err(req, 0);
}

struct page {
	fuse_req_t req;
	char *bytes;
	size_t used, room;
	bool plus;
};

static int add_entry(void *arg, const char *name, const struct ns_entry *e, off_t next)
{
	struct page *p = arg;
	struct fuse_entry_param param;
	size_t room = p->room - p->used, need;

	if (p->plus) {
		param = ops_entry_param(e);
		need = fuse_add_direntry_plus(p->req, p->bytes + p->used, room, name, &param, next);
	} else {
		need = fuse_add_direntry(p->req, p->bytes + p->used, room, name, &e->st, next);
	}
	if (need > room)
		return -ENOSPC;
	p->used += need;
	return 0;
}

static void list(fuse_req_t req, size_t size, off_t offset, struct fuse_file_info *fi, bool plus)
{
	struct actor actor = ops_caller(req);
	struct page p = {.req = req, .bytes = malloc(size), .room = size, .plus = plus};
	int rc = -ENOMEM;

	if (p.bytes)
		rc = ns_list(ops_lake(req), listing_of(fi), offset, plus, &actor, add_entry, &p);
	ops_handle_done(fi);
	/* entries that were added count as looked up, so they have to reach the kernel also when a later one failed */
	if (rc < 0 && !p.used)
		ops_reply_error(req, rc);
	else
		fuse_reply_buf(req, p.bytes, p.used);
	free(p.bytes);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	(void)ino;
	list(req, size, offset, fi, false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	(void)ino;
	list(req, size, offset, fi, true);
}

void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi)
{
	(void)data_only;
	(void)fi;
	ops_reply_error(req, ns_fsync_folder(ops_lake(req), ops_node(req, ino)));
}
