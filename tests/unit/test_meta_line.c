/*
 * Folders that are removed and made again: whose place a folder took, and what goes on there.
 */
#include "base/clock.h"
#include "test_meta.h"

static void rmdir_of(struct store *s, uint64_t parent, const char *name, uint64_t node)
{
	test_unlink(s, parent, name, node);
}

static void move(struct store *s, uint64_t from, const char *name, uint64_t to, const char *as, uint64_t node)
{
	struct record *r = record_new(OP_RENAME, RUN_TARN, 1000, node, to, as);

	record_entry_end(r, from, name, ENDED_RENAME);
	record_entry_add(r, to, as, node);
	test_submit(s, r);
}

static uint64_t file_with_version(struct store *s, uint64_t parent, const char *name)
{
	uint64_t node = test_make(s, parent, name, KIND_FILE);

	test_cut(s, node, VERSION_LIVE, HOW_NONE, 10);
	return node;
}

static uint64_t series(struct store *s, uint64_t parent, const char *name)
{
	uint64_t asset = 0, live;

	return store_series(s, parent, name, &asset, &live) ? 0 : asset;
}

static uint64_t last(struct store *s, uint64_t parent, const char *name)
{
	struct node_row n;

	return store_entry_last(s, parent, name, &n) ? 0 : n.id;
}

static uint64_t was(struct store *s, uint64_t parent, const char *name, uint64_t commit)
{
	struct node_row n;

	return store_entry_was(s, parent, name, commit, &n) ? 0 : n.id;
}

static uint64_t folder_at(struct store *s, uint64_t folder, uint64_t commit)
{
	struct node_row n;

	return store_folder_at(s, folder, commit, &n) ? 0 : n.id;
}

static void test_again(struct store *s)
{
	uint64_t d = test_make(s, NODE_ROOT, "again", KIND_FOLDER), f = file_with_version(s, d, "f"), asset, then, e, g;

	then = store_last_commit(s);
	test_unlink(s, d, "f", f);
	rmdir_of(s, NODE_ROOT, "again", d);
	e = test_make(s, NODE_ROOT, "again", KIND_FOLDER);
	asset = series(s, d, "f");
	ok(asset && series(s, e, "f") == asset, "a series waits in the folder that is made again");
	ok(last(s, e, "f") == f, "so does what lay there last");
	ok(was(s, e, "f", then) == f && folder_at(s, e, then) == d, "and what was then");
	is_int(was(s, NODE_ROOT, "never", then), 0, "in the root as well, there is nothing of what never was");
	g = file_with_version(s, e, "f");
	ok(series(s, e, "f") == asset && g != f, "a file that is made again goes on with it");
	is_int(series(s, e, "other"), 0, "one that never was has none");
	is_int(last(s, e, "other"), 0, "and no past");
	test_unlink(s, e, "f", g);
	rmdir_of(s, NODE_ROOT, "again", e);
	for (int i = 0; i < 20; i++) {
		e = test_make(s, NODE_ROOT, "again", KIND_FOLDER);
		rmdir_of(s, NODE_ROOT, "again", e);
	}
	e = test_make(s, NODE_ROOT, "again", KIND_FOLDER);
	is_int(series(s, e, "f"), asset, "also when the folders between had none");
	file_with_version(s, e, "f");
	is_int(series(s, e, "f"), asset, "which then goes on");
	ok(folder_at(s, e, then) == d, "the first of all of them is found by its time");
}

/* A run that made a tree, and later removed it. */
static void test_removal(struct store *s)
{
	uint64_t d = test_make(s, NODE_ROOT, "removal", KIND_FOLDER), f = file_with_version(s, d, "f"),
		 g = file_with_version(s, d, "g"), before, then;
	struct node_row n;
	int64_t time;

	is_int(store_removal(s, d, &time, &before), -ENOENT, "a folder that is there was not removed");
	test_unlink(s, d, "f", f);
	test_make(s, NODE_ROOT, "elsewhere", KIND_FOLDER);
	then = store_last_commit(s);
	test_unlink(s, d, "g", g);
	rmdir_of(s, NODE_ROOT, "removal", d);
	is_int(store_removal(s, d, &time, &before), 0, "one that is gone was");
	is_int(before, then, "the removal began after what else its run did");
	is_int(store_entry_at(s, d, "g", before, &n), 0, "as of the commit before that it is whole");
	is_int(store_folder_last(s, NODE_ROOT, "removal", &n), 0, "it is the last folder of its name");
	is_int(n.id, d, "indeed");
	is_int(store_folder_last(s, d, "g", &n), -ENOENT, "a file is none");
}

static void test_trees(struct store *s)
{
	uint64_t a = test_make(s, NODE_ROOT, "tree", KIND_FOLDER), b = test_make(s, a, "b", KIND_FOLDER),
		 c = test_make(s, b, "c", KIND_FOLDER), f = file_with_version(s, c, "f"), asset = series(s, c, "f"),
		 then = store_last_commit(s), a2, b2, c2;

	test_unlink(s, c, "f", f);
	rmdir_of(s, b, "c", c);
	rmdir_of(s, a, "b", b);
	rmdir_of(s, NODE_ROOT, "tree", a);
	a2 = test_make(s, NODE_ROOT, "beside", KIND_FOLDER);
	b2 = test_make(s, a2, "b", KIND_FOLDER);
	c2 = test_make(s, b2, "c", KIND_FOLDER);
	is_int(series(s, c2, "f"), 0, "a tree beside it knows nothing of it");
	move(s, NODE_ROOT, "beside", NODE_ROOT, "tree", a2);
	is_int(series(s, c2, "f"), asset, "until it is moved to its place");
	ok(was(s, c2, "f", then) == f && folder_at(s, c2, then) == c && folder_at(s, b2, then) == b, "all of it");
	move(s, NODE_ROOT, "tree", NODE_ROOT, "renamed", a2);
	is_int(series(s, c2, "f"), asset, "and when it is renamed after that");
	file_with_version(s, c2, "f");
	is_int(series(s, c2, "f"), asset, "where it goes on");
	a = test_make(s, NODE_ROOT, "tree", KIND_FOLDER);
	is_int(folder_at(s, a, then), 0, "a folder that was renamed away took its place along");
	b = test_make(s, a, "b", KIND_FOLDER);
	c = test_make(s, b, "c", KIND_FOLDER);
	is_int(series(s, c, "f"), 0, "with all that waited below it");
	ok(was(s, c, "f", then) == f, "but what lay at the path is found by its time");
}

