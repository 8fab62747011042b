/*
 * Nodes, names, paths, facts about the lake.
 */
#include "test_meta.h"

struct names {
	int count;
	char text[256];
};

static int collect(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	struct names *n = arg;
	size_t len = strlen(n->text);

	(void)node;
	n->count++;
	snprintf(n->text + len, sizeof(n->text) - len, "%s%s%s", len ? " " : "", name, kind == KIND_FOLDER ? "/" : "");
	return 0;
}

static int stop_at_once(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	(void)name;
	(void)node;
	(void)kind;
	return ++*(int *)arg == 2 ? -ECANCELED : 0;
}

static void test_attributes(struct store *s, uint64_t folder)
{
	struct node_row n = test_node(s, KIND_FILE), got;
	struct record *r = record_new(OP_CREATE, RUN_TARN, 1000, n.id, folder, "a");
	struct fhandle none = { 0 };
	bool here;

	n.uid = (uid_t)-2;
	n.size = UINT64_C(1) << 50;
	n.mtime = -12345678901234;
	n.ctime = INT64_MAX;
	n.volume = 3;
	n.acl = n.writing = true;
	n.asset = n.version = 99;
	record_node_add(r, &n);
	record_entry_add(r, folder, "a", n.id);
	test_submit(s, r);
	is_int(store_node(s, n.id, &got), 0, "a node is found by its id");
	ok(got.kind == KIND_FILE && got.volume == 3 && fhandle_equal(&got.handle, &n.handle) && got.mode == n.mode &&
		   got.uid == n.uid && got.gid == 100 && got.size == n.size && got.mtime == n.mtime &&
		   got.ctime == n.ctime && got.writing && got.acl,
	   "with all that was said of it");
	ok(got.asset == 0 && got.version == 0, "but without a series: no version was cut");
	is_int(store_node(s, 77777, &got), -ENOENT, "an unknown one is not");
	is_int(store_node_by_handle(s, 3, &n.handle, folder, "a", &got, &here), 0, "by its handle");
	ok(here && got.id == n.id, "and it is under that name");
	store_node_by_handle(s, 3, &n.handle, folder, "b", &got, &here);
	ok(!here, "not under another");
	is_int(store_node_by_handle(s, 3, &n.handle, 0, NULL, &got, NULL), 0, "where it is need not be asked");
	is_int(store_node_by_handle(s, 0, &n.handle, 0, NULL, &got, &here), -ENOENT, "nor is it on another volume");
	is_int(store_node_by_handle(s, 3, &none, 0, NULL, &got, &here), -ENOENT, "no handle is nobody's");

	n.size = 20;
	n.mode = 0100600;
	n.acl = false;
	n.writing = false;
	r = record_new(OP_ATTR, RUN_TARN, 1000, n.id, 0, NULL);
	record_node_set(r, &n);
	test_submit(s, r);
	store_node(s, n.id, &got);
	ok(got.size == 20 && got.mode == 0100600 && !got.acl && got.writing, "attributes change, and only they");
	n.handle = test_handle(4711);
	n.volume = 1;
	r = record_new(OP_ATTR, RUN_TARN, 1000, n.id, 0, NULL);
	record_node_set(r, &n);
	test_submit(s, r);
	is_int(store_node_by_handle(s, 1, &n.handle, 0, NULL, &got, &here), 0, "also the handle");
	r = record_new(OP_UNLINK, RUN_TARN, 1000, n.id, folder, "a");
	record_entry_end(r, folder, "a", ENDED_UNLINK);
	record_node_end(r, n.id);
	test_submit(s, r);
	is_int(store_node_by_handle(s, 1, &n.handle, 0, NULL, &got, &here), -ENOENT, "which is forgotten at the end");
	is_int(store_node(s, n.id, &got), 0, "while the row stays");
	is_int(got.handle.len, 0, "without it");
}

static void test_reused_inode(struct store *s, uint64_t folder)
{
	struct node_row was = test_node(s, KIND_FILE), now = test_node(s, KIND_FILE), got;
	struct record *r = record_new(OP_CREATE, RUN_TARN, 1000, was.id, folder, "old");

	record_node_add(r, &was);
	record_entry_add(r, folder, "old", was.id);
	test_submit(s, r);
	now.handle = was.handle;
	r = record_new(OP_OUTSIDE, RUN_OUTSIDE, 0, now.id, folder, "new");
	record_node_add(r, &now);
	record_entry_add(r, folder, "new", now.id);
	test_submit(s, r);
	is_int(store_node_by_handle(s, 0, &was.handle, 0, NULL, &got, NULL), 0, "a handle that another node has now");
	is_int(got.id, now.id, "is taken away from the old one");
	is_int(store_node(s, was.id, &got), 0, "which stays");
	is_int(got.handle.len, 0, "without a handle");
	was.handle = now.handle;
	r = record_new(OP_ATTR, RUN_TARN, 0, was.id, 0, NULL);
	record_node_set(r, &was);
	test_submit(s, r);
	store_node_by_handle(s, 0, &was.handle, 0, NULL, &got, NULL);
	is_int(got.id, was.id, "and back, by setting it");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_forget_handles(r, 0);
	test_submit(s, r);
	is_int(store_node_by_handle(s, 0, &was.handle, 0, NULL, &got, NULL), -ENOENT, "all handles can be forgotten");
}

