/*
 * What packing a series of versions takes: tests/bench/space runs it beside others.
 *
 *	pack FOLDER FILE...
 *
 * Packs FILEs, the oldest first, into FOLDER/packs, each building on an earlier one as the daemon's job has it. Prints
 * CSV: file, size, bytes stored, depth, seconds; then "read", the median and the longest time in milliseconds for
 * 64 KiB at random offsets of the oldest and the one with the longest chain, with nothing in tarn's own cache; then
 * "total", sizes and stored bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content/pack/pack_writer.h"

#define VERSIONS 1000
#define READS 101
#define PIECE (64 * 1024)
#define CACHE (64 * 1024 * 1024)

struct packed {
	struct pack_added added;
	struct pack_file *file;
};

static struct packed all[VERSIONS];
static size_t count;

static void fail(const char *what, int err)
{
	fprintf(stderr, "pack: %s: %s\n", what, strerror(-err));
	exit(1);
}

static ssize_t read_fd(void *arg, void *to, size_t len, uint64_t at)
{
	ssize_t n = pread(*(int *)arg, to, len, (off_t)at);

	return n < 0 ? -errno : n;
}

/* The index of the one that I builds on; -1: none. */
static int base_of(size_t i)
{
	unsigned ordinal = i ? all[i - 1].added.ordinal + 1 : 0, wanted;

	if (!ordinal || ordinal == PACK_PERIOD)
		return -1;
	wanted = pack_parent(ordinal);
	for (size_t k = i; k-- > 0;)
		if (all[k].added.ordinal == wanted)
			return (int)k;
	return -1;
}

static int find_packed(void *arg, const uint8_t sha256[SHA256_BYTES], struct pack_place *out)
{
	(void)arg;
	for (size_t i = 0; i < count; i++) {
		const struct packed *p = &all[i];

		if (memcmp(p->added.sha256, sha256, SHA256_BYTES))
			continue;
		*out = (struct pack_place){pack_file_ref(p->file), p->added.offset, p->added.length};
		return 0;
	}
	return -ENOENT;
}

static struct pack_object *open_packed(struct pack_cache *cache, int i)
{
	struct pack_object *o;
	int rc = pack_object_open(cache, all[i].added.sha256, find_packed, NULL, &o);

	if (rc < 0)
		fail("open", rc);
	return o;
}

static void add(struct pack_writer *w, struct pack_cache *cache, const char *path)
{
	struct pack_input in = {.read = read_fd};
	_cleanup_object_ struct pack_object *base = NULL;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	int64_t begin = clock_monotonic();
	struct packed *p = &all[count];
	int from = base_of(count), rc;

	if (fd < 0)
		fail(path, -errno);
	if (from >= 0)
		base = open_packed(cache, from);
	in.arg = &fd;
	rc = pack_writer_add(w, &in, base, count ? all[count - 1].added.ordinal + 1 : 0, &p->added);
	if (rc < 0)
		fail(path, rc);
	p->file = pack_file_ref(pack_writer_file(w));
	count++;
	printf("%s,%" PRIu64 ",%" PRIu64 ",%u,%.2f\n", path, p->added.size, p->added.length, p->added.depth,
	       (double)(clock_monotonic() - begin) / 1e9);
	fflush(stdout);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Random reads of version I. */
static void read_some(int i, const char *name)
{
	static uint8_t bytes[PIECE];
	double ms[READS];

	for (int r = 0; r < READS; r++) {
		struct pack_cache *cache;
		struct pack_object *o;
		int64_t begin = clock_monotonic();
		uint64_t at;
		ssize_t n;

		clock_source.random(&at, sizeof(at));
		if (pack_cache_new(CACHE, &cache))
			fail("cache", -ENOMEM);
		o = open_packed(cache, i);
		n = pack_object_read(o, bytes, PIECE, o->map.size > PIECE ? at % (o->map.size - PIECE) : 0);
		if (n < 0)
			fail("read", (int)n);
		ms[r] = (double)(clock_monotonic() - begin) / 1e6;
		pack_object_close(o);
		pack_cache_free(cache);
	}
	qsort(ms, READS, sizeof(*ms), compare);
	printf("read %s,%.2f,%.2f\n", name, ms[READS / 2], ms[READS - 1]);
}

int main(int argc, char **argv)
{
	_cleanup_pack_writer_ struct pack_writer *w = NULL;
	uint64_t length, sizes = 0, stored = 0, number = 1;
	struct pack_cache *cache;
	int folder, rc = 0, deepest = 0;
	char path[4096];

	if (argc < 3 || argc > VERSIONS) {
		fprintf(stderr, "usage: pack FOLDER FILE...\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/packs", argv[1]);
	if (mkdir(path, 0700) < 0)
		fail(path, -errno);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = pack_cache_new(CACHE, &cache);
	for (int i = 2; i < argc && !rc; i++) {
		if (!w)
			rc = pack_writer_new(folder, number++, cache, &w);
		if (!rc)
			add(w, cache, argv[i]);
		if (!rc && (pack_writer_length(w) >= PACK_MOST || i == argc - 1)) {
			rc = pack_writer_finish(w, &length);
			pack_writer_free(w);
			w = NULL;
			stored += length;
		}
	}
	if (rc < 0)
		fail(path, rc);
	for (size_t i = 0; i < count; i++) {
		sizes += all[i].added.size;
		if (all[i].added.depth > all[deepest].added.depth)
			deepest = (int)i;
	}
	read_some(0, "oldest");
	read_some(deepest, "deepest");
	printf("total,%" PRIu64 ",%" PRIu64 "\n", sizes, stored);
	for (size_t i = 0; i < count; i++)
		pack_file_unref(all[i].file);
	pack_cache_free(cache);
	close(folder);
	return 0;
}
