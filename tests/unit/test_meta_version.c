/*
 * Versions, and the series that they form.
 */
#include "test_meta.h"

#include "base/clock.h"

static uint64_t asset_of(struct store *s, uint64_t node)
{
	struct node_row n = { 0 };

	store_node(s, node, &n);
	return n.asset;
}

static uint64_t live_version(struct store *s, uint64_t node)
{
	struct node_row n = { 0 };

	store_node(s, node, &n);
	return n.version;
}

static void test_rows(struct store *s)
{
	uint64_t file = test_make(s, NODE_ROOT, "rows", KIND_FILE);
	struct version_row v = { .id = store_new_version(s),
				 .node = file,
				 .size = 1234567890123,
				 .mtime = -5,
				 .mode = 0100604,
				 .uid = (uid_t)-1,
				 .gid = 7,
				 .state = VERSION_LIVE,
				 .how = HOW_NONE,
				 .settled = false,
				 .volume = 2,
				 .run = 44,
				 .run_uid = 45,
				 .mime = "not taken",
				 .asset = 99,
				 .number = 98 };
	struct record *r = record_new(OP_WRITE, 44, 45, file, 0, NULL);
	uint8_t hash[SHA256_BYTES];
	struct version_row got;
	uint64_t commit;

	for (int i = 0; i < SHA256_BYTES; i++)
		hash[i] = (uint8_t)(i * 9);
	record_version_add(r, &v);
	store_submit(s, r, &commit);
	store_barrier(s, commit);
	is_int(store_version(s, v.id, &got), 0, "a version is found");
	ok(got.id == v.id && got.node == file && got.size == v.size && got.mtime == -5 && got.mode == v.mode &&
		   got.uid == v.uid && got.gid == 7 && got.state == VERSION_LIVE && got.how == HOW_NONE &&
		   !got.settled && !got.hashed && got.volume == 2 && got.run == 44 && got.run_uid == 45 &&
		   got.commit == commit && got.time > INT64_C(1600000000000000000),
	   "with all that was said of it, its commit and time");
	ok(got.number == 1 && got.asset == asset_of(s, file) && got.asset != 0, "it is the first of a new series");
	is_str(got.mime, "", "its MIME type is not known");
	is_int(live_version(s, file), v.id, "it is its node's live version");
	is_int(store_version_before(s, got.asset, 0, &got), -ENOENT, "it cannot be read before it is settled");

	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_settled(r, v.id, 77, 78);
	record_version_facts(r, v.id, hash, NULL);
	test_submit(s, r);
	store_version(s, v.id, &got);
	ok(got.settled && got.size == 77 && got.mtime == 78, "settled");
	ok(got.hashed && memcmp(got.sha256, hash, sizeof(hash)) == 0, "hashed");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_facts(r, v.id, NULL, "text/csv");
	test_submit(s, r);
	store_version(s, v.id, &got);
	is_str(got.mime, "text/csv", "MIME type");
	ok(got.hashed, "the hash stays when it is not said again");
	is_int(store_version_before(s, got.asset, 0, &got), 0, "now it can be read");
	is_int(store_version(s, 123456, &got), -ENOENT, "an unknown version");
}

struct seen {
	int count;
	uint64_t numbers[16];
	int stop_at;
};

static int see(void *arg, const struct version_row *v)
{
	struct seen *seen = arg;

	if (seen->count < 16)
		seen->numbers[seen->count] = v->number;
	return ++seen->count == seen->stop_at ? 42 : 0;
}

