/* Reading and writing all of it: pread(2) and pwrite(2) may do less, and be interrupted. */
#ifndef TARN_BASE_FULL_IO_H
#define TARN_BASE_FULL_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/* LEN bytes of FD from AT on, or as many as there are to its end: how many, or -errno. */
ssize_t read_full_at(int fd, void *to, size_t len, uint64_t at);

/* All LEN bytes to FD from AT on: 0 or -errno; then some of them may be there. */
int write_full_at(int fd, const void *bytes, size_t len, uint64_t at);

/* Adds what the file NAME in the folder DIRFD has in it; no link is followed. 0 or -errno. */
int read_file_at(int dirfd, const char *name, struct buf *to);

#endif
