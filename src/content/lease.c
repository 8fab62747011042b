#include "content/lease.h"

#include <fcntl.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define QUIET_NS (60 * NSEC_PER_SEC)

int lease_probe(int fd, int type)
{
	if (fcntl(fd, F_SETLEASE, type) < 0)
		return errno == EAGAIN || errno == EBUSY ? -EAGAIN : -errno;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return 0;
}

/* Without leases (not our file, or a file system that has none): quiet for a while is all that can be known. */
static int ask_clock(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return clock_wall() - stat_ctime(&st) >= QUIET_NS ? 0 : -EAGAIN;
}

int lease_settled(struct lake *lake, struct inode *inode)
{
	_cleanup_close_ int fd = inode_open(lake, inode, O_RDONLY | O_NONBLOCK);
	int rc;

	if (fd < 0)
		return fd;
	rc = lease_probe(fd, F_RDLCK);
	return rc == 0 || rc == -EAGAIN ? rc : ask_clock(fd);
}

bool lease_alone(struct lake *lake, struct inode *inode)
{
	_cleanup_close_ int fd = inode_open(lake, inode, O_RDONLY | O_NONBLOCK);

	return fd >= 0 && !lease_probe(fd, F_WRLCK);
}
