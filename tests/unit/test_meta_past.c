/*
 * The store as it was: names, attributes and contents as of a commit, commits as of a time.
 */
#include <stdatomic.h>

#include "base/clock.h"
#include "test_meta.h"

#define START INT64_C(1763600000000000000)
#define NO_TIME ((int64_t)-1)

static _Atomic int64_t wall_now = START;

static int64_t wall(void)
{
	return wall_now;
}

/* The last commit, after which a second passes. */
static uint64_t now(struct store *s)
{
	wall_now += NSEC_PER_SEC;
	return store_last_commit(s);
}

static uint64_t commit_at(struct store *s, int64_t time)
{
	uint64_t commit = 0;

	return store_commit_at(s, time, &commit) ? 0 : commit;
}

static int64_t time_of(struct store *s, uint64_t commit)
{
	int64_t time;

	return store_commit_time(s, commit, &time) ? NO_TIME : time;
}

static void test_times(struct store *s)
{
	uint64_t commits[20], own;
	bool right = true;
	struct record *r;

	is_int(commit_at(s, START + 3600 * NSEC_PER_SEC), 0, "a store in which nothing happened has no past");
	is_int(time_of(s, 5), NO_TIME, "nor times");
	for (int i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof(name), "t%d", i);
		test_make(s, NODE_ROOT, name, KIND_FOLDER);
		commits[i] = now(s);
		r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL); /* leaves no row in the change log */
		record_lake(r, "key", "x", 1);
		test_submit(s, r);
	}
	for (int i = 0; i < 20; i++) {
		right &= time_of(s, commits[i]) == START + i * NSEC_PER_SEC;
		right &= commit_at(s, START + i * NSEC_PER_SEC) == commits[i];
		right &= commit_at(s, START + i * NSEC_PER_SEC + 999) == commits[i];
	}
	ok(right, "each commit is found by its time, and by any until the next");
	is_int(commit_at(s, START - 1), 0, "before the first there is none");
	is_int(commit_at(s, INT64_MAX), commits[19], "at the end of time it is the newest that changed something");
	own = store_last_commit(s);
	ok(own > commits[19] && time_of(s, own) == START + 19 * NSEC_PER_SEC,
	   "bookkeeping has the time of the change before it");
}

static uint64_t node_at(struct store *s, uint64_t folder, const char *name, uint64_t commit)
{
	struct node_row n;

	return store_entry_at(s, folder, name, commit, &n) ? 0 : n.id;
}

static void test_names(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "names", KIND_FOLDER), before = now(s);
	uint64_t a = test_make(s, folder, "a", KIND_FOLDER), made = now(s), b, moved, again, gone;

	test_rename(s, folder, "a", "b", a);
	moved = now(s);
	b = test_make(s, folder, "a", KIND_FOLDER);
	again = now(s);
	test_unlink(s, folder, "b", a);
	gone = now(s);
	ok(!node_at(s, folder, "a", before) && node_at(s, folder, "a", made) == a, "a name begins with its commit");
	ok(!node_at(s, folder, "a", moved) && node_at(s, folder, "b", moved) == a, "and ends with one");
	ok(node_at(s, folder, "a", again) == b && node_at(s, folder, "a", gone) == b, "it may lead elsewhere later");
	ok(node_at(s, folder, "b", again) == a && !node_at(s, folder, "b", gone), "what was deleted is found before");
	ok(node_at(s, folder, "a", COMMIT_LIVE) == b && !node_at(s, folder, "b", COMMIT_LIVE), "now");
	is_int(node_at(s, folder, "never", again), 0, "a name that never was");
}

