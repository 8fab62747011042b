/*
 * History that leaves for the cloud as packs, and what does not pack as it is: read there, erased there, and whole
 * whatever step a crash comes after.
 */
#include "test_work.h"

#include <sys/wait.h>

#include "base/cleanup.h"
#include "content/pack/pack_ahead.h"
#include "content/past/past.h"
#include "content/recall/recall.h"
#include "content/pack/repack.h"
#include "work/cloud/cloud.h"

#ifdef __SANITIZE_THREAD__
/* A lake that dies is a process of its own, forked from one that has threads. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "die_after_fork=0";
}
#endif

#define ROWS 4000

static char remote[160];

static void begin(void)
{
	char yaml[600];

	test_begin("");
	snprintf(remote, sizeof(remote), "%s.remote", test_lake);
	make_folder(remote);
	snprintf(yaml, sizeof(yaml),
		 "storage: {pack_after: 0, min_age: 0}\nbuckets: {raw: {}, kept: {tier: pinned}}\n"
		 "hybrid_storage: {cloud_provider: dir, cloud_path: \"%s\", cloud_prefix: p, cloud_allow_same_disk: "
		 "true}\n",
		 remote);
	set_settings(yaml);
	make_folder(in_lake("buckets/raw"));
	make_folder(in_lake("buckets/kept"));
	put_file(in_lake("buckets/raw/a"), "");
	open_lake();
}

static void end(void)
{
	close_lake();
	remove_tree(test_lake);
	remove_tree(remote);
}

/* ---- content ---- */

/* Version N: rows that are the same in all but for each hundredth, which say N. Freed by the caller. */
static char *content(const char *name, uint64_t n)
{
	struct buf b = BUF_INIT;
	uint64_t state = 7;

	buf_addf(&b, "%s,%llu\n", name, (unsigned long long)n);
	for (int i = 0; i < ROWS; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		buf_addf(&b, "%d,%llu,%s\n", i, (unsigned long long)(state >> 20), i % 100 == (int)n % 100 ? name : "");
	}
	return buf_detach(&b);
}

static void write_versions(const char *path, uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n <= to; n++) {
		_cleanup_free_ char *text = content(path, n);

		overwrite(path, text);
	}
	store_barrier(lake->store, 0);
}

/* The version that has content N: the first one is the empty file that was put there. */
static struct version_row nth(const char *path, uint64_t n)
{
	return version_number(path, n + 1);
}

/* 0: it is TEXT; 1: other bytes; -errno. */
static int compare(struct past *p, const char *text)
{
	size_t len = strlen(text);
	_cleanup_free_ char *got = malloc(len + 1);
	ssize_t n = past_want(p, 0, len, NULL);

	if (!n)
		n = past_read(p, got, len + 1, 0);
	return n < 0 ? (int)n : (size_t)n != len || memcmp(got, text, len);
}

static int read_version(const struct version_row *v, const char *text)
{
	struct past *p;
	int rc = past_open(lake, v, &p);

	if (rc < 0)
		return rc;
	rc = compare(p, text);
	past_close(p);
	return rc;
}

/* What does not compress. */
static char *noise(uint64_t seed, int len)
{
	char *text = malloc((size_t)len + 1);

	for (int i = 0; i < len; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		text[i] = (char)((seed >> 33) % 255 + 1);
	}
	text[len] = '\0';
	return text;
}

/* How many of the versions FROM to TO read as they were. */
static int right(const char *path, uint64_t from, uint64_t to)
{
	int n = 0;

	for (uint64_t i = from; i <= to; i++) {
		_cleanup_free_ char *text = content(path, i);
		struct version_row v = nth(path, i);

		n += v.id && !read_version(&v, text);
	}
	return n;
}

static int count_in(const char *folder, const char *suffix)
{
	DIR *d = opendir(folder);
	int n = 0;

	for (struct dirent *e; d && (e = readdir(d));) {
		size_t len = strlen(e->d_name), end = strlen(suffix);

		n += e->d_name[0] != '.' && len >= end && !strcmp(e->d_name + len - end, suffix);
	}
	if (d)
		closedir(d);
	return n;
}

static int packs_here(void)
{
	return count_in(in_lake("versions/packs"), ".pack");
}

static int indexes(void)
{
	return count_in(in_lake("versions/packs"), ".index");
}

static const char *in_remote(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", remote, name);
	return path;
}

/* Objects of KIND ("packs", "objects") at the remote. */
static int objects(const char *kind)
{
	_cleanup_buf_ struct buf command = BUF_INIT;
	FILE *p;
	int n = 0;

	buf_addf(&command, "find '%s' -type f -path '*/.tarn/%s/*' | wc -l", remote, kind);
	p = popen(buf_str(&command), "r");
	if (!p || fscanf(p, "%d", &n) != 1)
		bail_out("find");
	pclose(p);
	return n;
}

