/*
 * Mounting, in this order, so that what can go wrong is said by the command and not only logged by a daemon:
 *
 *	1. the settings are loaded; an error in them ends it (78)
 *	2. the lake's lock is taken; the daemon inherits it, so no two daemons ever serve one lake
 *	3. what a killed daemon left mounted is unmounted: with the lock in hand, nobody serves it
 *	4. the mount point is looked at
 *	5. the daemon is forked; it tells through a pipe when the mount answers, or why not. What libraries write to
 *	   standard error until then is caught in a memory file, and shown
 */
#include "cli/mounting.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/unmount.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/facts.h"
#include "cli/human.h"
#include "cli/lock.h"
#include "cli/mounts.h"
#include "cli/place.h"

#define DYING_TRIES 20
#define LOCK_WAIT_MS 5000 /* a daemon that is ending, a verb that changes the lake */

static int load_settings(const struct mounting *m, const char *lake, struct settings **settings)
{
	struct findings findings = {0};
	int rc;

	if (m->options.environment)
		setenv("TARN_ENV", m->options.environment, 1);
	rc = settings_load(lake, NULL, settings, &findings);
	findings_say(&findings);
	findings_release(&findings);
	if (!rc)
		return EXIT_OK;
	if (rc != -EINVAL) {
		say("%s: not mounted%s", lake, rc == -EACCES ? ": only its owner or root may mount it" : "");
		return EXIT_FAILED;
	}
	say("%s: not mounted, for its settings are wrong", lake);
	return EXIT_SETTINGS;
}

static int check_allow_other(struct mounting *m)
{
	if (m->options.allow_other < 0)
		m->options.allow_other = geteuid() == 0;
	if (!m->options.allow_other || geteuid() == 0 || fuse_conf_user_allow_other(NULL))
		return EXIT_OK;
	say("option 'allow_other': not for ordinary users here (root can add the line user_allow_other to "
	    "/etc/fuse.conf)");
	return EXIT_FAILED;
}

static int check_fuse(void)
{
	_cleanup_close_ int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return EXIT_OK;
	if (errno == EACCES || errno == EPERM)
		say("/dev/fuse: %m (it should have mode 0666; a container must be given the device)");
	else
		say("/dev/fuse: %m (`modprobe fuse` as root, or give the device to the container)");
	return EXIT_FAILED;
}

/* Another process has the lock, but no mount of the lake is alive here: it may be ending. */
static int wait_for_lock(const char *lake, int *lock)
{
	*lock = lake_lock(lake, LOCK_WAIT_MS);
	if (*lock >= 0)
		return EXIT_OK;
	say("%s: in use by another tarn process (a mount that is ending, or in another mount namespace; try again)",
	    lake);
	return EXIT_TRY_AGAIN;
}

static int say_mounted(const char *lake, const struct mount_entry *e)
{
	say("%s: already mounted on %s (`tarn umount %s` ends that)", lake, e->point, lake);
	return EXIT_FAILED;
}

/* Killed, but a thread of it is still within a system call. */
static bool is_dying(pid_t pid)
{
	char path[32], line[256] = "", *state;
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
		return false;
	state = strrchr(line, ')'); /* the name may have parentheses */
	return state && state[1] && state[2] == 'Z';
}

/*
 * A killed daemon ends in a moment, unless the kernel waits, within a call of one of its threads, for an answer that
 * only it could give (it writes back what a notification is about). Then nobody else gets one, either: its connections
 * are aborted.
 */
static void end_dying(const char *lake, const struct mounts *m)
{
	pid_t pid = control_pid(lake);
	int i;

	for (i = 0; pid && is_dying(pid) && i < DYING_TRIES; i++)
		nanosleep(&(struct timespec){.tv_nsec = 100 * NSEC_PER_MSEC}, NULL);
	for (int k = 0; i == DYING_TRIES && k < m->n; k++) {
		const struct mount_entry *e = &m->list[k];

		if ((mount_is_tarn(e) || mount_is_view(e)) && !strcmp(e->source, lake) && !mount_abort(e))
			say("%s: ended what waited for a killed daemon", e->point);
	}
}

