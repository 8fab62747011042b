/* What the tests of packs share: a folder, made-up content, and packing what is in memory. */
#ifndef TARN_TESTS_TEST_CONTENT_PACK_H
#define TARN_TESTS_TEST_CONTENT_PACK_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "content/pack/pack_io.h"
#include "content/pack/pack_writer.h"
#include "tap.h"

#define MIB ((size_t)1 << 20)
#define CACHE (16 * MIB)

static char pack_folder[4096];
static int packsfd = -1;
static struct pack_cache *cache;

/* What was added, and where: a test's store. */
#define KNOWN 100
static struct known {
	struct pack_added added;
	struct pack_file *file;
} known[KNOWN];
static int nknown;

static inline void know(struct pack_file *file, const struct pack_added *a)
{
	known[nknown++] = (struct known){*a, pack_file_ref(file)};
}

static inline void forget_all(void)
{
	while (nknown)
		pack_file_unref(known[--nknown].file);
}

static inline void packs_begin(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(pack_folder, sizeof(pack_folder), "%s/tarn-pack.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(pack_folder) || pack_cache_new(CACHE, &cache))
		exit(1);
	packsfd = open(pack_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Files in the folder. */
static inline int packs_count(void)
{
	DIR *d = opendir(pack_folder);
	int n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static inline void packs_remove_all(void)
{
	DIR *d = opendir(pack_folder);

	for (struct dirent *e; d && (e = readdir(d));)
		unlinkat(packsfd, e->d_name, 0);
	if (d)
		closedir(d);
}

static inline void packs_end(void)
{
	forget_all();
	packs_remove_all();
	close(packsfd);
	rmdir(pack_folder);
	pack_cache_free(cache);
}

/* ---- content ---- */

struct content {
	uint8_t *bytes;
	size_t len;
};

static inline void content_freep(struct content *c)
{
	free(c->bytes);
}
#define _cleanup_content_ __attribute__((cleanup(content_freep)))

static uint64_t seed = 1;

static inline uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % below);
}

static inline struct content content_random(size_t len)
{
	struct content c = {malloc(len + 1), len};

	for (size_t i = 0; i < len; i += 4) {
		uint32_t four = rnd(UINT32_MAX);

		memcpy(c.bytes + i, &four, len - i < 4 ? len - i : 4);
	}
	return c;
}

/* Rows of a table that no two are alike of. */
static inline struct content content_rows(size_t len)
{
	struct content c = {malloc(len + 100), 0};

	while (c.len < len)
		c.len += (size_t)snprintf((char *)c.bytes + c.len, 100, "%08u,%s,%u,%u\n", rnd(100000000),
					  rnd(2) ? "heron" : "goose", rnd(100), rnd(1000000));
	c.len = len;
	return c;
}

static inline struct content content_copy(const struct content *from)
{
	struct content c = {malloc(from->len + 1), from->len};

	memcpy(c.bytes, from->bytes, from->len);
	return c;
}

/* Bytes from AT to AT + REMOVED become INSERTED new ones. */
static inline void content_splice(struct content *c, size_t at, size_t removed, size_t inserted)
{
	struct content n = content_rows(inserted);
	uint8_t *bytes = malloc(c->len - removed + inserted + 1);

	memcpy(bytes, c->bytes, at);
	memcpy(bytes + at, n.bytes, inserted);
	memcpy(bytes + at + inserted, c->bytes + at + removed, c->len - at - removed);
	free(n.bytes);
	free(c->bytes);
	c->bytes = bytes;
	c->len += inserted - removed;
}

/* ---- packing it ---- */

static inline ssize_t content_read(void *arg, void *to, size_t len, uint64_t at)
{
	const struct content *c = arg;

	if (at >= c->len)
		return 0;
	if (len > c->len - at)
		len = c->len - at;
	memcpy(to, c->bytes + at, len);
	return (ssize_t)len;
}

static inline int content_add(struct pack_writer *w, struct content *c, struct pack_object *base, unsigned ordinal,
			      struct pack_added *out)
{
	struct pack_input in = {.read = content_read, .arg = c};

	return pack_writer_add(w, &in, base, ordinal, out);
}

static inline int find_known(void *arg, const uint8_t sha256[SHA256_BYTES], struct pack_place *out)
{
	(void)arg;
	for (int i = nknown - 1; i >= 0; i--) {
		const struct known *k = &known[i];

		if (memcmp(k->added.sha256, sha256, SHA256_BYTES))
			continue;
		*out = (struct pack_place){pack_file_ref(k->file), k->added.offset, k->added.length};
		return 0;
	}
	return -ENOENT;
}

static inline struct pack_object *open_added(const struct pack_added *a)
{
	struct pack_object *o = NULL;

	return pack_object_open(cache, a->sha256, find_known, NULL, &o) ? NULL : o;
}

/* Whole, and at some offsets. */
static inline bool reads_as(struct pack_object *o, const struct content *c)
{
	_cleanup_free_ uint8_t *bytes = malloc(c->len + 10);

	if (!o || o->map.size != c->len || pack_object_read(o, bytes, c->len + 10, 0) != (ssize_t)c->len ||
	    memcmp(bytes, c->bytes, c->len))
		return false;
	for (int i = 0; i < 20 && c->len; i++) {
		size_t at = rnd((uint32_t)c->len), len = rnd((uint32_t)(c->len - at) + 1);

		if (pack_object_read(o, bytes, len, at) != (ssize_t)len || memcmp(bytes, c->bytes + at, len))
			return false;
	}
	return pack_object_read(o, bytes, 10, c->len) == 0 && !pack_object_verify(o, NULL, NULL);
}

#endif
