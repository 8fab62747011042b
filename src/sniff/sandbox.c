#include "sniff/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534
#define MEMORY (UINT64_C(1) << 30)
#define DESCRIPTORS 16

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) || \
	__has_feature(thread_sanitizer)
#define RELAXED 1
#else
#define RELAXED 0
#endif

bool sandbox_is_relaxed(void)
{
	return RELAXED;
}

/* ---- who it is ---- */

/* A root that may not change its user, as in a container with one user only, stays what it is: system calls by which it
 * could make use of that are refused all the same. */
static int become_nobody(void)
{
	if (geteuid())
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return errno == EPERM || errno == EINVAL ? 0 : -errno;
	return 0;
}

/* ---- how much ---- */

static int limit(int what, rlim_t most)
{
	const struct rlimit l = {most, most};

	return setrlimit(what, &l) < 0 ? -errno : 0;
}

static int set_limits(void)
{
	int rc = limit(RLIMIT_CORE, 0);

	if (!rc)
		rc = limit(RLIMIT_NOFILE, DESCRIPTORS);
	if (!rc && !RELAXED)
		rc = limit(RLIMIT_FSIZE, 0);
	if (!rc && !RELAXED)
		rc = limit(RLIMIT_NPROC, 0);
	if (!rc && !RELAXED)
		rc = limit(RLIMIT_AS, MEMORY);
	return rc;
}

void sandbox_allow_seconds(unsigned seconds)
{
	struct timespec used = {0};
	struct rlimit l;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	if (getrlimit(RLIMIT_CPU, &l) < 0)
		return;
	l.rlim_cur = (rlim_t)used.tv_sec + seconds + 1;
	setrlimit(RLIMIT_CPU, &l);
}

/* ---- which system calls ---- */

static const int allowed[] = {
	/* the file, and the daemon */
	SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(readv), SCMP_SYS(preadv), SCMP_SYS(lseek), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(fadvise64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(sendto),
	SCMP_SYS(sendmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(close),
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	/* time, locks, chance */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(futex),
	SCMP_SYS(sched_yield), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(getrandom), SCMP_SYS(getrusage),
	SCMP_SYS(prlimit64), SCMP_SYS(getrlimit), SCMP_SYS(setrlimit), SCMP_SYS(restart_syscall),
	/* itself, and its end */
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(tgkill), SCMP_SYS(exit), SCMP_SYS(exit_group)};

/* A sanitizer has a thread of its own, maps its shadow, and writes a report of what it found. */
static const int allowed_relaxed[] = {SCMP_SYS(mmap),
				      SCMP_SYS(mprotect),
				      SCMP_SYS(open),
				      SCMP_SYS(openat),
				      SCMP_SYS(readlink),
				      SCMP_SYS(clone),
				      SCMP_SYS(clone3),
				      SCMP_SYS(prctl),
				      SCMP_SYS(stat),
				      SCMP_SYS(dup),
				      SCMP_SYS(ftruncate),
				      SCMP_SYS(getppid),
				      SCMP_SYS(set_robust_list),
				      SCMP_SYS(rseq),
				      SCMP_SYS(sched_getaffinity)};

static int allow(scmp_filter_ctx filter, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Memory, but not to execute. */
static int allow_data(scmp_filter_ctx filter)
{
	int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return rc;
}

static int refuse_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = filter ? allow(filter, allowed, sizeof(allowed) / sizeof(allowed[0])) : -ENOMEM;

	if (!rc && RELAXED)
		rc = allow(filter, allowed_relaxed, sizeof(allowed_relaxed) / sizeof(allowed_relaxed[0]));
	else if (!rc)
		rc = allow_data(filter);
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

int sandbox_enter(void)
{
	int rc = become_nobody();

	if (!rc)
		rc = set_limits();
	if (!rc && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0))
		rc = -errno;
	return rc ? rc : refuse_calls();
}
