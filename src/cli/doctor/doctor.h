/*
 * Findings of `tarn doctor`: each says what was looked at, how it is, what that means and what to do.
 */
#ifndef TARN_CLI_DOCTOR_DOCTOR_H
#define TARN_CLI_DOCTOR_DOCTOR_H

#include <json-c/json.h>

enum health { HEALTH_OK, HEALTH_WARNING, HEALTH_ERROR };

struct doctor {
	const char *lake;	      /* NULL: only the machine is looked at */
	int lake_fd;		      /* O_PATH, or -1 */
	struct json_object *findings; /* [{"check": , "health": , "what": , "meaning": , "todo": }] */
	int warnings, errors;
};

/* WHAT is a fact ("7.2 GiB free"), MEANING and TODO are "" where all is well. */
void doctor_add(struct doctor *d, enum health health, const char *check, const char *meaning, const char *todo,
		const char *what, ...) __attribute__((format(printf, 6, 7)));

/* doctor_machine.c: kernel, /dev/fuse, fusermount3, descriptors, clock. */
void doctor_machine(struct doctor *d);
/* doctor_cloud.c: the remote. Asks it, for ten seconds at most. */
void doctor_cloud(struct doctor *d);
/* doctor_lake.c: folders, settings, store, disk, mounts. */
void doctor_lake(struct doctor *d);

#endif
