/* The daemon's side of the helper. */
#include "sniff/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "sniff/checks.h"
#include "sniff/sandbox.h"

#define POLL_MS 20
#define START_SECONDS 60 /* until it is ready; it loads libraries, with others before it */

struct worker {
	pid_t pid; /* 0: none runs */
	int socket;
	unsigned files;	 /* that this process has had */
	int64_t used;	 /* when it had the last one, monotonic */
	bool told;	 /* that it cannot be started */
	struct buf json; /* of an answer */

	/* of the file in hand */
	bool (*stop)(void *arg);
	void *arg;
	int64_t deadline; /* monotonic */
};

const char *worker_program;

struct worker *worker_new(void)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (w)
		w->socket = -1;
	return w;
}

pid_t worker_pid(const struct worker *w)
{
	return w->pid;
}

/* ---- its end ---- */

/* Its wait(2) status. */
static int end(struct worker *w)
{
	int status = 0;

	if (!w->pid)
		return 0;
	close(steal_fd(&w->socket));
	kill(w->pid, SIGKILL);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	w->pid = 0;
	return status;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	end(w);
	buf_release(&w->json);
	free(w);
}

void worker_rest(struct worker *w)
{
	if (w->pid && clock_monotonic() - w->used > WORKER_IDLE_SECONDS * NSEC_PER_SEC)
		end(w);
}

/* ---- its start ---- */

/* Nothing of the daemon's environment, but what tells sanitizers where to report. */
static void choose_environment(char **to, int room)
{
	static const char *const kept[] = {"ASAN_OPTIONS=", "UBSAN_OPTIONS=", "TSAN_OPTIONS=", "LSAN_OPTIONS="};
	int n = 0;

	to[n++] = (char *)(uintptr_t) "LC_ALL=C.UTF-8";
	for (char **e = environ; sandbox_is_relaxed() && *e; e++)
		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]) && n < room - 1; i++)
			if (!strncmp(*e, kept[i], strlen(kept[i])))
				to[n++] = *e;
	to[n] = NULL;
}

/* Its only descriptors are the socket and /dev/null, its folder the root, its signals as they were at boot. */
static int spawn(struct worker *w, int socket)
{
	char *argv[] = {(char *)(uintptr_t)WORKER_NAME, NULL}, *environment[8];
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all, none;
	int rc;

	choose_environment(environment, sizeof(environment) / sizeof(environment[0]));
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, socket, WORKER_SOCKET);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (!sandbox_is_relaxed()) /* what libraries print about odd files is of no use */
		posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&actions, WORKER_SOCKET + 1);
	posix_spawn_file_actions_addchdir_np(&actions, "/");
	rc = posix_spawn(&w->pid, worker_program, &actions, &attributes, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (rc)
		w->pid = 0;
	return -rc;
}

/* ---- reading what it says ---- */

/* Until there is something to read: 0, -ECANCELED, -ETIMEDOUT, -errno. */
static int await(struct worker *w)
{
	struct pollfd p = {.fd = w->socket, .events = POLLIN};
	int rc;

	for (;;) {
		if (w->stop && w->stop(w->arg))
			return -ECANCELED;
		rc = poll(&p, 1, POLL_MS);
		if (rc > 0)
			return 0;
		if (rc < 0 && errno != EINTR)
			return -errno;
		if (clock_monotonic() > w->deadline)
			return -ETIMEDOUT;
	}
}

