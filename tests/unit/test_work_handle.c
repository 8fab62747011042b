/* Who opens a file waits for a release that is on its way, and for nobody who stays. */
#include <pthread.h>

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
	test_synced();
	return done();
}
