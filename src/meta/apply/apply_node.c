#include "meta/apply/apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

int apply_node_brief(struct apply *a, uint64_t node, struct node_brief *out, bool *found)
{
	_cleanup_query_ struct query q = {};
	const void *handle;
	int rc;

	query_start(&q, a->conn, SQL_NODE_BRIEF);
	query_int(&q, (int64_t)node);
	rc = query_step(&q);
	*found = rc == SQLITE_ROW;
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	*out = (struct node_brief){.kind = (enum node_kind)query_get(&q)};
	out->size = (uint64_t)query_get(&q);
	out->asset = (uint64_t)query_get(&q);
	out->version = (uint64_t)query_get(&q);
	out->mode = query_get(&q);
	out->uid = query_get(&q);
	out->gid = query_get(&q);
	out->acl = query_get(&q);
	out->mtime = query_get(&q);
	out->volume = (int)query_get(&q);
	out->stub = query_get(&q);
	handle = query_get_blob(&q, &out->handle_len);
	if (handle && out->handle_len <= sizeof(out->handle))
		memcpy(out->handle, handle, out->handle_len);
	return SQLITE_OK;
}

int apply_node_named(struct apply *a, uint64_t node, bool *named)
{
	_cleanup_query_ struct query q = {};
	struct fresh_node *fresh = apply_fresh(a, node);
	int rc;

	*named = false;
	if (fresh && !fresh->named)
		return SQLITE_OK;
	query_start(&q, a->conn, SQL_NODE_NAMED);
	query_int(&q, (int64_t)node);
	rc = query_step(&q);
	*named = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

struct fresh_node *apply_fresh(struct apply *a, uint64_t node)
{
	for (size_t i = a->fresh_count; i > 0; i--) {
		if (a->fresh[i - 1].id == node)
			return &a->fresh[i - 1];
	}
	return NULL;
}

static int add_fresh(struct apply *a, uint64_t id, enum node_kind kind, uint64_t size, bool stub)
{
	if (a->fresh_count == a->fresh_room) {
		size_t room = a->fresh_room ? a->fresh_room * 2 : 8;
		struct fresh_node *more = reallocarray(a->fresh, room, sizeof(*more));

		if (!more)
			return SQLITE_NOMEM;
		a->fresh = more;
		a->fresh_room = room;
	}
	a->fresh[a->fresh_count++] = (struct fresh_node){.id = id, .kind = kind, .size = size, .stub = stub};
	return SQLITE_OK;
}

/* The same fields in the same order as record.c's node_row(). */
struct node_change {
	int64_t id, kind, volume;
	const void *handle;
	size_t handle_len;
	int64_t mode, uid, gid, size, mtime, ctime, acl, writing, stub, pin;
};

static struct node_change get_node(struct record_reader *in)
{
	struct node_change n;

	n.id = (int64_t)record_get(in);
	n.kind = (int64_t)record_get(in);
	n.volume = record_get_signed(in);
	n.handle = record_get_blob(in, &n.handle_len);
	n.mode = (int64_t)record_get(in);
	n.uid = (int64_t)record_get(in);
	n.gid = (int64_t)record_get(in);
	n.size = (int64_t)record_get(in);
	n.mtime = record_get_signed(in);
	n.ctime = record_get_signed(in);
	n.acl = (int64_t)record_get(in);
	n.writing = (int64_t)record_get(in);
	n.stub = (int64_t)record_get(in);
	n.pin = (int64_t)record_get(in);
	return n;
}

static int insert_node(struct apply *a, const struct node_change *n)
{
	_cleanup_query_ struct query q = {};

	query_start(&q, a->conn, SQL_NODE_ADD);
	query_int(&q, n->id);
	query_int(&q, n->kind);
	query_int(&q, n->volume);
	query_blob(&q, n->handle, n->handle_len);
	query_int(&q, n->mode);
	query_int(&q, n->uid);
	query_int(&q, n->gid);
	query_int(&q, n->size);
	query_int(&q, n->mtime);
	query_int(&q, n->ctime);
	query_int(&q, n->acl);
	query_int(&q, n->writing);
	query_int(&q, n->stub);
	query_int(&q, n->pin);
	query_int(&q, a->record->time);
	return query_step(&q);
}

static int update_handle(struct apply *a, const struct node_change *n)
{
	_cleanup_query_ struct query q = {};

	query_start(&q, a->conn, SQL_NODE_SET_HANDLE);
	query_int(&q, n->id);
	query_int(&q, n->volume);
	query_blob(&q, n->handle, n->handle_len);
	return query_step(&q);
}

/*
 * Writes a node's handle by WRITE. Another row may still have it: that file was removed behind tarn's back and its
 * inode is used again. Who has it now is right.
 */
static int with_handle(struct apply *a, const struct node_change *n,
		       int (*write)(struct apply *, const struct node_change *))
{
	int rc = write(a, n);

	if (rc == SQLITE_CONSTRAINT_UNIQUE) {
		_cleanup_query_ struct query q = {};

		query_start(&q, a->conn, SQL_HANDLE_TAKE_AWAY);
		query_int(&q, n->volume);
		query_blob(&q, n->handle, n->handle_len);
		rc = query_step(&q);
		if (rc == SQLITE_DONE)
			rc = write(a, n);
	}
	return rc;
}

int apply_node_add(struct apply *a, struct record_reader *in)
{
	struct node_change n = get_node(in);
	int rc = with_handle(a, &n, insert_node);

	if (rc != SQLITE_DONE)
		return apply_failed(a, rc, "node", (uint64_t)n.id);
	return add_fresh(a, (uint64_t)n.id, (enum node_kind)n.kind, (uint64_t)n.size, n.stub);
}

static int resize(struct apply *a, const struct node_change *n, uint64_t old, bool stub)
{
	struct fresh_node *fresh = apply_fresh(a, (uint64_t)n->id);
	bool named;
	int rc = apply_node_named(a, (uint64_t)n->id, &named);

	if (rc == SQLITE_OK && named) {
		a->tally->items[TALLY_BYTES] += n->size - (int64_t)old;
		a->tally->items[TALLY_STUB_BYTES] += stub ? n->size - (int64_t)old : 0;
	}
	if (fresh)
		fresh->size = (uint64_t)n->size;
	return rc;
}

/* What it was until now; a node that began in this very commit has no past yet. */
static int add_past(struct apply *a, uint64_t node)
{
	int rc;

	if (apply_fresh(a, node))
		return SQLITE_OK;
	rc = APPLY(a, SQL_NODE_PAST_ADD, NULL, (int64_t)node, (int64_t)a->record->commit);
	return rc == SQLITE_OK ? apply_day_of(a, node) : rc;
}

static int keep_past(struct apply *a, const struct node_change *n, const struct node_brief *was)
{
	/* Of a file its versions tell; a folder's time is moved by what is made in it, too (SQL_FOLDER_CHANGED_AT). */
	bool timed = was->kind == KIND_FOLDER && a->record->op == OP_ATTR && n->mtime != was->mtime;

	if (n->mode == was->mode && n->uid == was->uid && n->gid == was->gid && n->acl == was->acl && !timed)
		return SQLITE_OK;
	return add_past(a, (uint64_t)n->id);
}

int apply_node_set(struct apply *a, struct record_reader *in)
{
	struct node_change n = get_node(in);
	struct node_brief was;
	bool found;
	int rc = apply_node_brief(a, (uint64_t)n.id, &was, &found);

	if (rc != SQLITE_OK)
		return rc;
	if (!found)
		return apply_missing(a, "attributes of node", (uint64_t)n.id);
	rc = keep_past(a, &n, &was);
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_NODE_SET, NULL, n.id, n.mode, n.uid, n.gid, n.size, n.mtime, n.ctime, n.acl);
	if (rc == SQLITE_OK && was.kind == KIND_FILE && (uint64_t)n.size != was.size)
		rc = resize(a, &n, was.size, was.stub);
	/* An index is written even when its columns keep their values, and handles rarely change. */
	if (rc != SQLITE_OK || (n.volume == was.volume && n.handle_len == was.handle_len &&
				(!n.handle || memcmp(n.handle, was.handle, n.handle_len) == 0)))
		return rc;
	rc = with_handle(a, &n, update_handle);
	return rc == SQLITE_DONE ? SQLITE_OK : apply_failed(a, rc, "the handle of node", (uint64_t)n.id);
}

