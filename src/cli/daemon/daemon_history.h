/* What the daemon answers about history that goes: gc, purge. */
#ifndef TARN_CLI_DAEMON_DAEMON_HISTORY_H
#define TARN_CLI_DAEMON_DAEMON_HISTORY_H

#include "cli/control.h"
#include "content/lake.h"

/*
 * {"verb": "gc", "dry_run": true}: what may go, or went:
 *	{"dry_run", "versions", "bytes", "reasons": [{"reason", "versions", "bytes"}],
 *	 "list": [{"path", "version", "bytes", "reason"}], "truncated"}
 * The list has the first ones only when there are many.
 */
int daemon_answer_gc(struct lake *lake, struct json_object *request, struct json_object *reply);

/*
 * {"verb": "purge", "path": "raw-data/a.csv", "version": 3, "dry_run": true}: what would be erased, or was; version 0:
 * all old ones, of a folder those of all that ever was below it. Only for the owner (of all of it), root and the
 * daemon's own user:
 *	{"dry_run", "versions", "bytes", "lives", "left", "list": [{"version", "size", "state"}], "truncated"}
 * Below a folder with "path" for each of the list.
 */
int daemon_answer_purge(struct lake *lake, const struct ucred *peer, struct json_object *request,
			struct json_object *reply);

#endif
