/* tarn catalog: declares tables (init), and makes those that a command makes (run). */
#include "cli/catalog.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/full_io.h"
#include "cli/facts.h"
#include "cli/place.h"
#include "cli/reload.h"
#include "cli/verb_list.h"
#include "config/table.h"

/* ---- what was inferred ---- */

/* A file of .catalog as JSON. 0 or -errno, which is said. */
static int read_catalog(const char *point, const char *file, struct json_object **out)
{
	_cleanup_buf_ struct buf path = BUF_INIT, text = BUF_INIT;
	int rc;

	*out = NULL;
	buf_addf(&path, "%s/.catalog/%s", point, file);
	rc = buf_error(&path) ? -ENOMEM : read_file_at(AT_FDCWD, buf_str(&path), &text);
	if (!rc) {
		*out = json_tokener_parse(buf_str(&text));
		rc = *out ? 0 : -EBADMSG;
	}
	if (rc == -ENOENT || rc == -ENOTDIR)
		say("%s: no table is known there (a file with columns is one, a moment after it was written)", file);
	else if (rc)
		say("%s: %s", buf_str(&path), strerror(-rc));
	return rc;
}

static void add_quoted(struct buf *b, const char *text)
{
	buf_add_json(b, text, strlen(text));
}

static int64_t number(struct json_object *o, const char *key)
{
	return json_object_get_int64(json_object_object_get(o, key));
}

static void add_column(struct buf *b, struct json_object *c)
{
	const char *name = json_text(c, "name"), *type = json_text(c, "type");
	int64_t count = number(c, "count"), distinct = number(c, "distinct");

	if (!name || !type)
		return;
	buf_adds(b, "  - name: ");
	add_quoted(b, name);
	buf_adds(b, "\n    type: ");
	add_quoted(b, type);
	buf_adds(b, "\n    description: \"\"\n");
	if (count && !number(c, "nulls"))
		buf_adds(b, "    nullable: false\n");
	if (count > 1 && distinct == count && !json_flag(c, "approximate"))
		buf_adds(b, "    unique: true\n");
}

/* Of the file's: "raw-data/Sales 2026.csv.gz" -> "sales_2026". */
static void add_name(struct buf *b, const char *path)
{
	const char *slash = strrchr(path, '/'), *p = slash ? slash + 1 : path;
	size_t len = strcspn(p, ".");

	if (isdigit((unsigned char)*p) || !len)
		buf_addc(b, '_');
	for (size_t i = 0; i < len && b->len < TABLE_NAME_PART; i++)
		buf_addc(b, isalnum((unsigned char)p[i]) ? (char)tolower((unsigned char)p[i]) : '_');
}

static void add_tags(struct buf *b, const char *tags)
{
	buf_addc(b, '[');
	for (const char *p = tags; p && *p; p += strspn(p, ",")) {
		size_t len = strcspn(p, ",");

		buf_adds(b, p == tags ? "" : ", ");
		buf_add_json(b, p, len);
		p += len;
	}
	buf_addc(b, ']');
}

static void compose(struct buf *b, const char *name, struct json_object *table, struct json_object *stats)
{
	struct json_object *columns = json_object_object_get(stats, "columns");

	buf_addf(b, "# as `tarn catalog init` found it; tarn.yaml(5) says what else can be declared\nname: %s\npath: ",
		 name);
	add_quoted(b, json_text(table, "path"));
	buf_adds(b, "\ndescription: \"\"\nowner: \"\"\ntags: ");
	add_tags(b, json_text(table, "tags"));
	buf_adds(b, "\ncolumns:\n");
	for (size_t i = 0; json_object_is_type(columns, json_type_array) && i < json_object_array_length(columns); i++)
		add_column(b, json_object_array_get_idx(columns, i));
}

/* ---- init ---- */

struct catalog_init {
	const char *lake, *point;
	struct declared_tables *declared;
	int made, failed;
};

