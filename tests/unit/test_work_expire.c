/* History gives way: to its budget, to free space; what crashes left in versions/. */
#include "meta/store_test.h"
#include "content/past/kept.h"
#include "test_work.h"

#define SIZE 3000
#define BUDGET 10000
#define SETTINGS "storage: {history_budget_gb: 0.00001}\nbuckets:\n  raw: {}\nmonitoring: {log_level: ERROR}\n"

static const char *kept_file(const struct version_row *v)
{
	char name[VERSION_NAME_MAX];

	version_name(v->node, v->id, name);
	return in_lake("versions/%s", name);
}

static bool is_kept(const struct version_row *v)
{
	return v->state == VERSION_KEPT && !access(kept_file(v), F_OK);
}

static bool is_expired(const struct version_row *v, const char *reason)
{
	return v->state == VERSION_EXPIRED && !strcmp(v->reason, reason) && access(kept_file(v), F_OK) < 0;
}

/* COUNT more versions of raw/PATH; the last one is live. */
static void write_versions(const char *path, int count)
{
	char text[SIZE + 1];

	for (int i = 0; i < count; i++) {
		memset(text, 'a' + i % 26, SIZE);
		text[SIZE] = '\0';
		overwrite(path, text);
		store_barrier(lake->store, 0);
	}
}

static bool is_within_budget(void)
{
	return totals().versions_kept_bytes <= BUDGET;
}

static void test_budget(void)
{
	struct version_row v;
	bool gone = true, kept = true;

	open_lake();
	write_versions("raw/a", 11);
	is_int((int64_t)totals().versions_kept, 11, "each overwrite keeps what was there");
	start_work();
	ok(wait_for(is_within_budget), "history is brought down to its budget");
	stop_work();
	is_int((int64_t)totals().versions_kept, BUDGET / SIZE, "no further than that");
	for (uint64_t i = 1; i <= 8; i++) {
		v = version_number("raw/a", i);
		gone &= is_expired(&v, "history budget");
	}
	for (uint64_t i = 9; i <= 11; i++) {
		v = version_number("raw/a", i);
		kept &= is_kept(&v);
	}
	ok(gone, "the oldest are expired, and their files gone");
	ok(kept, "the newest are kept");
	v = live_version("raw/a");
	is_int((int64_t)v.number, 12, "the live one is what it was");
	close_lake();
}

static void test_oldest_first(void)
{
	struct work w = {0};
	struct version_row a, b;
	uint64_t freed = 0, count = 0;

	set_settings("buckets:\n  raw: {}\nmonitoring: {log_level: ERROR}\n");
	open_lake();
	w.lake = lake;
	write_versions("raw/b", 1);
	is_int(expire_history(&w, 0, false, 1, "space short", &freed, &count), 0, "a byte is asked for");
	is_int((int64_t)count, 1, "one version gives way");
	ok(freed >= SIZE, "with what it occupies");
	a = version_number("raw/a", 9);
	b = version_number("raw/b", 1);
	ok(is_expired(&a, "space short") && is_kept(&b), "the oldest of all");
	freed = count = 0;
	is_int(expire_history(&w, 1, false, UINT64_MAX, "space short", &freed, &count), 0, "on another file system");
	is_int((int64_t)count, 0, "there is nothing");
	is_int(expire_history(&w, ANY_VOLUME, false, UINT64_MAX, "space short", &freed, &count), 0, "all there is");
	is_int((int64_t)count, 3, "goes");
	is_int((int64_t)totals().versions_kept_bytes, 0, "nothing is kept");
	is_int(access(in_lake("buckets/raw/a"), F_OK) | access(in_lake("buckets/raw/b"), F_OK), 0, "live files stay");
	ok(live_version("raw/a").id && live_version("raw/b").id, "with their versions");
	close_lake();
}

/* Many at once: several batches, and one record for each. */
static void test_many(void)
{
	struct work w = {0};
	uint64_t freed = 0, count = 0;

	open_lake();
	w.lake = lake;
	write_versions("raw/many", 300);
	count = 0;
	expire_history(&w, ANY_VOLUME, false, 200 * SIZE, "space short", &freed, &count);
	is_int((int64_t)count, 200, "as many as are needed, in batches");
	is_int((int64_t)freed, 200 * SIZE, "counted by their size");
	is_int((int64_t)totals().versions_kept, 100, "the others stay");
	atomic_store(&w.stopping, true);
	expire_history(&w, ANY_VOLUME, false, UINT64_MAX, "space short", &freed, &count);
	is_int((int64_t)totals().versions_kept, 100, "at the end nothing more is begun");
	close_lake();
}

