/*
 * FNV-1a of 64 bits, http://www.isthe.com/chongo/tech/comp/fnv/: for tables and to know the same again, where nobody
 * gains by making two things equal. Some of these hashes are stored: they never change.
 */
#ifndef TARN_BASE_FNV_H
#define TARN_BASE_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV1A_START UINT64_C(0xcbf29ce484222325)

/* HASH, of what came before, with LEN BYTES more. */
static inline uint64_t fnv1a(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

#endif
