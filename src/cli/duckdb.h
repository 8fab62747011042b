/*
 * DuckDB's C library, loaded when it is there: nothing is linked with it, no header of it is needed to build tarn. What
 * is declared of it (duckdb.c) is its documented interface, https://duckdb.org/docs/stable/clients/c/api, which keeps
 * its names and structures from release to release.
 *
 * The database is in memory. It reads files of one folder only, changes nothing, loads no extension, and its settings
 * cannot be changed by a query.
 *
 * Errors are 0 or -errno, and WHY, when it is not empty, what DuckDB says about them: several lines, perhaps.
 * Threads: one at a time; duckdb_stop() also from a signal handler.
 */
#ifndef TARN_CLI_DUCKDB_H
#define TARN_CLI_DUCKDB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define DUCKDB_LIBRARY "libduckdb.so"

struct duckdb;

struct duckdb_limits {
	const char *folder;    /* absolute: what queries may read; relative names are of the current folder */
	const char *output;    /* absolute: the one file that may be written; NULL: none */
	const char *temporary; /* a folder for what does not fit into memory */
	const char *memory;    /* "1GB" */
	unsigned threads;
};

/*
 * LIBRARY: a file; NULL: libduckdb.so where dlopen(3) looks, then in duckdb_places. -ENOENT: it is nowhere; -ELIBACC:
 * it cannot be loaded; -ELIBBAD: it is none, or too old.
 */
int duckdb_load(const char *library, struct duckdb **out, struct buf *why);
extern const char *const duckdb_places[]; /* folders; NULL ends it */
/* Opens the database, once. -EINVAL: a limit is wrong, or the library is too old to be limited. */
int duckdb_begin(struct duckdb *d, const struct duckdb_limits *l, struct buf *why);
const char *duckdb_version(const struct duckdb *d); /* "v1.5.6" */
/* NULL is fine. The library stays loaded. */
void duckdb_free(struct duckdb *d);
static inline void duckdb_freep(struct duckdb **d)
{
	duckdb_free(*d);
}
#define _cleanup_duckdb_ __attribute__((cleanup(duckdb_freep)))

/* Is SQL one statement that only reads? -EINVAL: it is not, or it is wrong. */
int duckdb_check(struct duckdb *d, const char *sql, struct buf *why);
/* Runs one statement for what it does. -EINVAL. */
int duckdb_run(struct duckdb *d, const char *sql, struct buf *why);

struct duckdb_text {
	const char *at; /* UTF-8, without an end; NULL: SQL's NULL */
	size_t len;
};
/* VALUES, N of them, are valid during the call. Another answer than 0 ends the query, and is its result. */
typedef int (*duckdb_row_fn)(void *arg, const struct duckdb_text *values, size_t n);
/* The rows of SQL, whose columns must all be VARCHAR, as they are made: the whole answer is never in memory. */
int duckdb_rows(struct duckdb *d, const char *sql, duckdb_row_fn fn, void *arg, struct buf *why);
/* What runs ends with an error. NULL is fine. */
void duckdb_stop(struct duckdb *d);

/* 'x', quoted for SQL. */
void duckdb_quote(struct buf *b, const char *text);

/*
 * The function that reads the version NAME, and its path: "raw-data/sales.csv@v3" is read_csv_auto of
 * "raw-data/sales.csv@v/3.csv", for DuckDB knows a file's format by how its name ends. NULL: NAME names no version, or
 * one of a format that DuckDB has no reader for.
 */
const char *duckdb_reader(const char *name, struct buf *path);

#endif
