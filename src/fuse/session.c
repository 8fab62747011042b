#include "fuse/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/unmount.h"
#include "fuse/notify.h"
#include "fuse/ops.h"
#include "fuse/passthrough.h"
#include "fuse/waiting.h"

#define MAX_WRITE (1u << 20)
#define THREADS 10
#define BACKGROUND 64 /* releases and read-ahead under way at once */

struct session {
	struct served served; /* the first member: requests carry a pointer to it */
	struct frontend front;
	struct lake *lake;
	bool view;
	struct fuse_session *se;
	struct notifier *notifier;
	char *mountpoint;
	pthread_t runner;
	atomic_bool running, ended;
	bool wanted; /* passthrough */
	char passthrough[160];
};

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	static const unsigned wanted[] = {
		FUSE_CAP_ATOMIC_O_TRUNC, FUSE_CAP_DONT_MASK,	    FUSE_CAP_POSIX_ACL,	     FUSE_CAP_PARALLEL_DIROPS,
		FUSE_CAP_ASYNC_READ,	 FUSE_CAP_SPLICE_READ,	    FUSE_CAP_SPLICE_WRITE,   FUSE_CAP_SPLICE_MOVE,
		FUSE_CAP_READDIRPLUS,	 FUSE_CAP_READDIRPLUS_AUTO, FUSE_CAP_CACHE_SYMLINKS, FUSE_CAP_ASYNC_DIO,
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		conn_want(conn, wanted[i], true);
	/* pages are dropped by tarn itself when a file changed unseen */
	conn_want(conn, FUSE_CAP_AUTO_INVAL_DATA, false);
	conn_want(conn, FUSE_CAP_WRITEBACK_CACHE, false);
	conn->max_write = MAX_WRITE;
	conn->max_readahead = MAX_WRITE;
	conn->max_background = BACKGROUND;
	conn->time_gran = 1;
	passthrough_init(&((struct served *)userdata)->passthrough, conn);
}

static const struct fuse_lowlevel_ops ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.open = op_open,
	.read = op_read,
	.flush = op_flush,
	.release = op_release,
	.fsync = op_fsync,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.releasedir = op_releasedir,
	.fsyncdir = op_fsyncdir,
	.statfs = op_statfs,
	.setxattr = op_setxattr,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.removexattr = op_removexattr,
	.create = op_create,
	.write_buf = op_write_buf,
	.fallocate = op_fallocate,
	.readdirplus = op_readdirplus,
	.copy_file_range = op_copy_file_range,
	.lseek = op_lseek,
#if LIBFUSE_HAS_PASSTHROUGH
	.tmpfile = op_tmpfile,
#endif
};

/* A view's mount is read-only, also when somebody remounts it otherwise. */
static const struct fuse_lowlevel_ops view_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.readlink = op_readlink,
	.open = op_open,
	.read = op_read,
	.release = op_release,
	.fsync = op_fsync,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.releasedir = op_releasedir,
	.fsyncdir = op_fsyncdir,
	.statfs = op_statfs,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.readdirplus = op_readdirplus,
	.lseek = op_lseek,
};

/* ---- what content asks of the front end ---- */

static int backing_open(void *arg, int fd)
{
	struct session *s = arg;

	return passthrough_offered(&s->served.passthrough) ? passthrough_register(s->se, fd) : -EOPNOTSUPP;
}

static void backing_close(void *arg, int id)
{
	passthrough_unregister(((struct session *)arg)->se, id);
}

static void invalidate(void *arg, uint64_t node, bool data)
{
	struct session *s = arg;

	if (s->notifier)
		notify_inode(s->notifier, node, data);
}

static void write_back(void *arg, uint64_t node)
{
	struct session *s = arg;

	if (s->notifier)
		notify_write_back(s->notifier, node);
}

static void wait_notices(void *arg)
{
	struct session *s = arg;

	if (s->notifier)
		notify_wait(s->notifier);
}

static void invalidate_entry(void *arg, uint64_t parent, const char *name)
{
	struct session *s = arg;

	if (s->notifier)
		notify_entry(s->notifier, parent, name);
}

static void flush(void *arg)
{
	struct session *s = arg;

	if (s->notifier)
		notify_flush(s->notifier);
}

/* ---- life ---- */

static int add_options(struct fuse_args *args, struct lake *lake, const struct session_options *o)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_adds(&b, "fsname=");
	for (const char *p = lake->path; *p; p++) { /* libfuse splits at commas */
		if (*p == ',' || *p == '\\')
			buf_addc(&b, '\\');
		buf_addc(&b, *p);
	}
	buf_addf(&b, ",subtype=%s,default_permissions", o->view ? "tarn-view" : "tarn");
	if (o->allow_other)
		buf_adds(&b, ",allow_other");
	if (o->read_only || o->view)
		buf_adds(&b, ",ro");
	if (o->more && *o->more)
		buf_addf(&b, ",%s", o->more);
	if (buf_error(&b) || fuse_opt_add_arg(args, "tarn") || fuse_opt_add_arg(args, "-o") ||
	    fuse_opt_add_arg(args, buf_str(&b)))
		return -ENOMEM;
	return o->debug && fuse_opt_add_arg(args, "-d") ? -ENOMEM : 0;
}

