/*
 * Room for writers while files leave for the cloud. When a disk fills faster than the uplink takes files away, whoever
 * writes is slowed down instead of being told that the disk is full: each write waits a moment, as long as there is
 * hope that room comes.
 *
 * work/burst.c says where it is short; content/handle.h sees to it that writes come by here then. A wait is bounded
 * (ROOM_WAIT_NS) and ends early when there is room or nobody makes any. Writers that wait are at most ROOM_WAITERS:
 * the others go on, for requests that do not write need the threads.
 */
#ifndef TARN_CONTENT_ROOM_H
#define TARN_CONTENT_ROOM_H

#include "content/lake.h"

#define ROOM_WAIT_NS (INT64_C(4) * 1000 * 1000 * 1000)
#define ROOM_WAITERS 6

struct room;
int room_new(struct room **out);
void room_free(struct room *r);

/* Could it become short soon, so that writes have to come by here? One statvfs(2), where files leave at all. */
bool room_is_near(struct lake *lake, const struct volume *volume);

/* Before LENGTH bytes are written on VOLUME. No lock is held. */
void room_wait(struct lake *lake, const struct volume *volume, uint64_t length);

/*
 * It is short on VOLUME, and files are leaving from there: writers wait until FREE_BYTES are free. 0: it is short no
 * more, or nothing leaves.
 */
void room_tell(struct lake *lake, const struct volume *volume, uint64_t free_bytes);
/* How many waits there were, and for how long (ns). */
void room_counts(struct lake *lake, uint64_t *waits, uint64_t *ns);

#endif
