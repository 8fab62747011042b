/*
 * Who may change a lake: one process at a time, by flock(2) on one of its folders (so there is no file that cleaning up
 * could take away). The lock ends with the last process that has the descriptor.
 */
#ifndef TARN_CLI_LOCK_H
#define TARN_CLI_LOCK_H

enum lake_lock {
	LOCK_LAKE,    /* on catalog/: the daemon, and verbs that change an unmounted lake */
	LOCK_SETTINGS /* on config/: whoever edits settings.yaml */
};

/* A descriptor that holds it; -EWOULDBLOCK after WAIT_MS milliseconds (0: at once) with somebody else; -errno. */
int lake_lock(const char *lake, enum lake_lock which, int wait_ms);

#endif
