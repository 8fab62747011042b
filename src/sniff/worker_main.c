/* The helper's side: one file after the other, until the daemon closes its end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sniff/checks.h"
#include "sniff/sandbox.h"
#include "sniff/sniff.h"
#include "sniff/worker.h"

/* Without what a sanitizer does at the end of a process: it would have to look into it from outside. */
static _Noreturn void end(int code)
{
	_exit(code);
}

static void receive(void *to, size_t len)
{
	for (char *p = to; len;) {
		ssize_t n = recv(WORKER_SOCKET, p, len, 0);

		if (n <= 0 && !(n < 0 && errno == EINTR))
			end(n < 0);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

static void send_all(const void *bytes, size_t len)
{
	for (const char *p = bytes; len;) {
		ssize_t n = send(WORKER_SOCKET, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			end(1);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

/* The descriptors of the next file, and of those that its rules refer to. */
static void receive_request(struct worker_request *request, int fds[CHECKS_KEYS + 1])
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE((CHECKS_KEYS + 1) * sizeof(int))];
	} control;
	struct iovec part = {request, sizeof(*request)};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room)};
	struct cmsghdr *header;
	ssize_t n;

	do {
		n = recvmsg(WORKER_SOCKET, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	} while (n < 0 && errno == EINTR);
	header = n == (ssize_t)sizeof(*request) ? CMSG_FIRSTHDR(&message) : NULL;
	if (!header || header->cmsg_type != SCM_RIGHTS || request->name_len > WORKER_NAME_MAX ||
	    request->rules_len > CHECKS_RULES_MAX || request->keys > CHECKS_KEYS ||
	    header->cmsg_len != CMSG_LEN((request->keys + 1) * sizeof(int)))
		end(n != 0); /* the daemon has closed its end */
	memcpy(fds, CMSG_DATA(header), (request->keys + 1) * sizeof(int));
}

/* JSON, or what there is to say when that is too much. */
static void send_answer(struct buf *json, const char *otherwise)
{
	struct worker_answer answer;

	if (buf_error(json) || json->len > DESCRIPTION_JSON_MAX) {
		buf_release(json);
		*json = (struct buf)BUF_INIT;
		buf_adds(json, otherwise);
	}
	answer.len = (uint32_t)json->len;
	send_all(&answer, sizeof(answer));
	send_all(buf_str(json), json->len);
}

static void send_description(const struct description *d)
{
	_cleanup_buf_ struct buf json = BUF_INIT;

	description_add_json(&json, d, true);
	send_answer(&json, "{\"kind\":\"other\",\"unreadable\":\"there is too much in it\"}");
}

/* ---- rules ---- */

static const char *look_at_rows(struct checks *c, size_t which, int fd, const char *name, struct description *d)
{
	const char *why;
	int rc;

	checks_look_at(c, which);
	rc = sniff_rows(fd, name, c, d, &why);
	return rc ? "it could not be read to its end" : why;
}

static void check(const struct worker_request *request, const int *fds, const char *name)
{
	_cleanup_free_ char *rules = malloc(request->rules_len + 1);
	_cleanup_description_ struct description d;
	_cleanup_buf_ struct buf found = BUF_INIT;
	struct checks *c = NULL;
	const char *why;

	description_init(&d);
	if (!rules)
		end(1);
	receive(rules, request->rules_len);
	if (checks_parse(rules, request->rules_len, &c) || checks_keys(c) != request->keys)
		end(1);
	for (size_t i = 0; i < request->keys; i++) {
		_cleanup_description_ struct description key;

		description_init(&key);
		if (checks_key_file(c, i))
			look_at_rows(c, i, fds[i + 1], checks_key_file(c, i), &key);
	}
	why = look_at_rows(c, SIZE_MAX, fds[0], name, &d);
	checks_add_found(&found, c, why);
	checks_free(c);
	send_answer(&found, "[]");
}

static void describe(const struct worker_request *request, int fd, const char *name)
{
	_cleanup_description_ struct description d;
	int rc;

	description_init(&d);
	rc = sniff_file(fd, name, request->flags & WORKER_MIME_ONLY, &d);
	if (rc)
		description_set(&d.unreadable,
				rc == -ENOMEM ? "it needs more memory than there is for one file" : strerror(-rc));
	send_description(&d);
}

static void serve_one(void)
{
	int fds[CHECKS_KEYS + 1];
	struct worker_request request;
	char name[WORKER_NAME_MAX + 1];

	receive_request(&request, fds);
	receive(name, request.name_len);
	name[request.name_len] = '\0';
	sandbox_allow_seconds(WORKER_CPU_SECONDS);
	if (request.flags & WORKER_CHECK)
		check(&request, fds, name);
	else
		describe(&request, fds[0], name);
	for (size_t i = 0; i <= request.keys; i++)
		close(fds[i]);
}

_Noreturn void worker_main(void)
{
	prctl(PR_SET_NAME, WORKER_NAME, 0, 0, 0);
	sniff_prepare();
	if (sandbox_enter() < 0)
		end(1);
	send_all("r", 1);
	for (;;)
		serve_one();
}
