/*
 * Opening, closing, and files that are no store.
 */
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "test_meta.h"

#include "base/log.h"

static int try_open(enum store_mode mode, const char **why)
{
	struct store *s = NULL;
	int err = store_open(test_path, mode, &s, why);

	if (!err)
		store_close(s);
	return err;
}

static void write_file(const void *bytes, size_t len)
{
	_cleanup_close_ int fd = open(test_path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	if (write(fd, bytes, len) != (ssize_t)len)
		ok(false, "a file is written");
}

static void test_modes(void)
{
	const char *why;
	struct store *s, *second;
	struct stat st;

	is_int(try_open(STORE_WRITE, &why), -ENOENT, "nothing to write to");
	is_int(try_open(STORE_READ, &why), -ENOENT, "nothing to read");
	s = test_open(STORE_CREATE);
	ok(store_was_clean(s), "a new store is clean");
	is_int(store_open(test_path, STORE_WRITE, &second, &why), -EBUSY, "a second writer is refused");
	ok(why && strstr(why, "another program"), "and told why");
	is_int(store_open(test_path, STORE_CREATE, &second, &why), -EBUSY, "nor can one be made meanwhile");
	is_int(store_open(test_path, STORE_READ, &second, &why), 0, "a reader is let in");
	test_make(s, NODE_ROOT, "bucket", KIND_FOLDER);
	is_int(store_visible(second), store_visible(s), "and sees the newest commit");
	is_int(store_submit(second, record_new(OP_SYSTEM, 0, 0, 0, 0, NULL), NULL), -EROFS, "but cannot write");
	is_int(store_close(second), 0, "the reader ends");
	is_int(store_close(s), 0, "the writer ends");
	is_int(try_open(STORE_CREATE, &why), -EEXIST, "one that is there is not made again");
	stat(test_path, &st);
	is_int(st.st_mode & 0777, 0600, "it is the owner's alone");
	s = test_open(STORE_WRITE);
	ok(store_was_clean(s), "clean after a clean end");
	is_int(store_last_commit(s), 1, "commits go on where they were");
	store_close(s);
}

static void test_path_of_folder(void)
{
	char cwd[4096];
	const char *why;
	struct store *s;
	struct node_row n;

	if (!getcwd(cwd, sizeof(cwd)) || chdir(test_folder) < 0)
		abort();
	is_int(store_open("tarn.db", STORE_WRITE, &s, &why), 0, "a path without a folder");
	if (chdir("/") < 0)
		abort();
	is_int(store_node(s, NODE_ROOT, &n), 0, "reads after the working directory changed");
	store_close(s);
	if (chdir(cwd) < 0)
		abort();
}

static void test_killed(void)
{
	struct store *s;
	struct node_row n;
	const char *why;
	pid_t child = fork();

	if (child == 0) {
		s = test_open(STORE_WRITE);
		test_make(s, NODE_ROOT, "before-the-end", KIND_FOLDER);
		store_sync(s, 0);
		kill(getpid(), SIGKILL);
	}
	waitpid(child, NULL, 0);
	is_int(store_open(test_path, STORE_READ, &s, &why), 0, "a reader opens what a killed daemon left");
	is_int(store_entry(s, NODE_ROOT, "before-the-end", &n), 0, "and sees its last commit");
	store_close(s);
	s = test_open(STORE_WRITE);
	ok(!store_was_clean(s), "the next writer knows that it was not clean");
	is_int(store_entry(s, NODE_ROOT, "before-the-end", &n), 0, "and has the commit, too");
	ok(store_new_node(s) > n.id + 1000, "the numbers that were reserved are not used again");
	store_close(s);
}

static void test_numbers(void)
{
	struct store *s = test_open(STORE_WRITE);
	uint64_t first = store_new_node(s), last = first, version = store_new_version(s);
	bool rising = true;

	for (int i = 0; i < 200000; i++) {
		uint64_t next = store_new_node(s);

		rising &= next == last + 1;
		last = next;
	}
	ok(rising, "200,000 numbers, more than are reserved at a time, one after the other");
	store_close(s);
	s = test_open(STORE_WRITE);
	is_int(store_new_node(s), last + 1, "after a clean end no number is lost");
	is_int(store_new_version(s), version + 1, "nor of a version");
	store_close(s);
}

static void load(const char *file)
{
	const char *source = getenv("TARN_SOURCE");
	_cleanup_free_ char *sql = NULL;
	char path[512];
	FILE *f;
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/tests/data/%s", source ? source : ".", file);
	f = fopen(path, "re");
	if (!f || getdelim(&sql, &len, 0, f) <= 0)
		abort();
	fclose(f);
	is_int(test_sql(test_path, sql), SQLITE_OK, "a database of an older schema is made");
}

static int see_name(void *arg, const struct past_entry *e)
{
	struct buf *names = arg;

	buf_addf(names, "%s ", e->name);
	return 0;
}

static const char *then(struct store *s, const char *folder_path, uint64_t commit)
{
	static struct buf names;
	struct node_row folder = {.id = NODE_ROOT};
	char path[64], *save, *name;

	buf_release(&names);
	names = (struct buf)BUF_INIT;
	snprintf(path, sizeof(path), "%s", folder_path);
	for (name = strtok_r(path, "/", &save); name; name = strtok_r(NULL, "/", &save))
		store_entry_at(s, folder.id, name, commit, &folder);
	store_entries_at(s, folder.id, commit, NULL, see_name, &names);
	return buf_str(&names);
}

static void test_from_schema_1(void)
{
	struct version_row v;
	struct store_totals t;
	struct store *s;
	uint64_t commit;
	const char *why;

	test_remove_store();
	load("store-schema-1.sql");
	is_int(try_open(STORE_READ, &why), -EPROTONOSUPPORT, "a reader does not migrate schema 1");
	s = test_open(STORE_WRITE);
	test_whole(s, "a writer does, and then the store is whole");
	is_str(then(s, "raw-data/deep", 10), "a.csv b.csv link ", "a folder as it was before the migration");
	is_str(then(s, "raw-data/deeper", 17), "a.csv b.csv link ", "and after it was renamed");
	is_str(then(s, "raw-data", 15), "deep gone ", "a deleted file");
	is_str(then(s, "raw-data", 18), "deeper ", "what had no version is not shown");
	is_int(store_version_of_node_at(s, 4, 5, &v), 0, "a file as it was");
	ok(v.id == 1 && v.end_commit == 6 && v.end_time == INT64_C(1763708000000000000) && v.stored == 100,
	   "its first version ended with the second");
	store_version_of_node_at(s, 4, 6, &v);
	ok(v.id == 2 && v.end_commit == 7 && v.state == VERSION_NOT_KEPT, "the second was not kept");
	store_version_of_node_at(s, 4, COMMIT_LIVE, &v);
	ok(v.id == 3 && v.end_commit == COMMIT_LIVE && !v.end_time, "the third is live");
	store_version_of_node_at(s, 8, 15, &v);
	ok(v.id == 6 && v.end_commit == 16, "that of a deleted file ended with it");
	store_version_of_node_at(s, 6, 12, &v);
	ok(v.id == 4 && v.end_commit == 13, "that of a replaced one, too");
	is_int(store_commit_at(s, INT64_C(1763751200000000001), &commit), 0, "times are known");
	is_int(commit, 8, "to the commit");
	store_totals(s, &t);
	is_int(t.stored_bytes, 220, "what is kept occupies what its files do");
	test_make(s, NODE_ROOT, "new", KIND_FOLDER);
	is_str(then(s, "", COMMIT_LIVE), "new raw-data ", "and life goes on");
	store_close(s);
}

static void test_from_schema_2(void)
{
	struct cloud_row c;
	struct version_row v;
	struct store_totals t;
	struct node_row n;
	struct store *s;
	const char *why;

	test_remove_store();
	load("store-schema-2.sql");
	is_int(try_open(STORE_READ, &why), -EPROTONOSUPPORT, "a reader does not migrate schema 2");
	s = test_open(STORE_WRITE);
	test_whole(s, "a writer does, and then the store is whole");
	is_str(then(s, "raw-data", COMMIT_LIVE), "BUCKET_INFO.txt a.csv e link ", "a folder as it is");
	is_str(then(s, "raw-data", 26), "BUCKET_INFO.txt a.csv d gone link ", "and as it was");
	is_int(store_node(s, 12, &n), 0, "a file");
	ok(!n.stub && !n.pin && n.version == 11, "is here, and not pinned");
	is_int(n.opened / 1000000000, 1796047094, "it was opened when it was changed last, as far as that is known");
	store_node(s, 14, &n);
	is_int(n.opened / 1000000000, 1796047093, "so was one that was never opened");
	is_int(store_version(s, 8, &v), 0, "an old version");
	ok(v.state == VERSION_KEPT && v.how == HOW_UNDO && v.stored == 12, "is kept as it was");
	is_int(store_cloud_of_version(s, 11, &c), -ENOENT, "nothing is in the cloud");
	store_totals(s, &t);
	ok(t.files == 7 && t.versions_kept == 2 && !t.stubs && !t.uploaded && !t.cloud, "nor counted there");
	test_make(s, NODE_ROOT, "new", KIND_FOLDER);
	test_whole(s, "and life goes on");
	store_close(s);
}

static int add_tag(void *arg, const char *tag, uint64_t count)
{
	buf_addf(arg, "%s %d, ", tag, (int)count);
	return 0;
}

static void test_from_schema_3(void)
{
	_cleanup_buf_ struct buf tags = BUF_INIT;
	struct job_row jobs[16];
	struct store *s;
	const char *why;

	test_remove_store();
	load("store-schema-3.sql");
	is_int(try_open(STORE_READ, &why), -EPROTONOSUPPORT, "a reader does not migrate schema 3");
	s = test_open(STORE_WRITE);
	test_whole(s, "a writer does, and then the store is whole");
	store_tags_of(s, 13, TAG_ATTRIBUTE, add_tag, &tags);
	is_str(buf_str(&tags), "customer data 1, pii 1, ", "tags that an attribute had are known");
	buf_clear(&tags);
	store_tags(s, add_tag, &tags);
	is_str(buf_str(&tags), "customer data 1, folder 1, pii 1, ", "a folder's, too, not those of what is gone");
	is_int(store_jobs(s, JOB_SNIFF, INT64_MAX, jobs, 16), 6, "all live versions are to be described");
	ok(jobs[0].id == 10 && jobs[5].id == 15, "by jobs with numbers of their own");
	test_make(s, NODE_ROOT, "new", KIND_FOLDER);
	test_whole(s, "and life goes on");
	store_close(s);
}

static int name_run(void *arg, const struct run_row *r)
{
	buf_addf(arg, "%s %d, ", r->exe, (int)r->parent);
	return r->id == RUN_TARN;
}

/* Schema 4 is schema 5 without what that added. */
static void test_from_schema_4(void)
{
	_cleanup_buf_ struct buf runs = BUF_INIT;
	uint64_t edges = 1;
	struct store *s;
	const char *why;

	is_int(test_sql(test_path,
			"DROP INDEX tag_declared; DROP TABLE quality; DROP TABLE edge; ALTER TABLE run DROP COLUMN "
			"parent;"
			"ALTER TABLE run DROP COLUMN began; ALTER TABLE run DROP COLUMN wrote;"
			"ALTER TABLE run DROP COLUMN name; PRAGMA user_version = 4"),
	       SQLITE_OK, "a store of schema 4");
	is_int(try_open(STORE_READ, &why), -EPROTONOSUPPORT, "a reader does not migrate schema 4");
	s = test_open(STORE_WRITE);
	test_whole(s, "a writer does, and then the store is whole");
	store_runs(s, 0, name_run, &runs);
	is_str(buf_str(&runs), "unknown 0, outside 0, tarn 0, ", "its runs are known");
	ok(!store_count_edges(s, &edges) && !edges, "and it knows of no lineage yet");
	store_close(s);
}

/* A step that only adds: a store without what it adds. */
static void test_from_schema_5(void)
{
	struct store *s;
	sqlite3 *db;

	test_remove_store();
	s = test_open(STORE_CREATE);
	test_make(s, NODE_ROOT, "old", KIND_FOLDER);
	store_close(s);
	ok(!sqlite3_open(test_path, &db) &&
		   !sqlite3_exec(db, "DROP INDEX tag_declared; DROP TABLE quality; PRAGMA user_version = 5", NULL, NULL,
				 NULL),
	   "a store of schema 5");
	sqlite3_close(db);
	s = test_open(STORE_WRITE);
	is_int(store_quality(s, 1, NULL, NULL), -ENOENT, "is brought up to date");
	test_whole(s, "and is whole");
	store_close(s);
}

static void test_schemas(void)
{
	const char *why = NULL;
	struct store *s;
	struct node_row n;

	test_sql(test_path, "PRAGMA user_version = 8");
	is_int(try_open(STORE_WRITE, &why), -EPROTONOSUPPORT, "a store of a newer tarn");
	ok(why && strchr(why, '8') && strchr(why, '6'), "whose words name both schemas");
	diag("%s", why);
	is_int(try_open(STORE_READ, &why), -EPROTONOSUPPORT, "not for reading either");
	test_sql(test_path, "PRAGMA user_version = 6");
	is_int(try_open(STORE_WRITE, &why), 0, "it opens again when its number is right");
	test_sql(test_path, "PRAGMA application_id = 99");
	is_int(try_open(STORE_WRITE, &why), -EUCLEAN, "another program's database");
	diag("%s", why);
	test_remove_store();
	/* Schema 0 is an empty database with tarn's mark: what STORE_CREATE starts from. */
	test_sql(test_path, "PRAGMA application_id = 0x7461726e");
	is_int(try_open(STORE_READ, &why), -EPROTONOSUPPORT, "an older schema is not migrated by a reader");
	diag("%s", why);
	s = test_open(STORE_WRITE);
	is_int(store_node(s, NODE_ROOT, &n), 0, "a writer brings schema 0 up to date");
	test_whole(s, "and then it is whole");
	store_close(s);
	test_sql(test_path, "PRAGMA user_version = 0");
	is_int(try_open(STORE_WRITE, &why), -EUCLEAN, "a migration that fails");
	diag("%s", why);
	test_sql(test_path, "PRAGMA user_version = 6");
	s = test_open(STORE_WRITE);
	test_whole(s, "changed nothing");
	store_close(s);
}

static void test_garbage(void)
{
	static unsigned char noise[8192];
	const char *why = NULL;
	unsigned seed = 1;

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (unsigned char)(rand_r(&seed) >> 8);
	test_remove_store();
	write_file("", 0);
	is_int(try_open(STORE_WRITE, &why), -EUCLEAN, "an empty file");
	diag("%s", why);
	is_int(try_open(STORE_READ, &why), -EUCLEAN, "read");
	write_file(noise, sizeof(noise));
	is_int(try_open(STORE_WRITE, &why), -EUCLEAN, "noise");
	diag("%s", why);
	is_int(try_open(STORE_READ, &why), -EUCLEAN, "read");
	ok(why != NULL, "with words");
	test_remove_store();
	is_int(mkdir(test_path, 0700), 0, "a folder in its place");
	is_int(try_open(STORE_WRITE, &why), -EUCLEAN, "is no store");
	diag("%s", why);
	rmdir(test_path);
}

static int read_all(void *arg, const struct asset_row *a)
{
	(void)a;
	(*(int *)arg)++;
	return 0;
}

/* Whatever is wrong with it, the program goes on and says so; -1 when it crashed. */
static int survive(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		_cleanup_buf_ struct buf words = BUF_INIT;
		const char *why = NULL;
		struct store *s;
		int files = 0, err = store_open(test_path, STORE_WRITE, &s, &why);

		log_set_level(LOG_LEVEL_ERROR);
		if (err)
			_exit(why && err != -EIO ? 1 : 2);
		store_check(s, true, &words);
		store_assets(s, NULL, read_all, &files);
		test_make(s, NODE_ROOT, "x", KIND_FILE);
		store_close(s);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_damage(void)
{
	_cleanup_free_ unsigned char *whole = NULL;
	struct store *s = test_open(STORE_CREATE);
	int refused = 0, lived = 0, crashed = 0, wordless = 0, err = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int out = dup(1), err_was = dup(2);
	unsigned seed = 7;
	struct stat st;
	FILE *f;

	for (int i = 0; i < 500; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i);
		test_make(s, NODE_ROOT, name, KIND_FILE);
	}
	store_close(s);
	stat(test_path, &st);
	whole = malloc((size_t)st.st_size);
	f = fopen(test_path, "r");
	if (!whole || fread(whole, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
		abort();
	fclose(f);
	fflush(stdout);
	dup2(err, 1);
	dup2(err, 2);
	for (int i = 0; i < 120; i++) {
		size_t len = (size_t)st.st_size;
		int got;

		if (i % 3 == 0)
			len = (size_t)rand_r(&seed) % len;
		write_file(whole, len);
		if (i % 3) {
			int fd = open(test_path, O_WRONLY);

			for (int k = 0; k < 1 + i % 7; k++) {
				unsigned char byte = (unsigned char)rand_r(&seed);
				off_t at = rand_r(&seed) % (i % 3 == 1 ? 4096 : (int)st.st_size);

				if (pwrite(fd, &byte, 1, at) != 1)
					abort();
			}
			close(fd);
		}
		got = survive();
		crashed += got < 0;
		refused += got == 1;
		wordless += got == 2;
		lived += got == 0;
		test_remove("-wal");
		test_remove("-shm");
	}
	fflush(stdout);
	dup2(out, 1);
	dup2(err_was, 2);
	close(out);
	close(err_was);
	close(err);
	is_int(crashed, 0, "120 damaged files: no crash");
	is_int(wordless, 0, "each that was refused was refused with words");
	diag("%d refused, %d opened", refused, lived);
	ok(refused > 40, "most were refused");
}

int main(void)
{
	test_begin();
	test_modes();
	test_path_of_folder();
	test_killed();
	test_numbers();
	test_schemas();
	test_from_schema_1();
	test_from_schema_2();
	test_from_schema_3();
	test_from_schema_4();
	test_from_schema_5();
	test_garbage();
	test_damage();
	return test_end();
}