static void test_names(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "names", KIND_FOLDER), other, a, b;
	struct node_row got;
	struct names names = { 0 };
	struct record *r;
	int calls = 0;
	char longest[NAME_BYTES + 1];

	a = test_make(s, folder, "a", KIND_FILE);
	b = test_make(s, folder, "\xff\n'\"@v", KIND_FILE);
	other = test_make(s, folder, "sub", KIND_FOLDER);
	is_int(store_entry(s, folder, "a", &got), 0, "a name is found");
	is_int(got.id, a, "and leads to its node");
	is_int(store_entry(s, folder, "\xff\n'\"@v", &got), 0, "bytes that are not text are a name, too");
	is_int(got.id, b, "of its own node");
	is_int(store_entry(s, folder, "A", &got), -ENOENT, "case counts");
	is_int(store_entry(s, other, "a", &got), -ENOENT, "the folder counts");
	memset(longest, 'x', NAME_BYTES);
	longest[NAME_BYTES] = 0;
	test_make(s, other, longest, KIND_FILE);
	is_int(store_entry(s, other, longest, &got), 0, "the longest name");

	is_int(store_entries(s, folder, collect, &names), 0, "a listing");
	is_str(names.text, "a sub/ \xff\n'\"@v", "has all names once");
	is_int(store_entries(s, folder, stop_at_once, &calls), -ECANCELED, "a listing ends when its caller says so");
	is_int(calls, 2, "at once");

	test_rename(s, folder, "a", "c", a);
	is_int(store_entry(s, folder, "a", &got), -ENOENT, "after a rename the old name is gone");
	is_int(store_entry(s, folder, "c", &got), 0, "and the new one there");
	test_unlink(s, folder, "c", a);
	is_int(store_entry(s, folder, "c", &got), -ENOENT, "after an unlink too");
	r = record_new(OP_UNLINK, RUN_TARN, 0, 0, folder, "never");
	record_entry_end(r, folder, "never", ENDED_UNLINK);
	test_submit(s, r);
	test_whole(s, "ending a name that is not there changes nothing");

	/* A name that is taken: the reconciler may say so after a crash. */
	a = test_make(s, folder, "taken", KIND_FILE);
	b = test_make(s, folder, "taken", KIND_FILE);
	store_entry(s, folder, "taken", &got);
	is_int(got.id, b, "a name that is given again leads to the new node");
	r = record_new(OP_CREATE, RUN_TARN, 0, b, folder, "taken");
	record_entry_add(r, folder, "taken", b);
	test_submit(s, r);
	is_int(store_entry(s, folder, "taken", &got), 0, "given again to the same node it stays");
	test_whole(s, "the names are whole");
}

/* What begins and ends in one commit, several times. */
static void test_within_one_commit(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "once", KIND_FOLDER);
	struct node_row a = test_node(s, KIND_FILE), b = test_node(s, KIND_FILE), got;
	struct record *r = record_new(OP_CREATE, RUN_TARN, 0, a.id, folder, "x");

	record_node_add(r, &a);
	record_node_add(r, &b);
	record_entry_add(r, folder, "x", a.id);
	record_entry_end(r, folder, "x", ENDED_UNLINK);
	record_entry_add(r, folder, "x", b.id);
	record_entry_end(r, folder, "x", ENDED_RENAME);
	record_entry_add(r, folder, "x", a.id);
	record_entry_add(r, folder, "y", b.id);
	test_submit(s, r);
	is_int(store_entry(s, folder, "x", &got), 0, "a name that came and went within a commit");
	is_int(got.id, a.id, "leads where it did at its end");
	test_whole(s, "and the totals do not mind");
	r = record_new(OP_UNLINK, RUN_TARN, 0, a.id, folder, "x");
	record_entry_end(r, folder, "x", ENDED_UNLINK);
	record_entry_add(r, folder, "x", b.id);
	record_entry_end(r, folder, "x", ENDED_UNLINK);
	record_entry_add(r, folder, "x", b.id);
	test_submit(s, r);
	test_whole(s, "nor an older name that is used again");
}

static void is_path(struct store *s, uint64_t node, const char *wanted)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	int err = store_path(s, node, &path);

	is_str(err ? strerror(-err) : buf_str(&path), wanted, "path");
}

