// SPDX-License-Identifier: GPL-3.0-or-later
/* Bytes and facts: what was put is what is read, of any size, in any part; conditions hold. */
#include "conform.h"

#include <pthread.h>

#define KIB 1024
#define MIB (1024 * KIB)

/* ---- whole objects ---- */

static bool size_round_trip(const struct conform_case *c)
{
	const char *key = key_of("object");
	struct tier_head head;
	struct tier_get past = {.key = key, .offset = c->size + 1, .length = 1, .sink = conform_sink};

	WANT(put_to(the.t, key, c->size, c->size), 0);
	WANT(head_of(the.t, key, &head), 0);
	WANT((int64_t)head.size, (int64_t)c->size);
	HOLDS(head.etag[0]);
	WANT(get_from(the.t, key, c->size, c->size, NULL), 0);
	WANT(tier_get(the.t, &past, NULL, NULL), -ERANGE);
	return remove_at(the.t, key) == 0;
}

/* Larger than this engine can send: said before a byte is. */
static bool too_large(const struct conform_case *c)
{
	struct conform_source s = {.size = c->size, .fail_at = 1};
	struct tier_put p = {.key = key_of("large"), .source = conform_source(&s)};

	WANT(tier_put(the.t, &p, NULL, NULL), -EINVAL);
	WANT(head_of(the.t, p.key, NULL), -ENOENT);
	return true;
}

/* ---- ranges, of one object ---- */

#define RANGED_SIZE (3 * MIB + 5)

static bool range(const struct conform_case *c)
{
	static const char *key;
	static char kept[TIER_KEY_MAX];
	struct conform_sink sink = {.seed = 7, .offset = c->offset};
	struct tier_head head = {0};
	struct tier_get g = {.offset = c->offset, .length = c->length, .sink = conform_sink, .arg = &sink};

	if (!key) {
		snprintf(kept, sizeof(kept), "%s", key_of("ranged"));
		key = kept;
		WANT(put_to(the.t, key, RANGED_SIZE, 7), 0);
	}
	g.key = key;
	WANT(tier_get(the.t, &g, NULL, &head), c->error);
	if (c->error)
		return sink.got == 0;
	HOLDS(!sink.other);
	WANT((int64_t)sink.got, (int64_t)c->size);
	WANT((int64_t)head.size, RANGED_SIZE); /* of the object, not of the range */
	WANT((int64_t)head.facts.size, RANGED_SIZE);
	return true;
}

static bool empty_range(const struct conform_case *c)
{
	struct conform_sink sink = {0};
	struct tier_get g = {.key = key_of("empty"), .length = c->length, .sink = conform_sink, .arg = &sink};

	WANT(put_to(the.t, g.key, 0, 1), 0);
	WANT(tier_get(the.t, &g, NULL, NULL), 0);
	return sink.got == 0;
}

/* What the sink says is what the call says; nothing more comes then. */
static bool sink_ends(const struct conform_case *c)
{
	struct conform_sink sink = {.seed = 8, .end_after = 100};
	struct tier_get g = {.key = key_of("object"), .length = TIER_TO_END, .sink = conform_sink, .arg = &sink};

	(void)c;
	WANT(put_to(the.t, g.key, 5 * MIB, 8), 0);
	WANT(tier_get(the.t, &g, NULL, NULL), -EPIPE);
	HOLDS(sink.got >= 100 && sink.got < 5 * MIB);
	return true;
}

/* ---- conditions ---- */

static bool put_if_none(const struct conform_case *c)
{
	struct conform_source s = {.size = 50, .seed = 2};
	struct tier_put p = {.key = key_of("once"), .source = conform_source(&s), .if_none_match = true};

	(void)c;
	WANT(tier_put(the.t, &p, NULL, NULL), 0);
	s.seed = 3;
	WANT(tier_put(the.t, &p, NULL, NULL), -EEXIST);
	WANT(get_from(the.t, p.key, 50, 2, NULL), 0);
	return true;
}

static bool put_again(const struct conform_case *c)
{
	const char *key = key_of("again");
	struct tier_head first, second;

	(void)c;
	WANT(put_to(the.t, key, 70, 1), 0);
	WANT(head_of(the.t, key, &first), 0);
	WANT(put_to(the.t, key, 71, 2), 0);
	WANT(head_of(the.t, key, &second), 0);
	HOLDS(strcmp(first.etag, second.etag) != 0);
	WANT(get_from(the.t, key, 71, 2, NULL), 0);
	return true;
}

