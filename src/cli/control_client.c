#include "cli/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/facts.h"

void control_address(struct sockaddr_un *to, int dirfd)
{
	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(to->sun_path, sizeof(to->sun_path), "/proc/self/fd/%d/" CONTROL_SOCKET, dirfd);
}

struct json_object *control_parse(const char *bytes, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *o = tokener ? json_tokener_parse_ex(tokener, bytes, (int)len) : NULL;
	size_t end = tokener ? json_tokener_get_parse_end(tokener) : 0;

	while (end < len && strchr(" \t\r\n", bytes[end]) && bytes[end])
		end++;
	if (o && (!json_object_is_type(o, json_type_object) || end < len)) {
		json_object_put(o);
		o = NULL;
	}
	if (tokener)
		json_tokener_free(tokener);
	return o;
}

/* Connected, or -ENOTCONN when nobody listens. */
static int connect_to(const char *lake)
{
	_cleanup_close_ int dir = -1, fd = -1;
	struct sockaddr_un to;

	dir = open(lake, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? -ENOTCONN : -errno;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	control_address(&to, dir);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno == ENOENT || errno == ECONNREFUSED ? -ENOTCONN : -errno;
	return steal_fd(&fd);
}

static int send_request(int fd, struct json_object *request)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	size_t sent = 0;

	/* Not json_add(): names go as the bytes they are, and json-c reads them so. */
	buf_adds(&line, json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
	buf_addc(&line, '\n');
	if (buf_error(&line))
		return buf_error(&line);
	if (line.len > CONTROL_REQUEST_MAX)
		return -E2BIG;
	while (sent < line.len) {
		ssize_t n = send(fd, line.data + sent, line.len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EPIPE || errno == ECONNRESET ? 0 : -errno; /* its answer may say why */
		sent += (size_t)n;
	}
	return 0;
}

/* Until the daemon closes, or DEADLINE. */
static int receive(int fd, int64_t deadline, struct buf *line)
{
	char part[16384];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - clock_monotonic();
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)(left / NSEC_PER_MSEC) + 1) <= 0)
			continue;
		n = recv(fd, part, sizeof(part), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == ECONNRESET ? -ENOTCONN : -errno;
		if (!n)
			return buf_error(line);
		if (line->len + (size_t)n > CONTROL_REPLY_MAX)
			return -EMSGSIZE;
		buf_add(line, part, (size_t)n);
	}
}

/* 0 when the daemon said ok, else its errno. */
static int reply_error(struct json_object *reply)
{
	struct json_object *value;
	int error = EIO;

	if (json_object_object_get_ex(reply, "ok", &value) && json_object_get_boolean(value)) {
		json_object_object_del(reply, "ok");
		return 0;
	}
	if (json_object_object_get_ex(reply, "errno", &value) && json_object_get_int(value) > 0)
		error = json_object_get_int(value);
	return -error;
}

int control_call(const char *lake, struct json_object *request, int seconds, struct json_object **reply)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	_cleanup_close_ int fd = -1;
	int rc;

	*reply = NULL;
	fd = connect_to(lake);
	if (fd < 0)
		return fd;
	rc = send_request(fd, request);
	if (!rc)
		rc = receive(fd, clock_monotonic() + seconds * NSEC_PER_SEC, &line);
	if (rc)
		return rc;
	if (!line.len)
		return -ENOTCONN; /* it ended before it answered */
	*reply = control_parse(line.data, line.len);
	return *reply ? reply_error(*reply) : -EBADMSG;
}

pid_t control_pid(const char *lake)
{
	_cleanup_close_ int fd = connect_to(lake);
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);

	return fd >= 0 && !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) ? peer.pid : 0;
}

int control_ask(const char *lake, const char *verb, int seconds, struct json_object **reply)
{
	_cleanup_json_ struct json_object *request = json_object_new_object();

	json_object_object_add(request, "verb", json_object_new_string(verb));
	return control_call(lake, request, seconds, reply);
}
