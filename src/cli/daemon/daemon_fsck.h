/* Checking and scrubbing a lake, for the daemon of one that is mounted and for `tarn fsck` and `tarn scrub`
 * themselves of one that is not. */
#ifndef TARN_CLI_DAEMON_DAEMON_FSCK_H
#define TARN_CLI_DAEMON_DAEMON_FSCK_H

#include <json-c/json.h>
#include <stdatomic.h>
#include <stdbool.h>

struct lake;
struct work;

/*
 * {"verb": "fsck", "repair": BOOL, "remote": BOOL}: the findings, and how many there were of each kind. WORK: the
 * daemon's, or NULL. ENDING ends it. "remote_error" says why the remote could not be asked. As control_fn.
 */
int daemon_answer_fsck(struct lake *lake, struct work *work, const _Atomic bool *ending, struct json_object *request,
		       struct json_object *reply);

/*
 * {"verb": "scrub", "anew": BOOL, "cloud": BOOL, "rate": BYTES, "look": BOOL}: one step of a scrub, of a second or so,
 * or with LOOK only how far it is: "phase", "done", what was read, "list" of what is damaged. The same otherwise.
 */
int daemon_answer_scrub(struct lake *lake, struct work *work, const _Atomic bool *ending, struct json_object *request,
			struct json_object *reply);

#endif