/* -EPIPE: it has ended. */
static int receive(struct worker *w, void *to, size_t len)
{
	char *p = to;

	while (len) {
		int rc = await(w);
		ssize_t n = rc ? 0 : recv(w->socket, p, len, MSG_DONTWAIT);

		if (rc)
			return rc;
		if (!n || (n < 0 && errno == ECONNRESET))
			return -EPIPE;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int start(struct worker *w)
{
	_cleanup_close_ int theirs = -1;
	int pair[2], rc;
	char ready;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	w->socket = pair[0];
	theirs = pair[1];
	rc = spawn(w, theirs);
	if (rc) {
		close(steal_fd(&w->socket));
		return rc;
	}
	close(steal_fd(&theirs));
	w->files = 0;
	w->deadline = clock_monotonic() + START_SECONDS * NSEC_PER_SEC;
	rc = receive(w, &ready, 1);
	if (rc)
		end(w);
	return rc;
}

static int have_one(struct worker *w)
{
	int rc;

	if (w->files >= WORKER_FILES)
		end(w);
	if (w->pid)
		return 0;
	rc = worker_program ? start(w) : -ENOENT;
	if (!rc || rc == -ECANCELED) {
		w->told = w->told && rc;
		return rc;
	}
	if (!w->told)
		log_error("no helper to look into files, so no types of them: %s: %s",
			  worker_program ? worker_program : "tarn", rc == -EPIPE ? "it ends at once" : strerror(-rc));
	w->told = true;
	return rc;
}

/* ---- one file ---- */

static int ask(struct worker *w, const struct worker_table *t, unsigned flags)
{
	struct worker_request request = {flags, (uint32_t)strnlen(t->name, WORKER_NAME_MAX),
					 t->rules ? (uint32_t)strlen(t->rules) : 0, (uint32_t)t->nkeys};
	size_t fds = (t->nkeys + 1) * sizeof(int);
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE((CHECKS_KEYS + 1) * sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(fds), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec parts[] = {{&request, sizeof(request)}, {(void *)(uintptr_t)t->name, request.name_len}};
	struct msghdr message = {
		.msg_iov = parts, .msg_iovlen = 2, .msg_control = control.room, .msg_controllen = CMSG_SPACE(fds)};

	memcpy(CMSG_DATA(&control.header), &t->fd, sizeof(int));
	if (t->nkeys)
		memcpy(CMSG_DATA(&control.header) + sizeof(int), t->keys, t->nkeys * sizeof(int));
	if (sendmsg(w->socket, &message, MSG_NOSIGNAL) != (ssize_t)(sizeof(request) + request.name_len))
		return -EPIPE;
	for (size_t at = 0; at < request.rules_len;) {
		ssize_t n = send(w->socket, t->rules + at, request.rules_len - at, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -EPIPE;
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Into w->json, LEN bytes. */
static int read_answer(struct worker *w, uint32_t *len)
{
	struct worker_answer answer;
	int rc = receive(w, &answer, sizeof(answer));

	if (rc)
		return rc;
	if (answer.len > DESCRIPTION_JSON_MAX)
		return -EBADMSG;
	buf_clear(&w->json);
	if (w->json.room <= answer.len) {
		char *grown = realloc(w->json.data, answer.len + 1);

		if (!grown)
			return -ENOMEM;
		w->json.data = grown;
		w->json.room = answer.len + 1;
	}
	*len = answer.len;
	return receive(w, w->json.data, answer.len);
}

static int ask_and_read(struct worker *w, const struct worker_table *t, unsigned flags, uint32_t *len)
{
	int rc;

	rc = ask(w, t, flags);
	if (rc) { /* it has ended since the last file */
		end(w);
		rc = have_one(w);
		if (!rc)
			rc = ask(w, t, flags);
	}
	w->deadline = clock_monotonic() + WORKER_SECONDS * NSEC_PER_SEC;
	w->files++;
	if (!rc)
		rc = read_answer(w, len);
	w->used = clock_monotonic();
	return rc;
}

static int describe(struct worker *w, int fd, const char *name, unsigned flags, struct description *d)
{
	struct worker_table t = {.fd = fd, .name = name};
	uint32_t len;
	int rc = ask_and_read(w, &t, flags, &len);

	return rc ? rc : description_parse(d, w->json.data, len);
}

/* Why nothing is known of NAME, and the log says it. */
static void say_why(struct buf *why, const char *name, int rc, int status)
{
	if (rc == -ETIMEDOUT)
		buf_addf(why, "it takes longer than %d seconds to look into it", WORKER_SECONDS);
	else if (rc == -EPIPE && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		buf_addf(why, "it takes more than %d seconds of a processor to look into it", WORKER_CPU_SECONDS);
	else if (rc == -EPIPE && WIFSIGNALED(status))
		buf_addf(why, "who looked into it ended with signal %d (%s)", WTERMSIG(status),
			 sigdescr_np(WTERMSIG(status)));
	else
		buf_adds(why, rc == -EPIPE ? "who looked into it ended" : strerror(-rc));
	log_warning("%s: %s", name, buf_str(why));
}

static void set_unreadable(struct description *d, const char *name, int rc, int status)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	say_why(&why, name, rc, status);
	description_set(&d->unreadable, buf_str(&why));
}

/* The helper was lost to this file. Another one says at least its type. */
static int describe_less(struct worker *w, int fd, const char *name, int why, struct description *d)
{
	int status = end(w);
	int rc = have_one(w);

	if (rc)
		return rc;
	rc = describe(w, fd, name, WORKER_MIME_ONLY, d);
	if (rc) {
		end(w);
		description_release(d);
		if (rc == -ECANCELED)
			return rc;
	}
	set_unreadable(d, name, why, status);
	return 0;
}

int worker_describe(struct worker *w, int fd, const char *name, unsigned flags, bool (*stop)(void *arg), void *arg,
		    struct description *d)
{
	int rc;

	description_init(d);
	w->stop = stop;
	w->arg = arg;
	rc = have_one(w);
	if (rc)
		return rc;
	rc = describe(w, fd, name, flags, d);
	if (rc == -ECANCELED)
		end(w);
	else if (rc)
		rc = describe_less(w, fd, name, rc, d);
	return rc;
}

int worker_check(struct worker *w, const struct worker_table *t, bool (*stop)(void *arg), void *arg, struct buf *found,
		 struct buf *why)
{
	uint32_t len;
	int rc;

	w->stop = stop;
	w->arg = arg;
	rc = have_one(w);
	if (rc)
		return rc;
	rc = ask_and_read(w, t, WORKER_CHECK, &len);
	if (rc) {
		int status = end(w);

		if (rc != -ECANCELED)
			say_why(why, t->name, rc, status);
		return rc;
	}
	if (len > CHECKS_FOUND_MAX)
		return -EBADMSG;
	buf_add(found, w->json.data, len);
	return buf_error(found);
}
