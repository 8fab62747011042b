#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "content/recall/recall.h"
#include "content/witness.h"
#include "fuse/ops.h"
#include "fuse/passthrough.h"

/* How the kernel is to use the file, in the reply to OPEN and CREATE. */
static void describe(struct open_file *f, struct fuse_file_info *fi)
{
	const struct handle *h = open_file_handle(f);

	fi->fh = (uintptr_t)f;
	/* close() has nothing to report, but it tells that a release is on its way (content/handle.c) */
	fi->noflush = !h;
	fi->keep_cache = open_file_keeps_cache(f);
	if (h && h->way != WAY_CACHED)
		passthrough_set(fi, h->backing_id, h->way == WAY_PASSTHROUGH_DIRECT);
	if (open_file_view_backing(f))
		passthrough_set(fi, open_file_view_backing(f), false);
	ops_handle_done(fi);
}

static void reply_opened(fuse_req_t req, int rc, struct open_file *f, struct fuse_file_info *fi)
{
	if (rc < 0) {
		ops_reply_error(req, rc);
		return;
	}
	describe(f, fi);
	if (fuse_reply_open(req, fi) < 0) /* interrupted: no release will come */
		ns_release(ops_lake(req), f);
}

/* An open of a file whose bytes have to come first. */
struct late_open {
	struct lake *lake;
	uint64_t ino;
	struct actor actor;
	struct fuse_file_info fi;
	struct open_file *f;
};

static int open_late(void *arg, const struct tier_call *call)
{
	struct late_open *o = arg;

	o->actor.call = call;
	return ns_open(o->lake, o->ino, o->fi.flags, &o->actor, &o->f);
}

static void reply_open_late(fuse_req_t req, void *arg, int rc)
{
	struct late_open *o = arg;

	reply_opened(req, rc, o->f, &o->fi);
	free(o);
}

static bool empties(int flags)
{
	return (flags & O_TRUNC) && (flags & O_ACCMODE) != O_RDONLY;
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	bool reads = (fi->flags & O_ACCMODE) == O_RDONLY && !(fi->flags & O_TRUNC);
	struct actor actor = reads ? ops_reader(req) : ops_actor(req);
	struct lake *lake = ops_lake(req);
	bool waits = (!empties(fi->flags) || ns_ends_draft(lake)) && ns_waits(lake, ino);
	struct late_open *late = waits ? malloc(sizeof(*late)) : NULL;
	struct open_file *f = NULL;
	int rc;

	if (late) {
		*late = (struct late_open){.lake = lake, .ino = ino, .actor = actor, .fi = *fi};
		ops_wait(req, &(struct wait){.wait = open_late, .reply = reply_open_late, .arg = late});
		return;
	}
	rc = ns_open(lake, ino, fi->flags, &actor, &f);
	reply_opened(req, rc, f, fi);
}

static void reply_created(fuse_req_t req, int rc, const struct ns_entry *e, struct handle *h, struct fuse_file_info *fi)
{
	struct lake *lake = ops_lake(req);
	struct fuse_entry_param param;
	struct open_file *f = NULL;

	if (!rc && !(f = open_file_of(lake, h))) {
		handle_close(lake, h);
		ns_forget(lake, e->ino, 1);
		rc = -ENOMEM;
	}
	if (rc < 0) {
		ops_reply_error(req, rc);
		return;
	}
	describe(f, fi);
	param = ops_entry_param(e);
	if (fuse_reply_create(req, &param, fi) < 0) {
		ns_release(lake, f);
		ns_forget(lake, e->ino, 1);
	}
}

void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct actor actor = ops_actor(req);
	struct handle *h = NULL;
	struct ns_entry e = {0};
	int rc = ns_create(ops_lake(req), parent, name, mode, fi->flags, &actor, &e, &h);

	reply_created(req, rc, &e, h, fi);
}

void op_tmpfile(fuse_req_t req, fuse_ino_t parent, mode_t mode, struct fuse_file_info *fi)
{
	struct actor actor = ops_actor(req);
	struct handle *h = NULL;
	struct ns_entry e = {0};
	int rc = ns_tmpfile(ops_lake(req), parent, mode, fi->flags, &actor, &e, &h);

	reply_created(req, rc, &e, h, fi);
}

void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *h = open_file_handle(ops_file(fi));
	struct actor caller = ops_caller(req);

	(void)ino;
	if (h) {
		witness_close(ops_lake(req), h, &caller.caller);
		handle_flush(h);
	}
	ops_handle_done(fi);
	fuse_reply_err(req, 0);
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	ns_release(ops_lake(req), ops_file(fi));
	fuse_reply_err(req, 0);
}

/* A version's bytes are checked before they go out. */
static void reply_from_view(fuse_req_t req, struct open_file *f, size_t size, off_t offset)
{
	char *bytes = malloc(size);
	ssize_t n = bytes ? ns_read_view(f, bytes, size, offset) : -ENOMEM;

	order_before_reply(f);
	if (n < 0)
		ops_reply_error(req, (int)n);
	else
		fuse_reply_buf(req, bytes, (size_t)n);
	free(bytes);
}

