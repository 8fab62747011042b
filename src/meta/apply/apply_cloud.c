/*
 * What lies at the remotes. An object is identified by its key: who is about to overwrite it says so first, with an
 * intent, and what the key had before is forgotten. What an earlier upload has to say about it then comes too late.
 *
 * The last object that something can be read from is never given up: neither to an intent nor to what removes objects.
 * Those look before they ask, but several of them may look at once, each relying on the object of the other; and a file
 * whose bytes were here may leave meanwhile. Here is one after the other.
 */
#include "meta/apply/apply.h"

#include <string.h>

/* The same fields in the same order as record.c's cloud_row(). */
struct cloud_change {
	const char *remote, *key, *etag, *class;
	size_t remote_len, key_len;
	uint64_t version, pack;
	const void *sha256;
	size_t sha256_len;
	int64_t size, stored, compress;
	enum cloud_state state;
};

static struct cloud_change get_cloud(struct record_reader *in)
{
	struct cloud_change c;
	size_t len;

	c.remote = record_get_string(in, &c.remote_len);
	c.key = record_get_string(in, &c.key_len);
	c.version = record_get(in);
	c.pack = record_get(in);
	c.sha256 = record_get_blob(in, &c.sha256_len);
	c.size = (int64_t)record_get(in);
	c.stored = (int64_t)record_get(in);
	c.compress = (int64_t)record_get(in);
	c.etag = record_get_string(in, &len);
	c.class = record_get_string(in, &len);
	c.state = (enum cloud_state)record_get(in);
	return c;
}

/* What is there now under its key. */
struct cloud_brief {
	uint64_t version, pack;
	int64_t size, stored;
	enum cloud_state state;
};

static int find(struct apply *a, const struct cloud_change *c, struct cloud_brief *out, bool *found)
{
	_cleanup_query_ struct query q = {};
	int rc;

	*out = (struct cloud_brief){0};
	query_start(&q, a->conn, SQL_CLOUD_BRIEF);
	query_text(&q, c->remote);
	query_blob(&q, c->key, c->key_len);
	rc = query_step(&q);
	*found = rc == SQLITE_ROW;
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	out->version = (uint64_t)query_get(&q);
	out->pack = (uint64_t)query_get(&q);
	out->size = query_get(&q);
	out->stored = query_get(&q);
	out->state = (enum cloud_state)query_get(&q);
	return SQLITE_OK;
}

/* In the totals of objects, SIGN times. */
static void count(struct apply *a, enum cloud_state state, int64_t size, int64_t stored, int sign)
{
	int64_t *items = a->tally->items;

	switch (state) {
	case CLOUD_INTENT:
		items[TALLY_CLOUD_INTENTS] += sign;
		items[TALLY_CLOUD_INTENT_BYTES] += sign * size;
		break;
	case CLOUD_VERIFIED:
	case CLOUD_FOREIGN:
		items[TALLY_CLOUD] += sign;
		items[TALLY_CLOUD_BYTES] += sign * stored;
		break;
	case CLOUD_GOING:
		items[TALLY_CLOUD_GOING] += sign;
	}
}

int apply_uploaded(struct apply *a, uint64_t version, int sign)
{
	_cleanup_query_ struct query q = {};
	struct version_brief v;
	bool found;
	int rc;

	if (!version || !a->tally->items[TALLY_CLOUD])
		return SQLITE_OK;
	query_start(&q, a->conn, SQL_CLOUD_UPLOADED);
	query_int(&q, (int64_t)version);
	rc = query_step(&q);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	rc = apply_version_find(a, version, &v, &found);
	if (rc == SQLITE_OK && found && v.state == VERSION_LIVE) {
		a->tally->items[TALLY_UPLOADED] += sign;
		a->tally->items[TALLY_UPLOADED_BYTES] += sign * (int64_t)v.size;
	}
	return rc;
}

