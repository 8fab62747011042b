/* Who opens a file waits for a release that is on its way, and for nobody who stays. */
#include <pthread.h>

#include "ns/ns.h"
#include "test_work.h"

#define LATE_US 60000			 /* a release comes so late */
#define NO_WAIT_NS (200 * NSEC_PER_MSEC) /* less than who waits in vain takes */
#define PATH "raw/f"

static struct handle *open_by(uint64_t run, int flags)
{
	struct inode *inode = look_up(PATH);
	struct actor actor = somebody();
	struct handle *h = NULL;

	actor.run = run;
	if (!inode || handle_open(lake, inode, flags, &actor, &h) < 0)
		bail_out(PATH);
	inode_unref(lake, inode);
	return h;
}

/* At the end: that O_APPEND does so is the kernel's part. */
static void put(struct handle *h, const char *text)
{
	if (lseek(h->fd, 0, SEEK_END) < 0 || write(h->fd, text, strlen(text)) != (ssize_t)strlen(text))
		bail_out(PATH);
}

static void *release_late(void *arg)
{
	usleep(LATE_US);
	handle_close(lake, arg);
	return NULL;
}

/* close(): the release comes a little later. */
static pthread_t close_late(struct handle *h)
{
	pthread_t thread;

	handle_flush(h);
	pthread_create(&thread, NULL, release_late, h);
	return thread;
}

static void close_now(struct handle *h)
{
	handle_flush(h);
	handle_close(lake, h);
}

/* How long it takes to open it for RUN. A line is written. */
static int64_t time_to_open(uint64_t run, int flags)
{
	int64_t begun = clock_monotonic(), took;
	struct handle *h = open_by(run, flags);

	took = clock_monotonic() - begun;
	put(h, "line\n");
	close_now(h);
	return took;
}

static uint64_t size_of(uint64_t number)
{
	return version_number(PATH, number).size;
}

static bool is_cut(uint64_t number)
{
	return version_number(PATH, number).id != 0;
}

static void begin(void)
{
	test_begin("buckets:\n  raw: {}\nmonitoring: {log_level: ERROR}\n");
	make_folder(in_lake("buckets/raw"));
	put_file(in_lake("buckets/" PATH), "1");
	open_lake();
}

static void end(void)
{
	close_lake();
	remove_tree(test_lake);
}

static void test_who_stays(void)
{
	struct handle *reader, *writer;
	int64_t took = 0;

	begin();
	reader = open_by(5, O_RDONLY);
	for (int i = 0; i < 4; i++)
		took += time_to_open(6, O_WRONLY | O_TRUNC);
	ok(took < NO_WAIT_NS, "four truncations wait for no reader who stays: %d ms", (int)(took / NSEC_PER_MSEC));
	handle_flush(reader); /* but a duplicate lives on */
	took = time_to_open(6, O_WRONLY | O_TRUNC);
	took = 0;
	for (int i = 0; i < 4; i++)
		took += time_to_open(6, O_WRONLY | O_TRUNC);
	ok(took < NO_WAIT_NS, "nor again for one that was waited for in vain: %d ms", (int)(took / NSEC_PER_MSEC));
	handle_close(lake, reader);
	writer = open_by(5, O_WRONLY | O_APPEND);
	took = 0;
	for (int i = 0; i < 30; i++)
		took += time_to_open((uint64_t)(7 + i), O_WRONLY | O_APPEND);
	ok(took < NO_WAIT_NS, "thirty appends wait for no writer who stays: %d ms", (int)(took / NSEC_PER_MSEC));
	close_now(writer);
	end();
}

/* What is closed has its version, whoever is next, and however late its release comes. */
static void test_late_release(void)
{
	struct handle *h;
	pthread_t thread;

	begin();
	h = open_by(5, O_WRONLY | O_TRUNC);
	put(h, "22");
	thread = close_late(h);
	h = open_by(6, O_WRONLY | O_APPEND);
	put(h, "333");
	pthread_join(thread, NULL);
	close_now(h);
	ok(is_cut(3) && size_of(2) == 2 && size_of(3) == 5, "what was closed is a version of its own before an append");
	thread = close_late(open_by(5, O_RDONLY));
	h = open_by(6, O_WRONLY | O_TRUNC);
	put(h, "4444");
	pthread_join(thread, NULL);
	close_now(h);
	ok(version_number(PATH, 3).how == HOW_ASIDE, "and is put aside when its last reader has closed");
	end();
}

