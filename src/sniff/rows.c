#include "sniff/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sniff/checks.h"
#include "sniff/statistics.h"

#define TEXT_VALUE_MAX 4096 /* bytes of one value that are searched */

struct rows {
	const struct row_column *columns;
	size_t n;
	struct statistics **statistics;
	uint64_t rows, misfits;
	struct buf sample, text;
	struct checks *checks;
};

static void add_names(struct rows *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (i)
			buf_addc(&t->sample, ',');
		buf_add_csv(&t->sample, t->columns[i].name, strlen(t->columns[i].name));
	}
	buf_adds(&t->sample, "\r\n");
}

struct rows *rows_new(const struct row_column *columns, size_t n)
{
	struct rows *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->columns = columns;
	t->n = n;
	t->statistics = calloc(n + 1, sizeof(struct statistics *));
	if (!t->statistics) {
		rows_free(t);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		t->statistics[i] = statistics_new(columns[i].shown ? columns[i].shown : columns[i].type, n);
		if (!t->statistics[i]) {
			rows_free(t);
			return NULL;
		}
	}
	add_names(t);
	return t;
}

void rows_free(struct rows *t)
{
	if (!t)
		return;
	for (size_t i = 0; t->statistics && i < t->n; i++)
		statistics_free(t->statistics[i]);
	free(t->statistics);
	buf_release(&t->sample);
	buf_release(&t->text);
	free(t);
}

/* A whole row, or nothing. */
static void add_to_sample(struct rows *t, const struct cell *cells, size_t n)
{
	size_t before = t->sample.len;

	if (t->rows >= DESCRIPTION_SAMPLE_ROWS)
		return;
	for (size_t i = 0; i < t->n; i++) {
		if (i)
			buf_addc(&t->sample, ',');
		if (i < n && cells[i].text)
			buf_add_csv(&t->sample, cells[i].text, cells[i].len);
		if (t->sample.len > DESCRIPTION_SAMPLE_MAX) {
			t->sample.len = before;
			return;
		}
	}
	buf_adds(&t->sample, "\r\n");
}

static int add_to_text(struct rows *t, const struct cell *cell)
{
	size_t len = cell->len < TEXT_VALUE_MAX ? cell->len : TEXT_VALUE_MAX;

	if (t->text.len + len + 1 > DESCRIPTION_TEXT_MAX)
		return 0;
	buf_add(&t->text, cell->text, len);
	buf_addc(&t->text, '\n');
	return buf_error(&t->text);
}

static int add_cell(struct rows *t, size_t i, const struct cell *cell)
{
	const struct row_column *c = &t->columns[i];
	struct value v = {0};
	int rc;

	if (!cell || !cell->text) {
		statistics_add_null(t->statistics[i]);
		return 0;
	}
	if (c->type != VALUE_NONE && !value_parse(c->type, &c->formats, cell->text, cell->len, &v)) {
		t->misfits++;
		return 0;
	}
	rc = statistics_add(t->statistics[i], cell->text, cell->len, &v);
	if (rc == 1) /* one that was not there before */
		rc = c->type == VALUE_VARCHAR ? add_to_text(t, cell) : 0;
	return rc;
}

int rows_check(struct rows *t, struct checks *c)
{
	t->checks = c;
	return c ? checks_begin(c, t->columns, t->n) : 0;
}

int rows_add(struct rows *t, const struct cell *cells, size_t n)
{
	int rc = t->checks ? checks_row(t->checks, cells, n) : 0;

	add_to_sample(t, cells, n);
	for (size_t i = 0; i < t->n && !rc; i++)
		rc = add_cell(t, i, i < n ? &cells[i] : NULL);
	t->rows++;
	return rc ? rc : buf_error(&t->sample);
}

uint64_t rows_misfits(const struct rows *t)
{
	return t->misfits;
}

int rows_finish(struct rows *t, struct description *d)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct row_column *from = &t->columns[i];
		struct column *c =
			description_add_column(d, from->name, strlen(from->name),
					       from->type_name ? from->type_name : value_type_name(from->type));
		int rc = c ? statistics_finish(t->statistics[i], c) : -ENOMEM;

		if (rc)
			return rc;
		c->not_null = from->not_null;
	}
	if (t->text.len && description_set_bytes(&d->text, t->text.data, t->text.len))
		return -ENOMEM;
	return t->n ? description_set_bytes(&d->sample, t->sample.data, t->sample.len) : 0;
}
