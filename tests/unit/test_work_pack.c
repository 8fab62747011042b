/* Cold history is packed, and what nobody needs of packs goes; whatever fails or happens meanwhile. */
#include "content/pack/pack_io.h"
#include "content/past/past.h"
#include "content/pack/repack.h"
#include "meta/store_test.h"
#include "test_work.h"

#define ROWS 4000
#define SETTINGS "storage: {pack_after: 0}\nbuckets:\n  raw: {}\nmonitoring: {log_level: ERROR}\n"

/* ---- content ---- */

/* Version N: rows that are the same in all but for each hundredth, which say N. Freed by the caller. */
static char *content(const char *name, uint64_t n)
{
	struct buf b = BUF_INIT;
	uint64_t state = 7;

	buf_addf(&b, "%s,%llu\n", name, (unsigned long long)n);
	for (int i = 0; i < ROWS; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		buf_addf(&b, "%d,%llu,%s\n", i, (unsigned long long)(state >> 20),
			 i % 100 == (int)n % 100 ? "new" : "");
	}
	return buf_detach(&b);
}

static void write_version(const char *path, uint64_t n)
{
	_cleanup_free_ char *text = content(path, n);

	overwrite(path, text);
}

static void write_versions(const char *path, uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n <= to; n++)
		write_version(path, n);
	store_barrier(lake->store, 0);
}

/* The version that write_version(N) made: the first one is the empty file that begin() put there. */
static struct version_row nth(const char *path, uint64_t n)
{
	return version_number(path, n + 1);
}

/* 0 as it was; else -errno, or 1: other bytes. */
static int read_version(const struct version_row *v, const char *path)
{
	_cleanup_free_ char *wanted = content(path, v->number - 1), *got = malloc(v->size + 1);
	struct past *p;
	ssize_t n;
	int rc = past_open(lake, v, &p);

	if (rc < 0)
		return rc;
	n = past_read(p, got, v->size, 0);
	past_close(p);
	if (n < 0)
		return (int)n;
	return (size_t)n != strlen(wanted) || memcmp(got, wanted, (size_t)n);
}

/* How many of the versions FROM to TO read as they were. */
static int right(const char *path, uint64_t from, uint64_t to)
{
	int n = 0;

	for (uint64_t i = from; i <= to; i++) {
		struct version_row v = nth(path, i);

		n += v.id && !read_version(&v, path);
	}
	return n;
}