static void test_states(struct store *s)
{
	uint64_t file = test_make(s, NODE_ROOT, "states", KIND_FILE), asset;
	uint64_t one = test_cut(s, file, VERSION_LIVE, HOW_NONE, 100), two, three;
	struct store_totals before = test_totals(s), now;
	struct version_row v;
	struct seen seen = { 0 };

	asset = asset_of(s, file);
	test_state(s, one, VERSION_KEPT, HOW_ASIDE, NULL);
	v = test_version(s, one);
	ok(v.state == VERSION_KEPT && v.how == HOW_ASIDE && v.reason[0] == 0, "a version is kept aside");
	is_int(live_version(s, file), 0, "its node has no live version then");
	now = test_totals(s);
	ok(now.versions_kept == before.versions_kept + 1 &&
		   now.versions_kept_bytes == before.versions_kept_bytes + 100 &&
		   now.versions_by_how[HOW_ASIDE] == before.versions_by_how[HOW_ASIDE] + 1,
	   "the totals know");
	two = test_cut(s, file, VERSION_LIVE, HOW_NONE, 200);
	three = test_cut(s, file, VERSION_LIVE, HOW_NONE, 300);
	v = test_version(s, two);
	ok(v.state == VERSION_NOT_KEPT && strcmp(v.reason, "superseded") == 0,
	   "a live version that nobody ended before the next is not kept");
	is_int(test_totals(s).versions_not_kept, now.versions_not_kept + 1, "and counted so");
	is_int(live_version(s, file), three, "the new one is the live one");
	is_int(test_version(s, three).number, 3, "numbers rise");

	is_int(store_version_by_number(s, asset, 2, &v), 0, "by number");
	is_int(v.id, two, "the right one");
	is_int(store_version_by_number(s, asset, 4, &v), -ENOENT, "not beyond the last");
	is_int(store_version_by_number(s, asset, UINT64_MAX, &v), -ENOENT, "nor far beyond");
	is_int(store_version_before(s, asset, 0, &v), 0, "the newest that can be read");
	is_int(v.number, 3, "is the live one");
	is_int(store_version_before(s, asset, 3, &v), 0, "the one before");
	is_int(v.number, 1, "leaves out what is not kept");
	is_int(store_version_before(s, asset, 1, &v), -ENOENT, "there is none before the first");
	is_int(store_version_at(s, asset, INT64_MAX, &v), 0, "at the end of time");
	is_int(v.number, 3, "it is the newest");
	is_int(store_version_at(s, asset, test_version(s, two).time, &v), 0, "at the time of the second");
	is_int(v.number, 2, "it is the second");
	is_int(store_version_at(s, asset, 5, &v), -ENOENT, "there was none in 1970");
	is_int(store_versions(s, asset, see, &seen), 0, "all of them");
	ok(seen.count == 3 && seen.numbers[0] == 1 && seen.numbers[1] == 2 && seen.numbers[2] == 3, "by rising number");
	seen = (struct seen){ .stop_at = 2 };
	is_int(store_versions(s, asset, see, &seen), 42, "until the caller has enough");

	test_state(s, one, VERSION_EXPIRED, HOW_NONE, "retention_days: 30");
	v = test_version(s, one);
	ok(v.state == VERSION_EXPIRED && strcmp(v.reason, "retention_days: 30") == 0, "an expired one says why");
	is_int(test_totals(s).versions_kept_bytes, before.versions_kept_bytes, "its bytes are not counted any more");
	test_state(s, one, VERSION_LIVE, HOW_NONE, NULL);
	is_int(test_version(s, one).state, VERSION_EXPIRED, "it never lives again");
	test_state(s, 999999, VERSION_KEPT, HOW_ASIDE, NULL);
	test_whole(s, "versions are whole");
}

static void test_wrong(struct store *s)
{
	uint64_t file = test_make(s, NODE_ROOT, "wrong", KIND_FILE),
		 before = test_cut(s, file, VERSION_LIVE, HOW_NONE, 1);
	struct version_row v = { .id = before, .node = file, .state = VERSION_LIVE, .settled = true };
	struct record *r = record_new(OP_WRITE, RUN_TARN, 0, file, 0, NULL);

	record_version_add(r, &v);
	v.id = store_new_version(s);
	v.node = 987654;
	record_version_add(r, &v);
	v.node = file;
	v.id = store_new_version(s);
	record_version_add(r, &v);
	record_version_settled(r, 4444444, 1, 1);
	record_version_facts(r, 4444444, NULL, "a/b");
	test_submit(s, r);
	is_int(test_version(s, v.id).number, 2, "versions that do not fit take no number; the one that fits is there");
	is_int(test_version(s, before).state, VERSION_NOT_KEPT, "and the former one's state is right");
	test_whole(s, "whole");
}

