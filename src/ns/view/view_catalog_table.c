/*
 * .catalog/table/<real path>/{schema.json,stats.json,sample.csv,versions.csv}: what is known of a table, a file with
 * columns. A folder of parts (ns/parts.h) has files of its own beside the folders of its parts: view_catalog_parts.c.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ns/view/view_catalog.h"
#include "sniff/description.h"

static const struct catalog_set tables = {.kind = SET_TABLES};

struct table {
	struct catalog *c;
	const char *path;
	struct version_row live; /* the one that is described */
	struct buf *out;
};

static void add_string(struct buf *b, const char *s)
{
	buf_add_json(b, s, strlen(s));
}

/* ---- stats.json, sample.csv ---- */

/* The description as the store has it, and which version it is of. */
static int add_stats(void *arg, const struct description_row *d)
{
	struct table *t = arg;

	buf_adds(t->out, "{\"path\":");
	add_string(t->out, t->path);
	buf_addf(t->out, ",\"version\":%" PRIu64 ",\"time\":\"", t->live.number);
	buf_add_time_ms(t->out, t->live.time);
	buf_adds(t->out, "\"");
	if (d->facts && d->facts[0] == '{' && d->facts[1] != '}')
		buf_addf(t->out, ",%s\n", d->facts + 1);
	else
		buf_adds(t->out, "}\n");
	return buf_error(t->out);
}

static int render_stats(struct table *t)
{
	return store_description(t->c->lake->store, t->live.id, add_stats, t);
}

static int add_sample(void *arg, const struct description_row *d)
{
	struct table *t = arg;

	buf_adds(t->out, d->sample ? d->sample : "");
	return buf_error(t->out);
}

static int render_sample(struct table *t)
{
	return store_description(t->c->lake->store, t->live.id, add_sample, t);
}

/* ---- schemas of versions ---- */

/* Columns of one version, and how they differ from those of the one before. */
struct schema_step {
	struct description now;
	uint64_t schema;
	int64_t rows;
	bool known;
};

static int take_columns(void *arg, const struct description_row *d)
{
	struct schema_step *s = arg;
	_cleanup_buf_ struct buf json = BUF_INIT;

	s->schema = d->schema;
	s->rows = d->rows;
	s->known = true;
	buf_addf(&json, "{\"kind\":\"table\",\"format\":\"\",\"mime\":\"\",\"columns\":%s}",
		 d->columns ? d->columns : "[]");
	return buf_error(&json) ? -ENOMEM : description_parse(&s->now, json.data, json.len);
}

static int read_schema(struct lake *lake, uint64_t version, struct schema_step *s)
{
	int rc;

	*s = (struct schema_step){.rows = -1};
	description_init(&s->now);
	rc = store_description(lake->store, version, take_columns, s);
	return rc == -ENOENT || rc == -EBADMSG ? 0 : rc;
}

struct differences {
	struct buf added, removed, retyped;
};

static void add_name(struct buf *list, const struct column *c)
{
	buf_adds(list, list->len ? "," : "");
	add_string(list, c->name);
}

static void compare(const struct description *was, const struct description *now, struct differences *d)
{
	for (size_t i = 0; i < now->ncolumns; i++) {
		const struct column *c = &now->columns[i], *old = description_column(was, c->table, c->name);

		if (!old)
			add_name(&d->added, c);
		else if (strcmp(old->type, c->type))
			add_name(&d->retyped, c);
	}
	for (size_t i = 0; i < was->ncolumns; i++)
		if (!description_column(now, was->columns[i].table, was->columns[i].name))
			add_name(&d->removed, &was->columns[i]);
}

static void differences_release(struct differences *d)
{
	buf_release(&d->added);
	buf_release(&d->removed);
	buf_release(&d->retyped);
}

/* Who reads by the columns of the version before still finds all of them, of their types. */
static bool is_compatible(const struct differences *d)
{
	return !d->removed.len && !d->retyped.len;
}

struct history {
	struct table *t;
	struct schema_step was;
	int n;
	void (*add)(struct history *h, const struct version_row *v, const struct schema_step *now,
		    const struct differences *d);
};

static int see_version(void *arg, const struct version_row *v)
{
	struct history *h = arg;
	struct schema_step now;
	struct differences d = {0};
	int rc;

	if (v->state != VERSION_LIVE && v->state != VERSION_KEPT && v->state != VERSION_EXPIRED)
		return 0;
	rc = read_schema(h->t->c->lake, v->id, &now);
	if (rc) {
		description_release(&now.now);
		return rc;
	}
	if (now.known && h->was.known)
		compare(&h->was.now, &now.now, &d);
	h->add(h, v, &now, &d);
	h->n++;
	differences_release(&d);
	if (now.known) {
		description_release(&h->was.now);
		h->was = now;
	} else {
		description_release(&now.now);
	}
	return buf_error(h->t->out);
}

static int tell_history(struct table *t, void (*add)(struct history *, const struct version_row *,
						     const struct schema_step *, const struct differences *))
{
	struct history h = {.t = t, .add = add};
	int rc;

	description_init(&h.was.now);
	rc = store_versions(t->c->lake->store, t->live.asset, see_version, &h);
	description_release(&h.was.now);
	return rc;
}

