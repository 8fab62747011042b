/*
 * Telling the kernel that what it caches is stale. Requests only queue; one thread sends, because a notification can
 * wait for a lock that a request holds, and a request thread that waited for it would never end.
 */
#ifndef TARN_FUSE_NOTIFY_H
#define TARN_FUSE_NOTIFY_H

#include <stdint.h>

#include "fuse/lowlevel.h"

struct notifier;

int notifier_start(struct fuse_session *se, struct notifier **out);
void notifier_stop(struct notifier *n); /* sends nothing more; NULL is fine */
void notify_inode(struct notifier *n, uint64_t ino, bool data);
/* Has the pages of INO written back, dirty ones first, and waits for that at most 100 ms; one caller at a time does. */
void notify_write_back(struct notifier *n, uint64_t ino);
/* Waits until all that was queued has been sent, but at most 100 ms. */
void notify_wait(struct notifier *n);
void notify_entry(struct notifier *n, uint64_t parent, const char *name);
/* Waits until all that was queued is sent, at most 5 s: for who holds no lock and serves no request. */
void notify_flush(struct notifier *n);

#endif
