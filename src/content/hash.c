/*
 * Which pages were in memory before? preadv2(RWF_NOWAIT) reads what is there and stops where it would have to wait: one
 * call per piece, and no race between a question and a read. What it left is read the ordinary way and then given up
 * with POSIX_FADV_DONTNEED. For that answer to be right nothing may be read ahead of the piece: POSIX_FADV_RANDOM turns
 * that off for this descriptor alone, and pieces of 1 MiB are long enough for any disk. Dirty pages and mapped ones
 * stay in any case. Where a file system does not know RWF_NOWAIT, nothing is known, and nothing is given up.
 */
#include "content/hash.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/cleanup.h"
#include "base/full_io.h"

#define SMALL (64 * 1024)

void hash_bytes(const void *bytes, size_t len, uint8_t sha256[SHA256_BYTES])
{
	SHA256(bytes, len, sha256);
}

struct reader {
	int fd;
	char *piece;
	size_t room;
	uint64_t at;
	bool knows_cached; /* RWF_NOWAIT works here */
};

static ssize_t read_cached(struct reader *r)
{
	struct iovec to = {r->piece, r->room};
	ssize_t n;

	if (!r->knows_cached)
		return 0;
	n = preadv2(r->fd, &to, 1, (off_t)r->at, RWF_NOWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		r->knows_cached = false; /* a true error comes again with the ordinary read */
	return n < 0 ? 0 : n;
}

/* The next piece, whole unless the file ends. Its length or -errno. */
static ssize_t read_piece(struct reader *r)
{
	size_t had = (size_t)read_cached(r), len;
	ssize_t n = read_full_at(r->fd, r->piece + had, r->room - had, r->at + had);

	if (n < 0)
		return n;
	len = had + (size_t)n;
	if (r->knows_cached && len > had)
		posix_fadvise(r->fd, (off_t)(r->at + had), (off_t)(len - had), POSIX_FADV_DONTNEED);
	r->at += len;
	return (ssize_t)len;
}

/* Most files are small: no need to map and clear a whole piece for each. A byte more shows the end in the same read. */
static size_t piece_for(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_size < SMALL ? SMALL : HASH_PIECE;
}

static int hash_all(EVP_MD_CTX *md, struct reader *r, bool (*stop)(void *arg), void *arg)
{
	ssize_t n;

	do {
		if (stop && stop(arg))
			return -ECANCELED;
		n = read_piece(r);
		if (n < 0)
			return (int)n;
		if (n && !EVP_DigestUpdate(md, r->piece, (size_t)n))
			return -EIO;
	} while ((size_t)n == r->room);
	return 0;
}

/* ---- what was hashed before ---- */

struct hash_state {
	struct growing of; /* node 0: free */
	uint64_t bytes;
	EVP_MD_CTX *md;
};

struct hash_states {
	struct hash_state list[HASH_STATES];
	unsigned next;
};

struct hash_states *hash_states_new(void)
{
	return calloc(1, sizeof(struct hash_states));
}

void hash_states_free(struct hash_states *s)
{
	for (unsigned i = 0; s && i < HASH_STATES; i++)
		EVP_MD_CTX_free(s->list[i].md);
	free(s);
}

static struct hash_state *find_state(struct hash_states *s, uint64_t node)
{
	for (unsigned i = 0; i < HASH_STATES; i++)
		if (s->list[i].of.node == node)
			return &s->list[i];
	return NULL;
}

/* MD becomes what was hashed of it, as long as its beginning is the same. Then R goes on behind that. */
static bool resume(struct hash_states *s, const struct growing *g, EVP_MD_CTX *md, struct reader *r)
{
	struct hash_state *state = s ? find_state(s, g->node) : NULL;
	struct stat st;

	if (!state || state->of.version < g->since || fstat(r->fd, &st) < 0 || (uint64_t)st.st_size < state->bytes ||
	    !EVP_MD_CTX_copy_ex(md, state->md))
		return false;
	r->at = state->bytes;
	return true;
}

static void remember(struct hash_states *s, const struct growing *g, EVP_MD_CTX *md, uint64_t bytes)
{
	struct hash_state *state;

	if (!s || bytes < HASH_STATE_FROM)
		return;
	state = find_state(s, g->node);
	if (!state)
		state = &s->list[s->next++ % HASH_STATES];
	if (!state->md)
		state->md = EVP_MD_CTX_new();
	state->of.node = 0;
	if (!state->md || !EVP_MD_CTX_copy_ex(state->md, md))
		return;
	state->of = *g;
	state->bytes = bytes;
}

int hash_fd_growing(struct hash_states *s, const struct growing *g, int fd, bool (*stop)(void *arg), void *arg,
		    uint8_t sha256[SHA256_BYTES], uint64_t *bytes)
{
	struct reader r = {.fd = fd, .room = piece_for(fd), .knows_cached = true};
	_cleanup_free_ char *piece = malloc(r.room);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int rc = piece && md ? 0 : -ENOMEM;

	r.piece = piece;
	if (!rc && !resume(s, g, md, &r) && !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
		rc = -EIO;
	if (!rc) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
		rc = hash_all(md, &r, stop, arg);
	}
	if (!rc)
		remember(s, g, md, r.at);
	if (!rc && !EVP_DigestFinal_ex(md, sha256, NULL))
		rc = -EIO;
	EVP_MD_CTX_free(md);
	*bytes = r.at;
	return rc;
}

int hash_fd(int fd, bool (*stop)(void *arg), void *arg, uint8_t sha256[SHA256_BYTES], uint64_t *bytes)
{
	return hash_fd_growing(NULL, NULL, fd, stop, arg, sha256, bytes);
}
