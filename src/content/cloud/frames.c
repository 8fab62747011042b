#include "content/cloud/frames.h"

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "content/cloud/frames_int.h"

#define LEVEL 3
#define SAMPLES 4
#define SAMPLE ((size_t)32 * 1024)
#define SAMPLE_LEVEL 1
#define GAIN 8 /* one part of so many, at least */
#define KEPT 8 /* frames: two for each thread that sends parts */

struct kept_frame {
	uint64_t number;
	char *bytes;
	size_t len;
	uint64_t turn; /* when it was used last */
};

struct frames {
	struct tier_source content;
	uint64_t n;
	uint64_t *ends; /* of each frame, in the object */
	char *table;
	size_t table_len;
	uint8_t sha256[SHA256_BYTES]; /* of the object */
	pthread_mutex_t lock;
	/* protected by lock */
	struct kept_frame kept[KEPT];
	uint64_t turns;
};

/* ---- is it worth it ---- */

static ssize_t read_all(const struct tier_source *s, void *to, size_t len, uint64_t at)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = s->read(s->arg, (char *)to + done, len - done, at + done);

		if (n <= 0)
			return n < 0 ? n : (ssize_t)done;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int frames_gain(const struct tier_source *content)
{
	_cleanup_free_ char *plain = malloc(SAMPLE), *less = malloc(ZSTD_compressBound(SAMPLE));
	size_t all = 0, squeezed = 0;

	if (!plain || !less)
		return -ENOMEM;
	for (unsigned i = 0; i < SAMPLES && (!i || content->size > SAMPLE); i++) {
		uint64_t at = content->size > SAMPLE ? (content->size - SAMPLE) / (SAMPLES - 1) * i : 0;
		ssize_t n = read_all(content, plain, SAMPLE, at);
		size_t made =
			n > 0 ? ZSTD_compress(less, ZSTD_compressBound(SAMPLE), plain, (size_t)n, SAMPLE_LEVEL) : 0;

		if (n < 0)
			return (int)n;
		if (ZSTD_isError(made))
			return 0;
		all += (size_t)n;
		squeezed += made;
	}
	return squeezed < all - all / GAIN;
}

/* ---- frames ---- */

/* LEN bytes as a frame: its size, or -errno. */
static ssize_t squeeze(const void *bytes, size_t len, void *to, size_t room)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t n;

	if (!c)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(c, to, room, bytes, len);
	ZSTD_freeCCtx(c);
	return ZSTD_isError(n) ? -EIO : (ssize_t)n;
}

static size_t content_of(const struct frames *f, uint64_t number)
{
	uint64_t left = f->content.size - number * FRAME_BYTES;

	return left < FRAME_BYTES ? (size_t)left : (size_t)FRAME_BYTES;
}

/* The frame, malloc'ed, and its content in PLAIN, with room for FRAME_BYTES. */
static ssize_t make(const struct frames *f, uint64_t number, char *plain, char **bytes)
{
	size_t len = content_of(f, number), room = ZSTD_compressBound(len);
	ssize_t n = read_all(&f->content, plain, len, number * FRAME_BYTES);
	char *to;

	if (n != (ssize_t)len)
		return n < 0 ? n : -ESTALE;
	to = malloc(room);
	n = to ? squeeze(plain, len, to, room) : -ENOMEM;
	if (n < 0)
		free(to);
	else
		*bytes = to;
	return n;
}

static uint64_t start_of(const struct frames *f, uint64_t number)
{
	return number ? f->ends[number - 1] : 0;
}

/* Takes BYTES; the one that was used longest ago goes for it. */
static void keep_locked(struct frames *f, uint64_t number, char *bytes, size_t len)
{
	struct kept_frame *k = &f->kept[0];

	for (int i = 1; i < KEPT; i++)
		if (f->kept[i].turn < k->turn)
			k = &f->kept[i];
	free(k->bytes);
	*k = (struct kept_frame){number, bytes, len, ++f->turns};
}

static struct kept_frame *find_locked(struct frames *f, uint64_t number)
{
	for (int i = 0; i < KEPT; i++)
		if (f->kept[i].bytes && f->kept[i].number == number)
			return &f->kept[i];
	return NULL;
}

/* Up to LEN bytes of frame NUMBER from AT: how many, 0: it is not kept. */
static size_t copy_kept(struct frames *f, uint64_t number, char *to, size_t len, size_t at)
{
	SCOPED_LOCK(&f->lock);
	struct kept_frame *k = find_locked(f, number);

	if (!k)
		return 0;
	k->turn = ++f->turns;
	if (len > k->len - at)
		len = k->len - at;
	memcpy(to, k->bytes + at, len);
	return len;
}

