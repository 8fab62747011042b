/*
 * Per segment the smallest of: the bytes of one that is there already, a delta, a zstd frame, the bytes as they are.
 * What is tried in which order only saves time: a delta of a twentieth is good enough not to try the others.
 */
#include "content/pack/pack_add.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "content/pack/pack_cut.h"
#include "content/pack/pack_io.h"

#define ZERO_RUN (64 * 1024)
#define LEVEL_WHOLE 9
#define LEVEL_DELTA 12	/* lower ones take the nearest match for the longest: twice the bytes */
#define WINDOW_DELTA 22 /* two segments of the base, and the one itself */
#define GOOD_DELTA 20
#define TRIALS 6 /* segments against the first one, before that is given up */
#define WORTH_IT 16
#define SLACK (8 * 1024) /* so much may a segment shift against the one of the base */
#define GOOD_WHOLE 32	 /* one part in so many must be saved, or the bytes stay as they are */

/* A segment that may be referred to, by its check. */
struct known {
	uint8_t check[PACK_CHECK];
	uint32_t index;
	bool own;
	UT_hash_handle hh;
};

struct adding {
	struct pack_writer *w;
	const struct pack_input *in;
	struct pack_object *base;
	struct pack_features *features; /* of the base */
	uint64_t base_at;		/* where in the base the content should go on */
	uint64_t delta_end;		/* and where after the delta that was tried */
	struct known *known;
	struct pack_piece *first; /* the first segment, while others are tried against it */
	size_t tried, gained;
	struct pack_map map;
	EVP_MD_CTX *md;
	size_t len; /* bytes in w->buffer */
	bool end;   /* no more will come */
};

/* ---- what is there already ---- */

static int know(struct adding *a, const uint8_t check[PACK_CHECK], uint32_t index, bool own)
{
	struct known *k;

	HASH_FIND(hh, a->known, check, PACK_CHECK, k);
	if (k)
		return 0;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	memcpy(k->check, check, PACK_CHECK);
	k->index = index;
	k->own = own;
	HASH_ADD(hh, a->known, check, PACK_CHECK, k);
	return 0;
}

static void forget_known(struct adding *a)
{
	struct known *k, *next;

	HASH_ITER (hh, a->known, k, next) {
		HASH_DEL(a->known, k);
		free(k);
	}
}

static int learn_base(struct adding *a)
{
	const struct pack_object *where;
	int rc;

	if (!a->base)
		return 0;
	rc = pack_features_new(&a->base->map, &a->features);
	for (uint32_t i = 0; i < a->base->map.count && !rc; i++) {
		const struct pack_segment *s = pack_object_origin(a->base, i, &where);

		if (!s || s->kind == PACK_ZERO)
			continue;
		if (where->map.count > 1)
			pack_features_add(a->features, i, s->features);
		rc = know(a, s->check, i, false);
	}
	if (!rc)
		pack_features_sort(a->features);
	return rc;
}

/* ---- compressing ---- */

/* The length of what is now in TO, or 0 when that is not less than LEN. */
static size_t compress(struct adding *a, size_t len, const struct pack_piece *prefix, void *to)
{
	ZSTD_CCtx *cctx = a->w->cctx;
	size_t n;

	ZSTD_CCtx_reset(cctx, ZSTD_reset_session_and_parameters);
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, prefix ? LEVEL_DELTA : LEVEL_WHOLE);
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, 0);
	if (prefix) {
		ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, WINDOW_DELTA);
		ZSTD_CCtx_refPrefix(cctx, prefix->bytes, prefix->length);
	}
	n = ZSTD_compress2(cctx, to, len - 1, a->w->buffer, len);
	return ZSTD_isError(n) ? 0 : n;
}

/* One or two segments of the base in a row: what a delta may refer to. */
struct place {
	uint32_t first;
	unsigned n; /* 0: nothing is known */
};

