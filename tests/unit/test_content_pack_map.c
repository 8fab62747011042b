/* Maps of packed objects, and where their segments are cut. */
#include "content/pack/pack_cut.h"
#include "test_content_pack.h"

static void test_parents(void)
{
	unsigned depth[PACK_PERIOD] = {0}, deepest = 0, distance = 0;
	bool on_chain = true;

	for (unsigned i = 1; i < PACK_PERIOD; i++) {
		unsigned p = pack_parent(i), up = i - 1;

		if (p >= i) {
			ok(false, "%u builds on an earlier one, not on %u", i, p);
			return;
		}
		while (up > p)
			up = pack_parent(up);
		on_chain = on_chain && up == p;
		depth[i] = depth[p] + 1;
		deepest = depth[i] > deepest ? depth[i] : deepest;
		distance += i - p;
	}
	ok(on_chain, "each builds on one of those that the one before builds on");
	is_int(deepest, PACK_DEPTH_MAX, "no chain is longer than it may be");
	ok(distance < 3 * PACK_PERIOD, "and the base is near: %u steps in %d", distance, PACK_PERIOD);
}

/* ---- encoding ---- */

static void add(struct pack_map *m, struct pack_segment s)
{
	struct pack_segment *n = pack_map_add(m);

	s.at = n->at;
	s.stored_at = n->stored_at;
	*n = s;
	m->size += s.length;
}

static struct pack_map make_map(void)
{
	struct pack_map m = {.has_base = true, .depth = 3, .ordinal = 77};

	memset(m.sha256, 0xab, SHA256_BYTES);
	memset(m.base, 0xcd, SHA256_BYTES);
	add(&m, (struct pack_segment){.kind = PACK_ZERO, .length = UINT64_C(1) << 40});
	add(&m, (struct pack_segment){.kind = PACK_RAW, .length = 1000, .stored = 1000, .check = {1, 2}});
	add(&m,
	    (struct pack_segment){.kind = PACK_ZSTD, .length = MIB, .stored = 300, .features = {1, 2, 3, 1U << 31}});
	add(&m, (struct pack_segment){.kind = PACK_DELTA, .length = 70000, .stored = 40, .base = 128, .bases = 2});
	add(&m, (struct pack_segment){
			.kind = PACK_DELTA, .length = 70000, .stored = 41, .own = true, .base = 1, .bases = 2});
	add(&m, (struct pack_segment){.kind = PACK_SAME, .length = 5, .base = 300000});
	add(&m, (struct pack_segment){.kind = PACK_SAME, .length = 1000, .own = true, .base = 1});
	return m;
}

static int write_map(const struct pack_map *m, size_t flip, uint8_t with, struct pack_map *out, size_t *length)
{
	_cleanup_close_ int fd = openat(packsfd, "map", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const struct pack_segment *last = m->count ? &m->segments[m->count - 1] : NULL;
	_cleanup_buf_ struct buf bytes = BUF_INIT;

	for (uint64_t i = 0; last && i < last->stored_at + last->stored; i++)
		buf_addc(&bytes, 'x');
	if (pack_map_encode(m, &bytes))
		return -ENOMEM;
	if (flip < bytes.len)
		bytes.data[bytes.len - 1 - flip] ^= (char)with;
	*length = bytes.len;
	if (pwrite(fd, bytes.data, bytes.len, 5000) != (ssize_t)bytes.len)
		return -errno;
	return pack_map_read(fd, 5000, bytes.len, out);
}

static bool equal(const struct pack_map *a, const struct pack_map *b)
{
	if (a->size != b->size || a->has_base != b->has_base || a->depth != b->depth || a->ordinal != b->ordinal ||
	    a->count != b->count || memcmp(a->sha256, b->sha256, SHA256_BYTES) ||
	    memcmp(a->base, b->base, SHA256_BYTES))
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct pack_segment *x = &a->segments[i], *y = &b->segments[i];

		if (x->kind != y->kind || x->own != y->own || x->bases != y->bases || x->base != y->base ||
		    x->at != y->at || x->length != y->length || x->stored_at != y->stored_at ||
		    x->stored != y->stored || memcmp(x->check, y->check, PACK_CHECK) ||
		    memcmp(x->features, y->features, sizeof(x->features)))
			return false;
	}
	return true;
}

static void test_map(void)
{
	struct pack_map m = make_map(), out;
	size_t length, map_length;
	bool found = true;
	int wrong = 0;

	is_int(write_map(&m, SIZE_MAX, 0, &out, &length), 0, "a map is written and read");
	ok(equal(&m, &out), "with all that was in it");
	for (uint32_t i = 0; i < m.count; i++)
		found = found && pack_map_find(&m, m.segments[i].at) == i &&
			pack_map_find(&m, m.segments[i].at + m.segments[i].length - 1) == i;
	ok(found, "a segment is found by its first and last byte");
	pack_map_release(&out);
	map_length = length - (m.segments[m.count - 1].stored_at + m.segments[m.count - 1].stored);
	for (size_t i = 0; i < map_length; i++)
		if (write_map(&m, i, (uint8_t)(1 << rnd(8)), &out, &length) != -EBADMSG)
			wrong++;
	is_int(wrong, 0, "one changed bit anywhere in it is noticed");
	pack_map_release(&m);
}

