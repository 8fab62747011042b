/*
 * tarn diff, inside: the kinds of comparison. Each answers what diff(1) does: DIFF_SAME, DIFF_DIFFERENT, or
 * DIFF_TROUBLE after it said what the trouble is; and prints what differs, or adds it to FACTS where that is not NULL
 * (--json).
 */
#ifndef TARN_CLI_DIFF_DIFF_H
#define TARN_CLI_DIFF_DIFF_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"

enum diff_answer { DIFF_SAME = 0, DIFF_DIFFERENT = 1, DIFF_TROUBLE = 2 };
#define DIFF_OTHER_KIND 3 /* it is not of this kind after all: to be compared in another way, nothing was printed */

struct diff_side {
	const char *path; /* as it was given */
	int fd;		  /* of a file, open for reading; -1 */
	struct stat st;
};

struct diff_options {
	bool text;    /* tables too, line by line */
	int examples; /* how many rows of each kind are shown */
	char **keys;
	int nkeys;
};

/* ---- diff_bytes.c ---- */

/* Where two files differ first; -1: nowhere; below that -errno - 1. */
off_t diff_first_difference(const struct diff_side *a, const struct diff_side *b);
/* No zero byte at its beginning. */
bool diff_is_text(const struct diff_side *s);
/* Sizes, checksums, where the first difference is. */
int diff_bytes(const struct diff_side *a, const struct diff_side *b, struct json_object *facts);

/* ---- diff_text.c: what `diff -u` says ---- */

int diff_text(const struct diff_side *a, const struct diff_side *b, struct json_object *facts);
/* "NAME\tTIME", for the lines --- and +++. */
void diff_label(struct buf *b, const struct diff_side *s);

/* ---- diff_table.c: columns and rows ---- */

bool diff_is_table(const struct diff_side *s);
int diff_table(const struct diff_side *a, const struct diff_side *b, const struct diff_options *o,
	       struct json_object *facts);

/* ---- diff_table_print.c ---- */

/* What diff_table() found, for people. COLOUR: escape sequences may be used. */
void diff_table_print(const struct diff_side *a, const struct diff_side *b, struct json_object *facts, bool colour);

/* ---- diff_folder.c ---- */

int diff_folder(const struct diff_side *a, const struct diff_side *b, struct json_object *facts);

#endif
