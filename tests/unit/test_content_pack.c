/* Packs: what goes in comes out, or an error. */
#include <pthread.h>

#include "test_content_pack.h"

static void round_trip(struct content c, size_t most, const char *what)
{
	_cleanup_content_ struct content mine = c;
	_cleanup_pack_writer_ struct pack_writer *w = NULL;
	_cleanup_object_ struct pack_object *o = NULL;
	struct pack_added a = {.length = 0};

	ok(!pack_writer_new(packsfd, 1, cache, &w) && !content_add(w, &mine, NULL, 0, &a), "%s is packed", what);
	know(pack_writer_file(w), &a);
	o = open_added(&a);
	forget_all();
	ok(reads_as(o, &mine), "and read again, all and in part");
	ok(a.length <= most, "it takes %llu bytes, not more than %zu", (unsigned long long)a.length, most);
}

static void test_round_trips(void)
{
	static const size_t sizes[] = {1, 65535, 65536, MIB - 1, MIB, MIB + 1, 5 * MIB + 777};
	struct content c;

	round_trip(content_random(0), 100, "nothing");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		round_trip(content_random(sizes[i]), sizes[i] + sizes[i] / 1000 + 200, "what does not compress");
	round_trip(content_rows(100), 200, "a row");
	round_trip(content_rows(10 * MIB), 5 * MIB, "a table");
	c = content_random(40 * MIB);
	memset(c.bytes + MIB, 0, 38 * MIB);
	round_trip(c, 3 * MIB + 1000, "a file with a hole");
	c = content_random(MIB);
	memset(c.bytes, 0, MIB);
	round_trip(c, 100, "a hole");
	c = content_rows(4 * MIB);
	content_splice(&c, 0, 0, 0);
	memcpy(c.bytes + 2 * MIB, c.bytes, 2 * MIB);
	round_trip(c, 2 * MIB, "what comes twice");
}

/* ---- versions ---- */

#define VERSIONS 24
#define SHARED 6 /* the one that threads read */

static struct content versions[VERSIONS];
static struct pack_added added[VERSIONS];

static void change(struct content *c, int i)
{
	for (int k = 0; k < 50; k++)
		content_splice(c, rnd((uint32_t)c->len - 100), rnd(100), rnd(100));
	content_splice(c, c->len, 0, 5000);
	if (i == 7) /* at the front: everything shifts */
		content_splice(c, 0, 0, 3 * MIB / 2);
	if (i == 12)
		content_splice(c, MIB, 2 * MIB, 0);
	if (i == 15) { /* two halves change places */
		struct content n = content_copy(c);
		size_t half = c->len / 2;

		memcpy(c->bytes, n.bytes + half, c->len - half);
		memcpy(c->bytes + c->len - half, n.bytes, half);
		free(n.bytes);
	}
}

static void pack_versions(struct pack_writer *w, int count)
{
	unsigned deepest = 0;

	for (int i = 0; i < count; i++) {
		unsigned ordinal = i ? added[i - 1].ordinal + 1 : 0;
		_cleanup_object_ struct pack_object *base = NULL;

		versions[i] = i ? content_copy(&versions[i - 1]) : content_rows(4 * MIB);
		if (i)
			change(&versions[i], i);
		for (int k = i - 1; k >= 0 && !base; k--)
			if (added[k].ordinal == pack_parent(ordinal))
				base = open_added(&added[k]);
		if (content_add(w, &versions[i], base, ordinal, &added[i]))
			ok(false, "version %d is packed", i);
		know(pack_writer_file(w), &added[i]);
		deepest = added[i].depth > deepest ? added[i].depth : deepest;
	}
	ok(deepest > 2 && deepest <= PACK_DEPTH_MAX, "the longest chain has %u", deepest);
}

static void free_versions(void)
{
	for (int i = 0; i < VERSIONS; i++)
		free(steal_ptr(&versions[i].bytes));
}