static uint64_t segment_end(const struct pack_map *m, uint32_t i)
{
	return m->segments[i].at + m->segments[i].length;
}

/* What lies in the base where this segment should be, if the content goes on as it did. */
static struct place place_by_position(const struct adding *a, uint64_t len)
{
	const struct pack_map *m = &a->base->map;
	struct place p = {.n = 1};

	if (a->base_at >= m->size)
		return (struct place){.first = m->count - 1, .n = 1};
	p.first = pack_map_find(m, a->base_at);
	if (p.first + 1 < m->count && a->base_at + len > segment_end(m, p.first) + SLACK)
		p.n = 2;
	return p;
}

static struct place place_by_features(const struct adding *a, const struct pack_segment *s)
{
	struct place p = {.n = 0};

	p.n = pack_features_find(a->features, s->features, pack_map_find(&a->base->map, a->base_at), &p.first);
	return p;
}

/* The content went on in the base up to AT, or to the end of a segment that is near. */
static void base_goes_on(struct adding *a, uint64_t at)
{
	const struct pack_map *m = &a->base->map;
	const struct pack_segment *s;

	a->base_at = at;
	if (at >= m->size)
		return;
	s = &m->segments[pack_map_find(m, at)];
	if (at - s->at < SLACK)
		a->base_at = s->at;
	else if (s->at + s->length - at < SLACK)
		a->base_at = s->at + s->length;
}

static int load(struct adding *a, struct place p, struct pack_piece **out)
{
	_cleanup_piece_ struct pack_piece *first = NULL, *second = NULL;
	int rc = pack_object_piece(a->base, p.first, &first);

	if (!rc && p.n == 2)
		rc = pack_object_piece(a->base, p.first + 1, &second);
	if (rc < 0)
		return rc;
	*out = second ? pack_piece_new(first->length + second->length) : steal_ptr(&first);
	if (!*out)
		return -ENOMEM;
	if (second) {
		memcpy((*out)->bytes, first->bytes, first->length);
		memcpy((*out)->bytes + first->length, second->bytes, second->length);
	}
	return 0;
}

/* A delta against P into w->delta, if it is smaller than BEST: its length, 0 if it is not, or -errno. */
static ssize_t try_delta(struct adding *a, struct pack_segment *s, struct place p, size_t best)
{
	_cleanup_piece_ struct pack_piece *prefix = NULL;
	int rc = load(a, p, &prefix);
	uint8_t *old = a->w->delta;
	size_t n;

	if (rc == -EIO) /* zeros, or damaged: this one is stored for itself */
		return 0;
	if (rc < 0)
		return rc;
	n = compress(a, s->length, prefix, a->w->spare);
	if (!n || n >= best)
		return 0;
	a->w->delta = a->w->spare;
	a->w->spare = old;
	s->base = p.first;
	s->bases = (uint8_t)p.n;
	return (ssize_t)n;
}

/* The best delta into w->delta: its length, 0: none, or -errno. */
static ssize_t best_delta(struct adding *a, struct pack_segment *s)
{
	struct place here, like;
	ssize_t best, n = 0;

	if (!a->base || !a->base->map.count)
		return 0;
	here = place_by_position(a, s->length);
	best = try_delta(a, s, here, s->length);
	if (best < 0)
		return best;
	if (best)
		a->delta_end = a->base_at + s->length;
	if (best && (size_t)best <= s->length / GOOD_DELTA)
		return best;
	like = place_by_features(a, s);
	if (like.n && (like.first != here.first || like.n != here.n))
		n = try_delta(a, s, like, best ? (size_t)best : s->length);
	if (n > 0)
		a->delta_end = segment_end(&a->base->map, like.first + like.n - 1);
	return n ? n : best;
}

static int store(struct adding *a, struct pack_segment *s, enum pack_kind kind, const void *bytes, size_t len)
{
	s->kind = kind;
	s->stored = (uint32_t)len;
	return pack_pwrite(a->w->file->fd, bytes, len, a->w->at + s->stored_at);
}

