/*
 * A lake that is not mounted, opened by this program itself, for what a mounted lake's daemon does when it is asked.
 */
#ifndef TARN_CLI_OFFLINE_H
#define TARN_CLI_OFFLINE_H

#include <json-c/json.h>

struct lake;
typedef int (*offline_fn)(struct lake *lake, struct json_object *request, struct json_object *reply);

/*
 * As control_call(), for one verb: asks the daemon of LAKE, or, where there is none, opens the lake under its lock and
 * calls ANSWER. That is for those only who may mount it: -EACCES. -EAGAIN: another process has it, which is no daemon
 * yet, or any more. *REPLY as there.
 */
int offline_call(const char *lake, struct json_object *request, int seconds, offline_fn answer,
		 struct json_object **reply);

#endif
