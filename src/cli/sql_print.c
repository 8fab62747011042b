#include "cli/sql_print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

void sql_print_release(struct sql_print *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->columns[i].name);
		free(p->columns[i].type);
		if (p->heading_texts)
			buf_release(&p->heading_texts[i]);
	}
	free(p->columns);
	free(p->heading_texts);
	free(p->headings);
	table_release(&p->table);
	*p = (struct sql_print){0};
}

/* ---- columns ---- */

static char *text_dup(const struct duckdb_text *t)
{
	return strndup(t->at ? t->at : "", t->len);
}

int sql_print_column(void *arg, const struct duckdb_text *values, size_t n)
{
	struct sql_print *p = arg;
	struct sql_column *c;
	int rc = n < 2 ? -EIO : array_grow(&p->columns, p->n, &p->room, sizeof(*p->columns));

	if (rc)
		return rc;
	c = &p->columns[p->n];
	*c = (struct sql_column){text_dup(&values[0]), text_dup(&values[1])};
	if (c->name && c->type) {
		p->n++;
		return 0;
	}
	free(c->name);
	free(c->type);
	return -ENOMEM;
}

static bool is_number(const char *type)
{
	static const char *const types[] = {"TINYINT",	 "SMALLINT", "INTEGER", "BIGINT",   "HUGEINT", "UTINYINT",
					    "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT",   "DOUBLE"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(type, types[i]))
			return true;
	return !strncmp(type, "DECIMAL(", 8) && type[strlen(type) - 1] == ')';
}

bool sql_column_is_nested(const struct sql_column *c)
{
	size_t len = strlen(c->type);

	return !strncmp(c->type, "STRUCT(", 7) || !strncmp(c->type, "MAP(", 4) || !strncmp(c->type, "UNION(", 6) ||
	       (len && c->type[len - 1] == ']');
}

/* ---- JSON ---- */

/* Numbers that JSON has no form of (inf, nan) are texts. */
static bool is_json_number(const struct duckdb_text *v)
{
	const char *digit = v->at + (v->len && v->at[0] == '-');

	return digit < v->at + v->len && *digit >= '0' && *digit <= '9';
}

static bool is_plain_json(const struct sql_column *c, const struct duckdb_text *v)
{
	return !strcmp(c->type, "BOOLEAN") || !strcmp(c->type, "JSON") || sql_column_is_nested(c) ||
	       (is_number(c->type) && is_json_number(v));
}

static void add_json_row(struct buf *b, const struct sql_print *p, const struct duckdb_text *values)
{
	buf_adds(b, p->rows ? ",\n{" : "\n{");
	for (size_t i = 0; i < p->n; i++) {
		if (i)
			buf_addc(b, ',');
		buf_add_json(b, p->columns[i].name, strlen(p->columns[i].name));
		buf_addc(b, ':');
		if (!values[i].at)
			buf_adds(b, "null");
		else if (is_plain_json(&p->columns[i], &values[i]))
			buf_add(b, values[i].at, values[i].len);
		else
			buf_add_json(b, values[i].at, values[i].len);
	}
	buf_addc(b, '}');
}

/* ---- CSV ---- */

static void add_csv_value(struct buf *b, const char *at, size_t len)
{
	if (at && !len)
		buf_adds(b, "\"\"");
	else if (at)
		buf_add_csv(b, at, len);
}

static void add_csv_row(struct buf *b, const struct sql_print *p, const struct duckdb_text *values)
{
	for (size_t i = 0; i < p->n; i++) {
		if (i)
			buf_addc(b, ',');
		add_csv_value(b, values[i].at, values[i].len);
	}
	/* a line with nothing in it would be none */
	if (p->n == 1 && !values[0].at)
		buf_adds(b, "\"\"");
	buf_addc(b, '\n');
}

static void add_csv_header(struct buf *b, const struct sql_print *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (i)
			buf_addc(b, ',');
		add_csv_value(b, p->columns[i].name, strlen(p->columns[i].name));
	}
	buf_addc(b, '\n');
}

/* ---- tables ---- */

static int begin_table(struct sql_print *p)
{
	p->headings = calloc(p->n + 1, sizeof(*p->headings));
	p->heading_texts = calloc(p->n ? p->n : 1, sizeof(*p->heading_texts));
	if (!p->headings || !p->heading_texts)
		return -ENOMEM;
	for (size_t i = 0; i < p->n; i++) {
		struct buf *b = &p->heading_texts[i];

		buf_addf(b, "%s%s", is_number(p->columns[i].type) ? ">" : "", p->columns[i].name);
		if (buf_error(b))
			return -ENOMEM;
		p->headings[i] = buf_str(b);
	}
	table_init(&p->table, p->headings);
	return 0;
}

static int add_table_row(struct sql_print *p, const struct duckdb_text *values)
{
	if (p->rows == p->most) {
		p->cut = true;
		return -ECANCELED;
	}
	for (size_t i = 0; i < p->n; i++) {
		_cleanup_free_ char *text = values[i].at ? text_dup(&values[i]) : strdup("NULL");

		if (!text)
			return -ENOMEM;
		table_add(&p->table, text);
	}
	p->rows++;
	return p->table.error;
}

/* ---- all ---- */

static int put(const struct buf *b)
{
	if (buf_error(b))
		return -ENOMEM;
	return fwrite(b->data, 1, b->len, stdout) == b->len ? 0 : -EIO;
}

int sql_print_begin(struct sql_print *p)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (p->form == SQL_TABLE)
		return begin_table(p);
	if (p->form == SQL_CSV)
		add_csv_header(&b, p);
	else
		buf_addc(&b, '[');
	return put(&b);
}

int sql_print_row(void *arg, const struct duckdb_text *values, size_t n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct sql_print *p = arg;

	if (n != p->n)
		return -EIO;
	if (p->form == SQL_TABLE)
		return add_table_row(p, values);
	(p->form == SQL_CSV ? add_csv_row : add_json_row)(&b, p, values);
	p->rows++;
	return put(&b);
}

int sql_print_end(struct sql_print *p)
{
	if (p->form == SQL_TABLE)
		return table_print(&p->table, stdout);
	if (p->form == SQL_JSON)
		fputs(p->rows ? "\n]\n" : "]\n", stdout);
	return ferror(stdout) ? -EIO : 0;
}
