/*
 * On whose behalf the daemon acts, and acting as them.
 *
 * What is created belongs to the caller. The daemon's threads keep their capabilities while they switch the file
 * system ids (SECBIT_NO_SETUID_FIXUP): the kernel has checked permissions already (default_permissions), so only the
 * owner of what is made has to be right. Two capabilities are given up for the whole process at start: CAP_SYS_RESOURCE
 * (else any user would eat the blocks that a disk reserves for root and pass quotas) and CAP_FSETID (else writes under
 * passthrough would not take set-id bits away). All others stay.
 */
#ifndef TARN_BASE_CALLER_H
#define TARN_BASE_CALLER_H

#include <stdbool.h>
#include <sys/types.h>

struct caller {
	uid_t uid;
	gid_t gid;
	pid_t pid; /* the thread that calls; 0: from outside this pid namespace */
	mode_t umask;
};

/* Once, before any other thread starts. 0, or -errno: this process cannot act for others (it still acts as itself). */
int caller_prepare_process(void);
/* Can this process give files to others? False for an ordinary user. */
bool caller_can_switch(void);
/*
 * Between the two calls this thread creates as C: fsuid, fsgid and umask are the caller's. Errors are impossible once
 * caller_prepare_process() succeeded; without it both do nothing but set the umask.
 */
void caller_enter(const struct caller *c);
void caller_leave(void);
/*
 * Calls FN(ARG) in a thread of its own that is C altogether: its ids and groups, and none of our capabilities, so that
 * the kernel's own checks answer what C may do. For root, and for the daemon's user where it cannot switch, it is just
 * called. FN's answer, or -errno: -EPERM for another user where this process cannot switch.
 */
int caller_run(const struct caller *c, int (*fn)(void *arg), void *arg);
/* The supplementary groups of C's process, from /proc: a malloc'ed array of *n (0 when it is gone). 0 or -errno. */
int caller_groups(const struct caller *c, gid_t **groups, int *n);

#endif