static bool get_if_match(const struct conform_case *c)
{
	const char *key = key_of("object");
	struct conform_sink sink = {.seed = 1, .offset = 10};
	struct tier_get g = {.key = key, .offset = 10, .length = 20, .sink = conform_sink, .arg = &sink};
	struct tier_head head;

	WANT(put_to(the.t, key, c->size, 1), 0);
	WANT(head_of(the.t, key, &head), 0);
	g.etag = head.etag;
	WANT(tier_get(the.t, &g, NULL, NULL), 0);
	HOLDS(sink.got == 20 && !sink.other);
	WANT(put_to(the.t, key, c->size, 2), 0);
	WANT(tier_get(the.t, &g, NULL, NULL), -ESTALE);
	WANT((int64_t)sink.got, 20);
	return true;
}

/* The source is not what its SHA-256 says: no object comes, and one that was there stays. */
static bool wrong_sha256(const struct conform_case *c)
{
	uint8_t sha256[32] = {1, 2, 3};
	struct conform_source s = {.size = c->size, .seed = 5};
	struct tier_put p = {.key = key_of("new"), .source = conform_source(&s), .sha256 = sha256};

	WANT(tier_put(the.t, &p, NULL, NULL), -ESTALE);
	WANT(head_of(the.t, p.key, NULL), -ENOENT);
	p.key = key_of("old");
	WANT(put_to(the.t, p.key, 100, 6), 0);
	WANT(tier_put(the.t, &p, NULL, NULL), -ESTALE);
	WANT(get_from(the.t, p.key, 100, 6, NULL), 0);
	return true;
}

static bool source_fails(const struct conform_case *c)
{
	struct conform_source s = {.size = c->size, .seed = 5, .fail_at = c->size / 2};
	struct tier_put p = {.key = key_of("new"), .source = conform_source(&s)};
	_cleanup_buf_ struct buf keys = BUF_INIT;

	WANT(tier_put(the.t, &p, NULL, NULL), -EIO);
	WANT(head_of(the.t, p.key, NULL), -ENOENT);
	WANT(keys_below(the.t, key_of(""), &keys), 0);
	return true;
}

static bool source_ends_early(const struct conform_case *c)
{
	struct conform_source s = {.size = c->size, .seed = 5, .end_at = c->size - 10};
	struct tier_put p = {.key = key_of("new"), .source = conform_source(&s)};

	HOLDS(tier_put(the.t, &p, NULL, NULL) < 0);
	WANT(head_of(the.t, p.key, NULL), -ENOENT);
	return true;
}

/* ---- what is not there ---- */

static bool missing(const struct conform_case *c)
{
	const char *key = key_of("nothing");
	struct tier_copy copy = {.from = key, .to = key_of("copy")};

	(void)c;
	WANT(head_of(the.t, key, NULL), -ENOENT);
	WANT(get_from(the.t, key, 1, 1, NULL), -ENOENT);
	WANT(tier_copy(the.t, &copy, NULL, NULL), -ENOENT);
	WANT(remove_at(the.t, key), 0);
	WANT(head_of(the.t, copy.to, NULL), -ENOENT);
	return true;
}

static bool remove_many(const struct conform_case *c)
{
	static char names[1100][TIER_KEY_MAX];
	const char *keys[1100];
	int results[1100];
	_cleanup_buf_ struct buf left = BUF_INIT;

	(void)c;
	for (int i = 0; i < 1100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d<&>", i);
		snprintf(names[i], sizeof(names[i]), "%s", key_of(name));
		keys[i] = names[i];
		results[i] = 1;
		if (i % 50 == 0)
			WANT(put_to(the.t, keys[i], 5, 1), 0);
	}
	WANT(put_to(the.t, key_of("stays"), 5, 1), 0);
	WANT(tier_remove(the.t, keys, 1100, NULL, results), 0);
	for (int i = 0; i < 1100; i++)
		WANT(results[i], 0);
	WANT(keys_below(the.t, key_of(""), &left), 1);
	return true;
}

/* ---- facts ---- */

static const struct tier_facts all_facts = {
	.known = TIER_KNOWS_SHA256 | TIER_KNOWS_SIZE | TIER_KNOWS_VERSION | TIER_KNOWS_MODE | TIER_KNOWS_UID |
		 TIER_KNOWS_GID | TIER_KNOWS_MTIME,
	.sha256 = {0xde, 0xad, 0xbe, 0xef, [31] = 0xff},
	.size = UINT64_C(1) << 62,
	.lake = UINT64_C(0xfedcba9876543210),
	.node = UINT64_C(0x7fffffffffffffff),
	.version = 42,
	.mode = 06754,
	.uid = 4294967294,
	.gid = 65534,
	.mtime = INT64_C(1763629200123456789),
};

