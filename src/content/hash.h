/*
 * SHA-256 of a file's content (FIPS 180-4, by libcrypto).
 *
 * Hashing must not cost the page cache of others: the pages that were not in memory before are given up again, piece by
 * piece; those that were there stay.
 */
#ifndef TARN_CONTENT_HASH_H
#define TARN_CONTENT_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "meta/store.h"

#define HASH_PIECE (1024 * 1024)

/*
 * Of what FD has, read from its beginning with pread (its offset does not matter); how FD's reads are prepared changes
 * (POSIX_FADV_RANDOM). STOP (may be NULL) is asked before each piece of HASH_PIECE. *BYTES: how many there were. 0;
 * -ECANCELED when STOP said so; -errno of the read. Any thread.
 */
int hash_fd(int fd, bool (*stop)(void *arg), void *arg, uint8_t sha256[SHA256_BYTES], uint64_t *bytes);

/* Of LEN bytes in memory. */
void hash_bytes(const void *bytes, size_t len, uint8_t sha256[SHA256_BYTES]);

/*
 * Hashes that go on where they ended, for files that only grow: what was hashed of the last HASH_STATES large files is
 * remembered. For one thread.
 */
#define HASH_STATES 16
#define HASH_STATE_FROM (64 * 1024) /* smaller files are read again */

struct hash_states;
/* What FD holds: VERSION of NODE, whose versions from SINCE on each begin with the bytes of those before. */
struct growing {
	uint64_t node, version, since;
};

struct hash_states *hash_states_new(void); /* NULL: no memory */
void hash_states_free(struct hash_states *s);
/* As hash_fd(), but what an earlier call has hashed of it is not read again. S may be NULL. */
int hash_fd_growing(struct hash_states *s, const struct growing *g, int fd, bool (*stop)(void *arg), void *arg,
		    uint8_t sha256[SHA256_BYTES], uint64_t *bytes);

#endif
