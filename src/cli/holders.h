/*
 * Who keeps a mount busy: processes with a working folder, a root, a program or an open file in it.
 */
#ifndef TARN_CLI_HOLDERS_H
#define TARN_CLI_HOLDERS_H

#include <sys/types.h>

#include "base/buf.h"

/*
 * Adds "vim (pid 812, /data/lake/buckets/a.csv), bash (pid 40, …)" for at most MAX processes, EXCEPT left out (the
 * daemon of an in-place mount has files of the same names open below it). Only links in /proc are read, so the mount
 * itself is not touched; other users' processes are seen by root only. How many were found.
 */
int holders_describe(const char *point, pid_t except, int max, struct buf *out);

#endif
