/*
 * Objects that hold a content compressed: what is made is the documented format, every range is right, and what is
 * damaged gives errors.
 */
#include <errno.h>
#include <string.h>

#include <openssl/evp.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "content/cloud/frames.h"
#include "tap.h"

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)

/* ---- a content ---- */

static char *content;
static uint64_t content_size;
static bool changed; /* reading gives other bytes than before */

static void fill(uint64_t size, bool random)
{
	uint32_t x = 12345;

	free(content);
	content = malloc(size + 1);
	content_size = size;
	for (uint64_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		content[i] = random ? (char)(x >> 24) : "0123456789abcdef"[i % 7 ? x >> 30 : x >> 28];
	}
}

static ssize_t read_content(void *arg, void *to, size_t len, uint64_t at)
{
	size_t n = at < content_size ? content_size - at : 0;

	(void)arg;
	n = n < len ? n : len;
	n = n < 70000 ? n : 70000; /* fewer than asked for */
	memcpy(to, content + at, n);
	if (changed && n)
		memset(to, 'x', n / 2);
	return (ssize_t)n;
}

static struct tier_source source(void)
{
	return (struct tier_source){.size = content_size, .read = read_content};
}

/* ---- its object ---- */

static struct buf object;
static uint64_t moved;

/* As the uploader reads it, in pieces of LEN from the end to the beginning. */
static int make(size_t len)
{
	struct tier_source s = source();
	struct frames *f = NULL;
	uint8_t sha256[32], want[32], made[32];
	int rc = frames_new(&s, sha256, &f);

	if (rc)
		return rc;
	EVP_Digest(content, content_size, want, NULL, EVP_sha256(), NULL);
	if (memcmp(sha256, want, 32) != 0)
		return 1;
	buf_clear(&object);
	object.len = 0;
	for (uint64_t at = 0; at < frames_size(f); at++)
		buf_addc(&object, 0);
	for (uint64_t end = frames_size(f); end;) {
		uint64_t from = end > len ? end - len : 0, at = from;

		while (at < end) {
			ssize_t n = frames_read(f, object.data + at, end - at, at);

			if (n <= 0)
				return n ? (int)n : 2;
			at += (uint64_t)n;
		}
		end = from;
	}
	is_int(frames_read(f, made, 1, object.len), 0, "nothing comes behind the end");
	frames_sha256(f, made);
	EVP_Digest(object.data, object.len, want, NULL, EVP_sha256(), NULL);
	frames_free(f);
	return memcmp(made, want, 32) ? 3 : 0;
}

static bool is_content(void)
{
	_cleanup_free_ char *plain = malloc(content_size + 1);
	size_t n = ZSTD_decompress(plain, content_size + 1, object.data, object.len);

	return !ZSTD_isError(n) && n == content_size && !memcmp(plain, content, n);
}

static int get(struct tier *t, const struct tier_get *g, const struct tier_call *call, struct tier_head *head)
{
	uint64_t end = g->length < object.len - g->offset ? g->offset + g->length : object.len;
	int rc = 0;

	(void)t, (void)call;
	if (g->offset >= object.len)
		return -ERANGE;
	*head = (struct tier_head){.size = object.len};
	moved += end - g->offset;
	for (uint64_t at = g->offset; !rc && at < end; at += 1000)
		rc = g->sink(g->arg, object.data + at, end - at < 1000 ? end - at : 1000);
	return rc;
}

static int add(void *arg, const void *bytes, size_t len)
{
	buf_add(arg, bytes, len);
	return buf_error(arg);
}

/* 0: right bytes; 1: others; -errno. */
static int read_range(uint64_t at, uint64_t len)
{
	struct tier_head head;
	struct frames_object o = {.key = "k", .size = content_size, .stored = object.len, .get = get, .head = &head};
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct frame_table *t = NULL;
	uint64_t want = len < content_size - at ? len : content_size - at;
	int rc = frame_table_get(&o, NULL, &t);

	if (!rc)
		rc = frames_get(&o, t, at, len, add, &b, NULL);
	frame_table_unref(t);
	return rc ? rc : b.len != want || (want && memcmp(b.data, content + at, want) != 0);
}

/* ---- tests ---- */

