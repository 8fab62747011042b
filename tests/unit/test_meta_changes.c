/*
 * A copy of the store elsewhere: a snapshot and the changes since give the same rows, whatever happened in between.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "meta/changes.h"
#include "test_meta.h"

#define SECRET "--password=the-secret"

static char kept[96], copy_path[96];

/* What is in every table but the numbers that are given out ahead, as one text. */
static char *dump(const char *path)
{
	static const char *const tables[] = {"node",	  "entry",	"asset",  "opens",   "version", "change",
					     "run",	  "job",	"object", "pack",    "label",	"lake",
					     "node_past", "folder_day", "synced", "not_kept", "tag",
					     "schema",	  "description"};
	struct buf all = BUF_INIT;
	sqlite3 *db = NULL;

	sqlite3_open(path, &db);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		char sql[256];
		sqlite3_stmt *st = NULL;

		snprintf(sql, sizeof(sql), "SELECT * FROM %s %s", tables[i],
			 !strcmp(tables[i], "lake") ? "WHERE key NOT IN ('store.next.node', 'store.next.version', "
						      "'store.next.run', 'store.clean', 'store.syncs', "
						      "'store.last.commit', 'store.last.time')"
						    : "");
		if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
			diag("%s: %s", sql, sqlite3_errmsg(db));
		while (sqlite3_step(st) == SQLITE_ROW) {
			buf_addf(&all, "%s:", tables[i]);
			for (int c = 0; c < sqlite3_column_count(st); c++) {
				if (!strcmp(sqlite3_column_name(st, c), "argv"))
					continue;
				buf_add_json(&all, sqlite3_column_blob(st, c), (size_t)sqlite3_column_bytes(st, c));
				buf_addc(&all, ' ');
			}
			buf_addc(&all, '\n');
		}
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
	return buf_detach(&all);
}

static bool same_rows(const char *a, const char *b)
{
	_cleanup_free_ char *one = dump(a), *other = dump(b);
	char *p = one, *q = other;

	if (!strcmp(one, other))
		return true;
	while (*p == *q)
		p++, q++;
	while (p > one && p[-1] != '\n')
		p--, q--;
	diag("%.200s", p);
	diag("%.200s", q);
	return false;
}

static int file_holds(const char *path, const char *text)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *bytes = malloc(1 << 24);
	size_t len = f ? fread(bytes, 1, 1 << 24, f) : 0;

	return memmem(bytes, len, text, strlen(text)) != NULL;
}

/* The closed files, in the order of their commits; how many. */
static int closed(char names[][CHANGES_NAME], int room)
{
	struct dirent **list = NULL;
	int n = scandir(kept, &list, NULL, alphasort), found = 0;
	uint64_t from, to;

	for (int i = 0; i < n; i++) {
		if (!changes_parse_name(list[i]->d_name, &from, &to) && found < room)
			memcpy(names[found++], list[i]->d_name, CHANGES_NAME);
		free(list[i]);
	}
	free(list);
	return found;
}

static void *slurp(const char *name, size_t *len)
{
	char path[192];
	_cleanup_fclose_ FILE *f = NULL;
	void *bytes = malloc(1 << 24);

	snprintf(path, sizeof(path), "%s/%s", kept, name);
	f = fopen(path, "re");
	*len = f ? fread(bytes, 1, 1 << 24, f) : 0;
	return bytes;
}

static void add_run(struct store *s)
{
	bool known;
	struct run_row run = {.boot = "boot",
			      .tgid = 7,
			      .start = store_last_commit(s),
			      .uid = 1000,
			      .exe = "/bin/sh",
			      .argv = "[\"sh\", \"" SECRET "\"]",
			      .cwd = "/",
			      .cgroup = "/c"};
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	run.id = store_run(s, run.boot, run.tgid, run.start, true, &known);
	record_run(r, &run);
	test_submit(s, r);
}

