/* Inside cli/: what the verbs about the cloud ask of the daemon, piece by piece (cli/daemon/daemon_tier.h). */
#ifndef TARN_CLI_TIER_ASK_H
#define TARN_CLI_TIER_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "cli/place.h"

static inline uint64_t json_number(struct json_object *o, const char *key)
{
	return (uint64_t)json_object_get_int64(json_object_object_get(o, key));
}

/*
 * Asks to DO something at and below P until all of it was looked at: FN gets each piece's answer, and other than 0 ends
 * it and is returned. -EINTR: Ctrl-C, between two pieces. An error is said. 0 or -errno.
 */
typedef int (*tier_piece_fn)(void *arg, struct json_object *reply);
int tier_ask(const struct place *p, const char *what, tier_piece_fn fn, void *arg);
/* GIVEN is a path on a mounted lake; the root of the mount is one, too. Errors are said. 0 or -errno. */
int tier_place(const char *given, struct place *out);
/* Ctrl-C and SIGTERM end tier_ask() from now on, and are known by this. */
void tier_ask_catch_signals(void);
bool tier_ask_interrupted(void);
/* The exit code for what tier_ask() returned. */
int tier_ask_exit(int rc);

/* As `tarn recall PATH…`: an exit code. */
int recall_paths(char *const *paths, int n, bool json);

#endif
