/*
 * Declared tables: config/tables/<any name>.yaml, one table each, read with libyaml. What a table is called, which file
 * it is, what its columns mean, and rules that its rows keep. The format: tarn.yaml(5).
 *
 * A file that is wrong is left out and told of, with file, line and column; the others hold. Nothing here is run or
 * opened: paths are those of the mount.
 *
 * What was loaded never changes, and is counted: whoever keeps a pointer holds a reference. Any thread.
 */
#ifndef TARN_CONFIG_TABLE_H
#define TARN_CONFIG_TABLE_H

#include <stdatomic.h>

#include "config/settings.h"

#define TABLES_MOST 1000	/* files that are read */
#define TABLE_COLUMNS_MOST 4096 /* as many as a description has */
#define TABLE_NAME_PART 64	/* bytes of an environment, a schema, a table */
#define TABLE_TIMEOUT 600	/* seconds for `source: {command: }`, when not said */

/* Text that was not said is NULL. */
struct declared_column {
	char *name, *description, *type;
	bool not_null, unique;
	char *min, *max;	      /* both belong to the range */
	char *regex;		      /* POSIX extended, of the whole value */
	char *key_table, *key_column; /* foreign key: the full name of a table, and its column */
};

struct declared_table {
	char *name;	 /* in full: "production.public.customers" */
	char *path;	 /* on the mount: "raw-data/customers.csv" */
	char *command;	 /* of `source`: the shell's, whose output is the file */
	int64_t timeout; /* seconds that it may take */
	char *description, *owner;
	char **tags;
	size_t ntags;
	struct declared_column *columns;
	size_t ncolumns;
	char *file; /* where it is declared: the file's name in config/tables */
};

struct declared_tables {
	struct declared_table *list; /* by their files' names */
	size_t n;
	size_t broken; /* files that were left out */
	atomic_uint refs;
};

/*
 * Reads LAKE/config/tables. LAKE is absolute. All there is to say goes to FINDINGS. 0, also when there is no such
 * folder or files of it are wrong; -ENOMEM.
 */
int tables_load(const char *lake, struct declared_tables **out, struct findings *findings);
struct declared_tables *tables_ref(struct declared_tables *t);
void tables_unref(struct declared_tables *t); /* NULL is fine */

/* By its name: in full, or its end if only one table has that: "customers". NULL: none, or several. */
const struct declared_table *tables_named(const struct declared_tables *t, const char *name);
/* The first whose path that is. */
const struct declared_table *tables_at(const struct declared_tables *t, const char *path);
bool table_has_checks(const struct declared_table *t);

#endif
