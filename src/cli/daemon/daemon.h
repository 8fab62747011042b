/*
 * The daemon: the process behind a mount. `tarn mount` checks everything that can be checked before, forks, and calls
 * daemon_run() in the child (in the same process with -f). cli/daemon/daemon.c composes the layers there.
 */
#ifndef TARN_CLI_DAEMON_DAEMON_H
#define TARN_CLI_DAEMON_DAEMON_H

#include <stdbool.h>

#include "config/settings.h"
#include "content/lake.h"

enum daemon_synth {
	DAEMON_SYNTH_HIDDEN,  /* .catalog and @v are found by name, and not listed */
	DAEMON_SYNTH_VISIBLE, /* .catalog is listed at the root */
	DAEMON_SYNTH_OFF
};

struct daemon_options {
	const char *lake;	   /* absolute, no trailing slash, symlinks resolved */
	const char *mountpoint;	   /* likewise; NULL: in place, over LAKE/buckets */
	struct settings *settings; /* the caller's reference; take another to keep it */
	int lock_fd;		   /* the lake's lock, held (cli/lock.h). Keep it open to the very end: who waits for
				      the daemon's end waits for this lock */
	bool foreground;	   /* -f: log to standard error */
	bool debug;		   /* libfuse's debug output */
	bool read_only;
	bool passthrough; /* may be used where the kernel has it */
	bool allow_other;
	enum daemon_synth synth;
	enum stubs_use stubs;	   /* -o stubs= */
	const char *view;	   /* -o view=: the lake as it was, at MOUNTPOINT; NULL: as it is */
	const char *mount_options; /* more for libfuse, a comma list such as "noexec,noatime"; "" when there are none */
};

/*
 * Mounts and serves until the lake is unmounted or a signal ends it; everything is written and closed then. 0 or
 * -errno. Calls daemon_ready() once, when the mount answers or has failed.
 */
int daemon_run(const struct daemon_options *o, int ready_fd);

struct lake;
/* What was under way when a lake that was opened was last closed, or not, is ended before it is changed. 0, or -errno
 * with a line for the user in ERROR. */
int daemon_begin_lake(struct lake *lake, struct buf *error);

/*
 * Tells the waiting `tarn mount` that the mount answers (ERROR NULL), or why it does not, closes READY_FD, and when
 * not in the foreground leaves standard error behind (what was written there before, `tarn mount` shows). With -f
 * under systemd (Type=notify) it reports there too.
 */
void daemon_ready(const struct daemon_options *o, int ready_fd, const char *error);

#endif
