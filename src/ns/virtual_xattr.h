/*
 * Facts about a file as extended attributes user.tarn.*: virtual, and left out of listings, so that copies do not carry
 * them: version (number), sha256, and
 *
 *	state		where its bytes are: local, both, cloud; changed: what is here is newer than any version
 *	tier		that of its bucket
 *	pin		0; 1: its bytes stay here; above: those of a folder above it, or of its bucket, do. May
 *			be set to 0 or 1 (no, yes, false, true, off, on) by who may write the file
 *
 * Of what was:
 *
 *	version, sha256		of a file
 *	mode			four octal digits, as it was then: stat shows no more than what is allowed now
 *	commit, time		of a version, and of the moment of a folder
 *	missing			of a folder: the names in it that cannot be shown, because their content is not kept
 *				(any more), a NUL after each; as many as an attribute can hold
 */
#ifndef TARN_NS_VIRTUAL_XATTR_H
#define TARN_NS_VIRTUAL_XATTR_H

#include "ns/ns.h"

bool xattr_is_virtual(const char *name);
/* What follows user.tarn. */
const char *virtual_xattr_fact(const char *name);
/* As getxattr(2): the length, -ENODATA, -ERANGE. */
int virtual_xattr_get(struct lake *lake, struct inode *inode, const char *name, void *value, size_t size);
/* As setxattr(2); VALUE NULL: removexattr(2). -EPERM: this one cannot be set; -EINVAL. */
int virtual_xattr_set(struct lake *lake, struct inode *inode, const char *name, const void *value, size_t size,
		      const struct actor *actor);
/* The answer of getxattr(2) for what is in B. */
int virtual_xattr_reply(const struct buf *b, void *value, size_t size);
/* Adds what is asked of V: version, sha256, commit, time, mode. 0 or -ENODATA. */
int version_fact(const struct version_row *v, const char *what, struct buf *b);

#endif
