/*
 * Room for writers, who are slowed down instead of being told that the disk is full, as long as there is hope that room
 * comes. There are two reasons for hope:
 *
 *	files leave for the cloud, but slower than the disk fills: each write waits a moment
 *		(work/cloud/burst.c says where)
 *	history is kept, which gives way, and which df counts as free: a write for which there was no room asks the
 *	keeper, who lets history go at once (work/expire.c), and is tried again
 *
 * content/handle.h sees to it that writes come by here then. A wait is bounded (ROOM_WAIT_NS) and ends early when there
 * is room or nobody makes any. Writers that wait are at most ROOM_WAITERS: the others go on, for requests that do not
 * write need the threads.
 */
#ifndef TARN_CONTENT_ROOM_H
#define TARN_CONTENT_ROOM_H

#include "content/lake.h"

#define ROOM_WAIT_NS (INT64_C(10) * 1000 * 1000 * 1000)
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

/*
 * LENGTH bytes were not written on VOLUME, for it is full. True when history gave way, perhaps after a wait: it is to
 * be tried again. No lock is held, and nothing that keeps a version from going.
 */
bool room_make(struct lake *lake, const struct volume *volume, uint64_t length);
/* The keeper sleeps so long, or until somebody asks for room or room_wake() is called. */
void room_sleep(struct room *r, int64_t ns);
void room_wake(struct room *r);
/* The keeper begins to make room: what is asked for on each of the LAKE_VOLUMES. And is done, for now. */
void room_asked(struct room *r, uint64_t bytes[]);
void room_made(struct room *r);
/* Somebody asked on VOLUME. VAIN: nothing went; what history there is now, is needed, and nobody need ask for now. */
void room_was_vain(struct lake *lake, const struct volume *volume, bool vain);

/* How many waits there were, and for how long (ns). */
void room_counts(struct lake *lake, uint64_t *waits, uint64_t *ns);

#endif
