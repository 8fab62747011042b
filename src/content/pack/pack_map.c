#include "content/pack/pack_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "content/pack/pack_io.h"

#define MAGIC "tmap"
#define MAP_LIMIT (256U * 1024 * 1024) /* some 5 TB of content */
#define OWN 0x10
#define LEVELS 3

int pack_check(const void *bytes, size_t len, uint8_t check[PACK_CHECK])
{
	uint8_t sha256[SHA256_BYTES];

	if (!EVP_Digest(bytes, len, sha256, NULL, EVP_sha256(), NULL))
		return -EIO;
	memcpy(check, sha256, PACK_CHECK);
	return 0;
}

void pack_map_release(struct pack_map *m)
{
	free(m->segments);
	memset(m, 0, sizeof(*m));
}

struct pack_segment *pack_map_add(struct pack_map *m)
{
	struct pack_segment *s, *last;

	if (m->count == m->room) {
		uint32_t room = m->room ? m->room * 2 : 4;
		struct pack_segment *more = reallocarray(m->segments, room, sizeof(*more));

		if (!more)
			return NULL;
		m->segments = more;
		m->room = room;
	}
	s = &m->segments[m->count];
	memset(s, 0, sizeof(*s));
	if (m->count) {
		last = s - 1;
		s->at = last->at + last->length;
		s->stored_at = last->stored_at + last->stored;
	}
	m->count++;
	return s;
}

