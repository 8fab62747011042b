/* The files in .catalog itself: what is in the lake, as lists, for the one who asks. */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "content/tables.h"
#include "ns/facts.h"
#include "ns/sheet.h"
#include "ns/view/view_catalog.h"
#include "sniff/description.h"

static const char readme[] =
	"This folder is made by tarn: it shows what is in the lake.\n"
	"\n"
	"assets.csv, assets.json    every file: path, bucket, size, mtime, mime, versions, tier, sha256\n"
	"tables.csv, tables.json    every file with columns: format, rows, columns, tags\n"
	"columns.csv, columns.json  the columns of those, with statistics\n"
	"quality.csv, quality.json  whether versions of declared tables keep their rules, with a row that does not\n"
	"by-name/ENV/SCHEMA/TABLE   links to the declared tables (config/tables in the lake)\n"
	"tags.csv, tags.json        tags, and which files have them\n"
	"popular.csv, popular.json  what was opened most often\n"
	"index.html                 all of that as a page: open it in a browser\n"
	"schemas.json               the columns of each table\n"
	"stats.csv, stats.json      counts, bytes, opens, rates, memory, state of the scan\n"
	"table/PATH/                schema.json, stats.json, sample.csv, versions.csv of a table; of a folder of\n"
	"                           parts with the same columns, parts.csv, too\n"
	"export/                    datapackage.json, duckdb.sql, roapi.yml\n"
	"tag/TAG/.../files/         links to what has these tags; by-type/, by-date/ likewise\n"
	"search/WORDS/              results.jsonl, files/: full text; tag:pii type:csv column:email size:>1M\n"
	"                           modified:>2026-11-01 bucket:raw-data name:sales narrow it\n"
	"\n"
	"What a file is comes from a background job, a moment after it was written.\n"
	"Files that you may not read are not listed for you.\n"
	"Earlier versions of a file F are in F@v/ (not listed by ls, but there).\n";

/* A list that is being made. */
struct list {
	struct catalog *c;
	struct sheet sheet;
	struct settings *settings;
	struct declared_tables *declared;
};

/* ---- assets ---- */

static bool folder_visible(void *arg, const struct node_row *folder)
{
	const struct list *l = arg;

	return reader_may(&l->c->reader, folder, 5);
}

static void bucket_of(const char *path, char name[NAME_BYTES + 1])
{
	snprintf(name, NAME_BYTES + 1, "%.*s", (int)strcspn(path, "/"), path);
}

static int add_asset(void *arg, const struct asset_row *row)
{
	struct list *l = arg;
	struct sheet *s = &l->sheet;
	char bucket[NAME_BYTES + 1];

	if (!reader_may(&l->c->reader, row->node, 4))
		return 0;
	bucket_of(row->path, bucket);
	sheet_row(s);
	sheet_text(s, "path", row->path);
	sheet_text(s, "bucket", bucket);
	sheet_number(s, "size", (int64_t)row->node->size);
	sheet_time(s, "mtime", row->node->mtime);
	sheet_text(s, "mime", row->version->mime[0] ? row->version->mime : NULL);
	sheet_number(s, "versions", (int64_t)row->versions);
	sheet_text(s, "tier", bucket_tier_name(settings_bucket(l->settings, bucket)->tier));
	sheet_hex(s, "sha256", row->version->sha256, row->version->id && row->version->hashed ? SHA256_BYTES : 0);
	sheet_end_row(s);
	return buf_error(s->out);
}

static int render_assets(struct catalog *c, bool json, struct buf *out)
{
	struct list l = {.c = c, .settings = lake_settings(c->lake)};
	int rc;

	sheet_begin(&l.sheet, out, json, "path,bucket,size,mtime,mime,versions,tier,sha256");
	rc = store_assets(c->lake->store, folder_visible, add_asset, &l);
	sheet_end(&l.sheet);
	settings_unref(l.settings);
	return rc;
}

/* ---- tables, columns, schemas ---- */

/* One of them. */
struct listed_table {
	struct list *l;
	const char *path;
	const struct node_row *row;
	const struct parts *parts; /* it is a folder of parts; or NULL */
	int (*add)(struct listed_table *t, const struct description_row *d);
};

