/* tarn lineage and tarn why: what a version was made from, and what was made from it, for a person. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "cli/human.h"
#include "cli/lineage_graph.h"
#include "cli/place.h"
#include "cli/verb_list.h"

#define COMMAND_MOST 60
#define WHY_MOST 10 /* inputs that are told by name */

/* ---- the tree ---- */

struct tree {
	const struct lineage_graph *g;
	int most;    /* levels */
	bool *shown; /* by line: what is below it stands elsewhere already */
	const char *from, *to;
};

static bool leads_on(const struct tree *t, struct json_object *line, const char *end, size_t i)
{
	return line_meets(line, end, t->g->lines[i], t->from);
}

/* Has what is at the far end of line I been printed with all below it? */
static bool is_repeated(const struct tree *t, size_t i)
{
	for (size_t j = 1; j < t->g->n; j++)
		if (j != i && t->shown[j] && line_meets(t->g->lines[i], t->to, t->g->lines[j], t->to))
			return true;
	return false;
}

static bool has_more(const struct tree *t, size_t i)
{
	for (size_t j = 1; j < t->g->n; j++)
		if (leads_on(t, t->g->lines[i], t->to, j))
			return true;
	return false;
}

static void print_line(const struct tree *t, size_t i, bool more)
{
	struct json_object *line = t->g->lines[i];
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *state = line_text(line, t->g->down ? "output_state" : "input_state");

	line_add_version(&b, line, t->to);
	buf_addf(&b, "  %s  ", line_text(line, "class"));
	line_add_command(&b, line, COMMAND_MOST);
	if (strcmp(state, "live") && strcmp(state, "kept"))
		buf_addf(&b, "  (%s)", state);
	printf("%s%s\n", buf_str(&b), more ? "  ..." : "");
}

/* What leads from END of LINE, each line after PREFIX. */
static void print_below(struct tree *t, struct json_object *line, const char *end, const char *prefix, int level)
{
	size_t last = 0;

	for (size_t i = 1; i < t->g->n; i++)
		if (leads_on(t, line, end, i))
			last = i;
	for (size_t i = 1; i <= last; i++) {
		_cleanup_buf_ struct buf deeper = BUF_INIT;
		bool again;

		if (!leads_on(t, line, end, i))
			continue;
		again = is_repeated(t, i) || level >= t->most;
		printf("%s%s", prefix, i == last ? "└─ " : "├─ ");
		print_line(t, i, again && has_more(t, i));
		t->shown[i] = true;
		buf_addf(&deeper, "%s%s", prefix, i == last ? "   " : "│  ");
		if (!again)
			print_below(t, t->g->lines[i], t->to, buf_str(&deeper), level + 1);
	}
}

static int print_tree(const struct lineage_graph *g, int most)
{
	struct tree t = {.g = g, .most = most, .shown = calloc(g->n, sizeof(bool))};
	_cleanup_buf_ struct buf first = BUF_INIT;

	if (!t.shown)
		return EXIT_FAILED;
	t.from = g->down ? "input" : "output";
	t.to = g->down ? "output" : "input";
	line_add_version(&first, g->lines[0], "output");
	puts(buf_str(&first));
	print_below(&t, g->lines[0], "output", "", 1);
	if (g->n == 1)
		puts(g->down ? "nothing was made from it, as far as is known"
			     : "nothing is known that it was made from");
	free(t.shown);
	return EXIT_OK;
}

static int print_json(const struct lineage_graph *g, int most)
{
	bool first = true;

	printf("[");
	for (size_t i = 1; i < g->n; i++) {
		if (line_number(g->lines[i], "depth") > most)
			continue;
		printf("%s\n%s", first ? "" : ",",
		       json_object_to_json_string_ext(g->lines[i], JSON_C_TO_STRING_NOSLASHESCAPE));
		first = false;
	}
	puts("\n]");
	return EXIT_OK;
}

/* ---- what both verbs begin with ---- */

static int read_graph(const char *path, bool down, bool all, struct lineage_graph *g)
{
	_cleanup_place_ struct place p = {0};
	int rc = place_on_mount(path, &p);

	if (rc)
		return rc;
	rc = lineage_graph_read(p.point, p.inside, down, all, g);
	if (rc == -ENOENT)
		say("%s: no version of it is there, or none that you may read", path);
	else if (rc)
		say("%s: %s", path, strerror(-rc));
	if (!rc && g->cut)
		say("%s: there is more: not all of it is shown", path);
	return rc;
}

