#include "content/pack/pack_object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "content/recall/recall.h"

/* ---- one segment ---- */

const struct pack_segment *pack_object_origin(const struct pack_object *o, uint32_t segment,
					      const struct pack_object **where)
{
	const struct pack_segment *s;

	/* Ends: within a map it goes to a segment that is not SAME, and the chain of objects is finite. */
	while (o && segment < o->map.count) {
		s = &o->map.segments[segment];
		if (s->kind != PACK_SAME) {
			*where = o;
			return s;
		}
		segment = s->base;
		if (!s->own)
			o = o->base;
	}
	return NULL;
}

static int inflate(const struct pack_object *o, const void *from, size_t len, struct pack_piece *base,
		   struct pack_piece *to)
{
	ZSTD_DCtx *dctx = pack_cache_borrow(o->cache);
	size_t n;

	if (!dctx)
		return -ENOMEM;
	ZSTD_DCtx_reset(dctx, ZSTD_reset_session_and_parameters);
	n = base ? ZSTD_DCtx_refPrefix(dctx, base->bytes, base->length) : 0;
	if (!ZSTD_isError(n))
		n = ZSTD_decompressDCtx(dctx, to->bytes, to->length, from, len);
	pack_cache_give_back(o->cache, dctx);
	return n == to->length ? 0 : -EIO;
}

/* What a delta refers to: one segment, or two in a row. */
static int base_piece(const struct pack_object *o, const struct pack_segment *s, struct pack_piece **out)
{
	_cleanup_piece_ struct pack_piece *first = NULL, *second = NULL;
	const struct pack_object *in = s->own ? o : o->base;
	struct pack_piece *both;
	int rc = pack_object_piece(in, s->base, &first);

	if (rc < 0)
		return rc;
	if (s->bases == 1) {
		*out = steal_ptr(&first);
		return 0;
	}
	rc = pack_object_piece(in, s->base + 1, &second);
	if (rc < 0)
		return rc;
	both = pack_piece_new(first->length + second->length);
	if (!both)
		return -ENOMEM;
	memcpy(both->bytes, first->bytes, first->length);
	memcpy(both->bytes + first->length, second->bytes, second->length);
	*out = both;
	return 0;
}

/* S is one of O's own segments. */
static int unpack(const struct pack_object *o, const struct pack_segment *s, struct pack_piece *to)
{
	_cleanup_piece_ struct pack_piece *base = NULL;
	_cleanup_free_ void *stored = NULL;
	int rc;

	if (s->kind == PACK_RAW)
		return pack_file_read(o->file, to->bytes, to->length, o->offset + s->stored_at);
	stored = malloc(s->stored + 1U);
	if (!stored)
		return -ENOMEM;
	rc = pack_file_read(o->file, stored, s->stored, o->offset + s->stored_at);
	if (!rc && s->kind == PACK_DELTA)
		rc = base_piece(o, s, &base);
	return rc < 0 ? rc : inflate(o, stored, s->stored, base, to);
}

int pack_object_piece(const struct pack_object *o, uint32_t segment, struct pack_piece **out)
{
	const struct pack_segment *s = pack_object_origin(o, segment, &o);
	_cleanup_piece_ struct pack_piece *piece = NULL;
	int rc;

	if (!s || s->kind == PACK_ZERO)
		return -EIO;
	*out = pack_cache_find(o->cache, s->check);
	if (*out && (*out)->length == s->length)
		return 0;
	if (*out)
		pack_piece_unref(*out);
	piece = pack_piece_new((uint32_t)s->length);
	if (!piece)
		return -ENOMEM;
	rc = unpack(o, s, piece);
	if (!rc)
		rc = pack_check(piece->bytes, piece->length, piece->check);
	if (!rc && memcmp(piece->check, s->check, PACK_CHECK))
		rc = -EIO;
	if (rc < 0)
		return rc == -EBADMSG ? -EIO : rc;
	pack_cache_add(o->cache, piece);
	*out = steal_ptr(&piece);
	return 0;
}

/* ---- the object ---- */

/* SHA256 may be NULL. */
static int open_one(struct pack_cache *cache, const struct pack_place *place, const uint8_t *sha256,
		    struct pack_object **out)
{
	struct pack_object *o = calloc(1, sizeof(*o));
	int rc;