static int take_lock(const char *lake, int *lock)
{
	const struct mount_entry *e;
	struct mounts m = {0};
	int rc, code;

	*lock = lake_lock(lake, 0);
	if (*lock >= 0)
		return EXIT_OK;
	if (*lock != -EWOULDBLOCK) {
		say("%s: %s%s", lake, strerror(-*lock),
		    *lock == -EACCES ? " (only its owner or root may mount it)" : " (`tarn doctor` may know more)");
		return EXIT_FAILED;
	}
	rc = mounts_load(&m);
	e = rc ? NULL : mounts_of_lake(&m, lake);
	if (e)
		end_dying(lake, &m);
	for (int i = 0; e && i < DYING_TRIES && !mount_is_dead(e) && !control_pid(lake); i++)
		nanosleep(&(struct timespec){.tv_nsec = 100 * NSEC_PER_MSEC},
			  NULL); /* a killed daemon is still ending */
	code = e && !mount_is_dead(e) ? say_mounted(lake, e) : wait_for_lock(lake, lock);
	mounts_release(&m);
	return code;
}

/* Also a dead mount of another lake on the very point. */
static int recover_point(const char *lake, const char *point)
{
	struct mounts m = {0};
	int rc = unmount_dead(lake), recovered = rc > 0;

	if (rc >= 0 && point && !(rc = mounts_load(&m))) {
		const struct mount_entry *e = mounts_at(&m, point);

		if (e && (mount_is_tarn(e) || mount_is_view(e)) && !strcmp(e->point, point) && mount_is_dead(e)) {
			rc = unmount(point, true);
			recovered = 1;
		}
		mounts_release(&m);
	}
	if (rc < 0) {
		say("%s: a dead mount is in the way and cannot be unmounted: %s", point ? point : lake, strerror(-rc));
		return EXIT_FAILED;
	}
	if (recovered)
		say("%s: unmounted what a killed daemon had left", point ? point : lake);
	return EXIT_OK;
}

static bool lies_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return !strncmp(path, folder, len) && (path[len] == '/' || !path[len] || !strcmp(folder, "/"));
}

/* DIR made absolute; NULL when it is the lake's own buckets/. */
static int resolve_point(const char *lake, const char *dir, char **point)
{
	_cleanup_buf_ struct buf buckets = BUF_INIT;
	int rc;

	*point = NULL;
	if (!dir)
		return EXIT_OK;
	rc = path_resolve(dir, point);
	if (rc) {
		say("%s: %s", dir, strerror(-rc));
		return EXIT_FAILED;
	}
	buf_addf(&buckets, "%s/buckets", lake);
	if (!strcmp(*point, buf_str(&buckets))) {
		free(*point);
		*point = NULL;
		return EXIT_OK;
	}
	if (lies_in(*point, lake) || lies_in(lake, *point)) {
		say("%s: a mount there would hide the lake itself (leave DIR out, or name a folder elsewhere)", *point);
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

static bool is_empty(const char *path)
{
	_cleanup_closedir_ DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			return false;
	}
	return true;
}

static int check_point(const struct mounting *m, const char *point, bool in_place)
{
	struct mounts table = {0};
	const struct mount_entry *e;
	struct stat st;
	int code = EXIT_OK;

	if (stat(point, &st) < 0) {
		say("%s: %m%s", point, errno == ENOENT ? " (make the folder first: mkdir)" : "");
		return EXIT_FAILED;
	}
	if (!S_ISDIR(st.st_mode)) {
		say("%s: not a folder", point);
		return EXIT_FAILED;
	}
	if (mounts_load(&table))
		return EXIT_OK; /* mount(2) will tell */
	e = mounts_at(&table, point);
	if (e && (mount_is_tarn(e) || mount_is_view(e)) && !strcmp(e->point, point) && !mount_is_dead(e)) {
		say("%s: the lake %s is mounted there (`tarn umount %s` first)", point, e->source, point);
		code = EXIT_FAILED;
	} else if (!in_place && !m->options.nonempty && !is_empty(point)) {
		say("%s: not empty, and what is in it would be hidden (name an empty folder, or -o nonempty)", point);
		code = EXIT_FAILED;
	}
	mounts_release(&table);
	return code;
}

/* ---- the daemon's birth ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* Standard error goes to CAUGHT until the mount answers (daemon_ready). */
static void leave_terminal(int caught)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
	}
	if (caught >= 0)
		dup2(caught, STDERR_FILENO);
	if (chdir("/") < 0)
		say("/: %m");
}

