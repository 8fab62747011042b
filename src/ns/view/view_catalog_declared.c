/* What is declared of tables (config/table.h), as .catalog shows it: by-name/, and quality.csv and quality.json. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "content/tables.h"
#include "ns/sheet.h"
#include "ns/view/view_catalog.h"
#include "sniff/checks.h"

/* ---- by-name/<environment>/<schema>/<table> ---- */

/* As a table's name has it. False: it is deeper than those. */
static bool dotted(const char *rest, struct buf *name, int *parts)
{
	*parts = *rest ? 1 : 0;
	for (; *rest; rest++) {
		if (*rest == '.')
			return false;
		*parts += *rest == '/';
		buf_addc(name, *rest == '/' ? '.' : *rest);
	}
	return *parts <= 3;
}

/* Does T lie in NAME, an environment or a schema? */
static bool lies_in(const struct declared_table *t, const struct buf *name)
{
	return !name->len || (!strncmp(t->name, name->data, name->len) && t->name[name->len] == '.');
}

/* 1: the reader sees the file of T; 0; -errno. */
static int sees(struct catalog *c, const struct declared_table *t)
{
	struct node_row row;
	int rc = reader_find(&c->reader, t->path, &row);

	return rc == -ENOENT || rc == -ENOTDIR ? 0 : rc > 0 ? row.kind == KIND_FILE : rc;
}

static int look_up_name(struct catalog *c, const struct declared_tables *all, const char *path, const struct buf *name,
			int parts, struct view_node *draft)
{
	for (size_t i = 0; all && i < all->n; i++) {
		const struct declared_table *t = &all->list[i];
		int rc;

		if (parts == 3 ? strcmp(t->name, buf_str(name)) != 0 : !lies_in(t, name))
			continue;
		rc = sees(c, t);
		if (rc > 0)
			return parts == 3 ? catalog_link_to(c, path, t->path, draft) : catalog_folder(c, path, draft);
		if (rc < 0)
			return rc;
	}
	return -ENOENT;
}

int catalog_name_look_up(struct catalog *c, const char *path, char *rest, struct view_node *draft)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct declared_tables *all;
	int parts, rc;

	if (!dotted(rest, &name, &parts))
		return -ENOENT;
	if (buf_error(&name))
		return -ENOMEM;
	all = lake_tables(c->lake);
	rc = look_up_name(c, all, path, &name, parts, draft);
	tables_unref(all);
	return rc;
}

/* Was the part of T's name behind AT, LEN bytes, there before? */
static bool is_repeated(const struct declared_tables *all, size_t i, size_t at, size_t len)
{
	for (size_t k = 0; k < i; k++)
		if (!strncmp(all->list[k].name, all->list[i].name, at + len) &&
		    strchr(".", all->list[k].name[at + len]))
			return true;
	return false;
}

int catalog_name_list(struct catalog *c, char *rest, view_emit_fn emit, void *arg)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct declared_tables *all;
	int parts, rc = 0;

	if (!dotted(rest, &name, &parts) || parts > 2)
		return 0;
	all = lake_tables(c->lake);
	for (size_t i = 0; all && !rc && i < all->n; i++) {
		const struct declared_table *t = &all->list[i];
		size_t at = name.len ? name.len + 1 : 0, len = strcspn(t->name + at, ".");
		char part[NAME_BYTES + 1];

		if (!lies_in(t, &name) || is_repeated(all, i, at, len))
			continue;
		rc = sees(c, t);
		snprintf(part, sizeof(part), "%.*s", (int)len, t->name + at);
		if (rc > 0)
			rc = emit(arg, part, parts == 2 ? KIND_SYMLINK : KIND_FOLDER, 0);
	}
	tables_unref(all);
	return rc;
}

/* ---- quality ---- */

struct quality_list {
	struct catalog *c;
	struct sheet sheet;
	const struct declared_table *table;
	const struct version_row *version;
	int64_t time;
};

static int add_result(void *arg, const struct check_result *r)
{
	struct quality_list *l = arg;
	struct sheet *s = &l->sheet;

	sheet_row(s);
	sheet_text(s, "table", l->table->name);
	sheet_text(s, "path", l->table->path);
	sheet_number(s, "version", (int64_t)l->version->number);
	sheet_flag(s, "live", l->version->state == VERSION_LIVE);
	sheet_time(s, "checked", l->time);
	sheet_text(s, "column", r->column);
	sheet_text(s, "check", r->check);
	sheet_text(s, "rule", r->rule);
	sheet_number(s, "rows", r->rows);
	sheet_number(s, "failed", r->failed);
	sheet_number_if(s, "row", r->row > 0, r->row);
	sheet_text(s, "example", r->example);
	sheet_text(s, "note", r->note);
	sheet_end_row(s);
	return buf_error(s->out);
}

static int add_quality(void *arg, const struct quality_row *q)
{
	struct quality_list *l = arg;
	int rc;

	l->time = q->time;
	rc = checks_each(q->found, strlen(q->found), add_result, l);
	return rc == -EBADMSG ? 0 : rc;
}

static int add_version(void *arg, const struct version_row *v)
{
	struct quality_list *l = arg;
	int rc;

	l->version = v;
	rc = store_quality(l->c->lake->store, v->id, add_quality, l);
	return rc == -ENOENT ? 0 : rc;
}

static int add_table(struct quality_list *l)
{
	struct node_row row;
	int rc = reader_find(&l->c->reader, l->table->path, &row);

	if (rc <= 0 || row.kind != KIND_FILE)
		return rc == -ENOENT || rc == -ENOTDIR || rc > 0 ? 0 : rc;
	rc = store_versions(l->c->lake->store, row.asset, add_version, l);
	return rc == -ENOENT ? 0 : rc;
}

int catalog_quality(struct catalog *c, bool json, struct buf *out)
{
	struct quality_list l = {.c = c};
	struct declared_tables *all = lake_tables(c->lake);
	int rc = 0;

	sheet_begin(&l.sheet, out, json,
		    "table,path,version,live,checked,column,check,rule,rows,failed,row,example,note");
	for (size_t i = 0; all && !rc && i < all->n; i++) {
		l.table = &all->list[i];
		rc = add_table(&l);
	}
	sheet_end(&l.sheet);
	tables_unref(all);
	return rc;
}
