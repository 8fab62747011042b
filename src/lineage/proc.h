/*
 * What /proc says of a process (proc(5)). Nothing here waits for a file system but /proc: an open file of a FUSE mount
 * is told of by its fdinfo, never looked at. No lock may be held.
 */
#ifndef TARN_LINEAGE_PROC_H
#define TARN_LINEAGE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct proc_stat {
	pid_t parent;
	uint64_t start; /* clock ticks after boot */
	bool forked;	/* it has not executed a program since it was forked: what it is may change still */
	bool ending;	/* it is about to end, and has no command line any more */
	char name[64];
};

/* Of a process or thread; 0 or -errno. */
int proc_stat(pid_t pid, struct proc_stat *out);
/* The process that a thread belongs to; 0: it is gone. */
pid_t proc_group(pid_t tid);
uid_t proc_uid(pid_t pid);
/* A file in /proc/PID, cut to ROOM - 1 bytes, ended by a NUL; its length or -errno. */
int proc_read(pid_t pid, const char *file, char *text, size_t room);
/* Where a link in /proc/PID leads; "" when that is not told. */
void proc_link(pid_t pid, const char *file, char *text, size_t room);
/* When ticks after boot were, wall clock, ns. */
int64_t proc_time(uint64_t ticks);
/* The value of a variable of its environment, added to VALUE. False: it has none. */
bool proc_environment(pid_t pid, const char *name, struct buf *value);

/* Its open ends of pipes, at most MAX: of those whose both ends it has neither is told. How many. */
struct proc_pipe {
	uint64_t inode;
	bool reads, writes;
	bool input; /* it is standard input */
};
int proc_pipes(pid_t pid, struct proc_pipe *pipes, int max);
/* Its children, at most MAX. How many. */
int proc_children(pid_t pid, pid_t *children, int max);

#endif
