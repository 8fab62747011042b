/*
 * Names, and the series of versions that follow them.
 *
 * A series belongs to one node at a time (asset.node). It goes with the node when that is renamed; it stays with the
 * path
 *	- when the node is unlinked: the next file that is made under the name goes on with it, also in a folder that
 *	  was made anew in the place of a removed one (line.h), and when a folder or symlink had the name meanwhile;
 *	- when the node leaves it (series_leave: an editor moves the file to a backup name): it is then nobody's (0),
 *	  and waits at the path for the run that did so, for a minute for any other, and for that file to come back;
 *	- when another node is renamed over it (series_take): it then belongs to that one.
 */
#include "meta/apply/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "meta/line.h"

#define LEFT_NS (60 * NSEC_PER_SEC) /* so long a series that was left waits for any run */

/* The totals count nodes that have a name, however many. */
static void count_node(struct apply *a, enum node_kind kind, uint64_t size, bool stub, int sign)
{
	static const int item[] = {
		[KIND_FILE] = TALLY_FILES, [KIND_FOLDER] = TALLY_FOLDERS, [KIND_SYMLINK] = TALLY_SYMLINKS};

	if (kind >= KIND_FILE && kind <= KIND_SYMLINK)
		a->tally->items[item[kind]] += sign;
	if (kind == KIND_FILE)
		a->tally->items[TALLY_BYTES] += sign * (int64_t)size;
	if (kind == KIND_FILE && stub) {
		a->tally->items[TALLY_STUBS] += sign;
		a->tally->items[TALLY_STUB_BYTES] += sign * (int64_t)size;
	}
}

static int insert_entry(struct apply *a, uint64_t parent, const char *name, size_t len, uint64_t node,
			enum node_kind kind)
{
	_cleanup_query_ struct query q = {};

	query_start(&q, a->conn, SQL_ENTRY_ADD);
	query_int(&q, (int64_t)parent);
	query_blob(&q, name, len);
	query_int(&q, (int64_t)node);
	query_int(&q, kind);
	query_int(&q, (int64_t)a->record->commit);
	return query_step(&q);
}

struct live_entry {
	uint64_t node, from, size, asset, version;
	enum node_kind kind;
	bool stub;
};

static int live_entry(struct apply *a, uint64_t parent, const char *name, size_t len, struct live_entry *out,
		      bool *found)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, SQL_ENTRY_LIVE);
	query_int(&q, (int64_t)parent);
	query_blob(&q, name, len);
	rc = query_step(&q);
	*found = rc == SQLITE_ROW;
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	out->node = (uint64_t)query_get(&q);
	out->from = (uint64_t)query_get(&q);
	out->kind = (enum node_kind)query_get(&q);
	out->size = (uint64_t)query_get(&q);
	out->asset = (uint64_t)query_get(&q);
	out->version = (uint64_t)query_get(&q);
	out->stub = query_get(&q);
	return SQLITE_OK;
}

