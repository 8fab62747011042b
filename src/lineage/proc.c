#include "lineage/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define FORKED_NOT_EXECUTED 0x40 /* PF_FORKNOEXEC, include/linux/sched.h */
#define ENDING 0x4		 /* PF_EXITING */
#define FIELD_PARENT 4
#define FIELD_FLAGS 9
#define FIELD_START 22
#define ENVIRONMENT_MOST (128 * 1024)

int proc_read(pid_t pid, const char *file, char *text, size_t room)
{
	char path[320];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, room - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return (int)n;
}

void proc_link(pid_t pid, const char *file, char *text, size_t room)
{
	char path[320];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	n = readlink(path, text, room - 1);
	text[n < 0 ? 0 : n] = '\0';
}

/* Fields are counted after the last ')', because a command's name may hold anything. */
int proc_stat(pid_t pid, struct proc_stat *out)
{
	char text[1024], *open, *p;
	int n = proc_read(pid, "stat", text, sizeof(text));
	unsigned long flags = 0;

	if (n <= 0)
		return n ? n : -ESRCH;
	*out = (struct proc_stat){0};
	open = strchr(text, '(');
	p = strrchr(text, ')');
	if (!open || !p)
		return -EBADMSG;
	snprintf(out->name, sizeof(out->name), "%.*s", (int)(p - open - 1), open + 1);
	for (int field = 2; p && field < FIELD_START; p = strchr(p + 1, ' '), field++) {
		if (field == FIELD_PARENT)
			out->parent = (pid_t)strtol(p, NULL, 10);
		else if (field == FIELD_FLAGS)
			flags = strtoul(p, NULL, 10);
	}
	out->start = p ? strtoull(p + 1, NULL, 10) : 0;
	out->forked = flags & FORKED_NOT_EXECUTED;
	out->ending = flags & ENDING;
	return out->start ? 0 : -EBADMSG;
}

/* The number after KEY at the beginning of a line of /proc/PID/status; 0: it is gone. */
static long status_number(pid_t pid, const char *key)
{
	char text[2048], *p;

	if (proc_read(pid, "status", text, sizeof(text)) <= 0)
		return 0;
	p = strstr(text, key);
	return p ? strtol(p + strlen(key), NULL, 10) : 0;
}

pid_t proc_group(pid_t tid)
{
	return (pid_t)status_number(tid, "\nTgid:");
}

uid_t proc_uid(pid_t pid)
{
	return (uid_t)status_number(pid, "\nUid:");
}

int64_t proc_time(uint64_t ticks)
{
	struct timespec now, up;
	int64_t boot;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	boot = (now.tv_sec - up.tv_sec) * NSEC_PER_SEC + now.tv_nsec - up.tv_nsec;
	return boot + (int64_t)(ticks * (uint64_t)(NSEC_PER_SEC / sysconf(_SC_CLK_TCK)));
}

bool proc_environment(pid_t pid, const char *name, struct buf *value)
{
	char *text = malloc(ENVIRONMENT_MOST);
	int n = text ? proc_read(pid, "environ", text, ENVIRONMENT_MOST) : 0;
	size_t len = strlen(name);
	bool found = false;

	for (char *p = text; n > 0 && !found && p < text + n; p += strlen(p) + 1) {
		found = !strncmp(p, name, len) && p[len] == '=';
		if (found)
			buf_adds(value, p + len + 1);
	}
	free(text);
	return found;
}

/* ---- pipes ---- */

static bool pipe_inode(int dirfd, const char *fd, uint64_t *inode)
{
	char target[64];
	ssize_t n = readlinkat(dirfd, fd, target, sizeof(target) - 1);

	if (n <= 0)
		return false;
	target[n] = '\0';
	return sscanf(target, "pipe:[%lu]", inode) == 1;
}

static bool is_writable_end(pid_t pid, const char *fd)
{
	char name[280], text[256], *p;

	snprintf(name, sizeof(name), "fdinfo/%s", fd);
	if (proc_read(pid, name, text, sizeof(text)) <= 0)
		return false;
	p = strstr(text, "flags:");
	return p && (strtoul(p + 6, NULL, 8) & O_ACCMODE) != O_RDONLY;
}

static void add_end(struct proc_pipe *pipes, int *n, int max, uint64_t inode, bool writes, bool input)
{
	int i = 0;

	while (i < *n && pipes[i].inode != inode)
		i++;
	if (i == max)
		return;
	if (i == *n)
		pipes[(*n)++] = (struct proc_pipe){.inode = inode};
	pipes[i].writes |= writes;
	pipes[i].reads |= !writes;
	pipes[i].input |= input;
}

int proc_pipes(pid_t pid, struct proc_pipe *pipes, int max)
{
	char path[32];
	struct dirent *d;
	int n = 0, kept = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		uint64_t inode;

		if (pipe_inode(dirfd(dir), d->d_name, &inode))
			add_end(pipes, &n, max, inode, is_writable_end(pid, d->d_name), !strcmp(d->d_name, "0"));
	}
	if (dir)
		closedir(dir);
	for (int i = 0; i < n; i++)
		if (pipes[i].reads != pipes[i].writes)
			pipes[kept++] = pipes[i];
	return kept;
}

int proc_children(pid_t pid, pid_t *children, int max)
{
	char file[48], text[4096], *p = text, *end;
	int n = 0;

	snprintf(file, sizeof(file), "task/%d/children", (int)pid);
	if (proc_read(pid, file, text, sizeof(text)) <= 0)
		return 0;
	while (n < max) {
		long child = strtol(p, &end, 10);

		if (end == p)
			break;
		children[n++] = (pid_t)child;
		p = end;
	}
	return n;
}
