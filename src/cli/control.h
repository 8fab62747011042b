/*
 * The control socket: how verbs talk to the daemon of a mounted lake.
 *
 * A unix stream socket LAKE/control.sock. A client sends one request, a JSON object in one line; the daemon
 * answers with one JSON object in one line and closes.
 *
 *	{"verb": "status"}				{"ok": true, "lake": "/data/lake", …}
 *	{"verb": "status", "path": "raw-data/a.csv"}	{"ok": false, "errno": 2, "error": "no such file"}
 *
 * A path is relative to buckets/. It lies in the lake's folder itself, so that whoever may reach buckets/ may reach it,
 * too. The peer's user is asked from the kernel (SO_PEERCRED): root and the daemon's own user may do everything, others
 * may ask for the status without a path, and for what is done with their own rights.
 * Paths of any length work, for both sides reach the socket through a descriptor of its folder.
 *
 * Hostile or broken clients are harmless: a request has 64 KiB and 10 seconds, an unread answer 5 seconds; a silent
 * client makes nobody wait, and the oldest silent one makes room for a new one.
 */
#ifndef TARN_CLI_CONTROL_H
#define TARN_CLI_CONTROL_H

#include <json-c/json.h>
#include <sys/socket.h>

/* ---- the verbs' side: control_client.c ---- */

/*
 * Asks the daemon of LAKE and waits at most SECONDS for its answer. 0: *REPLY is its answer, {"ok": true} aside.
 * -ENOTCONN: no daemon is there. -EACCES: not for this user. -ETIMEDOUT. Otherwise the daemon's own -errno. After an
 * error *REPLY is the daemon's answer, with "error", or NULL when there was none. The caller puts it.
 */
int control_call(const char *lake, struct json_object *request, int seconds, struct json_object **reply);
/* The daemon's process, asked from the kernel; 0 when none listens or it cannot be known. */
pid_t control_pid(const char *lake);
/* The same as control_call() for a verb without arguments. */
int control_ask(const char *lake, const char *verb, int seconds, struct json_object **reply);

/* ---- the daemon's side: control_server.c ---- */

struct control;

/*
 * Fills REPLY (an empty object) and returns 0; or -errno, with the text of REPLY's "error" for the user (a missing one
 * is strerror). May be called from several threads at once, and may take its time.
 */
typedef int (*control_fn)(void *arg, const struct ucred *peer, struct json_object *request, struct json_object *reply);

/* Listens in LAKE_DIRFD (a descriptor of the lake's folder) and serves from threads of its own. 0 or -errno. */
int control_start(int lake_dirfd, control_fn handler, void *arg, struct control **out);
/* Takes the socket away and waits for requests that are being handled. NULL is fine. */
void control_stop(struct control *c);

/* ---- both ---- */

#define CONTROL_SOCKET "control.sock" /* in the lake's folder */
#define CONTROL_REQUEST_MAX (64 * 1024)
#define CONTROL_REPLY_MAX (4 * 1024 * 1024)

struct sockaddr_un;
/* The address of NAME in the folder DIRFD, of any length: through /proc/self/fd. */
void control_address(struct sockaddr_un *to, int dirfd);
/* One JSON object in LEN bytes, nothing after it. NULL when it is anything else. */
struct json_object *control_parse(const char *bytes, size_t len);

#endif
