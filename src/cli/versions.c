/*
 * tarn versions: the history of a file, read through the mount from F@v/history.jsonl, one JSON object per line; of a
 * folder its moments, which D@v lists.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "cli/control.h"
#include "cli/facts.h"
#include "cli/restore/gone.h"
#include "cli/history.h"
#include "cli/human.h"
#include "cli/moments.h"
#include "cli/place.h"
#include "cli/table.h"
#include "cli/verb_list.h"

static const char *text_or(struct json_object *o, const char *key, const char *otherwise)
{
	const char *text = json_text(o, key);

	return text && text[0] ? text : otherwise;
}

/* "ann, vim": the user by name where there is one. */
static void add_author(struct buf *b, struct json_object *o)
{
	uid_t uid = (uid_t)json_object_get_int64(json_object_object_get(o, "uid"));
	const char *program = json_text(o, "program");
	const struct passwd *user = getpwuid(uid);

	if (user)
		buf_adds(b, user->pw_name);
	else
		buf_addf(b, "uid %u", (unsigned)uid);
	if (program && program[0])
		buf_addf(b, ", %s", program);
}

/* "kept, aside" */
static void add_state(struct buf *b, struct json_object *o)
{
	const char *how = text_or(o, "how", "none");

	buf_adds(b, text_or(o, "state", "?"));
	if (strcmp(how, "none"))
		buf_addf(b, ", %s", how);
}

static void add_row(struct table *t, struct json_object *o)
{
	_cleanup_buf_ struct buf size = BUF_INIT, when = BUF_INIT, state = BUF_INIT, by = BUF_INIT;
	int64_t ns;

	if (!time_parse(text_or(o, "time", ""), &ns))
		buf_add_moment(&when, ns);
	human_size(&size, json_object_get_uint64(json_object_object_get(o, "size")));
	add_author(&by, o);
	add_state(&state, o);
	table_addf(t, "%lld", (long long)json_object_get_int64(json_object_object_get(o, "version")));
	table_add(t, buf_str(&when));
	table_add(t, buf_str(&size));
	table_add(t, buf_str(&by));
	table_add(t, buf_str(&state));
	table_add(t, text_or(o, "reason", ""));
}

static int print_table(const struct history *h, bool all)
{
	static const char *const headings[] = {">VERSION", "TIME", ">SIZE", "BY", "STATE", "NOTE", NULL};
	_cleanup_table_ struct table t;
	int left_out = 0, shown = 0;

	table_init(&t, headings);
	for (int i = 0; i < h->n; i++) {
		if (all || history_readable(h->lines[i].object)) {
			add_row(&t, h->lines[i].object);
			shown++;
		} else {
			left_out++;
		}
	}
	if (shown && table_print(&t, stdout))
		return EXIT_FAILED;
	if (left_out)
		printf("%s%d that cannot be read any more %s not shown (--all shows why)\n", shown ? "\n" : "",
		       left_out, left_out == 1 ? "is" : "are");
	if (!h->n)
		printf("no versions: nothing was recorded of it yet\n");
	return EXIT_OK;
}

/* The lines go out as they came: names in them are written by the daemon's own rule already. */
static int print_json(const struct history *h, const char *path, bool all)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int n = 0;

	buf_adds(&b, "{\n  \"path\": ");
	buf_add_json(&b, path, strlen(path));
	buf_adds(&b, ",\n  \"versions\": [");
	for (int i = 0; i < h->n; i++) {
		if (all || history_readable(h->lines[i].object))
			buf_addf(&b, "%s\n    %s", n++ ? "," : "", h->lines[i].text);
	}
	buf_adds(&b, n ? "\n  ]\n}\n" : "]\n}\n");
	if (buf_error(&b))
		return EXIT_FAILED;
	fwrite(b.data, 1, b.len, stdout);
	return EXIT_OK;
}

/* ---- folders ---- */

