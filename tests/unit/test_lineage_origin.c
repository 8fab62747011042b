/*
 * What a file was made from, as far as it follows from what processes did. Pipes are made by real ones, here: a child
 * of this test holds the other end.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lineage/lineage.h"
#include "lineage/proc.h"
#include "tap.h"
#include "test_meta.h"

static struct lineage *l;
static struct store *s;

static void reads(uint64_t run, uint64_t version, const char *name, uint64_t folder, bool own)
{
	lineage_read(l, run, &(struct lineage_input){version, 0, folder, 10, name, own});
}

static int add_edge(void *arg, const struct edge_row *e)
{
	buf_addf(arg, "%d %s, ", (int)e->input, edge_class_name(e->class));
	return 0;
}

/* RUN ends an output; the edges of the version that is cut then. */
static void writes(uint64_t run, const char *name, uint64_t size, bool appends, const char *expected, const char *what)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint64_t node = test_make(s, NODE_ROOT, what, KIND_FILE);
	uint64_t version = test_cut(s, node, VERSION_LIVE, HOW_NONE, 10);
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct origin *o = NULL;

	lineage_wrote(l, run, run, name, size, appends, &o);
	if (o)
		lineage_cut(r, version, o);
	origin_free(&o);
	test_submit(s, r);
	store_edges_up(s, version, add_edge, &b);
	is_str(buf_str(&b), expected, what);
}

static void begin(void)
{
	lineage_new(&l);
	/* versions 1 to 12 are what is read */
	for (char name[] = "a"; name[0] <= 'l'; name[0]++)
		test_cut(s, test_make(s, NODE_ROOT, name, KIND_FILE), VERSION_LIVE, HOW_NONE, 10);
}

static uint64_t meet(uint64_t run, const char *group)
{
	lineage_meet(l, run, 1000000 + (pid_t)run, run, 0, group);
	return run;
}

static void test_jobs(void)
{
	uint64_t run = meet(10, NULL);

	writes(run, "x", 5, false, "", "nothing was read");
	reads(run, 1, "in1.csv", 50, false);
	reads(run, 2, "model.pkl", 51, false);
	writes(run, "out1.csv", 5, false, "1 exact, 2 exact, ", "what was read before");
	writes(run, "out1.log", 5, false, "1 exact, 2 exact, ", "two outputs of the same");
	reads(run, 3, "in2.csv", 50, false);
	writes(run, "out2.csv", 5, false, "1 session, 2 exact, 3 exact, ", "another job has another of its kind");
	reads(run, 4, "summary", 52, true);
	writes(run, "features", 5, false, "1 session, 2 session, 3 session, 4 exact, ",
	       "a step has what the one before wrote");
	writes(11, "y", 5, false, "", "of a run that nobody met nothing is known");
}

static void test_names(void)
{
	uint64_t run = meet(20, NULL);

	reads(run, 1, "a.csv", 50, false);
	reads(run, 2, "b.csv", 50, false);
	writes(run, ".b.csv.Xy12Zw", 10, false, "2 exact, ", "what was read last, with this name and size, is copied");
	run = meet(21, NULL);
	reads(run, 2, "b.csv", 50, false);
	reads(run, 1, "a.csv", 50, false);
	writes(run, "b.csv", 11, false, "1 exact, 2 exact, ", "with another size it is not");
}

static void test_declared(void)
{
	uint64_t one = meet(30, "job-7"), other = meet(31, "job-7"), third = meet(32, "job-8");

	reads(one, 1, "a", 50, false);
	reads(third, 3, "c", 50, false);
	writes(other, "x", 5, false, "1 declared, ", "who has the same TARN_RUN_ID belongs together");
}

static void test_unversioned(void)
{
	uint64_t one = meet(40, NULL), other = meet(41, NULL);
	struct origin *o = NULL;

	reads(one, 1, "a", 50, false);
	lineage_wrote(l, one, one, "x.tmp", 5, false, &o);
	lineage_read_unversioned(l, other, o);
	writes(other, "b", 5, false, "1 pipe, ", "what a file without versions was made from passes through it");
	origin_free(&o);
}

static void meet_real(uint64_t run, pid_t pid)
{
	struct proc_stat st = {0};

	proc_stat(pid, &st);
	lineage_meet(l, run, pid, st.start, st.parent, NULL);
}

/* A child that holds one end of a pipe and waits. */
static pid_t child_with(int keeps, int closes)
{
	pid_t pid = fork();

	if (!pid) {
		close(closes);
		dup2(keeps, 0);
		for (;;)
			pause();
	}
	return pid;
}

static bool has_one_end(pid_t pid, uint64_t inode)
{
	struct proc_pipe pipes[32];
	int n = proc_pipes(pid, pipes, 32);

	while (n-- > 0)
		if (pipes[n].inode == inode)
			return true;
	return false;
}

/* Until it has closed the end that is not its own. */
static void wait_for_one_end(pid_t pid, uint64_t inode)
{
	for (int i = 0; i < 2000 && !has_one_end(pid, inode); i++)
		usleep(5000);
}

static void test_pipes(void)
{
	pid_t writer, pid;
	struct stat st;
	int fds[2];

	if (pipe(fds) < 0 || fstat(fds[0], &st) < 0)
		abort();
	writer = child_with(fds[1], fds[0]);
	pid = child_with(fds[0], fds[1]);
	close(fds[0]);
	close(fds[1]);
	wait_for_one_end(writer, st.st_ino);
	wait_for_one_end(pid, st.st_ino);
	meet_real(50, writer);
	reads(50, 1, "a", 50, false);
	meet_real(51, pid);
	writes(51, "x", 5, false, "1 pipe, ", "what came over a pipe");
	kill(writer, SIGKILL);
	kill(pid, SIGKILL);
	waitpid(writer, NULL, 0);
	waitpid(pid, NULL, 0);
	writes(51, "y", 5, false, "1 pipe, ", "also when both have ended");
}

static void test_many(void)
{
	uint64_t run = meet(55, NULL);
	struct origin *o = NULL;

	for (uint64_t v = 0; v < 3000; v++)
		reads(run, 2000 + v, "x", 50, false);
	for (int i = 0; i < 3000; i++) {
		lineage_wrote(l, run, run, "y", 5, false, &o);
		origin_free(&o);
	}
	reads(run, 1, "a.csv", 50, false);
	writes(run, "z", 5, false, "1 exact, ", "thousands of files read and written, and then one of each");
}

static void test_limits(void)
{
	uint64_t run = meet(60, NULL);
	struct lineage_counts n;

	for (uint64_t v = 1; v <= LINEAGE_READS + 10; v++)
		reads(run, 1000 + v, "x", 50, false);
	lineage_count(l, &n);
	ok(n.dropped == LINEAGE_READS / 2, "of one process so much is remembered, and the rest is counted");
	for (uint64_t i = 0; i < LINEAGE_PROCESSES + 5; i++)
		lineage_meet(l, 1000 + i, 2000000, 1000 + i, 0, NULL);
	lineage_count(l, &n);
	is_int((int)n.processes, LINEAGE_PROCESSES, "as are so many processes");
}

int main(void)
{
	test_begin();
	s = test_open(STORE_CREATE);
	begin();
	test_jobs();
	test_names();
	test_declared();
	test_unversioned();
	test_pipes();
	test_many();
	test_limits();
	lineage_free(l);
	store_close(s);
	return test_end();
}