static void test_versions(void)
{
	_cleanup_pack_writer_ struct pack_writer *w = NULL;
	_cleanup_pack_file_ struct pack_file *f = NULL;
	_cleanup_free_ struct pack_entry *list = NULL;
	uint64_t length, most = 0;
	size_t count;
	int right = 0;

	is_int(pack_writer_new(packsfd, 0x12, cache, &w), 0, "a pack is begun");
	pack_versions(w, VERSIONS);
	for (int i = 1; i < VERSIONS; i++)
		if (i != 7 && i != 12 && i != 15 && added[i].length > most &&
		    pack_parent(added[i].ordinal) + 1 == added[i].ordinal)
			most = added[i].length;
	ok(most < 60000, "a version with 50 changes takes at most %llu bytes", (unsigned long long)most);
	ok(added[7].length < MIB + 200000, "what is inserted shifts the rest: %llu bytes",
	   (unsigned long long)added[7].length);
	ok(added[12].length < 500000, "so does what is removed: %llu bytes", (unsigned long long)added[12].length);
	ok(added[15].length < 300000, "what moved is found: %llu bytes", (unsigned long long)added[15].length);
	is_int(pack_writer_finish(w, &length), 0, "and finished");
	is_int(pack_file_open(packsfd, 0x12, &f), 0, "it has its name");
	is_int(pack_file_list(f, &list, &count), 0, "and a directory");
	is_int((int64_t)count, VERSIONS, "of all that was added");
	pack_writer_free(steal_ptr(&w));
	pack_cache_free(cache);
	pack_cache_new(CACHE, &cache);
	for (int i = 0; i < VERSIONS; i++) {
		_cleanup_object_ struct pack_object *o = open_added(&added[i]);

		right += reads_as(o, &versions[i]) && list[i].offset == added[i].offset &&
			 list[i].length == added[i].length && !memcmp(list[i].sha256, o->map.sha256, SHA256_BYTES);
	}
	is_int(right, VERSIONS, "every version reads as it was");
}

/* ---- damage ---- */

static struct pack_object *open_fresh(int i)
{
	pack_cache_free(cache);
	pack_cache_new(CACHE, &cache);
	return open_added(&added[i]);
}

/* Reads version I: 1 right, 0 an error, -1 wrong bytes. */
static int read_damaged(int i)
{
	_cleanup_object_ struct pack_object *o = open_fresh(i);
	_cleanup_free_ uint8_t *bytes = malloc(versions[i].len);
	ssize_t n = o ? pack_object_read(o, bytes, versions[i].len, 0) : -EIO;

	if (n < 0)
		return n == -EIO ? 0 : -1;
	return n == (ssize_t)versions[i].len && !memcmp(bytes, versions[i].bytes, versions[i].len) ? 1 : -1;
}

static void test_damage(void)
{
	_cleanup_close_ int fd = openat(packsfd, "00000012.pack", O_RDWR | O_CLOEXEC);
	int errors = 0, wrong = 0, i = VERSIONS - 1;
	uint64_t end = added[i].offset + added[i].length;
	uint8_t byte, other;

	for (int k = 0; k < 60; k++) {
		uint64_t at = k < 20   ? end - 1 - rnd(500)
			      : k < 40 ? added[0].offset + rnd((uint32_t)added[0].length)
				       : added[i].offset + rnd((uint32_t)added[i].length);
		int rc;

		if (pread(fd, &byte, 1, (off_t)at) != 1)
			wrong++;
		other = byte ^ (uint8_t)(1 << rnd(8));
		if (pwrite(fd, &other, 1, (off_t)at) != 1)
			wrong++;
		rc = read_damaged(i);
		errors += rc == 0;
		wrong += rc < 0;
		if (pwrite(fd, &byte, 1, (off_t)at) != 1)
			wrong++;
	}
	is_int(wrong, 0, "a damaged pack gives no wrong bytes");
	ok(errors > 40, "but an error: %d of 60", errors);
	is_int(read_damaged(i), 1, "and all is well when it is put back");
	is_int(ftruncate(fd, (off_t)end - 1), 0, "a pack without its end");
	is_int(read_damaged(i), 0, "is an error");
	is_int(read_damaged(i - 1), 1, "only for what is missing");
}

