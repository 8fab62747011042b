#include "cli/daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/cli.h"

/* sd_notify(3)'s protocol: one datagram to $NOTIFY_SOCKET ("@" for the abstract name space). */
static void notify_systemd(void)
{
	static const char message[] = "READY=1";
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	_cleanup_close_ int fd = -1;
	size_t len;

	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(to.sun_path))
		return;
	len = strlen(path);
	memcpy(to.sun_path, path, len);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		sendto(fd, message, sizeof(message) - 1, MSG_NOSIGNAL, (struct sockaddr *)&to,
		       offsetof(struct sockaddr_un, sun_path) + (socklen_t)len);
}

static void write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

void daemon_ready(const struct daemon_options *o, int ready_fd, const char *error)
{
	_cleanup_buf_ struct buf line = BUF_INIT;

	if (o->foreground && error)
		say("%s: not mounted: %s", o->lake, error);
	buf_adds(&line, error ? error : "ok");
	buf_addc(&line, '\n');
	write_all(ready_fd, buf_str(&line), line.len);
	close(ready_fd);
	if (o->foreground) {
		if (!error)
			notify_systemd();
		return;
	}
	if (!error) {
		_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (null >= 0)
			dup2(null, STDERR_FILENO);
	}
}
