/*
 * Whole copies of a raw file: versions/HH/NODE.VERSION.copy. The name appears when the copy is complete and durable,
 * so what has such a name is whole, after a crash too. It may be longer than the version, whose size bytes count.
 */
#ifndef TARN_CONTENT_PAST_WHOLE_H
#define TARN_CONTENT_PAST_WHOLE_H

#include <stdint.h>

#include "content/volume.h"

#define WHOLE_COPY_MAX (UINT64_C(64) * 1024 * 1024) /* more is not copied while somebody waits for open() */

/* By FICLONE. A descriptor of it, or -errno; one that says that V cannot do it is remembered there. */
int whole_reflink(struct volume *v, int rawfd, const char *name, uint64_t size);
/* From what READ gives of SIZE bytes (0, or -errno); -EFBIG above WHOLE_COPY_MAX. */
typedef int (*whole_read_fn)(void *arg, void *to, size_t len, uint64_t at);
int whole_copy(struct volume *v, const char *name, uint64_t size, whole_read_fn read, void *arg);

/* FD, a file without a name on V's file system (O_TMPFILE), is the copy. 0 or -errno. */
int whole_name(const struct volume *v, int fd, const char *name);

#endif
