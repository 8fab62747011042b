/* Declared tables, as verbs use them. */
#ifndef TARN_CLI_CATALOG_H
#define TARN_CLI_CATALOG_H

#include "config/table.h"

/*
 * Runs the command of T as the user who asks, and puts what it printed in the place of T's file below POINT, the mount
 * of LAKE. Nothing changes unless it ends with 0 in time. Not when others than this user and root may write what is
 * declared. 0 or -errno; errors are said.
 */
int table_run(const char *lake, const char *point, const struct declared_table *t);

#endif