int apply_node_writing(struct apply *a, struct record_reader *in)
{
	int64_t node = (int64_t)record_get(in), writing = (int64_t)record_get(in);
	int found = 0, rc = APPLY(a, SQL_NODE_SET_WRITING, &found, node, writing);

	return rc == SQLITE_OK && !found ? apply_missing(a, "writing of node", (uint64_t)node) : rc;
}

int apply_node_end(struct apply *a, struct record_reader *in)
{
	uint64_t node = record_get(in);
	int rc = APPLY(a, SQL_NODE_DROP_HANDLE, NULL, (int64_t)node);

	return rc == SQLITE_OK ? apply_found_end(a, node) : rc;
}

static int set_stub(struct apply *a, const struct node_change *n)
{
	_cleanup_query_ struct query q = {};

	query_start(&q, a->conn, SQL_NODE_SET_STUB);
	query_int(&q, n->id);
	query_int(&q, n->stub);
	query_blob(&q, n->handle, n->handle_len);
	return query_step(&q);
}

int apply_node_stub(struct apply *a, struct record_reader *in)
{
	struct node_change n = {.id = (int64_t)record_get(in)};
	struct fresh_node *fresh = apply_fresh(a, (uint64_t)n.id);
	struct node_brief was;
	bool found, named = false;
	int rc = apply_node_brief(a, (uint64_t)n.id, &was, &found), sign;

	n.stub = (int64_t)record_get(in);
	sign = n.stub ? 1 : -1;
	if (rc != SQLITE_OK)
		return rc;
	if (!found || was.kind != KIND_FILE)
		return apply_missing(a, "where the bytes are of node", (uint64_t)n.id);
	n.volume = was.volume;
	n.handle = record_get_blob(in, &n.handle_len);
	rc = with_handle(a, &n, set_stub);
	if (rc != SQLITE_DONE)
		return apply_failed(a, rc, "the handle of node", (uint64_t)n.id);
	if (was.stub == (n.stub != 0))
		return SQLITE_OK;
	if (fresh)
		fresh->stub = n.stub;
	rc = apply_node_named(a, (uint64_t)n.id, &named);
	if (rc == SQLITE_OK && named) {
		a->tally->items[TALLY_STUBS] += sign;
		a->tally->items[TALLY_STUB_BYTES] += sign * (int64_t)was.size;
	}
	return rc;
}

