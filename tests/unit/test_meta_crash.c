/*
 * A writer that is killed at any moment. What it had been told is durable must be there; what is there must be whole,
 * the records in it complete and without a gap; numbers are never given out twice.
 *
 * The child tells through shared memory what it drew and what was synced; that is as late as the truth, never early.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "test_meta.h"

#define ROUNDS 200

struct told {
	_Atomic uint64_t synced;	     /* highest commit that store_sync() answered for */
	_Atomic uint64_t synced_file;	     /* and the newest file that is then there */
	_Atomic uint64_t node, version, run; /* highest numbers drawn */
	_Atomic uint64_t lowest_node, lowest_version, lowest_run;
	_Atomic uint64_t submitted;
};

static void raise_to(_Atomic uint64_t *what, uint64_t value)
{
	uint64_t was = *what;

	while (was < value && !atomic_compare_exchange_weak(what, &was, value))
		;
}

struct child {
	struct store *s;
	struct told *told;
	int thread;
};

/* File K of this thread has version size K, and a change row, an entry, a node, a job: all or none. */
static void *submit_for_ever(void *arg)
{
	struct child *c = arg;

	for (uint64_t k = 1;; k++) {
		struct node_row n = test_node(c->s, KIND_FILE);
		struct version_row v = {
			.id = store_new_version(c->s), .node = n.id, .size = k, .state = VERSION_LIVE, .settled = true
		};
		struct record *r = record_new(OP_CREATE, RUN_TARN, 0, n.id, NODE_ROOT, NULL);
		uint64_t commit;
		char name[40];
		bool known;

		raise_to(&c->told->node, n.id);
		raise_to(&c->told->version, v.id);
		raise_to(&c->told->run, store_run(c->s, "boot", (pid_t)k, n.id, true, &known));
		snprintf(name, sizeof(name), "n%llu", (unsigned long long)n.id);
		record_node_add(r, &n);
		record_entry_add(r, NODE_ROOT, name, n.id);
		record_version_add(r, &v);
		record_job_add(r, JOB_SNIFF, v.id, 0);
		store_submit(c->s, r, &commit);
		raise_to(&c->told->submitted, commit);
		if (k % 40 == (uint64_t)c->thread && store_sync(c->s, commit) == 0) {
			raise_to(&c->told->synced_file, n.id);
			raise_to(&c->told->synced, commit);
		}
		if (k % 16 == 0)
			usleep(50);
	}
	return NULL;
}

static void child_main(struct told *told)
{
	struct store *s = test_open(STORE_WRITE);
	bool known;
	struct child children[2];
	pthread_t threads[2];

	told->lowest_node = store_new_node(s);
	told->lowest_version = store_new_version(s);
	told->lowest_run = store_run(s, "boot", 0, told->lowest_node, true, &known);
	for (int i = 0; i < 2; i++) {
		children[i] = (struct child){ s, told, i };
		pthread_create(&threads[i], NULL, submit_for_ever, &children[i]);
	}
	pause();
}

static int wrong(const char *what, int round)
{
	diag("round %d: %s", round, what);
	return 1;
}

static int check_records(struct store *s, int round)
{
	struct store_totals t;
	_Atomic int bad = 0;

	store_totals(s, &t);
	/* Each commit made a file, its live version and its job. */
	bad += t.files != t.commits || t.jobs != t.commits;
	bad += store_last_commit(s) != t.commits;
	return bad ? wrong("a record is there in part, or one is missing between others", round) : 0;
}

static int check_round(struct told *told, const struct told *before, int round, bool full)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct store *s;
	struct node_row n;
	char name[40];
	int bad = 0;

	bad += told->lowest_node && told->lowest_node <= before->node && wrong("a node's number came back", round);
	bad += told->lowest_version && told->lowest_version <= before->version &&
	       wrong("a version's number came back", round);
	bad += told->lowest_run && told->lowest_run <= before->run && wrong("a run's number came back", round);
	s = test_open(STORE_WRITE);
	if (store_last_commit(s) < told->synced)
		bad += wrong("a synced commit is gone", round);
	snprintf(name, sizeof(name), "n%llu", (unsigned long long)told->synced_file);
	if (told->synced_file && store_entry(s, NODE_ROOT, name, &n) != 0)
		bad += wrong("a synced file is gone", round);
	if (store_check(s, full, &why) != 0)
		bad += wrong(buf_str(&why), round);
	bad += check_records(s, round);
	bad += told->lowest_node && store_was_clean(s) && wrong("it says it ended clean", round);
	/* A daemon that is killed while it only looks. */
	if (round % 2)
		store_close(s);
	else
		_exit(bad != 0);
	return bad;
}

/* In a child, so that it may end without closing. */
static int check_in_child(struct told *told, const struct told *before, int round, bool full)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int bad = check_round(told, before, round, full);

		_exit(bad != 0);
	}
	waitpid(pid, &status, 0);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

int main(void)
{
	struct told *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct told before = { 0 };
	uint64_t synced = 0;
	unsigned seed = (unsigned)time(NULL);
	int bad = 0, rounds = ROUNDS;
	struct store *s;

	if (getenv("TARN_SANITIZE") && *getenv("TARN_SANITIZE"))
		rounds /= 4;
	test_begin();
	store_close(test_open(STORE_CREATE));
	diag("seed %u", seed);
	for (int i = 0; i < rounds && !bad; i++) {
		pid_t pid;

		fflush(stdout);
		memset(told, 0, sizeof(*told));
		pid = fork();
		if (pid == 0)
			child_main(told);
		/* Every fourth is killed while it opens, perhaps; every other has something to lose. */
		for (int k = 0; i % 4 && !(i % 2 ? told->synced : told->lowest_version) && k < 10000; k++)
			usleep(1000);
		usleep((unsigned)rand_r(&seed) % 25000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		bad = check_in_child(told, &before, i, i % 20 == 0);
		raise_to(&before.node, told->node);
		raise_to(&before.version, told->version);
		raise_to(&before.run, told->run);
		synced += told->synced != 0;
	}
	is_int(bad, 0, "killed at random moments: all that was synced is there, whole, no number twice");
	ok(synced > (uint64_t)rounds / 4, "and there was something to lose");
	s = test_open(STORE_WRITE);
	test_whole(s, "whole at the end");
	diag("%llu commits", (unsigned long long)store_last_commit(s));
	store_close(s);
	munmap(told, sizeof(*told));
	return test_end();
}
