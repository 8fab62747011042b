#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "meta/store_int.h"

static const char *const change_names[] = {
	[OP_CREATE] = "create",	    [OP_MKDIR] = "mkdir",   [OP_MKNOD] = "mknod", [OP_SYMLINK] = "symlink",
	[OP_LINK] = "link",	    [OP_UNLINK] = "unlink", [OP_RMDIR] = "rmdir", [OP_RENAME] = "rename",
	[OP_EXCHANGE] = "exchange", [OP_ATTR] = "attr",	    [OP_XATTR] = "xattr", [OP_TRUNCATE] = "truncate",
	[OP_OPEN] = "open",	    [OP_WRITE] = "write",   [OP_READ] = "read",	  [OP_OUTSIDE] = "outside",
	[OP_SYSTEM] = "system",	    [OP_LABEL] = "label",
};
static const char *const state_names[] = {
	[VERSION_LIVE] = "live",	   [VERSION_KEPT] = "kept",	    [VERSION_PARTIAL] = "partial",
	[VERSION_TRANSIENT] = "transient", [VERSION_NOT_KEPT] = "not-kept", [VERSION_EXPIRED] = "expired",
	[VERSION_PURGED] = "purged",
};
static const char *const how_names[] = {
	[HOW_NONE] = "none",	   [HOW_ASIDE] = "aside",   [HOW_PREFIX] = "prefix", [HOW_UNDO] = "undo",
	[HOW_REFLINK] = "reflink", [HOW_PACKED] = "packed", [HOW_COPY] = "copy",     [HOW_CLOUD] = "cloud",
};

static const char *name_of(const char *const *names, size_t count, unsigned value)
{
	return value < count && names[value] ? names[value] : "unknown";
}
#define NAME_OF(names, value) name_of(names, sizeof(names) / sizeof((names)[0]), (unsigned)(value))

const char *change_op_name(enum change_op op)
{
	return NAME_OF(change_names, op);
}

const char *version_state_name(enum version_state s)
{
	return NAME_OF(state_names, s);
}

const char *version_how_name(enum version_how h)
{
	return NAME_OF(how_names, h);
}

static void set_settled(struct query *q, struct version_row *v)
{
	int64_t settled = query_get(q);

	v->settled = settled;
	v->not_alone = settled == SETTLED_NOT_ALONE;
}

void version_brief_from_query(struct query *q, struct version_row *out)
{
	*out = (struct version_row){.id = (uint64_t)query_get(q)};
	out->node = (uint64_t)query_get(q);
	out->number = (uint64_t)query_get(q);
	out->state = (enum version_state)query_get(q);
	out->how = (enum version_how)query_get(q);
	set_settled(q, out);
}

void version_from_query(struct query *q, struct version_row *out)
{
	const void *hash;
	size_t len;

	*out = (struct version_row){.id = (uint64_t)query_get(q)};
	out->asset = (uint64_t)query_get(q);
	out->number = (uint64_t)query_get(q);
	out->node = (uint64_t)query_get(q);
	out->commit = (uint64_t)query_get(q);
	out->time = query_get(q);
	out->size = (uint64_t)query_get(q);
	out->mtime = query_get(q);
	out->mode = (mode_t)query_get(q);
	out->uid = (uid_t)query_get(q);
	out->gid = (gid_t)query_get(q);
	hash = query_get_blob(q, &len);
	out->hashed = hash && len == SHA256_BYTES;
	if (out->hashed)
		memcpy(out->sha256, hash, SHA256_BYTES);
	out->state = (enum version_state)query_get(q);
	out->how = (enum version_how)query_get(q);
	set_settled(q, out);
	out->run = (uint64_t)query_get(q);
	out->run_uid = (uid_t)query_get(q);
	out->volume = (int)query_get(q);
	query_get_text(q, out->mime, sizeof(out->mime));
	query_get_text(q, out->reason, sizeof(out->reason));
	out->cut_commit = (uint64_t)query_get(q);
	out->end_commit = (uint64_t)query_get(q);
	out->end_time = query_get(q);
	out->stored = (uint64_t)query_get(q);
}

static int one_version(struct query *q, struct version_row *out)
{
	int got = query_row(q);

	if (got <= 0)
		return got ? got : -ENOENT;
	version_from_query(q, out);
	return 0;
}

static int each_version(struct query *q, store_version_fn fn, void *arg)
{
	int got, answer = 0;

	while (!answer && (got = query_row(q)) > 0) {
		struct version_row v;

		version_from_query(q, &v);
		answer = fn(arg, &v);
	}
	return answer ? answer : got;
}

int store_version(struct store *s, uint64_t id, struct version_row *out)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_VERSION);
	query_int(&q, (int64_t)id);
	return one_version(&q, out);
}