/* LATE: closed by its last user, and released long after that. Opens it for RUN, and releases LATE then. */
static void change_before_release(struct handle *late, uint64_t run, int flags, const char *text)
{
	struct handle *h = open_by(run, flags);

	put(h, text);
	handle_close(lake, late);
	close_now(h);
}

static struct handle *closed(uint64_t run, int flags, const char *text)
{
	struct handle *h = open_by(run, flags);

	put(h, text);
	handle_flush(h);
	return h;
}

/* However late: what was waited for in vain costs no version. */
static void test_too_late_release(void)
{
	struct handle *reader;

	begin();
	change_before_release(closed(5, O_WRONLY | O_TRUNC, "22"), 5, O_WRONLY | O_TRUNC, "333");
	ok(is_cut(3) && size_of(2) == 2 && size_of(3) == 3, "a truncation before the release costs no version");
	change_before_release(closed(5, O_WRONLY | O_TRUNC, "4444"), 6, O_WRONLY | O_APPEND, "5");
	ok(is_cut(5) && size_of(4) == 4 && size_of(5) == 5, "nor does an append of another run");
	change_before_release(closed(5, O_WRONLY | O_TRUNC, "666666"), 5, O_RDWR, "7");
	ok(is_cut(7) && size_of(6) == 6 && size_of(7) == 7, "nor a change in place");
	reader = open_by(6, O_RDONLY);
	change_before_release(closed(5, O_WRONLY | O_TRUNC, "88888888"), 5, O_WRONLY | O_TRUNC, "999999999");
	ok(is_cut(9) && size_of(8) == 8 && size_of(9) == 9, "nor a truncation beside a reader who stays");
	close_now(reader);
	ok(version_number(PATH, 8).state == VERSION_KEPT && version_number(PATH, 4).state == VERSION_KEPT &&
		   version_number(PATH, 6).state == VERSION_KEPT,
	   "all of them are kept");
	end();
}

/* An append goes on with what the same run appended, and with nothing else. */
static void test_too_late_for_appends(void)
{
	begin();
	change_before_release(closed(5, O_WRONLY | O_TRUNC, "22"), 5, O_WRONLY | O_APPEND, "3");
	ok(is_cut(3) && size_of(2) == 2 && size_of(3) == 3, "an append by the same run costs no rewrite");
	change_before_release(closed(5, O_RDWR, "44"), 5, O_WRONLY | O_APPEND, "5");
	ok(is_cut(5) && size_of(4) == 5 && size_of(5) == 6, "nor a change in place");
	ok(version_number(PATH, 2).state == VERSION_KEPT && version_number(PATH, 4).state == VERSION_KEPT,
	   "both are kept");
	change_before_release(closed(5, O_WRONLY | O_APPEND, "6"), 5, O_WRONLY | O_APPEND, "7");
	ok(!is_cut(6) && size_of(5) == 8, "what it appends to that is one version");
	end();
}

/* A shell's `>` closes what it opened before it writes, through a duplicate: that is not one who goes on. */
static void test_closed_before_written(void)
{
	struct actor actor = somebody();
	struct handle *late, *h;

	begin();
	late = closed(5, O_WRONLY | O_TRUNC, "22");
	h = open_by(5, O_WRONLY | O_APPEND);
	handle_flush(h);
	inode_before_change(lake, h->inode, h, &actor, 2, 3);
	put(h, "3");
	inode_after_change(h->inode);
	handle_close(lake, late);
	handle_close(lake, h);
	ok(is_cut(3) && size_of(2) == 2 && size_of(3) == 3, "who writes after a close costs no version of before");
	is_int(version_number(PATH, 2).state, VERSION_KEPT, "which is kept");
	end();
}

