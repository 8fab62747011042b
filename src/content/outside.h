/*
 * What is found on disk, and what the store knows of it.
 *
 * A file is recognised by its handle. Its record is right when size and mtime, or ctime, are those of the row; else it
 * was changed while nothing was mounted, and becomes a version by run RUN_OUTSIDE. An unknown handle at a known path
 * with the same size and mtime is the same file after a restore from backup or a copy: it is adopted without a new
 * version. Anything else is a new file, or, at a path whose file is gone, the next version of that path's series.
 *
 * While mounted over buckets/ nobody can change files behind tarn, so all of this is about the first look at each file
 * after mounting, and what a crash left unrecorded.
 */
#ifndef TARN_CONTENT_OUTSIDE_H
#define TARN_CONTENT_OUTSIDE_H

#include "content/lake.h"

/*
 * The inode at NAME in PARENT (FOLDERFD is its descriptor), taken in if it was unknown or changed; with a reference.
 * ST: its lstat, as of now. 0; -ENOENT when it is not there; -errno: *OUT is NULL then, so that callers can release it
 * whatever came of it.
 */
int outside_look_up(struct lake *lake, struct inode *parent, int folderfd, const char *name, struct inode **out,
		    struct stat *st);
/*
 * INODE at NAME in PARENT is in memory, clean, and its file does not look like its record any more: what others wrote
 * there becomes a version. 0 or -errno.
 */
int outside_refresh(struct lake *lake, struct inode *parent, int folderfd, const char *name, struct inode *inode);
/*
 * The entries of FOLDER that the store knows but that are not on disk any more are ended, with what lay below them. 0;
 * -ECANCELED soon after *STOP became true: what is left is found again by the next one; -errno.
 */
int outside_check_folder(struct lake *lake, struct inode *folder, const _Atomic bool *stop);

#endif
