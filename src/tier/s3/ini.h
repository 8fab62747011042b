/* The files that AWS's tools keep: [sections] of `name = value`, with # and ; for comments at the start of a line. */
#ifndef TARN_TIER_S3_INI_H
#define TARN_TIER_S3_INI_H

#include <stddef.h>

/*
 * NAME of SECTION in FILE, into VALUE ("" when it is not there). 0, also for a file that is not there; -errno;
 * -E2BIG: the value does not fit.
 */
int ini_get(const char *file, const char *section, const char *name, char *value, size_t size);

#endif