/* A truncation by name cuts, too; and what one run appends stays one version. */
static void test_too_late_for_others(void)
{
	struct inode *inode;
	struct actor actor = somebody();
	struct handle *h;

	begin();
	h = closed(5, O_WRONLY | O_TRUNC, "22");
	inode = look_up(PATH);
	is_int(inode_truncate(lake, inode, NULL, 1, &actor), 0, "truncated by name before the release");
	handle_close(lake, h);
	inode_unref(lake, inode);
	ok(is_cut(3) && size_of(2) == 2 && size_of(3) == 1, "costs no version");
	change_before_release(closed(5, O_WRONLY | O_APPEND, "44"), 5, O_WRONLY | O_APPEND, "44");
	ok(is_cut(4) && !is_cut(5) && size_of(4) == 5, "what one run appends is one version");
	end();
}

/* A descriptor was closed, but another one of the same open file goes on. */
static void test_duplicate(void)
{
	struct actor actor = somebody();
	struct handle *first, *h;

	begin();
	first = closed(5, O_WRONLY | O_TRUNC, "22");
	h = open_by(6, O_WRONLY | O_TRUNC);
	inode_before_change(lake, first->inode, first, &actor, 0, 3);
	put(first, "333");
	inode_after_change(first->inode);
	handle_close(lake, first);
	close_now(h);
	ok(is_cut(3) && size_of(3) == 3 && version_number(PATH, 2).state != VERSION_KEPT,
	   "what a duplicate goes on to write ended nowhere before");
	end();
}

static int move(const char *name, const char *to)
{
	struct inode *folder = look_up("raw");
	struct actor actor = somebody();
	int rc = ns_rename(lake, folder->id, name, folder->id, to, 0, &actor);

	inode_unref(lake, folder);
	return rc;
}

/* Whoever has the name PATH next goes on with its series: the size of the version NUMBER in it. */
static uint64_t size_before(uint64_t number)
{
	put_file(in_lake("buckets/" PATH), "next");
	inode_unref(lake, look_up(PATH));
	return size_of(number);
}

/* PATH is written and closed, and gets another name before it is released. */
static void write_and_move(const char *to)
{
	struct handle *h = open_by(5, O_WRONLY | O_TRUNC);
	pthread_t late;

	put(h, "22");
	late = close_late(h);
	is_int(move("f", to), 0, to);
	pthread_join(late, NULL);
}

/* What is closed is history of the name that it had, though it is released only after a rename. */
static void test_released_after_rename(void)
{
	begin();
	put_file(in_lake("buckets/raw/over"), "over");
	write_and_move("over");
	ok(version_number("raw/over", 2).size == 2, "its version goes on there");
	is_int((long long)size_before(2), 2, "and stays history where it was");
	end();
	begin();
	write_and_move("f~");
	is_int(move("f~", "g"), 0, "out of the way, and on");
	ok(version_number("raw/g", 1).size == 1 && version_number("raw/g", 2).size == 2, "it goes along, too");
	end();
}

/* The store can vouch for a version once its content was fsynced, by whomever. */
static void test_synced(void)
{
	struct version_row v;
	struct handle *h;

	begin();
	h = open_by(5, O_WRONLY | O_TRUNC);
	put(h, "22");
	close_now(h);
	v = live_version(PATH);
	is_int(store_is_synced(lake->store, v.node, v.size, v.mtime), 0, "what nobody fsynced is not known to be safe");
	h = open_by(6, O_WRONLY | O_APPEND);
	is_int(inode_sync(lake, h->inode, h, false), 0, "one who opened it for writing fsyncs, and writes nothing");
	is_int(store_is_synced(lake->store, v.node, v.size, v.mtime), 1, "what was there is known to be");
	close_now(h);
	end();
}

int main(void)
{
	test_who_stays();
	test_late_release();
	test_too_late_release();
	test_too_late_for_appends();
	test_closed_before_written();
	test_too_late_for_others();
	test_duplicate();
	test_released_after_rename();
	test_synced();
	return done();
}
