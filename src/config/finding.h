/* Making findings, and showing what the user wrote in them. */
#ifndef TARN_CONFIG_FINDING_H
#define TARN_CONFIG_FINDING_H

#include <limits.h>
#include <stddef.h>

#include "base/buf.h"
#include "config/settings.h"

/* Where something stands: FILE is borrowed. Without a file (an environment variable) there is no position to print. */
struct place {
	const char *file;
	unsigned line, col; /* from 1; 0: the file as a whole */
};

/* Adds "FILE:LINE:COL: message". Beyond a hundred of its level a finding is left out, and the last one says so. */
void findings_add(struct findings *f, enum finding_level level, const struct place *at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Puts those from FIRST on in the order of their places. */
void findings_sort(struct findings *f, int first);
void findings_drop_warnings(struct findings *f);

/* "text", control characters escaped, cut after some 60 bytes. */
void buf_add_shown(struct buf *b, const char *text, size_t len);
/* A key or the name of a bucket: in quotes only where it is not made of letters, digits, - and _. */
void buf_add_key(struct buf *b, const char *key);

#endif