static bool same_facts(const struct tier_facts *a, const struct tier_facts *b)
{
	WANT(a->known, b->known);
	if (b->known & TIER_KNOWS_SHA256)
		HOLDS(memcmp(a->sha256, b->sha256, 32) == 0);
	if (b->known & TIER_KNOWS_SIZE)
		WANT((int64_t)a->size, (int64_t)b->size);
	if (b->known & TIER_KNOWS_VERSION)
		HOLDS(a->lake == b->lake && a->node == b->node && a->version == b->version);
	if (b->known & TIER_KNOWS_MODE)
		WANT(a->mode, b->mode);
	if (b->known & TIER_KNOWS_UID)
		WANT(a->uid, b->uid);
	if (b->known & TIER_KNOWS_GID)
		WANT(a->gid, b->gid);
	if (b->known & TIER_KNOWS_MTIME)
		WANT(a->mtime, b->mtime);
	WANT(a->zstd, b->zstd);
	return true;
}

/* SIZE holds which facts are known, LENGTH whether it says zstd, OFFSET how large the object is. */
static bool facts(const struct conform_case *c)
{
	struct conform_source s = {.size = c->offset, .seed = 1};
	struct tier_put p = {.key = key_of("object"), .source = conform_source(&s), .facts = all_facts};
	struct conform_sink sink = {.seed = 1};
	struct tier_get g = {.key = p.key, .length = 10, .sink = conform_sink, .arg = &sink};
	struct tier_head head;

	p.facts.known = (unsigned)c->size;
	p.facts.zstd = c->length;
	WANT(tier_put(the.t, &p, NULL, &head), 0);
	WANT((int64_t)head.size, (int64_t)c->offset);
	WANT(head_of(the.t, p.key, &head), 0);
	HOLDS(same_facts(&head.facts, &p.facts));
	memset(&head, 0, sizeof(head));
	WANT(tier_get(the.t, &g, NULL, &head), 0);
	HOLDS(same_facts(&head.facts, &p.facts));
	return true;
}

static bool old_mtime(const struct conform_case *c)
{
	struct conform_source s = {.size = 1, .seed = 1};
	struct tier_put p = {.key = key_of("object"), .source = conform_source(&s)};
	struct tier_head head;

	p.facts.known = TIER_KNOWS_MTIME;
	p.facts.mtime = -(int64_t)c->size;
	WANT(tier_put(the.t, &p, NULL, NULL), 0);
	WANT(head_of(the.t, p.key, &head), 0);
	WANT(head.facts.mtime, p.facts.mtime);
	return true;
}

/* ---- copies ---- */

static bool copy(const struct conform_case *c)
{
	struct conform_source s = {.size = c->size, .seed = 1};
	struct tier_put p = {.key = key_of("from"), .source = conform_source(&s), .facts = all_facts};
	struct tier_copy copy = {.from = p.key, .to = key_of("to")};
	struct tier_head head;

	WANT(tier_put(the.t, &p, NULL, NULL), 0);
	WANT(tier_copy(the.t, &copy, NULL, &head), 0);
	WANT(head_of(the.t, copy.to, &head), 0);
	HOLDS(same_facts(&head.facts, &all_facts));
	WANT(get_from(the.t, copy.to, c->size, 1, NULL), 0);
	WANT(get_from(the.t, copy.from, c->size, 1, NULL), 0);
	return true;
}

static bool copy_with_facts(const struct conform_case *c)
{
	struct tier_facts other = {.known = TIER_KNOWS_MODE | TIER_KNOWS_MTIME, .mode = 0600, .mtime = 5};
	struct tier_copy copy = {.from = key_of("from"), .facts = &other};
	struct tier_head head;

	copy.to = c->text ? key_of(c->text) : copy.from;
	WANT(put_to(the.t, copy.from, 100, 1), 0);
	WANT(tier_copy(the.t, &copy, NULL, NULL), 0);
	WANT(head_of(the.t, copy.to, &head), 0);
	HOLDS(same_facts(&head.facts, &other));
	WANT(get_from(the.t, copy.to, 100, 1, NULL), 0);
	return true;
}

