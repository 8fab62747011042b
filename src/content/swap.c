#include "content/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/cleanup.h"

#define LOCKS 64

static pthread_mutex_t locks[LOCKS] = {[0 ... LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER};

pthread_mutex_t *swap_times_lock(ino_t folder)
{
	return &locks[folder % LOCKS];
}

/* FOLDERFD is O_PATH, so by its name in /proc. */
static void put_mtime_back(int folderfd, const struct stat *was)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, was->st_mtim};
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", folderfd);
	utimensat(AT_FDCWD, path, times, 0);
}

/* The folder's lock is held. */
static int exchange(int dirfd, const char *staged, int folderfd, const char *name, ino_t raw_ino)
{
	struct stat folder, moved;

	if (fstat(folderfd, &folder) < 0 || renameat2(dirfd, staged, folderfd, name, RENAME_EXCHANGE) < 0)
		return -errno;
	if (fstatat(dirfd, staged, &moved, AT_SYMLINK_NOFOLLOW) < 0 || moved.st_ino != raw_ino) {
		renameat2(dirfd, staged, folderfd, name, RENAME_EXCHANGE);
		return 0;
	}
	put_mtime_back(folderfd, &folder);
	return 1;
}

int swap_in(int dirfd, const char *staged, int folderfd, const char *name, ino_t raw_ino)
{
	struct stat folder;

	if (fstat(folderfd, &folder) < 0)
		return -errno;
	SCOPED_LOCK(swap_times_lock(folder.st_ino));
	return exchange(dirfd, staged, folderfd, name, raw_ino);
}
