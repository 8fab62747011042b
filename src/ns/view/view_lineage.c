/*
 * .lineage: what was made from what, as the caller may see it.
 *
 *	edges.csv	one row per edge of class pipe and above
 *	runs.jsonl	who made something of what the caller sees, and who started those
 *	of/PATH/{up,down,up-all,down-all}.jsonl
 *			by name only: what PATH (%2F for a slash; also with @vN) was made from, or what was made from
 *			it; of the class that edges.csv shows, or of any
 *
 * Its nodes are as those of .catalog (ns/view/view_catalog.h): rendered for who looks them up.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ns/graph.h"
#include "ns/view/view_catalog.h"

#define OF "of"
#define ROWS_MOST 200000 /* of edges.csv; then a row says TRUNCATED */

static const char readme[] =
	"This folder is made by tarn: it shows what was made from what.\n"
	"\n"
	"edges.csv    one row says that this version of a file was made from that version\n"
	"             of another one: output, output_version, input, input_version, class, run, commit\n"
	"runs.jsonl   the runs in it: program, command line, folder, user, when\n"
	"\n"
	"Classes, the surest first: declared, copy, exact, pipe. What is less sure is not\n"
	"here; `tarn lineage --all` shows it. F@vN opens the very version that was read.\n";

struct lists {
	struct graph graph;
	struct buf *out;
	uint64_t rows;
};

/* ---- edges.csv ---- */

static int add_row(void *arg, const struct edge_row *e)
{
	struct lists *l = arg;
	const struct graph_node *output = graph_node(&l->graph, e->output), *input;

	if (!output || !output->path)
		return output ? 0 : -ENOMEM;
	input = graph_node(&l->graph, e->input);
	if (!input || !input->path)
		return input ? 0 : -ENOMEM;
	if (l->rows++ == ROWS_MOST) {
		buf_adds(l->out, "TRUNCATED,,,,,,\r\n");
		return 1;
	}
	buf_add_csv(l->out, output->path, strlen(output->path));
	buf_addf(l->out, ",%" PRIu64 ",", output->number);
	buf_add_csv(l->out, input->path, strlen(input->path));
	buf_addf(l->out, ",%" PRIu64 ",%s,%" PRIu64 ",%" PRIu64 "\r\n", input->number, edge_class_name(e->class),
		 e->run, e->commit);
	return buf_error(l->out);
}

static int render_edges(struct lists *l, struct store *s)
{
	int rc;

	buf_adds(l->out, "output,output_version,input,input_version,class,run,commit\r\n");
	rc = store_edges(s, 0, EDGE_SHOWN, add_row, l);
	return rc > 0 ? 0 : rc;
}

/* ---- runs.jsonl ---- */

/* Those that are to be told, by number; the runs that started them follow. */
struct run_set {
	struct lists *l;
	struct store *s;
	struct told {
		UT_hash_handle hh;
		uint64_t run;
	} * told;
};

static int add_run(struct run_set *set, uint64_t run);

static int note_parent(void *arg, const struct run_row *r)
{
	*(uint64_t *)arg = r->parent;
	return 0;
}

static int add_run(struct run_set *set, uint64_t run)
{
	uint64_t parent = 0;
	struct told *t;

	while (run) {
		HASH_FIND(hh, set->told, &run, sizeof(run), t);
		if (t)
			return 0;
		t = malloc(sizeof(*t));
		if (!t)
			return -ENOMEM;
		t->run = run;
		HASH_ADD(hh, set->told, run, sizeof(t->run), t);
		parent = 0;
		store_run_row(set->s, run, note_parent, &parent);
		run = parent;
	}
	return 0;
}

static int see_edge(void *arg, const struct edge_row *e)
{
	struct run_set *set = arg;
	const struct graph_node *output = graph_node(&set->l->graph, e->output), *input;

	input = output && output->path ? graph_node(&set->l->graph, e->input) : NULL;
	return input && input->path ? add_run(set, e->run) : 0;
}

static int by_run(const struct told *a, const struct told *b)
{
	return a->run < b->run ? -1 : a->run > b->run;
}

static int render_runs(struct lists *l, struct store *s)
{
	struct run_set set = {.l = l, .s = s};
	int rc = store_edges(s, 0, EDGE_SHOWN, see_edge, &set);
	struct told *t, *next;

	HASH_SORT(set.told, by_run);
	HASH_ITER (hh, set.told, t, next) {
		_cleanup_buf_ struct buf line = BUF_INIT;

		if (!rc && !graph_run(&l->graph, t->run, &line))
			buf_addf(l->out, "{%s}\n", buf_str(&line));
		HASH_DEL(set.told, t);
		free(t);
	}
	return rc;
}

/* ---- of/PATH ---- */

static void add_end(struct buf *b, const char *name, const struct graph_node *n)
{
	buf_addf(b, ",\"%s\":", name);
	buf_add_json(b, n->path, strlen(n->path));
	buf_addf(b, ",\"%s_version\":%" PRIu64 ",\"%s_state\":\"%s\",\"%s_time\":\"", name, n->number, name, n->state,
		 name);
	buf_add_time_ms(b, n->time);
	buf_addc(b, '"');
}

