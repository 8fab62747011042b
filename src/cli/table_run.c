/*
 * The command of a table. What it prints goes to a file beside the table's, which takes its place when all of it is
 * there: so readers see the old version or the new one, and a command that fails changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/catalog.h"
#include "cli/cli.h"

#define LOOK_NS 20000000

static volatile sig_atomic_t interrupted;

static void on_signal(int signo)
{
	(void)signo;
	interrupted = 1;
}

/* ---- may it be run? ---- */

static int only_ours(const char *path, mode_t kind)
{
	struct stat st;

	if (lstat(path, &st) < 0) {
		say("%s: %m", path);
		return -errno;
	}
	if ((st.st_mode & S_IFMT) == kind && (st.st_uid == geteuid() || !st.st_uid) && !(st.st_mode & 022))
		return 0;
	say("%s: its command is not run: others than you can write this", path);
	return -EPERM;
}

static int may_run(const char *lake, const struct declared_table *t)
{
	_cleanup_buf_ struct buf folder = BUF_INIT, tables = BUF_INIT, file = BUF_INIT;
	int rc;

	buf_addf(&folder, "%s/config", lake);
	buf_addf(&tables, "%s/tables", buf_str(&folder));
	buf_addf(&file, "%s/%s", buf_str(&tables), t->file);
	if (buf_error(&folder) || buf_error(&tables) || buf_error(&file))
		return -ENOMEM;
	rc = only_ours(buf_str(&folder), S_IFDIR);
	if (!rc)
		rc = only_ours(buf_str(&tables), S_IFDIR);
	return rc ? rc : only_ours(buf_str(&file), S_IFREG);
}

/* ---- the process ---- */

/* In a group of its own, so that what it starts ends with it. */
static pid_t start(const char *point, const char *command, int out)
{
	pid_t pid = fork();
	int null;

	if (pid)
		return pid;
	setpgid(0, 0);
	null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || chdir(point) < 0)
		_exit(127);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static int wait_for(pid_t pid, const struct declared_table *t)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	int64_t until = clock_monotonic() + t->timeout * NSEC_PER_SEC;
	int status, rc = 0;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0 && !rc) {
		if (interrupted || clock_monotonic() > until)
			rc = interrupted ? -EINTR : -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	kill(-pid, SIGKILL); /* and what it has left behind */
	if (!got)
		waitpid(pid, &status, 0);
	if (rc == -ETIMEDOUT)
		say("%s: its command took more than %" PRId64 " seconds", t->name, t->timeout);
	else if (!rc && WIFSIGNALED(status))
		say("%s: its command was ended by signal %d", t->name, WTERMSIG(status));
	else if (!rc && WEXITSTATUS(status))
		say("%s: its command ended with %d", t->name, WEXITSTATUS(status));
	return rc ? rc : status ? -ECHILD : 0;
}

static void catch_signals(void)
{
	struct sigaction act = {.sa_handler = on_signal};

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
}

static int run_into(const char *point, const struct declared_table *t, int fd)
{
	mode_t mask = umask(0);
	pid_t pid;
	int rc;

	umask(mask);
	catch_signals();
	pid = start(point, t->command, fd);
	if (pid < 0)
		return -errno;
	setpgid(pid, pid);
	rc = wait_for(pid, t);
	if (!rc && fchmod(fd, 0666 & ~mask) < 0)
		rc = -errno;
	return rc;
}

int table_run(const char *lake, const char *point, const struct declared_table *t)
{
	_cleanup_buf_ struct buf target = BUF_INIT, temporary = BUF_INIT;
	_cleanup_close_ int fd = -1;
	int rc = may_run(lake, t);

	if (rc)
		return rc;
	buf_addf(&target, "%s/%s", point, t->path);
	buf_addf(&temporary, "%s.XXXXXX.tmp", buf_str(&target));
	if (buf_error(&target) || buf_error(&temporary))
		return -ENOMEM;
	fd = mkostemps(temporary.data, 4, O_CLOEXEC);
	rc = fd < 0 ? -errno : run_into(point, t, fd);
	if (fd >= 0 && close(steal_fd(&fd)) < 0 && !rc)
		rc = -errno;
	if (!rc && rename(temporary.data, target.data) < 0)
		rc = -errno;
	if (rc)
		unlink(temporary.data);
	if (rc && rc != -ECHILD && rc != -ETIMEDOUT)
		say("%s: %s", buf_str(&target), strerror(-rc));
	return rc;
}
