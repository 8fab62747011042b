/*
 * When is an inode settled, and cutting its version then.
 *
 * After the last writer's RELEASE nobody writes, unless a writable handle under passthrough was mapped: the mapping
 * lives on, and its stores go unseen. Then the kernel is asked by a lease on the raw inode (content/lease.h); where
 * that is busy, the inode is queued and tried again by work/settle.c.
 *
 * Without passthrough RELEASE comes after munmap, and the count of handles is the truth.
 *
 * RELEASE is sent when close() has returned already, and may be late by as much as the machine is busy. FLUSH is not:
 * who changes a file that all its writers have closed cuts it first (inode_settle_closed()), so that no version depends
 * on how late a RELEASE is. A FLUSH may also come from one of several descriptors (dup(2), fork(2)). Then a lease says
 * so, but where the raw file is open here, too, it cannot be had: such a cut is partial until it is known that nobody
 * went on to write (`provisional`, content/inode.h).
 */
#ifndef TARN_CONTENT_SETTLE_H
#define TARN_CONTENT_SETTLE_H

#include "content/run.h"

struct settle_queue;

int settle_queue_new(struct settle_queue **out);
void settle_queue_free(struct lake *lake);

/*
 * If INODE has no writer and is settled, cuts a version of what was written (none if nothing changed). 0; 1: a writer
 * has it open, its release will settle it, or it is a draft (content/cloud/draft.h), and its end will; -EAGAIN: busy,
 * now queued; -errno.
 */
int inode_settle(struct lake *lake, struct inode *inode);
/*
 * INODE is about to be changed: if all who could write it have closed it, what they wrote is a version of its own,
 * though they are not released yet, or are, but nobody has cut it since. ALL: the caller saves all of it at once, so
 * that it does not matter who may change it unseen. Returns as inode_settle() does, 1 also where somebody has not
 * closed it.
 */
int inode_settle_closed(struct lake *lake, struct inode *inode, bool all);

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
