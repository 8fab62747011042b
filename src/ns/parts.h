/*
 * Tables of parts: a folder is one table when all its files that have columns have the same ones, of the same format
 * and with the same extension, and there are two of them or more. They lie in the folder itself, which is none of a
 * bucket's top, or all equally deep in folders "key=value" below it (Hive's partitions), of which one file is enough.
 * Files without columns (_SUCCESS, README) may lie there, too; the types of a column may differ.
 */
#ifndef TARN_NS_PARTS_H
#define TARN_NS_PARTS_H

#include "ns/reader.h"

struct parts {
	UT_hash_handle hh;
	char *root;	 /* the folder's path below buckets/ */
	bool is;	 /* it is such a table, for this reader; else nothing below counts */
	bool told;	 /* the caller's own */
	uint64_t folder; /* its node */
	uint64_t files, size;
	int64_t rows;	  /* -1: not known of all */
	int64_t mtime;	  /* of what changed last, */
	uint64_t version; /* and its version */
	uint64_t node;	  /* and its node */
	int deep;	  /* so many folders "key=value" lie above each part */
	char *extension;  /* ".csv.gz" */
	struct buf keys;  /* of those folders, each followed by a NUL */
	struct buf paths; /* of the parts, likewise, in no order */
	/* while it is being found out */
	char *names, *format;
};

/* What was asked in one request, by root. */
struct parts_known {
	struct reader *reader;
	struct parts *all;
};
void parts_known_release(struct parts_known *k);
#define _cleanup_parts_known_ __attribute__((cleanup(parts_known_release)))

/* Of the folder at ROOT; valid as long as K. 0 or -errno; *OUT->is may be false. */
int parts_at(struct parts_known *k, const char *root, size_t root_len, struct parts **out);
/* Of the table that the file at PATH would be a part of. *OUT: NULL when it is none. */
int parts_of_file(struct parts_known *k, const char *path, struct parts **out);
/* A pattern that all parts match, of which DuckDB, too, knows the stars. */
void parts_add_pattern(struct buf *b, const struct parts *p);

#endif