static int print_moments(const char *path, const struct moments *m)
{
	static const char *const headings[] = {"MOMENT", "KIND", "TIME", ">COMMIT", NULL};
	_cleanup_buf_ struct buf shown = BUF_INIT;
	_cleanup_table_ struct table t;

	table_init(&t, headings);
	for (int i = 0; i < m->n; i++) {
		const struct moment *x = &m->list[i];
		_cleanup_buf_ struct buf when = BUF_INIT;

		buf_add_moment(&when, x->time);
		table_add(&t, x->name);
		table_add(&t, x->label ? "label" : "day");
		table_add(&t, buf_str(&when));
		table_addf(&t, "%llu", (unsigned long long)x->commit);
	}
	human_name(&shown, path);
	if (!m->n)
		printf("nothing changed below it before today; any time of today as %s/TIME/\n", buf_str(&shown));
	else if (table_print(&t, stdout))
		return EXIT_FAILED;
	else
		printf("\neach as %s/MOMENT/, and any other time likewise\n", buf_str(&shown));
	return EXIT_OK;
}

/* A folder may have the name that a file had before. */
static int print_former(const char *path, const struct history *h, bool all)
{
	_cleanup_buf_ struct buf shown = BUF_INIT;

	if (!h->n)
		return EXIT_OK;
	human_name(&shown, path);
	printf("\na file had this name before; its version N is %s@vN:\n", buf_str(&shown));
	return print_table(h, all);
}

static void add_former(struct json_object *o, const struct history *h, bool all)
{
	struct json_object *list = h->n ? json_object_new_array() : NULL;

	for (int i = 0; i < h->n; i++) {
		if (all || history_readable(h->lines[i].object))
			json_object_array_add(list, json_object_get(h->lines[i].object));
	}
	if (list)
		json_object_object_add(o, "versions", list);
}

static int print_moments_json(const char *path, const struct moments *m, const struct history *former,
			      const struct gone *gone, bool all)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();

	json_object_object_add(o, "path", json_object_new_string(path));
	json_object_object_add(o, "moments", list);
	for (int i = 0; i < m->n; i++) {
		struct json_object *one = json_object_new_object();
		_cleanup_buf_ struct buf when = BUF_INIT;

		buf_add_moment(&when, m->list[i].time);
		json_object_object_add(one, "name", json_object_new_string(m->list[i].name));
		json_object_object_add(one, "kind", json_object_new_string(m->list[i].label ? "label" : "day"));
		json_object_object_add(one, "time", json_object_new_string(buf_str(&when)));
		json_object_object_add(one, "commit", json_object_new_int64((int64_t)m->list[i].commit));
		json_object_array_add(list, one);
	}
	add_former(o, former, all);
	if (gone) {
		json_object_object_add(o, "removed", json_object_new_string(gone->removed));
		json_object_object_add(o, "last", json_object_new_string(gone->then));
	}
	return json_print(o) ? EXIT_FAILED : EXIT_OK;
}

/* GONE: it was removed; else NULL. */
static int show_moments(const char *given, const struct place *p, const struct gone *gone, bool all, bool json)
{
	_cleanup_free_ char *path = NULL;
	struct history former = {0};
	struct moments m;
	int rc = moments_find(given, &path), code;

	if (rc)
		return EXIT_FAILED;
	rc = moments_read(path, &m);
	if (rc) {
		history_say(given, rc);
		return EXIT_FAILED;
	}
	if (p->inside[0])
		history_read(p->path, &former);
	code = json	      ? print_moments_json(path, &m, &former, gone, all)
	       : gone && !m.n ? EXIT_OK
			      : print_moments(path, &m);
	if (!json && !code)
		code = print_former(p->path, &former, all);
	history_release(&former);
	moments_release(&m);
	return code;
}

/* ---- what was removed with its folder, or is one that was ---- */

static int64_t number_of(const char *path, const char *attribute)
{
	char text[32] = "";

	return getxattr(path, attribute, text, sizeof(text) - 1) > 0 ? strtoll(text, NULL, 10) : 0;
}

static int print_gone_json(const char *given, const struct gone *g, const struct stat *st)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();
	int64_t version = S_ISREG(st->st_mode) ? number_of(g->then, "user.tarn.version") : 0;

	json_object_object_add(o, "path", json_object_new_string(given));
	json_object_object_add(o, "removed", json_object_new_string(g->removed));
	json_object_object_add(o, "folder", json_object_new_string(g->folder.path));
	json_object_object_add(o, "last", json_object_new_string(g->then));
	if (version)
		json_object_object_add(o, "version", json_object_new_int64(version));
	return json_print(o) ? EXIT_FAILED : EXIT_OK;
}