/*
 * Long-lived content repeats itself at distances that a segment does not span (the values of a column, say). So where
 * there is nothing better, a segment is also tried against the first one of its own object, which takes a quarter off a
 * table. Given up when the first few do not gain.
 */
static size_t try_own(struct adding *a, struct pack_segment *s, size_t whole)
{
	size_t n;

	if (!a->first)
		return 0;
	n = compress(a, s->length, a->first, a->w->delta);
	a->tried += whole;
	a->gained += n && n < whole ? whole - n : 0;
	if (a->map.count == TRIALS && a->gained < a->tried / WORTH_IT) {
		pack_piece_unref(a->first);
		a->first = NULL;
	}
	return n;
}

static int keep_first(struct adding *a, const struct pack_segment *s)
{
	if (a->map.count > 1 || a->end)
		return 0;
	a->first = pack_piece_new((uint32_t)s->length);
	if (!a->first)
		return -ENOMEM;
	memcpy(a->first->bytes, a->w->buffer, s->length);
	return 0;
}

static bool is_worth(size_t delta, size_t whole)
{
	return delta && (!whole || delta < whole - whole / GOOD_WHOLE);
}

/* Nothing in the base is like it. */
static int store_alone(struct adding *a, struct pack_segment *s, size_t whole)
{
	size_t own = try_own(a, s, whole ? whole : s->length);
	int rc;

	a->base_at += s->length;
	if (is_worth(own, whole)) {
		s->own = true;
		s->base = 0;
		s->bases = 1;
		return store(a, s, PACK_DELTA, a->w->delta, own);
	}
	rc = keep_first(a, s);
	if (!rc)
		rc = whole ? store(a, s, PACK_ZSTD, a->w->whole, whole)
			   : store(a, s, PACK_RAW, a->w->buffer, s->length);
	return rc;
}

static int store_smallest(struct adding *a, struct pack_segment *s)
{
	size_t whole = 0;
	ssize_t delta = best_delta(a, s);

	if (delta < 0)
		return (int)delta;
	if (!delta || (size_t)delta > s->length / GOOD_DELTA)
		whole = compress(a, s->length, NULL, a->w->whole);
	if (whole > s->length - s->length / GOOD_WHOLE)
		whole = 0;
	if (!is_worth((size_t)delta, whole))
		return store_alone(a, s, whole);
	a->map.has_base = true;
	base_goes_on(a, a->delta_end);
	return store(a, s, PACK_DELTA, a->w->delta, (size_t)delta);
}

static void same(struct adding *a, struct pack_segment *s, const struct known *k)
{
	s->kind = PACK_SAME;
	s->own = k->own;
	s->base = k->index;
	if (k->own)
		return;
	a->map.has_base = true;
	a->base_at = segment_end(&a->base->map, k->index);
}

/* ---- an object ---- */

