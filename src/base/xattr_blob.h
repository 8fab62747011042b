/*
 * Extended attributes as one run of bytes: one after the other, in the order of their names (memcmp), each its name
 * with the NUL, the length of its value (4 bytes, the lowest first) and the value. Equal sets have equal bytes.
 */
#ifndef TARN_BASE_XATTR_BLOB_H
#define TARN_BASE_XATTR_BLOB_H

#include <stdbool.h>
#include <stddef.h>

/* One of them; borrowed from the encoded bytes. */
struct xattr {
	const char *name;
	const void *value;
	size_t size;
};

/* The next one at *AT (begin with the first byte), up to END. False at the end, and where the bytes are damaged. */
bool xattrs_next(const char **at, const char *end, struct xattr *x);

#endif
