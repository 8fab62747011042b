#include "cli/holders.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static bool lies_in(const char *path, const char *point)
{
	size_t len = strlen(point);

	return !strncmp(path, point, len) && (path[len] == '/' || !path[len]);
}

/* Does the link NAME below DIRFD lead into POINT? Its target goes to PATH. */
static bool leads_into(int dirfd, const char *name, const char *point, char path[PATH_MAX])
{
	ssize_t n = readlinkat(dirfd, name, path, PATH_MAX - 1);

	if (n <= 0)
		return false;
	path[n] = '\0';
	return lies_in(path, point);
}

/* How a process uses POINT: what it has there goes to PATH. */
static bool uses(int proc, const char *point, char path[PATH_MAX])
{
	static const char *const links[] = {"cwd", "root", "exe"};
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *e;
	int fd;

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (leads_into(proc, links[i], point, path))
			return true;
	}
	fd = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d && fd >= 0)
		close(fd);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] != '.' && leads_into(dirfd(d), e->d_name, point, path))
			return true;
	}
	return false;
}

/* A file that is only mapped has no descriptor left; its name stands at the end of a line of maps. */
static bool maps(int proc, const char *point, char path[PATH_MAX])
{
	int fd = openat(proc, "maps", O_RDONLY | O_CLOEXEC);
	_cleanup_fclose_ FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	if (!f && fd >= 0)
		close(fd);
	while (f && getline(&line, &room, f) >= 0) {
		const char *name = strchr(line, '/');

		if (!name || !lies_in(name, point))
			continue;
		snprintf(path, PATH_MAX, "%.*s", (int)strcspn(name, "\n"), name);
		return true;
	}
	return false;
}

static void describe(int proc, const char *pid, const char *path, struct buf *out)
{
	_cleanup_close_ int fd = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
	char name[64] = "?";
	ssize_t n = fd >= 0 ? read(fd, name, sizeof(name) - 1) : -1;

	if (n > 0)
		name[n] = '\0';
	name[strcspn(name, "\n")] = '\0';
	buf_addf(out, "%s%s (pid %s, %s)", out->len ? ", " : "", name, pid, path);
}

int holders_describe(const char *point, pid_t except, int max, struct buf *out)
{
	_cleanup_closedir_ DIR *procs = opendir("/proc");
	char path[PATH_MAX];
	struct dirent *e;
	int found = 0;

	while (procs && found < max && (e = readdir(procs))) {
		_cleanup_close_ int proc = -1;

		if (e->d_name[0] < '1' || e->d_name[0] > '9' || atol(e->d_name) == getpid() ||
		    atol(e->d_name) == except)
			continue;
		proc = openat(dirfd(procs), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (proc < 0 || (!uses(proc, point, path) && !maps(proc, point, path)))
			continue;
		describe(proc, e->d_name, path, out);
		found++;
	}
	return found;
}
