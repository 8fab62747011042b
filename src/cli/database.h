/*
 * SQLite databases (https://www.sqlite.org/fileformat.html, lockingv3.html): what a program has to know that puts one
 * of their files in place. A database is the file and, beside it, NAME-wal or NAME-journal, which hold what is not in
 * the file yet; NAME-shm is an index that is made anew.
 */
#ifndef TARN_CLI_DATABASE_H
#define TARN_CLI_DATABASE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

extern const char *const database_companions[]; /* "-wal", "-journal", "-shm"; NULL ends them */

/* Does FD begin like one? */
bool database_is(int fd);
/* Is NAME in DIRFD the companion of a database there? */
bool database_owns(int dirfd, const char *name);
/*
 * Has a program it open, as its locks tell, or a descriptor of a process that we may look into? EXCEPT: the daemon, not
 * to be counted. WHO: which, as far as it is known.
 */
bool database_is_open(const char *path, pid_t except, struct buf *who);

#endif
