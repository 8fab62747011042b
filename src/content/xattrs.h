/*
 * Extended attributes as the store keeps them, so that they can be shown and restored as of a commit.
 *
 * Encoded: one after the other, in the order of their names (memcmp), each its name with the NUL, the length of its
 * value (4 bytes, the lowest first) and the value. Equal sets have equal bytes. What belongs to people is kept: user.*
 * and POSIX ACLs; not security.* (labels, capabilities) nor trusted.*, which say what this machine made of the file.
 */
#ifndef TARN_CONTENT_XATTRS_H
#define TARN_CONTENT_XATTRS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* One of them; borrowed from the encoded bytes. */
struct xattr {
	const char *name;
	const void *value;
	size_t size;
};

/* Is NAME one that is kept? */
bool xattr_is_kept(const char *name);
/*
 * Those of the file that FD is open on (O_PATH will do), encoded into OUT. Nothing where the file system has none. 0 or
 * -errno.
 */
int xattrs_read(int fd, struct buf *out);
/* Has it a POSIX ACL? One that says no more than the mode does is not stored: cp -p, install and rsync -A set such. */
bool xattrs_have_acl(int fd);
/* The next one at *AT (begin with the first byte), up to END. False at the end, and where the bytes are damaged. */
bool xattrs_next(const char **at, const char *end, struct xattr *x);
/*
 * Makes the file that FD is open on have these and no others of their kind. 0 or the first -errno; the rest is tried
 * all the same.
 */
int xattrs_write(int fd, const void *encoded, size_t len);

#endif
