/*
 * The whole product, composed layer by layer: the lake and its store, recovery after a crash, the mount, background
 * work, the control socket, signals. Taken down in the opposite order.
 */
#include "cli/daemon/daemon.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/caller.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "cli/daemon/daemon_control.h"
#include "content/durable.h"
#include "content/recover.h"
#include "ns/publish/publish.h"
#include "work/quality.h"
#include "work/work.h"

struct daemon {
	struct daemon_state state; /* what the control socket sees; the first member */
	pthread_mutex_t live_lock; /* one at a time mounts the lake as it is */
	struct control *control;
	pthread_t signals;
	bool have_signals;
};

static void open_log(const struct daemon_options *o)
{
	_cleanup_buf_ struct buf file = BUF_INIT;

	log_set_level(o->debug ? LOG_LEVEL_DEBUG : o->settings->log_level);
	if (o->foreground)
		return;
	if (o->settings->log_path)
		buf_addf(&file, "%s", o->settings->log_path);
	else
		buf_addf(&file, "%s/logs", o->lake);
	mkdir(buf_str(&file), 0700);
	buf_adds(&file, "/tarn.log");
	if (log_open(buf_str(&file)) < 0)
		log_warning("%s: cannot be opened: %s", buf_str(&file), strerror(errno));
}

/* As many descriptors as may be had: a cached open holds one. */
static void raise_limits(void)
{
	struct rlimit files;

	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static void *handle_signals(void *arg)
{
	struct daemon *d = arg;
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR2);
	while (!sigwait(&set, &signal)) {
		if (atomic_load(&d->state.ending))
			break;
		if (signal == SIGHUP) {
			log_reopen();
			daemon_reload(&d->state, NULL);
		} else if (signal != SIGUSR2) {
			log_info("signal %d: unmounting", signal);
			daemon_mounts_end(&d->state.mounts);
		}
	}
	return NULL;
}

static int start_signals(struct daemon *d)
{
	int rc = pthread_create(&d->signals, NULL, handle_signals, d);

	d->have_signals = !rc;
	return -rc;
}

/* Before any thread: all of them leave these signals to the one that waits for them. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN); /* an open broke a lease; it is given up within microseconds anyway */
}

/* ---- mounting ---- */

static int add_mount(struct daemon_state *state, const struct daemon_options *o, struct buf *error)
{
	_cleanup_buf_ struct buf in_place = BUF_INIT;
	struct session_options so = {
		.mountpoint = o->mountpoint,
		.passthrough = o->passthrough,
		.allow_other = o->allow_other,
		.read_only = o->read_only,
		.debug = o->debug,
		.more = o->mount_options,
		.view = o->view,
		.stubs = o->stubs,
	};

	buf_addf(&in_place, "%s/buckets", o->lake);
	if (buf_error(&in_place))
		return -ENOMEM;
	if (!so.mountpoint)
		so.mountpoint = buf_str(&in_place);
	return daemon_mounts_add(&state->mounts, &so, error);
}

static bool has_live(struct daemon_mounts *m)
{
	SCOPED_LOCK(&m->lock);

	return m->live;
}

/* The lake as it is, with all that works in the background. */
static int mount_live(struct daemon *d, const struct daemon_options *o, struct buf *error)
{
	SCOPED_LOCK(&d->live_lock);
	struct lake *lake = d->state.lake;
	struct work *work = NULL;
	int rc;

	if (has_live(&d->state.mounts))
		return -EBUSY;
	lake->in_place = !o->mountpoint;
	lake->read_only = o->read_only;
	ns_set_synth(o->synth == DAEMON_SYNTH_VISIBLE ? SYNTH_VISIBLE
		     : o->synth == DAEMON_SYNTH_OFF   ? SYNTH_OFF
						      : SYNTH_HIDDEN);
	rc = add_mount(&d->state, o, error);
	if (!rc)
		rc = work_start(lake, &work);
	atomic_store(&d->state.work, work);
	if (!rc && !o->read_only)
		rc = quality_renew(lake, NULL);
	if (!rc)
		rc = lake_queue_unsettled(lake);
	return rc;
}

int daemon_mount(struct daemon_state *state, const struct daemon_options *o, struct buf *error)
{
	return o->view ? add_mount(state, o, error) : mount_live((struct daemon *)state, o, error);
}

/* ---- life ---- */

int daemon_begin_lake(struct lake *lake, struct buf *error)
{
	int rc;

	if (ns_publish_recover(lake) < 0)
		log_error("%s: a publication that was under way could not be ended; its names may be in either folder",
			  lake->path);
	rc = durable_begin(lake);
	if (!rc && lake_must_recover(lake)) {
		log_info("%s was not unmounted cleanly: recovering", lake->path);
		rc = lake_recover(lake);
	}
	if (rc < 0)
		buf_addf(error, "%s: recovery failed: %s", lake->path, strerror(-rc));
	return rc < 0 ? rc : 0;
}

static int open_lake(struct daemon *d, struct buf *error)
{
	const struct daemon_options *o = d->state.options;
	int rc = lake_open(o->lake, settings_ref(o->settings), &d->state.lake, error);

	if (rc < 0)
		return rc;
	d->state.mounts.lake = d->state.lake;
	daemon_load_tables(d->state.lake, NULL);
	d->state.lake->in_place = !o->mountpoint;
	d->state.lake->read_only = o->read_only || o->view;
	return daemon_begin_lake(d->state.lake, error);
}

static int set_up(struct daemon *d, struct buf *error)
{
	int rc = open_lake(d, error);

	if (!rc)
		rc = start_signals(d);
	if (!rc)
		rc = daemon_mount(&d->state, d->state.options, error);
	if (!rc)
		rc = control_start(d->state.lake->fd, daemon_answer, &d->state, &d->control);
	return rc;
}

/* What nobody asks for any more goes in the opposite order. */
static int take_down(struct daemon *d)
{
	int rc = 0;

	daemon_mounts_end(&d->state.mounts);
	atomic_store(&d->state.ending, true);
	if (d->have_signals) {
		pthread_kill(d->signals, SIGUSR2);
		pthread_join(d->signals, NULL);
	}
	control_stop(d->control);
	daemon_mounts_join(&d->state.mounts);
	if (d->state.lake)
		ns_release_all(d->state.lake);
	work_stop(atomic_load(&d->state.work));
	daemon_mounts_free(&d->state.mounts);
	if (d->state.lake)
		rc = lake_close(d->state.lake);
	return rc;
}

int daemon_run(const struct daemon_options *o, int ready_fd)
{
	_cleanup_buf_ struct buf error = BUF_INIT;
	struct daemon d = {.state = {.options = o}, .live_lock = PTHREAD_MUTEX_INITIALIZER};
	int rc, closed;

	daemon_mounts_init(&d.state.mounts);
	open_log(o);
	raise_limits();
	umask(0);
	if (caller_prepare_process() < 0)
		log_info("without the privileges to act for other users: all files belong to uid %u",
			 (unsigned)geteuid());
	block_signals();
	rc = set_up(&d, &error);
	daemon_ready(o, ready_fd, !rc ? NULL : error.len ? buf_str(&error) : strerror(-rc));
	if (!rc)
		daemon_mounts_wait(&d.state.mounts);
	closed = take_down(&d);
	if (!rc)
		log_info("%s is unmounted", o->lake);
	return rc ? rc : closed;
}
