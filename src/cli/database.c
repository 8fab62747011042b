#include "cli/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/holders.h"

#define HEADER "SQLite format 3" /* and its NUL */
#define LOCK_BYTES 0x40000000	 /* PENDING, RESERVED and SHARED: 512 bytes from here */
#define SHM_LOCKS 120		 /* of a -shm: its locks, and at 128 the one that each connection has */
#define HOLDERS 3

const char *const database_companions[] = {"-wal", "-journal", "-shm", NULL};

bool database_is(int fd)
{
	char head[sizeof(HEADER)];

	return pread(fd, head, sizeof(head), 0) == sizeof(head) && !memcmp(head, HEADER, sizeof(head));
}

bool database_owns(int dirfd, const char *name)
{
	size_t len = strlen(name);
	char base[256];

	for (int i = 0; database_companions[i]; i++) {
		size_t n = strlen(database_companions[i]);
		_cleanup_close_ int fd = -1;

		if (len <= n || len >= sizeof(base) || strcmp(name + len - n, database_companions[i]))
			continue;
		snprintf(base, sizeof(base), "%.*s", (int)(len - n), name);
		fd = openat(dirfd, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		return fd >= 0 && database_is(fd);
	}
	return false;
}

/* Would a write lock on LEN bytes from START have to wait? */
static bool is_locked(const char *path, off_t start, off_t len, struct buf *who)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return false;
	if (!who->len)
		buf_addf(who, "pid %d", (int)lock.l_pid);
	return true;
}

bool database_is_open(const char *path, pid_t except, struct buf *who)
{
	_cleanup_buf_ struct buf shm = BUF_INIT;
	bool held = holders_describe(path, except, HOLDERS, who) > 0;

	buf_addf(&shm, "%s-shm", path);
	return held || is_locked(path, LOCK_BYTES, 512, who) || is_locked(buf_str(&shm), SHM_LOCKS, 9, who);
}