static int write_row(struct apply *a, const struct cloud_change *c, enum cloud_state state)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, SQL_CLOUD_SET);
	query_text(&q, c->remote);
	query_blob(&q, c->key, c->key_len);
	query_int(&q, (int64_t)c->version);
	query_int(&q, (int64_t)c->pack);
	query_blob(&q, c->sha256, c->sha256_len);
	query_int(&q, c->size);
	query_int(&q, c->stored);
	query_int(&q, c->compress);
	query_text(&q, c->etag);
	query_text(&q, c->class);
	query_int(&q, state);
	query_int(&q, a->record->time);
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* C is what its key has from now on, instead of WAS, if that is there. */
static int replace(struct apply *a, const struct cloud_change *c, const struct cloud_brief *was, bool there)
{
	int rc = there ? apply_uploaded(a, was->version, -1) : SQLITE_OK;

	if (rc == SQLITE_OK && c->version != was->version)
		rc = apply_uploaded(a, c->version, -1);
	if (rc == SQLITE_OK)
		rc = write_row(a, c, c->state);
	if (rc != SQLITE_OK)
		return rc;
	if (there)
		count(a, was->state, was->size, was->stored, -1);
	count(a, c->state, c->size, c->stored, 1);
	rc = there ? apply_uploaded(a, was->version, 1) : SQLITE_OK;
	if (rc == SQLITE_OK && c->version != was->version)
		rc = apply_uploaded(a, c->version, 1);
	return rc;
}

/* Is what lies under C's key the last object of something that may have to be read from it? */
static int is_last(struct apply *a, const struct cloud_change *c, bool *last)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, SQL_CLOUD_LAST);
	query_text(&q, c->remote);
	query_blob(&q, c->key, c->key_len);
	rc = query_step(&q);
	*last = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int apply_cloud_set(struct apply *a, struct record_reader *in)
{
	struct cloud_change c = get_cloud(in);
	struct cloud_brief was;
	bool there, last = false;
	int rc;

	if (c.state < CLOUD_INTENT || c.state > CLOUD_GOING || !c.key_len)
		return apply_refused(a, "an object of version", c.version, "it has no known state, or no key");
	rc = find(a, &c, &was, &there);
	if (rc == SQLITE_OK && there && c.state == CLOUD_INTENT && c.version != was.version)
		rc = is_last(a, &c, &last);
	if (rc == SQLITE_OK && last)
		return SQLITE_OK;
	if (rc == SQLITE_OK)
		rc = replace(a, &c, &was, there);
	return rc == SQLITE_OK ? rc : apply_failed(a, rc, "an object of version", c.version);
}

int apply_cloud_verified(struct apply *a, struct record_reader *in)
{
	struct cloud_change c = get_cloud(in);
	struct cloud_brief was;
	bool there;
	int rc = find(a, &c, &was, &there);

	if (rc != SQLITE_OK || !there || was.state != CLOUD_INTENT || was.version != c.version || was.pack != c.pack)
		return rc;
	rc = replace(a, &c, &was, true);
	return rc == SQLITE_OK ? rc : apply_failed(a, rc, "an object of version", c.version);
}

/* WAS gets STATE, or goes when that is 0. */
static int change(struct apply *a, const struct cloud_change *c, const struct cloud_brief *was, enum cloud_state state)
{
	_cleanup_query_ struct query q = {};
	int rc = apply_uploaded(a, was->version, -1);

	if (rc != SQLITE_OK)
		return rc;
	query_start(&q, a->conn, state ? SQL_CLOUD_SET_STATE : SQL_CLOUD_REMOVE);
	query_text(&q, c->remote);
	query_blob(&q, c->key, c->key_len);
	if (state) {
		query_int(&q, state);
		query_int(&q, a->record->time);
	}
	rc = query_step(&q);
	if (rc != SQLITE_DONE)
		return rc;
	count(a, was->state, was->size, was->stored, -1);
	if (state)
		count(a, state, was->size, was->stored, 1);
	return apply_uploaded(a, was->version, 1);
}

int apply_cloud_state(struct apply *a, struct record_reader *in)
{
	struct cloud_change c = get_cloud(in);
	struct cloud_brief was;
	bool there, last = false;
	int rc = find(a, &c, &was, &there);

	if (rc != SQLITE_OK || !there || was.version != c.version || was.pack != c.pack)
		return rc;
	if (c.state < CLOUD_INTENT || c.state > CLOUD_GOING)
		return apply_refused(a, "an object of version", c.version, "it has no known state");
	if (c.state == CLOUD_GOING)
		rc = is_last(a, &c, &last);
	return rc != SQLITE_OK || last ? rc : change(a, &c, &was, c.state);
}

