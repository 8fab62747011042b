/*
 * Labels, days of change, extended attributes, targets of symlinks.
 */
#include <stdatomic.h>

#include "base/clock.h"
#include "test_meta.h"

#define DAY (INT64_C(86400) * NSEC_PER_SEC)

static _Atomic int64_t wall_now = INT64_C(20412) * DAY; /* 2025-11-20 */

static int64_t wall(void)
{
	return wall_now;
}

static char listed[256];

static void list(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void list(const char *fmt, ...)
{
	size_t len = strlen(listed);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(listed + len, sizeof(listed) - len, fmt, ap);
	va_end(ap);
}

static int list_label(void *arg, const struct label_row *l)
{
	(void)arg;
	list("%s ", l->name);
	return 0;
}

static int list_day(void *arg, int64_t day)
{
	(void)arg;
	list("%d ", (int)day);
	return 0;
}

static void set_label(struct store *s, uint64_t folder, const char *name, uint64_t commit)
{
	struct record *r = record_new(OP_LABEL, RUN_TARN, 1000, folder, folder, name);

	record_label_set(r, folder, name, commit, 1000);
	test_submit(s, r);
}

static void remove_label(struct store *s, uint64_t folder, const char *name)
{
	struct record *r = record_new(OP_LABEL, RUN_TARN, 1000, folder, folder, name);

	record_label_remove(r, folder, name);
	test_submit(s, r);
}

static void test_labels(struct store *s)
{
	uint64_t a = test_make(s, NODE_ROOT, "a", KIND_FOLDER), b = test_make(s, NODE_ROOT, "b", KIND_FOLDER);
	uint64_t before = store_last_commit(s);
	int64_t then = wall_now;
	struct label_row l;

	wall_now += NSEC_PER_SEC;
	is_int(store_label(s, a, "release", &l), -ENOENT, "no label yet");
	set_label(s, a, "release", 0);
	is_int(store_label(s, a, "release", &l), 0, "a label");
	ok(l.folder == a && l.commit == before + 1 && l.time == wall_now && l.uid == 1000 && !strcmp(l.name, "release"),
	   "names the moment of its own commit");
	set_label(s, a, "earlier", before);
	store_label(s, a, "earlier", &l);
	ok(l.commit == before && l.time == then, "or an earlier one");
	set_label(s, b, "b", 0);
	listed[0] = 0;
	is_int(store_labels(s, a, list_label, NULL), 0, "the labels of a folder");
	is_str(listed, "earlier release ", "by name");
	listed[0] = 0;
	store_labels(s, 0, list_label, NULL);
	is_str(listed, "earlier release b ", "and of all");
	set_label(s, a, "release", before);
	store_label(s, a, "release", &l);
	is_int(l.commit, before, "a label can be moved");
	remove_label(s, a, "release");
	is_int(store_label(s, a, "release", &l), -ENOENT, "and removed");
	remove_label(s, a, "release");
	test_whole(s, "whole");
}

static int labelled(struct store *s, uint64_t version)
{
	struct version_row v = test_version(s, version);

	return store_version_is_labelled(s, &v);
}

static void test_labelled(struct store *s)
{
	uint64_t top = test_make(s, NODE_ROOT, "top", KIND_FOLDER), in = test_make(s, top, "in", KIND_FOLDER);
	uint64_t file = test_make(s, in, "f", KIND_FILE), other = test_make(s, NODE_ROOT, "other", KIND_FOLDER);
	uint64_t one = test_cut(s, file, VERSION_LIVE, HOW_NONE, 1), two, three;
	struct record *r;

	is_int(labelled(s, one), 0, "without labels nothing is labelled");
	set_label(s, top, "first", 0);
	test_state(s, one, VERSION_KEPT, HOW_ASIDE, NULL);
	set_label(s, other, "elsewhere", 0);
	two = test_cut(s, file, VERSION_LIVE, HOW_NONE, 1);
	test_state(s, two, VERSION_KEPT, HOW_ASIDE, NULL);
	three = test_cut(s, file, VERSION_LIVE, HOW_NONE, 1);
	set_label(s, NODE_ROOT, "all", 0);
	test_unlink(s, in, "f", file);
	is_int(labelled(s, one), 1, "what was live when a folder above got a label is labelled");
	is_int(labelled(s, two), 0, "what came and went between two labels is not");
	is_int(labelled(s, three), 1, "the whole lake has labels, too");
	remove_label(s, NODE_ROOT, "all");
	is_int(labelled(s, three), 0, "until they are removed");
	set_label(s, top, "after", 0);
	is_int(labelled(s, three), 0, "what was deleted before the label is not labelled");

	file = test_make(s, in, "g", KIND_FILE);
	one = test_cut(s, file, VERSION_LIVE, HOW_NONE, 1);
	test_state(s, one, VERSION_KEPT, HOW_ASIDE, NULL);
	r = record_new(OP_LINK, RUN_TARN, 0, file, other, "link");
	record_entry_add(r, other, "link", file);
	test_submit(s, r);
	set_label(s, other, "between", 0);
	is_int(labelled(s, one), 1, "between two versions the older one still counts; by any of its names");
}

static const char *days(struct store *s, uint64_t folder, int limit)
{
	listed[0] = 0;
	is_int(store_change_days(s, folder, limit, list_day, NULL), 0, "days are listed");
	return listed;
}

static void test_days(struct store *s)
{
	uint64_t top, in, file, other;
	struct node_row n;
	struct record *r;

	wall_now = 30000 * DAY;
	top = test_make(s, NODE_ROOT, "days", KIND_FOLDER);
	in = test_make(s, top, "in", KIND_FOLDER);
	other = test_make(s, NODE_ROOT, "quiet", KIND_FOLDER);
	wall_now = 30001 * DAY;
	file = test_make(s, in, "f", KIND_FILE);
	is_str(days(s, in, 9), "30001 ", "the day on which something was made");
	is_str(days(s, top, 9), "30001 30000 ", "is one of all folders above");
	is_str(days(s, NODE_ROOT, 2), "30001 30000 ", "up to the root");
	is_str(days(s, other, 9), "", "not of others");
	wall_now = 30002 * DAY;
	test_cut(s, file, VERSION_LIVE, HOW_NONE, 1);
	is_str(days(s, top, 1), "30002 ", "a version was cut");
	wall_now = 30003 * DAY;
	store_node(s, file, &n);
	n.mode = 0100600;
	r = record_new(OP_ATTR, RUN_TARN, 0, file, 0, NULL);
	record_node_set(r, &n);
	test_submit(s, r);
	is_str(days(s, top, 1), "30003 ", "its mode was changed");
	wall_now = 30004 * DAY;
	test_rename(s, in, "f", "g", file);
	is_str(days(s, top, 1), "30004 ", "renamed");
	wall_now = 30005 * DAY;
	r = record_new(OP_RENAME, RUN_TARN, 0, in, other, "in");
	record_entry_end(r, top, "in", ENDED_RENAME);
	record_entry_add(r, other, "in", in);
	test_submit(s, r);
	is_str(days(s, top, 1), "30005 ", "a folder leaves");
	is_str(days(s, other, 9), "30005 ", "and comes");
	wall_now = 30006 * DAY;
	test_unlink(s, in, "g", file);
	is_str(days(s, other, 1), "30006 ", "what changes in it then");
	is_str(days(s, top, 1), "30005 ", "is no more of where it was");
	store_fail_commits(s, 0, 1, -EIO);
	wall_now = 30007 * DAY;
	r = record_new(OP_MKDIR, RUN_TARN, 0, 0, top, "again");
	n = test_node(s, KIND_FOLDER);
	record_node_add(r, &n);
	record_entry_add(r, top, "again", n.id);
	store_submit(s, r, NULL);
	while (store_barrier(s, 0))
		usleep(10000);
	is_str(days(s, top, 1), "30007 ", "a day whose first transaction failed is noted by the next");
	is_str(days(s, NODE_ROOT, 1), "30007 ", "everywhere");
}

static const char *xattrs_at(struct store *s, uint64_t node, uint64_t commit)
{
	static struct buf blob;

	buf_release(&blob);
	blob = (struct buf)BUF_INIT;
	is_int(store_node_xattrs_at(s, node, commit, &blob), 0, "extended attributes");
	return buf_str(&blob);
}

static void set_xattrs(struct store *s, uint64_t node, const char *blob)
{
	struct record *r = record_new(OP_XATTR, RUN_TARN, 0, node, 0, NULL);

	record_node_xattrs(r, node, blob, blob ? strlen(blob) : 0);
	test_submit(s, r);
}

static void test_xattrs(struct store *s)
{
	struct node_row n = test_node(s, KIND_FILE), then;
	struct record *r = record_new(OP_CREATE, RUN_TARN, 0, n.id, NODE_ROOT, "xattrs");
	uint64_t made, first, second;
	struct buf target = BUF_INIT;

	record_node_add(r, &n);
	record_entry_add(r, NODE_ROOT, "xattrs", n.id);
	record_node_xattrs(r, n.id, "born", 4);
	test_submit(s, r);
	made = store_last_commit(s);
	set_xattrs(s, n.id, "one");
	first = store_last_commit(s);
	set_xattrs(s, n.id, "one");
	r = record_new(OP_XATTR, RUN_TARN, 0, n.id, 0, NULL);
	n.mode = 0100600;
	record_node_set(r, &n);
	record_node_xattrs(r, n.id, NULL, 0);
	test_submit(s, r);
	second = store_last_commit(s);
	is_str(xattrs_at(s, n.id, made), "born", "those that it was made with");
	is_str(xattrs_at(s, n.id, first), "one", "they change");
	is_str(xattrs_at(s, n.id, second - 1), "one", "not by being said again");
	is_str(xattrs_at(s, n.id, second), "", "they go");
	store_node_at(s, n.id, first, &then);
	is_int(then.mode, 0100644, "the mode of then is that of then");

	n = test_node(s, KIND_SYMLINK);
	r = record_new(OP_SYMLINK, RUN_TARN, 0, n.id, NODE_ROOT, "link");
	record_node_add(r, &n);
	record_node_target(r, n.id, "../a/b");
	record_entry_add(r, NODE_ROOT, "link", n.id);
	test_submit(s, r);
	is_int(store_node_target(s, n.id, &target), 0, "a symlink");
	is_str(buf_str(&target), "../a/b", "points somewhere");
	buf_release(&target);
	is_int(store_node_target(s, NODE_ROOT, &target), -ENOENT, "a folder does not");
}

int main(void)
{
	struct store *s;

	clock_source.wall = wall;
	test_begin();
	s = test_open(STORE_CREATE);
	test_labels(s);
	test_labelled(s);
	test_days(s);
	test_xattrs(s);
	test_whole(s, "the store is whole");
	store_close(s);
	return test_end();
}