static int mount_session(struct session *s, const struct session_options *o, struct buf *error)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	int rc = add_options(&args, s->lake, o);

	if (!rc) {
		s->se = fuse_session_new(&args, o->view ? &view_ops : &ops, sizeof(ops), &s->served);
		rc = s->se ? 0 : -EINVAL;
	}
	fuse_opt_free_args(&args);
	if (rc < 0) {
		buf_addf(error, "%s: libfuse refused the mount options", o->mountpoint);
		return rc;
	}
	if (fuse_session_mount(s->se, o->mountpoint) < 0) {
		buf_addf(error, "%s: cannot be mounted (is fuse3 installed, and may this user write to the folder?)",
			 o->mountpoint);
		return -EIO;
	}
	return passthrough_attach(&s->served.passthrough, s->se, s->lake->settings->passthrough_stack_depth,
				  o->passthrough);
}

static int find_root(struct session *s, const struct session_options *o, struct buf *error)
{
	int rc = 0;

	s->served.root = NODE_ROOT;
	if (o->view)
		rc = ns_past_root(s->lake, o->view, &s->front, &s->served.root);
	if (rc == -ENOENT)
		buf_addf(error, "view=%s: no such time, label or commit in the lake's past", o->view);
	return rc;
}

int session_mount(struct lake *lake, const struct session_options *o, struct session **out, struct buf *error)
{
	struct session *s = calloc(1, sizeof(*s));
	int rc = -ENOMEM;

	if (!s || !(s->mountpoint = strdup(o->mountpoint)))
		goto fail;
	s->lake = s->served.lake = lake;
	s->wanted = o->passthrough;
	s->view = o->view;
	s->front = (struct frontend){.arg = s,
				     .stubs = o->stubs,
				     .backing_open = backing_open,
				     .backing_close = backing_close,
				     .invalidate = invalidate,
				     .write_back = write_back,
				     .wait_notices = wait_notices,
				     .invalidate_entry = invalidate_entry,
				     .flush = flush};
	snprintf(s->passthrough, sizeof(s->passthrough), "no: not known yet");
	rc = find_root(s, o, error);
	if (!rc)
		rc = waiting_new(&s->served.waiting);
	if (!rc)
		rc = mount_session(s, o, error);
	if (!rc)
		rc = notifier_start(s->se, &s->notifier);
	if (rc < 0)
		goto fail;
	if (!s->view)
		lake->frontend = s->front;
	*out = s;
	return 0;
fail:
	if (!error->len)
		buf_addf(error, "%s: %s", o->mountpoint, strerror(-rc));
	session_free(s);
	return rc;
}

static void wake(int signal)
{
	(void)signal;
}

int session_run(struct session *s)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	struct sigaction action = {.sa_handler = wake};
	int rc;

	if (!config)
		return -ENOMEM;
	sigaction(SIGUSR1, &action, NULL); /* session_end() interrupts the wait for the loop's end */
	fuse_loop_cfg_set_clone_fd(config, 0);
	fuse_loop_cfg_set_max_threads(config, THREADS);
	fuse_loop_cfg_set_idle_threads(config, THREADS);
	s->runner = pthread_self();
	atomic_store(&s->running, true);
	rc = fuse_session_loop_mt(s->se, config);
	atomic_store(&s->running, false);
	atomic_store(&s->ended, true);
	fuse_loop_cfg_destroy(config);
	return rc > 0 ? 0 : rc;
}

static void probe_passthrough(struct session *s)
{
	_cleanup_close_ int fd = -1;
	int id;

	if (!s->wanted) {
		snprintf(s->passthrough, sizeof(s->passthrough), "no: switched off");
		return;
	}
	if (!passthrough_offered(&s->served.passthrough)) {
		snprintf(s->passthrough, sizeof(s->passthrough),
			 "no: the kernel does not offer it (Linux 6.9 or newer does)");
		return;
	}
	fd = openat(s->lake->fd, "config/settings.yaml", O_RDONLY | O_CLOEXEC);
	id = fd < 0 ? -errno : passthrough_register(s->se, fd);
	if (id > 0) {
		passthrough_unregister(s->se, id);
		if (!s->view)
			atomic_store(&s->lake->passthrough, true);
		snprintf(s->passthrough, sizeof(s->passthrough), "yes, %s", passthrough_way);
	} else if (id == -EPERM) {
		snprintf(s->passthrough, sizeof(s->passthrough),
			 "no: it needs the capability CAP_SYS_ADMIN (mount as root)");
	} else if (id == -ELOOP) {
		snprintf(s->passthrough, sizeof(s->passthrough),
			 "no: the lake lies on a stacked file system; set storage.passthrough_stack_depth to 2");
	} else {
		snprintf(s->passthrough, sizeof(s->passthrough), "no: %s", strerror(-id));
	}
}

int session_probe(struct session *s)
{
	struct stat st;

	if (stat(s->mountpoint, &st) < 0)
		return -errno;
	probe_passthrough(s);
	return 0;
}

const char *session_passthrough(struct session *s)
{
	return s->passthrough;
}

void session_end(struct session *s)
{
	unmount(s->mountpoint, true);
	fuse_session_exit(s->se);
	for (int i = 0; i < 100 && !atomic_load(&s->ended); i++) {
		if (atomic_load(&s->running))
			pthread_kill(s->runner, SIGUSR1);
		usleep(50000);
	}
}

void session_free(struct session *s)
{
	if (!s)
		return;
	waiting_free(s->served.waiting);
	if (s->view)
		ns_drop_front(s->lake, &s->front);
	notifier_stop(s->notifier);
	if (s->se) {
		fuse_session_unmount(s->se);
		fuse_session_destroy(s->se);
	}
	free(s->mountpoint);
	free(s);
}
