/*
 * Text as a value: which type DuckDB would give it, and what it is then. The rules are those of DuckDB's CSV reader as
 * it is observed to be (tests/sniff/duckdb.mjs asks it), not those of its casts in SQL: 007 is text, 5 a BIGINT, 5. a
 * DOUBLE.
 *
 * Dates are in the proleptic Gregorian calendar. Threads: any.
 */
#ifndef TARN_SNIFF_VALUE_H
#define TARN_SNIFF_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* In the order in which they are tried. */
enum value_type {
	VALUE_NONE, /* nothing but nulls */
	VALUE_BOOLEAN,
	VALUE_BIGINT,
	VALUE_DOUBLE,
	VALUE_TIME,
	VALUE_DATE,
	VALUE_TIMESTAMP,
	VALUE_TIMESTAMPTZ,
	VALUE_VARCHAR,
};
const char *value_type_name(enum value_type type); /* as DuckDB has it; VARCHAR for VALUE_NONE */

/* As what it is compared: BOOLEAN, BIGINT: i. DOUBLE: d. DATE: i, days since 1970. TIME, the TIMESTAMPs: i, us. */
struct value {
	int64_t i;
	double d;
};

/* How the dates of a column are written, as far as its values leave it open; all 0 at first. */
struct value_formats {
	uint32_t open; /* a bit for each that fits all values so far; 0: no value so far */
	char separator;
};

/* The type of a column that had TYPE, now that TEXT is one of its values, too; *F is narrowed down. */
enum value_type value_widen(enum value_type type, struct value_formats *f, const char *text, size_t len);
/* Is TEXT of that type, written in one of the ways of F? Then *V is what it is. VARCHAR: always; *V is nothing. */
bool value_parse(enum value_type type, const struct value_formats *f, const char *text, size_t len, struct value *v);

/* As DuckDB prints it. Not for VARCHAR. */
void value_print(struct buf *b, enum value_type type, const struct value *v);
void value_print_double(struct buf *b, double d);

int64_t days_of(int64_t year, int month, int day); /* since 1970-01-01 */

#endif
