/*
 * A table for people: columns as wide as their widest cell, two spaces between them, a line of headings. Cells are
 * shown without control characters (human_name).
 */
#ifndef TARN_CLI_TABLE_H
#define TARN_CLI_TABLE_H

#include <stdio.h>

struct table {
	const char *const
		*headings; /* NULL-terminated; a heading that begins with '>' is of a column set to the right */
	int columns;
	char **cells; /* row after row */
	int ncells, room;
	int error; /* -ENOMEM, remembered */
};

/* HEADINGS must outlive the table. Without headings (each ""), no line of them is printed. */
void table_init(struct table *t, const char *const *headings);
void table_release(struct table *t);
#define _cleanup_table_ __attribute__((cleanup(table_release)))

/* The next cell, left to right. */
void table_add(struct table *t, const char *text);
void table_addf(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* 0 or -ENOMEM. */
int table_print(const struct table *t, FILE *to);

#endif