/* A bit of everything. */
static void change(struct store *s, unsigned *seed, int steps)
{
	static uint64_t files[64];
	char name[32];

	for (int i = 0; i < steps; i++) {
		unsigned k = (unsigned)rand_r(seed) % 64;

		snprintf(name, sizeof(name), "f%u", k);
		if (!files[k])
			files[k] = test_make(s, NODE_ROOT, name, KIND_FILE);
		switch (rand_r(seed) % 5) {
		case 0:
			test_cut(s, files[k], VERSION_LIVE, HOW_NONE, (uint64_t)rand_r(seed) % 5000);
			break;
		case 1:
			test_unlink(s, NODE_ROOT, name, files[k]);
			files[k] = 0;
			break;
		case 2:
			add_run(s);
			break;
		case 3: {
			struct record *r = record_new(OP_XATTR, RUN_TARN, 0, files[k], 0, NULL);

			record_node_xattrs(r, files[k], "attributes", 10);
			record_opens(r, files[k], 3);
			record_lake(r, "a key", "a value", 7);
			test_submit(s, r);
			break;
		}
		default:
			test_cut(s, files[k], VERSION_KEPT, HOW_ASIDE, 10);
		}
	}
}

/* Applies what is closed to the copy, FROM the first file. */
static int replay(int from)
{
	char names[16][CHANGES_NAME];
	int n = closed(names, 16), rc = 0;
	struct store *s = NULL;
	const char *why;

	if (store_open(copy_path, STORE_WRITE, &s, &why))
		return -EIO;
	for (int i = from; i < n && !rc; i++) {
		size_t len;
		_cleanup_free_ void *bytes = slurp(names[i], &len);

		rc = store_replay(s, bytes, len);
	}
	if (!rc)
		rc = store_barrier(s, 0);
	test_whole(s, "the copy is whole");
	if (store_close(s))
		rc = -EIO;
	return rc;
}

static void remove_copy(void)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-lock", "-reserve"};

	for (int i = 0; i < 5; i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s", copy_path, suffixes[i]);
		unlink(path);
	}
}

/* A record that cannot be committed at first. */
static void fail_once(struct store *s)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	record_lake(r, "late", "later", 5);
	store_submit(s, r, NULL);
	for (int i = 0; i < 100 && store_barrier(s, 0); i++)
		usleep(100000);
	is_int(store_barrier(s, 0), 0, "what failed is committed in the end");
}

static bool at_once(void *arg)
{
	(void)arg;
	return true;
}

static void test_copy(void)
{
	struct store *s = test_open(STORE_CREATE);
	char names[16][CHANGES_NAME];
	uint64_t last = 1, at = 0, from, to;
	unsigned seed = 11;
	_cleanup_free_ void *bytes = NULL;
	size_t len;

	is_int(store_changes_keep(s, kept, false, &last), 0, "changes are kept");
	is_int((int64_t)last, 0, "from the first commit on");
	is_int(store_changes_cut(s), 0, "nothing is closed while nothing changed");
	change(s, &seed, 100);
	is_int(store_snapshot(s, copy_path, false, NULL, NULL, &at), 0, "a snapshot");
	is_int((int64_t)at, (int64_t)store_visible(s), "is as of the last commit");
	ok(!file_holds(copy_path, SECRET), "without command lines");
	is_int(store_changes_cut(s), 1, "a file of changes is closed");
	change(s, &seed, 200);
	is_int(store_changes_cut(s), 1, "another one");
	/* A group that fails is taken back, and comes again. */
	store_fail_commits(s, 0, 2, -ENOSPC);
	fail_once(s);
	change(s, &seed, 100);
	store_close(s);
	s = test_open(STORE_WRITE);
	is_int(store_changes_keep(s, kept, false, &last), 0, "changes are kept by the next writer");
	change(s, &seed, 50);
	is_int(store_changes_cut(s), 1, "what it did is a file, too");
	is_int(closed(names, 16), 4, "what the one before left open was closed");
	is_int(store_changes_forgot(s), false, "nothing was forgotten");
	store_close(s);
	for (int i = 0; i < 4; i++) {
		free(bytes);
		bytes = slurp(names[i], &len);
		changes_parse_name(names[i], &from, &to);
		is_int(changes_check(bytes, len, from, to), 0, "a file is whole");
		ok(!memmem(bytes, len, SECRET, strlen(SECRET)), "without command lines");
	}
	is_int(changes_check(bytes, len - 1, from, to), -EBADMSG, "one that is cut off is not");
	((char *)bytes)[len / 2] ^= 1;
	is_int(changes_check(bytes, len, from, to), -EBADMSG, "nor one with another bit");
	is_int(replay(2), -EILSEQ, "a gap is refused");
	is_int(replay(0), 0, "snapshot and changes");
	ok(same_rows(test_path, copy_path), "have the same rows");
	is_int(replay(0), 0, "once more");
	ok(same_rows(test_path, copy_path), "changes nothing");
	remove_copy();

	s = test_open(STORE_WRITE);
	is_int(store_snapshot(s, copy_path, true, at_once, NULL, &at), -ECANCELED, "a snapshot can be ended");
	is_int(access(copy_path, F_OK), -1, "and is gone then");
	is_int(store_snapshot(s, copy_path, true, NULL, NULL, &at), 0, "a snapshot with all");
	ok(file_holds(copy_path, SECRET), "has command lines");
	remove_copy();
	store_changes_keep(s, kept, false, &last);
	store_changes_drop(s);
	is_int(closed(names, 16), 0, "dropped, the files are gone");
	store_close(s);
}