/* Makes it again. 0 or -errno. */
static int make_again(struct frames *f, uint64_t number)
{
	_cleanup_free_ char *plain = malloc(FRAME_BYTES);
	char *bytes = NULL;
	ssize_t n = plain ? make(f, number, plain, &bytes) : -ENOMEM;

	if (n < 0)
		return (int)n;
	if ((uint64_t)n != f->ends[number] - start_of(f, number)) {
		free(bytes);
		return -ESTALE;
	}
	SCOPED_LOCK(&f->lock);
	keep_locked(f, number, bytes, (size_t)n);
	return 0;
}

/* The frame that AT is in. */
static uint64_t frame_at(const struct frames *f, uint64_t at)
{
	uint64_t low = 0, high = f->n - 1;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (f->ends[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

ssize_t frames_read(void *arg, void *to, size_t len, uint64_t at)
{
	struct frames *f = arg;
	uint64_t frames = f->n ? f->ends[f->n - 1] : 0, number;
	size_t n = 0;
	int rc = 0;

	if (at >= frames) {
		at -= frames;
		n = at < f->table_len ? f->table_len - at : 0;
		n = n < len ? n : len;
		memcpy(to, f->table + at, n);
		return (ssize_t)n;
	}
	number = frame_at(f, at);
	while (len && !rc && !(n = copy_kept(f, number, to, len, (size_t)(at - start_of(f, number)))))
		rc = make_again(f, number);
	return rc ? rc : (ssize_t)n;
}

/* ---- the object ---- */

static void put32(char *to, uint64_t value)
{
	uint32_t le = htole32((uint32_t)value);

	memcpy(to, &le, sizeof(le));
}

static int make_table(struct frames *f)
{
	char *at;

	f->table_len = frame_table_bytes(f->content.size);
	f->table = at = malloc(f->table_len);
	if (!at)
		return -ENOMEM;
	put32(at, FRAMES_SKIPPABLE);
	put32(at + 4, f->table_len - 8);
	at += 8;
	for (uint64_t i = 0; i < f->n; i++, at += 8) {
		put32(at, f->ends[i] - start_of(f, i));
		put32(at + 4, content_of(f, i));
	}
	put32(at, f->n);
	at[4] = 0;
	put32(at + 5, FRAMES_MAGIC);
	return 0;
}

/* All frames, to know how long they are, and what hash content and object have. */
static int measure(struct frames *f, EVP_MD_CTX *content, EVP_MD_CTX *object)
{
	_cleanup_free_ char *plain = malloc(FRAME_BYTES);
	int rc = plain ? 0 : -ENOMEM;

	for (uint64_t i = 0; !rc && i < f->n; i++) {
		char *bytes = NULL;
		ssize_t n = make(f, i, plain, &bytes);

		if (n < 0)
			return (int)n;
		f->ends[i] = start_of(f, i) + (uint64_t)n;
		if (EVP_DigestUpdate(content, plain, content_of(f, i)) != 1 ||
		    EVP_DigestUpdate(object, bytes, (size_t)n) != 1)
			rc = -EIO;
		SCOPED_LOCK(&f->lock);
		keep_locked(f, i, bytes, (size_t)n);
	}
	if (!rc)
		rc = make_table(f);
	return rc || EVP_DigestUpdate(object, f->table, f->table_len) == 1 ? rc : -EIO;
}

int frames_new(const struct tier_source *content, uint8_t sha256[SHA256_BYTES], struct frames **out)
{
	struct frames *f = calloc(1, sizeof(*f));
	EVP_MD_CTX *plain = EVP_MD_CTX_new(), *made = EVP_MD_CTX_new();
	int rc = -ENOMEM;

	if (f) {
		f->content = *content;
		f->n = (content->size + FRAME_BYTES - 1) / FRAME_BYTES;
		f->ends = calloc(f->n + 1, sizeof(*f->ends));
		pthread_mutex_init(&f->lock, NULL);
	}
	if (f && f->ends && plain && made && EVP_DigestInit_ex(plain, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestInit_ex(made, EVP_sha256(), NULL) == 1)
		rc = measure(f, plain, made);
	if (!rc && (EVP_DigestFinal_ex(plain, sha256, NULL) != 1 || EVP_DigestFinal_ex(made, f->sha256, NULL) != 1))
		rc = -EIO;
	EVP_MD_CTX_free(plain);
	EVP_MD_CTX_free(made);
	if (rc)
		frames_free(f);
	else
		*out = f;
	return rc;
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	for (int i = 0; i < KEPT; i++)
		free(f->kept[i].bytes);
	pthread_mutex_destroy(&f->lock);
	free(f->table);
	free(f->ends);
	free(f);
}

uint64_t frames_size(const struct frames *f)
{
	return (f->n ? f->ends[f->n - 1] : 0) + f->table_len;
}

void frames_sha256(const struct frames *f, uint8_t sha256[SHA256_BYTES])
{
	memcpy(sha256, f->sha256, SHA256_BYTES);
}
