/*
 * The whole product, composed layer by layer: the lake and its store, recovery after a crash, the mount, background
 * work, the control socket, signals. Taken down in the opposite order.
 */
#include "cli/daemon.h"

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
#include "cli/daemon_control.h"
#include "content/recover.h"
#include "ns/publish.h"
#include "work/work.h"

struct daemon {
	struct daemon_state state; /* what the control socket sees */
	int ready_fd;
	struct work *work;
	struct control *control;
	pthread_t signals, starter;
	bool have_signals, have_starter;
	atomic_bool ending;
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
		if (atomic_load(&d->ending))
			break;
		if (signal == SIGHUP) {
			log_reopen();
			daemon_reload(&d->state, NULL);
		} else if (signal != SIGUSR2) {
			log_info("signal %d: unmounting", signal);
			session_end(d->state.session);
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

/* While session_run() serves: waits for the first answer, then starts what works in the background. */
static void *start_up(void *arg)
{
	struct daemon *d = arg;
	const struct daemon_options *o = d->state.options;
	struct lake *lake = d->state.lake;
	char error[512];
	int rc = session_probe(d->state.session);

	if (!rc)
		rc = work_start(lake, &d->work);
	if (!rc)
		rc = lake_queue_unsettled(lake);
	if (!rc)
		rc = control_start(lake->fd, daemon_answer, &d->state, &d->control);
	if (rc < 0) {
		snprintf(error, sizeof(error), "%s: the mount does not answer: %s", d->state.mountpoint, strerror(-rc));
		daemon_ready(o, d->ready_fd, error);
		session_end(d->state.session);
		return NULL;
	}
	log_info("%s is mounted at %s; passthrough: %s", lake->path, d->state.mountpoint,
		 session_passthrough(d->state.session));
	daemon_ready(o, d->ready_fd, NULL);
	return NULL;
}

static int set_up(struct daemon *d, struct buf *error)
{
	const struct daemon_options *o = d->state.options;
	const struct session_options so = {
		.mountpoint = d->state.mountpoint,
		.passthrough = o->passthrough,
		.allow_other = o->allow_other,
		.read_only = o->read_only,
		.debug = o->debug,
		.more = o->mount_options,
	};
	int rc = lake_open(o->lake, settings_ref(o->settings), &d->state.lake, error);

	if (rc < 0)
		return rc;
	d->state.lake->in_place = !o->mountpoint;
	d->state.lake->read_only = o->read_only;
	if (ns_publish_recover(d->state.lake) < 0)
		log_error("%s: a publication that was under way could not be ended; its names may be in either folder",
			  o->lake);
	if (lake_must_recover(d->state.lake)) {
		log_info("%s was not unmounted cleanly: recovering", o->lake);
		rc = lake_recover(d->state.lake);
		if (rc < 0) {
			buf_addf(error, "%s: recovery failed: %s", o->lake, strerror(-rc));
			return rc;
		}
	}
	ns_set_synth(o->synth == DAEMON_SYNTH_VISIBLE ? SYNTH_VISIBLE
		     : o->synth == DAEMON_SYNTH_OFF   ? SYNTH_OFF
						      : SYNTH_HIDDEN);
	return session_mount(d->state.lake, &so, &d->state.session, error);
}

static int take_down(struct daemon *d)
{
	int rc = 0;

	atomic_store(&d->ending, true);
	if (d->have_starter)
		pthread_join(d->starter, NULL);
	if (d->have_signals) {
		pthread_kill(d->signals, SIGUSR2);
		pthread_join(d->signals, NULL);
	}
	control_stop(d->control);
	if (d->state.session)
		ns_release_all(d->state.lake);
	if (d->work)
		work_stop(d->work);
	session_free(d->state.session);
	if (d->state.lake)
		rc = lake_close(d->state.lake);
	return rc;
}

int daemon_run(const struct daemon_options *o, int ready_fd)
{
	_cleanup_buf_ struct buf error = BUF_INIT, in_place = BUF_INIT;
	struct daemon d = {.state = {.options = o}, .ready_fd = ready_fd};
	int rc, closed;

	buf_addf(&in_place, "%s/buckets", o->lake);
	d.state.mountpoint = o->mountpoint ? o->mountpoint : buf_str(&in_place);
	open_log(o);
	raise_limits();
	umask(0);
	if (caller_prepare_process() < 0)
		log_info("without the privileges to act for other users: all files belong to uid %u",
			 (unsigned)geteuid());
	block_signals();
	rc = set_up(&d, &error);
	if (!rc)
		rc = start_signals(&d);
	if (!rc)
		rc = -pthread_create(&d.starter, NULL, start_up, &d);
	if (rc < 0) {
		daemon_ready(o, ready_fd, error.len ? buf_str(&error) : strerror(-rc));
		take_down(&d);
		return rc;
	}
	d.have_starter = true;
	rc = session_run(d.state.session);
	closed = take_down(&d);
	log_info("%s is unmounted", o->lake);
	return rc ? rc : closed;
}