/* ---- series follow what people mean ---- */

static void test_unlink_and_again(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "again", KIND_FOLDER), a = test_make(s, folder, "f", KIND_FILE), b, c,
		 d;
	uint64_t one = test_cut(s, a, VERSION_LIVE, HOW_NONE, 1), asset = asset_of(s, a), found, live;

	is_int(store_series(s, folder, "f", &found, &live), 0, "the series of a live path");
	ok(found == asset && live == a, "is its node's");
	is_int(store_series(s, folder, "g", &found, &live), -ENOENT, "a path that never was has none");
	test_state(s, one, VERSION_KEPT, HOW_ASIDE, NULL);
	test_unlink(s, folder, "f", a);
	is_int(store_series(s, folder, "f", &found, &live), 0, "an unlinked file keeps its history");
	ok(found == asset && live == 0, "without a live node");
	b = test_make(s, folder, "f", KIND_FILE);
	is_int(asset_of(s, b), asset, "a file that is made again goes on with it");
	is_int(test_version(s, test_cut(s, b, VERSION_LIVE, HOW_NONE, 2)).number, 2, "and with its numbers");
	c = test_make(s, folder, "g", KIND_FILE);
	is_int(asset_of(s, c), 0, "one of another name does not");

	test_rename(s, folder, "f", "h", b);
	is_int(asset_of(s, b), asset, "a rename takes the series along");
	is_int(store_series(s, folder, "f", &found, &live), -ENOENT, "it is no more that of the old path");
	d = test_make(s, folder, "f", KIND_FILE);
	is_int(asset_of(s, d), 0, "where a new file starts anew");
	test_cut(s, d, VERSION_LIVE, HOW_NONE, 3);
	ok(asset_of(s, d) != asset, "with a series of its own");

	/* A folder takes nothing over, and hides nothing. */
	asset = asset_of(s, d);
	test_unlink(s, folder, "f", d);
	a = test_make(s, folder, "f", KIND_FOLDER);
	is_int(asset_of(s, a), 0, "a folder has no series");
	is_int(store_series(s, folder, "f", &found, &live), 0, "that of the file before it is found");
	ok(found == asset && live == 0, "without a live node");
	test_unlink(s, folder, "f", a);
	is_int(store_series(s, folder, "f", &found, &live), 0, "also when the folder is gone");
	is_int(found, asset, "the same");
	is_int(asset_of(s, test_make(s, folder, "f", KIND_FILE)), asset, "and the next file goes on with it");
	test_whole(s, "whole");
}

static void test_no_version_before_unlink(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "late", KIND_FOLDER), a = test_make(s, folder, "f", KIND_FILE), asset;
	struct version_row v = {
		.id = store_new_version(s), .node = a, .state = VERSION_KEPT, .how = HOW_ASIDE, .settled = true
	};
	struct record *r = record_new(OP_UNLINK, RUN_TARN, 0, a, folder, "f");
	uint64_t found, live;

	record_entry_end(r, folder, "f", ENDED_UNLINK);
	record_version_add(r, &v);
	record_node_end(r, a);
	test_submit(s, r);
	asset = test_version(s, v.id).asset;
	ok(asset != 0, "a first version that is cut by the unlink starts a series");
	is_int(store_series(s, folder, "f", &found, &live), 0, "which is that of the path");
	is_int(found, asset, "indeed");
	is_int(asset_of(s, test_make(s, folder, "f", KIND_FILE)), asset, "and goes on there");
	test_whole(s, "whole");
}

