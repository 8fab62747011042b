/*
 * Jobs, runs, the change log, totals.
 */
#include "test_meta.h"

#include "base/clock.h"

static void add_job(struct store *s, enum job_type type, uint64_t subject, int64_t due)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	record_job_add(r, type, subject, due);
	test_submit(s, r);
}

static void end_job(struct store *s, uint64_t id)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	record_job_done(r, id);
	test_submit(s, r);
}

static void count_call(void *arg)
{
	++*(_Atomic int *)arg;
}

static void test_jobs(struct store *s)
{
	int64_t due = 0;
	struct job_row jobs[4];
	struct record *r;
	uint64_t first;
	_Atomic int calls = 0;

	store_on_jobs(s, count_call, &calls);
	is_int(store_jobs(s, JOB_SNIFF, INT64_MAX, jobs, 4), 0, "no jobs at first");
	add_job(s, JOB_SNIFF, 10, 300);
	add_job(s, JOB_SNIFF, 11, 100);
	add_job(s, JOB_SNIFF, 12, 200);
	add_job(s, JOB_SETTLE, 10, 100);
	is_int(test_totals(s).jobs, 4, "jobs are counted");
	is_int(store_jobs(s, JOB_SNIFF, 200, jobs, 4), 2, "two are due");
	ok(!store_next_job(s, JOB_SNIFF, &due) && due <= 200, "the first of them is the next");
	is_int(store_next_job(s, JOB_RECALL, &due), -ENOENT, "of another type there is none");
	ok(jobs[0].subject == 11 && jobs[1].subject == 12, "oldest first");
	ok(jobs[0].tries == 0 && jobs[0].type == JOB_SNIFF && jobs[0].id != jobs[1].id, "never tried");
	is_int(store_jobs(s, JOB_SNIFF, INT64_MAX, jobs, 2), 2, "no more than asked for");
	is_int(store_jobs(s, JOB_SNIFF, 99, jobs, 4), 0, "none is due yet");

	store_jobs(s, JOB_SNIFF, INT64_MAX, jobs, 4);
	first = jobs[0].id;
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_job_retry(r, first, 1000, "cannot open");
	test_submit(s, r);
	store_jobs(s, JOB_SNIFF, INT64_MAX, jobs, 4);
	ok(jobs[2].id == first && jobs[2].tries == 1, "one that failed is tried later");

	/* A worker is busy with the job of subject 11 while it is asked for again. */
	add_job(s, JOB_SNIFF, 11, 50);
	is_int(test_totals(s).jobs, 4, "a second one for a subject replaces the first");
	end_job(s, first);
	is_int(store_jobs(s, JOB_SNIFF, INT64_MAX, jobs, 4), 3, "ending the first does not end the second");
	ok(jobs[0].subject == 11 && jobs[0].id != first && jobs[0].tries == 0, "which starts anew");
	for (int i = 0; i < 3; i++)
		end_job(s, jobs[i].id);
	is_int(store_jobs(s, JOB_SNIFF, INT64_MAX, jobs, 4), 0, "all done");
	is_int(store_jobs(s, JOB_SETTLE, INT64_MAX, jobs, 4), 1, "but the other type's");
	end_job(s, jobs[0].id);
	end_job(s, jobs[0].id);
	is_int(test_totals(s).jobs, 0, "ending one twice counts once");
	store_barrier(s, 0);
	ok(calls >= 5, "who wants to know of new jobs is told");
	store_on_jobs(s, NULL, NULL);
	test_whole(s, "whole");
}