static bool copy_if_match(const struct conform_case *c)
{
	struct tier_head head;
	struct tier_copy copy = {.from = key_of("from"), .to = key_of("to"), .etag = head.etag, .size = c->size};

	WANT(put_to(the.t, copy.from, c->size, 1), 0);
	WANT(head_of(the.t, copy.from, &head), 0);
	WANT(tier_copy(the.t, &copy, NULL, NULL), 0);
	WANT(put_to(the.t, copy.from, c->size, 2), 0);
	WANT(tier_copy(the.t, &copy, NULL, NULL), -ESTALE);
	WANT(get_from(the.t, copy.to, c->size, 1, NULL), 0);
	return true;
}

static bool copy_if_none(const struct conform_case *c)
{
	struct tier_copy copy = {.from = key_of("from"), .to = key_of("to"), .if_none_match = true};

	(void)c;
	WANT(put_to(the.t, copy.from, 100, 1), 0);
	WANT(tier_copy(the.t, &copy, NULL, NULL), 0);
	WANT(put_to(the.t, copy.from, 100, 2), 0);
	WANT(tier_copy(the.t, &copy, NULL, NULL), -EEXIST);
	WANT(get_from(the.t, copy.to, 100, 1, NULL), 0);
	return true;
}

/* ---- classes ---- */

static bool class_kept(const struct conform_case *c)
{
	struct conform_source s = {.size = 10, .seed = 1};
	struct tier_put p = {.key = key_of("object"), .source = conform_source(&s), .class = c->text};
	struct tier_head head;

	WANT(tier_put(the.t, &p, NULL, NULL), c->error);
	if (c->error)
		return head_of(the.t, p.key, NULL) == -ENOENT;
	WANT(head_of(the.t, p.key, &head), 0);
	return strcmp(head.class, c->text) == 0;
}

/* ---- many at once ---- */

static void *many(void *arg)
{
	struct tier *t = the.t;
	uint64_t n = (uintptr_t)arg;
	char key[TIER_KEY_MAX];
	int r = 0;

	for (uint64_t i = 0; i < 8; i++) {
		snprintf(key, sizeof(key), "%s%s000/many/%llu", tier_prefix(t), tier_prefix(t)[0] ? "/" : "",
			 (unsigned long long)(n * 10 + i));
		r = r ? r : put_to(t, key, 1000 + n, n * 10 + i);
		r = r ? r : get_from(t, key, 1000 + n, n * 10 + i, NULL);
		r = r ? r : remove_at(t, key);
	}
	return (void *)(intptr_t)r;
}

static bool many_at_once(const struct conform_case *c)
{
	pthread_t threads[16];
	int64_t failed = 0;

	(void)c;
	for (uintptr_t i = 0; i < 16; i++)
		pthread_create(&threads[i], NULL, many, (void *)i);
	for (int i = 0; i < 16; i++) {
		void *one;

		pthread_join(threads[i], &one);
		failed = failed ? failed : (intptr_t)one;
	}
	WANT(failed, 0);
	return true;
}

#define SIZE(bytes, engines)                                                             \
	{                                                                                \
		"an object of " #bytes " bytes", engines, size_round_trip, .size = bytes \
	}
#define RANGE(what, from, bytes, wanted)                                                     \
	{                                                                                    \
		"range: " what, ALL_, range, .offset = from, .length = bytes, .size = wanted \
	}
#define NO_RANGE(what, from, bytes)                                                            \
	{                                                                                      \
		"range: " what, ALL_, range, .offset = from, .length = bytes, .error = -ERANGE \
	}
#define SHA TIER_KNOWS_SHA256