static void reply_from_file(fuse_req_t req, int fd, size_t size, off_t offset)
{
	struct fuse_bufvec buf = FUSE_BUFVEC_INIT(size);

	buf.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	buf.buf[0].fd = fd;
	buf.buf[0].pos = offset;
	fuse_reply_data(req, &buf, FUSE_BUF_SPLICE_MOVE);
}

/* What came may have been given up again before it is held: then it comes once more. */
static void reply_from_recall(fuse_req_t req, struct open_file *f, struct recall *r, size_t size, off_t offset)
{
	int rc = 0;

	recall_hold(r);
	while (!rc && !recall_has(r, (uint64_t)offset, size)) {
		recall_let_go(r);
		rc = ns_want(ops_lake(req), f, offset, size, NULL);
		recall_hold(r);
	}
	order_before_reply(f);
	if (rc < 0)
		ops_reply_error(req, rc);
	else
		reply_from_file(req, recall_fd(r), size, offset);
	recall_let_go(r);
}

static void reply_bytes(fuse_req_t req, struct open_file *f, size_t size, off_t offset)
{
	struct recall *r = open_file_recall(f);
	int fd = r ? -1 : open_file_view_fd(f);

	if (r) {
		reply_from_recall(req, f, r, size, offset);
		return;
	}
	if (fd < 0 && !open_file_handle(f)) {
		reply_from_view(req, f, size, offset);
		return;
	}
	if (fd < 0)
		fd = open_file_fd(ops_lake(req), f);
	order_before_reply(f);
	if (fd < 0) {
		ops_reply_error(req, fd);
		return;
	}
	reply_from_file(req, fd, size, offset);
}

/* A read of what is not here yet. */
struct late_read {
	struct lake *lake;
	struct open_file *f;
	size_t size;
	off_t offset;
	char *bytes; /* of a stub that was written: these, N of them; else NULL */
	size_t n;
};

/* -ENOENT: it is none. */
static int read_written_stub(struct late_read *r, const struct tier_call *call)
{
	int rc;

	r->bytes = malloc(r->size);
	rc = r->bytes ? ns_read_stub(r->lake, r->f, r->bytes, r->size, r->offset, call, &r->n) : -ENOMEM;
	if (rc < 0) {
		free(r->bytes);
		r->bytes = NULL;
	}
	return rc;
}

static int wait_for_bytes(void *arg, const struct tier_call *call)
{
	struct late_read *r = arg;
	int rc;

	order_after_request(r->f);
	rc = read_written_stub(r, call);
	return rc == -ENOENT ? ns_want(r->lake, r->f, r->offset, r->size, call) : rc;
}

static void reply_late(fuse_req_t req, void *arg, int rc)
{
	struct late_read *r = arg;

	if (!rc && !r->bytes) {
		reply_bytes(req, r->f, r->size, r->offset);
	} else {
		order_before_reply(r->f);
		if (rc < 0)
			ops_reply_error(req, rc);
		else
			fuse_reply_buf(req, r->bytes, r->n);
	}
	free(r->bytes);
	free(r);
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	struct open_file *f = ops_file(fi);
	struct late_read *late;

	(void)ino;
	if (ns_has(f, offset, size)) {
		reply_bytes(req, f, size, offset);
		return;
	}
	late = malloc(sizeof(*late));
	if (!late) {
		ops_handle_done(fi);
		ops_reply_error(req, -ENOMEM);
		return;
	}
	*late = (struct late_read){.lake = ops_lake(req), .f = f, .size = size, .offset = offset};
	ops_wait(req, &(struct wait){.wait = wait_for_bytes, .reply = reply_late, .arg = late});
}

/* A write to a stub. */
struct late_write {
	struct lake *lake;
	struct open_file *f;
	struct actor actor;
	off_t offset;
	size_t size, written;
	char bytes[];
};

static int write_late(void *arg, const struct tier_call *call)
{
	struct late_write *w = arg;
	ssize_t n;

	order_after_request(w->f);
	w->actor.call = call;
	n = ns_write_stub(w->lake, w->f, &w->actor, w->bytes, w->size, w->offset);
	if (ns_make_room(w->lake, w->f, (int)n, w->size))
		n = ns_write_stub(w->lake, w->f, &w->actor, w->bytes, w->size, w->offset);
	w->written = n < 0 ? 0 : (size_t)n;
	return n < 0 ? (int)n : 0;
}

static void reply_write_late(fuse_req_t req, void *arg, int rc)
{
	struct late_write *w = arg;

	order_before_reply(w->f);
	if (rc < 0)
		ops_reply_error(req, rc);
	else
		fuse_reply_write(req, w->written);
	free(w);
}

