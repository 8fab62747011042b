/*
 * .catalog/export/: the tables of the lake in the words of other programs.
 *
 *	datapackage.json	a Data Package of the Frictionless standard (version 1), of tables in CSV
 *	duckdb.sql		a view per table, for `duckdb -init`; run where the lake is mounted
 *	roapi.yml		the tables for ROAPI, relative to the mount
 *
 * Names of tables are made of their paths: what is no letter or digit becomes "_"; of two that are then the same, the
 * second has "_2" at its end. A folder of parts (ns/parts.h) is one table. Of what a labelled moment had there is a
 * view, too: "raw_data_sales_csv@end-of-year".
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "ns/view/view_catalog.h"
#include "sniff/description.h"

struct used_name {
	UT_hash_handle hh;
	char name[];
};

/* A moment with a name, of what lies in FOLDER. */
struct moment_label {
	uint64_t folder, commit;
	char *path, *name;
};

/* The table in hand. */
struct exported {
	const char *path, *name;
	const struct description *d;
	const struct parts *parts; /* it is a folder of these; or NULL */
};

struct export
{
	struct catalog *c;
	struct buf *out;
	uint64_t n;
	int (*add)(struct export * e, const struct exported *t);
	struct parts_known known;
	struct used_name *names;
	struct moment_label *labels;
	size_t nlabels, labels_room;
};

static bool is_format(const struct description *d, const char *format)
{
	return d->format && !strcmp(d->format, format);
}

/* One table in one file, that the programs below read by themselves. */
static bool is_plain_table(const struct description *d)
{
	return d->kind == DESCRIBED_TABLE && (is_format(d, "csv") || is_format(d, "tsv") || is_format(d, "parquet") ||
					      is_format(d, "json") || is_format(d, "jsonl"));
}

/* "raw_data_sales_csv", in small letters. */
static void add_name(struct buf *b, const char *path)
{
	if (isdigit((unsigned char)*path))
		buf_addc(b, '_');
	for (; *path; path++)
		buf_addc(b, isalnum((unsigned char)*path) ? (char)tolower((unsigned char)*path) : '_');
}

static bool is_used(struct export *e, const char *name)
{
	struct used_name *n;

	HASH_FIND_STR(e->names, name, n);
	return n;
}

/* NAME becomes one that nothing else has. */
static int make_unique(struct export *e, struct buf *name)
{
	size_t len = name->len;
	struct used_name *n;

	for (int i = 2; is_used(e, buf_str(name)); i++) {
		name->len = len;
		buf_addf(name, "_%d", i);
	}
	n = buf_error(name) ? NULL : malloc(sizeof(*n) + name->len + 1);
	if (!n)
		return -ENOMEM;
	memcpy(n->name, buf_str(name), name->len + 1);
	HASH_ADD_STR(e->names, name, n);
	return 0;
}

static void add_json(struct buf *b, const char *text)
{
	buf_add_json(b, text, strlen(text));
}

/* ---- datapackage.json ---- */

/* DuckDB's types in those of Table Schema. */
static const char *frictionless_type(const char *type)
{
	static const char *const types[][2] = {{"BOOLEAN", "boolean"}, {"BIGINT", "integer"}, {"HUGEINT", "integer"},
					       {"INTEGER", "integer"}, {"DOUBLE", "number"},  {"FLOAT", "number"},
					       {"DATE", "date"},       {"TIME", "time"},      {"VARCHAR", "string"}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i][0], type))
			return types[i][1];
	return !strncmp(type, "DECIMAL", 7) ? "number" : !strncmp(type, "TIMESTAMP", 9) ? "datetime" : "any";
}

/* The standard has none with two dots in a row, or that begin so. */
static bool can_be_a_path(const char *path)
{
	return !strstr(path, "..") && !strchr("./~", *path);
}

static void add_fields(struct buf *b, const struct description *d)
{
	for (size_t i = 0; i < d->ncolumns; i++) {
		const char *type = frictionless_type(d->columns[i].type);

		buf_adds(b, i ? "," : "");
		buf_adds(b, "\n        {\"name\": ");
		add_json(b, d->columns[i].name);
		buf_addf(b, ", \"type\": \"%s\"%s}", type,
			 !strcmp(type, "date") || !strcmp(type, "time") || !strcmp(type, "datetime")
				 ? ", \"format\": \"any\""
				 : "");
	}
}