static void test_hard_link(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "links", KIND_FOLDER), a = test_make(s, folder, "x", KIND_FILE),
		 asset, b;
	struct record *r = record_new(OP_LINK, RUN_TARN, 0, a, folder, "y");

	test_cut(s, a, VERSION_LIVE, HOW_NONE, 1);
	asset = asset_of(s, a);
	record_entry_add(r, folder, "y", a);
	test_submit(s, r);
	r = record_new(OP_UNLINK, RUN_TARN, 0, a, folder, "x");
	record_entry_end(r, folder, "x", ENDED_UNLINK);
	test_submit(s, r);
	b = test_make(s, folder, "x", KIND_FILE);
	is_int(asset_of(s, b), 0, "a file whose other link lives keeps its series");
	test_cut(s, b, VERSION_LIVE, HOW_NONE, 1);
	test_cut(s, a, VERSION_LIVE, HOW_NONE, 1);
	ok(asset_of(s, b) != asset && asset_of(s, a) == asset, "and the new one at the old path has its own");
	test_whole(s, "whole");
}

/* Editors and rsync: write a temporary file, rename it over. */
static void test_rename_over(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "over", KIND_FOLDER), old = test_make(s, folder, "f", KIND_FILE);
	uint64_t one = test_cut(s, old, VERSION_LIVE, HOW_NONE, 1), asset = asset_of(s, old), temp, linked, v;
	struct record *r;

	temp = test_make(s, folder, ".f.tmp", KIND_FILE);
	r = record_new(OP_RENAME, RUN_TARN, 0, temp, folder, "f");
	record_entry_end(r, folder, ".f.tmp", ENDED_RENAME);
	record_entry_end(r, folder, "f", ENDED_UNLINK);
	record_entry_add(r, folder, "f", temp);
	record_series_take(r, temp, old);
	record_version_state(r, one, VERSION_KEPT, HOW_ASIDE, NULL);
	record_node_end(r, old);
	test_submit(s, r);
	is_int(asset_of(s, temp), asset, "a file that is renamed over another goes on with that one's series");
	v = test_cut(s, temp, VERSION_LIVE, HOW_NONE, 2);
	is_int(test_version(s, v).number, 2, "and its numbers");
	test_state(s, v, VERSION_KEPT, HOW_ASIDE, NULL);
	test_unlink(s, folder, "f", temp);
	linked = test_make(s, folder, "f", KIND_FILE);
	is_int(asset_of(s, linked), asset, "which stay with the path after an unlink");

	/* The one renamed over has another name: its next version is not of this series any more. */
	r = record_new(OP_LINK, RUN_TARN, 0, linked, folder, "other");
	record_entry_add(r, folder, "other", linked);
	test_submit(s, r);
	test_cut(s, linked, VERSION_LIVE, HOW_NONE, 3);
	temp = test_make(s, folder, ".f.tmp2", KIND_FILE);
	r = record_new(OP_RENAME, RUN_TARN, 0, temp, folder, "f");
	record_entry_end(r, folder, ".f.tmp2", ENDED_RENAME);
	record_entry_end(r, folder, "f", ENDED_UNLINK);
	record_entry_add(r, folder, "f", temp);
	record_series_take(r, temp, linked);
	test_submit(s, r);
	test_cut(s, temp, VERSION_LIVE, HOW_NONE, 4);
	test_cut(s, linked, VERSION_LIVE, HOW_NONE, 5);
	is_int(asset_of(s, temp), asset, "the path's series goes to who is there now");
	ok(asset_of(s, linked) != asset && asset_of(s, linked) != 0, "a hard link elsewhere starts one of its own");
	test_whole(s, "whole");
}

