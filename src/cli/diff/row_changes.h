/*
 * Which rows two CSV files have in common, and which were added, removed or changed.
 *
 * Rows belong together when they have the same key: the columns that the caller names, else the shortest run of first
 * columns whose values are unique in both files. Where there is none, whole rows are compared: a change then counts as
 * one removed and one added. Only columns that both files have are looked at. The order of rows does not matter.
 *
 * Memory is bounded (cli/diff/row_spool.h): files are read several times instead.
 */
#ifndef TARN_CLI_DIFF_ROW_CHANGES_H
#define TARN_CLI_DIFF_ROW_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/schema.h"

struct table_file {
	int fd;
	char delimiter;
	struct schema schema; /* matched with the other's */
};

enum row_change { ROW_REMOVED, ROW_ADDED, ROW_CHANGED, ROW_CHANGES };

struct row_pair {
	uint64_t a, b; /* numbers of rows, the first below the header is 1; 0: none */
};

struct row_changes {
	uint64_t counts[ROW_CHANGES], same;
	int *columns;				/* of A: those that both files have, the key first */
	int ncolumns, nkey;			/* nkey == ncolumns: whole rows */
	bool ambiguous;				/* the key that was asked for is not unique */
	struct row_pair *examples[ROW_CHANGES]; /* the first ones */
	int nexamples[ROW_CHANGES];
};

/*
 * KEYS: names of columns, NKEYS of them (0: found out). LIMIT: how many examples of each kind. 0; -ENOENT: a key is no
 * column of both, its index in *WRONG; -errno.
 */
int row_changes_find(const struct table_file *a, const struct table_file *b, char *const *keys, int nkeys, int limit,
		     struct row_changes *out, int *wrong);
void row_changes_release(struct row_changes *c);

#endif