/* A list, for a table of parts. */
static void add_paths(struct buf *b, const struct exported *t)
{
	const struct buf *paths = t->parts ? &t->parts->paths : NULL;

	if (!paths) {
		add_json(b, t->path);
		return;
	}
	for (const char *path = paths->data; path < paths->data + paths->len; path += strlen(path) + 1) {
		buf_adds(b, path == paths->data ? "[" : ", ");
		add_json(b, path);
	}
	buf_addc(b, ']');
}

static int add_resource(struct export *e, const struct exported *t)
{
	struct buf *b = e->out;
	const struct description *d = t->d;
	char delimiter = d->delimiter ? d->delimiter : is_format(d, "tsv") ? '\t' : ',';

	if (d->compression || !(is_format(d, "csv") || is_format(d, "tsv")) || !can_be_a_path(t->path))
		return 0;
	buf_adds(b, e->n++ ? ",\n    {\"name\": \"" : "\n    {\"name\": \"");
	buf_addf(b,
		 "%s\", \"profile\": \"tabular-data-resource\", \"format\": \"csv\", \"mediatype\": \"text/csv\",\n"
		 "      \"encoding\": \"%s\", \"path\": ",
		 t->name, d->encoding ? d->encoding : "utf-8");
	add_paths(b, t);
	buf_adds(b, ",\n      \"dialect\": {\"delimiter\": ");
	buf_add_json(b, &delimiter, 1);
	buf_adds(b, ", \"doubleQuote\": true, \"quoteChar\": ");
	buf_add_json(b, &(char){d->quote ? d->quote : '"'}, 1);
	buf_addf(b, ", \"header\": %s},\n      \"schema\": {\"fields\": [", d->header ? "true" : "false");
	add_fields(b, d);
	buf_adds(b, "]}}");
	return buf_error(b);
}

/* ---- duckdb.sql ---- */

static void add_sql_string(struct buf *b, const char *text)
{
	buf_addc(b, '\'');
	for (; *text; text++)
		buf_adds(b, *text == '\'' ? "''" : (const char[]){*text, 0});
	buf_addc(b, '\'');
}

static void add_reader(struct buf *b, const char *path, const struct exported *t)
{
	const struct description *d = t->d;

	buf_addf(b, "%s(",
		 is_format(d, "parquet")				      ? "read_parquet"
		 : d->delimiter || is_format(d, "csv") || is_format(d, "tsv") ? "read_csv"
									      : "read_json");
	add_sql_string(b, path);
	if (is_format(d, "csv") || is_format(d, "tsv")) {
		buf_adds(b, ", delim=");
		add_sql_string(b, (const char[]){d->delimiter ? d->delimiter : ',', 0});
		buf_addf(b, ", header=%s", d->header ? "true" : "false");
	}
	if (t->parts)
		buf_addf(b, ", union_by_name=true, hive_partitioning=%s", t->parts->deep ? "true" : "false");
	buf_addc(b, ')');
}

static void add_create(struct buf *b, const char *name, const char *path, const struct exported *t)
{
	buf_adds(b, "CREATE OR REPLACE VIEW \"");
	for (const char *p = name; *p; p++)
		buf_adds(b, *p == '"' ? "\"\"" : (const char[]){*p, 0});
	buf_adds(b, "\" AS SELECT * FROM ");
	add_reader(b, path, t);
	buf_adds(b, ";\n");
}

/* Was there, in that moment, what can be read of PATH, which is in FOLDER? 1, 0 or -errno. */
static int was_there(struct store *s, uint64_t folder, uint64_t commit, const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	struct node_row row = {.id = folder, .kind = KIND_FOLDER};
	struct version_row v;
	char *save, *name;
	int rc = copy ? 0 : -ENOMEM;

	for (name = rc ? NULL : strtok_r(copy, "/", &save); !rc && name; name = strtok_r(NULL, "/", &save))
		rc = row.kind == KIND_FOLDER ? store_entry_was(s, row.id, name, commit, &row) : -ENOENT;
	if (!rc)
		rc = row.kind == KIND_FILE ? store_version(s, row.version, &v) : -ENOENT;
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	return v.state == VERSION_LIVE || v.state == VERSION_KEPT;
}

