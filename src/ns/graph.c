#include "ns/graph.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

void graph_release(struct graph *g)
{
	struct graph_node *n, *next;

	HASH_ITER (hh, g->nodes, n, next) {
		HASH_DEL(g->nodes, n);
		free(n->path);
		free(n);
	}
}

/* ---- versions ---- */

static const char *state_name(const struct version_row *v)
{
	switch (v->state) {
	case VERSION_LIVE:
		return "live";
	case VERSION_KEPT:
		return "kept";
	case VERSION_PARTIAL:
		return "partial";
	case VERSION_TRANSIENT:
		return "transient";
	case VERSION_EXPIRED:
		return "expired";
	case VERSION_PURGED:
		return "purged";
	default:
		return "not-kept";
	}
}

/* Who may see what lies at its path may see where it was; its own mode holds, too. */
static int find_place(struct graph *g, const struct version_row *v, struct buf *path)
{
	struct node_row row = {.mode = v->mode, .uid = v->uid, .gid = v->gid}, now;
	struct version_place place = {.name = BUF_INIT};
	int rc = store_version_place(g->reader->lake->store, v, &place);

	if (!rc && place.live)
		rc = reader_sees(g->reader, place.node, &now, path);
	else if (!rc)
		rc = reader_sees_name(g->reader, place.parent, buf_str(&place.name), path);
	if (rc > 0 && !reader_may(g->reader, &row, 4))
		rc = 0;
	buf_release(&place.name);
	return rc == -ENOENT ? 0 : rc;
}

const struct graph_node *graph_node(struct graph *g, uint64_t version)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct graph_node *n;
	struct version_row v;

	HASH_FIND(hh, g->nodes, &version, sizeof(version), n);
	if (n)
		return n;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	n->id = version;
	if (!store_version(g->reader->lake->store, version, &v) && find_place(g, &v, &path) > 0) {
		n->path = buf_detach(&path);
		n->number = v.number;
		n->state = state_name(&v);
		n->time = v.time;
	}
	HASH_ADD(hh, g->nodes, id, sizeof(n->id), n);
	return n;
}

/* "F@v3" or "F@v/3": *LEN bytes are F, and the number is given; else 0. */
static uint64_t number_in(const char *path, size_t *len)
{
	const char *mark = NULL;
	unsigned long long n;
	char *end;

	for (const char *p = path; (p = strstr(p, "@v")); p += 2)
		mark = p;
	*len = strlen(path);
	if (!mark || mark == path)
		return 0;
	n = strtoull(mark + 2 + (mark[2] == '/'), &end, 10);
	if (!n || (*end && *end != '.'))
		return 0;
	*len = (size_t)(mark - path);
	return n;
}

/* A file that is there, or the series of one that was. */
static int find_series(struct graph *g, const char *path, uint64_t *asset, uint64_t *live)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = strndup(path, slash ? (size_t)(slash - path) : 0);
	struct node_row row;
	int rc = folder ? reader_find(g->reader, path, &row) : -ENOMEM;

	*asset = rc > 0 ? row.asset : 0;
	*live = rc > 0 ? row.version : 0;
	if (rc)
		return rc < 0 ? rc : 0;
	rc = reader_find(g->reader, folder, &row);
	if (rc <= 0)
		return rc ? rc : -ENOENT;
	return store_series(g->reader->lake->store, row.id, slash ? slash + 1 : path, asset, live);
}

int graph_find(struct graph *g, const char *path, uint64_t *version)
{
	struct store *s = g->reader->lake->store;
	uint64_t asset = 0, number;
	struct version_row v;
	size_t len;
	int rc;

	number = number_in(path, &len);
	_cleanup_free_ char *plain = strndup(path, len);

	rc = plain ? find_series(g, plain, &asset, version) : -ENOMEM;
	if (rc)
		return rc;
	if (!number && *version && !store_version(s, *version, &v) && v.state == VERSION_LIVE)
		return 0;
	rc = number ? store_version_by_number(s, asset, number, &v) : store_version_before(s, asset, INT64_MAX, &v);
	*version = v.id;
	return rc;
}

