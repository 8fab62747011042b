/*
 * .catalog/table/<folder>/{schema.json,stats.json,sample.csv,parts.csv}: what is known of a table of parts
 * (ns/parts.h). Its columns are those of the part that changed last.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "ns/sheet.h"
#include "ns/view/view_catalog.h"

static void add_string(struct buf *b, const char *s)
{
	buf_add_json(b, s, strlen(s));
}

int catalog_parts_describe(const struct parts *p, const struct description_row *d, struct buf *json, void *arg,
			   store_description_fn fn)
{
	struct description_row all = *d;

	buf_adds(json, "{\"kind\":\"table\",\"format\":");
	add_string(json, d->format);
	buf_addf(json, ",\"rows\":%" PRId64 ",\"columns\":%s}", p->rows, d->columns ? d->columns : "[]");
	all.rows = p->rows;
	all.facts = buf_str(json);
	return buf_error(json) ? -ENOMEM : fn(arg, &all);
}

struct shown {
	struct catalog *c;
	const struct parts *parts;
	struct buf *out;
};

/* What schema.json and stats.json begin with. */
static void add_head(struct shown *s, const struct description_row *d)
{
	buf_adds(s->out, "{\"path\":");
	add_string(s->out, s->parts->root);
	buf_addf(s->out, ",\"parts\":%" PRIu64 ",\"format\":", s->parts->files);
	add_string(s->out, d->format);
	buf_adds(s->out, ",\"partitions\":[");
	for (const char *key = s->parts->keys.data; key && key < s->parts->keys.data + s->parts->keys.len;
	     key += strlen(key) + 1) {
		buf_adds(s->out, key == s->parts->keys.data ? "" : ",");
		add_string(s->out, key);
	}
	buf_adds(s->out, "],\"pattern\":");
}

static void add_pattern_and_columns(struct shown *s, const struct description_row *d)
{
	_cleanup_buf_ struct buf pattern = BUF_INIT;

	parts_add_pattern(&pattern, s->parts);
	add_string(s->out, buf_str(&pattern));
	buf_addf(s->out, ",\n \"columns\":%s", d->columns ? d->columns : "[]");
}

static int add_schema(void *arg, const struct description_row *d)
{
	struct shown *s = arg;

	add_head(s, d);
	add_pattern_and_columns(s, d);
	buf_adds(s->out, "}\n");
	return buf_error(s->out);
}

static int add_stats(void *arg, const struct description_row *d)
{
	struct shown *s = arg;

	add_head(s, d);
	add_pattern_and_columns(s, d);
	buf_addf(s->out, ",\n \"size\":%" PRIu64 ",\"mtime\":\"", s->parts->size);
	buf_add_time(s->out, s->parts->mtime);
	buf_adds(s->out, "\",\"rows\":");
	if (s->parts->rows >= 0)
		buf_addf(s->out, "%" PRId64 "}\n", s->parts->rows);
	else
		buf_adds(s->out, "null}\n");
	return buf_error(s->out);
}

static int add_sample(void *arg, const struct description_row *d)
{
	struct shown *s = arg;

	buf_adds(s->out, d->sample ? d->sample : "");
	return buf_error(s->out);
}

/* ---- parts.csv ---- */

struct part_row {
	struct sheet *sheet;
	const char *path;
	const struct node_row *row;
	const struct version_row *version;
};

static int add_part(void *arg, const struct description_row *d)
{
	const struct part_row *p = arg;
	struct sheet *s = p->sheet;

	sheet_row(s);
	sheet_text(s, "path", p->path);
	sheet_number(s, "version", (int64_t)p->version->number);
	sheet_number_if(s, "rows", d->rows >= 0, d->rows);
	sheet_number(s, "size", (int64_t)p->row->size);
	sheet_time(s, "mtime", p->row->mtime);
	sheet_number(s, "schema", (int64_t)d->schema);
	sheet_end_row(s);
	return buf_error(s->out);
}

static int see_part(struct catalog *c, struct sheet *sheet, const char *path)
{
	struct node_row row;
	struct version_row v;
	struct part_row p = {sheet, path, &row, &v};
	uint64_t version;
	int rc = reader_find(&c->reader, path, &row);

	if (rc > 0)
		rc = store_document(c->lake->store, row.id, &version, NULL);
	else
		return rc;
	if (!rc)
		rc = store_version(c->lake->store, version, &v);
	if (!rc)
		rc = store_description(c->lake->store, version, add_part, &p);
	return rc == -ENOENT ? 0 : rc;
}

static int render_parts(struct shown *s)
{
	const struct buf *paths = &s->parts->paths;
	struct sheet sheet;
	int rc = 0;

	sheet_begin(&sheet, s->out, false, "path,version,rows,size,mtime,schema");
	for (const char *path = paths->data; !rc && path < paths->data + paths->len; path += strlen(path) + 1)
		rc = see_part(s->c, &sheet, path);
	sheet_end(&sheet);
	return rc;
}

/* ---- the files ---- */

static const struct {
	const char *name;
	store_description_fn add; /* NULL: parts.csv */
} files[] = {{"schema.json", add_schema}, {"stats.json", add_stats}, {"sample.csv", add_sample}, {"parts.csv", NULL}};
#define FILES (sizeof(files) / sizeof(files[0]))

static int render(struct shown *s, size_t i)
{
	return files[i].add ? store_description(s->c->lake->store, s->parts->version, files[i].add, s)
			    : render_parts(s);
}

int catalog_parts_look_up(struct catalog *c, const char *path, const char *real, const char *name,
			  struct view_node *draft)
{
	_cleanup_parts_known_ struct parts_known known = {.reader = &c->reader};
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct shown s = {.c = c, .out = &text};
	struct parts *p;
	size_t i = 0;
	int rc;

	while (i < FILES && strcmp(files[i].name, name))
		i++;
	rc = i < FILES ? parts_at(&known, real, strlen(real), &p) : -ENOENT;
	if (rc || !p->is)
		return rc ? rc : -ENOENT;
	s.parts = p;
	rc = render(&s, i);
	return rc ? rc : catalog_file(c, path, &text, draft);
}

int catalog_parts_list(struct catalog *c, const char *real, view_emit_fn emit, void *arg)
{
	_cleanup_parts_known_ struct parts_known known = {.reader = &c->reader};
	struct parts *p;
	int rc = *real ? parts_at(&known, real, strlen(real), &p) : -ENOENT;

	if (rc || !p->is)
		return rc == -ENOENT ? 0 : rc;
	for (size_t i = 0; !rc && i < FILES; i++)
		rc = emit(arg, files[i].name, KIND_FILE, 0);
	return rc;
}