/* What follows the folder of L in PATH; NULL: it lies elsewhere. */
static const char *below(const struct moment_label *l, const char *path)
{
	size_t len = strlen(l->path);

	if (!len)
		return path;
	return !strncmp(path, l->path, len) && path[len] == '/' ? path + len + 1 : NULL;
}

/* One of the parts is enough. */
static int was_table(struct export *e, const struct moment_label *l, const struct exported *t)
{
	const struct buf *paths = t->parts ? &t->parts->paths : NULL;
	int rc = 0;

	if (!paths)
		return was_there(e->c->lake->store, l->folder, l->commit, below(l, t->path));
	for (const char *path = paths->data; !rc && path < paths->data + paths->len; path += strlen(path) + 1)
		rc = was_there(e->c->lake->store, l->folder, l->commit, below(l, path));
	return rc;
}

static int add_labelled(struct export *e, const struct moment_label *l, const struct exported *t)
{
	_cleanup_buf_ struct buf name = BUF_INIT, path = BUF_INIT, pattern = BUF_INIT;
	int rc = was_table(e, l, t);

	if (rc <= 0)
		return rc;
	if (t->parts)
		parts_add_pattern(&pattern, t->parts);
	buf_addf(&name, "%s@%s", t->name, l->name);
	buf_addf(&path, "%s@v/%s/%s", l->path, l->name, below(l, t->parts ? buf_str(&pattern) : t->path));
	rc = buf_error(&path) || buf_error(&pattern) ? -ENOMEM : make_unique(e, &name);
	if (!rc)
		add_create(e->out, buf_str(&name), buf_str(&path), t);
	return rc;
}

static int add_view(struct export *e, const struct exported *t)
{
	_cleanup_buf_ struct buf pattern = BUF_INIT;
	int rc = 0;

	if (t->parts)
		parts_add_pattern(&pattern, t->parts);
	add_create(e->out, t->name, t->parts ? buf_str(&pattern) : t->path, t);
	for (size_t i = 0; !rc && i < e->nlabels; i++)
		if (below(&e->labels[i], t->path))
			rc = add_labelled(e, &e->labels[i], t);
	return rc ? rc : buf_error(e->out);
}

/* ---- roapi.yml ---- */

static void add_partitions(struct buf *b, const struct parts *p)
{
	if (p->keys.len)
		buf_adds(b, "    partition_columns:\n");
	for (const char *key = p->keys.data; key && key < p->keys.data + p->keys.len; key += strlen(key) + 1) {
		buf_adds(b, "      - name: ");
		add_json(b, key);
		buf_adds(b, "\n        data_type: Utf8\n");
	}
}

static int add_roapi(struct export *e, const struct exported *t)
{
	struct buf *b = e->out;
	const struct description *d = t->d;
	bool csv = is_format(d, "csv") || is_format(d, "tsv");

	if (d->compression)
		return 0;
	buf_addf(b, "  - name: \"%s\"\n    uri: ", t->name);
	add_json(b, t->path);
	buf_addf(b, "\n    option:\n      format: \"%s\"\n",
		 csv			   ? "csv"
		 : is_format(d, "parquet") ? "parquet"
		 : is_format(d, "jsonl")   ? "ndjson"
					   : "json");
	if (csv) {
		buf_addf(b, "      has_header: %s\n      delimiter: ", d->header ? "true" : "false");
		buf_add_json(b, &(char){d->delimiter ? d->delimiter : ','}, 1);
		buf_adds(b, "\n");
	}
	if (t->parts)
		add_partitions(b, t->parts);
	return buf_error(b);
}

/* ---- all of them ---- */

struct seen_table {
	struct export *e;
	const char *path;
	const struct parts *parts;
};

