/*
 * Who may change a lake: one process at a time, the daemon, and verbs that change an unmounted lake; by flock(2) on
 * its folder catalog/ (so there is no file that cleaning up could take away). The lock ends with the last process that
 * has the descriptor.
 */
#ifndef TARN_CLI_LOCK_H
#define TARN_CLI_LOCK_H

/* A descriptor that holds it; -EWOULDBLOCK after WAIT_MS milliseconds (0: at once) with somebody else; -errno. */
int lake_lock(const char *lake, int wait_ms);

#endif