static void print_gone(const char *given, const struct gone *g, const struct stat *st)
{
	_cleanup_buf_ struct buf folder = BUF_INIT, then = BUF_INIT, path = BUF_INIT, size = BUF_INIT;

	human_name(&folder, g->folder.path);
	human_name(&then, g->then);
	human_name(&path, given);
	printf("%s was removed or renamed at %s\n", buf_str(&folder), g->removed);
	if (S_ISDIR(st->st_mode)) {
		printf("what it was before that: %s/ (`tarn restore %s` brings it back)\n", buf_str(&then),
		       buf_str(&then));
		return;
	}
	human_size(&size, (uint64_t)st->st_size);
	printf("what was there before that: %s (%s)\n", buf_str(&then), buf_str(&size));
	if (S_ISREG(st->st_mode))
		printf("it was version %lld; `tarn restore %s@v-1` brings it back, and the earlier ones\n"
		       "if its folder was not renamed; else those are under the folder's new name\n",
		       (long long)number_of(g->then, "user.tarn.version"), buf_str(&path));
}

/* True: GIVEN is, or was below, a folder that was removed; the answer is printed, and *CODE what it comes to. */
static bool show_gone(const char *given, bool all, bool json, int *code)
{
	_cleanup_gone_ struct gone g = {0};
	struct stat st;

	if (gone_find(given, &g))
		return false;
	*code = EXIT_OK;
	if (lstat(g.then, &st) < 0) {
		say("%s: %s was removed or renamed at %s, and this was not in it then", given, g.folder.path,
		    g.removed);
		*code = EXIT_FAILED;
	} else if (!g.below[0]) {
		if (!json)
			print_gone(given, &g, &st);
		*code = show_moments(given, &g.folder, &g, all, json);
	} else if (json) {
		*code = print_gone_json(given, &g, &st);
	} else {
		print_gone(given, &g, &st);
	}
	return true;
}

/* ---- files ---- */

static int show_versions(const char *path, bool all, bool json)
{
	struct history h;
	int rc = history_read(path, &h), code;

	if (rc) {
		history_say(path, rc);
		return EXIT_FAILED;
	}
	code = json ? print_json(&h, path, all) : print_table(&h, all);
	history_release(&h);
	return code;
}

/* A folder, or the whole lake: it has no history of its own, but moments. */
static bool has_moments(const struct place *p)
{
	struct stat st;

	return !p->inside[0] || (!lstat(p->path, &st) && S_ISDIR(st.st_mode));
}

static int run_versions(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, OPTION_JSON}, {"all", no_argument, NULL, 'a'}, {0}};
	_cleanup_place_ struct place p = {0};
	bool json = false, all = false;
	int c;

	while ((c = verb_option(v, argc, argv, "a", options)) != -1) {
		json |= c == OPTION_JSON;
		all |= c == 'a';
	}
	verb_arguments(v, argc, argv, 1, 1);
	if (show_gone(argv[optind], all, json, &c))
		return c;
	c = place_find(argv[optind], &p);
	if (c)
		say("%s: %s", argv[optind], strerror(-c));
	else if (!p.point || !p.inside)
		c = place_say_not_on_mount(&p);
	if (c)
		return EXIT_FAILED;
	return has_moments(&p) ? show_moments(argv[optind], &p, NULL, all, json) : show_versions(p.path, all, json);
}

const struct verb verb_versions = {
	.name = "versions",
	.args = "PATH [--all] [--json]",
	.summary = "the history of a file or folder, also of a deleted one",
	.details =
		"Lists the versions of the file PATH on a mounted lake: number, time, size, who\n"
		"wrote it with which program, how it is kept. Version N can be read as PATH@vN,\n"
		"compared by `tarn diff` and brought back by `tarn restore`; as of its TIME (in\n"
		"UTC) it is PATH@v/TIME. Of a folder its labels are listed, and the last days on\n"
		"which something below it changed: PATH@v/DAY/ shows it as it was. What was\n"
		"deleted keeps its history under its old path, and a file whose name a folder\n"
		"has now is listed with that.\n"
		"\n"
		"options:\n"
		"  -a, --all    also versions that cannot be read any more, with the reason\n"
		"      --json   as JSON, with checksums and commits\n"
		"  -h, --help   say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn versions orders.csv\n"
		"  tarn versions reports\n"
		"  tarn versions ~/lake/buckets/raw-data/gone.csv --all --json\n",
	.run = run_versions,
};