int store_version_by_number(struct store *s, uint64_t asset, uint64_t number, struct version_row *out)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_VERSION_NUMBER);
	query_int(&q, (int64_t)asset);
	query_int(&q, number > INT64_MAX ? INT64_MAX : (int64_t)number);
	return one_version(&q, out);
}

int store_version_before(struct store *s, uint64_t asset, uint64_t below, struct version_row *out)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_VERSION_BEFORE);
	query_int(&q, (int64_t)asset);
	query_int(&q, below && below <= INT64_MAX ? (int64_t)below : INT64_MAX);
	return one_version(&q, out);
}

int store_version_at(struct store *s, uint64_t asset, int64_t time, struct version_row *out)
{
	_cleanup_query_ struct query q = {};
	uint64_t number;
	int got = store_search_time(s, SQL_VERSION_STEP, asset, time, &number);

	if (got <= 0)
		return got ? got : -ENOENT;
	store_query(s, &q, SQL_VERSION_LISTED);
	query_int(&q, (int64_t)asset);
	query_int(&q, (int64_t)number);
	return one_version(&q, out);
}

int store_version_of_node_at(struct store *s, uint64_t node, uint64_t commit, struct version_row *out)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_VERSION_OF_NODE);
	query_int(&q, (int64_t)node);
	query_int(&q, (int64_t)commit);
	return one_version(&q, out);
}

int store_versions_of_node(struct store *s, uint64_t node, uint64_t from, store_version_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_VERSIONS_OF_NODE);
	query_int(&q, (int64_t)node);
	query_int(&q, (int64_t)from);
	return each_version(&q, fn, arg);
}

int store_versions_of_node_back(struct store *s, uint64_t node, uint64_t before, store_version_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_VERSIONS_OF_NODE_BACK);
	query_int(&q, (int64_t)node);
	query_int(&q, before ? (int64_t)before : INT64_MAX);
	return each_version(&q, fn, arg);
}

int store_versions_saved(struct store *s, uint64_t node, uint64_t from, store_version_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_VERSIONS_SAVED);
	query_int(&q, (int64_t)node);
	query_int(&q, (int64_t)from);
	return each_version(&q, fn, arg);
}

int store_version_last_aside(struct store *s, uint64_t node, uint64_t but, uint64_t *version)
{
	_cleanup_query_ struct query q = {};
	int got;

	store_query(s, &q, SQL_VERSION_LAST_ASIDE);
	query_int(&q, (int64_t)node);
	query_int(&q, (int64_t)but);
	got = query_row(&q);
	if (got > 0)
		*version = (uint64_t)query_get(&q);
	return got < 0 ? got : got ? 0 : -ENOENT;
}

int store_versions(struct store *s, uint64_t asset, store_version_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_VERSIONS);
	query_int(&q, (int64_t)asset);
	return each_version(&q, fn, arg);
}

int store_versions_brief(struct store *s, uint64_t asset, store_version_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	int got, answer = 0;

	store_query(s, &q, SQL_VERSIONS_BRIEF);
	query_int(&q, (int64_t)asset);
	while (!answer && (got = query_row(&q)) > 0) {
		struct version_row v;

		version_brief_from_query(&q, &v);
		answer = fn(arg, &v);
	}
	return answer ? answer : got;
}

int store_oldest_kept(struct store *s, int limit, store_version_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_VERSIONS_KEPT);
	query_int(&q, limit);
	return each_version(&q, fn, arg);
}

int store_versions_by_hash(struct store *s, const uint8_t *sha256, store_version_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_VERSIONS_BY_HASH);
	query_blob(&q, sha256, SHA256_BYTES);
	return each_version(&q, fn, arg);
}

int store_versions_hashed(struct store *s, uint64_t after, int limit, store_version_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_VERSIONS_HASHED);
	query_int(&q, (int64_t)after);
	query_int(&q, limit);
	return each_version(&q, fn, arg);
}

int store_kept_after(struct store *s, uint64_t commit, uint64_t version, int limit, store_version_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_VERSIONS_KEPT_AFTER);
	query_int(&q, (int64_t)commit);
	query_int(&q, (int64_t)version);
	query_int(&q, limit);
	return each_version(&q, fn, arg);
}

int store_versions_packed(struct store *s, const uint8_t *sha256, store_version_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_VERSIONS_PACKED);
	query_blob(&q, sha256, SHA256_BYTES);
	return each_version(&q, fn, arg);
}

int store_not_durable(struct store *s, store_version_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_VERSIONS_NOT_DURABLE);
	return each_version(&q, fn, arg);
}

int store_is_synced(struct store *s, uint64_t node, uint64_t size, int64_t mtime)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_SYNCED);
	query_int(&q, (int64_t)node);
	query_int(&q, (int64_t)size);
	query_int(&q, mtime);
	return query_row(&q);
}
