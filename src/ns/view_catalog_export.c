/*
 * .catalog/export/: the tables of the lake in the words of other programs.
 *
 *	datapackage.json	a Data Package of the Frictionless standard (version 1), of tables in CSV
 *	duckdb.sql		a view per table, for `duckdb -init`; run where the lake is mounted
 *	roapi.yml		the tables for ROAPI, relative to the mount
 *
 * Names of tables are made of their paths: what is no letter or digit becomes "_".
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ns/view_catalog.h"
#include "sniff/description.h"

struct export
{
	struct catalog *c;
	struct buf *out;
	uint64_t n;
	int (*add)(struct export * e, const char *path, const struct description *d);
	/* the table in hand */
	const char *path;
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

static int add_resource(struct export *e, const char *path, const struct description *d)
{
	struct buf *b = e->out;
	char delimiter = d->delimiter ? d->delimiter : is_format(d, "tsv") ? '\t' : ',';

	if (!is_plain_table(d) || d->compression || !(is_format(d, "csv") || is_format(d, "tsv")))
		return 0;
	buf_adds(b, e->n++ ? ",\n    {\"name\": \"" : "\n    {\"name\": \"");
	add_name(b, path);
	buf_addf(b,
		 "\", \"profile\": \"tabular-data-resource\", \"format\": \"csv\", \"mediatype\": \"text/csv\",\n"
		 "      \"encoding\": \"%s\", \"path\": ",
		 d->encoding ? d->encoding : "utf-8");
	add_json(b, path);
	buf_adds(b, ",\n      \"dialect\": {\"delimiter\": ");
	buf_add_json(b, &delimiter, 1);
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

static void add_reader(struct buf *b, const char *path, const struct description *d)
{
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
	buf_addc(b, ')');
}

static int add_view(struct export *e, const char *path, const struct description *d)
{
	struct buf *b = e->out;

	if (!is_plain_table(d))
		return 0;
	buf_adds(b, "CREATE OR REPLACE VIEW \"");
	add_name(b, path);
	buf_adds(b, "\" AS SELECT * FROM ");
	add_reader(b, path, d);
	buf_adds(b, ";\n");
	return buf_error(b);
}

/* ---- roapi.yml ---- */

static int add_roapi(struct export *e, const char *path, const struct description *d)
{
	struct buf *b = e->out;
	bool csv = is_format(d, "csv") || is_format(d, "tsv");

	if (!is_plain_table(d) || d->compression)
		return 0;
	buf_adds(b, "  - name: \"");
	add_name(b, path);
	buf_adds(b, "\"\n    uri: ");
	add_json(b, path);
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
	return buf_error(b);
}

/* ---- all of them ---- */

static int see_description(void *arg, const struct description_row *row)
{
	struct export *e = arg;
	_cleanup_description_ struct description d = {0};
	int rc;

	description_init(&d);
	rc = row->facts ? description_parse(&d, row->facts, strlen(row->facts)) : 0;
	if (!rc && !d.unreadable)
		rc = e->add(e, e->path, &d);
	return rc == -EBADMSG ? 0 : rc;
}

static int see_table(void *arg, uint64_t node)
{
	struct export *e = arg;
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct node_row row;
	uint64_t version;
	int rc = reader_sees(&e->c->reader, node, &row, &path);

	if (rc <= 0)
		return rc;
	e->path = buf_str(&path);
	rc = store_document(e->c->lake->store, node, &version, NULL);
	if (!rc)
		rc = store_description(e->c->lake->store, version, see_description, e);
	return rc == -ENOENT ? 0 : rc;
}

static const struct {
	const char *name, *before, *after;
	int (*add)(struct export *e, const char *path, const struct description *d);
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
	struct export e = {.c = c, .out = &text};
	int rc;

	for (size_t i = 0; i < FILES; i++) {
		if (strcmp(files[i].name, rest))
			continue;
		e.add = files[i].add;
		buf_adds(&text, files[i].before);
		rc = store_table_nodes(c->lake->store, see_table, &e);
		buf_adds(&text, files[i].after);
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
