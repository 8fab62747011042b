/*
 * How a CSV file is written: which of , | ; and tab separates, which quote, and where the table begins. As DuckDB finds
 * it: the dialect by which the most rows of the beginning have the same number of columns, and the most columns. What
 * stands above the first row that has as many is a title.
 */
#ifndef TARN_SNIFF_CSV_DIALECT_H
#define TARN_SNIFF_CSV_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIALECT_ROWS 2048 /* that are looked at */

struct csv_dialect {
	char delimiter, quote; /* quote: 0: none is used */
	bool comments;	       /* lines that begin with # are none of the table */
	size_t title;	       /* rows above the table, blank lines and comments not counted */
	size_t columns;
};

/* Of a file that begins with LEN bytes of HEAD, or is just that: WHOLE. Always finds one: what else a file may be, it
 * is a table of one column. */
void csv_find_dialect(const char *head, size_t len, bool whole, struct csv_dialect *d);

/* Counting rows fast, of a stream of bytes. All 0 at first but the dialect. */
struct csv_counter {
	char delimiter, quote;
	bool comments;

	uint64_t rows; /* that have ended; blank lines and comments are none */
	size_t columns;
	enum { ROW_BEGIN, FIELD_BEGIN, IN_FIELD, IN_QUOTES, QUOTE_IN_QUOTES, IN_COMMENT } state;
	bool blank_too;	   /* a blank line is a row */
	bool after_return; /* the last byte was a \r */
	bool broken;	   /* something stood behind a closing quote */
	uint32_t *widths;  /* columns of each of the first `room` rows; NULL is fine */
	size_t room;
};
void csv_count(struct csv_counter *c, const char *bytes, size_t len);
/* No newline at the end of the last row. False: it ends within quotes. */
bool csv_count_end(struct csv_counter *c);

#endif