static void test_attributes(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "attributes", KIND_FOLDER), made, changed, same, owned;
	struct node_row n = test_node(s, KIND_FOLDER), then;
	struct record *r = record_new(OP_MKDIR, RUN_TARN, 0, n.id, folder, "f");

	record_node_add(r, &n);
	record_entry_add(r, folder, "f", n.id);
	test_submit(s, r);
	made = now(s);
	n.mode = 040700;
	n.acl = true;
	n.mtime = 50;
	r = record_new(OP_ATTR, RUN_TARN, 0, n.id, 0, NULL);
	record_node_set(r, &n);
	test_submit(s, r);
	changed = now(s);
	n.mtime = 60;
	r = record_new(OP_ATTR, RUN_TARN, 0, n.id, 0, NULL);
	record_node_set(r, &n);
	test_submit(s, r);
	same = now(s);
	n.uid = 5;
	n.gid = 6;
	r = record_new(OP_ATTR, RUN_TARN, 0, n.id, 0, NULL);
	record_node_set(r, &n);
	n.uid = 7;
	record_node_set(r, &n);
	test_submit(s, r);
	owned = now(s);
	is_int(store_node_at(s, n.id, made, &then), 0, "a node as it was");
	ok(then.mode == 040755 && !then.acl && then.uid == 1000 && then.gid == 100 && then.mtime == 5 &&
		   then.id == n.id,
	   "has the attributes of then");
	store_node_at(s, n.id, changed, &then);
	ok(then.mode == 040700 && then.acl && then.uid == 1000, "they change with their commit");
	store_node_at(s, n.id, same, &then);
	is_int(then.uid, 1000, "and not with another");
	store_node_at(s, n.id, owned, &then);
	ok(then.uid == 7 && then.gid == 6, "two changes in one commit are one");
	is_int(store_node_at(s, 99999, owned, &then), -ENOENT, "an unknown node");
}

static uint64_t version_at(struct store *s, uint64_t node, uint64_t commit)
{
	struct version_row v;

	return store_version_of_node_at(s, node, commit, &v) ? 0 : v.id;
}

struct list {
	int n, stop_at;
	uint64_t ids[8];
	char names[200];
};

static int list_version(void *arg, const struct version_row *v)
{
	struct list *l = arg;

	l->ids[l->n++] = v->id;
	return l->n == l->stop_at ? 7 : 0;
}

static void test_contents(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "contents", KIND_FOLDER), file = test_make(s, folder, "f", KIND_FILE);
	uint64_t empty = now(s), one, two, three, at_one, at_two, at_three, at_end;
	struct list l = {0};
	struct version_row v;
	struct node_row n;

	is_int(store_entry_at(s, folder, "f", empty, &n), -ENOENT, "a file that is still being written was not there");
	one = test_cut(s, file, VERSION_LIVE, HOW_NONE, 10);
	at_one = now(s);
	v = test_version(s, one);
	ok(v.cut_commit == at_one && v.end_commit == COMMIT_LIVE && !v.end_time && !v.stored,
	   "a live version has no end");
	test_state(s, one, VERSION_KEPT, HOW_ASIDE, NULL);
	v = test_version(s, one);
	ok(v.end_commit == now(s) && v.end_time == v.time + NSEC_PER_SEC, "an old one has");
	is_int(v.stored, 10, "and occupies what its file does");
	two = test_cut(s, file, VERSION_TRANSIENT, HOW_NONE, 20);
	at_two = now(s);
	three = test_cut(s, file, VERSION_LIVE, HOW_NONE, 30);
	at_three = now(s);
	is_int(version_at(s, file, empty), 0, "no content before the first version");
	is_int(version_at(s, file, at_one), one, "the first");
	is_int(version_at(s, file, at_two), one, "transient ones have no content to show");
	is_int(version_at(s, file, at_three), three, "the third");
	is_int(version_at(s, file, COMMIT_LIVE), three, "is the one of now");
	is_int(store_entry_at(s, folder, "f", at_one, &n), 0, "the file as it was");
	ok(n.version == one && n.size == 10 && n.mtime == 7, "has the version of then, its size and its time");
	test_state(s, three, VERSION_NOT_KEPT, HOW_NONE, "lost");
	test_unlink(s, folder, "f", file);
	at_end = now(s);
	is_int(store_entry_at(s, folder, "f", at_end, &n), -ENOENT, "deleted");
	is_int(store_entry_at(s, folder, "f", at_end - 1, &n), 0, "before that, it was there");
	is_int(version_at(s, file, at_three), three, "also a content that was lost was the content");
	is_int(store_versions_of_node(s, file, 0, list_version, &l), 0, "all versions of a node");
	ok(l.n == 3 && l.ids[0] == one && l.ids[1] == two && l.ids[2] == three, "in their order");
	l = (struct list){.stop_at = 1};
	is_int(store_versions_of_node(s, file, two, list_version, &l), 7, "from one on, until enough");
	is_int(l.ids[0], two, "that one first");
	test_whole(s, "contents are whole");
}

