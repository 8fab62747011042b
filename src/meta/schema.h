/*
 * The tables of the store, and how an older store becomes one of today.
 */
#ifndef TARN_META_SCHEMA_H
#define TARN_META_SCHEMA_H

#include <sqlite3.h>

#include "meta/store.h"

#define SCHEMA_VERSION 6
#define SCHEMA_APPLICATION 0x7461726e /* "tarn", in the database's header */

/* Makes the database file PATH, with its tables; nothing is there under that name before it is whole. -EEXIST. */
int schema_create(const char *path, const char **why);
/*
 * Is DB a store that this program can use? 0, -EPROTONOSUPPORT (*why names both schema numbers), -EUCLEAN, or another
 * -errno. With MIGRATE an older schema is brought up to date, all of it or nothing.
 */
int schema_check(sqlite3 *db, bool migrate, const char **why);

/* A lake's fact: the index of what files are (found) is to be made anew. */
#define STORE_REINDEX "store.reindex"
/* Makes it anew when that is so. SQLite's code. */
int schema_reindex(sqlite3 *db);

#endif
