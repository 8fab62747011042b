/* Hashing while files are in use, counting opens, and being at rest. */
#include "test_work.h"

#define SETTINGS "buckets:\n  raw: {}\nmonitoring: {log_level: ERROR}\n"
#define BIG ((off_t)256 << 20)

static void pause_ms(int ms)
{
	usleep((useconds_t)ms * 1000);
}

/* A sparse file is quick to make, and takes as long to hash. */
static void put_big(const char *path)
{
	_cleanup_close_ int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0 || ftruncate(fd, BIG) < 0)
		bail_out(path);
}

static unsigned holders(const char *path)
{
	struct inode *inode = inode_find(lake, node_at(path).id);
	unsigned n = 0;

	if (inode) {
		pthread_mutex_lock(&inode->lock);
		n = inode->holders;
		pthread_mutex_unlock(&inode->lock);
	}
	inode_unref(lake, inode);
	return n;
}

static bool big_is_held(void)
{
	return holders("raw/big") > 0;
}

static bool big_is_hashed_as_kept(void)
{
	struct version_row v = version_number("raw/big", 1);

	return v.state == VERSION_KEPT && v.hashed;
}

static bool big_is_hashed(void)
{
	return live_version("raw/big").hashed;
}

static bool busy_is_hashed(void)
{
	return live_version("raw/busy").number == 2 && live_version("raw/busy").hashed;
}

static bool stopped_is_hashed(void)
{
	return live_version("raw/stopped").hashed;
}

static bool in_place_is_hashed(void)
{
	return live_version("raw/in-place").number == 2 && live_version("raw/in-place").hashed;
}

/* A writer has it open: it waits for its turn, and its new version comes first. */
static void test_busy(void)
{
	struct handle *h;

	put_file(in_lake("buckets/raw/busy"), "before\n");
	open_lake();
	h = open_as_mount("raw/busy", O_WRONLY);
	start_work();
	wait_for(scan_is_done);
	pause_ms(300);
	ok(!live_version("raw/busy").hashed, "a file is not hashed while it is open for writing");
	is_int((int64_t)totals().jobs, 1, "its job waits");
	{
		struct actor actor = somebody();

		inode_before_change(lake, h->inode, h, &actor, 0, 6);
	}
	if (pwrite(h->fd, "after!", 6, 0) != 6)
		bail_out("write");
	inode_after_change(h->inode);
	handle_close(lake, h);
	ok(wait_for(busy_is_hashed), "its next version is hashed");
	{
		struct version_row v = live_version("raw/busy");

		ok(has_hash_of(&v, in_lake("buckets/raw/busy")), "with the hash of what was written");
	}
	{
		struct version_row v = version_number("raw/busy", 1);

		put_file(in_lake("before"), "before\n");
		ok(!v.hashed || has_hash_of(&v, in_lake("before")), "and never as the version before");
	}
	close_lake();
}

/* O_TRUNC while it is hashed: the hasher lets go, the old content goes aside and is hashed there. */
static void test_truncated(void)
{
	struct version_row v;
	int64_t begun;

	put_big(in_lake("buckets/raw/big"));
	open_lake();
	start_work();
	ok(wait_for(big_is_held), "a big file is being hashed");
	begun = clock_monotonic();
	overwrite("raw/big", "small\n");
	begun = clock_monotonic() - begun;
	ok(begun < 3 * NSEC_PER_SEC, "a truncation does not wait for that");
	diag("%lld ms", (long long)(begun / NSEC_PER_MSEC));
	v = version_number("raw/big", 1);
	is_int(v.state, VERSION_KEPT, "the old content is kept");
	ok(!v.hashed, "and not hashed yet");
	ok(wait_for(big_is_hashed_as_kept), "it is hashed where it is kept");
	v = version_number("raw/big", 1);
	{
		char name[VERSION_NAME_MAX];

		version_name(v.node, v.id, name);
		ok(has_hash_of(&v, in_lake("versions/%s", name)), "rightly");
	}
	wait_for(big_is_hashed);
	v = live_version("raw/big");
	ok(has_hash_of(&v, in_lake("buckets/raw/big")), "and so is the new one");
	close_lake();
}

