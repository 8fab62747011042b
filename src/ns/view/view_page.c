/*
 * .catalog/index.html: the catalog as a page. Its source is src/page/, which the build makes one file and C of
 * (src/page/embed); what is rendered here is the data in its middle, for the one who asks.
 *
 *	{"lake": "name", "cut": false, "history_bytes": 7, "versions_kept": 1,
 *	 "assets": [["path", size, seconds since 1970, "mime", versions, "local"], …],
 *	 "tables": [{"path": …, "versions": [{"number", "time", "rows", "size", "schema"}], what description.h has}, …],
 *	 "schemas": {"7": [{"name", "type"}, …]},		lists of columns that versions had
 *	 "tags": […], "popular": […]}				as tags.json, popular.json
 *
 * A browser has to hold all of it: what is more than here is said to be cut, and is in the other files of .catalog.
 * Then each table has its "asset", for all tables are shown.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ns/view/page_text.h"
#include "ns/view/view_catalog.h"

#define ASSETS 50000
#define STATISTICS (8u << 20) /* bytes of what is known of tables; the others have columns only */
#define HISTORIES 2000	      /* tables with versions, */
#define VERSIONS 20	      /* the last ones of each */

struct seen_schema {
	UT_hash_handle hh;
	uint64_t id;
};

struct page {
	struct catalog *c;
	struct buf json, schemas;
	struct seen_schema *seen;
	uint64_t assets, tables, statistics;
	bool cut;
};

static void add_text(struct buf *b, const char *s)
{
	buf_add_json(b, s, strlen(s));
}

/* ---- assets ---- */

static bool folder_visible(void *arg, const struct node_row *folder)
{
	const struct page *p = arg;

	return reader_may(&p->c->reader, folder, 5);
}

static void add_asset_values(struct buf *b, const char *path, const struct node_row *node, const char *mime,
			     uint64_t versions)
{
	buf_addc(b, '[');
	add_text(b, path);
	buf_addf(b, ",%" PRIu64 ",%" PRId64 ",", node->size, node->mtime / NSEC_PER_SEC);
	add_text(b, mime);
	buf_addf(b, ",%" PRIu64 ",\"%s\"]", versions, node->stub ? "cloud" : "local");
}

/* 1: they are enough. */
static int add_asset(void *arg, const struct asset_row *row)
{
	struct page *p = arg;
	struct buf *b = &p->json;

	if (!reader_may(&p->c->reader, row->node, 4))
		return 0;
	if (p->assets == ASSETS)
		return 1;
	buf_adds(b, p->assets++ ? ",\n" : "\n");
	add_asset_values(b, row->path, row->node, row->version->mime, row->versions);
	return buf_error(b);
}

static int add_assets(struct page *p)
{
	int rc;

	buf_adds(&p->json, "\"assets\":[");
	rc = store_assets(p->c->lake->store, folder_visible, add_asset, p);
	p->cut = rc == 1;
	buf_addf(&p->json, "],\n\"cut\":%s", p->cut ? "true" : "false");
	return p->cut ? 0 : rc;
}

/* ---- versions of a table ---- */

struct past_version {
	uint64_t id, number, size, schema;
	int64_t time, rows;
};

/* The last ones, in a ring. */
struct past_versions {
	struct page *page;
	struct past_version list[VERSIONS];
	uint64_t n;
};

static int take_version(void *arg, const struct version_row *v)
{
	struct past_versions *past = arg;

	if (v->state != VERSION_LIVE && v->state != VERSION_KEPT)
		return 0;
	past->list[past->n++ % VERSIONS] =
		(struct past_version){.id = v->id, .number = v->number, .size = v->size, .time = v->time, .rows = -1};
	return 0;
}

static int add_schema(struct page *p, uint64_t id, const char *columns)
{
	struct seen_schema *s;

	HASH_FIND(hh, p->seen, &id, sizeof(id), s);
	if (s || !columns)
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->id = id;
	HASH_ADD(hh, p->seen, id, sizeof(s->id), s);
	buf_addf(&p->schemas, "%s\n\"%" PRIu64 "\":%s", p->schemas.len ? "," : "", id, columns);
	return 0;
}

struct described_version {
	struct page *page;
	struct past_version *version;
};

static int take_schema(void *arg, const struct description_row *d)
{
	struct described_version *v = arg;

	v->version->schema = d->schema;
	v->version->rows = d->rows;
	return add_schema(v->page, d->schema, d->columns);
}

static void add_version(struct buf *b, const struct past_version *v, bool first)
{
	buf_addf(b, "%s{\"number\":%" PRIu64 ",\"time\":\"", first ? "" : ",", v->number);
	buf_add_time(b, v->time);
	buf_addf(b, "\",\"size\":%" PRIu64 ",\"rows\":", v->size);
	if (v->rows >= 0)
		buf_addf(b, "%" PRId64, v->rows);
	else
		buf_adds(b, "null");
	buf_addf(b, ",\"schema\":%" PRIu64 "}", v->schema);
}