int apply_node_pin(struct apply *a, struct record_reader *in)
{
	int64_t node = (int64_t)record_get(in), pin = (int64_t)record_get(in);

	return APPLY(a, SQL_NODE_SET_PIN, NULL, node, pin);
}

int apply_node_target(struct apply *a, struct record_reader *in)
{
	_cleanup_query_ struct query q = {};
	uint64_t node = record_get(in);
	size_t len;
	const char *target = record_get_string(in, &len);
	int rc;

	query_start(&q, a->conn, SQL_NODE_SET_TARGET);
	query_int(&q, (int64_t)node);
	query_blob(&q, target, len);
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int xattrs_differ(struct apply *a, uint64_t node, const void *blob, size_t len, bool *differ)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, SQL_NODE_XATTRS_DIFFER);
	query_int(&q, (int64_t)node);
	query_blob(&q, blob, len);
	rc = query_step(&q);
	*differ = rc == SQLITE_ROW && query_get(&q);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int apply_node_xattrs(struct apply *a, struct record_reader *in)
{
	_cleanup_query_ struct query q = {};
	uint64_t node = record_get(in);
	size_t len;
	const void *blob = record_get_blob(in, &len);
	bool differ;
	int rc = xattrs_differ(a, node, blob, len, &differ);

	if (rc != SQLITE_OK || !differ)
		return rc;
	rc = add_past(a, node);
	/* A value may be long, and leave pages that nobody would find again when it is purged. */
	if (rc == SQLITE_OK)
		rc = apply_overwrite(a, true);
	if (rc != SQLITE_OK)
		return rc;
	query_start(&q, a->conn, SQL_NODE_SET_XATTRS);
	query_int(&q, (int64_t)node);
	query_blob(&q, blob, len);
	rc = query_step(&q);
	query_end(&q);
	apply_overwrite(a, false);
	return rc == SQLITE_DONE ? apply_found_xattrs(a, node)
				 : apply_failed(a, rc, "extended attributes of node", node);
}

int apply_forget_handles(struct apply *a, struct record_reader *in)
{
	return APPLY(a, SQL_HANDLES_FORGET, NULL, record_get_signed(in));
}
