/*
 * From a command line to a mounted lake: what `tarn mount` and mount.tarn both do.
 */
#ifndef TARN_CLI_MOUNTING_H
#define TARN_CLI_MOUNTING_H

#include <stdbool.h>

#include "cli/mount_options.h"

struct mounting {
	struct mount_options options;
	bool foreground;
	bool fake;  /* check everything, mount nothing */
	bool quiet; /* no paths to try */
	bool json;
};

/* LAKE on DIR, or in place when that is NULL. Everything is said; an exit code. */
int mounting_run(struct mounting *m, const char *lake, const char *dir);

/* ---- mounting_ask.c ---- */

/*
 * Asks the daemon that LAKE has already to mount it at POINT (NULL: in place), for a view of the past, or when it
 * serves only such. An exit code, with everything said; -1: no daemon is there, or (for the lake as it is) it cannot be
 * had of this one, and nothing was said.
 */
int mounting_ask(const struct mounting *m, const char *lake, const char *point);

/* ---- mount_report.c ---- */

/* What a mount prints when it answers: where, and three paths to try. */
void mount_report(const struct mounting *m, const char *lake, const char *point);

#endif