static int add_tag_word(void *arg, const char *tag, uint64_t count)
{
	struct buf *tags = arg;

	(void)count;
	buf_addf(tags, "%s%s", tags->len ? "," : "", tag);
	return 0;
}

static size_t count_columns(const struct description_row *d)
{
	size_t n = 0;

	for (const char *p = d->names; p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
		n++;
	return n;
}

static int add_table(struct listed_table *t, const struct description_row *d)
{
	_cleanup_buf_ struct buf tags = BUF_INIT;
	struct sheet *s = &t->l->sheet;
	const struct declared_table *declared = tables_at(t->l->declared, t->path);
	char bucket[NAME_BYTES + 1];
	int rc = store_tags_of(t->l->c->lake->store, t->row->id, 0, add_tag_word, &tags);

	bucket_of(t->path, bucket);
	sheet_row(s);
	sheet_text(s, "path", t->path);
	sheet_text(s, "bucket", bucket);
	sheet_text(s, "format", d->format);
	sheet_number_if(s, "rows", d->rows >= 0, d->rows);
	sheet_number(s, "columns", (int64_t)count_columns(d));
	sheet_number(s, "size", (int64_t)t->row->size);
	sheet_time(s, "mtime", t->row->mtime);
	sheet_text(s, "tags", tags.len ? tags.data : NULL);
	sheet_text(s, "unreadable", d->unreadable);
	sheet_text(s, "name", declared ? declared->name : NULL);
	sheet_text(s, "owner", declared ? declared->owner : NULL);
	sheet_text(s, "description", declared ? declared->description : NULL);
	sheet_number_if(s, "parts", t->parts, t->parts ? (int64_t)t->parts->files : 0);
	sheet_end_row(s);
	return rc ? rc : buf_error(&tags);
}

static const char *said_of_column(const struct declared_table *t, const char *name)
{
	for (size_t i = 0; t && i < t->ncolumns; i++)
		if (!strcmp(t->columns[i].name, name))
			return t->columns[i].description;
	return NULL;
}

static void add_column(struct sheet *s, const char *path, const struct column *c, const struct declared_table *declared)
{
	sheet_row(s);
	sheet_text(s, "path", path);
	sheet_text(s, "table", c->table);
	sheet_text(s, "column", c->name);
	sheet_text(s, "type", c->type);
	sheet_number_if(s, "count", c->count, (int64_t)c->count);
	sheet_number_if(s, "nulls", c->count, (int64_t)c->nulls);
	sheet_number_if(s, "distinct", c->count, (int64_t)c->distinct);
	sheet_flag(s, "approximate", c->approximate);
	sheet_text(s, "min", c->min);
	sheet_text(s, "max", c->max);
	sheet_text(s, "mean", c->mean);
	sheet_text(s, "pii", c->pii);
	sheet_text(s, "description", said_of_column(declared, c->name));
	sheet_end_row(s);
}

static int add_columns(struct listed_table *t, const struct description_row *d)
{
	_cleanup_description_ struct description all = {0};
	int rc;

	description_init(&all);
	rc = d->facts ? description_parse(&all, d->facts, strlen(d->facts)) : 0;
	for (size_t i = 0; !rc && i < all.ncolumns; i++)
		add_column(&t->l->sheet, t->path, &all.columns[i], tables_at(t->l->declared, t->path));
	return rc == -EBADMSG ? 0 : rc;
}

static int add_schema(struct listed_table *t, const struct description_row *d)
{
	struct sheet *s = &t->l->sheet;

	sheet_row(s);
	sheet_text(s, "path", t->path);
	sheet_text(s, "format", d->format);
	buf_addf(s->out, ",\"columns\":%s", d->columns ? d->columns : "[]");
	sheet_end_row(s);
	return 0;
}

static int see_parts(void *arg, const struct description_row *d)
{
	struct listed_table *t = arg;

	return t->add(t, d);
}

static int see_description(void *arg, const struct description_row *d)
{
	struct listed_table *t = arg;
	_cleanup_buf_ struct buf facts = BUF_INIT;
	int rc = t->parts ? catalog_parts_describe(t->parts, d, &facts, t, see_parts) : t->add(t, d);

	return rc ? rc : buf_error(t->l->sheet.out);
}

struct table_walk {
	struct list *l;
	struct parts_known *known;
	int (*add)(struct listed_table *t, const struct description_row *d);
};

static int see_version(struct listed_table *t, uint64_t version)
{
	int rc = store_description(t->l->c->lake->store, version, see_description, t);

	return rc == -ENOENT ? 0 : rc;
}

/* All of it is one row, where its first part comes. */
static int see_table_of_parts(struct table_walk *w, struct parts *p)
{
	struct node_row row = {.id = p->folder, .kind = KIND_FOLDER, .size = p->size, .mtime = p->mtime};
	struct listed_table t = {.l = w->l, .row = &row, .add = w->add, .path = p->root, .parts = p};

	if (p->told)
		return 0;
	p->told = true;
	return see_version(&t, p->version);
}

static int see_table(void *arg, uint64_t node)
{
	struct table_walk *w = arg;
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct node_row row;
	struct listed_table t = {.l = w->l, .row = &row, .add = w->add};
	struct parts *parts = NULL;
	uint64_t version;
	int rc = reader_sees(&w->l->c->reader, node, &row, &path);

	if (rc <= 0)
		return rc;
	t.path = buf_str(&path);
	rc = tables_at(w->l->declared, t.path) ? 0 : parts_of_file(w->known, t.path, &parts);
	if (rc || parts)
		return rc ? rc : see_table_of_parts(w, parts);
	rc = store_document(w->l->c->lake->store, node, &version, NULL);
	return rc ? rc == -ENOENT ? 0 : rc : see_version(&t, version);
}

static int render_tables_by(struct catalog *c, bool json, const char *heading,
			    int (*add)(struct listed_table *, const struct description_row *), struct buf *out)
{
	struct list l = {.c = c, .declared = lake_tables(c->lake)};
	_cleanup_parts_known_ struct parts_known known = {.reader = &c->reader};
	struct table_walk w = {&l, &known, add};
	int rc;

	sheet_begin(&l.sheet, out, json, heading);
	rc = store_table_nodes(c->lake->store, see_table, &w);
	sheet_end(&l.sheet);
	tables_unref(l.declared);
	return rc;
}

static int render_tables(struct catalog *c, bool json, struct buf *out)
{
	return render_tables_by(
		c, json, "path,bucket,format,rows,columns,size,mtime,tags,unreadable,name,owner,description,parts",
		add_table, out);
}

static int render_columns(struct catalog *c, bool json, struct buf *out)
{
	return render_tables_by(c, json,
				"path,table,column,type,count,nulls,distinct,approximate,min,max,mean,pii,description",
				add_columns, out);
}

static int render_schemas(struct catalog *c, bool json, struct buf *out)
{
	return render_tables_by(c, json, "", add_schema, out);
}

/* ---- tags, popular ---- */

struct tag_list {
	struct list *l;
	const char *tag;
};

static int add_tagged(void *arg, uint64_t node)
{
	struct tag_list *t = arg;
	struct sheet *s = &t->l->sheet;
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct node_row row;
	int rc = reader_sees(&t->l->c->reader, node, &row, &path);

	if (rc <= 0)
		return rc;
	sheet_row(s);
	sheet_text(s, "tag", t->tag);
	sheet_text(s, "path", buf_str(&path));
	sheet_end_row(s);
	return buf_error(s->out);
}

static int see_tag(void *arg, const char *tag, uint64_t count)
{
	struct tag_list t = {arg, tag};

	(void)count;
	return store_tagged(t.l->c->lake->store, &tag, 1, 0, add_tagged, &t);
}

static int render_tags(struct catalog *c, bool json, struct buf *out)
{
	struct list l = {.c = c};
	int rc;

	sheet_begin(&l.sheet, out, json, "tag,path");
	rc = store_tags(c->lake->store, see_tag, &l);
	sheet_end(&l.sheet);
	return rc;
}

static int add_popular(void *arg, uint64_t node, uint64_t opens)
{
	struct list *l = arg;
	struct sheet *s = &l->sheet;
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct node_row row;
	int rc = reader_sees(&l->c->reader, node, &row, &path);

	if (rc <= 0)
		return rc;
	sheet_row(s);
	sheet_text(s, "path", buf_str(&path));
	sheet_number(s, "opens", (int64_t)opens);
	sheet_end_row(s);
	return buf_error(s->out);
}

static int render_popular(struct catalog *c, bool json, struct buf *out)
{
	struct list l = {.c = c};
	int rc;

	sheet_begin(&l.sheet, out, json, "path,opens");
	rc = store_popular(c->lake->store, add_popular, &l);
	sheet_end(&l.sheet);
	return rc;
}

/* ---- stats ---- */

struct stats {
	struct buf *out;
	bool json;
	int n;
};

static int add_stat(void *arg, const struct fact *f)
{
	struct stats *s = arg;
	struct buf *b = s->out;

	if (s->json)
		buf_addf(b, "%s  \"%s\": ", s->n++ ? ",\n" : "{\n", f->name);
	else
		buf_addf(b, "%s,", f->name);
	if (f->text)
		buf_addf(b, s->json ? "\"%s\"" : "%s", f->text);
	else
		buf_addf(b, f->fraction ? "%.3f" : "%.0f", f->number);
	if (!s->json)
		buf_adds(b, "\r\n");
	return 0;
}

static int add_type(void *arg, const char *mime, uint64_t count)
{
	struct stats *s = arg;
	struct buf *b = s->out;

	buf_adds(b, s->n++ ? ", " : "");
	buf_add_json(b, mime, strlen(mime));
	buf_addf(b, ": %" PRIu64, count);
	return 0;
}

static int render_stats(struct catalog *c, bool json, struct buf *out)
{
	struct stats s = {.out = out, .json = json};
	int rc;

	if (!json)
		buf_adds(out, "name,value\r\n");
	rc = lake_facts(c->lake, add_stat, &s);
	if (rc || !json)
		return rc;
	buf_adds(out, ",\n  \"by_type\": {");
	s.n = 0;
	rc = store_count_mimes(c->lake->store, add_type, &s);
	buf_adds(out, "}\n}\n");
	return rc;
}

/* ---- the whole catalog in one file ---- */

static int render_catalog(struct catalog *c, bool json, struct buf *out)
{
	static const struct {
		const char *name;
		int (*render)(struct catalog *c, bool json, struct buf *out);
	} parts[] = {{"assets", render_assets},
		     {"tables", render_tables},
		     {"columns", render_columns},
		     {"tags", render_tags},
		     {"stats", render_stats}};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(parts) / sizeof(parts[0]); i++) {
		buf_addf(out, "%s\"%s\":", i ? "," : "{", parts[i].name);
		rc = parts[i].render(c, json, out);
	}
	buf_adds(out, "}\n");
	return rc;
}

