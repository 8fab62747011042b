/*
 * Rows of text, one after the other, become the columns, statistics and sample of a description. For all formats whose
 * values are text until somebody looks: CSV, and what JSON's scalars are.
 */
#ifndef TARN_SNIFF_ROWS_H
#define TARN_SNIFF_ROWS_H

#include "sniff/description.h"
#include "sniff/value.h"

struct row_column {
	char *name;
	enum value_type type;
	const char *type_name; /* NULL: that of type */
	enum value_type shown; /* as what values are told; VALUE_NONE: as type */
	struct value_formats formats;
	bool not_null;
};

struct cell {
	const char *text; /* NULL: no value */
	size_t len;
};

struct rows;

/* N columns (at most DESCRIPTION_COLUMNS_MAX), which become D's; TYPES: theirs. NULL: out of memory. */
struct rows *rows_new(const struct row_column *columns, size_t n);
void rows_free(struct rows *t); /* NULL is fine */

struct checks;
/* The rows are checked, too, by C (sniff/checks.h; NULL: they are not). 0 or -ENOMEM. */
int rows_check(struct rows *t, struct checks *c);

/* A row of N cells; those that are not there are null, those beyond the columns left out. 0 or -ENOMEM. */
int rows_add(struct rows *t, const struct cell *cells, size_t n);

/* Values that their columns' types do not allow: they were left out. */
uint64_t rows_misfits(const struct rows *t);

/* Columns, sample and text into D; its rows are the caller's. 0 or -ENOMEM. */
int rows_finish(struct rows *t, struct description *d);

static inline void rows_freep(struct rows **t)
{
	rows_free(*t);
}
#define _cleanup_rows_ __attribute__((cleanup(rows_freep)))

#endif