static void test_how(struct store *s)
{
	uint64_t file = test_make(s, NODE_ROOT, "how", KIND_FILE),
		 one = test_cut(s, file, VERSION_LIVE, HOW_NONE, 1000);
	struct store_totals before = test_totals(s);
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct version_row v;

	record_version_how(r, one, HOW_REFLINK, 400);
	test_submit(s, r);
	v = test_version(s, one);
	ok(v.state == VERSION_LIVE && v.how == HOW_REFLINK && v.stored == 400,
	   "a live version whose base is kept already");
	is_int(test_totals(s).stored_bytes, before.stored_bytes + 400, "which takes room");
	test_state(s, one, VERSION_KEPT, HOW_REFLINK, NULL);
	is_int(test_version(s, one).stored, 400, "as much when it is old");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_how(r, one, HOW_PACKED, 30);
	test_submit(s, r);
	v = test_version(s, one);
	ok(v.state == VERSION_KEPT && v.how == HOW_PACKED && v.stored == 30, "packed, it stays kept");
	is_int(test_totals(s).versions_by_how[HOW_PACKED], before.versions_by_how[HOW_PACKED] + 1, "counted so");
	test_state(s, one, VERSION_EXPIRED, HOW_PACKED, "retention");
	is_int(test_totals(s).stored_bytes, before.stored_bytes + 30, "expired, its bytes may stay for others");
	test_state(s, one, VERSION_EXPIRED, HOW_NONE, "retention");
	is_int(test_totals(s).stored_bytes, before.stored_bytes, "until they go");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_how(r, 7777777, HOW_PACKED, 30);
	test_submit(s, r);
	test_whole(s, "ways are whole");
}

static void test_moved_over(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "over", KIND_FOLDER), old = test_make(s, folder, "f", KIND_FILE),
		 temp;
	uint64_t first = test_cut(s, old, VERSION_LIVE, HOW_NONE, 1), second, cut, over;
	struct record *r;
	struct version_row v;
	struct node_row n;

	temp = test_make(s, folder, "new", KIND_FILE);
	second = test_cut(s, temp, VERSION_LIVE, HOW_NONE, 2);
	cut = now(s);
	r = record_new(OP_RENAME, RUN_TARN, 0, temp, folder, "f");
	record_entry_end(r, folder, "new", ENDED_RENAME);
	record_entry_end(r, folder, "f", ENDED_UNLINK);
	record_entry_add(r, folder, "f", temp);
	record_series_take(r, temp, old);
	record_version_state(r, first, VERSION_KEPT, HOW_ASIDE, NULL);
	test_submit(s, r);
	over = now(s);
	v = test_version(s, second);
	ok(v.commit == over && v.cut_commit == cut && v.end_commit == COMMIT_LIVE,
	   "a rename over a file makes it the series', its content is as old as before");
	store_entry_at(s, folder, "new", cut, &n);
	is_int(n.version, second, "so it is found under its old name");
	store_entry_at(s, folder, "f", cut, &n);
	is_int(n.version, first, "and what it replaced at the path");
	store_entry_at(s, folder, "f", over, &n);
	is_int(n.version, second, "until then");
}

static const char *path_at(struct store *s, uint64_t node, uint64_t commit)
{
	static struct buf path;

	buf_release(&path);
	path = (struct buf)BUF_INIT;
	return store_path_at(s, node, commit, &path) ? "-" : buf_str(&path);
}

static void test_paths(struct store *s)
{
	uint64_t top = test_make(s, NODE_ROOT, "top", KIND_FOLDER), in = test_make(s, top, "in", KIND_FOLDER);
	uint64_t file = test_make(s, in, "f", KIND_FILE), made = now(s), moved, linked, gone;
	struct record *r;

	test_rename(s, NODE_ROOT, "top", "up", top);
	moved = now(s);
	r = record_new(OP_LINK, RUN_TARN, 0, file, top, "g");
	record_entry_add(r, top, "g", file);
	test_submit(s, r);
	linked = now(s);
	r = record_new(OP_UNLINK, RUN_TARN, 0, file, in, "f");
	record_entry_end(r, in, "f", ENDED_UNLINK);
	test_submit(s, r);
	gone = now(s);
	test_unlink(s, top, "g", file);
	is_str(path_at(s, file, made), "top/in/f", "a path as it was");
	is_str(path_at(s, file, moved), "up/in/f", "after a folder above was renamed");
	is_str(path_at(s, file, linked), "up/in/f", "by its first name");
	is_str(path_at(s, file, gone), "up/g", "or the one that is left");
	is_str(path_at(s, file, now(s)), "-", "or none");
	is_str(path_at(s, file, made - 2), "-", "before it was made, none");
	is_str(path_at(s, NODE_ROOT, made), "", "the root's is empty");
}

