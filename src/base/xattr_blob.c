#include "base/xattr_blob.h"

#include <stdint.h>
#include <string.h>

bool xattrs_next(const char **at, const char *end, struct xattr *x)
{
	size_t left = (size_t)(end - *at), name = strnlen(*at, left) + 1;
	const uint8_t *len;

	if (left < name + 4)
		return false;
	len = (const uint8_t *)*at + name;
	x->name = *at;
	x->size = (size_t)len[0] | (size_t)len[1] << 8 | (size_t)len[2] << 16 | (size_t)len[3] << 24;
	x->value = len + 4;
	if (x->size > left - name - 4)
		return false;
	*at += name + 4 + x->size;
	return true;
}
