/*
 * What files are, and what they are found by.
 *
 * A row of found_in is what several tables say (schema.c). Before any of that changes the row is taken out of the
 * index, and put in again after: both do nothing for a node that has no document. What is put in waits for the end of
 * the group, and all of it goes in by one statement, in the order of the nodes. For FTS5 gathers what it is given, and
 * writes that out when a number comes that is not higher, and whenever SQLite begins a statement that it may have to
 * take back (fts5SavepointMethod()), whatever table that is about; each time it goes through a table that is as large
 * as its largest gathering was.
 */
#include "meta/apply/apply.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/fnv.h"
#include "base/log.h"
#include "meta/schema.h"

#define UNINDEXED_MOST 1000

/*
 * The index and what it is of do not agree. It must not stop the writer for ever: searches may miss something until the
 * next start makes the index anew.
 */
static int index_damaged(struct apply *a)
{
	_cleanup_query_ struct query q = {};

	log_error("metadata store: the index of what files are is damaged; it is made anew at the next start");
	query_start(&q, a->conn, SQL_LAKE_SET);
	query_text(&q, STORE_REINDEX);
	query_int(&q, 1);
	return query_step(&q) == SQLITE_DONE ? SQLITE_OK : SQLITE_INTERNAL;
}

static int will_change_index(struct apply *a)
{
	if (a->found)
		return SQLITE_OK;
	a->found = true;
	return apply_overwrite(a, true);
}

/* Of NODE; *VERSION is 0 when it has none. */
static int find_document(struct apply *a, uint64_t node, uint64_t *version)
{
	_cleanup_query_ struct query q = {};
	int rc;

	*version = 0;
	query_start(&q, a->conn, SQL_DOCUMENT_VERSION);
	query_int(&q, (int64_t)node);
	rc = query_step(&q);
	if (rc == SQLITE_ROW)
		*version = (uint64_t)query_get(&q);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Is NODE to be put in later? Then it is not there now, and from now on it is not to be. */
static bool forget_unindexed(struct apply *a, uint64_t node)
{
	for (size_t i = a->unindexed_count; i-- > 0;)
		if (a->unindexed[i] == node) {
			a->unindexed[i] = a->unindexed[--a->unindexed_count];
			return true;
		}
	return false;
}

static int take_out(struct apply *a, uint64_t node)
{
	uint64_t version;
	int rc;

	if (forget_unindexed(a, node))
		return SQLITE_OK;
	rc = find_document(a, node, &version);
	if (rc != SQLITE_OK || !version)
		return rc;
	rc = will_change_index(a);
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_FOUND_REMOVE, NULL, (int64_t)node);
	return rc == SQLITE_CORRUPT_VTAB ? index_damaged(a) : rc;
}

static int compare_nodes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int put_in_all(struct apply *a)
{
	_cleanup_buf_ struct buf list = BUF_INIT;
	_cleanup_query_ struct query q = {};
	int rc = a->unindexed_count ? will_change_index(a) : SQLITE_OK;

	if (rc != SQLITE_OK || !a->unindexed_count)
		return rc;
	qsort(a->unindexed, a->unindexed_count, sizeof(*a->unindexed), compare_nodes);
	for (size_t i = 0; i < a->unindexed_count; i++)
		buf_addf(&list, "%c%" PRIu64, i ? ',' : '[', a->unindexed[i]);
	buf_addc(&list, ']');
	a->unindexed_count = 0;
	if (buf_error(&list))
		return SQLITE_NOMEM;
	query_start(&q, a->conn, SQL_FOUND_ADD);
	query_text(&q, buf_str(&list));
	rc = query_step(&q);
	if (rc == SQLITE_CORRUPT_VTAB || (rc & 0xff) == SQLITE_CONSTRAINT)
		return index_damaged(a);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int put_in(struct apply *a, uint64_t node)
{
	int rc = a->unindexed_count == UNINDEXED_MOST ? put_in_all(a) : SQLITE_OK;

	if (rc != SQLITE_OK)
		return rc;
	if (array_grow(&a->unindexed, a->unindexed_count, &a->unindexed_room, sizeof(*a->unindexed)))
		return SQLITE_NOMEM;
	a->unindexed[a->unindexed_count++] = node;
	return SQLITE_OK;
}

/* ---- names, ends, tags ---- */

static int set_name(struct apply *a, uint64_t node, const char *name)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, SQL_DOCUMENT_SET_NAME);
	query_int(&q, (int64_t)node);
	query_text(&q, name);
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int apply_found_name(struct apply *a, uint64_t node, const char *name)
{
	uint64_t version;
	int rc = find_document(a, node, &version);

	if (rc != SQLITE_OK || !version)
		return rc;
	rc = take_out(a, node);
	if (rc == SQLITE_OK)
		rc = set_name(a, node, name);
	return rc == SQLITE_OK ? put_in(a, node) : rc;
}

static int drop_document(struct apply *a, uint64_t node)
{
	int rc = take_out(a, node);

	return rc == SQLITE_OK ? APPLY(a, SQL_DOCUMENT_REMOVE, NULL, (int64_t)node) : rc;
}