static void test_exchange(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "exchange", KIND_FOLDER);
	uint64_t a = test_make(s, folder, "a", KIND_FILE), b = test_make(s, folder, "b", KIND_FILE), asset_a, asset_b;
	struct record *r = record_new(OP_EXCHANGE, RUN_TARN, 0, a, folder, "b");

	test_cut(s, a, VERSION_LIVE, HOW_NONE, 1);
	test_cut(s, b, VERSION_LIVE, HOW_NONE, 1);
	asset_a = asset_of(s, a);
	asset_b = asset_of(s, b);
	record_entry_end(r, folder, "a", ENDED_RENAME);
	record_entry_end(r, folder, "b", ENDED_RENAME);
	record_entry_add(r, folder, "a", b);
	record_entry_add(r, folder, "b", a);
	record_series_take(r, a, b);
	record_series_take(r, b, a);
	test_submit(s, r);
	ok(asset_of(s, a) == asset_b && asset_of(s, b) == asset_a, "an exchange leaves the series with the paths");
	is_int(test_version(s, test_cut(s, a, VERSION_LIVE, HOW_NONE, 1)).number, 3,
	       "a's version went along as 2, the next is 3");
	test_whole(s, "whole");
}

/* vim: f is renamed to f~, f is made again, f~ is unlinked. */
static void test_leave(struct store *s, bool leave_first)
{
	uint64_t folder = test_make(s, NODE_ROOT, leave_first ? "vim1" : "vim2", KIND_FOLDER);
	uint64_t a = test_make(s, folder, "f", KIND_FILE), asset, b, found, live;
	struct record *r = record_new(OP_RENAME, RUN_TARN, 0, a, folder, "f~");

	test_cut(s, a, VERSION_LIVE, HOW_NONE, 1);
	asset = asset_of(s, a);
	if (leave_first)
		record_series_leave(r, a);
	record_entry_end(r, folder, "f", ENDED_RENAME);
	record_entry_add(r, folder, "f~", a);
	if (!leave_first)
		record_series_leave(r, a);
	test_submit(s, r);
	is_int(store_series(s, folder, "f", &found, &live), 0, "a series that was left stays with the path");
	ok(found == asset && live == 0, "nobody has it");
	b = test_make(s, folder, "f", KIND_FILE);
	is_int(asset_of(s, b), asset, "who comes next goes on with it");
	is_int(test_version(s, test_cut(s, b, VERSION_LIVE, HOW_NONE, 1)).number, 2, "and its numbers");
	test_cut(s, a, VERSION_LIVE, HOW_NONE, 1);
	ok(asset_of(s, a) != asset, "who left starts a new one");
	test_unlink(s, folder, "f~", a);
	test_whole(s, "whole");
}

static int64_t shift;
static int64_t (*real_wall)(void);

static int64_t shifted_wall(void)
{
	return real_wall() + shift;
}

/* FILE is renamed to f~ and leaves its series; by run RUN_TARN. */
static void leave(struct store *s, uint64_t folder, uint64_t file)
{
	struct record *r = record_new(OP_RENAME, RUN_TARN, 0, file, folder, "f~");

	record_entry_end(r, folder, "f", ENDED_RENAME);
	record_series_leave(r, file);
	record_entry_add(r, folder, "f~", file);
	test_submit(s, r);
}

static uint64_t make_by(struct store *s, uint64_t folder, uint64_t run)
{
	struct node_row n = test_node(s, KIND_FILE);
	struct record *r = record_new(OP_CREATE, run, 0, n.id, folder, "f");

	record_node_add(r, &n);
	record_entry_add(r, folder, "f", n.id);
	test_submit(s, r);
	return n.id;
}

/* Whom a series that was left waits for: RUN comes SECONDS later. */
static bool waits(struct store *s, uint64_t run, int64_t seconds)
{
	static int n;
	char name[24];
	uint64_t folder, a, b, asset;

	snprintf(name, sizeof(name), "waits%d", n++);
	folder = test_make(s, NODE_ROOT, name, KIND_FOLDER);
	a = test_make(s, folder, "f", KIND_FILE);
	test_cut(s, a, VERSION_LIVE, HOW_NONE, 1);
	asset = asset_of(s, a);
	leave(s, folder, a);
	shift += seconds * NSEC_PER_SEC;
	b = make_by(s, folder, run);
	test_cut(s, b, VERSION_LIVE, HOW_NONE, 1);
	test_unlink(s, folder, "f~", a);
	return asset_of(s, b) == asset;
}

