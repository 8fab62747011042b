/*
 * A stand-in for a server: it answers what the test has written down, request after request, and keeps what it was
 * asked. It verifies nothing.
 */
#ifndef TARN_TESTS_TEST_HTTP_H
#define TARN_TESTS_TEST_HTTP_H

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "tap.h"

#define ANSWERS_MAX 64

static struct {
	int listener, port;
	pthread_t thread;
	pthread_mutex_t lock;	    /* protects what follows */
	char *answers[ANSWERS_MAX]; /* NULL: 500. "!": the connection is closed without one */
	int given, wanted;
	struct buf heads[ANSWERS_MAX]; /* of the requests */
	struct buf bodies[ANSWERS_MAX];
	int connections;
} stand_in = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Reads one request; false: the client has gone. */
static inline bool stand_in_read(int fd, struct buf *head, struct buf *body)
{
	char chunk[65536], *end = NULL;
	size_t length = 0;
	const char *p;

	buf_clear(head);
	buf_clear(body);
	while (!end) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n <= 0)
			return false;
		buf_add(head, chunk, (size_t)n);
		end = strstr(head->data, "\r\n\r\n");
	}
	p = strstr(head->data, "Content-Length: ");
	if (p && p < end)
		length = strtoul(p + 16, NULL, 10);
	if (strstr(head->data, "Expect: 100-continue") && write(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25) < 0)
		return false;
	buf_add(body, end + 4, head->len - (size_t)(end + 4 - head->data));
	head->len = (size_t)(end + 4 - head->data);
	head->data[head->len] = '\0';
	while (body->len < length) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n <= 0)
			return false;
		buf_add(body, chunk, (size_t)n);
	}
	return true;
}

/* The answers that come next: the rest of the list is gone. */
static inline void stand_in_next(const char *const *answers, int n)
{
	pthread_mutex_lock(&stand_in.lock);
	for (int i = 0; i < n; i++) {
		free(stand_in.answers[i]);
		stand_in.answers[i] = strdup(answers[i]);
	}
	stand_in.given = 0;
	stand_in.wanted = n;
	pthread_mutex_unlock(&stand_in.lock);
}
#define ANSWERS(...) \
	stand_in_next((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* "HTTP/1.1 200 OK" is answered with no body and its length, unless it says otherwise. A HEAD gets no body. */
static inline bool stand_in_answer(int fd)
{
	struct buf head = BUF_INIT, body = BUF_INIT;
	_cleanup_buf_ struct buf out = BUF_INIT;
	const char *answer = NULL;
	bool more = stand_in_read(fd, &head, &body), hangs_up;

	if (!more) {
		buf_release(&head);
		buf_release(&body);
		return false;
	}
	pthread_mutex_lock(&stand_in.lock);
	if (stand_in.given < stand_in.wanted) {
		int i = stand_in.given++;

		answer = stand_in.answers[i];
		buf_release(&stand_in.heads[i]);
		buf_release(&stand_in.bodies[i]);
		stand_in.heads[i] = head;
		stand_in.bodies[i] = body;
	} else {
		stand_in.given++;
		buf_release(&head);
		buf_release(&body);
	}
	buf_addf(&out, "HTTP/1.1 %s", answer ? answer : "500 Not expected\r\n");
	hangs_up = answer && answer[0] == '!';
	pthread_mutex_unlock(&stand_in.lock);
	if (hangs_up)
		return false;
	if (!strstr(buf_str(&out), "\r\n\r\n"))
		buf_addf(&out, "%s\r\n", strstr(buf_str(&out), "Content-Length") ? "" : "Content-Length: 0\r\n");
	if (write(fd, out.data, out.len) < 0)
		return false;
	return !strstr(out.data, "Connection: close");
}

static inline void *stand_in_connection(void *arg)
{
	int fd = (int)(intptr_t)arg;

	while (stand_in_answer(fd))
		;
	close(fd);
	return NULL;
}

static inline void *stand_in_run(void *arg)
{
	pthread_t thread;

	(void)arg;
	for (;;) {
		int fd = accept(stand_in.listener, NULL, NULL);

		if (fd < 0)
			return NULL;
		pthread_mutex_lock(&stand_in.lock);
		stand_in.connections++;
		pthread_mutex_unlock(&stand_in.lock);
		if (pthread_create(&thread, NULL, stand_in_connection, (void *)(intptr_t)fd) == 0)
			pthread_detach(thread);
	}
}

static inline bool stand_in_start(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	stand_in.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (stand_in.listener < 0 || bind(stand_in.listener, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(stand_in.listener, 16) < 0 || getsockname(stand_in.listener, (struct sockaddr *)&a, &len) < 0)
		return false;
	stand_in.port = ntohs(a.sin_port);
	return pthread_create(&stand_in.thread, NULL, stand_in_run, NULL) == 0;
}

/* How many requests there were since the last ANSWERS(). */
static inline int requests(void)
{
	int n;

	pthread_mutex_lock(&stand_in.lock);
	n = stand_in.given;
	pthread_mutex_unlock(&stand_in.lock);
	return n;
}

/* The head of request I of those since the last ANSWERS(); until the next ones. */
static inline const char *request(int i)
{
	const char *head;

	pthread_mutex_lock(&stand_in.lock);
	head = buf_str(&stand_in.heads[i]);
	pthread_mutex_unlock(&stand_in.lock);
	return head;
}

static inline const char *request_body(int i)
{
	const char *body;

	pthread_mutex_lock(&stand_in.lock);
	body = buf_str(&stand_in.bodies[i]);
	pthread_mutex_unlock(&stand_in.lock);
	return body;
}

#endif
