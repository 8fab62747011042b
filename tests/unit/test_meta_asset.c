/*
 * The walk over all live files.
 */
#include "test_meta.h"

struct walk {
	struct buf text;
	int files, asked, stop_at;
	uint64_t hidden;
};

static int tell(void *arg, const struct asset_row *a)
{
	struct walk *w = arg;

	buf_addf(&w->text, "%s:%llu/%llu\n", a->path, (unsigned long long)a->version->number,
		 (unsigned long long)a->versions);
	ok(a->version->id == a->node->version && a->node->kind == KIND_FILE, "%s with its live version", a->path);
	return ++w->files == w->stop_at ? 7 : 0;
}

static bool visible(void *arg, const struct node_row *folder)
{
	struct walk *w = arg;

	w->asked++;
	return folder->id != w->hidden;
}

static void test_tree(struct store *s)
{
	uint64_t raw = test_make(s, NODE_ROOT, "raw-data", KIND_FOLDER),
		 trash = test_make(s, NODE_ROOT, ".Trash-1000", KIND_FOLDER);
	uint64_t sub = test_make(s, raw, "m", KIND_FOLDER), empty = test_make(s, raw, "empty", KIND_FOLDER), a, gone,
		 odd;
	struct walk w = { 0 };

	a = test_make(s, raw, "a.csv", KIND_FILE);
	test_make(s, raw, "z.csv", KIND_FILE);
	test_make(s, sub, ".hidden", KIND_FILE);
	odd = test_make(s, sub, "n\xfe", KIND_FILE);
	test_make(s, sub, "link", KIND_SYMLINK);
	test_make(s, trash, "private", KIND_FILE);
	gone = test_make(s, raw, "gone", KIND_FILE);
	test_state(s, test_cut(s, a, VERSION_LIVE, HOW_NONE, 1), VERSION_KEPT, HOW_ASIDE, NULL);
	test_state(s, test_cut(s, a, VERSION_LIVE, HOW_NONE, 1), VERSION_NOT_KEPT, HOW_NONE, "too large");
	test_cut(s, a, VERSION_LIVE, HOW_NONE, 1);
	test_state(s, test_cut(s, odd, VERSION_LIVE, HOW_NONE, 1), VERSION_NOT_KEPT, HOW_NONE, "written in place");
	test_cut(s, gone, VERSION_LIVE, HOW_NONE, 1);
	test_unlink(s, raw, "gone", gone);

	is_int(store_assets(s, NULL, tell, &w), 0, "all files");
	is_str(buf_str(&w.text),
	       "raw-data/a.csv:3/2\nraw-data/m/.hidden:0/0\nraw-data/m/n\xfe:0/0\nraw-data/z.csv:0/0\n",
	       "in the tree's order, but links, private buckets and what is gone");
	buf_clear(&w.text);
	w.hidden = sub;
	is_int(store_assets(s, visible, tell, &w), 0, "without a folder that the caller may not see");
	is_str(buf_str(&w.text), "raw-data/a.csv:3/2\nraw-data/z.csv:0/0\n", "and what lies below it");
	is_int(w.asked, 4, "asked once per folder: the root, the bucket and its two");
	buf_clear(&w.text);
	w = (struct walk){ .text = w.text, .stop_at = 2 };
	is_int(store_assets(s, NULL, tell, &w), 7, "until the caller has enough");
	is_int(w.files, 2, "no further");
	buf_clear(&w.text);
	w.hidden = NODE_ROOT;
	is_int(store_assets(s, visible, tell, &w), 0, "a hidden root");
	is_str(buf_str(&w.text), "", "shows nothing");
	buf_release(&w.text);
	(void)empty;
}

struct nested {
	struct store *s;
	int files, inner;
};

static int count(void *arg, const struct asset_row *a)
{
	(void)a;
	(*(int *)arg)++;
	return 0;
}

/* Queries inside a callback, of the same kind and of others. */
static int walk_again(void *arg, const struct asset_row *a)
{
	struct nested *n = arg;
	struct node_row row;
	_cleanup_buf_ struct buf path = BUF_INIT;

	n->files++;
	if (n->files == 1)
		is_int(store_assets(n->s, NULL, count, &n->inner), 0, "a walk within a walk");
	is_int(store_node(n->s, a->node->id, &row), 0, "a look-up within a walk");
	is_int(store_path(n->s, a->node->id, &path), 0, "a path within a walk");
	is_str(buf_str(&path), a->path, "the same");
	return 0;
}

static void test_nested(struct store *s)
{
	struct nested n = { .s = s };

	is_int(store_assets(s, NULL, walk_again, &n), 0, "a walk whose callback asks more");
	ok(n.files == 4 && n.inner == 4, "sees all, both times");
}

static void test_deep(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "deep", KIND_FOLDER), before = test_totals(s).files;
	struct node_row n;
	struct record *r;
	int files = 0;

	for (int i = 0; i < 1000; i++) {
		n = test_node(s, KIND_FOLDER);
		r = record_new(OP_MKDIR, RUN_TARN, 0, n.id, folder, "d");
		record_node_add(r, &n);
		record_entry_add(r, folder, "d", n.id);
		folder = n.id;
		for (int k = 0; k < 3; k++) {
			char name[4] = { k == 0 ? 'a' : 'x', (char)('0' + k), 0 };

			n = test_node(s, KIND_FILE);
			record_node_add(r, &n);
			record_entry_add(r, folder, name, n.id);
		}
		store_submit(s, r, NULL);
	}
	store_barrier(s, 0);
	is_int(store_assets(s, NULL, count, &files), 0, "1,000 folders, one in the other");
	is_int(files, (int64_t)before - 1 + 3000, "with all their files");
	test_whole(s, "whole");
}

int main(void)
{
	struct store *s;

	test_begin();
	s = test_open(STORE_CREATE);
	test_tree(s);
	test_nested(s);
	test_deep(s);
	store_close(s);
	return test_end();
}