/* ---- steps, without the threads ---- */

static struct work *idle_work(void)
{
	struct work *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->lake = lake;
	w->first_version = store_new_version(lake->store);
	w->claims = claims_new();
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

static void free_work(struct work *w)
{
	claims_free(w->claims);
	free(w);
}

static int step(int (*fn)(struct work *w, struct tier *t))
{
	struct work *w = idle_work();
	_cleanup_tier_ struct tier *t = lake_tier(lake);
	int rc = fn(w, t);

	free_work(w);
	store_barrier(lake->store, 0);
	return rc;
}

static int leave_once(struct work *w, struct tier *t)
{
	return cloud_pack(w, t, true);
}

static int upload_once(struct work *w, struct tier *t)
{
	return cloud_pack(w, t, false);
}

static int sweep(struct work *w, struct tier *t)
{
	(void)t;
	pack_leftovers_sweep(w, NULL);
	return 0;
}

static enum cloud_step die_at;

static void die(enum cloud_step at)
{
	if (at == die_at)
		_exit(9);
}

/* One pack leaves, in a process that dies at STEP; then the lake is opened again here. */
static bool dies(enum cloud_step at)
{
	int status;
	pid_t child;

	close_lake();
	fflush(stdout);
	child = fork();
	if (!child) {
		die_at = at;
		cloud_step_hook = die;
		open_lake();
		step(leave_once);
		_exit(0);
	}
	waitpid(child, &status, 0);
	open_lake();
	return WIFEXITED(status) && WEXITSTATUS(status) == 9;
}

static uint64_t received(void)
{
	_cleanup_tier_ struct tier *t = lake_tier(lake);
	struct tier_stats stats;

	tier_stats(t, &stats);
	return stats.received;
}

/* ---- leaving and reading ---- */

static void test_leaving(void)
{
	struct pack_totals t;
	uint64_t before;

	begin();
	write_versions("raw/a", 1, 10);
	ok(pack_up_to(9), "history is packed");
	is_int(step(upload_once), 0, "a small pack is not uploaded early");
	is_int(step(leave_once), 1, "but leaves when there is no room");
	is_int(step(leave_once), 0, "it was the only one");
	is_int(packs_here(), 0, "its file is gone");
	is_int(indexes(), 1, "an index of it stays");
	is_int(objects("packs"), 1, "and it is in the cloud");
	is_int((int64_t)totals().stored_bytes, 0, "history stores nothing here");
	store_pack_totals(lake->store, &t);
	ok(!t.packs && t.away == 1 && t.away_bytes, "which the totals tell");
	is_int(right("raw/a", 1, 10), 10, "each version reads as it was");
	close_lake();
	open_lake();
	step(sweep);
	is_int(right("raw/a", 1, 10), 10, "and with the next daemon");
	write_versions("raw/a", 11, 14);
	ok(pack_up_to(13), "later versions are packed without waiting for the cloud");
	is_int(packs_here(), 1, "in a pack that is here");
	before = received();
	is_int(right("raw/a", 10, 14), 5, "they read as they were");
	ok(received() == before, "from what is here, or came before");
	end();
}

static _Atomic int busy, most_busy, asked;
static _Atomic bool hangs;

/* As tier_get(); each answers only when others have come, too, or for a while nobody has. */
static int slow_get(struct tier *t, const struct tier_get *g, const struct tier_call *call, struct tier_head *head)
{
	int now = ++busy, rc;

	asked++;
	if (now > most_busy)
		most_busy = now;
	for (int i = 0; i < 5000 && most_busy < 2; i++)
		usleep(1000);
	while (hangs && !call->stop(call->arg))
		usleep(1000);
	rc = hangs ? -ECANCELED : tier_get(t, g, call, head);
	busy--;
	return rc;
}

static bool is_interrupted(void *arg)
{
	(void)arg;
	return asked > 0;
}

/* The maps of a version and of all that it builds on lie far from each other in the pack. */
static void test_ahead(void)
{
	const struct tier_call interrupted = {.stop = is_interrupted}, patient = {.patience = 10 * NSEC_PER_SEC};
	struct version_row v;

	begin();
	for (uint64_t i = 1; i <= 12; i++) {
		_cleanup_free_ char *text = noise(i / 3, 400000);

		for (int k = 0; k < 400000; k++)
			text[k] = "0123456789abcdef"[text[k] & 15];
		text[0] = (char)('a' + i); /* each builds on one before, and many have much of their own */
		overwrite("raw/a", text);
	}
	store_barrier(lake->store, 0);
	ok(pack_up_to(11), "history is packed");
	is_int(step(leave_once), 1, "and leaves");
	close_lake();
	remove_tree(in_lake("cache"));
	remove_tree(in_lake("versions/packs"));
	open_lake();
	v = nth("raw/a", 11);
	is_int(v.how, HOW_PACKED, "an old version is packed");
	ok(pack_asks_remote(lake, v.sha256), "to open it the remote is asked");
	recall_calls.get = slow_get;
	hangs = true;
	is_int(pack_bring_maps(lake, v.sha256, &interrupted), -ECANCELED, "who is interrupted does not wait");
	ok(asked > 0, "for a remote that says nothing");
	hangs = false;
	is_int(pack_bring_maps(lake, v.sha256, &patient), 0, "another one waits for what it takes");
	recall_calls.get = tier_get;
	ok(!pack_asks_remote(lake, v.sha256), "then it is here");
	ok(most_busy > 1, "all of it was asked for at once");
	end();
}

static void test_without_index(void)
{
	begin();
	write_versions("raw/a", 1, 6);
	ok(pack_up_to(5), "history is packed");
	is_int(step(leave_once), 1, "and leaves");
	close_lake();
	remove_tree(in_lake("cache"));
	is_int(indexes(), 1, "an index is there");
	remove_tree(in_lake("versions/packs"));
	open_lake();
	is_int(right("raw/a", 1, 6), 6, "without its index a pack can be read, too");
	end();
}

static int note_pack(void *arg, const struct pack_row *p)
{
	*(struct pack_row *)arg = *p;
	return 0;
}

/* A file that is large, and two small parts of its old version. */
static void test_ranges(void)
{
	size_t size = 8 << 20;
	char *text = malloc(size);
	struct version_row v;
	struct past *p;
	char got[1000];
	uint64_t before, state = 3;

	begin();
	/* what packs only a little, so that the pack is large */
	for (size_t i = 0; i < size; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		text[i] = "0123456789abcdef"[state >> 60];
	}
	put_bytes(in_lake("buckets/raw/large"), text, size);
	overwrite("raw/large", "small");
	store_barrier(lake->store, 0);
	v = version_number("raw/large", 1);
	ok(pack_up_to(1), "a large old version is packed");
	is_int(step(leave_once), 1, "and leaves");
	close_lake(); /* what was unpacked stays in memory */
	open_lake();
	before = received();
	is_int(past_open(lake, &v, &p), 0, "it is opened");
	ok(!past_has(p, size / 2, sizeof(got)), "what is in its middle is not here");
	is_int(past_want(p, size / 2, sizeof(got), NULL), 0, "it can be waited for");
	ok(past_has(p, size / 2, sizeof(got)), "and is here then");
	is_int(past_read(p, got, sizeof(got), (off_t)(size / 2)), sizeof(got), "and read");
	ok(!memcmp(got, text + size / 2, sizeof(got)), "as it was");
	ok(received() - before < 2 << 20, "for %llu bytes", (unsigned long long)(received() - before));
	past_close(p);
	free(text);
	end();
}

static void test_object_gone(void)
{
	struct version_row v;

	begin();
	write_versions("raw/a", 1, 4);
	ok(pack_up_to(3), "history is packed");
	is_int(step(leave_once), 1, "and leaves");
	v = nth("raw/a", 2);
	close_lake();
	remove_tree(in_lake("cache"));
	remove_tree(in_remote("p/.tarn"));
	open_lake();
	{
		_cleanup_free_ char *text = content("raw/a", 2);
		int rc = read_version(&v, text);

		ok(rc < 0, "without its object a version is an error: %s", strerror(-rc));
	}
	step(sweep);
	v = nth("raw/a", 2);
	is_int(v.state, VERSION_KEPT, "and stays listed");
	end();
}

/* ---- crashes ---- */

static void test_crashes(void)
{
	static const char *const what[] = {"its intent is recorded", "it was sent", "it is verified", "it is away"};

	for (enum cloud_step at = STEP_PACK_INTENT; at <= STEP_PACK_AWAY; at++) {
		begin();
		write_versions("raw/a", 1, 5);
		ok(pack_up_to(4), "history is packed");
		ok(dies(at), "a crash when %s", what[at - STEP_PACK_INTENT]);
		is_int(right("raw/a", 1, 5), 5, "all can be read");
		step(sweep);
		is_int(packs_here() + indexes(), 1, "a pack, or its index is there");
		is_int(right("raw/a", 1, 5), 5, "all can still be read");
		is_int(step(leave_once), at < STEP_PACK_AWAY, "the next try");
		is_int(packs_here(), 0, "ends it");
		is_int(objects("packs"), 1, "with one object");
		is_int(totals().cloud_intents, 0, "and no intent");
		is_int(right("raw/a", 1, 5), 5, "all can be read then");
		end();
	}
}

/* Between the record and the file: as a crash of the machine may leave it. */
static void test_half_gone(void)
{
	struct pack_row pack = {0};
	char name[PACK_NAME_MAX];
	const char *path;

	begin();
	write_versions("raw/a", 1, 5);
	ok(pack_up_to(4), "history is packed");
	store_packs(lake->store, note_pack, &pack);
	pack_file_name(pack.id, name);
	path = in_lake("versions/packs/%s", name);
	if (link(path, in_lake("temp/pack")))
		bail_out("link");
	is_int(step(leave_once), 1, "it leaves");
	if (link(in_lake("temp/pack"), in_lake("versions/packs/%s", name)))
		bail_out("link");
	close_lake();
	open_lake();
	step(sweep);
	is_int(packs_here(), 0, "a file of a pack that is only in the cloud is removed at the next start");
	is_int(right("raw/a", 1, 5), 5, "all can be read");
	end();
}

static void test_lost_here(void)
{
	struct pack_row pack = {0};
	char name[PACK_NAME_MAX];

	begin();
	write_versions("raw/a", 1, 5);
	ok(pack_up_to(4), "history is packed");
	ok(dies(STEP_PACK_VERIFIED), "it is in the cloud, too");
	store_packs(lake->store, note_pack, &pack);
	pack_file_name(pack.id, name);
	close_lake();
	unlink(in_lake("versions/packs/%s", name));
	open_lake();
	step(sweep);
	store_barrier(lake->store, 0);
	is_int(right("raw/a", 1, 5), 5, "when its file is lost, it is read there");
	end();
}

/* ---- erasing and collecting ---- */

static int remote_has(const char *text)
{
	_cleanup_buf_ struct buf command = BUF_INIT;

	buf_addf(&command, "grep -rqF '%s' '%s'", text, remote);
	return system(buf_str(&command));
}

static void expire(const char *path, uint64_t from, uint64_t to)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	for (uint64_t i = from; i <= to; i++)
		record_version_state(r, nth(path, i).id, VERSION_EXPIRED, HOW_NONE, "test");
	store_submit(lake->store, r, NULL);
	store_barrier(lake->store, 0);
}

