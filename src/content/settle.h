/*
 * When is an inode settled, and cutting its version then.
 *
 * After the last writer's RELEASE nobody writes, unless a writable handle under passthrough was mapped: the mapping
 * lives on, and its stores go unseen. Then the kernel is asked by a lease on the raw inode:
 *
 *	F_RDLCK granted		settled: no writable handle and no mapping made from one
 *	F_WRLCK granted		alone: nobody at all, read mappings included
 *
 * A lease is taken and given up within one function, while no conflicting open of ours can be answered; a read open
 * would block on a WRLCK one, and a write open with O_NONBLOCK would fail. EAGAIN: busy; the inode is queued and tried
 * again by work/settle.c.
 *
 * Without passthrough RELEASE comes after munmap, and the count of handles is the truth.
 */
#ifndef TARN_CONTENT_SETTLE_H
#define TARN_CONTENT_SETTLE_H

#include "content/run.h"

struct settle_queue;

int settle_queue_new(struct settle_queue **out);
void settle_queue_free(struct lake *lake);

/* Asks for a lease of TYPE (F_RDLCK, F_WRLCK) on FD and gives it up at once: 0 granted, -EAGAIN busy. */
int lease_probe(int fd, int type);

/*
 * If INODE has no writer and is settled, cuts a version of what was written (none if nothing changed). 0; 1: a writer
 * has it open, its release will settle it; -EAGAIN: busy, now queued; -errno.
 */
int inode_settle(struct lake *lake, struct inode *inode);

/*
 * INODE is being written from now on: each version_interval it is cut as it is (content/partial.h), until it is settled
 * or leaves memory. Its lock may be held.
 */
void settle_watch(struct lake *lake, struct inode *inode);
void settle_unwatch(struct lake *lake, struct inode *inode);

/* Adds INODE to the queue (a reference is held); for what was open for writing when the last daemon ended. */
void settle_later(struct lake *lake, struct inode *inode);
/*
 * Tries the queued ones whose time has come, then sleeps until the next one's time, something new is queued or MAX_MS
 * are over. 0, or -1 after settle_stop(). One thread.
 */
int settle_run(struct lake *lake, int max_ms);
void settle_stop(struct lake *lake);
uint64_t settle_waiting(struct lake *lake);

#endif