static int fill_buffer(struct adding *a)
{
	const struct pack_segment *last = a->map.count ? &a->map.segments[a->map.count - 1] : NULL;
	uint64_t at = (last ? last->at + last->length : 0) + a->len;

	while (!a->end && a->len < PACK_SEGMENT_MAX) {
		ssize_t n = a->in->read(a->in->arg, a->w->buffer + a->len, PACK_SEGMENT_MAX - a->len, at);

		if (n < 0)
			return (int)n;
		if (n && !EVP_DigestUpdate(a->md, a->w->buffer + a->len, (size_t)n))
			return -EIO;
		a->end = !n;
		a->len += (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

static size_t zeros(const uint8_t *bytes, size_t len)
{
	static const uint8_t none[4096];
	size_t n = 0;

	while (len - n >= sizeof(none) && !memcmp(bytes + n, none, sizeof(none)))
		n += sizeof(none);
	while (n < len && !bytes[n])
		n++;
	return n;
}

static int add_zeros(struct adding *a, size_t n)
{
	struct pack_segment *s = a->map.count ? &a->map.segments[a->map.count - 1] : NULL;

	if (!s || s->kind != PACK_ZERO)
		s = pack_map_add(&a->map);
	if (!s)
		return -ENOMEM;
	s->kind = PACK_ZERO;
	s->length += n;
	a->base_at += n;
	return 0;
}

static int add_segment(struct adding *a, size_t *taken)
{
	size_t zero = zeros(a->w->buffer, a->len);
	struct pack_segment *s;
	struct known *k;
	int rc;

	*taken = zero;
	if (zero >= ZERO_RUN || zero == a->len)
		return add_zeros(a, zero);
	s = pack_map_add(&a->map);
	if (!s)
		return -ENOMEM;
	*taken = pack_cut(a->w->buffer, a->len, s->features);
	s->length = *taken;
	rc = pack_check(a->w->buffer, *taken, s->check);
	if (rc < 0)
		return rc;
	HASH_FIND(hh, a->known, s->check, PACK_CHECK, k);
	if (k) {
		same(a, s, k);
		return 0;
	}
	rc = store_smallest(a, s);
	return rc < 0 ? rc : know(a, s->check, a->map.count - 1, true);
}

static int add_all(struct adding *a)
{
	size_t taken;
	int rc;

	for (;;) {
		if (a->in->stop && a->in->stop(a->in->arg))
			return -ECANCELED;
		rc = fill_buffer(a);
		if (rc < 0 || !a->len)
			return rc;
		rc = add_segment(a, &taken);
		if (rc < 0)
			return rc;
		a->len -= taken;
		memmove(a->w->buffer, a->w->buffer + taken, a->len);
	}
}

/* What is known of the whole, now that it was seen. */
static void complete(struct adding *a, unsigned ordinal, struct pack_added *out)
{
	const struct pack_segment *last = a->map.count ? &a->map.segments[a->map.count - 1] : NULL;

	a->map.size = last ? last->at + last->length : 0;
	if (a->map.has_base) {
		memcpy(a->map.base, a->base->map.sha256, SHA256_BYTES);
		a->map.depth = a->base->map.depth + 1;
		a->map.ordinal = ordinal;
	}
	memcpy(out->sha256, a->map.sha256, SHA256_BYTES);
	out->size = a->map.size;
	out->offset = a->w->at;
	out->length = last ? last->stored_at + last->stored : 0;
	out->based = a->map.has_base;
	memcpy(out->base, a->map.base, SHA256_BYTES);
	out->depth = a->map.depth;
	out->ordinal = a->map.ordinal;
}

static int write_map(struct adding *a, struct pack_added *out)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	int rc = pack_map_encode(&a->map, &bytes);

	if (!rc)
		rc = pack_pwrite(a->w->file->fd, bytes.data, bytes.len, out->offset + out->length);
	out->length += bytes.len;
	return rc;
}

int pack_add(struct pack_writer *w, const struct pack_input *in, struct pack_object *base, unsigned ordinal,
	     struct pack_added *out)
{
	struct adding a = {.w = w, .in = in, .base = base, .md = EVP_MD_CTX_new()};
	int rc = a.md ? learn_base(&a) : -ENOMEM;

	memset(out, 0, sizeof(*out));
	if (!rc && !EVP_DigestInit_ex(a.md, EVP_sha256(), NULL))
		rc = -EIO;
	if (!rc)
		rc = add_all(&a);
	if (!rc && !EVP_DigestFinal_ex(a.md, a.map.sha256, NULL))
		rc = -EIO;
	if (!rc) {
		complete(&a, ordinal, out);
		rc = write_map(&a, out);
	}
	EVP_MD_CTX_free(a.md);
	pack_features_free(a.features);
	if (a.first)
		pack_piece_unref(a.first);
	forget_known(&a);
	pack_map_release(&a.map);
	return rc;
}
