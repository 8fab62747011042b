/*
 * Reading CSV and TSV row by row, in bounded memory: RFC 4180 as libcsv understands it, spaces kept, blank lines left
 * out. Quotes are gone from the fields, so that two ways of writing one row are the same row.
 */
#ifndef TARN_BASE_CSV_READ_H
#define TARN_BASE_CSV_READ_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

#define CSV_ROW_MAX (16 << 20) /* bytes of one row */

struct csv_row {
	struct buf bytes; /* the fields, a NUL after each */
	size_t *ends;	  /* where each one's NUL is */
	int n, room;
};

/* Field I, followed by a NUL, and its length. */
const char *csv_field(const struct csv_row *row, int i, size_t *len);

/* NUMBER: 0 for the header. Not 0 ends the reading and is returned. */
typedef int (*csv_row_fn)(void *arg, uint64_t number, const struct csv_row *row);

/*
 * All rows of FD from its beginning (by pread; its offset does not matter). 0; FN's answer; -EFBIG: a row above
 * CSV_ROW_MAX; -EBADMSG: a quote that is never closed; -errno.
 */
int csv_read(int fd, char delimiter, csv_row_fn fn, void *arg);

/* The next up to LEN bytes; 0: that was all. -errno ends the reading. */
typedef ssize_t (*csv_source_fn)(void *arg, void *to, size_t len);
/* The same of what SOURCE gives, and blank lines are rows of no fields. QUOTE: 0 where there is none. */
int csv_read_from(csv_source_fn source, void *source_arg, char delimiter, char quote, csv_row_fn fn, void *arg);

/* What separates the fields of a file that begins with LEN bytes of HEAD: a comma unless another one is more usual in
 * its first line. */
char csv_delimiter(const char *head, size_t len);

#endif
