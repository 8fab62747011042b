/* What the files of fuse/ share: one worker per operation, exactly one reply each. */
#ifndef TARN_FUSE_OPS_H
#define TARN_FUSE_OPS_H

#include "base/kernel_order.h"
#include "fuse/lowlevel.h"
#include "fuse/passthrough.h"
#include "fuse/waiting.h"
#include "ns/ns.h"

/* What a session serves: the user's data of its requests, and the first member of struct session. */
struct served {
	struct passthrough passthrough;
	struct lake *lake;
	uint64_t root; /* the node that is the root of the mount: NODE_ROOT, or a view's */
	struct waiting *waiting;
};

/* Who asks; its run is found out at the same time, for operations that are recorded. */
struct actor ops_actor(fuse_req_t req);
struct actor ops_reader(fuse_req_t req); /* the same of one that only reads, of which nothing is stored */
struct actor ops_caller(fuse_req_t req); /* without the run */
struct lake *ops_lake(fuse_req_t req);
/* REQ has to wait for a remote: from now on it is answered elsewhere. */
void ops_wait(fuse_req_t req, const struct wait *what);
/* The node that INO is in REQ's session, for the operations of a mount that shows a view. */
uint64_t ops_node(fuse_req_t req, fuse_ino_t ino);

/* RC is 0 or -errno. */
void ops_reply_error(fuse_req_t req, int rc);
void ops_reply_entry(fuse_req_t req, int rc, const struct ns_entry *e);
struct fuse_entry_param ops_entry_param(const struct ns_entry *e);

/* What FI's handle points to, at the start of a request about it… */
static inline void *ops_handle(const struct fuse_file_info *fi)
{
	void *p = (void *)(uintptr_t)fi->fh;

	order_after_request(p);
	return p;
}

/* … and before the reply, after its last use. */
static inline void ops_handle_done(const struct fuse_file_info *fi)
{
	order_before_reply((void *)(uintptr_t)fi->fh);
}

static inline struct open_file *ops_file(const struct fuse_file_info *fi)
{
	return fi ? ops_handle(fi) : NULL;
}

/* ops_names.c */
void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n);
void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);
void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to_parent, const char *to_name,
	       unsigned int flags);
/* ops_attributes.c */
void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi);
void op_readlink(fuse_req_t req, fuse_ino_t ino);
void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags);
void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);
void op_statfs(fuse_req_t req, fuse_ino_t ino);
/* ops_files.c */
void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi);
void op_tmpfile(fuse_req_t req, fuse_ino_t parent, mode_t mode, struct fuse_file_info *fi);
void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi);
void op_write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *in, off_t offset, struct fuse_file_info *fi);
void op_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi);
void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length, struct fuse_file_info *fi);
void op_copy_file_range(fuse_req_t req, fuse_ino_t in, off_t in_offset, struct fuse_file_info *in_fi, fuse_ino_t out,
			off_t out_offset, struct fuse_file_info *out_fi, size_t length, int flags);
void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *fi);
/* ops_folders.c */
void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi);
void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi);
void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi);

#endif