/* The check is right, what it says is not. */
static void is_refused(struct pack_segment s, const char *what)
{
	struct pack_map m = make_map(), out;
	size_t length;

	add(&m, s);
	is_int(write_map(&m, SIZE_MAX, 0, &out, &length), -EBADMSG, what);
	pack_map_release(&m);
}

static void test_nonsense(void)
{
	is_refused((struct pack_segment){.kind = PACK_RAW, .length = 9, .stored = 8}, "bytes that are not all there");
	is_refused((struct pack_segment){.kind = PACK_ZSTD, .length = MIB + 1, .stored = 8}, "too long a segment");
	is_refused((struct pack_segment){.kind = PACK_SAME, .length = 9, .own = true, .base = 7}, "itself again");
	is_refused((struct pack_segment){.kind = PACK_SAME, .length = 9, .own = true, .base = UINT32_MAX}, "none");
	is_refused(
		(struct pack_segment){.kind = PACK_DELTA, .length = 9, .stored = 1, .own = true, .base = 3, .bases = 1},
		"a delta of a delta of its own object");
	is_refused((struct pack_segment){.kind = PACK_DELTA, .length = 9, .stored = 1, .bases = 3}, "three at once");
	is_refused((struct pack_segment){.kind = 9, .length = 9}, "an unknown kind");
}

/* ---- cutting ---- */

/* Where segments of C end; returns how many. */
static size_t cut_all(const struct content *c, size_t ends[100], uint32_t features[100][PACK_FEATURES])
{
	size_t n = 0;

	for (size_t at = 0; at < c->len && n < 100; n++) {
		at += pack_cut(c->bytes + at, c->len - at, features[n]);
		ends[n] = at;
	}
	return n;
}

static void test_cut(void)
{
	_cleanup_content_ struct content c = content_rows(20 * MIB), d = content_copy(&c);
	static uint32_t fc[100][PACK_FEATURES], fd[100][PACK_FEATURES];
	size_t ec[100], ed[100], nc, nd, same = 0;

	content_splice(&d, 10, 0, 12345);
	nc = cut_all(&c, ec, fc);
	nd = cut_all(&d, ed, fd);
	for (size_t i = 0; i < nc; i++) {
		size_t len = ec[i] - (i ? ec[i - 1] : 0);

		if (len > PACK_SEGMENT_MAX || (i + 1 < nc && len < MIB / 2))
			ok(false, "segment %zu has %zu bytes", i, len);
		for (size_t k = 0; k < nd; k++)
			same += ed[k] == ec[i] + 12345;
	}
	ok(nc > 20 && nc <= 40, "20 MiB are cut into %zu segments", nc);
	ok(same + 6 > nc, "what was shifted is cut at the same places: %zu of %zu", same, nc);
}

static void test_features(void)
{
	_cleanup_content_ struct content c = content_rows(20 * MIB);
	uint32_t f[100][PACK_FEATURES], changed[PACK_FEATURES], first;
	struct pack_features *index;
	struct pack_map m = {.count = 100};
	size_t ends[100], n = cut_all(&c, ends, f);
	int right = 0, half = 0;

	is_int(pack_features_new(&m, &index), 0, "an index of features");
	for (uint32_t i = 0; i < n; i++)
		pack_features_add(index, i, f[i]);
	pack_features_sort(index);
	for (uint32_t i = 1; i + 1 < n; i++) {
		size_t at = ends[i - 1], middle = at + (ends[i] - at) / 2;

		for (int k = 0; k < 100; k++)
			c.bytes[at + rnd((uint32_t)(ends[i] - at))] = '!';
		pack_cut(c.bytes + at, ends[i] - at, changed);
		right += pack_features_find(index, changed, 0, &first) >= 1 && (first == i || first + 1 == i);
		pack_cut(c.bytes + middle, MIB / 2 + 1, changed);
		half += pack_features_find(index, changed, 0, &first) >= 1 && (first == i || first == i + 1);
	}
	ok(right + 3 >= (int)n, "segments with 100 changed bytes are found again: %d of %zu", right, n);
	ok(half + 5 >= (int)n, "and those that begin in the middle of another: %d", half);
	for (int i = 0; i < PACK_FEATURES; i++)
		changed[i] = 12345;
	is_int(pack_features_find(index, changed, 0, &first), 0, "what is like none is not");
	pack_features_free(index);
}

int main(void)
{
	packs_begin();
	test_parents();
	test_map();
	test_nonsense();
	test_cut();
	test_features();
	packs_end();
	return done();
}