static int count_in(const char *folder)
{
	DIR *d = opendir(in_lake("%s", folder));
	int n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static int own_files(void)
{
	char folder[40];
	int n = 0;

	for (int i = 0; i < 256; i++) {
		snprintf(folder, sizeof(folder), "versions/%02x", i);
		n += count_in(folder);
	}
	return n;
}

static void begin(void)
{
	test_begin(SETTINGS);
	make_folder(in_lake("buckets/raw"));
	put_file(in_lake("buckets/raw/a"), "");
	put_file(in_lake("buckets/raw/b"), "");
	open_lake();
}

static void end(void)
{
	close_lake();
	remove_tree(test_lake);
}

/* ---- packing ---- */

static void test_packing(void)
{
	struct pack_totals t;
	uint64_t size;

	begin();
	write_versions("raw/a", 1, 10);
	size = nth("raw/a", 1).size;
	ok(pack_up_to(9), "what was superseded is packed");
	is_int(own_files(), 0, "and has no files of its own");
	store_pack_totals(lake->store, &t);
	ok(t.objects == 9 && t.content_bytes > 9 * size - 1000, "nine contents are in packs");
	ok(t.bytes < size, "and take less than one: %llu of %llu", (unsigned long long)t.bytes,
	   (unsigned long long)size);
	is_int((int64_t)totals().stored_bytes / 1000 < (int64_t)t.bytes / 1000 + 1, 1,
	       "what versions store is counted");
	is_int(right("raw/a", 1, 10), 10, "each version reads as it was");
	close_lake();
	open_lake();
	is_int(right("raw/a", 1, 10), 10, "also when the lake was closed");
	write_versions("raw/a", 11, 12);
	ok(pack_up_to(11), "later ones go on");
	is_int(right("raw/a", 1, 12), 12, "and all read as they were");
	end();
}

/* ---- what crashes leave ---- */

static bool is_swept(void)
{
	return !own_files() && count_in("versions/packs") == 1;
}

static bool is_lost(void)
{
	return nth("raw/a", 2).state == VERSION_NOT_KEPT;
}

static void test_leftovers(void)
{
	struct version_row v;
	char name[VERSION_NAME_MAX];

	begin();
	write_versions("raw/a", 1, 4);
	ok(pack_up_to(3), "a pack");
	v = nth("raw/a", 1);
	version_name(v.node, v.id, name);
	put_file(in_lake("versions/%s", name), "left when the daemon was killed");
	put_file(in_lake("versions/packs/00000001.new"), "not complete");
	put_file(in_lake("versions/packs/00000001.pack"), "complete, but no row names it");
	close_lake();
	run_lake();
	wait_for(is_swept);
	stop_work();
	is_int(own_files(), 0, "what a packed version had for itself is removed at the next start");
	is_int(count_in("versions/packs"), 1, "and packs that no row names");
	is_int(right("raw/a", 1, 4), 4, "the others stay");
	end();
}

static int note_pack(void *arg, const struct pack_row *p)
{
	*(uint64_t *)arg = p->id;
	return 0;
}

static void test_missing_pack(void)
{
	char name[PACK_NAME_MAX];
	uint64_t pack = 0;
	struct version_row v;

	begin();
	write_versions("raw/a", 1, 4);
	ok(pack_up_to(3), "a pack");
	store_packs(lake->store, note_pack, &pack);
	pack_file_name(pack, name);
	close_lake();
	unlink(in_lake("versions/packs/%s", name));
	log_set_level(-1); /* it is an error, and logged as one */
	run_lake();
	wait_for(is_lost);
	stop_work();
	log_set_level(LOG_LEVEL_ERROR);
	v = nth("raw/a", 2);
	ok(v.state == VERSION_NOT_KEPT && strstr(v.reason, "pack is missing"),
	   "without its pack a version is not kept");
	is_int(right("raw/a", 4, 4), 1, "the live one is there");
	end();
}

/* ---- what is not what it was ---- */

static void test_other_bytes(void)
{
	uint8_t wrong[SHA256_BYTES] = {1};
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct version_row v;

	begin();
	write_versions("raw/a", 1, 4);
	v = nth("raw/a", 2);
	record_version_facts(r, v.id, wrong, NULL);
	store_submit(lake->store, r, NULL);
	ok(pack_up_to(2), "two of three are packed");
	v = nth("raw/a", 2);
	ok(v.state == VERSION_NOT_KEPT && v.reason[0], "one whose hash is another is not kept: %s", v.reason);
	ok(right("raw/a", 1, 1) && right("raw/a", 3, 4) == 2, "the others are");
	end();
}

/* ---- collecting ---- */

static void expire(const char *path, uint64_t from, uint64_t to, enum version_state state)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	for (uint64_t n = from; n <= to; n++)
		record_version_state(r, nth(path, n).id, state, HOW_NONE, "test");
	store_submit(lake->store, r, NULL);
	store_barrier(lake->store, 0);
}

static int collect(void)
{
	uint64_t freed = 0;
	int rc;

	packs_begin(lake, false);
	rc = packs_collect(lake, NULL, NULL, &freed);
	packs_end(lake);
	return rc;
}

static struct pack_totals pack_totals(void)
{
	struct pack_totals t = {0};

	store_barrier(lake->store, 0);
	store_pack_totals(lake->store, &t);
	return t;
}

