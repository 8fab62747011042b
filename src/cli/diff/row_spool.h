/*
 * The rows of a table as records of one size: digests of a row's key and of all of it, and its number. Records are
 * dealt over temporary files by their key, so that equal keys of two tables are in the same part of both, and each part
 * is small enough to be sorted in memory, however many rows there are.
 */
#ifndef TARN_CLI_DIFF_ROW_SPOOL_H
#define TARN_CLI_DIFF_ROW_SPOOL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define DIGEST_BYTES 16 /* of a SHA-256: two rows that differ never have the same */

struct row_record {
	uint8_t key[DIGEST_BYTES], row[DIGEST_BYTES];
	uint64_t number;
};

struct row_spool {
	FILE **parts;
	int n;
};

/* How many parts tables of so many rows need; two tables that are to be compared get the same. */
int row_spool_parts(uint64_t rows);
/* 0 or -errno. Files are made in $TMPDIR, else /var/tmp, and have no name. */
int row_spool_init(struct row_spool *s, int parts);
void row_spool_release(struct row_spool *s);
int row_spool_add(struct row_spool *s, const struct row_record *r);
/* The records of PART, by key, then row, then number; the caller frees them. 0 or -errno. */
int row_spool_load(struct row_spool *s, int part, struct row_record **out, size_t *n);

#endif