static int collect_cloud(struct work *w, struct tier *t)
{
	return cloud_collect(w, t);
}

static void test_collecting(void)
{
	uint64_t freed = 0;

	begin();
	write_versions("raw/a", 1, 6);
	ok(pack_up_to(5), "history is packed");
	is_int(step(leave_once), 1, "and leaves");
	expire("raw/a", 2, 3);
	packs_begin(lake, false);
	is_int(packs_collect(lake, NULL, NULL, &freed), 0, "some of it expires");
	packs_end(lake);
	is_int(objects("packs"), 1, "the pack stays for the others");
	is_int(right("raw/a", 4, 6), 3, "which read as they were");
	expire("raw/a", 1, 1);
	expire("raw/a", 4, 5);
	packs_begin(lake, false);
	is_int(packs_collect(lake, NULL, NULL, &freed), 0, "all of it expires");
	packs_end(lake);
	is_int((int64_t)freed, 0, "which frees nothing here");
	is_int(indexes(), 0, "its index goes");
	is_int(totals().cloud_going, 1, "the object is to go");
	is_int(step(collect_cloud), 1, "and goes");
	is_int(objects("packs"), 0, "from the cloud, too");
	is_int(totals().cloud, 0, "and is forgotten");
	end();
}

#define SECRET "xQ7#zKp9@LwVt2_nobody_knows"