static void test_collecting(void)
{
	struct past *reader;
	struct version_row v;
	char bytes[100];

	begin();
	write_versions("raw/a", 1, 12);
	write_versions("raw/b", 1, 8);
	ok(pack_up_to(18), "two series are packed");
	expire("raw/a", 1, 9, VERSION_EXPIRED);
	is_int(collect(), 0, "what expired is collected");
	ok(pack_totals().objects == 10, "but not the first, on which the tenth builds: %d are left",
	   (int)pack_totals().objects);
	is_int(right("raw/a", 10, 12) + right("raw/b", 1, 8), 11, "all others read as they were");
	v = nth("raw/b", 5);
	is_int(past_open(lake, &v, &reader), 0, "somebody reads one");
	expire("raw/a", 10, 11, VERSION_EXPIRED);
	expire("raw/b", 1, 7, VERSION_EXPIRED);
	is_int(collect(), 0, "while all expire");
	is_int((int64_t)pack_totals().objects, 0, "nothing is left of them");
	is_int(count_in("versions/packs"), 0, "nor of packs");
	is_int(past_read(reader, bytes, sizeof(bytes), 5000), sizeof(bytes), "who reads goes on");
	past_close(reader);
	is_int(past_open(lake, &v, &reader), -ENOENT, "who comes now finds none");
	end();
}

static void test_small_packs(void)
{
	begin();
	for (uint64_t i = 1; i <= 10; i++) {
		write_versions("raw/a", i, i + 1 - (i > 1));
		if (i > 1)
			pack_up_to(i - 1);
	}
	ok(count_in("versions/packs") <= 10, "a pack each time");
	is_int(collect(), 0, "many small ones");
	ok(count_in("versions/packs") <= 2, "become one: %d", count_in("versions/packs"));
	is_int(right("raw/a", 1, 10), 10, "and all is as it was");
	end();
}

/* ---- erasing ---- */

static void test_erasing(void)
{
	uint8_t sha256[2][SHA256_BYTES];
	struct object_row o;
	struct version_row v;

	begin();
	write_versions("raw/a", 1, 12);
	ok(pack_up_to(11), "a series is packed");
	v = nth("raw/a", 1);
	memcpy(sha256[0], v.sha256, SHA256_BYTES);
	v = nth("raw/a", 4);
	memcpy(sha256[1], v.sha256, SHA256_BYTES);
	is_int(packs_erase(lake, sha256, 2), 0, "what versions are kept as");
	is_int(store_object(lake->store, sha256[0], &o), 0, "is not erased");
	expire("raw/a", 1, 1, VERSION_PURGED);
	expire("raw/a", 4, 4, VERSION_PURGED);
	is_int(packs_erase(lake, sha256, 2), 0, "two on which others build are erased");
	ok(store_object(lake->store, sha256[0], &o) == -ENOENT && store_object(lake->store, sha256[1], &o) == -ENOENT,
	   "they are in no pack");
	is_int(right("raw/a", 2, 3) + right("raw/a", 5, 12), 10, "all others read as they were");
	is_int((int64_t)pack_totals().objects, 9, "none is there twice");
	close_lake();
	open_lake();
	is_int(right("raw/a", 2, 3) + right("raw/a", 5, 12), 10, "also after the next start");
	is_int(packs_erase(lake, sha256, 2), 0, "what is gone is gone");
	end();
}

/* ---- faults ---- */

static void test_faults(void)
{
	begin();
	log_set_level(-1);
	write_versions("raw/a", 1, 4);
	for (int after = 0; after < 9; after += 2) {
		pack_fail_writes(after, 1, after % 4 ? -ENOSPC : -EIO);
		packed_wanted = totals().versions_by_how[HOW_PACKED] + 1;
		start_work();
		usleep(300000);
		stop_work();
		pack_fail_writes(0, 0, 0);
		if (right("raw/a", 1, 4) != 4)
			ok(false, "all versions are there after write %d failed", after);
	}
	is_int(right("raw/a", 1, 4), 4, "whichever write of a pack fails, every version is there");
	write_versions("raw/a", 5, 8);
	store_fail_commits(lake->store, 2, 2, -ENOSPC);
	start_work();
	usleep(300000);
	stop_work();
	store_fail_commits(lake->store, 0, 0, 0);
	for (int i = 0; i < 200 && store_sync(lake->store, 0); i++) /* it is tried again each second */
		usleep(50000);
	is_int(right("raw/a", 1, 8), 8, "or a commit");
	log_set_level(LOG_LEVEL_ERROR);
	ok(pack_up_to(4), "and later they are packed");
	is_int(right("raw/a", 1, 8), 8, "as they were");
	end();
}

