#include "cli/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define POLL_MS 20

int lake_lock(const char *lake, int wait_ms)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * NSEC_PER_MSEC};
	int64_t deadline = clock_monotonic() + wait_ms * NSEC_PER_MSEC;
	_cleanup_buf_ struct buf path = BUF_INIT;
	_cleanup_close_ int fd = -1;

	buf_addf(&path, "%s/catalog", lake);
	if (buf_error(&path))
		return buf_error(&path);
	fd = open(buf_str(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (clock_monotonic() >= deadline)
			return -EWOULDBLOCK;
		nanosleep(&pause, NULL);
	}
	return steal_fd(&fd);
}