/* An unsettled version may still be written by who had the file open when it was removed. */
static void test_unsettled(void)
{
	struct actor actor = somebody();
	struct work w = {0};
	struct version_row v;
	struct handle *h;
	struct inode *inode, *parent;
	struct aside aside;
	struct record *r;
	uint64_t freed = 0, count = 0, commit;

	open_lake();
	w.lake = lake;
	overwrite("raw/b", "it will be removed while open");
	h = open_as_mount("raw/b", O_WRONLY);
	if (write(h->fd, "IT", 2) != 2)
		bail_out("write");
	inode = look_up("raw/b");
	parent = look_up("raw");
	pthread_mutex_lock(&inode->lock);
	inode->written = true;
	pthread_mutex_unlock(&inode->lock);
	{
		_cleanup_folder_ struct folder_fd *folder = NULL;

		folder_get(lake, parent, &folder);
		aside_plan(lake, inode, parent, "b", 0, &aside);
		inode_pin(lake, inode);
		is_int(aside_unlink(inode, folder_fd(folder), "b", &aside), 0, "a file is removed while it is open");
	}
	r = record_new(OP_UNLINK, actor.run, 0, inode->id, parent->id, "b");
	record_entry_end(r, parent->id, "b", ENDED_UNLINK);
	aside_record(lake, inode, &aside, &actor, r);
	store_submit(lake->store, r, &commit);
	inode_submitted(inode, commit);
	inode_set_name(lake, inode, NULL, NULL, NULL);
	store_barrier(lake->store, 0);
	store_version(lake->store, aside.version, &v);
	ok(v.state == VERSION_KEPT && !v.settled, "what is kept of it is not settled");
	expire_history(&w, ANY_VOLUME, false, UINT64_MAX, "space short", &freed, &count);
	store_version(lake->store, aside.version, &v);
	ok(is_kept(&v), "and does not expire yet");
	handle_close(lake, h);
	store_barrier(lake->store, 0);
	expire_history(&w, ANY_VOLUME, false, UINT64_MAX, "space short", &freed, &count);
	store_version(lake->store, aside.version, &v);
	ok(is_expired(&v, "space short"), "once settled it may");
	inode_unref(lake, inode);
	inode_unref(lake, parent);
	close_lake();
}

/* ---- when the store cannot say so ---- */

static void test_failing(void)
{
	struct work w = {0};
	struct version_row v;
	uint64_t freed = 0, count = 0;

	open_lake();
	w.lake = lake;
	write_versions("raw/c", 3);
	v = version_number("raw/c", 1);
	store_fail_commits(lake->store, 0, 1, -EIO);
	ok(expire_history(&w, ANY_VOLUME, false, 1, "space short", &freed, &count) < 0,
	   "a store that fails is an error");
	ok(!access(kept_file(&v), F_OK) && !count, "and no file goes");
	usleep(1500000); /* it tries again each second */
	store_barrier(lake->store, 0);
	write_versions("raw/d", 3);
	v = version_number("raw/d", 1);
	count = 0;
	store_fail_commits(lake->store, 0, 1, -ENOSPC);
	expire_history(&w, ANY_VOLUME, false, UINT64_MAX, "space short", &freed, &count);
	ok(access(kept_file(&v), F_OK) < 0, "a store without room gets it from history");
	usleep(1500000);
	v = version_number("raw/d", 1);
	is_int(v.state, VERSION_EXPIRED, "and says so when it can");
	close_lake();
}

/* ---- leftovers ---- */

