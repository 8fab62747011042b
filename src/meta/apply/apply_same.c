/*
 * The same content again is no new version. Two versions that follow one another in a series and have the same bytes
 * become one: the newer one takes the older one's place, with its number and time, and the older one leaves the series
 * (its asset becomes negative, its number its id). Of the same node it goes altogether: the newer one says since when
 * the node has had these bytes. Of another node it stays: it is what that node was, or what it is.
 */
#include "meta/apply/apply.h"

#include <string.h>

/* What tells whether two versions have the same bytes, and may be one. */
struct twin {
	uint64_t id, asset, number, node, size, commit;
	enum version_state state;
	bool settled, hashed;
	uint8_t sha256[SHA256_BYTES];
};

/* SQL: by id, or the neighbour of number NUMBER in series ASSET. */
static int find_twin(struct apply *a, enum sql sql, uint64_t asset_or_id, uint64_t number, struct twin *out,
		     bool *found)
{
	_cleanup_query_ struct query q = {};
	const void *hash;
	size_t len;
	int rc;

	query_start(&q, a->conn, sql);
	query_int(&q, (int64_t)asset_or_id);
	if (sql != SQL_VERSION_TWIN)
		query_int(&q, (int64_t)number);
	rc = query_step(&q);
	*found = rc == SQLITE_ROW;
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	out->id = (uint64_t)query_get(&q);
	out->asset = (uint64_t)query_get(&q);
	out->number = (uint64_t)query_get(&q);
	out->node = (uint64_t)query_get(&q);
	out->size = (uint64_t)query_get(&q);
	out->commit = (uint64_t)query_get(&q);
	out->state = (enum version_state)query_get(&q);
	out->settled = query_get(&q) == 1;
	hash = query_get_blob(&q, &len);
	out->hashed = hash && len == SHA256_BYTES;
	if (out->hashed)
		memcpy(out->sha256, hash, SHA256_BYTES);
	return SQLITE_OK;
}

/* OLDER leaves its series. Of the same node it is not needed: NEWER has been its content all the while. */
static int hide(struct apply *a, const struct twin *newer, const struct twin *older)
{
	_cleanup_query_ struct query q = {};
	struct version_brief was, now;
	bool found, goes = newer->node == older->node;
	int rc = apply_version_find(a, older->id, &was, &found);

	if (rc != SQLITE_OK)
		return rc;
	now = was;
	if (goes)
		now.state = VERSION_EXPIRED;
	if (goes && was.state == VERSION_NOT_KEPT)
		rc = apply_uncount_reason(a, older->id);
	if (rc != SQLITE_OK)
		return rc;
	query_start(&q, a->conn, SQL_VERSION_HIDE);
	query_int(&q, (int64_t)older->id);
	query_int(&q, now.state);
	query_text(&q, goes ? "same content as the next one" : NULL);
	rc = query_step(&q);
	if (rc != SQLITE_DONE)
		return rc;
	apply_version_count(a, &was, -1);
	apply_version_count(a, &now, 1);
	rc = apply_version_readable(&was) ? APPLY(a, SQL_ASSET_READABLE, NULL, (int64_t)was.asset, -1) : SQLITE_OK;
	return rc == SQLITE_OK && goes ? apply_job(a, JOB_EXPIRE, older->id) : rc;
}

/* What stays needs its objects, unless others of its content are as good. A live version needs its own. */
static bool needs_objects(const struct twin *newer, const struct twin *older)
{
	return newer->node != older->node && (older->state == VERSION_LIVE || !older->hashed);
}

static int take_place(struct apply *a, const struct twin *newer, const struct twin *older)
{
	int rc = needs_objects(newer, older) ? SQLITE_OK : apply_cloud_hand_over(a, older->id, newer->id);

	if (rc == SQLITE_OK)
		rc = hide(a, newer, older);
	if (rc == SQLITE_OK)
		rc = apply_edges_same(a, newer->id, older->id);
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_VERSION_TAKE_PLACE, NULL, (int64_t)newer->id, (int64_t)older->id,
			   (int64_t)older->number);
	/* a number that was given out in this very record was never seen */
	if (rc == SQLITE_OK && newer->commit == a->record->commit)
		rc = APPLY(a, SQL_ASSET_UNCOUNT, NULL, (int64_t)newer->asset, (int64_t)newer->number);
	return rc;
}