/* Written in place while it is hashed: what was read is of neither version. */
static void test_in_place(void)
{
	struct actor actor = somebody();
	struct version_row v;
	struct handle *h;

	put_big(in_lake("buckets/raw/in-place"));
	open_lake();
	start_work();
	while (!holders("raw/in-place"))
		pause_ms(1);
	h = open_as_mount("raw/in-place", O_WRONLY);
	inode_before_change(lake, h->inode, h, &actor, BIG - 1, BIG);
	if (pwrite(h->fd, "x", 1, BIG - 1) != 1)
		bail_out("write");
	inode_after_change(h->inode);
	while (holders("raw/in-place"))
		pause_ms(1);
	store_barrier(lake->store, 0);
	ok(!live_version("raw/in-place").hashed, "what was read while it changed does not count");
	handle_close(lake, h);
	ok(wait_for(in_place_is_hashed), "the next version is hashed");
	v = live_version("raw/in-place");
	ok(has_hash_of(&v, in_lake("buckets/raw/in-place")), "rightly");
	v = version_number("raw/in-place", 1);
	ok(!v.hashed || !has_hash_of(&v, in_lake("buckets/raw/in-place")), "and the one before never as it");
	close_lake();
}

static void test_stopped(void)
{
	struct version_row v;

	put_big(in_lake("buckets/raw/stopped"));
	open_lake();
	start_work();
	while (!holders("raw/stopped"))
		pause_ms(1);
	stop_work(); /* says when it takes long */
	ok(!live_version("raw/stopped").hashed, "hashing can be stopped");
	ok(totals().jobs, "its job stays in the store");
	close_lake();
	open_lake();
	start_work();
	wait_for(stopped_is_hashed);
	v = live_version("raw/stopped");
	ok(has_hash_of(&v, in_lake("buckets/raw/stopped")), "and is done by the next start");
	close_lake();
}

/* ---- what goes wrong ---- */

/* How often the job of VERSION was tried; -1 when it has none. */
static int tries_of(uint64_t version, uint64_t *job)
{
	struct job_row jobs[32];
	int n = store_jobs(lake->store, JOB_SNIFF, INT64_MAX, jobs, 32);

	for (int i = 0; i < n; i++) {
		if (jobs[i].subject != version)
			continue;
		if (job)
			*job = jobs[i].id;
		return jobs[i].tries;
	}
	return -1;
}

static bool others_are_hashed(void)
{
	return live_version("raw/kept").hashed && live_version("raw/gone").hashed;
}

static void test_wrong(void)
{
	struct version_row kept, gone;
	char name[VERSION_NAME_MAX];
	uint64_t removed, job = 0;

	put_file(in_lake("buckets/raw/kept"), "its file will be shorter\n");
	put_file(in_lake("buckets/raw/gone"), "its file will be gone\n");
	put_file(in_lake("buckets/raw/removed"), "it will be removed behind our back\n");
	open_lake();
	overwrite("raw/kept", "other\n");
	overwrite("raw/gone", "other\n");
	inode_unref(lake, look_up("raw/removed"));
	removed = live_version("raw/removed").id;
	kept = version_number("raw/kept", 1);
	gone = version_number("raw/gone", 1);
	version_name(kept.node, kept.id, name);
	put_file(in_lake("versions/%s", name), "short\n");
	version_name(gone.node, gone.id, name);
	unlink(in_lake("versions/%s", name));
	unlink(in_lake("buckets/raw/removed"));
	start_work();
	wait_for(scan_is_done);
	for (int i = 0; i < 100 && tries_of(kept.id, &job) < 1; i++)
		pause_ms(50);
	ok(tries_of(kept.id, &job) > 0, "a file that is not what it should be is tried again, later");
	for (int i = 0; i < 200 && (tries_of(gone.id, NULL) >= 0 || tries_of(removed, NULL) >= 0); i++)
		pause_ms(50);
	is_int(tries_of(gone.id, NULL), -1, "one that is gone ends its job");
	is_int(tries_of(removed, NULL), -1, "and so does one that was removed behind our back");
	ok(!version_number("raw/kept", 1).hashed, "it has no hash");
	ok(wait_for(others_are_hashed), "others have");
	stop_work();
	{
		struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

		record_job_done(r, job);
		store_submit(lake->store, r, NULL);
	}
	close_lake();
}

/* ---- what is hashed already ---- */

static bool both_are_hashed(void)
{
	return version_number("raw/again", 1).hashed && live_version("raw/again").hashed;
}

static bool is_again(const struct version_row *v, const uint8_t sha256[SHA256_BYTES])
{
	return v->hashed && !memcmp(v->sha256, sha256, SHA256_BYTES) && !strcmp(v->mime, "text/plain");
}

