/*
 * Securebits and capabilities belong to a thread and are inherited by the threads that it starts later: set once in
 * the first thread, they hold in all. setfsuid(2) and setfsgid(2) act on the calling thread alone. The umask is shared
 * by the threads of a process until one leaves with unshare(CLONE_FS); after that it is this thread's own.
 *
 * The supplementary groups are dropped, so that root's own groups never count as the caller's.
 */
#include "base/caller.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

static bool can_switch; /* set once, before there are threads */
static uid_t own_uid;	/* likewise */
static gid_t own_gid;	/* likewise */
static _Thread_local bool has_own_umask;
static _Thread_local mode_t saved_umask;

struct capabilities {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static int capabilities_get(struct capabilities *caps)
{
	memset(caps, 0, sizeof(*caps));
	caps->header.version = _LINUX_CAPABILITY_VERSION_3;
	return syscall(SYS_capget, &caps->header, caps->data) < 0 ? -errno : 0;
}

static bool capabilities_have(const struct capabilities *caps, int cap)
{
	return caps->data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

static int capabilities_drop(struct capabilities *caps, int cap)
{
	struct __user_cap_data_struct *d = &caps->data[CAP_TO_INDEX(cap)];

	d->effective &= ~CAP_TO_MASK(cap);
	d->permitted &= ~CAP_TO_MASK(cap);
	d->inheritable &= ~CAP_TO_MASK(cap);
	return syscall(SYS_capset, &caps->header, caps->data) < 0 ? -errno : 0;
}

/* All checks come first, so that a process that cannot switch is left as it was. */
static int check_capabilities(const struct capabilities *caps)
{
	static const int needed[] = {CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!capabilities_have(caps, needed[i]))
			return -EPERM;
	}
	return 0;
}

int caller_prepare_process(void)
{
	struct capabilities caps;
	int bits, r;

	r = capabilities_get(&caps);
	if (r == 0)
		r = check_capabilities(&caps);
	if (r < 0)
		return r;
	bits = prctl(PR_GET_SECUREBITS);
	if (bits < 0 || prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP) < 0)
		return -errno;
	if (setgroups(0, NULL) < 0)
		return -errno;
	r = capabilities_drop(&caps, CAP_SYS_RESOURCE);
	if (r == 0)
		r = capabilities_drop(&caps, CAP_FSETID);
	if (r < 0)
		return r;
	own_uid = geteuid();
	own_gid = getegid();
	can_switch = true;
	return 0;
}

bool caller_can_switch(void)
{
	return can_switch;
}

void caller_enter(const struct caller *c)
{
	if (!has_own_umask)
		has_own_umask = unshare(CLONE_FS) == 0;
	saved_umask = umask(c->umask);
	if (!can_switch)
		return;
	setfsgid(c->gid);
	setfsuid(c->uid);
}

void caller_leave(void)
{
	if (can_switch) {
		setfsuid(own_uid);
		setfsgid(own_gid);
	}
	umask(saved_umask);
}

/* Room for all numbers of LINE; a line of N bytes holds at most N / 2 of them. */
static int parse_groups(const char *line, gid_t **groups, int *n)
{
	gid_t *list = malloc((strlen(line) / 2 + 1) * sizeof(*list));
	char *end;

	if (!list)
		return -ENOMEM;
	for (*n = 0;; line = end) {
		unsigned long id = strtoul(line, &end, 10);

		if (end == line)
			break;
		list[(*n)++] = (gid_t)id;
	}
	*groups = list;
	return 0;
}

/* The file system uid, the last of the four numbers after "Uid:". */
static bool is_uid(const char *numbers, uid_t uid)
{
	unsigned int fsuid;

	return sscanf(numbers, "%*u %*u %*u %u", &fsuid) == 1 && fsuid == uid;
}

int caller_groups(const struct caller *c, gid_t **groups, int *n)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	char path[32];
	size_t room = 0;

	*groups = NULL;
	*n = 0;
	if (c->pid <= 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)c->pid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOMEM || errno == EMFILE || errno == ENFILE ? -errno : 0;
	while (getline(&line, &room, f) > 0) {
		/* Another user's process has taken the number: its groups are not the caller's. */
		if (strncmp(line, "Uid:", 4) == 0 && !is_uid(line + 4, c->uid))
			return 0;
		if (strncmp(line, "Groups:", 7) == 0)
			return parse_groups(line + 7, groups, n);
	}
	return 0;
}

/* ---- being the caller ---- */

struct errand {
	const struct caller *caller;
	int (*fn)(void *arg);
	void *arg;
	int rc;
};

/* The raw calls act on this thread alone, which then ends; libc's would act on all. */
static int become(const struct caller *c)
{
	struct capabilities none = {.header.version = _LINUX_CAPABILITY_VERSION_3};
	_cleanup_free_ gid_t *groups = NULL;
	int n, rc = caller_groups(c, &groups, &n);

	if (rc < 0)
		return rc;
	if (syscall(SYS_setgroups, n, groups) < 0 || syscall(SYS_setresgid, c->gid, c->gid, c->gid) < 0 ||
	    syscall(SYS_setresuid, c->uid, c->uid, c->uid) < 0 || syscall(SYS_capset, &none.header, none.data) < 0)
		return -errno;
	return 0;
}

static void *errand_main(void *arg)
{
	struct errand *e = arg;

	e->rc = become(e->caller);
	if (!e->rc)
		e->rc = e->fn(e->arg);
	return NULL;
}

int caller_run(const struct caller *c, int (*fn)(void *arg), void *arg)
{
	struct errand e = {.caller = c, .fn = fn, .arg = arg};
	pthread_t thread;
	int rc;

	if (c->uid == 0 || (!can_switch && c->uid == geteuid()))
		return fn(arg);
	if (!can_switch)
		return -EPERM;
	rc = pthread_create(&thread, NULL, errand_main, &e);
	if (rc)
		return -rc;
	pthread_join(thread, NULL);
	return e.rc;
}