const struct conform_case conform_bytes[] = {
	SIZE(0, ALL_),
	SIZE(1, ALL_),
	SIZE(2, ALL_),
	SIZE(4095, ALL_),
	SIZE(4096, ALL_),
	SIZE(65535, ALL_),
	SIZE(65536, ALL_),
	SIZE(65537, ALL_),
	SIZE(5 * MIB - 1, ALL_),
	SIZE(5 * MIB, ALL_),
	SIZE(5 * MIB + 1, ALL_),
	SIZE(16 * MIB, ALL_),
	SIZE(64 * MIB, ALL_),
	SIZE(64 * MIB + 1, ALL_),
	SIZE(150 * MIB + 3, ALL_),
	{"an object of more than 5 GB is too large", LIBS3_, too_large,
	 .size = UINT64_C(5) * 1000 * 1000 * 1000 + 1000000000},
	RANGE("the first byte", 0, 1, 1),
	RANGE("the last byte", RANGED_SIZE - 1, 1, 1),
	RANGE("the last byte, to the end", RANGED_SIZE - 1, TIER_TO_END, 1),
	RANGE("the middle", MIB + 1, 100, 100),
	RANGE("the second MiB", MIB, MIB, MIB),
	RANGE("odd ends", 12345, 654321, 654321),
	RANGE("all", 0, RANGED_SIZE, RANGED_SIZE),
	RANGE("all, to the end", 0, TIER_TO_END, RANGED_SIZE),
	RANGE("all but the first", 1, TIER_TO_END, RANGED_SIZE - 1),
	RANGE("all but the last", 0, RANGED_SIZE - 1, RANGED_SIZE - 1),
	RANGE("beyond the end is cut off", RANGED_SIZE - 10, 100, 10),
	RANGE("more than there is", 0, UINT64_C(1) << 60, RANGED_SIZE),
	NO_RANGE("one beyond the end", RANGED_SIZE + 1, 1),
	NO_RANGE("far beyond", UINT64_C(1) << 50, 1),
	NO_RANGE("far beyond, to the end", UINT64_C(1) << 50, TIER_TO_END),
	{"range: an empty object to the end", ALL_, empty_range, .length = TIER_TO_END},
	{"range: an empty object's first byte", ALL_, empty_range, .length = 1},
	{"a reader that has enough ends it", ALL_, sink_ends},
	{"if-none-match: the first one wins", ALL_, put_if_none},
	{"without it the last one does", ALL_, put_again},
	{"if-match: only the object that was meant is read", ALL_, get_if_match, .size = 100},
	{"if-match: also when it was put in parts", DIR_ | CURL_, get_if_match, .size = 65 * MIB},
	{"other bytes than their SHA-256 are not put", ALL_, wrong_sha256, .size = 1000},
	{"other bytes than their SHA-256 are not put in parts", DIR_ | CURL_, wrong_sha256, .size = 65 * MIB},
	{"a source that fails leaves nothing", ALL_, source_fails, .size = 1000},
	{"a source that fails leaves nothing of a larger object", ALL_, source_fails, .size = 6 * MIB},
	{"a source that fails leaves nothing of parts", DIR_ | CURL_, source_fails, .size = 70 * MIB},
	{"a source that is shorter leaves nothing", ALL_, source_ends_early, .size = 6 * MIB},
	{"a source that is shorter leaves nothing of parts", DIR_ | CURL_, source_ends_early, .size = 70 * MIB},
	{"what is not there is not", ALL_, missing},
	{"1,100 are removed at once", ALL_, remove_many},
	{"facts: all", ALL_, facts, .size = 127, .offset = 100},
	{"facts: none", ALL_, facts, .size = 0, .offset = 100},
	{"facts: of an empty object", ALL_, facts, .size = 127, .offset = 0},
	{"facts: the content's hash", ALL_, facts, .size = SHA, .offset = 100},
	{"facts: hash and size, compressed", ALL_, facts, .size = SHA | TIER_KNOWS_SIZE, .length = 1, .offset = 100},
	{"facts: mode", ALL_, facts, .size = TIER_KNOWS_MODE, .offset = 100},
	{"facts: owner", ALL_, facts, .size = TIER_KNOWS_UID | TIER_KNOWS_GID, .offset = 100},
	{"facts: time", ALL_, facts, .size = TIER_KNOWS_MTIME, .offset = 100},
	{"facts: version", ALL_, facts, .size = TIER_KNOWS_VERSION, .offset = 100},
	{"facts: of an object in parts", DIR_ | CURL_, facts, .size = 127, .offset = 65 * MIB},
	{"facts: a time before 1970", ALL_, old_mtime, .size = UINT64_C(1500000000)},
	{"facts: the second before 1970", ALL_, old_mtime, .size = 1},
	{"a copy is the same", ALL_, copy, .size = 1000},
	{"a copy of nothing is, too", ALL_, copy, .size = 0},
	{"a copy of what was put in parts", DIR_ | CURL_, copy, .size = 65 * MIB},
	{"a copy with other facts", ALL_, copy_with_facts, "to"},
	{"other facts without a copy", ALL_, copy_with_facts},
	{"a copy of only what was meant", ALL_, copy_if_match, .size = 100},
	{"a copy onto nothing only", ALL_, copy_if_none},
	{"storage class STANDARD_IA", CURL_, class_kept, "STANDARD_IA"},
	{"storage class GLACIER", CURL_, class_kept, "GLACIER"},
	{"a storage class that the server does not have", CURL_, class_kept, "NONE_SUCH", .error = -EINVAL},
	{"a storage class through libs3", LIBS3_, class_kept, "STANDARD_IA", .error = -EINVAL},
	{"16 threads at once", ALL_, many_at_once},
	{NULL},
};
