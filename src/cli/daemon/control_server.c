/*
 * The daemon's side of the control socket.
 *
 * One thread accepts and reads, and never blocks on a client: descriptors are non-blocking, and each client has a
 * deadline for its whole request. A complete request goes to a thread of its own, which calls the handler, writes the
 * answer within its own deadline, and closes. So neither a client that is silent nor a request that takes long makes
 * another one wait. There are never more than WORKERS_MAX such threads: who comes then is told to try again.
 *
 *	accepted ── a line ──► worker: handler, answer ──► closed
 *	    └── 10 s, 64 KiB without a newline, end of file, or room needed for a new client ──► closed
 */
#include "cli/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/facts.h"

#define CLIENTS_MAX 32
#define WORKERS_MAX 8
#define REQUEST_TIME (10 * NSEC_PER_SEC)
#define REPLY_TIME (5 * NSEC_PER_SEC)

struct client {
	int fd;
	struct ucred peer;
	int64_t deadline;
	struct buf request;
};

struct control {
	int lake_fd, listen_fd;
	int wake_fd; /* an eventfd: control_stop() was called */
	control_fn handler;
	void *arg;
	pthread_t thread;
	struct client clients[CLIENTS_MAX]; /* the thread's own; the oldest first */
	int nclients;

	pthread_mutex_t lock;
	pthread_cond_t idle;
	int workers; /* protected by lock */
};

struct work {
	struct control *control;
	struct client client;
};

static void client_release(struct client *c)
{
	close(c->fd);
	buf_release(&c->request);
}

static void drop_client(struct control *c, int i)
{
	client_release(&c->clients[i]);
	c->nclients--;
	memmove(&c->clients[i], &c->clients[i + 1], (size_t)(c->nclients - i) * sizeof(c->clients[0]));
}

static void send_reply(int fd, struct json_object *reply)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	int64_t deadline = clock_monotonic() + REPLY_TIME;
	size_t sent = 0;

	buf_adds(&line, json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN));
	buf_addc(&line, '\n');
	while (!buf_error(&line) && sent < line.len) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		int64_t left = deadline - clock_monotonic();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)(left / NSEC_PER_MSEC) + 1) < 0)
			return;
		n = send(fd, line.data + sent, line.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return;
		sent += n > 0 ? (size_t)n : 0;
	}
}

static void reply_set_error(struct json_object *reply, int rc)
{
	json_object_object_add(reply, "ok", json_object_new_boolean(false));
	json_object_object_add(reply, "errno", json_object_new_int(-rc));
	if (!json_object_object_get_ex(reply, "error", NULL))
		json_object_object_add(reply, "error", json_object_new_string(strerror(-rc)));
}

static void refuse(int fd, int rc, const char *why)
{
	_cleanup_json_ struct json_object *reply = json_object_new_object();

	json_object_object_add(reply, "error", json_object_new_string(why));
	reply_set_error(reply, rc);
	send_reply(fd, reply);
}

static bool may_ask(const struct ucred *peer, struct json_object *request)
{
	const char *verb = json_text(request, "verb");

	if (peer->uid == 0 || peer->uid == geteuid())
		return true;
	if (verb && (!strcmp(verb, "publish") || !strcmp(verb, "purge"))) /* it is done with the rights of who asks */
		return true;
	return verb && !strcmp(verb, "status") && !json_object_object_get_ex(request, "path", NULL);
}

static void answer(struct control *c, struct client *client)
{
	_cleanup_json_ struct json_object *request = control_parse(client->request.data, client->request.len);
	_cleanup_json_ struct json_object *reply = json_object_new_object();
	int rc;

	if (!request || !json_text(request, "verb")) {
		refuse(client->fd, -EBADMSG, "the request is not a JSON object with a verb");
		return;
	}
	if (!may_ask(&client->peer, request)) {
		refuse(client->fd, -EACCES, "only root and the lake's own user may ask this");
		return;
	}
	rc = c->handler(c->arg, &client->peer, request, reply);
	if (rc < 0)
		reply_set_error(reply, rc);
	else
		json_object_object_add(reply, "ok", json_object_new_boolean(true));
	send_reply(client->fd, reply);
}

static void *worker_main(void *arg)
{
	struct work *w = arg;
	struct control *c = w->control;

	answer(c, &w->client);
	client_release(&w->client);
	free(w);
	pthread_mutex_lock(&c->lock);
	c->workers--;
	pthread_cond_broadcast(&c->idle);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static bool worker_slot(struct control *c)
{
	SCOPED_LOCK(&c->lock);

	if (c->workers >= WORKERS_MAX)
		return false;
	c->workers++;
	return true;
}

static void worker_slot_back(struct control *c)
{
	SCOPED_LOCK(&c->lock);

	c->workers--;
}

/* Takes the client over. */
static void hand_over(struct control *c, struct client *client)
{
	pthread_attr_t attr;
	struct work *w;
	pthread_t thread;
	int rc = ENOMEM;

	if (!worker_slot(c)) {
		refuse(client->fd, -EAGAIN, "busy with other requests");
		client_release(client);
		return;
	}
	w = malloc(sizeof(*w));
	if (w) {
		*w = (struct work){.control = c, .client = *client};
		pthread_attr_init(&attr);
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		rc = pthread_create(&thread, &attr, worker_main, w);
		pthread_attr_destroy(&attr);
	}
	if (rc) {
		free(w);
		worker_slot_back(c);
		refuse(client->fd, -rc, strerror(rc));
		client_release(client);
	}
}

static void accept_client(struct control *c)
{
	struct client new = {.fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)};
	socklen_t len = sizeof(new.peer);

	if (new.fd < 0)
		return;
	if (getsockopt(new.fd, SOL_SOCKET, SO_PEERCRED, &new.peer, &len) < 0) {
		close(new.fd);
		return;
	}
	new.deadline = clock_monotonic() + REQUEST_TIME;
	if (c->nclients == CLIENTS_MAX)
		drop_client(c, 0);
	c->clients[c->nclients++] = new;
}