static void test_wait(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "back", KIND_FOLDER), a = test_make(s, folder, "f", KIND_FILE), asset;

	ok(waits(s, RUN_TARN, 3600), "a series that was left waits for the run that left it");
	ok(waits(s, RUN_UNKNOWN, 59), "and for any other for a minute");
	ok(!waits(s, RUN_UNKNOWN, 61), "no longer");
	test_cut(s, a, VERSION_LIVE, HOW_NONE, 1);
	asset = asset_of(s, a);
	leave(s, folder, a);
	is_int(asset_of(s, a), 0, "who left has none");
	shift += 3600 * NSEC_PER_SEC;
	test_rename(s, folder, "f~", "f", a);
	is_int(asset_of(s, a), asset, "but when it comes back");
	leave(s, folder, a);
	test_rename(s, folder, "f~", "g", a);
	is_int(asset_of(s, a), asset, "or goes on to another name");
	test_whole(s, "whole");
}

static void set_hash(struct store *s, uint64_t version, uint8_t fill)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	uint8_t hash[SHA256_BYTES];

	memset(hash, fill, sizeof(hash));
	record_version_facts(r, version, hash, NULL);
	test_submit(s, r);
}

static int jobs_for(struct store *s, uint64_t version)
{
	struct job_row jobs[64];
	int n = store_jobs(s, JOB_EXPIRE, INT64_MAX, jobs, 64), found = 0;

	for (int i = 0; i < n; i++)
		found += jobs[i].subject == version;
	return found;
}

/* Hashes tell that versions of one file are the same, whichever is known first. */
static void test_same_by_hash(struct store *s, bool newer_first)
{
	uint64_t file = test_make(s, NODE_ROOT, newer_first ? "same1" : "same2", KIND_FILE), first, second, third;
	struct version_row v, was;

	first = test_cut(s, file, VERSION_LIVE, HOW_NONE, 5);
	was = test_version(s, first);
	test_state(s, first, VERSION_KEPT, HOW_ASIDE, NULL);
	second = test_cut(s, file, VERSION_LIVE, HOW_NONE, 5);
	set_hash(s, newer_first ? second : first, 1);
	is_int(test_version(s, second).number, 2, "one hash says nothing");
	set_hash(s, newer_first ? first : second, 1);
	v = test_version(s, second);
	ok(v.number == 1 && v.commit == was.commit && v.time == was.time && v.cut_commit == was.cut_commit,
	   "the same content takes the older one's number and times");
	is_int(v.state, VERSION_LIVE, "and is the live one");
	is_int(test_version(s, first).state, VERSION_EXPIRED, "the older one is over");
	is_int(jobs_for(s, first), 1, "its bytes go");
	test_state(s, second, VERSION_KEPT, HOW_ASIDE, NULL);
	third = test_cut(s, file, VERSION_LIVE, HOW_NONE, 5);
	set_hash(s, third, 2);
	is_int(test_version(s, third).number, 3, "other content of that size is the next one");
	test_whole(s, "whole");
}

/* Of another node the older one stays, for what that was. */
static void test_same_of_another(struct store *s)
{
	uint64_t folder = test_make(s, NODE_ROOT, "same3", KIND_FOLDER), a = test_make(s, folder, "f", KIND_FILE), b;
	uint64_t first = test_cut(s, a, VERSION_LIVE, HOW_NONE, 5), second, commit = store_last_commit(s), series;
	struct version_row v;
	struct record *r;

	series = asset_of(s, a);
	test_unlink(s, folder, "f", a);
	test_state(s, first, VERSION_KEPT, HOW_ASIDE, NULL);
	b = test_make(s, folder, "f", KIND_FILE);
	second = test_cut(s, b, VERSION_LIVE, HOW_NONE, 5);
	is_int(test_version(s, second).number, 2, "made again");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_same(r, second, first);
	test_submit(s, r);
	v = test_version(s, second);
	ok(v.number == 1 && v.asset == series, "the same content takes the older one's place");
	is_int(test_version(s, first).state, VERSION_KEPT, "which is kept");
	is_int(store_version_of_node_at(s, a, commit, &v), 0, "for what lay there then");
	ok(v.id == first, "and is found");
	is_int(jobs_for(s, first), 0, "its bytes stay");
	is_int(store_version_by_number(s, series, 2, &v), -ENOENT, "the second number is free");
	set_hash(s, first, 3);
	set_hash(s, second, 3);
	is_int(test_version(s, second).number, 1, "hashes that come later change nothing");
	is_int(test_version(s, test_cut(s, b, VERSION_LIVE, HOW_NONE, 6)).number, 3, "numbers are not used again");
	test_whole(s, "whole");
}