static void test_made(uint64_t size)
{
	fill(size, false);
	ok(make(100000) == 0, "a content of %llu bytes", (unsigned long long)size);
	ok(is_content(), "is what zstd takes it apart to");
	ok(object.len < size, "and takes %zu", object.len);
	is_int(make(7 * MIB), 0, "read otherwise");
	ok(is_content(), "it is the same");
}

static void test_ranges(void)
{
	static const uint64_t at[] = {0, 1, MIB - 1, MIB, 3 * MIB + 5, 9 * MIB - 70000, 9 * MIB + 11, 9 * MIB + 99};
	static const uint64_t len[] = {1, 17, 64 * KIB, MIB, 2 * MIB + 1, UINT64_MAX};
	int wrong = 0;

	fill(9 * MIB + 100, false);
	make(MIB);
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		for (size_t k = 0; k < sizeof(len) / sizeof(*len); k++)
			wrong += read_range(at[i], len[k]) != 0;
	is_int(wrong, 0, "every range is right");
	moved = 0;
	is_int(read_range(5 * MIB - 30 * KIB, 64 * KIB), 0, "64 KiB where two frames meet");
	ok(moved < 2 * MIB, "move %llu bytes", (unsigned long long)moved);
	is_int(read_range(content_size, 1), -ERANGE, "nothing is behind the end");
}

static void test_gain(void)
{
	struct tier_source s;

	fill(3 * MIB, false);
	s = source();
	is_int(frames_gain(&s), 1, "text is worth it");
	fill(3 * MIB, true);
	s = source();
	is_int(frames_gain(&s), 0, "noise is not");
	fill(2000, false);
	s = source();
	is_int(frames_gain(&s), 1, "a little text is, too");
}

static void test_changed(void)
{
	struct tier_source s;
	struct frames *f = NULL;
	uint8_t sha256[32];
	char byte;

	fill(12 * MIB, false);
	s = source();
	is_int(frames_new(&s, sha256, &f), 0, "a content is looked through");
	changed = true;
	is_int(frames_read(f, &byte, 1, 0), -ESTALE, "when it has changed since, it is not sent");
	changed = false;
	is_int(frames_read(f, &byte, 1, 0), 1, "as it was, it is");
	frames_free(f);
	content_size = 13 * MIB;
	s = source();
	content_size = 12 * MIB;
	is_int(frames_new(&s, sha256, &f), -ESTALE, "one that became shorter is not looked through");
}

/* What somebody did to the object is never taken for the content. */
static void test_damaged(void)
{
	_cleanup_buf_ struct buf whole = BUF_INIT;
	size_t right = 0, wrong = 0, table;

	fill(4 * MIB + 1000, false);
	make(MIB);
	buf_add(&whole, object.data, object.len);
	table = 8 + 5 * 8 + 9;
	for (size_t i = 0; i < table; i++) {
		object.data[object.len - 1 - i] ^= 0x41;
		right += read_range(0, UINT64_MAX) == -EBADMSG;
		object.data[object.len - 1 - i] ^= 0x41;
	}
	ok(right == table, "each byte of the table counts (%zu of %zu)", right, table);
	for (size_t i = 0; i < 300; i++) {
		size_t at = (object.len - table) / 300 * i;
		int rc;

		object.data[at] ^= 0x10;
		rc = read_range(0, UINT64_MAX);
		wrong += rc != 0 && rc != -EBADMSG;
		right += rc != 0;
		wrong += rc == 1;
		object.data[at] ^= 0x10;
	}
	is_int((int)wrong, 0, "a byte that changed in a frame gives no other content");
	ok(right == table + 300, "but an error");
	object.len -= 100;
	is_int(read_range(0, 10), -EBADMSG, "one that was cut off");
	object.len = 40;
	is_int(read_range(0, 10), -EBADMSG, "or is no object at all");
	buf_clear(&object);
	buf_add(&object, whole.data, whole.len);
	is_int(read_range(0, UINT64_MAX), 0, "as it was it is right");
}

int main(void)
{
	static const uint64_t sizes[] = {1024, MIB - 1, MIB, MIB + 1, 10 * MIB + 333};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		test_made(sizes[i]);
	test_ranges();
	test_gain();
	test_changed();
	test_damaged();
	buf_release(&object);
	free(content);
	return done();
}
