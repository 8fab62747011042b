/*
 * The daemon's answers about the cloud: {"verb": "tier", "do": …}. Only for root and the lake's own user.
 *
 *	status			what is here and what there; how the remote answers
 *	count, evict, recall	"path", "after": works for a while on what lies there (work/tree.h); "ended" or "after"
 *	plan			what the next burst would take, and what is known of the remote
 */
#ifndef TARN_CLI_DAEMON_DAEMON_TIER_H
#define TARN_CLI_DAEMON_DAEMON_TIER_H

#include "cli/daemon/daemon_control.h"

int daemon_answer_tier(struct daemon_state *d, struct json_object *request, struct json_object *reply);

#endif
