/*
 * Numbers, times and names as people read them.
 */
#ifndef TARN_CLI_HUMAN_H
#define TARN_CLI_HUMAN_H

#include <stdint.h>

#include "base/buf.h"

/* 512 B, 1.5 KiB, 20.0 MiB. */
void human_size(struct buf *b, uint64_t bytes);
/* Local time, 2026-11-20 10:00:00. */
void human_time(struct buf *b, int64_t ns);
/* RFC 3339, "Z" or an offset, any fraction: nanoseconds since 1970. 0 or -EINVAL. */
int time_parse(const char *text, int64_t *ns);
/* Bytes for a terminal: control characters and what is not UTF-8 become \xNN. */
void human_name(struct buf *b, const char *name);
/* As one word of a POSIX shell: quoted where it needs to be. */
void shell_word(struct buf *b, const char *word);

#endif