/* One line until the other side closes. An interrupt ends the daemon, and its answer says so. */
static void read_answer(int fd, pid_t daemon, struct buf *line)
{
	char part[512];
	ssize_t n;

	for (;;) {
		n = read(fd, part, sizeof(part));
		if (n > 0)
			buf_add(line, part, (size_t)n);
		else if (n == 0 || errno != EINTR)
			return;
		if (interrupted && daemon > 0) {
			kill(daemon, SIGTERM);
			interrupted = 0;
		}
	}
}

static void say_caught(int caught)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	char part[4096], *line, *rest;
	off_t at = 0;
	ssize_t n;

	while (at < 65536 && (n = pread(caught, part, sizeof(part), at)) > 0) {
		buf_add(&text, part, (size_t)n);
		at += n;
	}
	rest = text.data;
	while ((line = strsep(&rest, "\n"))) {
		if (line[0])
			say("%s", !strncmp(line, "tarn: ", 6) ? line + 6 : line);
	}
}

static int say_failure(const char *lake, pid_t daemon, const struct buf *answer)
{
	int status = 0;

	while (waitpid(daemon, &status, 0) < 0 && errno == EINTR)
		;
	if (answer->len)
		say("%s: not mounted: %.*s", lake, (int)strcspn(answer->data, "\n"), answer->data);
	else if (WIFSIGNALED(status))
		say("%s: not mounted: the daemon was ended by signal %d (%s)", lake, WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		say("%s: not mounted: the daemon ended with exit code %d", lake, WEXITSTATUS(status));
	return EXIT_FAILED;
}

static int wait_for_daemon(const struct mounting *m, const char *lake, const char *point, pid_t daemon, int fd,
			   int caught)
{
	const struct sigaction act = {.sa_handler = on_signal};
	_cleanup_buf_ struct buf answer = BUF_INIT;
	bool good;

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	read_answer(fd, daemon, &answer);
	good = !strcmp(buf_str(&answer), "ok\n");
	if (caught >= 0)
		say_caught(caught);
	if (!good)
		return say_failure(lake, daemon, &answer);
	if (!m->quiet)
		mount_report(m, lake, point);
	return EXIT_OK;
}

static int start_behind(const struct mounting *m, const struct daemon_options *o, const char *point)
{
	_cleanup_close_ int caught = memfd_create("stderr", MFD_CLOEXEC);
	int ready[2], code;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0) {
		say("pipe: %m");
		return EXIT_FAILED;
	}
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		say("fork: %m");
		close(ready[0]);
		close(ready[1]);
		return EXIT_TRY_AGAIN;
	}
	if (!pid) {
		close(ready[0]);
		leave_terminal(caught);
		exit(daemon_run(o, ready[1]) < 0 ? EXIT_FAILED : EXIT_OK);
	}
	close(ready[1]);
	code = wait_for_daemon(m, o->lake, point, pid, ready[0], caught);
	close(ready[0]);
	return code;
}

/*
 * With -f this process is the daemon. What it says once it is mounted is said by a process of its own, for looking at
 * the mount from inside the daemon would wait for itself. Its parent ends at once, so that nobody has to reap it.
 */
