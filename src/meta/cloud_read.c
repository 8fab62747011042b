#include <errno.h>
#include <string.h>

#include "meta/store_int.h"

static void cloud_from_query(struct query *q, struct cloud_row *out)
{
	const void *bytes;
	size_t len;

	*out = (struct cloud_row){.id = (uint64_t)query_get(q)};
	query_get_text(q, out->remote, sizeof(out->remote));
	bytes = query_get_blob(q, &len);
	if (bytes && len <= CLOUD_KEY_BYTES)
		memcpy(out->key, bytes, len);
	out->version = (uint64_t)query_get(q);
	out->pack = (uint64_t)query_get(q);
	bytes = query_get_blob(q, &len);
	out->hashed = bytes && len == SHA256_BYTES;
	if (out->hashed)
		memcpy(out->sha256, bytes, SHA256_BYTES);
	out->size = (uint64_t)query_get(q);
	out->stored = (uint64_t)query_get(q);
	out->compress = (int)query_get(q);
	query_get_text(q, out->etag, sizeof(out->etag));
	query_get_text(q, out->class, sizeof(out->class));
	out->state = (enum cloud_state)query_get(q);
	out->time = query_get(q);
}

static int one_object(struct query *q, struct cloud_row *out)
{
	int got = query_row(q);

	if (got <= 0)
		return got ? got : -ENOENT;
	cloud_from_query(q, out);
	return 0;
}

static int each_object(struct query *q, store_cloud_fn fn, void *arg)
{
	int got, answer = 0;

	while (!answer && (got = query_row(q)) > 0) {
		struct cloud_row c;

		cloud_from_query(q, &c);
		answer = fn(arg, &c);
	}
	return answer ? answer : got;
}

static int by_number(struct store *s, enum sql id, uint64_t number, struct cloud_row *out)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, id);
	query_int(&q, (int64_t)number);
	return one_object(&q, out);
}

int store_cloud_of_version(struct store *s, uint64_t version, struct cloud_row *out)
{
	int err = by_number(s, SQL_CLOUD_OF_VERSION, version, out);

	return err == -ENOENT ? by_number(s, SQL_CLOUD_BY_HASH_OF, version, out) : err;
}

int store_cloud_by_hash(struct store *s, const uint8_t *sha256, uint64_t size, struct cloud_row *out)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_CLOUD_BY_HASH);
	query_blob(&q, sha256, SHA256_BYTES);
	query_int(&q, (int64_t)size);
	return one_object(&q, out);
}

int store_cloud_elsewhere(struct store *s, const struct cloud_row *c, struct cloud_row *out)
{
	_cleanup_query_ struct query q = {};

	if (!c->hashed)
		return -ENOENT;
	store_query(s, &q, SQL_CLOUD_ELSEWHERE);
	query_blob(&q, c->sha256, SHA256_BYTES);
	query_int(&q, (int64_t)c->size);
	query_int(&q, c->compress);
	query_text(&q, c->remote);
	query_blob(&q, c->key, strlen(c->key));
	return one_object(&q, out);
}

int store_cloud_by_key(struct store *s, const char *remote, const char *key, struct cloud_row *out)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_CLOUD_BY_KEY);
	query_text(&q, remote);
	query_blob(&q, key, strlen(key));
	return one_object(&q, out);
}

int store_cloud_of_pack(struct store *s, uint64_t pack, struct cloud_row *out)
{
	return by_number(s, SQL_CLOUD_OF_PACK, pack, out);
}

int store_cloud_need(struct store *s, const struct cloud_row *c, uint64_t *version)
{
	_cleanup_query_ struct query q = {};
	int got;

	store_query(s, &q, SQL_CLOUD_NEEDED_BY);
	query_int(&q, (int64_t)c->version);
	query_blob(&q, c->hashed ? c->sha256 : NULL, c->hashed ? SHA256_BYTES : 0);
	got = query_row(&q);
	*version = got > 0 ? (uint64_t)query_get(&q) : 0;
	return got;
}

int store_cloud_each(struct store *s, enum cloud_state state, uint64_t after, store_cloud_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	bool indexed = state == CLOUD_INTENT || state == CLOUD_GOING;
	int got, answer = 0;

	store_query(s, &q, indexed ? SQL_CLOUD_IN_STATE : SQL_CLOUD_EACH);
	query_int(&q, (int64_t)after);
	if (indexed) {
		query_int(&q, state);
		return each_object(&q, fn, arg);
	}
	while (!answer && (got = query_row(&q)) > 0) {
		struct cloud_row c;

		cloud_from_query(&q, &c);
		if (!state || c.state == state)
			answer = fn(arg, &c);
	}
	return answer ? answer : got;
}

int store_cloud_each_of_version(struct store *s, uint64_t version, store_cloud_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_CLOUD_ALL_OF_VERSION);
	query_int(&q, (int64_t)version);
	return each_object(&q, fn, arg);
}

int store_cold(struct store *s, int64_t before, store_cold_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	int got, answer = 0;

	store_query(s, &q, SQL_COLD);
	query_int(&q, before);
	while (!answer && (got = query_row(&q)) > 0) {
		struct cold_row c = {.node = (uint64_t)query_get(&q)};

		c.parent = (uint64_t)query_get(&q);
		c.version = (uint64_t)query_get(&q);
		c.size = (uint64_t)query_get(&q);
		c.opened = query_get(&q);
		c.cut = query_get(&q);
		c.volume = (int)query_get(&q);
		c.pin = query_get(&q);
		c.writing = query_get(&q);
		c.settled = query_get(&q);
		c.hashed = query_get(&q);
		c.uploaded = query_get(&q);
		if (c.parent)
			answer = fn(arg, &c);
	}
	return answer ? answer : got;
}
