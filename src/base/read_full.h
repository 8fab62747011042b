/* Reading all of it: pread(2) may give less, and be interrupted. */
#ifndef TARN_BASE_READ_FULL_H
#define TARN_BASE_READ_FULL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* LEN bytes of FD from AT on, or as many as there are to its end: how many, or -errno. */
ssize_t read_full_at(int fd, void *to, size_t len, uint64_t at);

#endif