static int render_readme(struct catalog *c, bool json, struct buf *out)
{
	(void)c;
	(void)json;
	buf_adds(out, readme);
	return 0;
}

static int render_page(struct catalog *c, bool json, struct buf *out)
{
	(void)json;
	return catalog_page(c, out);
}

/* ---- the files ---- */

static const struct {
	const char *name;
	int (*render)(struct catalog *c, bool json, struct buf *out);
	bool json;
} files[] = {
	{"README", render_readme, false},	 {"quality.csv", catalog_quality, false},
	{"quality.json", catalog_quality, true}, {"assets.csv", render_assets, false},
	{"assets.json", render_assets, true},	 {"catalog.json", render_catalog, true},
	{"columns.csv", render_columns, false},	 {"columns.json", render_columns, true},
	{"index.html", render_page, false},	 {"popular.csv", render_popular, false},
	{"popular.json", render_popular, true},	 {"schemas.json", render_schemas, true},
	{"stats.csv", render_stats, false},	 {"stats.json", render_stats, true},
	{"tables.csv", render_tables, false},	 {"tables.json", render_tables, true},
	{"tags.csv", render_tags, false},	 {"tags.json", render_tags, true},
};
#define FILES (sizeof(files) / sizeof(files[0]))

int catalog_render(struct catalog *c, const char *name, struct buf *out)
{
	for (size_t i = 0; i < FILES; i++)
		if (!strcmp(files[i].name, name))
			return files[i].render(c, files[i].json, out);
	return -ENOENT;
}

const char *catalog_file_name(int i)
{
	return (size_t)i < FILES ? files[i].name : NULL;
}