static void add_version_json(struct history *h, const struct version_row *v, const struct schema_step *now,
			     const struct differences *d)
{
	struct buf *b = h->t->out;

	/* only what changed something */
	if (!now->known || (h->was.known && h->was.schema == now->schema))
		return;
	buf_addf(b, "%s\n  {\"version\":%" PRIu64 ",\"time\":\"", h->was.known ? "," : "", v->number);
	buf_add_time_ms(b, v->time);
	buf_addf(b, "\",\"columns\":%zu,\"added\":[%s],\"removed\":[%s],\"retyped\":[%s],\"compatible\":%s}",
		 now->now.ncolumns, buf_str(&d->added), buf_str(&d->removed), buf_str(&d->retyped),
		 is_compatible(d) ? "true" : "false");
}

static int add_schema(void *arg, const struct description_row *d)
{
	struct table *t = arg;

	buf_adds(t->out, "{\"path\":");
	add_string(t->out, t->path);
	buf_addf(t->out, ",\"version\":%" PRIu64 ",\"format\":", t->live.number);
	add_string(t->out, d->format);
	buf_addf(t->out, ",\n \"columns\":%s,\n \"history\":[", d->columns ? d->columns : "[]");
	return buf_error(t->out);
}

static int render_schema(struct table *t)
{
	int rc = store_description(t->c->lake->store, t->live.id, add_schema, t);

	if (!rc)
		rc = tell_history(t, add_version_json);
	buf_adds(t->out, "]}\n");
	return rc;
}

static void add_version_csv(struct history *h, const struct version_row *v, const struct schema_step *now,
			    const struct differences *d)
{
	struct buf *b = h->t->out;

	buf_addf(b, "%" PRIu64 ",", v->number);
	buf_add_time_ms(b, v->time);
	buf_addf(b, ",%s,%" PRIu64 ",", version_state_name(v->state), v->size);
	if (now->rows >= 0)
		buf_addf(b, "%" PRId64, now->rows);
	buf_addc(b, ',');
	if (now->known)
		buf_addf(b, "%zu", now->now.ncolumns);
	buf_addf(b, ",%s,", !now->known ? "" : is_compatible(d) ? "true" : "false");
	if (v->hashed)
		buf_add_hex(b, v->sha256, SHA256_BYTES);
	buf_adds(b, "\r\n");
}

static int render_versions(struct table *t)
{
	buf_adds(t->out, "version,time,state,size,rows,columns,compatible,sha256\r\n");
	return tell_history(t, add_version_csv);
}

/* ---- the tree ---- */

static const struct {
	const char *name;
	int (*render)(struct table *t);
} files[] = {{"schema.json", render_schema},
	     {"stats.json", render_stats},
	     {"sample.csv", render_sample},
	     {"versions.csv", render_versions}};
#define FILES (sizeof(files) / sizeof(files[0]))

/* Sums, hashes and samples of older versions are shown to who may read the file now. */
static int render(struct catalog *c, const char *real, const struct node_row *row, size_t i, struct buf *out)
{
	struct table t = {.c = c, .path = real, .out = out};
	uint64_t version;
	int rc = store_document(c->lake->store, row->id, &version, NULL);

	if (!rc)
		rc = store_version(c->lake->store, version, &t.live);
	return rc ? rc : files[i].render(&t);
}

/* NAME in the folder that stands for the table at REAL. */
static int look_up_file(struct catalog *c, const char *path, const char *real, const char *name,
			struct view_node *draft)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct node_row row;
	int rc = catalog_files_find(c, &tables, real, &row);

	if (rc <= 0)
		return rc ? rc : catalog_parts_look_up(c, path, real, name, draft);
	for (size_t i = 0; i < FILES; i++) {
		if (strcmp(files[i].name, name))
			continue;
		rc = render(c, real, &row, i, &text);
		return rc ? rc : catalog_file(c, path, &text, draft);
	}
	return -ENOENT;
}

int catalog_table_look_up(struct catalog *c, const char *path, char *rest, struct view_node *draft)
{
	struct node_row row;
	int rc = catalog_files_find(c, &tables, rest, &row);
	char *name = strrchr(rest, '/');

	if (rc >= 0)
		return catalog_folder(c, path, draft);
	if (rc != -ENOENT || !name)
		return rc;
	*name++ = '\0';
	return look_up_file(c, path, rest, name, draft);
}

int catalog_table_list(struct catalog *c, char *rest, view_emit_fn emit, void *arg)
{
	struct node_row row;
	int rc = catalog_files_find(c, &tables, rest, &row);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (!rc) {
		rc = catalog_parts_list(c, rest, emit, arg);
		return rc ? rc : catalog_files_list(c, &tables, rest, KIND_FOLDER, emit, arg);
	}
	rc = 0;
	for (size_t i = 0; !rc && i < FILES; i++)
		rc = emit(arg, files[i].name, KIND_FILE, 0);
	return rc;
}