static void test_erasing(void)
{
	_cleanup_free_ char *secrets = noise(5, 2000);
	struct version_row secret, other;
	_cleanup_free_ char *text = content("raw/a", 4);
	struct past *p;

	begin();
	write_versions("raw/a", 1, 6);
	memcpy(secrets + 1000, SECRET, strlen(SECRET)); /* within what does not compress, so that it can be found */
	put_file(in_lake("buckets/raw/secret"), secrets);
	overwrite("raw/secret", "nothing");
	store_barrier(lake->store, 0);
	ok(pack_up_to(6), "history is packed");
	is_int(step(leave_once), 1, "and leaves");
	is_int(remote_has(SECRET), 0, "a secret is in the cloud");
	secret = version_number("raw/secret", 1);
	other = nth("raw/a", 4);
	is_int(past_open(lake, &other, &p), 0, "another version is open");
	{
		struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

		record_version_state(r, secret.id, VERSION_PURGED, HOW_NONE, "test");
		store_submit(lake->store, r, NULL);
	}
	is_int(packs_erase(lake, (const uint8_t(*)[SHA256_BYTES])secret.sha256, 1), 0, "the secret is erased");
	ok(remote_has(SECRET), "and is not in the cloud any more");
	is_int(right("raw/a", 1, 6), 6, "the others read as they were");
	is_int(compare(p, text), 0, "that which is open, too");
	past_close(p);
	ok(totals().stored_bytes > 0, "what is here again is counted");
	step(collect_cloud);
	is_int(totals().cloud_going, 0, "nothing is left to be removed");
	is_int(step(leave_once), 1, "what was written anew leaves again");
	is_int(right("raw/a", 1, 6), 6, "and reads as it was");
	end();
}