int apply_found_end(struct apply *a, uint64_t node)
{
	uint64_t version;
	int rc = find_document(a, node, &version);

	if (rc == SQLITE_OK && version)
		rc = drop_document(a, node);
	return rc == SQLITE_OK ? APPLY(a, SQL_TAGS_REMOVE_ALL, NULL, (int64_t)node) : rc;
}

/* In place of those that NODE has of ORIGIN; by ID, whose first parameter is the node, the second the list. */
static int set_tags(struct apply *a, uint64_t node, enum tag_origin origin, enum sql id, const char *list)
{
	_cleanup_query_ struct query q = {};
	int rc = take_out(a, node);

	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_TAGS_REMOVE, NULL, (int64_t)node, origin);
	if (rc != SQLITE_OK)
		return rc;
	query_start(&q, a->conn, id);
	query_int(&q, (int64_t)node);
	if (id == SQL_TAGS_ADD) {
		query_text(&q, list);
		query_int(&q, origin);
	}
	rc = query_step(&q);
	if (rc != SQLITE_DONE && (rc & 0xff) == SQLITE_ERROR) /* no list */
		return apply_refused(a, "tags of node", node, "they are no list");
	return rc == SQLITE_DONE ? put_in(a, node) : rc;
}

int apply_found_xattrs(struct apply *a, uint64_t node)
{
	bool named = true;
	int rc = apply_fresh(a, node) ? SQLITE_OK : apply_node_named(a, node, &named);

	return rc == SQLITE_OK && named ? set_tags(a, node, TAG_ATTRIBUTE, SQL_TAGS_ADD_XATTRS, NULL) : rc;
}

/* *SAME: these are those that NODE has of ORIGIN. What is no list is not the same. */
static int same_tags(struct apply *a, uint64_t node, enum tag_origin origin, const char *list, bool *same)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, SQL_TAGS_SAME);
	query_int(&q, (int64_t)node);
	query_text(&q, list);
	query_int(&q, origin);
	rc = query_step(&q);
	*same = rc == SQLITE_ROW && query_get(&q);
	return rc == SQLITE_ROW || (rc & 0xff) == SQLITE_ERROR ? SQLITE_OK : rc;
}

int apply_tags(struct apply *a, struct record_reader *in)
{
	uint64_t node = record_get(in);
	enum tag_origin origin = (enum tag_origin)record_get(in);
	size_t len;
	const char *list = record_get_string(in, &len);
	bool named, same;
	int rc = apply_node_named(a, node, &named);

	if (rc != SQLITE_OK || !named)
		return rc;
	list = list ? list : "[]";
	rc = same_tags(a, node, origin, list, &same);
	if (rc != SQLITE_OK || same)
		return rc;
	if (origin != TAG_DECLARED && origin != TAG_SUGGESTED)
		return apply_refused(a, "tags of node", node, "they are of no origin to be recorded");
	return set_tags(a, node, origin, SQL_TAGS_ADD, list);
}

/* ---- descriptions ---- */

int apply_described_text(struct apply *a, struct record_reader *in)
{
	a->described.text = record_get_blob(in, &a->described.text_len);
	a->described.sample = record_get_blob(in, &a->described.sample_len);
	return SQLITE_OK;
}

/* Only to find equal lists. */
static int64_t hash_of(const char *text)
{
	return (int64_t)fnv1a(FNV1A_START, text, strlen(text));
}

