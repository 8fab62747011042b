/* What is beyond its retention goes; what the rules keep stays. */
#include <stdatomic.h>

#include "test_work.h"
#include "work/gc.h"
#include "work/retention.h"

#define HOUR (INT64_C(3600) * NSEC_PER_SEC)
#define DAY  (24 * HOUR)

/* ---- the rules ---- */

#define NOW (20000 * DAY)

static struct retained list[64];
static size_t count;

/* An old version, cut AGE ago and superseded when the next one came. */
static void add(int64_t age)
{
	if (count)
		list[count - 1].end_time = NOW - age;
	list[count] = (struct retained){
		.id = count + 1, .time = NOW - age, .end_time = NOW - age, .listed = true, .old = true};
	count++;
}

static void add_live(int64_t age)
{
	add(age);
	list[count - 1].old = false;
}

/* Which of them go, as a string: "x" goes, "." stays. */
static const char *choose(int64_t days, int64_t keep_last)
{
	static char text[65];

	retention_choose(list, count, days, keep_last, NOW);
	for (size_t i = 0; i < count; i++)
		text[i] = list[i].goes ? 'x' : '.';
	text[count] = '\0';
	count = 0;
	return text;
}

static void test_rules(void)
{
	is_str(choose(30, 3), "", "nothing");
	add(5 * DAY);
	add(4 * DAY);
	add_live(3 * DAY);
	is_str(choose(30, 0), "...", "what is young stays");
	for (int i = 0; i < 6; i++)
		add(40 * DAY - i * HOUR / 12); /* five minutes apart, from a full hour on */
	add_live(10 * DAY);
	is_str(choose(30, 0), "xxxxx..", "beyond that, the last of its hour");
	for (int i = 0; i < 6; i++)
		add(40 * DAY - i * HOUR / 12);
	add_live(10 * DAY);
	is_str(choose(30, 3), "xxx....", "and the last three, whatever they are");
	for (int i = 0; i < 6; i++)
		add(90 * DAY - i * 6 * HOUR); /* four in a day */
	add_live(80 * DAY);
	is_str(choose(30, 0), "xxx.x..", "older still, the last of its day, for ever");
	for (int i = 0; i < 6; i++)
		add(90 * DAY - i * 6 * HOUR);
	add_live(80 * DAY);
	is_str(choose(-1, 0), ".......", "or all, for ever");
	add(40 * DAY);
	add(40 * DAY - HOUR / 2);
	list[1].listed = false;
	add_live(40 * DAY - HOUR / 4);
	is_str(choose(30, 0), "xx.", "what has no number is no last one; the live one is of its hour");
	add(40 * DAY);
	add_live(2 * DAY);
	is_str(choose(30, 0), "..", "its age is counted from its end");
	add(3 * HOUR);
	add(2 * HOUR);
	add_live(HOUR);
	is_str(choose(0, 0), "xx.", "with retention 0 one a day stays, from the start");
}

/* ---- in a lake ---- */

static _Atomic int64_t later;
static int64_t (*real_wall)(void);

static int64_t wall(void)
{
	return real_wall() + later;
}

/* Times of the test begin at 10:05 of a day: what it does is done within that hour. */
static void start_at(int64_t days)
{
	int64_t now = real_wall();

	later = (now / DAY + 1) * DAY + 10 * HOUR + HOUR / 12 - now + days * DAY;
}

static void first(const char *path)
{
	put_file(in_lake("buckets/%s", path), "before");
}

static uint64_t cut(const char *path, const char *text)
{
	overwrite(path, text);
	store_barrier(lake->store, 0);
	return live_version(path).id;
}

static enum version_state state(uint64_t id)
{
	struct version_row v = {0};

	store_version(lake->store, id, &v);
	return v.state;
}

static int file_of(uint64_t id)
{
	struct version_row v = {0};
	char name[VERSION_NAME_MAX];

	store_version(lake->store, id, &v);
	version_name(v.node, v.id, name);
	return access(in_lake("versions/%s", name), F_OK);
}

static uint64_t collect(struct gc_plan *plan)
{
	uint64_t versions = 0, bytes = 0;

	is_int(gc_plan(lake, NULL, plan), 0, "a plan is made");
	is_int(gc_carry_out(lake, plan, NULL, &versions, &bytes), 0, "and carried out");
	store_barrier(lake->store, 0);
	return versions;
}

static void label(const char *name)
{
	struct record *r = record_new(OP_LABEL, RUN_TARN, 0, NODE_ROOT, 0, NULL);

	record_label_set(r, NODE_ROOT, name, 0, 0);
	store_submit(lake->store, r, NULL);
	store_barrier(lake->store, 0);
}