static void test_oldest_kept(struct store *s)
{
	uint64_t file = test_make(s, NODE_ROOT, "kept", KIND_FILE), empty;
	struct seen seen = { 0 };
	int before;

	store_oldest_kept(s, 1000, see, &seen);
	before = seen.count;
	empty = test_cut(s, file, VERSION_KEPT, HOW_NONE, 0);
	for (int i = 0; i < 3; i++)
		test_state(s, test_cut(s, file, VERSION_LIVE, HOW_NONE, 5), VERSION_KEPT, HOW_ASIDE, NULL);
	seen = (struct seen){ 0 };
	is_int(store_oldest_kept(s, 1000, see, &seen), 0, "kept versions");
	is_int(seen.count, before + 4, "one that has no bytes, too");
	is_int(test_version(s, empty).state, VERSION_KEPT, "which is kept like the others");
	seen = (struct seen){ 0 };
	store_oldest_kept(s, 2, see, &seen);
	is_int(seen.count, 2, "no more than asked for");
}

/* What a power failure would take. */
static void test_durable(struct store *s)
{
	uint64_t file = test_make(s, NODE_ROOT, "durable", KIND_FILE), commit;
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct seen seen = { 0 };

	test_cut(s, file, VERSION_LIVE, HOW_NONE, 5);
	record_synced(r, file, 5, -7);
	test_submit(s, r);
	commit = store_visible(s);
	is_int(store_is_synced(s, file, 5, -7), 1, "what was fsynced");
	is_int(store_is_synced(s, file, 6, -7), 0, "not at another size");
	is_int(store_is_synced(s, file, 5, 7), 0, "nor at another time");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_durable(r, commit);
	test_submit(s, r);
	is_int(store_not_durable(s, see, &seen), 0, "versions that are not durable");
	is_int(seen.count, 0, "are none, once all is");
	is_int(store_is_synced(s, file, 5, -7), 0, "and what was fsynced before need not be known");
	test_state(s, test_cut(s, file, VERSION_LIVE, HOW_NONE, 6), VERSION_NOT_KEPT, HOW_NONE, "gone");
	test_cut(s, file, VERSION_LIVE, HOW_NONE, 7);
	store_not_durable(s, see, &seen);
	is_int(seen.count, 1, "a later one is not, and one that is not kept does not matter");
}

int main(void)
{
	struct store *s;

	test_begin();
	real_wall = clock_source.wall;
	clock_source.wall = shifted_wall;
	s = test_open(STORE_CREATE);
	is_str(version_state_name(VERSION_NOT_KEPT), "not-kept", "the name of a state");
	is_str(version_how_name(HOW_REFLINK), "reflink", "of a way of keeping");
	is_str(change_op_name(OP_EXCHANGE), "exchange", "of a change");
	is_str(change_op_name(77), "unknown", "of none");
	test_rows(s);
	test_states(s);
	test_wrong(s);
	test_unlink_and_again(s);
	test_no_version_before_unlink(s);
	test_hard_link(s);
	test_rename_over(s);
	test_exchange(s);
	test_leave(s, false);
	test_leave(s, true);
	test_wait(s);
	test_same_by_hash(s, false);
	test_same_by_hash(s, true);
	test_same_of_another(s);
	test_oldest_kept(s);
	test_durable(s);
	store_close(s);
	s = test_open(STORE_WRITE);
	test_whole(s, "whole after it was closed");
	store_close(s);
	return test_end();
}