int apply_cloud_remove(struct apply *a, struct record_reader *in)
{
	struct cloud_change c = get_cloud(in);
	struct cloud_brief was;
	bool there;
	int rc = find(a, &c, &was, &there);

	if (rc != SQLITE_OK || !there || was.version != c.version || was.pack != c.pack)
		return rc;
	return change(a, &c, &was, 0);
}

/* Is there any object at all, in whatever state? Most lakes have none, and their versions change often. */
static bool has_objects(const struct apply *a)
{
	const int64_t *items = a->tally->items;

	return items[TALLY_CLOUD] || items[TALLY_CLOUD_INTENTS] || items[TALLY_CLOUD_GOING];
}

/* Nothing needs the objects of VERSION for its sake. */
static int leave(struct apply *a, uint64_t version)
{
	_cleanup_query_ struct query q = {};
	int rc = apply_uploaded(a, version, -1);

	if (rc != SQLITE_OK)
		return rc;
	query_start(&q, a->conn, SQL_CLOUD_ALL_OF_VERSION);
	query_int(&q, (int64_t)version);
	while ((rc = query_step(&q)) == SQLITE_ROW) {
		int64_t size, stored;

		q.column = 6; /* size, stored, compress, etag, class, state */
		size = query_get(&q);
		stored = query_get(&q);
		q.column = 11;
		count(a, (enum cloud_state)query_get(&q), size, stored, -1);
		count(a, CLOUD_GOING, size, stored, 1);
	}
	query_end(&q);
	return rc == SQLITE_DONE ? APPLY(a, SQL_CLOUD_LEAVE, NULL, (int64_t)version, a->record->time) : rc;
}

int apply_cloud_pack_over(struct apply *a, uint64_t pack)
{
	_cleanup_query_ struct query q = {};
	int rc;

	if (!has_objects(a))
		return SQLITE_OK;
	query_start(&q, a->conn, SQL_CLOUD_PACK);
	query_int(&q, (int64_t)pack);
	while ((rc = query_step(&q)) == SQLITE_ROW) {
		int64_t size = query_get(&q), stored = query_get(&q);

		count(a, (enum cloud_state)query_get(&q), size, stored, -1);
		count(a, CLOUD_GOING, size, stored, 1);
	}
	query_end(&q);
	return rc == SQLITE_DONE ? APPLY(a, SQL_CLOUD_PACK_OVER, NULL, (int64_t)pack, a->record->time) : rc;
}

int apply_cloud_follow(struct apply *a, uint64_t node, enum node_kind kind)
{
	_cleanup_query_ struct query q = {};
	int rc = SQLITE_ROW;

	if (!has_objects(a) || (kind != KIND_FILE && kind != KIND_FOLDER))
		return SQLITE_OK;
	if (kind == KIND_FILE) {
		query_start(&q, a->conn, SQL_CLOUD_OF_NODE);
		query_int(&q, (int64_t)node);
		rc = query_step(&q);
		query_end(&q);
	}
	return rc == SQLITE_ROW ? apply_job(a, JOB_MOVE_KEY, node) : rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int apply_cloud_over(struct apply *a, uint64_t version)
{
	_cleanup_query_ struct query q = {};
	uint64_t heir = 0;
	int rc;

	if (!has_objects(a))
		return SQLITE_OK;
	query_start(&q, a->conn, SQL_CLOUD_HEIR);
	query_int(&q, (int64_t)version);
	rc = query_step(&q);
	if (rc == SQLITE_ROW)
		heir = (uint64_t)query_get(&q);
	else if (rc != SQLITE_DONE)
		return rc;
	query_end(&q);
	return heir ? apply_cloud_hand_over(a, version, heir) : leave(a, version);
}

int apply_cloud_hand_over(struct apply *a, uint64_t older, uint64_t newer)
{
	int rc;

	if (!has_objects(a))
		return SQLITE_OK;
	rc = apply_uploaded(a, older, -1);
	if (rc == SQLITE_OK)
		rc = apply_uploaded(a, newer, -1);
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_CLOUD_HAND_OVER, NULL, (int64_t)older, (int64_t)newer);
	return rc == SQLITE_OK ? apply_uploaded(a, newer, 1) : rc;
}

int apply_cloud_handed(struct apply *a, struct record_reader *in)
{
	uint64_t older = record_get(in), newer = record_get(in);
	int rc = apply_cloud_hand_over(a, older, newer);

	return rc == SQLITE_OK ? rc : apply_failed(a, rc, "the objects of version", older);
}
