#include "content/run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lineage/patience.h"
#include "lineage/proc.h"
#include "lineage/redact.h"

#define RUN_CHECK_NS (2 * NSEC_PER_SEC)
#define RUNS_KEPT 4096 /* then the cache starts anew */
#define ARGV_BYTES 4096
#define PARENTS_TOLD 8	 /* a script, make, a scheduler… */
#define FORKED_CHECKS 16 /* so often it is asked whether a fork has executed its program */

struct known_run {
	UT_hash_handle hh;
	pid_t tid;
	uint64_t start; /* of the thread, clock ticks after boot */
	int64_t checked;
	uint64_t run;
	bool recorded;
	int forked; /* so often it may still be asked whether it is another program by now; 0: it is what it is */
};

static pthread_mutex_t runs_lock = PTHREAD_MUTEX_INITIALIZER;
static struct known_run *runs; /* protected by runs_lock */

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

/* What a process is, as far as it is told. */
struct program {
	char exe[1024], cwd[1024], cgroup[1024];
	struct buf argv, name;
};

static void program_release(struct program *p)
{
	buf_release(&p->argv);
	buf_release(&p->name);
}
#define _cleanup_program_ __attribute__((cleanup(program_release)))

static void read_argv(struct lake *lake, pid_t pid, struct buf *json)
{
	struct settings *settings = lake_settings(lake);
	char text[ARGV_BYTES];
	int n = proc_read(pid, "cmdline", text, sizeof(text));

	redact_words(text, n > 0 ? (size_t)n : 0, settings->redact, json);
	settings_unref(settings);
}

/* One that is ending has a name only. */
static void read_program(struct lake *lake, pid_t pid, const struct proc_stat *st, struct program *p)
{
	proc_link(pid, "exe", p->exe, sizeof(p->exe));
	if (!p->exe[0])
		snprintf(p->exe, sizeof(p->exe), "%s", st->name);
	proc_link(pid, "cwd", p->cwd, sizeof(p->cwd));
	if (proc_read(pid, "cgroup", p->cgroup, sizeof(p->cgroup)) < 0)
		p->cgroup[0] = '\0';
	p->cgroup[strcspn(p->cgroup, "\n")] = '\0';
	read_argv(lake, pid, &p->argv);
	if (!proc_environment(pid, "TARN_RUN_NAME", &p->name))
		proc_environment(pid, "TARN_RUN_ID", &p->name);
}

static uint64_t tell_parents(struct lake *lake, pid_t pid, int depth);

/* What /proc says of a run that the store has not seen yet, or that is another program by now. */
static void record_program(struct lake *lake, uint64_t run, pid_t pid, const struct proc_stat *st, uid_t uid, int depth)
{
	_cleanup_program_ struct program p = {0};
	struct run_row row = {.id = run, .tgid = pid, .start = st->start, .uid = uid, .began = proc_time(st->start)};
	struct record *r;

	read_program(lake, pid, st, &p);
	snprintf(row.boot, sizeof(row.boot), "%s", boot_id());
	if (atomic_load(&lake->lineage_on))
		row.parent = tell_parents(lake, st->parent, depth + 1);
	row.exe = p.exe;
	row.cwd = p.cwd;
	row.cgroup = p.cgroup;
	row.argv = buf_str(&p.argv);
	row.name = p.name.len ? buf_str(&p.name) : NULL;
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	if (!r)
		return;
	record_run(r, &row);
	store_submit(lake->store, r, NULL);
}

/* The run that PID is, told with all above it; 0: it is none. */
static uint64_t tell_parents(struct lake *lake, pid_t pid, int depth)
{
	struct proc_stat st;
	bool known = true;
	uint64_t run;

	if (pid <= 1 || depth > PARENTS_TOLD || proc_stat(pid, &st) < 0)
		return 0;
	run = store_run(lake->store, boot_id(), pid, st.start, true, &known);
	if (!known)
		record_program(lake, run, pid, &st, proc_uid(pid), depth);
	return run;
}

/* A program that the store is to be told of. */
struct telling {
	struct lake *lake;
	uint64_t run;
	pid_t pid;
	struct proc_stat stat;
	uid_t uid;
};

static void tell_now(void *arg)
{
	const struct telling *t = arg;

	record_program(t->lake, t->run, t->pid, &t->stat, t->uid, 0);
}

