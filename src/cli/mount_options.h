/*
 * The options of `tarn mount -o` and of fstab: a comma list, of which a comma in a value is written "\,".
 */
#ifndef TARN_CLI_MOUNT_OPTIONS_H
#define TARN_CLI_MOUNT_OPTIONS_H

#include <stdbool.h>

#include "base/buf.h"
#include "cli/daemon/daemon.h"

struct mount_options {
	bool passthrough; /* passthrough=on (default) or off */
	int allow_other;  /* -1: not said; noallow_other 0, allow_other 1 */
	enum daemon_synth synth;
	enum stubs_use stubs;
	bool rw; /* was said last */
	bool read_only, debug, nonempty;
	char *view;	     /* view=TIME|LABEL|COMMIT; NULL: not said */
	char *environment;   /* env=NAME: as TARN_ENV; NULL: not said */
	struct buf for_fuse; /* what libfuse and the kernel understand themselves: nosuid,noexec,noatime … */
};

void mount_options_init(struct mount_options *o);
void mount_options_release(struct mount_options *o);
#define _cleanup_mount_options_ __attribute__((cleanup(mount_options_release)))

/*
 * Adds the options of TEXT; later ones win. 0; -EINVAL with WHY: "option 'x': …". SLOPPY (mount -s): unknown options
 * are left out.
 */
int mount_options_parse(struct mount_options *o, const char *text, bool sloppy, struct buf *why);

/* Does a fuse.conf let ordinary users say allow_other? FILE NULL: /etc/fuse.conf. */
bool fuse_conf_user_allow_other(const char *file);

#endif
