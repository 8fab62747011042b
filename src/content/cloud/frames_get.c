/* Reading compressed objects. What the remote says of them is not believed: not the table, nor how much comes. */
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "content/cloud/frames_int.h"
#include "content/recall/inflate.h"

struct frame_table {
	_Atomic unsigned refs;
	uint64_t n;
	uint64_t ends[]; /* of each frame, in the object */
};

struct frame_table *frame_table_ref(struct frame_table *t)
{
	t->refs++;
	return t;
}

void frame_table_unref(struct frame_table *t)
{
	if (t && !--t->refs)
		free(t);
}

/* ---- the table ---- */

static uint32_t get32(const char *at)
{
	uint32_t le;

	memcpy(&le, at, sizeof(le));
	return le32toh(le);
}

/* B: the skippable frame. Is it one that says what the sizes of object and content say, too? */
static bool fill_table(const struct frames_object *o, const char *b, uint64_t len, struct frame_table *t)
{
	const char *footer = b + len - FRAMES_FOOTER;
	uint64_t left = o->size, at = 0;

	if (get32(b) != FRAMES_SKIPPABLE || get32(b + 4) != len - 8 || get32(footer) != t->n || footer[4] != 0 ||
	    get32(footer + 5) != FRAMES_MAGIC)
		return false;
	b += 8;
	for (uint64_t i = 0; i < t->n; i++, b += 8) {
		uint64_t content = left < FRAME_BYTES ? left : FRAME_BYTES;

		if (get32(b + 4) != content || !get32(b))
			return false;
		left -= content;
		at += get32(b);
		t->ends[i] = at;
	}
	return at == o->stored - len;
}

static int add_bytes(void *arg, const void *bytes, size_t len)
{
	buf_add(arg, bytes, len);
	return buf_error(arg);
}

static int get(const struct frames_object *o, const struct tier_get *g, const struct tier_call *call)
{
	struct tier_get own = *g;

	own.key = o->key;
	own.etag = o->etag;
	return (o->get ? o->get : tier_get)(o->tier, &own, call, o->head);
}

int frame_table_get(const struct frames_object *o, const struct tier_call *call, struct frame_table **out)
{
	uint64_t n = frames_of(o->size), len = frame_table_bytes(o->size);
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct tier_get g = {.offset = o->stored - len, .length = len, .sink = add_bytes, .arg = &b};
	struct frame_table *t;
	int rc;

	*out = NULL;
	if (n <= 1)
		return 0;
	if (o->stored <= len)
		return -EBADMSG;
	rc = get(o, &g, call);
	if (!rc && o->head->size != o->stored)
		rc = -ESTALE;
	if (rc || b.len != len)
		return rc ? rc : -EBADMSG;
	t = malloc(sizeof(*t) + n * sizeof(t->ends[0]));
	if (!t)
		return -ENOMEM;
	t->refs = 1;
	t->n = n;
	if (!fill_table(o, b.data, len, t)) {
		free(t);
		return -EBADMSG;
	}
	*out = t;
	return 0;
}

/* ---- a range ---- */

/* What of the content of the frames is wanted. */
struct range {
	uint64_t at, from, to, end; /* of the content: what comes next; what is wanted; where the last frame ends */
	int (*sink)(void *arg, const void *bytes, size_t len);
	void *arg;
};

static int take_range(void *arg, const void *bytes, size_t len)
{
	struct range *r = arg;
	uint64_t from = r->at > r->from ? r->at : r->from, to = r->at + len < r->to ? r->at + len : r->to;
	const char *b = bytes;

	if (len > r->end - r->at)
		return -EBADMSG;
	b += from < to ? from - r->at : 0;
	r->at += len;
	return from < to ? r->sink(r->arg, b, (size_t)(to - from)) : 0;
}

int frames_get(const struct frames_object *o, const struct frame_table *t, uint64_t offset, uint64_t length,
	       int (*sink)(void *arg, const void *bytes, size_t len), void *arg, const struct tier_call *call)
{
	uint64_t first = offset / FRAME_BYTES, last;
	struct range r = {.from = offset, .sink = sink, .arg = arg};
	struct tier_get g = {.length = o->stored, .sink = inflate_take};
	_cleanup_inflate_ struct inflate *z = NULL;
	int rc;

	assert(t || o->size <= FRAME_BYTES);
	if (offset >= o->size)
		return -ERANGE;
	r.to = length < o->size - offset ? offset + length : o->size;
	if (r.to == offset)
		return 0;
	last = (r.to - 1) / FRAME_BYTES;
	r.at = first * FRAME_BYTES;
	r.end = (last + 1) * FRAME_BYTES < o->size ? (last + 1) * FRAME_BYTES : o->size;
	if (t) {
		g.offset = first ? t->ends[first - 1] : 0;
		g.length = t->ends[last] - g.offset;
	}
	rc = inflate_new(take_range, &r, &z);
	g.arg = z;
	if (!rc)
		rc = get(o, &g, call);
	if (!rc)
		rc = inflate_end(z);
	return rc ? rc : r.at == r.end ? 0 : -EBADMSG;
}

/* ---- all of it ---- */

int frames_get_whole(struct tier *tier, const struct cloud_row *c,
		     int (*sink)(void *arg, const void *bytes, size_t len), void *arg, const struct tier_call *call)
{
	_cleanup_inflate_ struct inflate *z = NULL;
	struct tier_get g = {.key = c->key,
			     .etag = c->etag[0] ? c->etag : NULL,
			     .length = TIER_TO_END,
			     .sink = c->compress ? inflate_take : sink,
			     .arg = arg};
	int rc = c->compress ? inflate_new(sink, arg, &z) : 0;

	if (z)
		g.arg = z;
	if (!rc)
		rc = tier_get(tier, &g, call, NULL);
	return rc || !z ? rc : inflate_end(z);
}
