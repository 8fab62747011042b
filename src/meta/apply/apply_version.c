#include "meta/apply/apply.h"

#include <string.h>

#include "base/log.h"

/* What keeping a version in a file of its own takes, as long as nobody has said it better. */
static uint64_t stored_by(enum version_how how, uint64_t size)
{
	return how == HOW_ASIDE || how == HOW_COPY || how == HOW_REFLINK ? size : 0;
}

bool apply_version_readable(const struct version_brief *v)
{
	return v->settled && (v->state == VERSION_LIVE || v->state == VERSION_KEPT);
}

void apply_version_count(struct apply *a, const struct version_brief *v, int sign)
{
	int64_t *items = a->tally->items;

	items[TALLY_STORED] += sign * (int64_t)v->stored;
	if (v->state == VERSION_NOT_KEPT)
		items[TALLY_NOT_KEPT] += sign;
	if (v->state != VERSION_KEPT)
		return;
	items[TALLY_KEPT] += sign;
	items[TALLY_KEPT_BYTES] += sign * (int64_t)v->size;
	items[TALLY_HOW + v->how] += sign;
}

int apply_version_find(struct apply *a, uint64_t id, struct version_brief *out, bool *found)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, SQL_VERSION_BRIEF);
	query_int(&q, (int64_t)id);
	rc = query_step(&q);
	*found = rc == SQLITE_ROW;
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	out->asset = (uint64_t)query_get(&q);
	out->node = (uint64_t)query_get(&q);
	out->size = (uint64_t)query_get(&q);
	out->state = (enum version_state)query_get(&q);
	out->how = (enum version_how)query_get(&q);
	out->settled = query_get(&q) == 1;
	out->stored = (uint64_t)query_get(&q);
	return SQLITE_OK;
}

/* One more or less that is not kept for this REASON. */
static int count_reason(struct apply *a, const char *reason, int sign)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, SQL_NOT_KEPT_COUNT);
	query_text(&q, reason ? reason : "");
	query_int(&q, sign);
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* For the reason that the row of version ID has now, one less. */
int apply_uncount_reason(struct apply *a, uint64_t id)
{
	_cleanup_query_ struct query q = {};
	char reason[128];
	int rc;

	query_start(&q, a->conn, SQL_VERSION_REASON);
	query_int(&q, (int64_t)id);
	rc = query_step(&q);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	query_get_text(&q, reason, sizeof(reason));
	return count_reason(a, reason, -1);
}

/* From WAS to NOW: the totals, and the series' count of what can be read. */
static int recount(struct apply *a, const struct version_brief *was, const struct version_brief *now)
{
	int change = apply_version_readable(now) - apply_version_readable(was);

	apply_version_count(a, was, -1);
	apply_version_count(a, now, 1);
	return change ? APPLY(a, SQL_ASSET_READABLE, NULL, (int64_t)was->asset, change) : SQLITE_OK;
}

static int set_state(struct apply *a, uint64_t id, const struct version_brief *was, enum version_state state,
		     enum version_how how, const char *reason)
{
	_cleanup_query_ struct query q = {};
	struct version_brief now = *was;
	int rc = was->state == VERSION_NOT_KEPT ? apply_uncount_reason(a, id) : SQLITE_OK;

	if (rc == SQLITE_OK && was->state == VERSION_LIVE)
		rc = apply_uploaded(a, id, -1);
	if (rc == SQLITE_OK && state == VERSION_NOT_KEPT)
		rc = count_reason(a, reason, 1);
	if (rc != SQLITE_OK)
		return rc;
	now.state = state;
	now.how = how;
	if (how == HOW_NONE)
		now.stored = 0;
	else if (!now.stored)
		now.stored = stored_by(how, now.size);
	query_start(&q, a->conn, SQL_VERSION_SET_STATE);
	query_int(&q, (int64_t)id);
	query_int(&q, state);
	query_int(&q, how);
	query_text(&q, reason);
	query_int(&q, (int64_t)now.stored);
	rc = query_step(&q);
	if (rc == SQLITE_DONE && was->state == VERSION_LIVE)
		rc = APPLY(a, SQL_VERSION_END, NULL, (int64_t)id, (int64_t)a->record->commit, a->record->time);
	else if (rc == SQLITE_DONE)
		rc = SQLITE_OK;
	if (rc == SQLITE_OK && (state == VERSION_NOT_KEPT || state == VERSION_EXPIRED || state == VERSION_PURGED))
		rc = apply_cloud_over(a, id);
	if (rc == SQLITE_OK && (state == VERSION_NOT_KEPT || state == VERSION_EXPIRED))
		rc = apply_description_expire(a, id);
	return rc == SQLITE_OK ? recount(a, was, &now) : rc;
}

