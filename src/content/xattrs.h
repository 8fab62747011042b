/*
 * Extended attributes as the store keeps them (base/xattr_blob.h), so that they can be shown and restored as of a
 * commit. What belongs to people is kept: user.* and POSIX ACLs; not security.* (labels, capabilities) nor trusted.*,
 * which say what this machine made of the file.
 */
#ifndef TARN_CONTENT_XATTRS_H
#define TARN_CONTENT_XATTRS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/xattr_blob.h"

/* Is NAME one that is kept? */
bool xattr_is_kept(const char *name);
/*
 * Those of the file that FD is open on (O_PATH will do), encoded into OUT. Nothing where the file system has none. 0 or
 * -errno.
 */
int xattrs_read(int fd, struct buf *out);
/* Has it a POSIX ACL? One that says no more than the mode does is not stored: cp -p, install and rsync -A set such. */
bool xattrs_have_acl(int fd);
/*
 * Makes the file that FD is open on have these and no others of their kind. 0 or the first -errno; the rest is tried
 * all the same.
 */
int xattrs_write(int fd, const void *encoded, size_t len);

#endif