/* It asks about its parents, too: see patience.h. The store may hear of it late. */
static void tell_program(struct lake *lake, uint64_t run, pid_t pid, const struct proc_stat *st, uid_t uid)
{
	struct telling *t = malloc(sizeof(*t));

	if (!t)
		return;
	*t = (struct telling){lake, run, pid, *st, uid};
	patience_do(tell_now, t);
}

/* 0: it is not known, or not RECORDED. */
static uint64_t cached_run(pid_t tid, bool recorded)
{
	int64_t now = clock_monotonic();
	struct known_run *k;
	struct proc_stat st;
	SCOPED_LOCK(&runs_lock);

	HASH_FIND_INT(runs, &tid, k);
	if (!k || (recorded && !k->recorded))
		return 0;
	if (now - k->checked < RUN_CHECK_NS)
		return k->run;
	if (!proc_stat(tid, &st) && st.start == k->start) {
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

static void remember(pid_t tid, const struct proc_stat *st, uint64_t run, bool recorded)
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
	*k = (struct known_run){.tid = tid,
				.start = st->start,
				.checked = clock_monotonic(),
				.run = run,
				.recorded = recorded,
				.forked = st->forked ? FORKED_CHECKS : 0};
	HASH_ADD_INT(runs, tid, k);
}

uint64_t run_known(pid_t tid, bool *recorded)
{
	struct known_run *k;
	SCOPED_LOCK(&runs_lock);

	HASH_FIND_INT(runs, &tid, k);
	*recorded = k && k->recorded;
	return k ? k->run : 0;
}

/* Is it to be asked what TID is by now? */
static bool may_have_executed(pid_t tid)
{
	struct known_run *k;
	SCOPED_LOCK(&runs_lock);

	HASH_FIND_INT(runs, &tid, k);
	return k && k->recorded && k->forked && k->forked--;
}

static void note_executed(pid_t tid)
{
	struct known_run *k;
	SCOPED_LOCK(&runs_lock);

	HASH_FIND_INT(runs, &tid, k);
	if (k)
		k->forked = 0;
}

void run_look_again(struct lake *lake, const struct caller *caller, uint64_t run)
{
	struct proc_stat st;

	if (!may_have_executed(caller->pid) || proc_stat(caller->pid, &st) < 0 || st.forked)
		return;
	note_executed(caller->pid);
	tell_program(lake, run, caller->pid, &st, caller->uid);
}

static void meet(struct lake *lake, uint64_t run, pid_t pid, const struct proc_stat *st)
{
	_cleanup_buf_ struct buf group = BUF_INIT;

	if (!atomic_load(&lake->lineage_on))
		return;
	proc_environment(pid, "TARN_RUN_ID", &group);
	lineage_meet(lake->lineage, run, pid, st->start, st->parent, group.len ? buf_str(&group) : NULL);
}

static uint64_t find_out(struct lake *lake, const struct caller *caller, bool changes, pid_t pid,
			 const struct proc_stat *thread, const struct proc_stat *group, bool *met)
{
	static pthread_mutex_t new_run_lock = PTHREAD_MUTEX_INITIALIZER;
	uint64_t run;
	bool known;
	SCOPED_LOCK(&new_run_lock);

	run = cached_run(caller->pid, changes);
	*met = run;
	if (run)
		return run;
	run = store_run(lake->store, boot_id(), pid, group->start, changes, &known);
	if (!run)
		return RUN_UNKNOWN;
	/* one that was told as somebody's parent may be another program by now */
	if (!known || (changes && caller->pid == pid))
		tell_program(lake, run, pid, group, caller->uid);
	remember(caller->pid, thread, run, changes);
	return run;
}

uint64_t run_of(struct lake *lake, const struct caller *caller, bool changes)
{
	struct proc_stat thread, group;
	uint64_t run;
	pid_t pid;
	bool met;

	if (!caller->pid)
		return RUN_UNKNOWN;
	run = cached_run(caller->pid, changes);
	if (run)
		return run;
	pid = proc_stat(caller->pid, &thread) < 0 ? 0 : proc_group(caller->pid);
	if (!pid)
		return RUN_UNKNOWN;
	if (pid == caller->pid)
		group = thread;
	else if (proc_stat(pid, &group) < 0)
		return RUN_UNKNOWN;
	run = find_out(lake, caller, changes, pid, &thread, &group, &met);
	if (!met && run > RUN_TARN)
		meet(lake, run, pid, &group);
	return run;
}