/* ---- cutting ---- */

/* The series that the next version of a node goes to, and its number there. */
struct place {
	uint64_t asset, number;
	bool made; /* the series starts with this version */
};

static int find_place(struct apply *a, uint64_t node, uint64_t asset, struct place *out)
{
	_cleanup_query_ struct query q = {};
	uint64_t holder = 0;
	bool other = false;
	int rc = SQLITE_OK;

	*out = (struct place){(uint64_t)a->tally->items[TALLY_NEXT_ASSET], 1, true};
	if (!asset)
		return SQLITE_OK;
	query_start(&q, a->conn, SQL_ASSET);
	query_int(&q, (int64_t)asset);
	rc = query_step(&q);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	*out = (struct place){asset, (uint64_t)query_get(&q) + 1, false};
	holder = (uint64_t)query_get(&q);
	/* Another file goes on with it: what still has a name starts anew, what has none ends here. */
	if (holder != node)
		rc = apply_node_named(a, node, &other);
	else
		rc = SQLITE_OK;
	if (rc == SQLITE_OK && other)
		*out = (struct place){(uint64_t)a->tally->items[TALLY_NEXT_ASSET], 1, true};
	return rc;
}

/* The fields are put in by record_version_add(), in this order. */
struct cut {
	uint64_t id, node;
	int64_t size, mtime, mode, uid, gid, state, how, settled, run, run_uid, volume, stored;
	const char *reason;
};

static struct cut get_cut(struct record_reader *in)
{
	struct cut v;
	size_t len;

	v.id = record_get(in);
	v.node = record_get(in);
	v.size = (int64_t)record_get(in);
	v.mtime = record_get_signed(in);
	v.mode = (int64_t)record_get(in);
	v.uid = (int64_t)record_get(in);
	v.gid = (int64_t)record_get(in);
	v.state = (int64_t)record_get(in);
	v.how = (int64_t)record_get(in);
	v.settled = (int64_t)record_get(in);
	v.run = (int64_t)record_get(in);
	v.run_uid = (int64_t)record_get(in);
	v.volume = record_get_signed(in);
	v.stored = (int64_t)record_get(in);
	v.reason = record_get_string(in, &len);
	if (!v.stored)
		v.stored = (int64_t)stored_by((enum version_how)v.how, (uint64_t)v.size);
	return v;
}

