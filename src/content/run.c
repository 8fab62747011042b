#include "content/run.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define RUN_CHECK_NS (2 * NSEC_PER_SEC)
#define RUNS_KEPT 4096 /* then the cache starts anew */
#define ARGV_BYTES 4096

struct known_run {
	UT_hash_handle hh;
	pid_t tid;
	uint64_t start; /* of the thread, clock ticks after boot */
	int64_t checked;
	uint64_t run;
	bool recorded;
};

static pthread_mutex_t runs_lock = PTHREAD_MUTEX_INITIALIZER;
static struct known_run *runs; /* protected by runs_lock */

static int read_proc(pid_t pid, const char *file, char *text, size_t room)
{
	char path[64];
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

static void read_link(pid_t pid, const char *file, char *text, size_t room)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	n = readlink(path, text, room - 1);
	text[n < 0 ? 0 : n] = '\0';
}

/* Field 22 of /proc/PID/stat, counted after the last ')', because a command's name may hold anything (proc(5)). */
static uint64_t start_time(pid_t pid)
{
	char text[1024], *p;

	if (read_proc(pid, "stat", text, sizeof(text)) <= 0)
		return 0;
	p = strrchr(text, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p + 1, NULL, 10) : 0;
}

static pid_t thread_group(pid_t tid)
{
	char text[2048], *p;

	if (read_proc(tid, "status", text, sizeof(text)) <= 0)
		return 0;
	p = strstr(text, "\nTgid:");
	return p ? (pid_t)atoi(p + 6) : 0;
}

static const char *boot_id(void)
{
	static char id[37];
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	SCOPED_LOCK(&lock);

	if (!id[0]) {
		_cleanup_fclose_ FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

		if (!f || fscanf(f, "%36s", id) != 1)
			snprintf(id, sizeof(id), "unknown");
	}
	return id;
}

static void read_argv(pid_t pid, struct buf *json)
{
	char text[ARGV_BYTES];
	int n = read_proc(pid, "cmdline", text, sizeof(text));

	buf_addc(json, '[');
	for (int at = 0; at < n; at += (int)strlen(text + at) + 1) {
		if (at)
			buf_adds(json, ",");
		buf_add_json(json, text + at, strlen(text + at));
	}
	buf_addc(json, ']');
}

/* A run that the store has not seen yet: what /proc says of it, once. */
static void record_new_run(struct lake *lake, uint64_t run, pid_t tgid, uint64_t start, uid_t uid)
{
	char exe[1024], cwd[1024], cgroup[1024];
	_cleanup_buf_ struct buf argv = BUF_INIT;
	struct run_row row = {.id = run, .tgid = tgid, .start = start, .uid = uid};
	struct record *r;

	snprintf(row.boot, sizeof(row.boot), "%s", boot_id());
	read_link(tgid, "exe", exe, sizeof(exe));
	read_link(tgid, "cwd", cwd, sizeof(cwd));
	if (read_proc(tgid, "cgroup", cgroup, sizeof(cgroup)) < 0)
		cgroup[0] = '\0';
	cgroup[strcspn(cgroup, "\n")] = '\0';
	read_argv(tgid, &argv);
	row.exe = exe;
	row.cwd = cwd;
	row.cgroup = cgroup;
	row.argv = buf_str(&argv);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	if (!r)
		return;
	record_run(r, &row);
	store_submit(lake->store, r, NULL);
}

/* 0: it is not known, or not RECORDED. */
static uint64_t cached_run(pid_t tid, bool recorded)
{
	int64_t now = clock_monotonic();
	struct known_run *k;
	uint64_t start;
	SCOPED_LOCK(&runs_lock);

	HASH_FIND_INT(runs, &tid, k);
	if (!k || (recorded && !k->recorded))
		return 0;
	if (now - k->checked < RUN_CHECK_NS)
		return k->run;
	start = start_time(tid);
	if (start == k->start) {
		k->checked = now;
		return k->run;
	}
	HASH_DEL(runs, k);
	free(k);
	return 0;
}

static void forget_all_locked(void)
{
	struct known_run *k, *next;

	HASH_ITER (hh, runs, k, next) {
		HASH_DEL(runs, k);
		free(k);
	}
}

void run_forget_all(void)
{
	SCOPED_LOCK(&runs_lock);

	forget_all_locked();
}

static void remember(pid_t tid, uint64_t start, uint64_t run, bool recorded)
{
	struct known_run *k, *old;
	SCOPED_LOCK(&runs_lock);

	if (HASH_COUNT(runs) >= RUNS_KEPT)
		forget_all_locked();
	HASH_FIND_INT(runs, &tid, old);
	if (old) {
		HASH_DEL(runs, old);
		free(old);
	}
	k = malloc(sizeof(*k));
	if (!k)
		return;
	*k = (struct known_run){
		.tid = tid, .start = start, .checked = clock_monotonic(), .run = run, .recorded = recorded};
	HASH_ADD_INT(runs, tid, k);
}

uint64_t run_of(struct lake *lake, const struct caller *caller, bool changes)
{
	static pthread_mutex_t new_run_lock = PTHREAD_MUTEX_INITIALIZER;
	uint64_t run, start, thread_start;
	pid_t tgid;
	bool known;

	if (!caller->pid)
		return RUN_UNKNOWN;
	run = cached_run(caller->pid, changes);
	if (run)
		return run;
	thread_start = start_time(caller->pid);
	tgid = thread_group(caller->pid);
	start = tgid == caller->pid ? thread_start : tgid ? start_time(tgid) : 0;
	if (!start)
		return RUN_UNKNOWN;

	SCOPED_LOCK(&new_run_lock);
	run = cached_run(caller->pid, changes);
	if (run)
		return run;
	run = store_run(lake->store, boot_id(), tgid, start, changes, &known);
	if (!run)
		return RUN_UNKNOWN;
	if (!known)
		record_new_run(lake, run, tgid, start, caller->uid);
	remember(caller->pid, thread_start, run, changes);
	return run;
}