static void test_runs(struct store *s)
{
	static const char boot[] = "0f7e0c5e-7a11-4d0c-9d46-2f0b7f0f3a11",
			  other[] = "1f7e0c5e-7a11-4d0c-9d46-2f0b7f0f3a11";
	struct run_row run = {.tgid = 100, .start = 5000, .uid = 1000, .exe = "/usr/bin/vim", .argv = "[\"vim\"]"};
	_cleanup_buf_ struct buf exe = BUF_INIT;
	uint64_t again, third;
	struct record *r;
	bool known;

	memcpy(run.boot, boot, sizeof(boot));
	run.id = store_run(s, boot, 100, 5000, true, &known);
	ok(!known && run.id > RUN_TARN, "a new run gets a number");
	again = store_run(s, boot, 100, 5000, true, &known);
	ok(known && again == run.id, "the same one while it is on its way to the table");
	third = store_run(s, other, 100, 5000, true, &known);
	ok(!known && third != run.id, "another boot is another run");
	third = store_run(s, boot, 100, 5001, true, &known);
	ok(!known && third != run.id, "another start, too");
	again = store_run(s, boot, 100, 5002, false, &known);
	ok(known && again != run.id, "one that only reads has a number, and nobody is to record it");
	third = store_run(s, boot, 100, 5002, true, &known);
	ok(!known && third == again, "until it changes something");
	store_run(s, boot, 100, 5002, true, &known);
	ok(known, "and then once");
	r = record_new(OP_SYSTEM, run.id, 0, 0, 0, NULL);
	record_run(r, &run);
	record_run(r, &run);
	test_submit(s, r);
	for (int i = 0; i < 2000; i++)
		store_run(s, boot, 200 + i, 1, true, &known);
	again = store_run(s, boot, 100, 5000, true, &known);
	ok(known && again == run.id, "and long after");
	is_int(store_run_exe(s, run.id, &exe), 0, "its program");
	is_str(buf_str(&exe), "/usr/bin/vim", "is known");
	is_int(store_run_exe(s, third, &exe), -ENOENT, "that of one which was never recorded is not");
	store_close(s);
	s = test_open(STORE_WRITE);
	again = store_run(s, boot, 100, 5000, true, &known);
	ok(known && again == run.id, "and in the next life");
	third = store_run(s, boot, 99999, 1, true, &known);
	ok(!known && third > run.id + 2000, "where new ones get new numbers");
	store_close(s);
}

static int64_t fake_now;

static int64_t fake_wall(void)
{
	return fake_now;
}

static void test_change_log(struct store *s)
{
	uint64_t commit, second;
	struct record *r;
	int64_t (*wall)(void) = clock_source.wall;
	sqlite3_stmt *st;
	sqlite3 *db;

	clock_source.wall = fake_wall;
	fake_now = INT64_C(4000000000000000000);
	r = record_new(OP_UNLINK, 55, 1234, 66, 77, "a\nname");
	store_submit(s, r, &commit);
	fake_now -= 5 * NSEC_PER_SEC;
	store_submit(s, record_new(OP_READ, RUN_TARN, 0, 0, 0, NULL), &second);
	is_int(second, commit + 1, "commit numbers rise");
	store_sync(s, 0);
	clock_source.wall = wall;
	sqlite3_open(test_path, &db);
	sqlite3_prepare_v2(db, "SELECT time, op, run, uid, node, parent, name FROM change WHERE commit_id >= ?", -1,
			   &st, NULL);
	sqlite3_bind_int64(st, 1, (int64_t)commit);
	is_int(sqlite3_step(st), SQLITE_ROW, "the change is logged");
	ok(sqlite3_column_int64(st, 0) == INT64_C(4000000000000000000) && sqlite3_column_int(st, 1) == OP_UNLINK &&
		   sqlite3_column_int(st, 2) == 55 && sqlite3_column_int(st, 3) == 1234 &&
		   sqlite3_column_int(st, 4) == 66 && sqlite3_column_int(st, 5) == 77,
	   "with all that was said of it");
	is_str((const char *)sqlite3_column_text(st, 6), "a\nname", "and its name");
	sqlite3_step(st);
	is_int(sqlite3_column_int64(st, 0), INT64_C(4000000000000000000),
	       "times do not fall when the clock goes back a little");
	is_int(sqlite3_column_type(st, 6), SQLITE_NULL, "no name where there is none");
	sqlite3_finalize(st);
	sqlite3_close(db);
}

/* Jobs, hashes and counts are no changes: no row each, though commits rise, also over the end of a daemon. */
static void test_bookkeeping(void)
{
	struct store *s = test_open(STORE_WRITE), *reader;
	uint64_t file = test_make(s, NODE_ROOT, "kept-account-of", KIND_FILE), commit, before = test_totals(s).commits;
	uint64_t version = test_cut(s, file, VERSION_LIVE, HOW_NONE, 1);
	const char *why;
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	record_version_facts(r, version, NULL, "text/csv");
	record_opens(r, file, 1);
	record_lake(r, "account", "kept", 4);
	record_job_add(r, JOB_SNIFF, version, 0);
	store_submit(s, r, &commit);
	is_int(store_sync(s, commit), 0, "an account that tarn keeps");
	is_str(test_version(s, version).mime, "text/csv", "is stored");
	is_int(test_totals(s).commits, before + 1, "and is no change");
	is_int(store_open(test_path, STORE_READ, &reader, &why), 0, "a reader");
	is_int(store_visible(reader), commit, "sees which commit it is");
	store_close(reader);
	store_close(s);
	s = test_open(STORE_WRITE);
	is_int(store_last_commit(s), commit, "its number is not used again");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_state(r, version, VERSION_EXPIRED, HOW_NONE, "too old");
	store_submit(s, r, &commit);
	store_sync(s, commit);
	is_int(test_totals(s).commits, before + 2, "what tarn does to a version is a change");
	test_whole(s, "whole");
	store_close(s);
}