/* ---- all at once ---- */

static _Atomic bool over;
static _Atomic int opened, unreadable, wrong;

static void *keep_writing(void *arg)
{
	uint64_t n = *(uint64_t *)arg;

	while (!atomic_load(&over)) {
		write_version("raw/a", ++n);
		usleep(3000);
	}
	*(uint64_t *)arg = n;
	return NULL;
}

struct pick {
	struct version_row v;
	unsigned seed;
	int seen;
};

/* One of those that are listed, each as likely. */
static int pick_one(void *arg, const struct version_row *v)
{
	struct pick *p = arg;

	if (v->state == VERSION_KEPT && v->settled && v->size && rand_r(&p->seed) % ++p->seen == 0)
		p->v = *v;
	return 0;
}

static void *keep_reading(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg + 1;

	while (!atomic_load(&over)) {
		struct pick p = {.seed = seed};
		struct version_row now;
		int rc;

		store_versions(lake->store, node_at("raw/a").asset, pick_one, &p);
		seed = p.seed + 1;
		if (!p.v.id)
			continue;
		rc = read_version(&p.v, "raw/a");
		opened += rc == 0;
		if (rc > 0)
			wrong++;
		/* It may have expired since it was listed; then it is not listed any more. */
		if (rc < 0 && !store_version(lake->store, p.v.id, &now) && now.state == VERSION_KEPT)
			unreadable++;
	}
	return NULL;
}

static void *keep_expiring(void *arg)
{
	uint64_t n = 1;

	(void)arg;
	while (!atomic_load(&over)) {
		struct version_row v = nth("raw/a", n);

		usleep(15000);
		if (!v.id || v.state != VERSION_KEPT)
			continue;
		expire("raw/a", n, n, VERSION_EXPIRED);
		n += 1 + n % 2;
	}
	return NULL;
}

static void *keep_erasing(void *arg)
{
	uint64_t n = 2;

	(void)arg;
	while (!atomic_load(&over)) {
		struct version_row v = nth("raw/a", n);
		uint8_t sha256[1][SHA256_BYTES];

		usleep(100000);
		if (!v.id || v.state != VERSION_KEPT || v.how != HOW_PACKED)
			continue;
		expire("raw/a", n, n, VERSION_PURGED);
		memcpy(sha256[0], v.sha256, SHA256_BYTES);
		if (packs_erase(lake, sha256, 1) < 0)
			unreadable++;
		n += 3;
	}
	return NULL;
}

static void *keep_collecting(void *arg)
{
	(void)arg;
	while (!atomic_load(&over)) {
		collect();
		usleep(50000);
	}
	return NULL;
}

static void test_all_at_once(void)
{
	pthread_t threads[6];
	uint64_t written = 5;

	begin();
	write_versions("raw/a", 1, 5);
	start_work();
	pthread_create(&threads[0], NULL, keep_writing, &written);
	pthread_create(&threads[1], NULL, keep_reading, (void *)1);
	pthread_create(&threads[2], NULL, keep_reading, (void *)2);
	pthread_create(&threads[3], NULL, keep_expiring, NULL);
	pthread_create(&threads[4], NULL, keep_erasing, NULL);
	pthread_create(&threads[5], NULL, keep_collecting, NULL);
	sleep((unsigned)stress_seconds(3));
	atomic_store(&over, true);
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	stop_work();
	ok(opened > 20, "%d times a version was read while %d were written, packed, expired and erased", (int)opened,
	   (int)written);
	is_int(unreadable, 0, "what is listed can be read");
	is_int(wrong, 0, "and is what was written");
	close_lake();
	open_lake();
	end();
}

int main(void)
{
	test_packing();
	test_leftovers();
	test_missing_pack();
	test_other_bytes();
	test_collecting();
	test_small_packs();
	test_erasing();
	test_faults();
	test_all_at_once();
	return done();
}
