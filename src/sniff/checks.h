/*
 * Rules that the rows of a table keep, and whether they do. The rules travel to the helper process (sniff/worker.h) as
 * JSON, and what it found comes back, and lies in the store, as another:
 *
 *	rules	{"columns": [{"name": "email", "type": "VARCHAR", "not_null": true, "unique": true, "min": "1",
 *		"max": "9", "regex": "…", "key": 0, "key_name": "public.customers.customer_id"}],
 *		"keys": [{"file": "customers.csv", "column": "customer_id"}]}
 *	found	[{"column": "email", "check": "regex", "rule": "…", "rows": 100, "failed": 3, "row": 17,
 *		"example": "17,Ann,…", "note": "why it was not looked at"}]
 *
 * A rule about values says nothing of a row that has none: that is the business of not_null. Values are compared as the
 * file has them ("1" is not "1.0"), but for a range whose ends are numbers.
 *
 * Bounded: CHECKS_DISTINCT values are remembered for `unique` and foreign keys of one file; beyond, a note says so.
 * Threads: one.
 */
#ifndef TARN_SNIFF_CHECKS_H
#define TARN_SNIFF_CHECKS_H

#include "base/buf.h"
#include "config/table.h"
#include "sniff/rows.h"

#define CHECKS_DISTINCT (UINT64_C(4) << 20)
#define CHECKS_EXAMPLE 1024	   /* bytes of a row that is shown */
#define CHECKS_RULES_MAX (1 << 20) /* bytes of JSON */
#define CHECKS_FOUND_MAX (8 << 20)
#define CHECKS_KEYS 8 /* other tables' columns that one table can refer to */

struct checks;

/* ---- the daemon's side ---- */

/* The rules of T. KEY_FILES: for each of its columns with a foreign key, in their order, the name of that table's file
 * without its folders, or NULL, when it cannot be looked into. */
void checks_add_rules(struct buf *b, const struct declared_table *t, const char *const *key_files);

/* Text that is not known is NULL; borrowed. */
struct check_result {
	const char *column, *check, *rule, *example, *note;
	int64_t rows, failed, row; /* row: the first that fails, from 1; 0: none */
};
typedef int (*check_result_fn)(void *arg, const struct check_result *r);
/* FN's first answer that is not 0, or 0. -EBADMSG: FOUND is no such JSON. */
int checks_each(const char *found, size_t len, check_result_fn fn, void *arg);

/* ---- the helper's side ---- */

/* 0, -EBADMSG, -ENOMEM. */
int checks_parse(const char *json, size_t len, struct checks **out);
void checks_free(struct checks *c); /* NULL is fine */
size_t checks_keys(const struct checks *c);
const char *checks_key_file(const struct checks *c, size_t key);

/* The rows that come next are those of a key's file; or (SIZE_MAX) of the table itself. */
void checks_look_at(struct checks *c, size_t key);
/* The columns of those rows: 0 or -ENOMEM. */
int checks_begin(struct checks *c, const struct row_column *columns, size_t n);
int checks_row(struct checks *c, const struct cell *cells, size_t n);
/* What was found. WHY (may be NULL): not all rows were looked at. */
void checks_add_found(struct buf *b, const struct checks *c, const char *why);

#endif