static void test_totals_of_names(struct store *s)
{
	struct store_totals t0 = test_totals(s), t;
	uint64_t folder = test_make(s, NODE_ROOT, "totals", KIND_FOLDER), file = test_make(s, folder, "f", KIND_FILE);
	struct record *r;
	struct node_row n;

	test_make(s, folder, "l", KIND_SYMLINK);
	test_make(s, folder, "fifo", KIND_OTHER);
	t = test_totals(s);
	ok(t.files == t0.files + 1 && t.folders == t0.folders + 1 && t.symlinks == t0.symlinks + 1 &&
		   t.bytes == t0.bytes + 10,
	   "what is made is counted");
	is_int(t.commits, t0.commits + 4, "each in a commit");
	store_node(s, file, &n);
	n.size = 500;
	r = record_new(OP_ATTR, RUN_TARN, 0, file, 0, NULL);
	record_node_set(r, &n);
	record_entry_add(r, folder, "link", file);
	test_submit(s, r);
	t = test_totals(s);
	ok(t.files == t0.files + 1 && t.bytes == t0.bytes + 500, "a file counts once, however many names it has");
	test_unlink(s, folder, "f", file);
	is_int(test_totals(s).files, t0.files + 1, "until the last of them");
	test_unlink(s, folder, "link", file);
	t = test_totals(s);
	ok(t.files == t0.files && t.bytes == t0.bytes, "went away");
	store_node(s, file, &n);
	n.size = 900;
	r = record_new(OP_ATTR, RUN_TARN, 0, file, 0, NULL);
	record_node_set(r, &n);
	test_submit(s, r);
	is_int(test_totals(s).bytes, t0.bytes, "one that is still open does not count any more");
	ok(t.store_bytes > 4096, "the store knows its own size");
	test_whole(s, "whole");
}

static int64_t number(const char *sql)
{
	int64_t value = -1;
	sqlite3_stmt *st;
	sqlite3 *db;

	sqlite3_open(test_path, &db);
	sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	if (sqlite3_step(st) == SQLITE_ROW)
		value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return value;
}

static void test_opens(struct store *s)
{
	uint64_t file = test_make(s, NODE_ROOT, "opened", KIND_FILE), before = test_totals(s).opens;
	struct record *r;

	for (int i = 0; i < 2; i++) {
		r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
		record_opens(r, file, 3);
		test_submit(s, r);
		if (i == 0)
			test_cut(s, file, VERSION_LIVE, HOW_NONE, 1);
	}
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_opens(r, file, 4);
	test_submit(s, r);
	is_int(test_totals(s).opens, before + 10, "opens for reading are counted");
	is_int(number("SELECT sum(opens) FROM asset"), 7, "for the series, too, once it has one");
	is_int(number("SELECT sum(count) FROM opens"), 7, "by day");
	is_int(number("SELECT count(*) FROM opens"), 1, "in one row a day");
}

/* The totals are checked against a count, so a wrong one is found. */
static void test_check(void)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct store *s;

	is_int(test_sql(test_path, "UPDATE lake SET value = value + 1 WHERE key = 'store.files'"), SQLITE_OK,
	       "a wrong total");
	s = test_open(STORE_WRITE);
	is_int(store_check(s, false, &why), 0, "a quick check does not count");
	is_int(store_check(s, true, &why), -EUCLEAN, "a full one does");
	diag("%s", buf_str(&why));
	ok(strstr(buf_str(&why), "total files is "), "and says what is wrong");
	store_close(s);
	test_sql(test_path,
		 "UPDATE lake SET value = value - 1 WHERE key = 'store.files';"
		 "UPDATE asset SET readable = readable + 1 WHERE id = 1");
	s = test_open(STORE_WRITE);
	buf_clear(&why);
	is_int(store_check(s, true, &why), -EUCLEAN, "a series that counts wrong");
	diag("%s", buf_str(&why));
	store_close(s);
}

int main(void)
{
	struct store *s;

	test_begin();
	s = test_open(STORE_CREATE);
	test_jobs(s);
	test_totals_of_names(s);
	test_opens(s);
	test_runs(s);
	s = test_open(STORE_WRITE);
	test_change_log(s);
	store_close(s);
	test_bookkeeping();
	test_check();
	return test_end();
}
