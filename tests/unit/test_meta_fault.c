/*
 * A store that cannot write: injected errors, and a real one (a file may not grow).
 */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "test_meta.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Submits a file under ROOT; its node. */
static uint64_t submit_file(struct store *s, const char *name, uint64_t *commit)
{
	struct node_row n = test_node(s, KIND_FILE);
	struct record *r = record_new(OP_CREATE, RUN_TARN, 0, n.id, NODE_ROOT, name);

	record_node_add(r, &n);
	record_entry_add(r, NODE_ROOT, name, n.id);
	record_job_add(r, JOB_SNIFF, n.id, 0);
	is_int(store_submit(s, r, commit), 0, "a record is taken");
	return n.id;
}

static void test_injected(int err, const char *what)
{
	struct store *s = test_open(STORE_WRITE);
	struct store_totals before = test_totals(s), after;
	struct node_row n;
	uint64_t commit, second, node;
	double start;

	store_fail_commits(s, 0, 2, err);
	node = submit_file(s, what, &commit);
	start = now();
	is_int(store_sync(s, commit), err == -ENOMEM ? -ENOMEM : err, what);
	ok(now() - start < 0.5, "sync does not wait for the next try");
	start = now();
	ok(store_barrier(s, commit) < 0 && now() - start < 0.5, "neither does a barrier");
	ok(store_visible(s) < commit, "nothing of it can be seen");
	is_int(store_is_full(s), err == -ENOSPC, "whether it is for want of room is known");
	is_int(store_entry(s, NODE_ROOT, what, &n), -ENOENT, "indeed");
	is_int(store_submit(s, record_new(OP_READ, RUN_TARN, 0, 0, 0, NULL), &second), 0, "records are still taken");
	start = now();
	while (store_sync(s, 0) < 0 && now() - start < 10)
		usleep(20000);
	ok(now() - start > 0.5 && now() - start < 5, "it is tried again each second, until it works");
	is_int(store_entry(s, NODE_ROOT, what, &n), 0, "then it is there");
	is_int(n.id, node, "as it was said");
	is_int(store_visible(s), second, "with what came later");
	after = test_totals(s);
	ok(after.files == before.files + 1 && after.jobs == before.jobs + 1 && after.commits == before.commits + 2,
	   "what was applied twice is counted once");
	test_whole(s, "whole");
	is_int(store_close(s), 0, "closed without an error");
}

static void test_later(void)
{
	struct store *s = test_open(STORE_WRITE);
	uint64_t first, second;

	store_fail_commits(s, 1, 1, -EIO);
	submit_file(s, "first", &first);
	is_int(store_sync(s, first), 0, "the commit before the one that fails");
	submit_file(s, "second", &second);
	is_int(store_sync(s, second), -EIO, "the one that fails");
	is_int(store_sync(s, first), 0, "what is durable stays so");
	is_int(store_barrier(s, first), 0, "and visible");
	is_int(store_close(s), 0, "closing tries once more");
	s = test_open(STORE_WRITE);
	ok(store_was_clean(s), "and ends clean");
	is_int(store_last_commit(s), second, "with all commits");
	store_close(s);
}

static void test_close_fails(void)
{
	struct store *s = test_open(STORE_WRITE);
	struct node_row n;
	uint64_t commit, reserved = store_new_node(s);

	store_fail_commits(s, 0, 1000, -ENOSPC);
	submit_file(s, "lost", &commit);
	is_int(store_close(s), -ENOSPC, "closing says that the queue was lost");
	s = test_open(STORE_WRITE);
	ok(!store_was_clean(s), "it did not end clean");
	is_int(store_entry(s, NODE_ROOT, "lost", &n), -ENOENT, "what was never durable is not there");
	ok(store_new_node(s) > reserved + 1000, "its numbers are not used again");
	test_whole(s, "whole");
	store_close(s);
}

