/*
 * The columns of a CSV file: names, types as their values have them, and a sketch of the values, by which a renamed
 * column is known again.
 *
 * A type is the narrowest that all values of a column have; empty values say nothing. Numbers with leading zeros are
 * text (they are codes). Dates and times are those of ISO 8601.
 *
 * The sketch of a column is the SKETCH smallest hashes of its different values (bottom-k). What two sketches share
 * among the SKETCH smallest of both is an estimate of what share of values both columns have (Jaccard).
 */
#ifndef TARN_CLI_SCHEMA_H
#define TARN_CLI_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SKETCH 64

enum column_type { TYPE_NONE, TYPE_BOOLEAN, TYPE_INTEGER, TYPE_NUMBER, TYPE_DATE, TYPE_TIME, TYPE_TEXT };
const char *column_type_name(enum column_type t);
/* Of one value. */
enum column_type column_type_of(const char *value, size_t len);

struct column {
	char *name;
	enum column_type type;
	int partner; /* the column of the other file that is this one; -1: none */
	int nsketch;
	uint64_t sketch[SKETCH]; /* rising */
};

struct schema {
	struct column *columns;
	int n;
	uint64_t rows; /* the header aside */
};

/* Reads all of FD. 0, or as csv_read(). */
int schema_read(int fd, char delimiter, struct schema *out);
void schema_release(struct schema *s);
/* Finds the partners: columns of the same name, then those that were renamed. */
void schema_match(struct schema *a, struct schema *b);
/* Same names in the same order? */
bool schema_same_names(const struct schema *a, const struct schema *b);

#endif