static void test_wrong_base(void)
{
	struct pack_object *o = NULL;
	struct pack_added was = known[0].added;
	int i = VERSIONS - 2;

	known[0].added.offset = added[1].offset;
	known[0].added.length = added[1].length;
	is_int(pack_object_open(cache, added[0].sha256, find_known, NULL, &o), -EIO, "another object in its place");
	is_int(pack_object_open(cache, added[i].sha256, find_known, NULL, &o), -EIO, "or below it is an error");
	memset(known[0].added.sha256, 0, SHA256_BYTES);
	is_int(pack_object_open(cache, added[i].sha256, find_known, NULL, &o), -ENOENT, "so is none");
	known[0].added = was;
}

/* ---- moving ---- */

static void test_copy(void)
{
	_cleanup_pack_file_ struct pack_file *f = NULL;
	_cleanup_pack_writer_ struct pack_writer *w = NULL;
	_cleanup_object_ struct pack_object *reader = NULL, *moved = NULL;
	struct pack_added a = added[VERSIONS - 2];
	struct pack_place from;
	uint64_t length;
	int i = VERSIONS - 2;

	reader = open_added(&a);
	find_known(NULL, a.sha256, &from);
	pack_writer_new(packsfd, 0x13, cache, &w);
	is_int(pack_writer_copy(w, &from, added[0].sha256, &a.offset), -EIO, "an object that is another is not moved");
	is_int(pack_writer_copy(w, &from, a.sha256, &a.offset), 0, "the right one moves to another pack");
	pack_file_unref(from.file);
	is_int(pack_writer_finish(w, &length), 0, "that is finished");
	know(pack_writer_file(w), &a);
	moved = open_added(&a);
	ok(moved->file != reader->file && reads_as(moved, &versions[i]), "it reads there, its base where that was");
	unlinkat(packsfd, "00000012.pack", 0);
	forget_all();
	pack_cache_free(cache);
	pack_cache_new(CACHE, &cache);
	for (struct pack_object *o = reader; o; o = o->base)
		o->cache = cache;
	ok(reads_as(reader, &versions[i]), "who had it open reads on when the old pack is gone");
	is_int(pack_file_open(packsfd, 0x12, &f), -ENOENT, "which it is");
}

/* ---- failures ---- */

static void test_faults(void)
{
	_cleanup_content_ struct content c = content_rows(3 * MIB), d = content_rows(10000);
	int failures = 0;
	bool clean = true, whole = true;

	packs_remove_all();
	for (int after = 0;; after++) {
		_cleanup_pack_writer_ struct pack_writer *w = NULL;
		struct pack_added a, b;
		uint64_t length;
		int rc = pack_writer_new(packsfd, 1, cache, &w);

		pack_fail_writes(after, 1, after % 2 ? -EIO : -ENOSPC);
		if (!rc)
			rc = content_add(w, &c, NULL, 0, &a);
		if (!rc)
			rc = content_add(w, &d, NULL, 0, &b);
		if (!rc)
			rc = pack_writer_finish(w, &length);
		pack_fail_writes(0, 0, 0);
		if (!rc)
			break;
		failures++;
		whole = whole && rc == (after % 2 ? -EIO : -ENOSPC);
		pack_writer_free(steal_ptr(&w));
		clean = clean && packs_count() == 0;
	}
	ok(failures >= 8, "each of %d writes and fsyncs failed once", failures);
	ok(whole, "and was told");
	ok(clean, "and left no file behind");
	is_int(packs_count(), 1, "then it was written");
}