/* A copy of the database file alone, without its WAL. */
static int files_without_wal(void)
{
	_cleanup_free_ char *bytes = malloc(8 << 20);
	char name[128];
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int count = -1;
	FILE *f = fopen(test_path, "r"), *to;
	size_t len = fread(bytes, 1, 8 << 20, f);

	fclose(f);
	snprintf(name, sizeof(name), "%s/copy", test_folder);
	to = fopen(name, "w");
	fwrite(bytes, 1, len, to);
	fclose(to);
	sqlite3_open(name, &db);
	if (sqlite3_prepare_v2(db, "SELECT count(*) FROM change", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		count = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	unlink(name);
	snprintf(name, sizeof(name), "%s/copy-wal", test_folder);
	unlink(name);
	snprintf(name, sizeof(name), "%s/copy-shm", test_folder);
	unlink(name);
	return count;
}

static int sync_inside(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	struct store *s = arg;
	uint64_t commit;

	(void)name;
	(void)node;
	(void)kind;
	submit_file(s, "distrusted", &commit);
	for (int i = 0; i < 300 && store_visible(s) < commit; i++)
		usleep(10000);
	is_int(store_sync(s, commit), -EIO, "a reader keeps the WAL from being left: not durable");
	ok(store_visible(s) >= commit, "though it can be seen");
	return 1;
}

/* After a failed fsync the WAL is not trusted: what is called durable then lies in the database file. */
static void test_fsync(void)
{
	struct store *s = test_open(STORE_WRITE);
	uint64_t commit;

	submit_file(s, "fsync-1", &commit);
	is_int(store_sync(s, commit), 0, "an fsync that works");
	ok(files_without_wal() < (int)commit, "leaves the change in the WAL");
	store_fail_fsyncs(s, 0, 1);
	submit_file(s, "fsync-2", &commit);
	is_int(store_sync(s, commit), -EIO, "one that does not is told");
	for (int i = 0; i < 200 && store_sync(s, commit); i++)
		usleep(20000);
	is_int(store_sync(s, commit), 0, "when it works again");
	is_int(files_without_wal(), commit, "all is in the database file");
	submit_file(s, "fsync-3", &commit);
	is_int(store_sync(s, commit), 0, "from then on the WAL is trusted");
	is_int(files_without_wal(), commit - 1, "again");

	store_fail_fsyncs(s, 0, 1);
	submit_file(s, "fsync-4", &commit);
	is_int(store_sync(s, commit), -EIO, "another failure");
	is_int(store_entries(s, NODE_ROOT, sync_inside, s), 1, "while somebody reads");
	for (int i = 0; i < 400 && store_sync(s, 0); i++)
		usleep(20000);
	is_int(store_sync(s, 0), 0, "it is durable once the reader has ended");
	is_int(files_without_wal(), store_last_commit(s), "in the database file");
	test_whole(s, "whole");
	is_int(store_close(s), 0, "closed");
}

struct filler {
	struct store *s;
	_Atomic long submitted;
	_Atomic bool done;
};

static void *fill(void *arg)
{
	struct filler *f = arg;
	char *value = calloc(1, 65536);

	for (int i = 0; i < 1200; i++) {
		struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

		record_lake(r, "filler", value, 65536);
		store_submit(f->s, r, NULL);
		f->submitted++;
	}
	f->done = true;
	free(value);
	return NULL;
}

/* 64 MiB wait at most; then store_submit() does. */
static void test_full_queue(void)
{
	struct filler f = { .s = test_open(STORE_WRITE) };
	pthread_t thread;
	long before = -1;
	int same = 0;

	store_fail_commits(f.s, 0, 1000000, -ENOSPC);
	pthread_create(&thread, NULL, fill, &f);
	for (int i = 0; i < 600 && same < 5; i++) {
		same = before == f.submitted && before > 0 ? same + 1 : 0;
		before = f.submitted;
		usleep(50000);
	}
	ok(same == 5 && !f.done && before > 300 && before < 1100, "a full queue makes submitters wait");
	store_fail_commits(f.s, 0, 0, -ENOSPC);
	pthread_join(thread, NULL);
	is_int(f.submitted, 1200, "until it is written");
	is_int(store_sync(f.s, 0), 0, "all of it");
	store_close(f.s);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit = { bytes, RLIM_INFINITY };

	setrlimit(RLIMIT_FSIZE, &limit);
}

/* SQLite itself fails: no file of the process may grow any more. */
static void test_real(void)
{
	struct store *s = test_open(STORE_WRITE);
	uint64_t commit;
	int err = 0, good = 0;
	char name[32];
	struct node_row n;

	signal(SIGXFSZ, SIG_IGN);
	limit_files(300 * 1024);
	for (int i = 0; i < 100 && !err; i++) {
		for (int k = 0; k < 50; k++) {
			snprintf(name, sizeof(name), "real-%d", good + k);
			n = test_node(s, KIND_FILE);
			struct record *r = record_new(OP_CREATE, RUN_TARN, 0, n.id, NODE_ROOT, name);

			record_node_add(r, &n);
			record_entry_add(r, NODE_ROOT, name, n.id);
			store_submit(s, r, &commit);
		}
		err = store_sync(s, commit);
		good += err ? 0 : 50;
	}
	ok(err == -EIO || err == -ENOSPC, "a real error of writing is told");
	ok(good > 0, "what came before it is durable");
	limit_files(RLIM_INFINITY);
	for (int i = 0; i < 100 && (err = store_sync(s, 0)); i++)
		usleep(50000);
	is_int(err, 0, "it works again when there is room");
	snprintf(name, sizeof(name), "real-%d", good + 49);
	is_int(store_entry(s, NODE_ROOT, name, &n), 0, "and nothing was lost");
	test_whole(s, "whole");
	is_int(store_close(s), 0, "closed");
}

int main(void)
{
	test_begin();
	store_close(test_open(STORE_CREATE));
	test_injected(-ENOSPC, "no space");
	test_injected(-EIO, "an I/O error");
	test_injected(-ENOMEM, "no memory");
	test_later();
	test_close_fails();
	test_fsync();
	test_full_queue();
	test_real();
	return test_end();
}