static void start_reporter(const struct mounting *m, const struct daemon_options *o, const char *point,
			   const int ready[2])
{
	_cleanup_buf_ struct buf answer = BUF_INIT;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (pid)
		return;
	if (fork())
		_exit(0);
	close(ready[1]);
	close(o->lock_fd);
	read_answer(ready[0], 0, &answer);
	if (!strcmp(buf_str(&answer), "ok\n") && !m->quiet)
		mount_report(m, o->lake, point);
	fflush(NULL);
	_exit(0);
}

static int start_here(const struct mounting *m, const struct daemon_options *o, const char *point)
{
	int ready[2];

	if (pipe2(ready, O_CLOEXEC) < 0) {
		say("pipe: %m");
		return EXIT_FAILED;
	}
	start_reporter(m, o, point, ready);
	close(ready[0]);
	return daemon_run(o, ready[1]) < 0 ? EXIT_FAILED : EXIT_OK;
}

static int start(const struct mounting *m, const char *lake, const char *point, struct settings *settings, int lock)
{
	_cleanup_buf_ struct buf buckets = BUF_INIT;
	const struct daemon_options o = {
		.lake = lake,
		.mountpoint = point,
		.settings = settings,
		.lock_fd = lock,
		.foreground = m->foreground,
		.debug = m->options.debug,
		.read_only = m->options.read_only,
		.passthrough = m->options.passthrough,
		.allow_other = m->options.allow_other,
		.synth = m->options.synth,
		.stubs = m->options.stubs,
		.view = m->options.view,
		.mount_options = buf_str(&m->options.for_fuse),
	};
	int code;

	buf_addf(&buckets, "%s/buckets", lake);
	if (!point)
		point = buf_str(&buckets);
	code = check_point(m, point, !o.mountpoint);
	if (code || m->fake)
		return code;
	return m->foreground ? start_here(m, &o, point) : start_behind(m, &o, point);
}

static int check_view(const struct mounting *m, const char *lake, const char *point)
{
	if (!m->options.view || point)
		return EXIT_OK;
	say("option 'view': name an empty folder for it (`tarn mount %s DIR -o view=%s`)", lake, m->options.view);
	return EXIT_USAGE;
}

/* A daemon that serves the lake already mounts it here, too. -1: there is none. */
static int ask_daemon(const struct mounting *m, const char *lake, const char *point)
{
	_cleanup_buf_ struct buf buckets = BUF_INIT;
	struct mounts table = {0};
	bool live, here;
	int code;

	if (m->fake || m->foreground || !control_pid(lake) || mounts_load(&table))
		return -1;
	live = mounts_of_lake(&table, lake);
	here = mounts_any_of_lake(&table, lake);
	mounts_release(&table);
	if (!here || (live && !m->options.view))
		return -1;
	buf_addf(&buckets, "%s/buckets", lake);
	code = check_point(m, point ? point : buf_str(&buckets), !point);
	if (!code)
		code = mounting_ask(m, lake, point);
	if (!code && !m->quiet)
		mount_report(m, lake, point ? point : buf_str(&buckets));
	return code;
}

int mounting_run(struct mounting *m, const char *given, const char *dir)
{
	_cleanup_free_ char *lake = NULL, *point = NULL;
	struct settings *settings = NULL;
	_cleanup_close_ int lock = -1;
	int code;

	if (lake_given(given, &lake))
		return EXIT_FAILED;
	code = load_settings(m, lake, &settings);
	if (!code)
		code = check_allow_other(m);
	if (!code)
		code = check_fuse();
	if (!code)
		code = resolve_point(lake, dir, &point);
	if (!code)
		code = check_view(m, lake, point);
	if (!code) {
		code = ask_daemon(m, lake, point);
		if (code < 0) {
			code = take_lock(lake, &lock);
			if (!code)
				code = recover_point(lake, point);
			if (!code)
				code = start(m, lake, point, settings, lock);
		}
	}
	if (settings)
		settings_unref(settings);
	return code;
}