/* The newest first. */
static int add_versions(struct page *p, uint64_t asset)
{
	struct past_versions past = {.page = p};
	uint64_t kept;
	int rc = store_versions(p->c->lake->store, asset, take_version, &past);

	kept = past.n < VERSIONS ? past.n : VERSIONS;
	buf_adds(&p->json, ",\"versions\":[");
	for (uint64_t i = 0; !rc && i < kept; i++) {
		struct past_version *v = &past.list[(past.n - 1 - i) % VERSIONS];
		struct described_version described = {p, v};

		rc = store_description(p->c->lake->store, v->id, take_schema, &described);
		if (rc == -ENOENT)
			rc = 0;
		add_version(&p->json, v, !i);
	}
	buf_addc(&p->json, ']');
	return rc;
}

/* ---- tables ---- */

/* What is known of one, as the store has it: a JSON object. */
static int add_description(void *arg, const struct description_row *d)
{
	struct page *p = arg;
	struct buf *b = &p->json;
	size_t len = d->facts ? strlen(d->facts) : 0;

	if (len > 2 && p->statistics + len <= STATISTICS) {
		p->statistics += len;
		buf_addf(b, ",%s", d->facts + 1);
		return 0;
	}
	buf_adds(b, ",\"format\":");
	add_text(b, d->format ? d->format : "");
	if (d->rows >= 0)
		buf_addf(b, ",\"rows\":%" PRId64, d->rows);
	buf_addf(b, ",\"columns\":%s}", d->columns ? d->columns : "[]");
	return 0;
}

static int add_table(void *arg, uint64_t node)
{
	struct page *p = arg;
	struct store *s = p->c->lake->store;
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct version_row version;
	struct node_row row;
	uint64_t id;
	size_t before = p->json.len;
	int rc = reader_sees(&p->c->reader, node, &row, &path);

	if (rc <= 0)
		return rc;
	if (p->tables == ASSETS)
		return 1;
	rc = store_document(s, node, &id, NULL);
	if (!rc)
		rc = store_version(s, id, &version);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	buf_adds(&p->json, p->tables ? ",\n{\"path\":" : "\n{\"path\":");
	add_text(&p->json, buf_str(&path));
	if (p->cut) {
		buf_adds(&p->json, ",\"asset\":");
		add_asset_values(&p->json, buf_str(&path), &row, version.mime, version.number);
	}
	if (p->tables < HISTORIES)
		rc = add_versions(p, version.asset);
	if (!rc)
		rc = store_description(s, id, add_description, p);
	if (rc == -ENOENT) { /* forgotten meanwhile */
		p->json.len = before;
		return 0;
	}
	p->tables++;
	return rc ? rc : buf_error(&p->json);
}

static int add_tables(struct page *p)
{
	int rc;

	buf_adds(&p->json, ",\n\"tables\":[");
	rc = store_table_nodes(p->c->lake->store, add_table, p);
	buf_addf(&p->json, "],\n\"schemas\":{%s}", buf_str(&p->schemas));
	return rc == 1 ? 0 : rc;
}

/* ---- the page ---- */

/* One of the lists that .catalog has as a file, too. */
static int add_list(struct page *p, const char *key, const char *file)
{
	buf_addf(&p->json, ",\n\"%s\":", key);
	return catalog_render(p->c, file, &p->json);
}

static int render_data(struct page *p)
{
	const char *name = strrchr(p->c->lake->path, '/');
	struct store_totals totals;
	int rc = store_totals(p->c->lake->store, &totals);

	if (rc)
		return rc;
	buf_adds(&p->json, "{\"lake\":");
	add_text(&p->json, name && name[1] ? name + 1 : p->c->lake->path);
	buf_addf(&p->json, ",\"history_bytes\":%" PRIu64 ",\"versions_kept\":%" PRIu64 ",\n", totals.stored_bytes,
		 totals.versions_kept);
	rc = add_assets(p);
	if (!rc)
		rc = add_tables(p);
	if (!rc)
		rc = add_list(p, "tags", "tags.json");
	if (!rc)
		rc = add_list(p, "popular", "popular.json");
	buf_adds(&p->json, "}");
	return rc ? rc : buf_error(&p->json) ? -ENOMEM : buf_error(&p->schemas);
}

/* In JSON a < stands in texts only, where it can be written so: no name can end the script that the data is in. */
static void add_without_tags(struct buf *out, const struct buf *json)
{
	const char *at = buf_str(json), *end = at + json->len;

	while (at < end) {
		const char *tag = memchr(at, '<', (size_t)(end - at));

		buf_add(out, at, (size_t)((tag ? tag : end) - at));
		if (tag)
			buf_adds(out, "\\u003c");
		at = tag ? tag + 1 : end;
	}
}

int catalog_page(struct catalog *c, struct buf *out)
{
	struct page p = {.c = c};
	struct seen_schema *s, *next;
	int rc = render_data(&p);

	if (!rc) {
		buf_add(out, page_before, sizeof(page_before));
		add_without_tags(out, &p.json);
		buf_add(out, page_after, sizeof(page_after));
	}
	HASH_ITER (hh, p.seen, s, next) {
		HASH_DEL(p.seen, s);
		free(s);
	}
	buf_release(&p.json);
	buf_release(&p.schemas);
	return rc;
}