/* Numbers that were given out after the last file began are not given out again by the copy. */
static void test_numbers(void)
{
	struct store *s, *t = NULL;
	const char *why;
	uint64_t last, at, node = 0, version = 0;

	test_remove_store();
	s = test_open(STORE_CREATE);
	store_changes_keep(s, kept, false, &last);
	store_snapshot(s, copy_path, false, NULL, NULL, &at);
	for (int i = 0; i < 70000; i++) {
		node = store_new_node(s);
		version = store_new_version(s);
	}
	test_make(s, NODE_ROOT, "late", KIND_FILE);
	store_changes_cut(s);
	store_close(s);
	is_int(replay(0), 0, "replayed");
	store_open(copy_path, STORE_WRITE, &t, &why);
	ok(store_new_node(t) > node + 1, "node numbers go on");
	ok(store_new_version(t) > version, "version numbers go on");
	store_close(t);
	remove_copy();
	s = test_open(STORE_WRITE);
	store_changes_keep(s, kept, false, &last);
	store_changes_drop(s);
	store_close(s);
}

/* What a power failure leaves of the open file is closed as far as the store has it, and what is ahead of it goes. */
static void test_torn(void)
{
	char path[192], names[16][CHANGES_NAME];
	struct store *s;
	uint64_t last, from = 0, to = 0;
	int fd;

	test_remove_store();
	s = test_open(STORE_CREATE);
	store_changes_keep(s, kept, false, &last);
	test_make(s, NODE_ROOT, "a", KIND_FILE);
	test_make(s, NODE_ROOT, "b", KIND_FILE);
	last = store_visible(s);
	store_close(s);
	snprintf(path, sizeof(path), "%s/open", kept);
	fd = open(path, O_WRONLY | O_APPEND);
	ok(write(fd, "GROU and no more", 16) == 16, "a group is torn");
	close(fd);
	snprintf(path, sizeof(path), "%s/%s", kept, "0000000000000100-0000000000000200");
	close(open(path, O_CREAT | O_WRONLY, 0600));
	s = test_open(STORE_WRITE);
	store_changes_keep(s, kept, false, &to);
	is_int(closed(names, 16), 1, "one file is left");
	changes_parse_name(names[0], &from, &to);
	is_int((int64_t)from, 0, "from the first");
	is_int((int64_t)to, (int64_t)last, "to the last whole commit");
	store_changes_drop(s);
	store_close(s);
}

int main(void)
{
	test_begin();
	snprintf(kept, sizeof(kept), "%s/changes", test_folder);
	snprintf(copy_path, sizeof(copy_path), "%s/copy.db", test_folder);
	test_copy();
	test_numbers();
	test_torn();
	rmdir(kept);
	return test_end();
}