static int add_line(void *arg, int depth, const struct edge_row *e)
{
	struct lists *l = arg;
	_cleanup_buf_ struct buf run = BUF_INIT;

	buf_addf(l->out, "{\"depth\":%d", depth);
	add_end(l->out, "output", graph_node(&l->graph, e->output));
	add_end(l->out, "input", graph_node(&l->graph, e->input));
	buf_addf(l->out, ",\"class\":\"%s\",\"commit\":%" PRIu64 ",\"run\":", edge_class_name(e->class), e->commit);
	if (graph_run(&l->graph, e->run, &run))
		buf_addf(l->out, "{\"id\":%" PRIu64 "}}\n", e->run);
	else
		buf_addf(l->out, "{%s}}\n", buf_str(&run));
	return buf_error(l->out);
}

/* The first line says which version it is about. */
static int render_walk(struct lists *l, const char *path, enum graph_way way, enum edge_class class)
{
	const struct graph_node *n;
	uint64_t version;
	int rc = graph_find(&l->graph, path, &version);

	if (rc)
		return rc;
	n = graph_node(&l->graph, version);
	if (!n || !n->path)
		return n ? -ENOENT : -ENOMEM;
	buf_adds(l->out, "{\"depth\":0");
	add_end(l->out, "output", n);
	buf_adds(l->out, "}\n");
	rc = graph_walk(&l->graph, version, way, class, add_line, l);
	if (rc == -E2BIG)
		buf_adds(l->out, "{\"TRUNCATED\":true}\n");
	return rc == -E2BIG ? 0 : rc;
}

static const struct {
	const char *name;
	enum graph_way way;
	enum edge_class class;
} walks[] = {{"up.jsonl", GRAPH_UP, EDGE_SHOWN},
	     {"down.jsonl", GRAPH_DOWN, EDGE_SHOWN},
	     {"up-all.jsonl", GRAPH_UP, EDGE_LOW},
	     {"down-all.jsonl", GRAPH_DOWN, EDGE_LOW}};
#define WALKS (sizeof(walks) / sizeof(walks[0]))

static int render_of(struct lists *l, char *path, const char *name)
{
	name_decode(path);
	for (size_t i = 0; i < WALKS; i++)
		if (!strcmp(walks[i].name, name))
			return render_walk(l, path, walks[i].way, walks[i].class);
	return -ENOENT;
}

/* ---- the view ---- */

static int render(struct lists *l, struct lake *lake, const char *name)
{
	if (!strcmp(name, "edges.csv"))
		return render_edges(l, lake->store);
	if (!strcmp(name, "runs.jsonl"))
		return render_runs(l, lake->store);
	if (strcmp(name, "README") != 0)
		return -ENOENT;
	buf_adds(l->out, readme);
	return 0;
}

/* PATH: "NAME", "of", "of/FILE" or "of/FILE/NAME". */
static int look_up_path(struct catalog *c, const char *path, struct view_node *draft)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct lists l = {.graph = {.reader = &c->reader}, .out = &text};
	char *rest = copy, *first, *file, *name;
	int rc;

	if (!copy)
		return -ENOMEM;
	first = catalog_next(&rest);
	file = catalog_next(&rest);
	name = file ? catalog_next(&rest) : NULL;
	if (!strcmp(first, OF) && !name)
		return catalog_folder(c, path, draft);
	rc = strcmp(first, OF) ? file ? -ENOENT : render(&l, c->lake, first) : render_of(&l, file, name);
	graph_release(&l.graph);
	return rc ? rc : catalog_file(c, path, &text, draft);
}

static int look_up_at(struct lake *lake, struct inode *folder, const char *name, struct view_node *draft)
{
	struct catalog c = {.lake = lake};

	if (folder->id != NODE_ROOT || strcmp(name, ".lineage"))
		return -ENOENT;
	return catalog_folder(&c, "", draft);
}

static int look_up(struct lake *lake, const struct view_node *folder, const char *name, const struct actor *actor,
		   struct view_node *draft)
{
	struct catalog c = {.lake = lake, .actor = actor};
	_cleanup_buf_ struct buf path = BUF_INIT;
	int rc = reader_init(&c.reader, lake, actor);

	if (!rc)
		rc = store_barrier(lake->store, 0);
	buf_addf(&path, "%s%s%s", folder->text, folder->text[0] ? "/" : "", name);
	if (!rc)
		rc = buf_error(&path) ? -ENOMEM : look_up_path(&c, buf_str(&path), draft);
	reader_release(&c.reader);
	return rc;
}

static int list(struct lake *lake, const struct view_node *folder, const struct actor *actor, view_emit_fn emit,
		void *arg)
{
	static const char *const names[] = {"README", "edges.csv", "runs.jsonl"};
	int rc = 0;

	(void)lake;
	(void)actor;
	if (!folder->text[0])
		for (size_t i = 0; !rc && i < sizeof(names) / sizeof(names[0]); i++)
			rc = emit(arg, names[i], KIND_FILE, 0);
	else if (strchr(folder->text, '/'))
		for (size_t i = 0; !rc && i < WALKS; i++)
			rc = emit(arg, walks[i].name, KIND_FILE, 0);
	return rc;
}

const struct view_ops lineage_view = {
	.name = ".lineage",
	.look_up_at = look_up_at,
	.look_up = look_up,
	.list = list,
	.root_name = ".lineage",
};