static int run_lineage(const struct verb *v, int argc, char **argv)
{
	enum { OPTION_UP = OPTION_FIRST, OPTION_DOWN, OPTION_DEPTH, OPTION_ALL };
	static const struct option options[] = {{"up", no_argument, NULL, OPTION_UP},
						{"down", no_argument, NULL, OPTION_DOWN},
						{"depth", required_argument, NULL, OPTION_DEPTH},
						{"all", no_argument, NULL, OPTION_ALL},
						{"json", no_argument, NULL, OPTION_JSON},
						{0}};
	_cleanup_lineage_graph_ struct lineage_graph g = {0};
	bool down = false, all = false, json = false;
	int c, most = 1000000;
	char *end;

	while ((c = verb_option(v, argc, argv, "", options)) != -1) {
		down = c == OPTION_DOWN || (down && c != OPTION_UP);
		all |= c == OPTION_ALL;
		json |= c == OPTION_JSON;
		if (c != OPTION_DEPTH)
			continue;
		most = (int)strtol(optarg, &end, 10);
		if (*end || most < 1) {
			say("--depth %s: how many steps, from 1 on", optarg);
			return EXIT_USAGE;
		}
	}
	verb_arguments(v, argc, argv, 1, 1);
	if (read_graph(argv[optind], down, all, &g))
		return EXIT_FAILED;
	return json ? print_json(&g, most) : print_tree(&g, most);
}

/* ---- why ---- */

/* The first edge of what LINE leads to, when there is one: its run made all of it. */
static struct json_object *made_by(const struct lineage_graph *g, struct json_object *line, const char *end)
{
	for (size_t i = 1; i < g->n; i++)
		if (line_meets(line, end, g->lines[i], "output"))
			return g->lines[i];
	return NULL;
}

static void add_inputs(struct buf *b, const struct lineage_graph *g, struct json_object *of)
{
	size_t n = 0, told = 0;

	for (size_t i = 1; i < g->n; i++)
		n += line_meets(of, "output", g->lines[i], "output");
	for (size_t i = 1; i < g->n && told < WHY_MOST; i++) {
		if (!line_meets(of, "output", g->lines[i], "output"))
			continue;
		buf_adds(b, !told ? "" : told + 1 == n ? " and " : ", ");
		line_add_version(b, g->lines[i], "input");
		if (strcmp(line_text(g->lines[i], "class"), "exact"))
			buf_addf(b, " (%s)", line_text(g->lines[i], "class"));
		told++;
	}
	if (n > told)
		buf_addf(b, " and %zu more", n - told);
}

static void add_made(struct buf *b, const struct lineage_graph *g, struct json_object *line)
{
	buf_addf(b, " was made at %.19sZ by ", line_text(line, "output_time"));
	line_add_user(b, line);
	buf_adds(b, " with `");
	line_add_command(b, line, 200);
	buf_adds(b, "` from ");
	add_inputs(b, g, line);
	buf_addc(b, '.');
}

/* What it was made from, and what that was made from, if that is known. */
static void print_why(const struct lineage_graph *g)
{
	struct json_object *line = made_by(g, g->lines[0], "output");
	_cleanup_buf_ struct buf b = BUF_INIT;

	line_add_version(&b, g->lines[0], "output");
	if (line)
		add_made(&b, g, line);
	else
		buf_addf(&b, " has been as it is since %.19sZ; nothing is known that it was made from.",
			 line_text(g->lines[0], "output_time"));
	for (size_t i = 1, told = 0; line && i < g->n && told < WHY_MOST; i++) {
		struct json_object *before = NULL;

		if (line_number(g->lines[i], "depth") == 1)
			before = made_by(g, g->lines[i], "input");
		if (!before)
			continue;
		buf_addc(&b, ' ');
		line_add_version(&b, before, "output");
		add_made(&b, g, before);
		told++;
	}
	puts(buf_str(&b));
}

static int run_why(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{0}};
	_cleanup_lineage_graph_ struct lineage_graph g = {0};

	while (verb_option(v, argc, argv, "", options) != -1)
		;
	verb_arguments(v, argc, argv, 1, 1);
	if (read_graph(argv[optind], false, false, &g))
		return EXIT_FAILED;
	print_why(&g);
	return EXIT_OK;
}

const struct verb verb_lineage = {
	.name = "lineage",
	.args = "PATH[@vN] [--up | --down] [--depth N] [--all] [--json]",
	.summary = "show what a file was made from, or what was made from it",
	.details =
		"Prints a tree: the version that PATH is now, or N, and below it the versions\n"
		"that it was made from, each with how sure that is and the command that did it;\n"
		"below those what they were made from, and so on.\n"
		"\n"
		"How sure, the surest first: declared, copy, exact (the program itself read it),\n"
		"pipe (it came over pipes); session and low are shown with --all only.\n"
		"Of files that you may not read nothing is shown.\n"
		"\n"
		"options:\n"
		"      --up       what it was made from (as without an option)\n"
		"      --down     what was made from it\n"
		"      --depth N  so many steps (all)\n"
		"      --all      also what is less sure\n"
		"      --json     each step as an object, the nearest first\n"
		"  -h, --help     say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn lineage analytics/customer_features.csv\n"
		"  tarn lineage --down raw-data/orders.csv@v3 --depth 1\n",
	.run = run_lineage,
};

const struct verb verb_why = {
	.name = "why",
	.args = "PATH[@vN]",
	.summary = "tell in a paragraph how a file came to be",
	.details =
		"Prints when, by whom, with which command and from which versions of which files\n"
		"PATH was made, and the same of those.\n"
		"\n"
		"options:\n"
		"  -h, --help  say this, and end\n"
		"\n"
		"example:\n"
		"  tarn why analytics/customer_features.csv\n",
	.run = run_why,
};