static void test_retention(void)
{
	struct gc_plan plan;
	uint64_t a[8], forever;

	first("raw/a");
	first("ever/a");
	open_lake();
	start_at(0);
	for (int i = 0; i < 6; i++) {
		char text[16];

		snprintf(text, sizeof(text), "version %d", i);
		a[i] = cut("raw/a", text);
		if (i == 1)
			label("release");
	}
	forever = cut("ever/a", "one");
	cut("ever/a", "two");
	is_int(gc_plan(lake, NULL, &plan), 0, "at first");
	is_int((int64_t)plan.n, 0, "nothing is to go");
	gc_plan_release(&plan);
	start_at(3);
	is_int(gc_plan(lake, NULL, &plan), 0, "three days later");
	is_int((int64_t)plan.n, 4, "four versions are");
	ok(plan.nreasons == 1 && plan.reasons[0].versions == 4 && plan.reasons[0].bytes == plan.bytes,
	   "how many and how much");
	is_str(plan.reasons[0].text, "retention_days: 2", "and why");
	is_int(state(a[0]), VERSION_KEPT, "a plan changes nothing");
	gc_plan_release(&plan);
	is_int((int64_t)collect(&plan), 4, "it is carried out");
	gc_plan_release(&plan);
	ok(state(a[0]) == VERSION_EXPIRED && file_of(a[0]) < 0, "the first is gone, with its bytes");
	ok(state(a[1]) == VERSION_KEPT && file_of(a[1]) == 0, "the labelled one stays");
	ok(state(a[2]) == VERSION_EXPIRED && state(a[3]) == VERSION_EXPIRED, "two more are gone");
	is_int(state(a[4]), VERSION_KEPT, "the last one stays");
	is_int(state(a[5]), VERSION_LIVE, "and what is live");
	is_int(state(forever), VERSION_KEPT, "in a bucket that keeps all, all stays");
	is_int((int64_t)collect(&plan), 0, "nothing more goes");
	gc_plan_release(&plan);
	close_lake();
}

static void test_older(void)
{
	struct gc_plan plan;
	uint64_t one;

	first("raw/b");
	open_lake();
	start_at(3);
	one = cut("raw/b", "one");
	cut("raw/b", "two");
	cut("raw/b", "three");
	start_at(8);
	is_int((int64_t)collect(&plan), 2, "of a file that has three old versions, two go");
	gc_plan_release(&plan);
	is_int(state(one), VERSION_EXPIRED, "the older ones");
	close_lake();
}

static void cut_together(const char *path, struct record *r, uint64_t *id)
{
	struct inode *inode = look_up(path);
	struct version_row v = {.id = store_new_version(lake->store),
				.node = inode->id,
				.state = VERSION_LIVE,
				.settled = true,
				.not_alone = true};

	*id = v.id;
	record_version_add(r, &v);
	inode_unref(lake, inode);
}

static void end_now(uint64_t id)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	record_version_state(r, id, VERSION_KEPT, HOW_ASIDE, NULL);
	store_submit(lake->store, r, NULL);
	store_barrier(lake->store, 0);
}

static void test_database(void)
{
	struct record *r;
	struct gc_plan plan;
	uint64_t database, wal;

	first("raw/d");
	first("raw/d-wal");
	open_lake();
	start_at(10);
	inode_unref(lake, look_up("raw/d"));
	inode_unref(lake, look_up("raw/d-wal"));
	r = record_new(OP_WRITE, RUN_TARN, 0, 0, 0, NULL);
	cut_together("raw/d", r, &database);
	cut_together("raw/d-wal", r, &wal);
	store_submit(lake->store, r, NULL);
	store_barrier(lake->store, 0);
	end_now(wal);
	start_at(20);
	collect(&plan);
	gc_plan_release(&plan);
	is_int(state(wal), VERSION_KEPT, "what a database needs is kept as long as that");
	end_now(database);
	start_at(30);
	collect(&plan);
	gc_plan_release(&plan);
	is_int(state(database), VERSION_KEPT, "the last one of a database stays");
	is_int(state(wal), VERSION_KEPT, "with what it needs");
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_state(r, database, VERSION_EXPIRED, HOW_NONE, "test");
	store_submit(lake->store, r, NULL);
	collect(&plan);
	gc_plan_release(&plan);
	is_int(state(wal), VERSION_EXPIRED, "which goes with it");
	close_lake();
}

static void test_budget_plan(void)
{
	struct gc_plan plan;
	uint64_t kept;

	set_settings("storage: {history_budget_gb: 0.00000001}\nbuckets:\n  raw: {}\n");
	first("raw/c");
	open_lake();
	start_at(8);
	kept = cut("raw/c", "twenty bytes of text");
	label("c");
	cut("raw/c", "one more text");
	is_int(gc_plan(lake, NULL, &plan), 0, "beyond the budget");
	ok(plan.n >= 2 && !strcmp(plan.reasons[plan.nreasons - 1].text, "history budget"),
	   "what is too much is planned");
	is_int((int64_t)plan.items[plan.n - 1].version, (int64_t)kept, "labelled ones last");
	gc_plan_release(&plan);
	close_lake();
}

int main(void)
{
	real_wall = clock_source.wall;
	clock_source.wall = wall;
	test_rules();
	test_begin("buckets:\n  raw: {retention_days: 2, keep_last: 1}\n  ever: {retention_days: -1}\n");
	make_folder(in_lake("buckets/raw"));
	make_folder(in_lake("buckets/ever"));
	test_retention();
	test_older();
	test_database();
	test_budget_plan();
	return test_end();
}