static void test_renamed_away(struct store *s)
{
	uint64_t d = test_make(s, NODE_ROOT, "away", KIND_FOLDER), f = file_with_version(s, d, "f"),
		 asset = series(s, d, "f"), e;

	test_unlink(s, d, "f", f);
	move(s, NODE_ROOT, "away", NODE_ROOT, "kept", d);
	e = test_make(s, NODE_ROOT, "away", KIND_FOLDER);
	ok(!series(s, e, "f") && series(s, d, "f") == asset, "the series goes with the folder");
	rmdir_of(s, NODE_ROOT, "away", e);
	move(s, NODE_ROOT, "kept", NODE_ROOT, "away", d);
	is_int(series(s, d, "f"), asset, "and comes back with it");
	rmdir_of(s, NODE_ROOT, "away", d);
	/* a file may lie there in between */
	f = test_make(s, NODE_ROOT, "away", KIND_FILE);
	test_unlink(s, NODE_ROOT, "away", f);
	e = test_make(s, NODE_ROOT, "away", KIND_FOLDER);
	is_int(series(s, e, "f"), asset, "a file in between changes nothing");
}

static int add_label(void *arg, const struct label_row *l)
{
	struct buf *b = arg;

	buf_addf(b, "%s ", l->name);
	return 0;
}

static void set_label(struct store *s, uint64_t folder, const char *name)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, folder, folder, name);

	record_label_set(r, folder, name, 0, 7);
	test_submit(s, r);
}

static int count_day(void *arg, int64_t day)
{
	(void)day;
	(*(int *)arg)++;
	return 0;
}

static void test_labels(struct store *s)
{
	uint64_t d = test_make(s, NODE_ROOT, "labels", KIND_FOLDER), e;
	_cleanup_buf_ struct buf names = BUF_INIT;
	struct label_row l = {0};
	int days = 0;

	set_label(s, d, "first");
	set_label(s, d, "both");
	test_unlink(s, d, "f", test_make(s, d, "f", KIND_FILE));
	rmdir_of(s, NODE_ROOT, "labels", d);
	e = test_make(s, NODE_ROOT, "labels", KIND_FOLDER);
	set_label(s, e, "both");
	set_label(s, e, "second");
	test_make(s, e, "f", KIND_FILE);
	is_int(store_labels(s, e, add_label, &names), 0, "labels of a line");
	is_str(buf_str(&names), "both second first ", "each once");
	ok(!store_label(s, e, "first", &l) && l.folder == d, "one of the folder before");
	ok(!store_label(s, e, "both", &l) && l.folder == e, "one that both have is the newer");
	is_int(store_label(s, e, "none", &l), -ENOENT, "one that nobody has");
	is_int(store_change_days(s, e, 30, count_day, &days), 0, "days of a line");
	is_int(days, 1, "each once, too");
}

/* Deeper than anybody's paths: it ends, and needs no more stack than a thread has. */
static void test_deep(struct store *s)
{
	uint64_t folder = NODE_ROOT;

	for (int i = 0; i < 1500; i++)
		folder = test_make(s, folder, "deep", KIND_FOLDER);
	is_int(series(s, folder, "f"), 0, "a path of 1,500 names");
	file_with_version(s, folder, "f");
	ok(series(s, folder, "f") != 0, "and a file at its end");
}

#define NAMES_DEEP 12
#define RENAMES 10

/* The ways up from there are RENAMES to the power of NAMES_DEEP. */
static void test_restless(struct store *s)
{
	uint64_t folders[NAMES_DEEP], folder = NODE_ROOT;
	int unknown = 0;
	int64_t begun = clock_monotonic();

	for (int i = 0; i < NAMES_DEEP; i++)
		folder = folders[i] = test_make(s, folder, "a0", KIND_FOLDER);
	for (int i = 0; i < NAMES_DEEP; i++)
		for (int n = 0; n < RENAMES; n++) {
			char from[16], to[16];

			snprintf(from, sizeof(from), "a%d", n);
			snprintf(to, sizeof(to), "a%d", n + 1);
			move(s, i ? folders[i - 1] : NODE_ROOT, from, i ? folders[i - 1] : NODE_ROOT, to, folders[i]);
		}
	for (int n = 0; n < 100; n++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", n);
		unknown += !series(s, folder, name);
		file_with_version(s, folder, name);
	}
	is_int(unknown, 100, "what never was there has no series");
	ok(clock_monotonic() - begun < 10 * NSEC_PER_SEC,
	   "a hundred files below folders that were renamed all the time");
}

int main(void)
{
	struct store *s;

	test_begin();
	s = test_open(STORE_CREATE);
	test_again(s);
	test_removal(s);
	test_trees(s);
	test_renamed_away(s);
	test_labels(s);
	test_deep(s);
	test_restless(s);
	test_whole(s, "all of it is whole");
	is_int(store_close(s), 0, "closes");
	return test_end();
}
