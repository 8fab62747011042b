#include "base/unmount.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Runs a program that may unmount for others. It says what it has to say on standard error; that is read here, for
 * "busy" is the one answer that matters.
 */
static int run_unmounter(const char *program, const char *option, const char *point)
{
	char *const argv[] = {(char *)program, (char *)option, "--", (char *)point, NULL};
	char *const environment[] = {"LC_ALL=C", NULL};
	posix_spawn_file_actions_t actions;
	char said[1024] = "";
	int fds[2], rc, status = 0;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDERR_FILENO);
	rc = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	while (!rc && len < sizeof(said) - 1 && (n = read(fds[0], said + len, sizeof(said) - 1 - len)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	close(fds[0]);
	if (rc)
		return -rc;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return strcasestr(said, "busy") ? -EBUSY : -EPERM;
}

/* Without an /etc/mtab, as in a bare chroot, fusermount3 unmounts nothing; umount(8) knows a user's FUSE mount, too. */
int unmount(const char *point, bool lazy)
{
	int rc;

	if (!umount2(point, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)))
		return 0;
	if (errno != EPERM)
		return -errno;
	rc = run_unmounter("fusermount3", lazy ? "-uz" : "-u", point);
	if (rc && rc != -EBUSY)
		rc = run_unmounter("umount", lazy ? "-ql" : "-q", point);
	return rc == -ENOENT ? -EPERM : rc;
}
