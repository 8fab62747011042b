/*
 * Rows of named values, as CSV with a heading or as a JSON list of objects: the files of .catalog have both forms.
 * Every row has the same cells in the same order.
 */
#ifndef TARN_NS_SHEET_H
#define TARN_NS_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct sheet {
	struct buf *out;
	bool json;
	uint64_t rows, cells; /* cells of this row */
};

/* HEADING: the names, separated by commas. */
void sheet_begin(struct sheet *s, struct buf *out, bool json, const char *heading);
void sheet_row(struct sheet *s);
void sheet_end_row(struct sheet *s);
void sheet_end(struct sheet *s);

/* NULL, and what is not known, is an empty field or null. */
void sheet_text(struct sheet *s, const char *name, const char *value);
void sheet_bytes(struct sheet *s, const char *name, const char *value, size_t len);
void sheet_number(struct sheet *s, const char *name, int64_t value);
void sheet_number_if(struct sheet *s, const char *name, bool known, int64_t value);
void sheet_flag(struct sheet *s, const char *name, bool value);
void sheet_time(struct sheet *s, const char *name, int64_t ns);
void sheet_hex(struct sheet *s, const char *name, const void *bytes, size_t len); /* LEN 0: not known */

#endif
