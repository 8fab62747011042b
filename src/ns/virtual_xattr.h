/*
 * Facts about a file as extended attributes user.tarn.*: virtual, and left out of listings, so that copies do not carry
 * them: state (live, changed), tier, version (number), sha256.
 */
#ifndef TARN_NS_VIRTUAL_XATTR_H
#define TARN_NS_VIRTUAL_XATTR_H

#include "ns/ns.h"

bool xattr_is_virtual(const char *name);
/* As getxattr(2): the length, -ENODATA, -ERANGE. */
int virtual_xattr_get(struct lake *lake, struct inode *inode, const char *name, void *value, size_t size);

#endif
