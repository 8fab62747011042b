/* Reading what was made from what, and by whom. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "meta/store_int.h"

const char *edge_class_name(enum edge_class class)
{
	static const char *const names[] = {
		[EDGE_LOW] = "low",	[EDGE_SESSION] = "session", [EDGE_PIPE] = "pipe",
		[EDGE_EXACT] = "exact", [EDGE_COPY] = "copy",	    [EDGE_DECLARED] = "declared",
	};

	return class >= EDGE_LOW && class <= EDGE_DECLARED ? names[class] : "low";
}

static int each_edge(struct query *q, store_edge_fn fn, void *arg)
{
	int got = 0, answer = 0;

	while (!answer && (got = query_row(q)) > 0) {
		struct edge_row e = {.output = (uint64_t)query_get(q)};

		e.input = (uint64_t)query_get(q);
		e.class = (enum edge_class)query_get(q);
		e.run = (uint64_t)query_get(q);
		e.commit = (uint64_t)query_get(q);
		answer = fn(arg, &e);
	}
	return answer ? answer : got;
}

int store_edges_up(struct store *s, uint64_t output, store_edge_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_EDGES_UP);
	query_int(&q, (int64_t)output);
	return each_edge(&q, fn, arg);
}

int store_edges_down(struct store *s, uint64_t input, store_edge_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_EDGES_DOWN);
	query_int(&q, (int64_t)input);
	return each_edge(&q, fn, arg);
}

int store_edges(struct store *s, uint64_t after, enum edge_class class, store_edge_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_EDGES);
	query_int(&q, (int64_t)after);
	query_int(&q, class);
	return each_edge(&q, fn, arg);
}

int store_count_edges(struct store *s, uint64_t *edges)
{
	_cleanup_query_ struct query q = {};
	int got;

	store_query(s, &q, SQL_EDGES_COUNT);
	got = query_row(&q);
	*edges = got > 0 ? (uint64_t)query_get(&q) : 0;
	return got < 0 ? got : 0;
}

/* ---- places ---- */

/* SQL: where the file of NODE is, or was. 1, 0: nowhere, -errno. */
static int find_place(struct store *s, enum sql sql, uint64_t node, struct version_place *out)
{
	_cleanup_query_ struct query q = {};
	const char *name;
	size_t len;
	int got;

	store_query(s, &q, sql);
	query_int(&q, (int64_t)node);
	got = query_row(&q);
	if (got <= 0)
		return got;
	out->node = node;
	out->parent = (uint64_t)query_get(&q);
	name = query_get_blob(&q, &len);
	buf_clear(&out->name);
	buf_add(&out->name, name, len);
	return buf_error(&out->name) ? -ENOMEM : 1;
}

static int node_of_series(struct store *s, uint64_t asset, uint64_t *node)
{
	_cleanup_query_ struct query q = {};
	int got;

	store_query(s, &q, SQL_ASSET);
	query_int(&q, (int64_t)asset);
	got = query_row(&q);
	if (got > 0)
		query_get(&q);
	*node = got > 0 ? (uint64_t)query_get(&q) : 0;
	return got < 0 ? got : 0;
}

int store_version_place(struct store *s, const struct version_row *v, struct version_place *out)
{
	uint64_t node;
	int rc = node_of_series(s, v->asset, &node);

	if (!rc && node)
		rc = find_place(s, SQL_NODE_PLACE, node, out);
	if (!rc && node != v->node)
		rc = find_place(s, SQL_NODE_PLACE, v->node, out);
	out->live = rc > 0;
	if (!rc)
		rc = find_place(s, SQL_NODE_PLACE_WAS, v->node, out);
	return rc < 0 ? rc : rc ? 0 : -ENOENT;
}

/* ---- runs ---- */

static int each_run(struct query *q, store_run_fn fn, void *arg)
{
	int got = 0, answer = 0;

	while (!answer && (got = query_row(q)) > 0) {
		struct run_row r = {.id = (uint64_t)query_get(q)};

		query_get_text(q, r.boot, sizeof(r.boot));
		r.tgid = (pid_t)query_get(q);
		r.start = (uint64_t)query_get(q);
		r.uid = (uid_t)query_get(q);
		r.parent = (uint64_t)query_get(q);
		r.began = query_get(q);
		r.wrote = query_get(q);
		r.exe = query_get_string(q);
		r.argv = query_get_string(q);
		r.cwd = query_get_string(q);
		r.cgroup = query_get_string(q);
		r.name = query_get_string(q);
		answer = fn(arg, &r);
	}
	return answer ? answer : got;
}

int store_run_row(struct store *s, uint64_t id, store_run_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	int rc;

	store_query(s, &q, SQL_RUN);
	query_int(&q, (int64_t)id);
	rc = query_row(&q);
	if (rc <= 0)
		return rc ? rc : -ENOENT;
	query_again(&q);
	query_int(&q, (int64_t)id);
	return each_run(&q, fn, arg);
}

int store_runs(struct store *s, uint64_t after, store_run_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_RUNS);
	query_int(&q, (int64_t)after);
	return each_run(&q, fn, arg);
}