	if (!o)
		return -ENOMEM;
	o->cache = cache;
	o->file = pack_file_ref(place->file);
	o->offset = place->offset;
	rc = pack_file_map(place->file, sha256, place->offset, place->length, &o->map);
	if (rc < 0) {
		pack_object_close(o);
		return rc == -EBADMSG ? -EIO : rc;
	}
	*out = o;
	return 0;
}

/* Segments that refer to the base refer to what is there. */
static bool fits(const struct pack_object *o)
{
	const struct pack_map *base = o->base ? &o->base->map : NULL;

	if (o->map.has_base != !!base || (base && memcmp(o->map.base, base->sha256, SHA256_BYTES)))
		return false;
	for (uint32_t i = 0; i < o->map.count; i++) {
		const struct pack_segment *s = &o->map.segments[i];
		uint64_t n = s->kind == PACK_DELTA ? s->bases : s->kind == PACK_SAME ? 1 : 0;
		const struct pack_object *where;

		if (n && !s->own && (!base || s->base + n > base->count))
			return false;
		if (s->kind == PACK_SAME) {
			const struct pack_segment *origin = pack_object_origin(o, i, &where);

			if (!origin || origin->kind == PACK_ZERO || origin->length != s->length)
				return false;
		}
	}
	return true;
}

/* The object SHA256 without those below it. */
static int open_named(struct pack_cache *cache, const uint8_t sha256[SHA256_BYTES], pack_find_fn find, void *arg,
		      struct pack_object **out)
{
	struct pack_place place;
	int rc = find(arg, sha256, &place);

	if (rc < 0)
		return rc;
	rc = open_one(cache, &place, sha256, out);
	pack_file_unref(place.file);
	return rc;
}

static int open_chain(struct pack_object *top, pack_find_fn find, void *arg)
{
	int rc = 0;

	for (struct pack_object *o = top; o->map.has_base && !rc; o = o->base) {
		rc = open_named(top->cache, o->map.base, find, arg, &o->base);
		/* DEPTH is below 9 and falls with each, so this ends */
		if (!rc && o->base->map.depth + 1 != o->map.depth)
			rc = -EIO;
		if (rc)
			break;
	}
	return rc;
}

int pack_object_open(struct pack_cache *cache, const uint8_t sha256[SHA256_BYTES], pack_find_fn find, void *arg,
		     struct pack_object **out)
{
	struct pack_object *top;
	int rc = open_named(cache, sha256, find, arg, &top);

	if (rc < 0)
		return rc;
	rc = memcmp(top->map.sha256, sha256, SHA256_BYTES) ? -EIO : open_chain(top, find, arg);
	for (struct pack_object *o = top; o && !rc; o = o->base)
		rc = fits(o) ? 0 : -EIO;
	if (rc < 0)
		pack_object_close(top);
	else
		*out = top;
	return rc;
}

void pack_object_close(struct pack_object *o)
{
	while (o) {
		struct pack_object *base = o->base;

		pack_map_release(&o->map);
		pack_file_unref(o->file);
		free(o);
		o = base;
	}
}

/* ---- what is in the cloud ---- */

/* LEN bytes at AT of FILE are needed. Other than 0 ends it. */
typedef int (*stored_fn)(void *arg, const struct pack_file *file, uint64_t at, uint64_t len);

/* What SEGMENT is made of, but for what is in memory. */
static int each_stored(const struct pack_object *o, uint32_t segment, stored_fn fn, void *arg)
{
	const struct pack_segment *s = pack_object_origin(o, segment, &o);
	struct pack_piece *piece;
	int rc;

	if (!s || s->kind == PACK_ZERO)
		return 0;
	piece = pack_cache_find(o->cache, s->check);
	if (piece) {
		pack_piece_unref(piece);
		return 0;
	}
	rc = fn(arg, o->file, o->offset + s->stored_at, s->stored);
	for (uint32_t i = 0; s->kind == PACK_DELTA && i < s->bases && !rc; i++)
		rc = each_stored(s->own ? o : o->base, s->base + i, fn, arg);
	return rc;
}

static int each_stored_of(const struct pack_object *o, uint64_t at, uint64_t len, stored_fn fn, void *arg)
{
	uint64_t end = at < o->map.size && len > o->map.size - at ? o->map.size : at + len;
	int rc = 0;

	if (at >= o->map.size || pack_object_is_here(o))
		return 0;
	for (uint32_t i = pack_map_find(&o->map, at); i < o->map.count && o->map.segments[i].at < end && !rc; i++)
		rc = each_stored(o, i, fn, arg);
	return rc;
}