/* A hash that is not that of the bytes shows whether it was made anew. */
static void test_again(void)
{
	static const uint8_t wrong[SHA256_BYTES] = "not what sha256sum would say...";
	struct version_row kept, live;
	struct record *r;

	put_file(in_lake("buckets/raw/again"), "the first version\n");
	put_file(in_lake("buckets/raw/new"), "nobody hashed this one\n");
	run_lake();
	overwrite("raw/again", "the second version\n");
	ok(wait_for(both_are_hashed), "a file and what it was before are hashed");
	kept = version_number("raw/again", 1);
	live = live_version("raw/again");
	stop_work();

	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_version_facts(r, kept.id, wrong, "application/x-wrong");
	record_version_facts(r, live.id, wrong, "application/x-wrong");
	record_version_forget(r, live_version("raw/new").id);
	record_job_add(r, JOB_SNIFF, kept.id, 0);
	record_job_add(r, JOB_SNIFF, live.id, 0);
	record_job_add(r, JOB_SNIFF, live_version("raw/new").id, 0);
	is_int(store_submit(lake->store, r, NULL), 0, "all are to be looked at, as after migration 4");
	start_work();
	ok(wait_for(no_jobs), "they are");
	kept = version_number("raw/again", 1);
	live = live_version("raw/again");
	ok(is_again(&live, wrong), "a hashed file is looked at, and not hashed again");
	ok(is_again(&kept, wrong), "nor is an old version");
	live = live_version("raw/new");
	ok(has_hash_of(&live, in_lake("buckets/raw/new")), "what has no hash gets one");
	close_lake();
}

/* ---- opens ---- */

static void read_as_mount(const char *path, int times)
{
	for (int i = 0; i < times; i++)
		handle_close(lake, open_as_mount(path, O_RDONLY));
}

static bool three_opens(void)
{
	return totals().opens == 3;
}

static void test_opens(void)
{
	struct inode *held;
	int64_t begun;

	open_lake();
	held = look_up("raw/busy"); /* as the kernel does */
	start_work();
	wait_for(scan_is_done);
	begun = clock_monotonic();
	read_as_mount("raw/busy", 3);
	if (!ok(wait_for(three_opens), "opens for reading are counted"))
		diag("%lld are", (long long)totals().opens);
	ok(clock_monotonic() - begun < 6 * NSEC_PER_SEC, "in five seconds or so");
	read_as_mount("raw/busy", 2);
	stop_work();
	is_int((int64_t)totals().opens, 5, "and the last ones at the end");
	inode_unref(lake, held);
	close_lake();
}

/* ---- rest ---- */

/* How often our threads and the store's gave up the processor of their own accord; their CPU time in ticks. */
static void look_at_threads(long *wakeups, long *ticks)
{
	_cleanup_closedir_ DIR *d = opendir("/proc/self/task");
	struct dirent *e;

	*wakeups = *ticks = 0;
	while (d && (e = readdir(d))) {
		char path[300], line[256], name[64] = "";
		long utime = 0, stime = 0, n;

		snprintf(path, sizeof(path), "/proc/self/task/%s/stat", e->d_name);
		_cleanup_fclose_ FILE *stat = fopen(path, "re");
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", e->d_name);
		_cleanup_fclose_ FILE *status = fopen(path, "re");

		if (!stat || !status ||
		    fscanf(stat, "%*d (%63[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", name, &utime,
			   &stime) != 3 ||
		    strncmp(name, "tarn-", 5))
			continue;
		*ticks += utime + stime;
		while (fgets(line, sizeof(line), status))
			if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
				*wakeups += n;
	}
}

static void test_rest(void)
{
	long before, after, cpu_before, cpu_after;
	int64_t since, seconds;

	open_lake();
	start_work();
	wait_for(scan_is_done);
	pause_ms(1500);
	since = clock_monotonic();
	look_at_threads(&before, &cpu_before);
	pause_ms(3000);
	look_at_threads(&after, &cpu_after);
	seconds = (clock_monotonic() - since) / NSEC_PER_SEC + 1;
	ok(before > 0 && after > before, "threads run in the background");
	ok(after - before <= 6 * seconds, "at rest each of them wakes up once a second");
	ok(cpu_after - cpu_before <= 3, "and do next to nothing");
	diag("%ld wake-ups and %ld ticks of CPU in %lld s", after - before, cpu_after - cpu_before, (long long)seconds);
	close_lake();
}

int main(void)
{
	test_begin(SETTINGS);
	make_folder(in_lake("buckets/raw"));
	test_busy();
	test_truncated();
	test_in_place();
	test_stopped();
	test_wrong();
	test_again();
	test_opens();
	test_rest();
	return test_end();
}
