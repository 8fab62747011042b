/* Reading what files are: descriptions and tags. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "meta/store_int.h"

/* A column of text, valid until the next step; NULL for SQL's NULL. */
static const char *text_column(struct query *q)
{
	return (const char *)sqlite3_column_text(q->st, q->column++);
}

int store_description(struct store *s, uint64_t version, store_description_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	struct description_row d = {.version = version};
	int got;

	store_query(s, &q, SQL_DESCRIPTION);
	query_int(&q, (int64_t)version);
	got = query_row(&q);
	if (got <= 0)
		return got ? got : -ENOENT;
	d.kind = (int)query_get(&q);
	d.format = text_column(&q);
	d.rows = query_get(&q);
	d.columns = text_column(&q);
	d.names = text_column(&q);
	d.unreadable = text_column(&q);
	d.facts = text_column(&q);
	d.sample = text_column(&q);
	d.schema = (uint64_t)query_get(&q);
	return fn(arg, &d);
}

int store_quality(struct store *s, uint64_t version, store_quality_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	struct quality_row row = {.version = version};
	int got;

	store_query(s, &q, SQL_QUALITY);
	query_int(&q, (int64_t)version);
	got = query_row(&q);
	if (got <= 0)
		return got ? got : -ENOENT;
	row.declaration = query_get(&q);
	row.time = query_get(&q);
	row.failed = query_get(&q);
	row.found = text_column(&q);
	return fn(arg, &row);
}

static int tell_tags(struct query *q, store_tag_fn fn, void *arg)
{
	int got, answer = 0;

	while (!answer && (got = query_row(q)) > 0) {
		const char *tag = text_column(q);

		answer = fn(arg, tag ? tag : "", (uint64_t)query_get(q));
	}
	return answer ? answer : got;
}

int store_tags_of(struct store *s, uint64_t node, enum tag_origin origin, store_tag_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_TAGS_OF);
	query_int(&q, (int64_t)node);
	query_int(&q, origin);
	return tell_tags(&q, fn, arg);
}

int store_tags(struct store *s, store_tag_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_TAGS);
	return tell_tags(&q, fn, arg);
}

static int node_has(struct store *s, enum sql id, const char *text, uint64_t node)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, id);
	query_text(&q, text);
	query_int(&q, (int64_t)node);
	return query_row(&q);
}

int store_has_tag(struct store *s, uint64_t node, const char *tag)
{
	return node_has(s, SQL_TAG_HAS, tag, node);
}

int store_has_mime(struct store *s, uint64_t node, const char *mime)
{
	return node_has(s, SQL_MIME_HAS, mime, node);
}

int store_tagged(struct store *s, const char *const *tags, int n, uint64_t after, store_tagged_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	struct conn *c;
	int rc = store_begin(s, &c), got = 0;

	if (rc)
		return rc;
	query_start(&q, c, SQL_TAGGED);
	query_text(&q, tags[0]);
	query_int(&q, (int64_t)after);
	while (!rc && (got = query_row(&q)) > 0) {
		uint64_t node = (uint64_t)query_get(&q);

		for (int i = 1; i < n && got > 0; i++)
			got = store_has_tag(s, node, tags[i]);
		rc = got > 0 ? fn(arg, node) : got;
	}
	query_end(&q);
	conn_end(c);
	return rc ? rc : got < 0 ? got : 0;
}

/* ---- finding ---- */

#define STEPS_BETWEEN 4000 /* of SQLite's machine, between two looks at the clock */

static int is_late(void *until)
{
	return clock_monotonic() > *(int64_t *)until;
}

/* Of Q, whose parameters are bound. */
static int tell_found(struct conn *c, struct query *q, int64_t until, store_found_fn fn, void *arg)
{
	int rc = SQLITE_ROW, answer = 0;

	if (q->error)
		return q->error;
	sqlite3_progress_handler(c->db, STEPS_BETWEEN, is_late, &until);
	while (!answer && (rc = query_step(q)) == SQLITE_ROW) {
		uint64_t node = (uint64_t)query_get(q);

		answer = fn(arg, node, sqlite3_column_double(q->st, q->column));
		if (!answer && is_late(&until))
			answer = -ETIME;
	}
	sqlite3_progress_handler(c->db, 0, NULL, NULL);
	if (answer || rc == SQLITE_ROW || rc == SQLITE_DONE)
		return answer;
	if ((rc & 0xff) == SQLITE_INTERRUPT)
		return -ETIME;
	return rc == SQLITE_ERROR ? -EINVAL : conn_error(c, rc, "finding");
}

/* What is found, as far as it is known which order it will have. */
struct found_first {
	uint64_t nodes[FOUND_RANKED];
	int n;
	bool told;
	store_found_fn fn;
	void *arg;
};

static int tell_first(struct found_first *f)
{
	int rc = 0;

	for (int i = 0; !rc && i < f->n; i++)
		rc = f->fn(f->arg, f->nodes[i], 0);
	f->told = true;
	return rc;
}

/* In the order in which the index has them; those that come after FOUND_RANKED are told as they come. */
static int take_found(void *arg, uint64_t node, double rank)
{
	struct found_first *f = arg;
	int rc;

	if (f->n < FOUND_RANKED) {
		f->nodes[f->n++] = node;
		return 0;
	}
	rc = f->told ? 0 : tell_first(f);
	return rc ? rc : f->fn(f->arg, node, rank);
}

static int find_by(struct conn *c, enum sql id, const char *match, int64_t until, store_found_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	query_start(&q, c, id);
	query_text(&q, match);
	return tell_found(c, &q, until, fn, arg);
}

