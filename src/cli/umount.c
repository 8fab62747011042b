/*
 * tarn umount: everything is written, the mount goes, and when this returns the daemon has ended, so that the next
 * `tarn mount`, a copy of the lake or a shutdown meets nobody.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/unmount.h"
#include "cli/control.h"
#include "cli/facts.h"
#include "cli/holders.h"
#include "cli/lock.h"
#include "cli/mounts.h"
#include "cli/place.h"
#include "cli/verb_list.h"

#define DRAIN_SECONDS 600
#define LAZY_SECONDS 10 /* a daemon that hangs is what --lazy is for */
#define END_WAIT_MS 120000
#define BUSY_TRIES 5
#define BUSY_WAIT_NS (100 * NSEC_PER_MSEC)
#define HOLDERS_MAX 8
#define MOUNTS_MAX 64 /* of one lake: bind mounts of it included */

/* The lake whose mount is meant. GIVEN is the lake or its mount point, but not just any folder in it. *VIEW: the mount
 * point of a view of its past, when only that is meant. */
static int find_lake(const char *given, char **lake, char **view)
{
	_cleanup_place_ struct place p = {0};
	int rc = place_find(given, &p);

	if (rc) {
		say("%s: %s", given, strerror(-rc));
		return rc;
	}
	if (p.view && !strcmp(p.path, p.point)) {
		*lake = steal_ptr(&p.lake);
		*view = steal_ptr(&p.point);
		return 0;
	}
	if (p.lake &&
	    (!strcmp(p.path, p.lake) || (p.point && !strcmp(p.path, p.point)) || (p.inside && !p.inside[0]))) {
		*lake = steal_ptr(&p.lake);
		return 0;
	}
	if (p.lake)
		say("%s: lies in the lake %s, but is not its mount point (`tarn umount %s`)", p.path, p.lake, p.lake);
	else
		say("%s: no lake is mounted there", p.path);
	return -EINVAL;
}

/* Lets the daemon write what it has queued; it goes on serving. A daemon that is gone has nothing. */
static int drain(const char *lake, int seconds)
{
	_cleanup_json_ struct json_object *reply = NULL;
	int rc = control_ask(lake, "drain", seconds, &reply);
	const char *why = json_text(reply, "error");

	if (!rc || rc == -ENOTCONN)
		return EXIT_OK;
	if (rc == -EACCES) {
		say("%s: only its owner or root may unmount it", lake);
		return EXIT_FAILED;
	}
	say("%s: not everything could be written: %s (`tarn umount --lazy` unmounts all the same)", lake,
	    why ? why : strerror(-rc));
	return rc == -ETIMEDOUT || rc == -EAGAIN ? EXIT_TRY_AGAIN : EXIT_FAILED;
}

static void say_busy(const char *lake, const char *point)
{
	_cleanup_buf_ struct buf who = BUF_INIT;

	if (holders_describe(point, control_pid(lake), HOLDERS_MAX, &who))
		say("%s: busy: %s (close those, or --lazy)", point, buf_str(&who));
	else
		say("%s: busy: used by a process that this user cannot see (close it, or --lazy)", point);
}

static int unmount_one(const struct mount_entry *e, bool lazy)
{
	const struct timespec pause = {.tv_nsec = BUSY_WAIT_NS};
	bool detach = lazy || mount_is_dead(e);
	int rc = unmount(e->point, detach);

	/* A desktop or an indexer may be looking for a moment. */
	for (int i = 0; i < BUSY_TRIES && rc == -EBUSY; i++) {
		nanosleep(&pause, NULL);
		rc = unmount(e->point, detach);
	}
	if (!rc)
		return EXIT_OK;
	if (rc == -EBUSY)
		say_busy(e->source, e->point);
	else
		say("%s: cannot be unmounted: %s", e->point, strerror(-rc));
	return EXIT_FAILED;
}

/* All mounts of the lake, the newest first, those of its past too: a bind mount that stays would keep the daemon. */
static int unmount_all(const char *lake, bool lazy, int *n)
{
	int code = EXIT_OK;

	for (*n = 0; !code && *n < MOUNTS_MAX; (*n)++) {
		const struct mount_entry *e;
		struct mounts m;
		int rc = mounts_load(&m);

		if (rc) {
			say("/proc/self/mountinfo: %s", strerror(-rc));
			return EXIT_FAILED;
		}
		e = mounts_any_of_lake(&m, lake);
		if (e)
			code = unmount_one(e, lazy);
		mounts_release(&m);
		if (!e)
			break;
	}
	return code;
}

static int wait_for_end(const char *lake)
{
	_cleanup_close_ int lock = lake_lock(lake, END_WAIT_MS);

	if (lock != -EWOULDBLOCK)
		return EXIT_OK; /* also when this user may not look */
	say("%s: unmounted, but its daemon has not ended yet (another mount namespace may have the mount too)", lake);
	return EXIT_TRY_AGAIN;
}

static int say_not_mounted(const char *lake)
{
	_cleanup_close_ int lock = lake_lock(lake, 0);

	if (lock == -EWOULDBLOCK)
		say("%s: not mounted here, but in use (unmount it in the mount namespace, a container say, that has "
		    "it)",
		    lake);
	else
		say("%s: not mounted", lake);
	return EXIT_FAILED;
}

/* Only the view at POINT; when it was the last mount of the lake, its daemon ends, too. */
static int unmount_view(const char *lake, const char *point, bool lazy)
{
	struct mounts m;
	const struct mount_entry *e;
	bool last = false;
	int code = EXIT_FAILED;

	if (mounts_load(&m)) {
		say("/proc/self/mountinfo: %m");
		return EXIT_FAILED;
	}
	e = mounts_at(&m, point);
	if (e && mount_is_view(e))
		code = unmount_one(e, lazy);
	mounts_release(&m);
	if (!code && !mounts_load(&m)) {
		last = !mounts_any_of_lake(&m, lake);
		mounts_release(&m);
	}
	return !code && last && !lazy ? wait_for_end(lake) : code;
}

static int run_umount(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"lazy", no_argument, NULL, 'l'}, {0}};
	_cleanup_free_ char *lake = NULL, *view = NULL;
	bool lazy = false;
	int c, n, code;

	while ((c = verb_option(v, argc, argv, "l", options)) != -1)
		lazy |= c == 'l';
	verb_arguments(v, argc, argv, 1, 1);
	if (find_lake(argv[optind], &lake, &view))
		return EXIT_FAILED;
	if (view)
		return unmount_view(lake, view, lazy);
	code = drain(lake, lazy ? LAZY_SECONDS : DRAIN_SECONDS);
	if (code && !lazy)
		return code;
	code = unmount_all(lake, lazy, &n);
	if (code)
		return code;
	if (!n)
		return say_not_mounted(lake);
	return lazy ? EXIT_OK : wait_for_end(lake);
}

const struct verb verb_umount = {
	.name = "umount",
	.args = "LAKE|DIR [--lazy]",
	.summary = "write everything, unmount, wait for the end",
	.details =
		"Unmounts the lake, named by its folder or by its mount point, and all views of\n"
		"its past. What is queued is written first, and when the verb returns the daemon\n"
		"has ended. A busy mount stays, and the processes that use it are named. Given\n"
		"the mount point of a view, only that is unmounted.\n"
		"\n"
		"options:\n"
		"  -l, --lazy   detach now, end when the last file is closed; do not wait\n"
		"  -h, --help   say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn umount ~/lake\n"
		"  tarn umount /mnt/lake --lazy\n",
	.run = run_umount,
};