/* The series of a version; 0 when there is no such version. */
static int asset_of_version(struct apply *a, uint64_t version, uint64_t *asset)
{
	_cleanup_query_ struct query q = {};
	int rc;

	*asset = 0;
	if (!version)
		return SQLITE_OK;
	query_start(&q, a->conn, SQL_VERSION_BRIEF);
	query_int(&q, (int64_t)version);
	rc = query_step(&q);
	if (rc == SQLITE_ROW)
		*asset = (uint64_t)query_get(&q);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* One that began in this very commit was never seen by anybody. */
static int remove_entry(struct apply *a, uint64_t parent, const char *name, size_t len)
{
	_cleanup_query_ struct query q = {};

	query_start(&q, a->conn, SQL_ENTRY_UNDO);
	query_int(&q, (int64_t)parent);
	query_blob(&q, name, len);
	return query_step(&q);
}

static int update_entry(struct apply *a, uint64_t parent, const char *name, size_t len, enum entry_end how,
			uint64_t asset)
{
	_cleanup_query_ struct query q = {};

	query_start(&q, a->conn, SQL_ENTRY_END);
	query_int(&q, (int64_t)parent);
	query_blob(&q, name, len);
	query_int(&q, (int64_t)a->record->commit);
	query_int(&q, how);
	query_int(&q, (int64_t)asset);
	return query_step(&q);
}

static int end_entry(struct apply *a, uint64_t parent, const char *name, size_t len, const struct live_entry *e,
		     enum entry_end how)
{
	struct fresh_node *fresh = apply_fresh(a, e->node);
	uint64_t asset = e->asset;
	bool named;
	int rc = SQLITE_OK;

	/* A node that left its series in this record no longer says which that was; its live version does. */
	if (!asset && a->left == e->node)
		rc = asset_of_version(a, e->version, &asset);
	if (rc != SQLITE_OK)
		return rc;
	rc = e->from == a->record->commit ? remove_entry(a, parent, name, len)
					  : update_entry(a, parent, name, len, how, asset);
	if (rc != SQLITE_DONE)
		return rc;
	rc = apply_node_named(a, e->node, &named);
	if (rc != SQLITE_OK || named)
		return rc;
	count_node(a, e->kind, e->size, e->stub, -1);
	if (fresh)
		fresh->named = false;
	return e->kind == KIND_FILE ? apply_cloud_follow(a, e->node, e->kind) : SQLITE_OK;
}

int apply_entry_end(struct apply *a, struct record_reader *in)
{
	size_t len;
	uint64_t parent = record_get(in);
	const char *name = record_get_string(in, &len);
	enum entry_end how = (enum entry_end)record_get(in);
	struct live_entry e;
	bool found;
	int rc = live_entry(a, parent, name, len, &e, &found);

	if (rc != SQLITE_OK || !found)
		return rc;
	rc = end_entry(a, parent, name, len, &e, how);
	return rc == SQLITE_OK ? apply_day(a, parent) : rc;
}

/* The name is taken: what it leads to ends first, unless that is the SAME node. */
static int replace_entry(struct apply *a, uint64_t parent, const char *name, size_t len, uint64_t node,
			 enum node_kind kind, bool *same)
{
	struct live_entry e;
	bool found;
	int rc = live_entry(a, parent, name, len, &e, &found);

	*same = rc == SQLITE_OK && found && e.node == node;
	if (rc != SQLITE_OK || *same)
		return rc;
	/* A row that is not found has no node any more: no history is lost with it. */
	if (found)
		rc = end_entry(a, parent, name, len, &e, ENDED_UNLINK);
	else
		rc = remove_entry(a, parent, name, len) == SQLITE_DONE ? SQLITE_OK : SQLITE_INTERNAL;
	return rc == SQLITE_OK ? insert_entry(a, parent, name, len, node, kind) : rc;
}

static int entry_node(struct apply *a, uint64_t node, struct fresh_node *out, bool *found)
{
	struct fresh_node *fresh = apply_fresh(a, node);
	struct node_brief brief;
	int rc;

	*found = fresh;
	if (fresh) {
		*out = *fresh;
		return SQLITE_OK;
	}
	rc = apply_node_brief(a, node, &brief, found);
	if (rc != SQLITE_OK || !*found)
		return rc;
	*out = (struct fresh_node){.id = node, .kind = brief.kind, .size = brief.size, .stub = brief.stub};
	return apply_node_named(a, node, &out->named);
}

/* Who has a series now: the node, or 0. */
static int holder_of(struct apply *a, uint64_t asset, uint64_t *node, bool *found)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, SQL_ASSET);
	query_int(&q, (int64_t)asset);
	rc = query_step(&q);
	*found = rc == SQLITE_ROW;
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	query_get(&q); /* last_number */
	*node = (uint64_t)query_get(&q);
	return SQLITE_OK;
}

static int hand_over(struct apply *a, uint64_t asset, uint64_t node)
{
	int rc = APPLY(a, SQL_NODE_SET_ASSET, NULL, (int64_t)node, (int64_t)asset);

	return rc == SQLITE_OK ? APPLY(a, SQL_ASSET_HOLD, NULL, (int64_t)asset, (int64_t)node) : rc;
}

/*
 * A file that had a temporary name so far has no series of its own. It takes the one that it left along, if that still
 * waits, else it goes on with that of its new name.
 */