/* May NEWER stand for OLDER? It must be readable; OLDER may have lost its bytes. */
static bool can_replace(const struct twin *newer, const struct twin *older)
{
	return newer->asset == older->asset && newer->number > older->number && newer->size == older->size &&
	       newer->settled && older->settled && (newer->state == VERSION_LIVE || newer->state == VERSION_KEPT) &&
	       (older->state == VERSION_LIVE || older->state == VERSION_KEPT || older->state == VERSION_NOT_KEPT);
}

int apply_version_same(struct apply *a, struct record_reader *in)
{
	struct twin newer, older, before;
	uint64_t id = record_get(in);
	bool found, known, next = false;
	int rc = find_twin(a, SQL_VERSION_TWIN, id, 0, &newer, &found);

	if (rc == SQLITE_OK)
		rc = find_twin(a, SQL_VERSION_TWIN, record_get(in), 0, &older, &known);
	if (rc == SQLITE_OK && found && known)
		rc = find_twin(a, SQL_VERSION_TWIN_BEFORE, newer.asset, newer.number, &before, &next);
	/* Something else may have come between the comparison and this record. */
	if (rc != SQLITE_OK || !next || before.id != older.id || !can_replace(&newer, &older))
		return rc;
	rc = take_place(a, &newer, &older);
	return rc == SQLITE_OK ? rc : apply_failed(a, rc, "the place of version", older.id);
}

static bool same_hash(const struct twin *a, const struct twin *b)
{
	return a->hashed && b->hashed && !memcmp(a->sha256, b->sha256, SHA256_BYTES);
}

int apply_version_compare(struct apply *a, uint64_t id)
{
	struct twin v, before, after;
	bool found, earlier = false, later = false;
	int rc = find_twin(a, SQL_VERSION_TWIN, id, 0, &v, &found);

	found = found && (int64_t)v.asset > 0; /* one that has left its series has none */
	if (rc == SQLITE_OK && found)
		rc = find_twin(a, SQL_VERSION_TWIN_BEFORE, v.asset, v.number, &before, &earlier);
	if (rc == SQLITE_OK && found)
		rc = find_twin(a, SQL_VERSION_TWIN_AFTER, v.asset, v.number, &after, &later);
	if (rc == SQLITE_OK && earlier && same_hash(&v, &before) && can_replace(&v, &before))
		rc = take_place(a, &v, &before);
	if (rc == SQLITE_OK && later && same_hash(&v, &after) && can_replace(&after, &v)) {
		rc = find_twin(a, SQL_VERSION_TWIN, id, 0, &v, &found); /* with its new number */
		if (rc == SQLITE_OK)
			rc = take_place(a, &after, &v);
	}
	return rc;
}

int apply_version_move(struct apply *a, uint64_t version, uint64_t asset)
{
	_cleanup_query_ struct query q = {};
	struct version_brief v;
	uint64_t number;
	bool found;
	int rc = apply_version_find(a, version, &v, &found);

	if (rc != SQLITE_OK || !found || v.state != VERSION_LIVE || v.asset == asset)
		return rc;
	query_start(&q, a->conn, SQL_ASSET);
	query_int(&q, (int64_t)asset);
	rc = query_step(&q);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	number = (uint64_t)query_get(&q) + 1;
	rc = APPLY(a, SQL_VERSION_SET_SERIES, NULL, (int64_t)version, (int64_t)asset, (int64_t)number,
		   (int64_t)a->record->commit, a->record->time);
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_ASSET_COUNT, NULL, (int64_t)asset, (int64_t)number, apply_version_readable(&v));
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_ASSET_READABLE, NULL, (int64_t)v.asset, -apply_version_readable(&v));
	return rc == SQLITE_OK ? apply_version_compare(a, version) : rc;
}
