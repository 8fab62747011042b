/*
 * Copying a file's bytes and attributes, with progress on a terminal, and interruptible.
 */
#ifndef TARN_CLI_COPYING_H
#define TARN_CLI_COPYING_H

#include <sys/types.h>

#include "cli/progress.h"

/*
 * SIZE bytes of FROM to the empty file TO, holes as holes, by copy_file_range(2) where that works (blocks are shared
 * where the disk can) and plain reading and writing elsewhere. P (may be NULL) is told. 0; -EINTR after a signal
 * (below); -EIO when FROM is shorter; -errno.
 */
int copy_bytes(int from, int to, off_t size, struct progress *p);

/* Access ACL (FROM's, or none). 0, also where there are no ACLs; -errno. */
int copy_acl(int from, int to);
/* user.* but tarn's own user.tarn.*. What the target's file system cannot hold is said and left out. */
int copy_user_xattrs(int from, int to);

/* Takes away the user.* that FROM has not. 0 or -errno. */
int drop_other_user_xattrs(int from, int to);

/* SIGINT, SIGTERM and SIGHUP end copy_bytes() instead of the process… */
void copying_catch_signals(void);
bool copying_interrupted(void);
/* …and once all is cleaned up, this lets the one that came end it after all. */
void copying_end_by_signal(void);

#endif