static void write_stub(fuse_req_t req, struct fuse_bufvec *in, off_t offset, struct open_file *f)
{
	size_t size = fuse_buf_size(in);
	struct fuse_bufvec out = FUSE_BUFVEC_INIT(size);
	struct late_write *w = malloc(sizeof(*w) + size);
	ssize_t n = -ENOMEM;

	if (w) {
		*w = (struct late_write){.lake = ops_lake(req), .f = f, .actor = ops_actor(req), .offset = offset};
		out.buf[0].mem = w->bytes;
		n = fuse_buf_copy(&out, in, 0);
	}
	order_before_reply(f);
	if (n < 0) {
		free(w);
		ops_reply_error(req, (int)n);
		return;
	}
	w->size = (size_t)n;
	ops_wait(req, &(struct wait){.wait = write_late, .reply = reply_write_late, .arg = w});
}

/* What could be written of IN, and no more of it is to be; or -errno when that is nothing. */
static ssize_t write_some(struct lake *lake, struct open_file *f, const struct actor *actor, int fd,
			  struct fuse_bufvec *in, size_t size, off_t offset)
{
	struct fuse_bufvec out = FUSE_BUFVEC_INIT(size);
	ssize_t n = ns_before_write(lake, f, actor, offset, size);

	if (n < 0)
		return n;
	out.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	out.buf[0].fd = fd;
	out.buf[0].pos = offset;
	n = fuse_buf_copy(&out, in, 0);
	ns_after_write(f);
	return n;
}

#define ROOM_TRIES 3 /* others take what was made, too */

/* A mapping's pages are written back once: what there is no room for at first is not to be lost when there is some. */
static ssize_t write_all(struct lake *lake, struct open_file *f, const struct actor *actor, int fd,
			 struct fuse_bufvec *in, off_t offset)
{
	size_t size = fuse_buf_size(in), done = 0;
	int tries = 0;
	ssize_t n;

	do {
		n = write_some(lake, f, actor, fd, in, size - done, offset + (off_t)done);
		if (n > 0)
			done += (size_t)n;
	} while (n && done < size && tries++ < ROOM_TRIES &&
		 ns_make_room(lake, f, n < 0 ? (int)n : -ENOSPC, size - done));
	return done || n >= 0 ? (ssize_t)done : n;
}

void op_write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *in, off_t offset, struct fuse_file_info *fi)
{
	struct actor actor = ops_actor(req);
	struct lake *lake = ops_lake(req);
	struct open_file *f = ops_file(fi);
	ssize_t n;
	int fd;

	(void)ino;
	if (ns_writes_stub(f)) {
		write_stub(req, in, offset, f);
		return;
	}
	fd = open_file_fd(lake, f);
	n = fd < 0 ? fd : write_all(lake, f, &actor, fd, in, offset);
	ops_handle_done(fi);
	if (n < 0)
		ops_reply_error(req, (int)n);
	else
		fuse_reply_write(req, (size_t)n);
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi)
{
	int rc = ns_fsync(ops_lake(req), ino, ops_file(fi), data_only);

	if (fi)
		ops_handle_done(fi);
	ops_reply_error(req, rc);
}

/* Of a stub the bytes have to come first. */
struct late_fallocate {
	struct lake *lake;
	struct open_file *f;
	struct actor actor;
	int mode;
	off_t offset, length;
};

static int allocate(void *arg, const struct tier_call *call)
{
	struct late_fallocate *a = arg;

	order_after_request(a->f);
	a->actor.call = call;
	return ns_fallocate(a->lake, a->f, a->mode, a->offset, a->length, &a->actor);
}

static void reply_allocated(fuse_req_t req, void *arg, int rc)
{
	struct late_fallocate *a = arg;

	order_before_reply(a->f);
	ops_reply_error(req, rc);
	free(a);
}

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length, struct fuse_file_info *fi)
{
	struct late_fallocate *a = malloc(sizeof(*a));

	if (!a) {
		ops_handle_done(fi);
		ops_reply_error(req, -ENOMEM);
		return;
	}
	*a = (struct late_fallocate){.lake = ops_lake(req),
				     .f = ops_file(fi),
				     .actor = ops_actor(req),
				     .mode = mode,
				     .offset = offset,
				     .length = length};
	if (ns_waits(a->lake, ino))
		ops_wait(req, &(struct wait){.wait = allocate, .reply = reply_allocated, .arg = a});
	else
		reply_allocated(req, a, allocate(a, NULL));
}

void op_copy_file_range(fuse_req_t req, fuse_ino_t in, off_t in_offset, struct fuse_file_info *in_fi, fuse_ino_t out,
			off_t out_offset, struct fuse_file_info *out_fi, size_t length, int flags)
{
	struct actor actor = ops_actor(req);
	ssize_t n;

	(void)in;
	(void)out;
	(void)flags;
	n = ns_copy_range(ops_lake(req), ops_file(in_fi), in_offset, ops_file(out_fi), out_offset, length, &actor);
	ops_handle_done(in_fi);
	ops_handle_done(out_fi);
	if (n < 0)
		ops_reply_error(req, (int)n);
	else
		fuse_reply_write(req, (size_t)n);
}

void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *fi)
{
	off_t at = ns_seek(ops_lake(req), ops_file(fi), offset, whence);

	(void)ino;
	ops_handle_done(fi);
	if (at < 0)
		ops_reply_error(req, (int)at);
	else
		fuse_reply_lseek(req, at);
}