static int insert_version(struct apply *a, const struct cut *v, const struct place *p)
{
	_cleanup_query_ struct query q = {};
	int64_t commit = (int64_t)a->record->commit, time = a->record->time;
	bool live = v->state == VERSION_LIVE;
	const int64_t columns[] = {
		(int64_t)v->id,
		(int64_t)p->asset,
		(int64_t)p->number,
		(int64_t)v->node,
		commit,
		time,
		v->size,
		v->mtime,
		v->mode,
		v->uid,
		v->gid,
		v->state,
		v->how,
		v->settled,
		v->run,
		v->run_uid,
		v->volume,
		v->stored,
		live ? (int64_t)COMMIT_LIVE : commit,
		live ? 0 : time,
	};
	int rc;

	query_start(&q, a->conn, SQL_VERSION_ADD);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		query_int(&q, columns[i]);
	query_text(&q, v->reason);
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int count_in_series(struct apply *a, uint64_t node, const struct place *p, int readable)
{
	if (!p->made)
		return APPLY(a, SQL_ASSET_COUNT, NULL, (int64_t)p->asset, (int64_t)p->number, readable);
	a->tally->items[TALLY_NEXT_ASSET]++;
	return APPLY(a, SQL_ASSET_ADD, NULL, (int64_t)p->asset, 1, readable, (int64_t)node);
}

/* A node has one live version. One that nobody ended has lost its bytes to the new one. */
static int end_former(struct apply *a, uint64_t former)
{
	struct version_brief v;
	bool found;
	int rc;

	if (!former)
		return SQLITE_OK;
	rc = apply_version_find(a, former, &v, &found);
	if (rc != SQLITE_OK || !found || v.state != VERSION_LIVE)
		return rc;
	return set_state(a, former, &v, VERSION_NOT_KEPT, HOW_NONE, "superseded");
}

int apply_version_add(struct apply *a, struct record_reader *in)
{
	struct cut v = get_cut(in);
	struct version_brief counted = {
		.node = v.node, .size = (uint64_t)v.size, .stored = (uint64_t)v.stored, .settled = v.settled == 1};
	struct node_brief node;
	struct place place;
	bool found;
	int rc = apply_node_brief(a, v.node, &node, &found);

	if (rc != SQLITE_OK)
		return rc;
	if (!found)
		return apply_missing(a, "version", v.id);
	if (v.how > HOW_CLOUD)
		return apply_refused(a, "version", v.id, "it is kept in no known way");
	rc = find_place(a, v.node, node.asset, &place);
	if (rc == SQLITE_OK)
		rc = insert_version(a, &v, &place);
	if (rc != SQLITE_OK)
		return apply_failed(a, rc, "version", v.id);
	counted.state = (enum version_state)v.state;
	counted.how = (enum version_how)v.how;
	apply_version_count(a, &counted, 1);
	rc = count_in_series(a, v.node, &place, apply_version_readable(&counted));
	if (rc == SQLITE_OK && v.state == VERSION_NOT_KEPT)
		rc = count_reason(a, v.reason, 1);
	if (rc == SQLITE_OK)
		rc = apply_day_of(a, v.node);
	if (rc == SQLITE_OK && v.state == VERSION_LIVE)
		rc = end_former(a, node.version);
	if (rc != SQLITE_OK)
		return rc;
	if (v.state == VERSION_LIVE)
		return APPLY(a, SQL_NODE_SET_VERSION, NULL, (int64_t)v.node, (int64_t)place.asset, (int64_t)v.id,
			     a->record->time);
	return place.made ? APPLY(a, SQL_NODE_SET_ASSET, NULL, (int64_t)v.node, (int64_t)place.asset) : SQLITE_OK;
}

/* ---- later ---- */

/* The version that a row is about. That WHAT about it is left out is logged when there is none. */
static int find_known(struct apply *a, const char *what, uint64_t id, struct version_brief *out, bool *found)
{
	int rc = apply_version_find(a, id, out, found);

	return rc == SQLITE_OK && !*found ? apply_missing(a, what, id) : rc;
}

int apply_version_state(struct apply *a, struct record_reader *in)
{
	uint64_t id = record_get(in);
	enum version_state state = (enum version_state)record_get(in);
	enum version_how how = (enum version_how)record_get(in);
	size_t len;
	const char *reason = record_get_string(in, &len);
	struct version_brief was;
	bool found;
	int rc = find_known(a, "the state of version", id, &was, &found);

	if (rc != SQLITE_OK || !found)
		return rc;
	if (state == VERSION_PARTIAL && was.state != VERSION_PARTIAL) /* it has expired meanwhile */
		return SQLITE_OK;
	/* What is brought back is a new version. */
	if (state == VERSION_LIVE || how > HOW_CLOUD)
		return apply_refused(a, "the state of version", id,
				     "a version can only end, kept in a known way or not");
	rc = set_state(a, id, &was, state, how, reason);
	if (rc == SQLITE_OK && was.state == VERSION_LIVE)
		rc = APPLY(a, SQL_NODE_DROP_VERSION, NULL, (int64_t)was.node, (int64_t)id);
	return rc;
}

static int set_how(struct apply *a, uint64_t id, const struct version_brief *was, enum version_how how, uint64_t stored)
{
	struct version_brief now = *was;
	int rc = APPLY(a, SQL_VERSION_SET_HOW, NULL, (int64_t)id, how, (int64_t)stored);

	now.how = how;
	now.stored = stored;
	return rc == SQLITE_OK ? recount(a, was, &now) : rc;
}

int apply_version_how(struct apply *a, struct record_reader *in)
{
	uint64_t id = record_get(in);
	enum version_how how = (enum version_how)record_get(in);
	uint64_t stored = record_get(in), size = record_get(in);
	struct version_brief was;
	bool found;
	int rc = find_known(a, "how version", id, &was, &found);

	if (rc != SQLITE_OK || !found)
		return rc;
	if (how > HOW_CLOUD || (how && (was.state == VERSION_NOT_KEPT || was.state == VERSION_PURGED)))
		return apply_refused(a, "how version", id, "it is kept in no known way, or not at all");
	return size == ANY_SIZE || size == was.size ? set_how(a, id, &was, how, stored) : SQLITE_OK;
}

/* Something was made from it: it is told of, though its bytes are not kept. */
static int keep_for_lineage(struct apply *a, uint64_t id, const struct version_brief *was)
{
	int rc = SQLITE_OK;

	if (was->state != VERSION_TRANSIENT)
		rc = set_state(a, id, was, VERSION_TRANSIENT, HOW_NONE, NULL);
	if (rc == SQLITE_OK)
		rc = apply_cloud_over(a, id);
	return rc == SQLITE_OK ? APPLY(a, SQL_NODE_DROP_VERSION, NULL, (int64_t)was->node, (int64_t)id) : rc;
}

int apply_version_drop(struct apply *a, struct record_reader *in)
{
	uint64_t id = record_get(in);
	struct version_brief was, none = {0};
	int alone = 0, rc;
	bool found, needed;

	rc = apply_version_find(a, id, &was, &found);
	if (rc != SQLITE_OK || !found)
		return rc;
	rc = apply_edges_lead_from(a, id, &needed);
	if (rc == SQLITE_OK && needed)
		return keep_for_lineage(a, id, &was);
	if (rc == SQLITE_OK)
		rc = apply_edges_drop(a, id);
	if (rc == SQLITE_OK && was.state == VERSION_NOT_KEPT)
		rc = apply_uncount_reason(a, id);
	if (rc == SQLITE_OK)
		rc = recount(a, &was, &none);
	if (rc == SQLITE_OK)
		rc = apply_cloud_over(a, id);
	if (rc == SQLITE_OK)
		rc = apply_description_drop(a, id, false);
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_VERSION_DROP, NULL, (int64_t)id);
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_NODE_DROP_VERSION, NULL, (int64_t)was.node, (int64_t)id);
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_ASSET_DROP, &alone, (int64_t)was.asset);
	if (rc == SQLITE_OK && alone)
		rc = APPLY(a, SQL_NODE_SET_ASSET, NULL, (int64_t)was.node, 0);
	return rc;
}

