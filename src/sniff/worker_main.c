/* The helper's side: one file after the other, until the daemon closes its end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
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

/* The descriptor of the next file. */
static int receive_request(struct worker_request *request)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {request, sizeof(*request)};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room)};
	struct cmsghdr *header;
	ssize_t n;
	int fd;

	do {
		n = recvmsg(WORKER_SOCKET, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	} while (n < 0 && errno == EINTR);
	header = n == (ssize_t)sizeof(*request) ? CMSG_FIRSTHDR(&message) : NULL;
	if (!header || header->cmsg_type != SCM_RIGHTS || request->name_len > WORKER_NAME_MAX)
		end(n != 0); /* the daemon has closed its end */
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

static void send_answer(const struct description *d)
{
	_cleanup_buf_ struct buf json = BUF_INIT;
	struct worker_answer answer;

	description_add_json(&json, d, true);
	if (buf_error(&json) || json.len > DESCRIPTION_JSON_MAX) {
		buf_release(&json);
		json = (struct buf)BUF_INIT;
		buf_adds(&json, "{\"kind\":\"other\",\"unreadable\":\"there is too much in it\"}");
	}
	answer.len = (uint32_t)json.len;
	send_all(&answer, sizeof(answer));
	send_all(buf_str(&json), json.len);
}

static void serve_one(void)
{
	_cleanup_description_ struct description d;
	_cleanup_close_ int fd = -1;
	struct worker_request request;
	char name[WORKER_NAME_MAX + 1];
	int rc;

	description_init(&d);
	fd = receive_request(&request);
	receive(name, request.name_len);
	name[request.name_len] = '\0';
	sandbox_allow_seconds(WORKER_CPU_SECONDS);
	rc = sniff_file(fd, name, request.flags & WORKER_MIME_ONLY, &d);
	if (rc)
		description_set(&d.unreadable,
				rc == -ENOMEM ? "it needs more memory than there is for one file" : strerror(-rc));
	send_answer(&d);
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