uint32_t pack_map_find(const struct pack_map *m, uint64_t at)
{
	uint32_t low = 0, high = m->count;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (m->segments[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* ---- encoding ---- */

static void put(struct buf *out, uint64_t n)
{
	while (n >= 0x80) {
		buf_addc(out, (char)(n | 0x80));
		n >>= 7;
	}
	buf_addc(out, (char)n);
}

static void put_segment(struct buf *out, const struct pack_segment *s, bool features)
{
	put(out, (uint64_t)s->kind | (s->own ? OWN : 0));
	put(out, s->length);
	if (s->kind == PACK_SAME)
		put(out, s->base);
	if (s->kind == PACK_SAME || s->kind == PACK_ZERO)
		return;
	put(out, s->stored);
	buf_add(out, s->check, PACK_CHECK);
	for (int i = 0; features && i < PACK_FEATURES; i++)
		buf_add(out,
			(uint8_t[]){(uint8_t)s->features[i], (uint8_t)(s->features[i] >> 8),
				    (uint8_t)(s->features[i] >> 16), (uint8_t)(s->features[i] >> 24)},
			4);
	if (s->kind == PACK_DELTA) {
		put(out, s->base);
		put(out, s->bases);
	}
}

int pack_map_encode(const struct pack_map *m, struct buf *out)
{
	size_t begin = out->len, len;
	uint8_t trailer[PACK_TRAILER];

	buf_add(out, m->sha256, SHA256_BYTES);
	put(out, m->size);
	put(out, m->has_base);
	if (m->has_base)
		buf_add(out, m->base, SHA256_BYTES);
	put(out, m->depth);
	put(out, m->ordinal);
	put(out, m->count);
	for (uint32_t i = 0; i < m->count; i++)
		put_segment(out, &m->segments[i], m->count > 1);
	if (buf_error(out))
		return -ENOMEM;
	len = out->len - begin;
	if (len > MAP_LIMIT || pack_check(out->data + begin, len, trailer))
		return -ENOMEM;
	pack_put32(trailer + PACK_CHECK, (uint32_t)len);
	memcpy(trailer + PACK_CHECK + 4, MAGIC, 4);
	buf_add(out, trailer, sizeof(trailer));
	return buf_error(out);
}

/* ---- decoding ---- */

struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static uint64_t get(struct reader *in)
{
	uint64_t n = 0;

	for (unsigned shift = 0; shift < 64 && in->at < in->end; shift += 7) {
		uint8_t byte = *in->at++;

		n |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return n;
	}
	in->bad = true;
	return 0;
}

static void get_bytes(struct reader *in, void *to, size_t len)
{
	if ((size_t)(in->end - in->at) < len) {
		in->bad = true;
		return;
	}
	memcpy(to, in->at, len);
	in->at += len;
}

static void get_stored(struct reader *in, struct pack_segment *s, bool features)
{
	uint8_t bytes[4];

	s->stored = (uint32_t)get(in);
	get_bytes(in, s->check, PACK_CHECK);
	for (int i = 0; features && i < PACK_FEATURES && !in->bad; i++) {
		get_bytes(in, bytes, 4);
		s->features[i] = pack_get32(bytes);
	}
}

/* What a segment refers to must be there; in its own map only what builds on nothing else. */
static bool base_is_right(const struct pack_map *m, const struct pack_segment *s)
{
	uint64_t index = m->count - 1, n = s->kind == PACK_DELTA ? s->bases : 1;

	if (!s->own)
		return m->has_base;
	for (uint64_t i = s->base; i < s->base + n; i++)
		if (i >= index || m->segments[i].kind == PACK_SAME || m->segments[i].kind == PACK_ZERO ||
		    (s->kind == PACK_DELTA && m->segments[i].kind == PACK_DELTA))
			return false;
	return true;
}

static bool get_segment(struct reader *in, struct pack_map *m, bool features)
{
	struct pack_segment *s = pack_map_add(m);
	uint64_t kind = get(in);

	if (!s)
		return false;
	s->kind = (enum pack_kind)(kind & (OWN - 1));
	s->own = kind & OWN;
	s->length = get(in);
	if (in->bad || !s->length || (s->kind != PACK_ZERO && s->length > PACK_SEGMENT_MAX) ||
	    s->length > m->size - s->at)
		return false;
	switch (s->kind) {
	case PACK_ZERO:
		return true;
	case PACK_SAME:
		s->base = (uint32_t)get(in);
		return !in->bad && base_is_right(m, s);
	case PACK_RAW:
	case PACK_ZSTD:
		get_stored(in, s, features);
		return !in->bad && (s->kind == PACK_ZSTD || s->stored == s->length);
	case PACK_DELTA:
		get_stored(in, s, features);
		s->base = (uint32_t)get(in);
		s->bases = (uint8_t)get(in);
		return !in->bad && (s->bases == 1 || s->bases == 2) && base_is_right(m, s);
	}
	return false;
}

static int decode(struct reader *in, uint64_t room, struct pack_map *m)
{
	const struct pack_segment *last;
	uint64_t count, flags;

	get_bytes(in, m->sha256, SHA256_BYTES);
	m->size = get(in);
	flags = get(in);
	m->has_base = flags & 1;
	if (m->has_base)
		get_bytes(in, m->base, SHA256_BYTES);
	m->depth = (unsigned)get(in);
	m->ordinal = (unsigned)get(in);
	count = get(in);
	if (in->bad || flags > 1 || m->depth > PACK_DEPTH_MAX || !m->has_base != !m->depth ||
	    count > (size_t)(in->end - in->at))
		return -EBADMSG;
	for (uint64_t i = 0; i < count; i++)
		if (!get_segment(in, m, count > 1))
			return -EBADMSG;
	last = m->count ? &m->segments[m->count - 1] : NULL;
	if (in->at != in->end || (last ? last->at + last->length : 0) != m->size ||
	    (last ? last->stored_at + last->stored : 0) != room)
		return -EBADMSG;
	return 0;
}

int pack_map_read_by(pack_read_fn read, const void *arg, uint64_t offset, uint64_t length, uint64_t left_out,
		     struct pack_map *out)
{
	uint8_t trailer[PACK_TRAILER], check[PACK_CHECK];
	_cleanup_free_ uint8_t *bytes = NULL;
	struct reader in;
	uint32_t len;
	int rc;

	memset(out, 0, sizeof(*out));
	if (length < PACK_TRAILER)
		return -EBADMSG;
	rc = read(arg, trailer, sizeof(trailer), offset + length - sizeof(trailer));
	if (rc < 0)
		return rc;
	len = pack_get32(trailer + PACK_CHECK);
	if (memcmp(trailer + PACK_CHECK + 4, MAGIC, 4) || len > length - sizeof(trailer) || len > MAP_LIMIT)
		return -EBADMSG;
	bytes = malloc(len + 1);
	if (!bytes)
		return -ENOMEM;
	rc = read(arg, bytes, len, offset + length - sizeof(trailer) - len);
	if (!rc)
		rc = pack_check(bytes, len, check);
	if (!rc && memcmp(check, trailer, PACK_CHECK))
		rc = -EBADMSG;
	in = (struct reader){.at = bytes, .end = bytes + len};
	if (!rc)
		rc = decode(&in, length + left_out - sizeof(trailer) - len, out);
	if (rc < 0)
		pack_map_release(out);
	return rc;
}

static int read_fd(const void *arg, void *to, size_t len, uint64_t at)
{
	return pack_pread(*(const int *)arg, to, len, at);
}

int pack_map_read(int fd, uint64_t offset, uint64_t length, struct pack_map *out)
{
	return pack_map_read_by(read_fd, &fd, offset, length, 0, out);
}

/* ---- the tree of bases ---- */

/* Objects that have room below and with a root that has DEPTH left: binomial(DEPTH + LEVELS, LEVELS). */
static unsigned room_for(unsigned depth, unsigned levels)
{
	unsigned n = 1;

	for (unsigned i = 1; i <= levels; i++)
		n = n * (depth + i) / i;
	return n;
}

unsigned pack_parent(unsigned ordinal)
{
	unsigned root = 0, parent = 0, depth = PACK_DEPTH_MAX, levels = LEVELS;

	while (ordinal > root) {
		unsigned first = room_for(depth, levels - 1);

		if (ordinal - root < first) {
			levels--;
			continue;
		}
		parent = root;
		root += first;
		depth--;
	}
	return parent;
}