int store_found(struct store *s, const char *match, int64_t until, store_found_fn fn, void *arg)
{
	_cleanup_free_ struct found_first *first = calloc(1, sizeof(*first));
	struct conn *c;
	int rc = first ? store_begin(s, &c) : -ENOMEM;

	if (rc)
		return rc;
	first->fn = fn;
	first->arg = arg;
	rc = find_by(c, SQL_FOUND_NEWEST, match, until, take_found, first);
	if (!rc && first->n && !first->told)
		rc = find_by(c, SQL_FOUND_BEST, match, until, fn, arg);
	else if (rc == -ETIME && !first->told && (rc = tell_first(first)) == 0)
		rc = -ETIME;
	conn_end(c);
	return rc;
}

static int tell_between(struct store *s, enum sql id, int64_t from, int64_t to, int64_t until, store_found_fn fn,
			void *arg)
{
	_cleanup_query_ struct query q = {};
	int err;
	struct conn *c = store_conn(s, &err);

	if (!c)
		return err;
	query_start(&q, c, id);
	query_int(&q, from);
	query_int(&q, to);
	return tell_found(c, &q, until, fn, arg);
}

int store_documents(struct store *s, int64_t from_day, int64_t to_day, int64_t until, store_found_fn fn, void *arg)
{
	return tell_between(s, SQL_DOCUMENTS, from_day, to_day, until, fn, arg);
}

int store_documents_by_size(struct store *s, int64_t from, int64_t to, int64_t until, store_found_fn fn, void *arg)
{
	return tell_between(s, SQL_DOCUMENTS_BY_SIZE, from, to, until, fn, arg);
}

int store_node_place(struct store *s, uint64_t node, struct node_row *row, uint64_t *parent, struct buf *name)
{
	_cleanup_query_ struct query q = {};
	const char *bytes;
	size_t len;
	int got;

	store_query(s, &q, SQL_NODE_PLACE);
	query_int(&q, (int64_t)node);
	got = query_row(&q);
	if (got <= 0)
		return got ? got : -ENOENT;
	*parent = (uint64_t)query_get(&q);
	bytes = query_get_blob(&q, &len);
	buf_add(name, bytes, len);
	node_from_query(&q, row);
	return buf_error(name);
}

int store_snippet(struct store *s, const char *match, uint64_t node, struct buf *snippet)
{
	_cleanup_query_ struct query q = {};
	const char *text;
	int got;

	store_query(s, &q, SQL_FOUND_SNIPPET);
	query_text(&q, match);
	query_int(&q, (int64_t)node);
	got = query_row(&q);
	if (got <= 0)
		return got ? got : -ENOENT;
	text = text_column(&q);
	buf_adds(snippet, text ? text : "");
	return buf_error(snippet);
}

/* ---- by a property ---- */

/* Of Q, whose parameters are bound. */
static int tell_nodes(struct query *q, store_tagged_fn fn, void *arg)
{
	int got, answer = 0;

	while (!answer && (got = query_row(q)) > 0)
		answer = fn(arg, (uint64_t)query_get(q));
	return answer ? answer : got;
}

int store_of_mime(struct store *s, const char *mime, store_tagged_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_OF_MIME);
	query_text(&q, mime);
	return tell_nodes(&q, fn, arg);
}

int store_of_day(struct store *s, int64_t day, store_tagged_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_OF_DAY);
	query_int(&q, day);
	return tell_nodes(&q, fn, arg);
}

int store_table_nodes(struct store *s, store_tagged_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_TABLES);
	return tell_nodes(&q, fn, arg);
}

int store_declared(struct store *s, store_tagged_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_DECLARED);
	return tell_nodes(&q, fn, arg);
}

int store_mimes(struct store *s, store_mime_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	int got, answer = 0;

	store_query(s, &q, SQL_MIMES);
	while (!answer && (got = query_row(&q)) > 0) {
		const char *mime = text_column(&q);

		answer = fn(arg, mime ? mime : "");
	}
	return answer ? answer : got;
}

int store_first_day(struct store *s, int64_t from, int64_t *day)
{
	_cleanup_query_ struct query q = {};
	int got;

	store_query(s, &q, SQL_FIRST_DAY);
	query_int(&q, from);
	got = query_row(&q);
	if (got > 0)
		*day = query_get(&q);
	return got > 0 ? 0 : got ? got : -ENOENT;
}

int store_document(struct store *s, uint64_t node, uint64_t *version, bool *table)
{
	_cleanup_query_ struct query q = {};
	int got;

	store_query(s, &q, SQL_DOCUMENT_VERSION);
	query_int(&q, (int64_t)node);
	got = query_row(&q);
	if (got <= 0)
		return got ? got : -ENOENT;
	*version = (uint64_t)query_get(&q);
	if (table)
		*table = query_get(&q) != 0;
	return 0;
}

int store_count_mimes(struct store *s, store_tag_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_COUNT_MIMES);
	return tell_tags(&q, fn, arg);
}

int store_popular(struct store *s, store_popular_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	int got, answer = 0;

	store_query(s, &q, SQL_POPULAR);
	while (!answer && (got = query_row(&q)) > 0) {
		uint64_t node = (uint64_t)query_get(&q);

		answer = fn(arg, node, (uint64_t)query_get(&q));
	}
	return answer ? answer : got;
}

int store_catalog_totals(struct store *s, struct catalog_totals *out)
{
	_cleanup_query_ struct query q = {};
	int got;

	*out = (struct catalog_totals){0};
	store_query(s, &q, SQL_CATALOG_TOTALS);
	got = query_row(&q);
	if (got <= 0)
		return got;
	out->tables = (uint64_t)query_get(&q);
	out->columns = (uint64_t)query_get(&q);
	out->tags = (uint64_t)query_get(&q);
	return 0;
}
