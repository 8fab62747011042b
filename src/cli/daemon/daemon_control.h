/* What the daemon answers on its control socket: status, reload, drain, publish, mount. */
#ifndef TARN_CLI_DAEMON_DAEMON_CONTROL_H
#define TARN_CLI_DAEMON_DAEMON_CONTROL_H

#include <stdatomic.h>

#include "cli/control.h"
#include "cli/daemon/daemon.h"
#include "cli/daemon/daemon_mounts.h"

struct work;
struct daemon_state {
	const struct daemon_options *options;
	struct lake *lake;
	struct daemon_mounts mounts;
	_Atomic(struct work *) work; /* NULL: the lake is not mounted as it is, only views of it */
	atomic_bool ending;	     /* what takes long ends soon */
};

/* A control_fn; ARG is a struct daemon_state. */
int daemon_answer(void *arg, const struct ucred *peer, struct json_object *request, struct json_object *reply);
/* Reads the declared tables. What is wrong with them is logged, goes to FINDINGS (may be NULL), and stops nothing. */
void daemon_load_tables(struct lake *lake, struct json_object *findings);
/* Reads the settings again and applies them. FINDINGS (may be NULL): an array that gets every finding. 0 or -errno. */
int daemon_reload(struct daemon_state *d, struct json_object *findings);

/*
 * Mounts what O says: the lake as it is, or a view of its past. -EBUSY: it is mounted as it is already. 0 or -errno,
 * with a line for the user in ERROR.
 */
int daemon_mount(struct daemon_state *d, const struct daemon_options *o, struct buf *error);

#endif
