/*
 * One mount: libfuse's session over a lake, as it is or as it was. Composed by cli/daemon/daemon.c:
 *
 *	session_mount()	mounts, and prepares the kernel's passthrough
 *	session_run()	serves until the mount is gone; returns when the last request is answered
 *	session_probe()	from another thread, once: waits until the mount answers, and tries whether passthrough works
 *	session_end()	from a signal: takes the mount away (lazily when it is busy) and makes session_run() return
 */
#ifndef TARN_FUSE_SESSION_H
#define TARN_FUSE_SESSION_H

#include <stdbool.h>

#include "base/buf.h"
#include "ns/ns.h"

struct session;

struct session_options {
	const char *mountpoint; /* absolute */
	bool passthrough, allow_other, read_only, debug;
	enum stubs_use stubs;
	const char *more; /* mount options for libfuse, comma-separated; may be "" */
	const char *view; /* the lake as it was: a time, a label of the root or a commit; NULL: as it is */
};

/* 0 or -errno, with a line for the user in ERROR. */
int session_mount(struct lake *lake, const struct session_options *o, struct session **out, struct buf *error);
int session_run(struct session *s);
int session_probe(struct session *s);
void session_end(struct session *s);
/* After session_run(): unmounts what is left and frees. */
void session_free(struct session *s);

/* "yes, api", "no: …", for status and doctor. Valid after session_probe(). */
const char *session_passthrough(struct session *s);

#endif
