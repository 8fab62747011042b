/* The daemon's side of `tarn import` and `tarn sync`: pieces, as in cli/daemon/daemon_tier.h. */
#ifndef TARN_CLI_DAEMON_DAEMON_IMPORT_H
#define TARN_CLI_DAEMON_DAEMON_IMPORT_H

#include "cli/daemon/daemon_control.h"

/*
 * Takes in what lies below the key "base" after "after", for a while. "path": the bucket, made when it is missing.
 * UPDATE: as ns_import(). Answers "ended" or "after", and counts: "new", "same", "changed", "conflicts", "bytes" (of
 * new ones), "skipped", "list".
 */
int daemon_answer_import(struct daemon_state *d, bool update, struct json_object *request, struct json_object *reply);

/*
 * After that: what is known of BASE and lies there no more. A file of which something is here stays, and is uploaded
 * again; one that was only there is told of as "lost".
 */
int daemon_answer_missing(struct daemon_state *d, struct json_object *request, struct json_object *reply);

#endif