static int list_entry(void *arg, const struct past_entry *e)
{
	struct list *l = arg;
	size_t len = strlen(l->names);

	snprintf(l->names + len, sizeof(l->names) - len, "%s%s%s", len ? " " : "", e->name,
		 e->kind == KIND_FOLDER ? "/"
		 : e->version		? ""
					: "?");
	return ++l->n == l->stop_at ? 9 : 0;
}

static const char *names_at(struct store *s, uint64_t folder, uint64_t commit, const char *after, int stop_at)
{
	static struct list l;

	l = (struct list){.stop_at = stop_at};
	is_int(store_entries_at(s, folder, commit, after, list_entry, &l), stop_at ? 9 : 0, "a folder is listed");
	return l.names;
}

static void test_listing(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "listing", KIND_FOLDER),
		 other = test_make(s, NODE_ROOT, "o", KIND_FOLDER);
	uint64_t none = now(s), b, first, second;

	test_make(s, folder, "d", KIND_FOLDER);
	b = test_make(s, folder, "b", KIND_FILE);
	test_cut(s, b, VERSION_LIVE, HOW_NONE, 1);
	test_make(s, folder, "a", KIND_SYMLINK);
	test_make(s, folder, "writing", KIND_FILE);
	test_make(s, other, "c", KIND_FOLDER);
	first = now(s);
	test_rename(s, folder, "b", "bb", b);
	test_unlink(s, folder, "a", node_at(s, folder, "a", first));
	test_make(s, folder, "e", KIND_FOLDER);
	second = now(s);
	for (int i = 0; i < 50; i++) {
		uint64_t n = test_make(s, folder, "cc", KIND_FOLDER);

		test_unlink(s, folder, "cc", n);
	}
	is_str(names_at(s, folder, none, NULL, 0), "", "empty");
	is_str(names_at(s, folder, first, NULL, 0), "a? b d/", "by name, without what was being written");
	is_str(names_at(s, folder, second, NULL, 0), "bb d/ e/", "later");
	is_str(names_at(s, folder, COMMIT_LIVE, NULL, 0), "bb d/ e/", "now");
	is_str(names_at(s, folder, first, NULL, 2), "a? b", "some of it");
	is_str(names_at(s, folder, first, "b", 0), "d/", "and the rest");
	is_str(names_at(s, folder, first, "aa", 0), "b d/", "after a name that is not there");
}

static void test_many_versions(struct store *s)
{
	uint64_t file = test_make(s, NODE_ROOT, "many", KIND_FILE), ids[64];
	int64_t times[64];
	struct version_row v;
	struct node_row n;
	bool right = true;

	for (int i = 0; i < 64; i++) {
		ids[i] = test_cut(s, file, VERSION_LIVE, HOW_NONE, 1);
		times[i] = test_version(s, ids[i]).time;
		wall_now += i % 7 == 0 ? 0 : NSEC_PER_SEC;
	}
	store_node(s, file, &n);
	for (int i = 0; i < 64; i++) {
		int last = i;

		while (last < 63 && times[last + 1] == times[i])
			last++;
		right &= store_version_at(s, n.asset, times[i], &v) == 0 && v.id == ids[last];
	}
	ok(right, "of 64 versions each is found by its time, the last of those that share one");
	is_int(store_version_at(s, n.asset, times[0] - 1, &v), -ENOENT, "there was none before the first");
	test_state(s, ids[63], VERSION_KEPT, HOW_ASIDE, NULL);
	test_cut(s, file, VERSION_PARTIAL, HOW_PREFIX, 1);
	is_int(store_version_at(s, n.asset, INT64_MAX, &v), 0, "at the end of time");
	is_int(v.id, ids[63], "a partial one is passed over");
}

int main(void)
{
	struct store *s;

	clock_source.wall = wall;
	test_begin();
	s = test_open(STORE_CREATE);
	test_times(s);
	test_names(s);
	test_attributes(s);
	test_contents(s);
	test_how(s);
	test_moved_over(s);
	test_paths(s);
	test_listing(s);
	test_many_versions(s);
	test_whole(s, "the store is whole");
	store_close(s);
	return test_end();
}
