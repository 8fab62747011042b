/* What the daemon answers on its control socket: status, reload, drain, publish. */
#ifndef TARN_CLI_DAEMON_CONTROL_H
#define TARN_CLI_DAEMON_CONTROL_H

#include "cli/control.h"
#include "cli/daemon.h"
#include "fuse/session.h"

struct daemon_state {
	const struct daemon_options *options;
	struct lake *lake;
	struct session *session;
	const char *mountpoint;
};

/* A control_fn; ARG is a struct daemon_state. */
int daemon_answer(void *arg, const struct ucred *peer, struct json_object *request, struct json_object *reply);
/* Reads the settings again and applies them. FINDINGS (may be NULL): an array that gets every finding. 0 or -errno. */
int daemon_reload(struct daemon_state *d, struct json_object *findings);

#endif
