/*
 * The mounts that one daemon serves: the lake as it is, at most once, and beside it any number of views of its past
 * (-o view=). Each has a session, and a thread that runs its loop.
 *
 * The daemon goes on while the live mount is there, or until the last view is gone when there was none.
 */
#ifndef TARN_CLI_DAEMON_DAEMON_MOUNTS_H
#define TARN_CLI_DAEMON_DAEMON_MOUNTS_H

#include <pthread.h>

#include "cli/control.h"
#include "fuse/session.h"

struct daemon_mount {
	struct daemon_mount *next;
	struct session *session;
	char *point;
	char *view; /* NULL: the lake as it is */
	pthread_t thread;
	bool ended;	/* its loop has returned; protected by the list's lock, as the next */
	unsigned users; /* who look at its session now */
	struct daemon_mounts *of;
};

struct daemon_mounts {
	struct lake *lake;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct daemon_mount *list; /* protected by lock, as the next two; the newest first */
	struct daemon_mount *live; /* of these, or NULL */
	bool ending;		   /* nothing is mounted any more */
};

void daemon_mounts_init(struct daemon_mounts *m);
/* Mounts, serves, and waits until the mount answers. 0 or -errno, with a line for the user in ERROR. */
int daemon_mounts_add(struct daemon_mounts *m, const struct session_options *o, struct buf *error);
/* Returns when the daemon has nothing more to serve. Frees views that went meanwhile. */
void daemon_mounts_wait(struct daemon_mounts *m);
/* Takes all mounts away (lazily where they are busy); from then on none can be added. */
void daemon_mounts_end(struct daemon_mounts *m);
/* After both: waits for the loops. No request comes any more. */
void daemon_mounts_join(struct daemon_mounts *m);
void daemon_mounts_free(struct daemon_mounts *m);
/* Adds where they are, for `tarn status`. */
void daemon_mounts_tell(struct daemon_mounts *m, struct json_object *reply);

#endif