/* ---- edges ---- */

struct walk {
	struct graph *g;
	enum graph_way way;
	enum edge_class class;
	graph_edge_fn fn;
	void *arg;
	int depth;
	uint64_t *next;
	size_t n, room, edges;
};

static int see_edge(void *arg, const struct edge_row *e)
{
	struct walk *w = arg;
	uint64_t other = w->way == GRAPH_UP ? e->input : e->output;
	struct graph_node *n;
	int rc;

	if (e->class < w->class)
		return 0;
	n = (struct graph_node *)graph_node(w->g, other);
	if (!n)
		return -ENOMEM;
	if (!n->path)
		return 0;
	if (++w->edges > GRAPH_MOST)
		return -E2BIG;
	rc = w->fn(w->arg, w->depth, e);
	if (rc || n->walked)
		return rc;
	n->walked = true;
	rc = array_grow(&w->next, w->n, &w->room, sizeof(*w->next));
	if (!rc)
		w->next[w->n++] = other;
	return rc;
}

int graph_walk(struct graph *g, uint64_t version, enum graph_way way, enum edge_class class, graph_edge_fn fn,
	       void *arg)
{
	struct walk w = {.g = g, .way = way, .class = class, .fn = fn, .arg = arg};
	struct store *s = g->reader->lake->store;
	const struct graph_node *first = graph_node(g, version);
	size_t done = 0, end;
	int rc = first ? array_grow(&w.next, 0, &w.room, sizeof(*w.next)) : -ENOMEM;

	if (!rc && first->path)
		w.next[w.n++] = version;
	while (!rc && done < w.n) {
		w.depth++;
		for (end = w.n; !rc && done < end; done++)
			rc = way == GRAPH_UP ? store_edges_up(s, w.next[done], see_edge, &w)
					     : store_edges_down(s, w.next[done], see_edge, &w);
	}
	free(w.next);
	return rc;
}

/* ---- runs ---- */

struct told_run {
	struct graph *g;
	struct buf *json;
};

static void add_text(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, ",\"%s\":", name);
	if (value)
		buf_add_json(b, value, strlen(value));
	else
		buf_adds(b, "null");
}

static void add_moment(struct buf *b, const char *name, int64_t ns)
{
	buf_addf(b, ",\"%s\":%s", name, ns ? "\"" : "null");
	if (ns) {
		buf_add_time_ms(b, ns);
		buf_addc(b, '"');
	}
}

static int tell_run(void *arg, const struct run_row *r)
{
	struct told_run *t = arg;
	struct buf *b = t->json;
	uid_t uid = t->g->reader->uid;
	bool all = !uid || (uid == r->uid && r->id > RUN_TARN);

	buf_addf(b, "\"id\":%" PRIu64 ",\"parent\":", r->id);
	if (r->parent)
		buf_addf(b, "%" PRIu64, r->parent);
	else
		buf_adds(b, "null");
	add_text(b, "name", all ? r->name : NULL);
	add_text(b, "exe", r->exe && r->exe[0] ? r->exe : NULL);
	buf_addf(b, ",\"argv\":%s", all && r->argv ? r->argv : "null");
	add_text(b, "cwd", all ? r->cwd : NULL);
	buf_addf(b, ",\"uid\":%u,\"pid\":%d", (unsigned)r->uid, (int)r->tgid);
	add_text(b, "cgroup", all ? r->cgroup : NULL);
	add_moment(b, "start", r->began);
	add_moment(b, "end", r->wrote);
	return buf_error(b);
}

int graph_run(struct graph *g, uint64_t run, struct buf *json)
{
	struct told_run t = {g, json};

	return store_run_row(g->reader->lake->store, run, tell_run, &t);
}
