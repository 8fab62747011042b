/*
 * Writing, reading, expiring and packing at the same time: what is listed can be opened, what is open can be read to
 * its end, and every byte is the version's. Run it with --enable-sanitize=thread, too.
 *
 * Each version is one character over and over, so that a single byte of another one shows.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "test_work.h"
#include "content/past/past.h"
#include "work/gc.h"

#define SETTINGS                                                                          \
	"storage: {pack_after: 0}\nbuckets:\n  raw: {retention_days: 0, keep_last: 40}\n" \
	"monitoring: {log_level: ERROR}\n"
#define HOUR (INT64_C(3600) * NSEC_PER_SEC)
#define LARGE 200000
#define VERSIONS 512
#define WRITERS 3 /* of each kind */
#define READERS 2
#define PER_ROUND (30 * NSEC_PER_MSEC)

static _Atomic int64_t later;
static int64_t (*real_wall)(void);
static _Atomic bool ended;
static _Atomic int writes, reads, mixed, broken, unopened, expired;

static int64_t wall(void)
{
	return real_wall() + later;
}

static void rest(int64_t ns)
{
	nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

/* ---- writing ---- */

struct writer {
	pthread_t thread;
	int number;
	unsigned seed;
	char path[16];
};

static void write_anew(struct writer *w, const char *text, size_t len)
{
	struct handle *h = open_as_mount(w->path, O_WRONLY | O_TRUNC);

	if (write(h->fd, text, len) != (ssize_t)len)
		bail_out(w->path);
	handle_close(lake, h);
}

static void write_in_place(struct writer *w, const char *text)
{
	struct handle *h = open_as_mount(w->path, O_WRONLY);
	struct actor actor = somebody();

	for (off_t at = 0; at < LARGE; at += LARGE / 4) {
		inode_before_change(lake, h->inode, h, &actor, (uint64_t)at, (uint64_t)at + LARGE / 4);
		if (pwrite(h->fd, text, LARGE / 4, at) != LARGE / 4)
			bail_out(w->path);
		inode_after_change(h->inode);
	}
	handle_close(lake, h);
}

static void append(struct writer *w, size_t len)
{
	struct handle *h = open_as_mount(w->path, O_WRONLY | O_APPEND);
	struct actor actor = somebody();
	char text[1000];
	struct stat st;

	memset(text, '.', sizeof(text));
	if (inode_stat(lake, h->inode, &st) < 0)
		bail_out(w->path);
	inode_before_change(lake, h->inode, h, &actor, (uint64_t)st.st_size, (uint64_t)st.st_size + len);
	if (write(h->fd, text, len) != (ssize_t)len)
		bail_out(w->path);
	inode_after_change(h->inode);
	handle_close(lake, h);
}

static void *write_main(void *arg)
{
	_cleanup_free_ char *text = malloc(LARGE);
	struct writer *w = arg;

	while (!ended) {
		memset(text, 'a' + rand_r(&w->seed) % 26, LARGE);
		if (w->path[4] == 't')
			write_anew(w, text, 1 + (size_t)rand_r(&w->seed) % 60000);
		else if (w->path[4] == 'p')
			write_in_place(w, text);
		else
			append(w, 1 + (size_t)rand_r(&w->seed) % 1000);
		writes++;
		rest(rand_r(&w->seed) % (2 * PER_ROUND));
	}
	return NULL;
}

/* ---- reading ---- */

struct listed {
	uint64_t ids[VERSIONS];
	int n;
};

static int note(void *arg, const struct version_row *v)
{
	struct listed *l = arg;

	l->ids[l->n++] = v->id;
	return l->n == VERSIONS;
}

static void list(const char *path, struct listed *l)
{
	struct node_row folder, file;

	l->n = 0;
	if (store_entry(lake->store, NODE_ROOT, "raw", &folder) ||
	    store_entry(lake->store, folder.id, path + strlen("raw/"), &file) || !file.asset)
		return;
	store_versions(lake->store, file.asset, note, l);
}

/* One that could not be opened: it must not be readable any more. */
static void check_gone(uint64_t id)
{
	struct version_row v;

	if (!store_version(lake->store, id, &v) && version_is_readable(lake, &v))
		unopened++;
	else
		expired++;
}

/* What it was, and what has become of it. */
static void tell(const struct version_row *v, uint64_t at, ssize_t n)
{
	struct version_row now = {0};

	store_version(lake->store, v->id, &now);
	printf("# node %d version %d (%s, %s), now %s, %s: read to %d of %d: %s\n", (int)v->node, (int)v->number,
	       version_state_name(v->state), version_how_name(v->how), version_state_name(now.state),
	       version_how_name(now.how), (int)at, (int)v->size, n < 0 ? strerror((int)-n) : "the end");
}

static void check_bytes(struct past *p, const struct version_row *v)
{
	uint64_t size = past_size(p);

	char piece[16384], first = 0;
	uint64_t at = 0;
	ssize_t n;

	while ((n = past_read(p, piece, sizeof(piece), (off_t)at)) > 0) {
		first = at ? first : piece[0];
		for (ssize_t i = 0; i < n; i++)
			if (piece[i] != first) {
				mixed++;
				return;
			}
		at += (uint64_t)n;
		rest(NSEC_PER_MSEC / 10);
	}
	reads++;
	if (n == 0 && at == size)
		return;
	broken++;
	tell(v, at, n);
}

static void read_one(uint64_t id)
{
	struct version_row v;
	struct past *p;

	if (store_version(lake->store, id, &v) || !version_is_readable(lake, &v))
		return;
	if (past_open(lake, &v, &p)) {
		check_gone(id);
		return;
	}
	check_bytes(p, &v);
	past_close(p);
}

static void *read_main(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	static const char kinds[] = "tpa";

	while (!ended) {
		char path[16];
		struct listed l;

		snprintf(path, sizeof(path), "raw/%c%d", kinds[rand_r(&seed) % 3], rand_r(&seed) % WRITERS);
		list(path, &l);
		for (int i = 0; l.n && i < 10 && !ended; i++)
			read_one(l.ids[rand_r(&seed) % l.n]);
		rest(NSEC_PER_MSEC);
	}
	return NULL;
}

/* ---- expiring ---- */

static void *collect_main(void *arg)
{
	(void)arg;
	while (!ended) {
		struct gc_plan plan;
		uint64_t versions, bytes;

		later += HOUR;
		if (!gc_plan(lake, &ended, &plan))
			gc_carry_out(lake, &plan, &ended, &versions, &bytes);
		gc_plan_release(&plan);
		rest(3 * PER_ROUND);
	}
	return NULL;
}

static void *shorten_main(void *arg)
{
	struct work *w = arg;
	uint64_t freed = 0, count = 0;

	while (!ended) {
		expire_history(w, ANY_VOLUME, true, 300000, "space short", &freed, &count);
		rest(10 * PER_ROUND);
	}
	return NULL;
}

/* ---- all of it ---- */

static void start_writers(struct writer *writers)
{
	static const char kinds[] = "tpa";

	for (int i = 0; i < 3 * WRITERS; i++) {
		writers[i] = (struct writer){.number = i, .seed = (unsigned)i + 1};
		snprintf(writers[i].path, sizeof(writers[i].path), "raw/%c%d", kinds[i % 3], i / 3);
		pthread_create(&writers[i].thread, NULL, write_main, &writers[i]);
	}
}

static void make_files(void)
{
	_cleanup_free_ char *text = malloc(LARGE);

	memset(text, '.', LARGE);
	for (int i = 0; i < WRITERS; i++) {
		put_bytes(in_lake("buckets/raw/t%d", i), text, 10);
		put_bytes(in_lake("buckets/raw/p%d", i), text, LARGE);
		put_bytes(in_lake("buckets/raw/a%d", i), text, 10);
	}
}

static void test_all_at_once(void)
{
	struct writer writers[3 * WRITERS];
	pthread_t readers[READERS], collector, shortener;

	start_writers(writers);
	for (uintptr_t i = 0; i < READERS; i++)
		pthread_create(&readers[i], NULL, read_main, (void *)(i + 100));
	pthread_create(&collector, NULL, collect_main, NULL);
	pthread_create(&shortener, NULL, shorten_main, work);
	sleep((unsigned)stress_seconds(4));
	ended = true;
	for (int i = 0; i < 3 * WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	pthread_join(collector, NULL);
	pthread_join(shortener, NULL);
	diag("%d writes, %d versions read, %d expired before they were opened; %d are packed", writes, reads, expired,
	     (int)totals().versions_by_how[HOW_PACKED]);
	ok(writes > 20 && reads > 20, "there was something to see");
	is_int(mixed, 0, "no version had a byte of another");
	is_int(broken, 0, "what was open could be read to its end");
	is_int(unopened, 0, "what was listed could be opened");
}

static void test_afterwards(void)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	mixed = broken = unopened = 0;
	store_barrier(lake->store, 0);
	for (int i = 0; i < 3 * WRITERS; i++) {
		struct listed l;
		char path[16];

		snprintf(path, sizeof(path), "raw/%c%d", "tpa"[i % 3], i / 3);
		list(path, &l);
		for (int j = 0; j < l.n; j++)
			read_one(l.ids[j]);
	}
	ok(!mixed && !broken && !unopened, "afterwards all that is listed can be read");
	is_int(store_check(lake->store, true, &why), 0, "and the store is whole");
	diag("%s", buf_str(&why));
}

int main(void)
{
	real_wall = clock_source.wall;
	clock_source.wall = wall;
	test_begin(SETTINGS);
	make_folder(in_lake("buckets/raw"));
	make_files();
	open_lake();
	start_work();
	test_all_at_once();
	stop_work();
	test_afterwards();
	close_lake();
	return test_end();
}