static int write_new(const struct catalog_init *c, const char *name, const struct buf *text, struct buf *path)
{
	_cleanup_close_ int fd = -1;
	int rc;

	buf_addf(path, "%s/config/tables", c->lake);
	if (buf_error(path))
		return -ENOMEM;
	if (mkdir(buf_str(path), 0700) < 0 && errno != EEXIST)
		return -errno;
	buf_addf(path, "/%s.yaml", name);
	fd = buf_error(path) ? -1 : open(buf_str(path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = write_full_at(fd, text->data, text->len, 0) < 0 || fsync(fd) < 0 ? -errno : 0;
	if (rc)
		unlink(buf_str(path));
	return rc;
}

/* TABLE: its row of tables.json. */
static int declare(struct catalog_init *c, struct json_object *table)
{
	_cleanup_buf_ struct buf name = BUF_INIT, file = BUF_INIT, text = BUF_INIT, written = BUF_INIT;
	_cleanup_json_ struct json_object *stats = NULL;
	const char *path = json_text(table, "path");
	int rc;

	buf_addf(&file, "table/%s/stats.json", path);
	add_name(&name, path);
	rc = buf_error(&file) || buf_error(&name) ? -ENOMEM : read_catalog(c->point, buf_str(&file), &stats);
	if (rc)
		return rc;
	compose(&text, buf_str(&name), table, stats);
	rc = buf_error(&text) ? -ENOMEM : write_new(c, buf_str(&name), &text, &written);
	if (rc)
		say("%s: %s", written.len ? buf_str(&written) : path, strerror(-rc));
	else
		printf("%s\n", buf_str(&written));
	return rc;
}

/* All of them, or that at PATH. True: there was one. */
static bool init_tables(struct catalog_init *c, struct json_object *tables, const char *path)
{
	bool found = false;

	for (size_t i = 0; i < json_object_array_length(tables); i++) {
		struct json_object *table = json_object_array_get_idx(tables, i);
		const char *at = json_text(table, "path");
		const struct declared_table *t = at ? tables_at(c->declared, at) : NULL;

		if (!at || (path && strcmp(path, at)))
			continue;
		found = true;
		if (t && path)
			say("%s: config/tables/%s declares it already", at, t->file);
		c->failed += t && path;
		if (t)
			continue;
		if (declare(c, table))
			c->failed++;
		else
			c->made++;
	}
	return found;
}

/* GIVEN: a path, as the user sees it. */
static void init_one(struct catalog_init *c, struct json_object *tables, const char *given)
{
	_cleanup_place_ struct place p = {0};

	if (place_on_mount(given, &p) < 0) {
		c->failed++;
	} else if (!init_tables(c, tables, p.inside)) {
		say("%s: this is no table (a file with columns is one, a moment after it was written)", given);
		c->failed++;
	}
}

static int load_declared(const char *lake, struct declared_tables **out)
{
	struct findings findings = {0};
	int rc = tables_load(lake, out, &findings);

	findings_say(&findings);
	findings_release(&findings);
	if (rc)
		say("%s: %s", lake, strerror(-rc));
	return rc;
}

static int run_init(const struct place *p, int n, char **paths)
{
	struct catalog_init c = {.lake = p->lake, .point = p->point};
	_cleanup_json_ struct json_object *tables = NULL;

	if (read_catalog(p->point, "tables.json", &tables) || load_declared(p->lake, &c.declared))
		return EXIT_FAILED;
	if (!n)
		init_tables(&c, tables, NULL);
	for (int i = 0; i < n; i++)
		init_one(&c, tables, paths[i]);
	tables_unref(c.declared);
	if (c.made)
		reload_lake(p->lake);
	return !c.failed ? EXIT_OK : c.made ? EXIT_PARTLY : EXIT_FAILED;
}

/* ---- run ---- */

static int run_tables(const struct place *p, int n, char **names)
{
	struct declared_tables *declared;
	int failed = 0, done = 0;

	if (load_declared(p->lake, &declared))
		return EXIT_FAILED;
	for (int i = 0; i < n; i++) {
		const struct declared_table *t = tables_named(declared, names[i]);

		if (t && t->command)
			failed += table_run(p->lake, p->point, t) != 0;
		else
			say("%s: %s", names[i],
			    t ? "no command makes this table (source: {command: …})"
			      : "no such table is declared, or several");
		failed += !t || !t->command;
		done++;
	}
	tables_unref(declared);
	return !failed ? EXIT_OK : failed < done ? EXIT_PARTLY : EXIT_FAILED;
}

static int run_catalog(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"in", required_argument, NULL, OPTION_FIRST}, {0}};
	_cleanup_place_ struct place p = {0};
	const char *in = ".", *action;
	int c, n, rc;

	while ((c = verb_option(v, argc, argv, "", options)) != -1)
		if (c == OPTION_FIRST)
			in = optarg;
	n = verb_arguments(v, argc, argv, 1, 1 << 20) - 1;
	action = argv[optind];
	if (strcmp(action, "init") && strcmp(action, "run"))
		return verb_misuse(v, "'%s' is neither init nor run", action);
	if (!strcmp(action, "run") && !n)
		return verb_misuse(v, "run wants the names of tables");
	rc = place_find(in, &p);
	if (rc)
		say("%s: %s", in, strerror(-rc));
	else if (!p.point)
		rc = place_say_not_on_mount(&p);
	if (rc)
		return EXIT_FAILED;
	return !strcmp(action, "init") ? run_init(&p, n, argv + optind + 1) : run_tables(&p, n, argv + optind + 1);
}

const struct verb verb_catalog = {
	.name = "catalog",
	.args = "init [PATH...] | run TABLE... [--in PATH]",
	.summary = "declare tables, and make those that a command makes",
	.details =
		"init   writes config/tables/NAME.yaml for the tables at PATH, or for all that\n"
		"       are not declared yet, from what was found out about them: columns,\n"
		"       types, which have no nulls, which values are unique, tags. To be gone\n"
		"       over by you; `tarn reload` applies what you change.\n"
		"run    runs the command of a table (source: {command: …}) as the user who asks,\n"
		"       in the mount's root; what it prints becomes a new version of the file\n"
		"       when it ends with 0. It has `timeout` seconds. Not where others can\n"
		"       write the declaration.\n"
		"\n"
		"options:\n"
		"      --in PATH  in the lake that is mounted there (the current folder's)\n"
		"  -h, --help     say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn catalog init raw-data/customers.csv\n"
		"  tarn catalog run customer_summary\n",
	.run = run_catalog,
};
