/*
 * What a query answers, row by row, as a table for people, as CSV (RFC 4180, lines that end with \n; NULL is an empty
 * field, an empty text is "") or as a JSON list of objects.
 */
#ifndef TARN_CLI_SQL_PRINT_H
#define TARN_CLI_SQL_PRINT_H

#include <stdint.h>

#include "cli/duckdb.h"
#include "cli/table.h"

enum sql_form { SQL_TABLE, SQL_CSV, SQL_JSON };

struct sql_column {
	char *name;
	char *type; /* DuckDB's: "DECIMAL(18,3)" */
};

struct sql_print {
	enum sql_form form;
	uint64_t most; /* rows of a table */
	/* filled by sql_print_column() */
	struct sql_column *columns;
	size_t n, room;
	/* inside */
	struct table table;
	const char **headings;
	struct buf *heading_texts;
	uint64_t rows;
	bool cut; /* a table has more rows */
};

void sql_print_release(struct sql_print *p);
#define _cleanup_sql_print_ __attribute__((cleanup(sql_print_release)))

/* One row of DESCRIBE: a further column. ARG: a struct sql_print. */
int sql_print_column(void *arg, const struct duckdb_text *values, size_t n);
/* The values of column I are printed best when they come as JSON. */
bool sql_column_is_nested(const struct sql_column *c);

/* Before the first row, for every row (ARG: a struct sql_print; -ECANCELED: a table has enough), after the last. */
int sql_print_begin(struct sql_print *p);
int sql_print_row(void *arg, const struct duckdb_text *values, size_t n);
int sql_print_end(struct sql_print *p);

#endif