static void test_leftovers(void)
{
	struct version_row over, missing, kept;
	char unknown[VERSION_NAME_MAX], later[VERSION_NAME_MAX];
	struct work w = {0};

	open_lake();
	write_versions("raw/e", 4);
	over = version_number("raw/d", 1);
	missing = version_number("raw/e", 1);
	kept = version_number("raw/e", 2);
	put_file(kept_file(&over), "of an expired version");
	unlink(kept_file(&missing));
	version_name(over.node, 7777777, unknown);
	put_file(in_lake("versions/%s", unknown), "of no version at all");
	put_file(in_lake("versions/%02x/not a version", (unsigned)(over.node & 0xff)), "somebody put it there");
	w.lake = lake;
	w.first_version = over.id; /* all of them were given out since */
	leftovers_sweep(&w, NULL);
	ok(!access(kept_file(&over), F_OK), "what this start gave out is left alone");
	w.first_version = store_new_version(lake->store);
	version_name(over.node, w.first_version, later);
	put_file(in_lake("versions/%s", later), "of a version in the making");
	leftovers_sweep(&w, NULL);
	ok(access(kept_file(&over), F_OK) < 0, "a file of an expired version is removed");
	missing = version_number("raw/e", 1);
	is_int(missing.state, VERSION_NOT_KEPT, "a version without its file is not kept any more");
	is_str(missing.reason, "its content is missing from versions/", "for that reason");
	ok(is_kept(&kept), "what is right stays");
	is_int(access(in_lake("versions/%s", unknown), F_OK), 0, "and what the store does not know");
	is_int(access(in_lake("versions/%s", later), F_OK), 0, "and what is in the making");
	close_lake();
}

/* What another version of the same node had goes only when it is durable that that is over, too. */
static void test_not_durable(void)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct version_row first, second;
	int rc = 0;

	open_lake();
	write_versions("raw/f", 3);
	first = version_number("raw/f", 1);
	second = version_number("raw/f", 2);
	record_version_state(r, first.id, VERSION_EXPIRED, first.how, "test");
	record_version_state(r, second.id, VERSION_EXPIRED, second.how, "test");
	store_submit(lake->store, r, NULL);
	store_barrier(lake->store, 0);
	log_set_level(-1);
	store_fail_fsyncs(lake->store, 0, 1);
	ok(kept_remove(lake, &first) < 0, "what cannot be made durable");
	ok(!access(kept_file(&first), F_OK) && !access(kept_file(&second), F_OK), "takes no bytes away");
	store_fail_fsyncs(lake->store, 0, 0);
	log_set_level(LOG_LEVEL_ERROR);
	/* until the store has its log again */
	for (int i = 0; i < 100 && (rc = kept_remove(lake, &first)) < 0; i++)
		usleep(100000);
	is_int(rc, 0, "then it can");
	ok(access(kept_file(&first), F_OK) < 0 && access(kept_file(&second), F_OK) < 0, "and both are gone");
	close_lake();
}

static void test_space_wanted(void)
{
	const uint64_t gib = UINT64_C(1) << 30, second = NSEC_PER_SEC;
	struct space disk = {0};

	is_int((int64_t)space_wanted(1024 * gib, 0), INT64_C(10) << 30, "of a terabyte ten GiB stay free");
	is_int((int64_t)space_wanted(100 * gib, 0), INT64_C(5) << 30, "of a hundred GiB five");
	is_int((int64_t)space_wanted(0, 0), 0, "of nothing nothing");
	is_int((int64_t)space_wanted(1024 * gib, gib), INT64_C(30) << 30, "or what is written in half a minute");
	is_int((int64_t)space_wanted(100 * gib, gib), INT64_C(10) << 30, "but not more than a tenth");
	is_int((int64_t)space_wanted(100 * gib, UINT64_MAX), INT64_C(10) << 30, "however fast");
	is_int((int64_t)space_speed(&disk, 100 * gib, 5 * second), 0, "at first no speed is known");
	is_int((int64_t)space_speed(&disk, 98 * gib, 6 * second), INT64_C(2) << 30, "what was taken in a second");
	ok(space_speed(&disk, 98 * gib, 7 * second) > gib, "is remembered for a while");
	for (uint64_t i = 8; i < 200; i++)
		space_speed(&disk, 99 * gib, (int64_t)(i * second));
	ok(space_speed(&disk, 99 * gib, 300 * second) < gib / 1000, "and forgotten");
}

int main(void)
{
	test_begin(SETTINGS);
	make_folder(in_lake("buckets/raw"));
	for (int i = 0; i < 7; i++) {
		char text[SIZE + 1];

		memset(text, 'z', SIZE);
		text[SIZE] = '\0';
		put_file(in_lake("buckets/raw/%s", (const char *[]){"a", "b", "c", "d", "e", "f", "many"}[i]), text);
	}
	test_space_wanted();
	test_budget();
	test_oldest_first();
	test_many();
	test_unsettled();
	test_failing();
	test_leftovers();
	test_not_durable();
	return test_end();
}
