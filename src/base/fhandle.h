/*
 * A file's identity on its own file system, for the whole life of the inode: what name_to_handle_at(2) gives. Where
 * the file system has no handles (overlayfs), a handle is made up from (st_ino, birth time): it can be compared, not
 * opened.
 */
#ifndef TARN_BASE_FHANDLE_H
#define TARN_BASE_FHANDLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define FHANDLE_MAX 48 /* ext4 8, xfs 12 to 24, btrfs 20 to 40, tmpfs 12 */

struct fhandle {
	uint8_t len;   /* 0: none */
	int8_t made;   /* 1: made up, cannot be opened */
	int16_t type;  /* the kernel's handle_type */
	uint8_t bytes[FHANDLE_MAX];
};

/*
 * The handle of NAME in DIRFD (not followed), or of DIRFD itself where NAME is "". A file system without handles gives
 * a made-up one. 0, or -errno of the look-up (-ENOENT …).
 */
int fhandle_get(int dirfd, const char *name, struct fhandle *out);
/* Opens by handle. MOUNTFD: a plain descriptor on the same file system. Needs CAP_DAC_READ_SEARCH. Fd or -errno
 * (-ESTALE: the inode is gone; -EOPNOTSUPP: made up). */
int fhandle_open(int mountfd, const struct fhandle *h, int flags);
/* True when this process may open files by handle on MOUNTFD's file system. Tries it. */
bool fhandle_usable(int mountfd);
bool fhandle_equal(const struct fhandle *a, const struct fhandle *b);

/* How a handle is kept in the store: type (2 bytes, little endian, the sign bit for made-up ones), then the bytes. */
#define FHANDLE_BLOB_MAX (2 + FHANDLE_MAX)
int fhandle_to_blob(const struct fhandle *h, uint8_t blob[FHANDLE_BLOB_MAX]); /* its length */
int fhandle_from_blob(struct fhandle *h, const void *blob, int len);	      /* 0, -EINVAL */

#endif