/* Reads what there is. True: the client stays. False: it was closed or handed over. */
static bool read_client(struct control *c, int i)
{
	struct client *client = &c->clients[i], whole;
	char part[4096], *end;
	ssize_t n = recv(client->fd, part, sizeof(part), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n > 0)
		buf_add(&client->request, part, (size_t)n);
	end = n > 0 ? memchr(part, '\n', (size_t)n) : NULL;
	if (end && !buf_error(&client->request)) {
		client->request.len -= (size_t)(part + n - end);
		whole = *client;
		c->nclients--;
		memmove(&c->clients[i], &c->clients[i + 1], (size_t)(c->nclients - i) * sizeof(c->clients[0]));
		hand_over(c, &whole);
		return false;
	}
	if (n <= 0 || client->request.len > CONTROL_REQUEST_MAX || buf_error(&client->request)) {
		drop_client(c, i);
		return false;
	}
	return true;
}

static int time_to_wait(const struct control *c)
{
	int64_t left;

	if (!c->nclients)
		return -1;
	left = c->clients[0].deadline - clock_monotonic();
	return left <= 0 ? 0 : (int)(left / NSEC_PER_MSEC) + 1;
}

static void *control_main(void *arg)
{
	struct control *c = arg;
	struct pollfd polls[CLIENTS_MAX + 2];

	pthread_setname_np(pthread_self(), "control");
	for (;;) {
		int n = c->nclients;

		polls[0] = (struct pollfd){.fd = c->wake_fd, .events = POLLIN};
		polls[1] = (struct pollfd){.fd = c->listen_fd, .events = POLLIN};
		for (int i = 0; i < n; i++)
			polls[i + 2] = (struct pollfd){.fd = c->clients[i].fd, .events = POLLIN};
		if (poll(polls, (nfds_t)n + 2, time_to_wait(c)) < 0)
			continue;
		if (polls[0].revents)
			return NULL;
		/* From the back, so that taking one out moves only those that were looked at. */
		for (int i = n - 1; i >= 0; i--) {
			if (polls[i + 2].revents)
				read_client(c, i);
		}
		while (c->nclients && c->clients[0].deadline <= clock_monotonic())
			drop_client(c, 0);
		if (polls[1].revents)
			accept_client(c);
	}
}

static void control_free(struct control *c)
{
	while (c->nclients)
		drop_client(c, c->nclients - 1);
	if (c->listen_fd >= 0)
		close(c->listen_fd);
	if (c->wake_fd >= 0)
		close(c->wake_fd);
	if (c->lake_fd >= 0)
		close(c->lake_fd);
	pthread_cond_destroy(&c->idle);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* The one that a killed daemon left goes first: this one holds the lake's lock. */
static int listen_in(struct control *c, int lake_dirfd)
{
	struct sockaddr_un at;

	c->lake_fd = openat(lake_dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->lake_fd < 0)
		return -errno;
	if (unlinkat(c->lake_fd, CONTROL_SOCKET, 0) < 0 && errno != ENOENT)
		return -errno;
	c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listen_fd < 0)
		return -errno;
	control_address(&at, c->lake_fd);
	if (bind(c->listen_fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	/* Who may ask what is decided by SO_PEERCRED; who gets here, by the mode of the lake's folder. */
	if (fchmodat(c->lake_fd, CONTROL_SOCKET, 0666, 0) < 0 || listen(c->listen_fd, CLIENTS_MAX) < 0)
		return -errno;
	return 0;
}

/* Signals are the main thread's; the workers inherit the mask. */
static int start_thread(struct control *c)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&c->thread, NULL, control_main, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

int control_start(int lake_dirfd, control_fn handler, void *arg, struct control **out)
{
	struct control *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	*c = (struct control){.lake_fd = -1, .listen_fd = -1, .wake_fd = -1, .handler = handler, .arg = arg};
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->idle, NULL);
	rc = listen_in(c, lake_dirfd);
	if (!rc) {
		c->wake_fd = eventfd(0, EFD_CLOEXEC);
		rc = c->wake_fd < 0 ? -errno : start_thread(c);
	}
	if (rc) {
		log_error("control socket: %s", strerror(-rc));
		control_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void control_stop(struct control *c)
{
	if (!c)
		return;
	eventfd_write(c->wake_fd, 1);
	pthread_join(c->thread, NULL);
	unlinkat(c->lake_fd, CONTROL_SOCKET, 0);
	pthread_mutex_lock(&c->lock);
	while (c->workers)
		pthread_cond_wait(&c->idle, &c->lock);
	pthread_mutex_unlock(&c->lock);
	control_free(c);
}
