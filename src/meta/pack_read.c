#include <errno.h>
#include <string.h>

#include "meta/store_int.h"

static void object_from_query(struct query *q, struct object_row *out)
{
	size_t len;
	const void *sha256 = query_get_blob(q, &len);

	*out = (struct object_row){0};
	if (len == SHA256_BYTES)
		memcpy(out->sha256, sha256, SHA256_BYTES);
	out->size = (uint64_t)query_get(q);
	out->pack = (uint64_t)query_get(q);
	out->offset = (uint64_t)query_get(q);
	out->length = (uint64_t)query_get(q);
	sha256 = query_get_blob(q, &len);
	out->has_base = len == SHA256_BYTES;
	if (out->has_base)
		memcpy(out->base, sha256, SHA256_BYTES);
}

int store_object(struct store *s, const uint8_t *sha256, struct object_row *out)
{
	_cleanup_query_ struct query q = {};
	int got;

	store_query(s, &q, SQL_OBJECT);
	query_blob(&q, sha256, SHA256_BYTES);
	got = query_row(&q);
	if (got <= 0)
		return got ? got : -ENOENT;
	object_from_query(&q, out);
	return 0;
}

static int each_object(struct query *q, store_object_fn fn, void *arg)
{
	int got, answer = 0;

	while (!answer && (got = query_row(q)) > 0) {
		struct object_row o;

		object_from_query(q, &o);
		answer = fn(arg, &o);
	}
	return answer ? answer : got;
}

int store_objects(struct store *s, uint64_t pack, store_object_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_OBJECTS);
	query_int(&q, (int64_t)pack);
	return each_object(&q, fn, arg);
}

int store_objects_on(struct store *s, const uint8_t *base, store_object_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_OBJECTS_ON);
	query_blob(&q, base, SHA256_BYTES);
	return each_object(&q, fn, arg);
}

int store_objects_unused(struct store *s, store_object_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_OBJECTS_UNUSED);
	return each_object(&q, fn, arg);
}

static void pack_from_query(struct query *q, struct pack_row *out)
{
	out->id = (uint64_t)query_get(q);
	out->volume = (int)query_get(q);
	out->bytes = (uint64_t)query_get(q);
	out->state = (enum pack_state)query_get(q);
	out->objects = (uint64_t)query_get(q);
	out->object_bytes = (uint64_t)query_get(q);
}

int store_pack(struct store *s, uint64_t id, struct pack_row *out)
{
	_cleanup_query_ struct query q = {};
	int got;

	store_query(s, &q, SQL_PACK);
	query_int(&q, (int64_t)id);
	got = query_row(&q);
	if (got <= 0)
		return got ? got : -ENOENT;
	pack_from_query(&q, out);
	return 0;
}

int store_packs(struct store *s, store_pack_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	int got, answer = 0;

	store_query(s, &q, SQL_PACKS);
	while (!answer && (got = query_row(&q)) > 0) {
		struct pack_row p;

		pack_from_query(&q, &p);
		answer = fn(arg, &p);
	}
	return answer ? answer : got;
}

static int two_numbers(struct store *s, enum sql id, uint64_t *first, uint64_t *second)
{
	_cleanup_query_ struct query q = {};
	int got;

	store_query(s, &q, id);
	got = query_row(&q);
	if (got <= 0)
		return got ? got : -EIO;
	*first = (uint64_t)query_get(&q);
	*second = (uint64_t)query_get(&q);
	return 0;
}

int store_pack_totals(struct store *s, struct pack_totals *out)
{
	int rc = two_numbers(s, SQL_PACK_TOTALS, &out->packs, &out->bytes);

	if (!rc)
		rc = two_numbers(s, SQL_PACK_STAYING_TOTALS, &out->staying, &out->staying_bytes);
	if (!rc)
		rc = two_numbers(s, SQL_PACK_AWAY_TOTALS, &out->away, &out->away_bytes);
	return rc ? rc : two_numbers(s, SQL_OBJECT_TOTALS, &out->objects, &out->content_bytes);
}