/* ---- what does not pack, and what stays ---- */

static bool is_hashed(void)
{
	return version_number("raw/noise", 1).hashed;
}

static uint64_t wanted_commit;

static bool was_looked_at(void)
{
	return atomic_load(&lake->cloud.packed_to) >= wanted_commit;
}

static void test_loose(void)
{
	_cleanup_free_ char *text = noise(1, 40000);
	struct version_row v;

	begin();
	put_file(in_lake("buckets/raw/noise"), text);
	overwrite("raw/noise", "quiet");
	store_barrier(lake->store, 0);
	is_int(step(cloud_loose), 0, "what its packer has not seen does not leave");
	wanted_commit = version_number("raw/noise", 1).end_commit;
	start_work();
	ok(wait_for(is_hashed) && wait_for(was_looked_at), "it was looked at");
	stop_work();
	is_int(version_number("raw/noise", 1).how, HOW_ASIDE, "packing gains nothing for it");
	is_int(step(cloud_loose), 1, "so it leaves as it is");
	is_int(step(cloud_loose), 0, "once");
	v = version_number("raw/noise", 1);
	is_int(v.how, HOW_CLOUD, "it is only in the cloud");
	is_int((int64_t)v.stored, 0, "and stores nothing here");
	is_int(objects("objects"), 1, "as a plain object");
	is_int(read_version(&v, text), 0, "and reads as it was");
	end();
}

static void test_pinned(void)
{
	begin();
	put_file(in_lake("buckets/kept/b"), "");
	write_versions("raw/a", 1, 4);
	write_versions("kept/b", 1, 4);
	ok(pack_up_to(6), "history of two buckets is packed");
	is_int(packs_here(), 2, "in two packs");
	is_int(step(leave_once), 1, "one leaves");
	is_int(step(leave_once), 0, "that of the pinned bucket stays");
	is_int(packs_here(), 1, "here");
	is_int(right("raw/a", 1, 4) + right("kept/b", 1, 4), 8, "all can be read");
	end();
}

/* ---- all by itself ---- */

static bool all_away(void)
{
	struct pack_totals t;

	store_pack_totals(lake->store, &t);
	return t.away && !t.packs && totals().versions_by_how[HOW_CLOUD];
}

static void test_by_itself(void)
{
	_cleanup_free_ char *text = noise(2, 40000);
	struct version_row v;
	char yaml[600];

	begin();
	close_lake();
	snprintf(yaml, sizeof(yaml),
		 "storage: {pack_after: 3600, history_budget_gb: 0.0000001, cloud_burst_enabled: true}\n"
		 "buckets: {raw: {}}\n"
		 "hybrid_storage: {cloud_provider: dir, cloud_path: \"%s\", cloud_prefix: p, cloud_allow_same_disk: "
		 "true}\n",
		 remote);
	set_settings(yaml);
	open_lake();
	put_file(in_lake("buckets/raw/noise"), text);
	overwrite("raw/noise", "quiet");
	write_versions("raw/a", 1, 6);
	start_work();
	ok(wait_for(all_away), "history beyond its budget leaves by itself");
	stop_work();
	is_int(right("raw/a", 1, 6), 6, "nothing expired, and all can be read");
	v = version_number("raw/noise", 1);
	is_int(read_version(&v, text), 0, "what did not pack, too");
	end();
}

int main(void)
{
	test_leaving();
	test_without_index();
	test_ahead();
	test_ranges();
	test_object_gone();
	test_crashes();
	test_half_gone();
	test_lost_here();
	test_collecting();
	test_erasing();
	test_loose();
	test_pinned();
	test_by_itself();
	return done();
}
