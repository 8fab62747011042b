/* A remote for tests: bytes in, bytes out. */
#ifndef TARN_TESTS_TEST_TIER_H
#define TARN_TESTS_TEST_TIER_H

#include <errno.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "tap.h"
#include "tier/tier.h"

struct bytes {
	const char *data;
	size_t len;
	int fail; /* what reading at FAIL_AT gives */
	size_t fail_at;
};

static inline ssize_t read_bytes(void *arg, void *to, size_t len, uint64_t offset)
{
	const struct bytes *b = arg;

	if (b->fail && offset + len > b->fail_at)
		return b->fail;
	if (offset >= b->len)
		return 0;
	len = len < b->len - offset ? len : b->len - offset;
	memcpy(to, b->data + offset, len);
	return (ssize_t)len;
}

static inline int put_len(struct tier *t, const char *key, const char *data, size_t len, struct tier_head *head)
{
	struct bytes b = {data, len, 0, 0};
	uint8_t sha256[32];
	struct tier_put p = {.key = key, .source = {len, read_bytes, &b}, .sha256 = sha256};

	SHA256((const unsigned char *)data, len, sha256);
	p.facts = (struct tier_facts){.known = TIER_KNOWS_SHA256 | TIER_KNOWS_SIZE, .size = len};
	memcpy(p.facts.sha256, sha256, sizeof(sha256));
	return tier_put(t, &p, NULL, head);
}

static inline int put(struct tier *t, const char *key, const char *text)
{
	return put_len(t, key, text, strlen(text), NULL);
}

static inline int take(void *arg, const void *bytes, size_t len)
{
	buf_add(arg, bytes, len);
	return 0;
}

static inline int get_range(struct tier *t, const char *key, uint64_t offset, uint64_t length, struct buf *out)
{
	struct tier_get g = {.key = key, .offset = offset, .length = length, .sink = take, .arg = out};

	buf_clear(out);
	return tier_get(t, &g, NULL, NULL);
}

/* The whole object as text; "-ERRNO" where there is none. Until the next call. */
static inline const char *get(struct tier *t, const char *key)
{
	static struct buf b;
	int r = get_range(t, key, 0, TIER_TO_END, &b);

	if (r < 0) {
		buf_clear(&b);
		buf_addf(&b, "%d", r);
	}
	return buf_str(&b);
}

static inline int add_keys(void *arg, const struct tier_entry *entries, int n)
{
	for (int i = 0; i < n; i++)
		buf_addf(arg, "%s;", entries[i].key);
	return 0;
}

/* "KEY;KEY;", "-ERRNO" after what was told before an error. Until the next call. */
static inline const char *list(struct tier *t, const char *prefix, const char *after, bool folders)
{
	static struct buf b;
	struct tier_list l = {.prefix = prefix, .after = after, .folders = folders, .page = add_keys, .arg = &b};
	int r;

	buf_clear(&b);
	r = tier_list(t, &l, NULL);
	if (r)
		buf_addf(&b, "%d", r);
	return buf_str(&b);
}

static inline int remove_one(struct tier *t, const char *key)
{
	return tier_remove(t, &key, 1, NULL, NULL);
}

#endif
