/*
 * What a file is. In the helper process (sniff/worker.h) only: what is called here parses bytes that may have been made
 * to do harm. One thread.
 */
#ifndef TARN_SNIFF_SNIFF_H
#define TARN_SNIFF_SNIFF_H

#include "sniff/description.h"

/* Loads what can be loaded only while files can still be opened. */
void sniff_prepare(void);

/*
 * What FD has, which is NAME ("": it has none): into *D, which description_init() made. MIME_ONLY: not what is in it.
 * 0, also when it could not be read: D->unreadable says why. -ENOMEM, or -errno of the first read.
 */
int sniff_file(int fd, const char *name, bool mime_only, struct description *d);

struct checks;
/* The rows of the table that FD has, which is NAME, as it would be described: C (sniff/checks.h) sees them. 0; -ENOMEM,
 * -errno. WHY: static, or D's; not all of them were seen. */
int sniff_rows(int fd, const char *name, struct checks *c, struct description *d, const char **why);

#endif