static void test_failed_add(void)
{
	_cleanup_content_ struct content c = content_rows(3 * MIB), d = content_rows(10000);
	_cleanup_pack_writer_ struct pack_writer *w = NULL;
	_cleanup_object_ struct pack_object *o = NULL;
	struct pack_added a, b;
	uint64_t length;

	packs_remove_all();
	pack_writer_new(packsfd, 2, cache, &w);
	content_add(w, &d, NULL, 0, &a);
	pack_fail_writes(2, 1, -ENOSPC);
	is_int(content_add(w, &c, NULL, 0, &b), -ENOSPC, "an object does not fit");
	pack_fail_writes(0, 0, 0);
	is_int((int64_t)pack_writer_count(w), 1, "it is not there");
	is_int(content_add(w, &c, NULL, 0, &b), 0, "later it is");
	pack_writer_drop(w);
	is_int(content_add(w, &d, NULL, 0, &b), 0, "dropped for another one");
	is_int(pack_writer_finish(w, &length), 0, "and the pack is finished");
	ok(length < 20000, "without the room of what was dropped: %llu bytes", (unsigned long long)length);
	know(pack_writer_file(w), &b);
	o = open_added(&b);
	forget_all();
	ok(reads_as(o, &d), "what is in it is right");
}

struct stopping {
	struct content *content;
	int left; /* so many segments */
};

static ssize_t read_stopping(void *arg, void *to, size_t len, uint64_t at)
{
	return content_read(((struct stopping *)arg)->content, to, len, at);
}

static bool must_stop(void *arg)
{
	return --((struct stopping *)arg)->left < 0;
}

static void test_stop(void)
{
	_cleanup_content_ struct content c = content_rows(5 * MIB);
	_cleanup_pack_writer_ struct pack_writer *w = NULL;
	struct stopping arg = {&c, 3};
	struct pack_input in = {.read = read_stopping, .stop = must_stop, .arg = &arg};
	struct pack_added a;
	uint64_t length;

	packs_remove_all();
	pack_writer_new(packsfd, 3, cache, &w);
	is_int(pack_writer_add(w, &in, NULL, 0, &a), -ECANCELED, "adding ends when it should");
	arg.left = 10;
	is_int(pack_writer_add(w, &in, NULL, 0, &a), -ECANCELED, "also while it is read back");
	is_int(pack_writer_finish(w, &length), -ENODATA, "a pack without objects is none");
	arg.left = 1000;
	is_int(pack_writer_add(w, &in, NULL, 0, &a), 0, "it goes on");
	pack_writer_free(steal_ptr(&w));
	is_int(packs_count(), 0, "unfinished packs go");
	ok(pack_writer_leftover("0000001a.new") && !pack_writer_leftover("0000001a.pack") &&
		   !pack_writer_leftover(".new2"),
	   "what a crash leaves of one is known by its name");
}

/* ---- threads ---- */

static struct pack_object *shared;
static const struct content *shared_content;

static void *read_much(void *arg)
{
	uint8_t *bytes = malloc(65536);
	unsigned state = (unsigned)(uintptr_t)arg * 77 + 1;
	uintptr_t wrong = 0;

	for (int i = 0; i < 100; i++) {
		size_t at;

		state = state * 1103515245 + 12345;
		at = state % (shared_content->len - 65536);
		if (pack_object_read(shared, bytes, 65536, at) != 65536 ||
		    memcmp(bytes, shared_content->bytes + at, 65536))
			wrong++;
	}
	free(bytes);
	return (void *)wrong;
}

static void test_threads(void)
{
	_cleanup_pack_writer_ struct pack_writer *w = NULL;
	pthread_t threads[4];
	uintptr_t wrong = 0;
	void *result;

	packs_remove_all();
	free_versions();
	forget_all();
	pack_writer_new(packsfd, 4, cache, &w);
	pack_versions(w, SHARED + 1);
	pack_cache_free(cache);
	pack_cache_new(3 * MIB, &cache); /* small: pieces come and go */
	shared = open_added(&added[SHARED]);
	shared_content = &versions[SHARED];
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, read_much, (void *)i);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		wrong += (uintptr_t)result;
	}
	is_int((int64_t)wrong, 0, "four threads read one object");
	pack_object_close(shared);
}

int main(void)
{
	packs_begin();
	test_round_trips();
	test_versions();
	test_wrong_base();
	test_damage();
	test_copy();
	test_faults();
	test_failed_add();
	test_stop();
	test_threads();
	free_versions();
	packs_end();
	return done();
}