static int inherit_if_none(struct apply *a, uint64_t node, uint64_t parent, const char *name, size_t len)
{
	struct node_brief brief;
	uint64_t asset = 0, holder = 0;
	bool found, known = false;
	int rc = apply_node_brief(a, node, &brief, &found);

	if (rc != SQLITE_OK || !found || brief.asset || a->left == node)
		return rc;
	rc = asset_of_version(a, brief.version, &asset);
	if (rc == SQLITE_OK && asset)
		rc = holder_of(a, asset, &holder, &known);
	if (rc != SQLITE_OK)
		return rc;
	return known && !holder ? hand_over(a, asset, node) : apply_series_inherit(a, node, parent, name, len);
}

int apply_entry_add(struct apply *a, struct record_reader *in)
{
	size_t len;
	uint64_t parent = record_get(in);
	const char *name = record_get_string(in, &len);
	uint64_t node = record_get(in);
	struct fresh_node *fresh = apply_fresh(a, node), n;
	bool found, same = false;
	int rc = entry_node(a, node, &n, &found);

	if (rc != SQLITE_OK)
		return rc;
	if (!found)
		return apply_missing(a, "a name for node", node);
	rc = insert_entry(a, parent, name, len, node, n.kind);
	if (rc == SQLITE_CONSTRAINT_PRIMARYKEY)
		rc = replace_entry(a, parent, name, len, node, n.kind, &same);
	if (rc != SQLITE_DONE)
		return same ? SQLITE_OK : apply_failed(a, rc, "a name for node", node);
	if (!n.named)
		count_node(a, n.kind, n.size, n.stub, 1);
	if (n.kind == KIND_FOLDER && !fresh)
		memset(a->alone, 0, sizeof(a->alone));
	rc = apply_day(a, parent);
	if (rc == SQLITE_OK && !fresh)
		rc = apply_cloud_follow(a, node, n.kind);
	if (rc == SQLITE_OK && !fresh && n.kind == KIND_FILE)
		rc = apply_found_name(a, node, name);
	if (rc != SQLITE_OK)
		return rc;
	if (n.kind != KIND_FILE || (fresh && fresh->named))
		return SQLITE_OK;
	if (!fresh)
		return inherit_if_none(a, node, parent, name, len);
	fresh->named = true;
	return apply_series_inherit(a, node, parent, name, len);
}

/* ---- whose series ---- */

/* The last file that ended at a path. */
struct ended {
	uint64_t node, asset;
	enum entry_end how;
	bool left; /* the node, its series */
	uint64_t run;
	int64_t time;
};

/* The row of that, in PARENT or in a folder whose place it took. Most folders took nobody's. */
static int find_ended(struct apply *a, uint64_t parent, const char *name, size_t len, struct query *q)
{
	uint64_t *noted = &a->alone[parent % ALONE_CACHED];
	bool alone;
	int got;

	if (*noted == parent) {
		query_start(q, a->conn, SQL_SERIES_ENDED);
		query_int(q, (int64_t)parent);
		query_blob(q, name, len);
		return query_step(q);
	}
	got = line_find(a->conn, SQL_SERIES_ENDED, parent, name, len, q, &alone);
	if (alone)
		*noted = parent;
	return got > 0 ? SQLITE_ROW : !got ? SQLITE_DONE : got == -ENOMEM ? SQLITE_NOMEM : SQLITE_IOERR;
}

static int last_ended(struct apply *a, uint64_t parent, const char *name, size_t len, struct ended *out)
{
	_cleanup_query_ struct query q = {};
	uint64_t asset_then, asset_now;
	int rc = find_ended(a, parent, name, len, &q);

	*out = (struct ended){0};
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	out->node = (uint64_t)query_get(&q);
	out->how = (enum entry_end)query_get(&q);
	asset_then = (uint64_t)query_get(&q);
	asset_now = (uint64_t)query_get(&q);
	out->run = (uint64_t)query_get(&q);
	out->time = query_get(&q);
	out->left = asset_then && !asset_now;
	/* A file that was unlinked before its first version was cut got its series only then. */
	out->asset = asset_then ? asset_then : asset_now;
	return SQLITE_OK;
}

/* Does a series that is nobody's wait for NODE? */
static bool waits_for(const struct apply *a, const struct ended *last, uint64_t node)
{
	if (!last->left || last->node == node)
		return true;
	return last->how == ENDED_RENAME && (last->run == a->record->run || a->record->time - last->time <= LEFT_NS);
}

