/*
 * Putting another inode in a file's place, in one step: the name has the one or the other at every moment.
 */
#ifndef TARN_CONTENT_SWAP_H
#define TARN_CONTENT_SWAP_H

#include <pthread.h>
#include <sys/stat.h>

/*
 * Exchanges STAGED in DIRFD with NAME in FOLDERFD, which must be the inode RAW_INO. Nobody sees it by the folder's
 * mtime. 1 done; 0 the name is another file's by now, and nothing was done; -errno.
 */
int swap_in(int dirfd, const char *staged, int folderfd, const char *name, ino_t raw_ino);

/*
 * Whoever sets the mtime of the folder whose raw inode is FOLDER holds this: else swap_in() could put an older one back
 * over it. Nothing else is locked meanwhile.
 */
pthread_mutex_t *swap_times_lock(ino_t folder);

#endif