static int see_description(void *arg, const struct description_row *row)
{
	struct seen_table *seen = arg;
	_cleanup_description_ struct description d = {0};
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct exported t = {.path = seen->path, .parts = seen->parts, .d = &d};
	int rc;

	description_init(&d);
	rc = row->facts ? description_parse(&d, row->facts, strlen(row->facts)) : 0;
	if (rc || d.unreadable || !is_plain_table(&d))
		return rc == -EBADMSG ? 0 : rc;
	add_name(&name, t.path);
	rc = make_unique(seen->e, &name);
	t.name = buf_str(&name);
	return rc ? rc : seen->e->add(seen->e, &t);
}

static int see_table(void *arg, uint64_t node)
{
	struct export *e = arg;
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct seen_table seen = {.e = e};
	struct parts *parts = NULL;
	struct node_row row;
	uint64_t version;
	int rc = reader_sees(&e->c->reader, node, &row, &path);

	if (rc <= 0)
		return rc;
	seen.path = buf_str(&path);
	rc = parts_of_file(&e->known, seen.path, &parts);
	if (!rc && parts) {
		if (parts->told)
			return 0;
		parts->told = true;
		seen.path = parts->root;
		seen.parts = parts;
		version = parts->version;
	} else if (!rc) {
		rc = store_document(e->c->lake->store, node, &version, NULL);
	}
	if (!rc)
		rc = store_description(e->c->lake->store, version, see_description, &seen);
	return rc == -ENOENT ? 0 : rc;
}

static int note_label(void *arg, const struct label_row *l)
{
	struct export *e = arg;
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct moment_label *m;
	int rc = l->folder == NODE_ROOT ? 0 : store_path(e->c->lake->store, l->folder, &path);

	if (rc || buf_error(&path) || (!path.len && l->folder != NODE_ROOT))
		return rc == -ENOENT ? 0 : rc;
	if (array_grow(&e->labels, e->nlabels, &e->labels_room, sizeof(*e->labels)))
		return -ENOMEM;
	m = &e->labels[e->nlabels++];
	*m = (struct moment_label){l->folder, l->commit, strdup(buf_str(&path)), strdup(l->name)};
	return m->path && m->name ? 0 : -ENOMEM;
}

static void release(struct export *e)
{
	struct used_name *n, *next;

	parts_known_release(&e->known);
	HASH_ITER (hh, e->names, n, next) {
		HASH_DEL(e->names, n);
		free(n);
	}
	for (size_t i = 0; i < e->nlabels; i++) {
		free(e->labels[i].path);
		free(e->labels[i].name);
	}
	free(e->labels);
}

static const struct {
	const char *name, *before, *after;
	int (*add)(struct export *e, const struct exported *t);
} files[] = {
	{"datapackage.json", "{\"profile\": \"tabular-data-package\", \"name\": \"lake\",\n  \"resources\": [", "]}\n",
	 add_resource},
	{"duckdb.sql", "-- Paths are relative to the mount: run it there.\n", "", add_view},
	{"roapi.yml", "tables:\n", "", add_roapi},
};
#define FILES (sizeof(files) / sizeof(files[0]))

int catalog_export_look_up(struct catalog *c, const char *path, char *rest, struct view_node *draft)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct export e = {.c = c, .out = &text, .known = {.reader = &c->reader}};
	int rc = 0;

	for (size_t i = 0; i < FILES; i++) {
		if (strcmp(files[i].name, rest))
			continue;
		e.add = files[i].add;
		buf_adds(&text, files[i].before);
		if (e.add == add_view)
			rc = store_labels(c->lake->store, 0, note_label, &e);
		if (!rc)
			rc = store_table_nodes(c->lake->store, see_table, &e);
		buf_adds(&text, files[i].after);
		release(&e);
		return rc ? rc : catalog_file(c, path, &text, draft);
	}
	return -ENOENT;
}

int catalog_export_list(struct catalog *c, char *rest, view_emit_fn emit, void *arg)
{
	int rc = 0;

	(void)c;
	(void)rest;
	for (size_t i = 0; i < FILES && !rc; i++)
		rc = emit(arg, files[i].name, KIND_FILE, 0);
	return rc;
}