static void test_paths(struct store *s)
{
	uint64_t bucket = test_make(s, NODE_ROOT, "raw-data", KIND_FOLDER),
		 sub = test_make(s, bucket, "s", KIND_FOLDER);
	uint64_t file = test_make(s, sub, "f.csv", KIND_FILE), deep = bucket;
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct record *r;

	is_path(s, NODE_ROOT, "");
	is_path(s, bucket, "raw-data");
	is_path(s, file, "raw-data/s/f.csv");
	is_path(s, 123456789, strerror(ENOENT));
	r = record_new(OP_LINK, RUN_TARN, 0, file, bucket, "a-link");
	record_entry_add(r, bucket, "a-link", file);
	test_submit(s, r);
	is_path(s, file, "raw-data/s/f.csv");
	test_rename(s, NODE_ROOT, "raw-data", "renamed", bucket);
	is_path(s, file, "renamed/s/f.csv");
	test_unlink(s, sub, "f.csv", file);
	is_path(s, file, "renamed/a-link");
	test_unlink(s, bucket, "a-link", file);
	is_path(s, file, strerror(ENOENT));
	for (int i = 0; i < 300; i++)
		deep = test_make(s, deep, "d", KIND_FOLDER);
	is_int(store_path(s, deep, &path), 0, "a deep path");
	is_int(path.len, strlen("renamed") + 300 * 2, "in full");
}

static void test_lake(struct store *s)
{
	_cleanup_buf_ struct buf value = BUF_INIT;
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	record_lake(r, "root", "a\0b", 3);
	record_lake(r, "empty", "", 0);
	record_lake(r, "store.clean", "1", 1);
	test_submit(s, r);
	is_int(store_lake(s, "root", &value), 0, "a fact");
	ok(value.len == 3 && memcmp(value.data, "a\0b", 3) == 0, "byte for byte");
	buf_clear(&value);
	is_int(store_lake(s, "empty", &value), 0, "an empty one");
	is_int(value.len, 0, "is empty");
	is_int(store_lake(s, "none", &value), -ENOENT, "one that nobody said");
	is_int(store_lake(s, "store.clean", &value), 0, "the store's own");
	is_str(buf_str(&value), "0", "cannot be set from outside");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_lake(r, "root", "c", 1);
	record_lake(r, "empty", NULL, 0);
	test_submit(s, r);
	buf_clear(&value);
	store_lake(s, "root", &value);
	is_str(buf_str(&value), "c", "a fact is replaced");
	is_int(store_lake(s, "empty", &value), -ENOENT, "and removed");
}

static void test_wrong_rows(struct store *s, uint64_t folder)
{
	struct node_row n = test_node(s, KIND_FILE), unknown = test_node(s, KIND_FILE), got;
	struct record *r = record_new(OP_CREATE, RUN_TARN, 0, n.id, folder, "good");
	uint64_t before = test_totals(s).commits;

	record_node_add(r, &n);
	record_node_add(r, &n);
	record_entry_add(r, folder, "bad", unknown.id);
	record_node_set(r, &unknown);
	record_node_writing(r, unknown.id, true);
	record_series_take(r, unknown.id, n.id);
	record_series_leave(r, unknown.id);
	record_opens(r, unknown.id, 1);
	record_entry_add(r, folder, "good", n.id);
	test_submit(s, r);
	is_int(store_entry(s, folder, "good", &got), 0, "a record with rows that do not fit is applied without them");
	is_int(store_entry(s, folder, "bad", &got), -ENOENT, "a name for an unknown node is left out");
	is_int(test_totals(s).commits, before + 1, "and the store goes on");
	test_whole(s, "whole");
}

static int count_node(void *arg, const struct node_row *n)
{
	ok(n->writing, "node %llu is open for writing", (unsigned long long)n->id);
	(*(int *)arg)++;
	return 0;
}

static void test_writing(void)
{
	struct store *s = test_open(STORE_WRITE);
	int count = 0, before = 0;
	uint64_t a = test_make(s, NODE_ROOT, "w1", KIND_FILE), b = test_make(s, NODE_ROOT, "w2", KIND_FILE);
	struct record *r = record_new(OP_OPEN, RUN_TARN, 0, a, 0, NULL);

	store_writing(s, count_node, &before);
	record_node_writing(r, a, true);
	record_node_writing(r, b, true);
	test_submit(s, r);
	r = record_new(OP_OPEN, RUN_TARN, 0, b, 0, NULL);
	record_node_writing(r, b, false);
	test_submit(s, r);
	store_close(s);
	s = test_open(STORE_WRITE);
	is_int(store_writing(s, count_node, &count), 0, "nodes that were being written");
	is_int(count, before + 1, "are known afterwards");
	store_close(s);
}

static void test_record_without_memory(struct store *s)
{
	uint64_t last = store_last_commit(s);

	record_entry_add(NULL, 1, "x", 2);
	record_node_end(NULL, 1);
	record_free(NULL);
	is_int(store_submit(s, NULL, NULL), -ENOMEM, "a record that could not be made is refused");
	is_int(store_last_commit(s), last, "and takes no number");
}

int main(void)
{
	struct store *s;
	uint64_t folder;

	test_begin();
	s = test_open(STORE_CREATE);
	folder = test_make(s, NODE_ROOT, "bucket", KIND_FOLDER);
	test_attributes(s, folder);
	test_reused_inode(s, folder);
	test_names(s);
	test_within_one_commit(s);
	test_paths(s);
	test_lake(s);
	test_wrong_rows(s, folder);
	test_record_without_memory(s);
	store_close(s);
	test_writing();
	return test_end();
}
