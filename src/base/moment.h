/*
 * Moments as people write them in paths and on the command line:
 *
 *	2026-11-20			00:00:00Z of that day
 *	2026-11-20T09:00:00Z		colons are read, and never printed: Samba, scp and rsync cannot have them
 *	2026-11-20T09-00-00Z
 *	20261120T090000Z
 *	epoch-1763629200
 *	@GMT-2026.11.20-09.00.00	what Samba calls a previous version
 *
 * Seconds may have a fraction of up to nine digits (2026-11-20T09:00:00.25Z, epoch-1763629200.25), as history.jsonl
 * prints it, or be left out where there are separators. A time of day may end in Z or in an offset (+01:00, +01-00,
 * +0100); without one it is UTC.
 */
#ifndef TARN_BASE_MOMENT_H
#define TARN_BASE_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The LEN bytes at TEXT, all of them, as nanoseconds since 1970. False: they are no moment. What int64_t cannot hold
 * becomes its nearest value: 1066-10-14 is a moment before everything, 9999-12-31 one after.
 */
bool moment_parse(const char *text, size_t len, int64_t *ns);

#endif