/* The list of columns, and what is searched of it, as one string to be known again by. */
static int find_schema(struct apply *a, const char *columns, int64_t hash, uint64_t *schema)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, SQL_SCHEMA_FIND);
	query_int(&q, hash);
	query_text(&q, columns);
	rc = query_step(&q);
	*schema = rc == SQLITE_ROW ? (uint64_t)query_get(&q) : 0;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int schema_of(struct apply *a, const char *columns, const char *names, uint64_t *schema)
{
	_cleanup_query_ struct query q = {};
	int64_t hash;
	int rc;

	*schema = 0;
	if (!columns)
		return SQLITE_OK;
	hash = hash_of(columns);
	rc = find_schema(a, columns, hash, schema);
	if (rc != SQLITE_OK || *schema)
		return rc;
	query_start(&q, a->conn, SQL_SCHEMA_ADD);
	query_int(&q, hash);
	query_text(&q, columns);
	query_text(&q, names ? names : "");
	rc = query_step(&q);
	*schema = (uint64_t)sqlite3_last_insert_rowid(a->conn->db);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* In the order of record_description(). */
struct described_version {
	uint64_t version;
	int64_t kind, rows;
	const char *format, *columns, *names, *unreadable;
	const void *facts;
	size_t facts_len;
};

static struct described_version get_description(struct record_reader *in)
{
	struct described_version d;
	size_t len;

	d.version = record_get(in);
	d.kind = (int64_t)record_get(in);
	d.format = record_get_string(in, &len);
	d.rows = record_get_signed(in);
	d.columns = record_get_string(in, &len);
	d.names = record_get_string(in, &len);
	d.unreadable = record_get_string(in, &len);
	d.facts = record_get_blob(in, &d.facts_len);
	return d;
}

static int add_description(struct apply *a, const struct described_version *d, uint64_t schema)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, SQL_DESCRIPTION_SET);
	query_int(&q, (int64_t)d->version);
	query_int(&q, d->kind);
	query_text(&q, d->format ? d->format : "");
	query_int(&q, (int64_t)schema);
	if (d->rows < 0)
		query_blob(&q, NULL, 0);
	else
		query_int(&q, d->rows);
	query_text(&q, d->unreadable);
	query_blob(&q, d->facts, d->facts_len);
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Nothing is added for a node that has no name, or another content by now. */
static int add_document(struct apply *a, const struct described_version *d, uint64_t schema)
{
	const struct described_text *t = &a->described;
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, SQL_DOCUMENT_SET);
	query_int(&q, (int64_t)d->version);
	query_int(&q, d->kind);
	query_int(&q, (int64_t)schema);
	query_blob(&q, t->text, t->text_len);
	query_blob(&q, t->sample, t->sample_len);
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int describe(struct apply *a, const struct described_version *d, const struct version_brief *v)
{
	uint64_t schema;
	int rc = schema_of(a, d->columns, d->names, &schema);

	if (rc == SQLITE_OK)
		rc = take_out(a, v->node);
	if (rc == SQLITE_OK)
		rc = add_description(a, d, schema);
	if (rc == SQLITE_OK && v->state == VERSION_LIVE)
		rc = add_document(a, d, schema);
	return rc == SQLITE_OK ? put_in(a, v->node) : rc;
}

int apply_description(struct apply *a, struct record_reader *in)
{
	struct described_version d = get_description(in);
	struct version_brief v;
	bool found;
	int rc = apply_version_find(a, d.version, &v, &found);

	if (rc == SQLITE_OK && found)
		rc = describe(a, &d, &v);
	a->described = (struct described_text){0};
	return rc == SQLITE_OK ? rc : apply_failed(a, rc, "the description of version", d.version);
}

/* Of a version that is gone by now there is nothing to be said. */
int apply_quality(struct apply *a, struct record_reader *in)
{
	_cleanup_query_ struct query q = {};
	uint64_t version = record_get(in);
	struct version_brief v;
	size_t len;
	bool found;
	int rc = apply_version_find(a, version, &v, &found);

	if (rc != SQLITE_OK || !found)
		return rc;
	query_start(&q, a->conn, SQL_QUALITY_SET);
	query_int(&q, (int64_t)version);
	query_int(&q, record_get_signed(in));
	query_int(&q, record_get_signed(in));
	query_int(&q, record_get_signed(in));
	query_text(&q, record_get_string(in, &len));
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : apply_failed(a, rc, "the quality of version", version);
}

int apply_description_expire(struct apply *a, uint64_t version)
{
	int rc = APPLY(a, SQL_DESCRIPTION_EXPIRE, NULL, (int64_t)version);

	return rc == SQLITE_OK ? APPLY(a, SQL_QUALITY_REMOVE, NULL, (int64_t)version) : rc;
}

static int schema_and_document_of(struct apply *a, uint64_t version, uint64_t *schema, uint64_t *node, bool *found)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, SQL_DESCRIPTION_PLACE);
	query_int(&q, (int64_t)version);
	rc = query_step(&q);
	*found = rc == SQLITE_ROW;
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	*schema = (uint64_t)query_get(&q);
	*node = (uint64_t)query_get(&q);
	return SQLITE_OK;
}

int apply_description_drop(struct apply *a, uint64_t version, bool forget)
{
	uint64_t schema, node;
	bool found;
	int rc = schema_and_document_of(a, version, &schema, &node, &found);

	if (rc != SQLITE_OK || !found)
		return rc;
	rc = node ? drop_document(a, node) : SQLITE_OK;
	if (rc == SQLITE_OK && forget) {
		a->found = a->forgotten = true;
		rc = apply_overwrite(a, true);
	}
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_DESCRIPTION_REMOVE, NULL, (int64_t)version);
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_QUALITY_REMOVE, NULL, (int64_t)version);
	return rc == SQLITE_OK && schema ? APPLY(a, SQL_SCHEMA_REMOVE_UNUSED, NULL, (int64_t)schema) : rc;
}

/* What was taken out of the index is still in its older segments, until they are merged. */
int apply_found_finish(struct apply *a)
{
	int rc = put_in_all(a);

	if (rc != SQLITE_OK || !a->forgotten)
		return rc;
	rc = apply_numbers(a, SQL_FOUND_MERGE_ALL, NULL, NULL, 0);
	return rc == SQLITE_CORRUPT_VTAB ? index_damaged(a) : rc;
}

void apply_found_done(struct apply *a)
{
	bool changed = a->found;

	a->found = a->forgotten = false;
	a->unindexed_count = 0;
	if (changed)
		apply_overwrite(a, false);
}