int apply_version_grow(struct apply *a, struct record_reader *in)
{
	uint64_t id = record_get(in);
	int64_t size = (int64_t)record_get(in), mtime = record_get_signed(in);
	struct version_brief v;
	bool found;
	int rc = find_known(a, "the growth of version", id, &v, &found);

	if (rc != SQLITE_OK || !found)
		return rc;
	if (v.state != VERSION_LIVE)
		return apply_missing(a, "the growth of version", id);
	rc = apply_cloud_over(a, id);
	if (rc != SQLITE_OK)
		return rc;
	if (v.how == HOW_PACKED) { /* what is packed is not all of it any more */
		rc = set_how(a, id, &v, HOW_NONE, 0);
		if (rc != SQLITE_OK)
			return rc;
	}
	return APPLY(a, SQL_VERSION_GROW, NULL, (int64_t)id, size, mtime, (int64_t)a->record->commit, a->record->time);
}

int apply_version_settled(struct apply *a, struct record_reader *in)
{
	uint64_t id = record_get(in);
	int64_t size = (int64_t)record_get(in), mtime = record_get_signed(in);
	struct version_brief was, now;
	bool found;
	int rc = find_known(a, "the settling of version", id, &was, &found);

	if (rc != SQLITE_OK || !found)
		return rc;
	now = was;
	now.settled = true;
	now.size = (uint64_t)size;
	/* What was said by its size then follows it. */
	if (was.stored == stored_by(was.how, was.size))
		now.stored = stored_by(was.how, now.size);
	rc = apply_uploaded(a, id, -1);
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_VERSION_SET_SETTLED, NULL, (int64_t)id, size, mtime, (int64_t)now.stored);
	if (rc == SQLITE_OK)
		rc = apply_uploaded(a, id, 1);
	return rc == SQLITE_OK ? recount(a, &was, &now) : rc;
}

int apply_version_facts(struct apply *a, struct record_reader *in)
{
	_cleanup_query_ struct query q = {};
	uint64_t id = record_get(in), size = record_get(in);
	size_t len;
	const void *sha256 = record_get_blob(in, &len);
	const char *mime;
	size_t mime_len;
	int rc;

	mime = record_get_string(in, &mime_len);
	query_start(&q, a->conn, SQL_VERSION_SET_FACTS);
	query_int(&q, (int64_t)id);
	query_blob(&q, sha256, len);
	query_text(&q, mime);
	if (size == ANY_SIZE)
		query_blob(&q, NULL, 0);
	else
		query_int(&q, (int64_t)size);
	rc = query_step(&q);
	if (rc == SQLITE_DONE && !sqlite3_changes(a->conn->db))
		return size == ANY_SIZE ? apply_missing(a, "facts about version", id) : SQLITE_OK;
	if (rc != SQLITE_DONE)
		return apply_failed(a, rc, "facts about version", id);
	rc = sha256 ? apply_edges_hashed(a, id) : SQLITE_OK;
	if (rc == SQLITE_OK && sha256)
		rc = apply_version_compare(a, id);
	return rc == SQLITE_OK ? rc : apply_failed(a, rc, "the neighbours of version", id);
}