int apply_series_inherit(struct apply *a, uint64_t node, uint64_t parent, const char *name, size_t len)
{
	struct ended last;
	uint64_t holder = 0;
	bool known, named = false;
	int rc = last_ended(a, parent, name, len, &last);

	if (rc != SQLITE_OK || !last.asset)
		return rc;
	rc = holder_of(a, last.asset, &holder, &known);
	if (rc != SQLITE_OK || !known)
		return rc;
	if (holder == 0 && !waits_for(a, &last, node))
		return SQLITE_OK;
	if (holder != 0) {
		/* It is still that node's: renamed away it took the series along; a hard link may live elsewhere. */
		if (last.how != ENDED_UNLINK || holder != last.node)
			return SQLITE_OK;
		rc = apply_node_named(a, last.node, &named);
		if (rc != SQLITE_OK || named)
			return rc;
	}
	return hand_over(a, last.asset, node);
}

static int add_take(struct apply *a, uint64_t node, uint64_t over)
{
	struct node_brief brief;
	bool found;
	int rc = apply_node_brief(a, over, &brief, &found);

	if (rc != SQLITE_OK)
		return rc;
	if (a->take_count == a->take_room) {
		size_t room = a->take_room ? a->take_room * 2 : 4;
		struct series_take *more = reallocarray(a->takes, room, sizeof(*more));

		if (!more)
			return SQLITE_NOMEM;
		a->takes = more;
		a->take_room = room;
	}
	a->takes[a->take_count++] = (struct series_take){node, over, found ? brief.asset : 0};
	return SQLITE_OK;
}

/* All takes of a record happen at once, so that an exchange can be said as two: looks all of them up. */
static int find_takes(struct apply *a)
{
	const struct record *r = a->record;
	struct record_reader in = {r->bytes, r->bytes + r->len}, body;
	enum row row;
	size_t len;
	int rc = SQLITE_OK;

	if (r->named)
		record_get_string(&in, &len);
	while (rc == SQLITE_OK && record_next(&in, &row, &body)) {
		if (row == ROW_SERIES_TAKE) {
			uint64_t node = record_get(&body);

			rc = add_take(a, node, record_get(&body));
		}
	}
	return rc;
}

/* The series that NODE had stays where it was, for whoever comes there next. */
static int let_go(struct apply *a, uint64_t node, uint64_t asset)
{
	uint64_t holder = 0;
	bool known;
	int rc = asset ? holder_of(a, asset, &holder, &known) : SQLITE_OK;

	if (rc != SQLITE_OK || !asset || !known || holder != node)
		return rc;
	return APPLY(a, SQL_ASSET_HOLD, NULL, (int64_t)asset, 0);
}

int apply_series_take(struct apply *a, struct record_reader *in)
{
	struct series_take *take;
	struct node_brief brief;
	bool found;
	int rc = SQLITE_OK;

	(void)in; /* looked at by find_takes() */
	if (a->take_next == 0)
		rc = find_takes(a);
	if (rc != SQLITE_OK)
		return rc;
	take = &a->takes[a->take_next++];
	rc = apply_node_brief(a, take->node, &brief, &found);
	if (rc != SQLITE_OK)
		return rc;
	if (!found)
		return apply_missing(a, "a series for node", take->node);
	if (!take->asset)
		return SQLITE_OK;
	rc = take->asset == brief.asset ? SQLITE_OK : let_go(a, take->node, brief.asset);
	if (rc == SQLITE_OK)
		rc = hand_over(a, take->asset, take->node);
	return rc == SQLITE_OK ? apply_version_move(a, brief.version, take->asset) : rc;
}

int apply_series_leave(struct apply *a, struct record_reader *in)
{
	uint64_t node = record_get(in);
	struct node_brief brief;
	bool found;
	int rc = apply_node_brief(a, node, &brief, &found);

	if (rc != SQLITE_OK)
		return rc;
	if (!found)
		return apply_missing(a, "the series of node", node);
	a->left = node;
	rc = let_go(a, node, brief.asset);
	return rc == SQLITE_OK ? APPLY(a, SQL_NODE_SET_ASSET, NULL, (int64_t)node, 0) : rc;
}