bool pack_object_is_here(const struct pack_object *o)
{
	for (; o; o = o->base)
		if (o->file->recall)
			return false;
	return true;
}

static int is_missing(void *arg, const struct pack_file *file, uint64_t at, uint64_t len)
{
	(void)arg;
	return !pack_file_has(file, at, len);
}

bool pack_object_has(const struct pack_object *o, uint64_t at, uint64_t len)
{
	return !each_stored_of(o, at, len, is_missing, NULL);
}

static int fetch(void *arg, const struct pack_file *file, uint64_t at, uint64_t len)
{
	(void)arg;
	if (file->recall)
		recall_fetch_ahead(file->recall, at, len);
	return 0;
}

static int await(void *arg, const struct pack_file *file, uint64_t at, uint64_t len)
{
	return file->recall ? recall_want(file->recall, at, len, arg) : 0;
}

int pack_object_want(const struct pack_object *o, uint64_t at, uint64_t len, const struct tier_call *call)
{
	struct tier_call none = {0};
	struct tier_call patient = call ? *call : none;

	each_stored_of(o, at, len, fetch, NULL); /* all beside each other */
	return each_stored_of(o, at, len, await, &patient);
}

/* ---- reading ---- */

static int read_segment(struct pack_object *o, uint32_t segment, void *to, size_t len, uint64_t at)
{
	const struct pack_segment *s = &o->map.segments[segment];
	_cleanup_piece_ struct pack_piece *piece = NULL;
	int rc;

	if (s->kind == PACK_ZERO) {
		memset(to, 0, len);
		return 0;
	}
	rc = pack_object_piece(o, segment, &piece);
	if (!rc)
		memcpy(to, piece->bytes + (at - s->at), len);
	return rc;
}

ssize_t pack_object_read(struct pack_object *o, void *to, size_t len, uint64_t at)
{
	size_t done = 0;

	if (at >= o->map.size)
		return 0;
	if (len > o->map.size - at)
		len = o->map.size - at;
	for (uint32_t i = pack_map_find(&o->map, at); done < len; i++) {
		const struct pack_segment *s = &o->map.segments[i];
		uint64_t rest = s->at + s->length - (at + done);
		size_t n = len - done < rest ? len - done : rest;
		int rc = read_segment(o, i, (char *)to + done, n, at + done);

		if (rc < 0)
			return rc;
		done += n;
	}
	return (ssize_t)done;
}

static int verify_into(struct pack_object *o, bool (*stop)(void *arg), void *arg, EVP_MD_CTX *md, uint8_t *buffer)
{
	for (uint64_t at = 0; at < o->map.size;) {
		const struct pack_segment *s = &o->map.segments[pack_map_find(&o->map, at)];
		uint64_t rest = s->at + s->length - at;
		ssize_t n;

		if (stop && stop(arg))
			return -ECANCELED;
		n = pack_object_read(o, buffer, rest < PACK_SEGMENT_MAX ? rest : PACK_SEGMENT_MAX, at);
		if (n < 0)
			return (int)n;
		if (!EVP_DigestUpdate(md, buffer, (size_t)n))
			return -EIO;
		at += (uint64_t)n;
	}
	return 0;
}

int pack_object_verify(struct pack_object *o, bool (*stop)(void *arg), void *arg)
{
	_cleanup_free_ uint8_t *buffer = malloc(PACK_SEGMENT_MAX);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t sha256[SHA256_BYTES];
	int rc = buffer && md ? 0 : -ENOMEM;

	if (!rc && !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
		rc = -EIO;
	if (!rc)
		rc = verify_into(o, stop, arg, md, buffer);
	if (!rc && (!EVP_DigestFinal_ex(md, sha256, NULL) || memcmp(sha256, o->map.sha256, SHA256_BYTES)))
		rc = -EIO;
	EVP_MD_CTX_free(md);
	return rc;
}

int pack_object_verify_at(struct pack_cache *cache, const struct pack_place *place, struct pack_object *base,
			  bool (*stop)(void *arg), void *arg)
{
	struct pack_object *o;
	int rc = open_one(cache, place, NULL, &o);

	if (rc < 0)
		return rc;
	o->base = base;
	rc = fits(o) ? pack_object_verify(o, stop, arg) : -EIO;
	o->base = NULL;
	pack_object_close(o);
	return rc;
}
