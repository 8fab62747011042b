#include "content/pack/pack_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define IDLE_DCTX 8

struct pack_cache {
	pthread_mutex_t lock;
	struct pack_piece *pieces; /* protected by lock, as all below */
	struct pack_piece *newest, *oldest;
	size_t bytes, limit;
	ZSTD_DCtx *idle[IDLE_DCTX];
	unsigned nidle;
};

int pack_cache_new(size_t limit, struct pack_cache **out)
{
	struct pack_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	pthread_mutex_init(&c->lock, NULL);
	c->limit = limit;
	*out = c;
	return 0;
}

struct pack_piece *pack_piece_new(uint32_t length)
{
	struct pack_piece *p = malloc(sizeof(*p) + length);

	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	p->length = length;
	atomic_init(&p->refs, 1);
	return p;
}

void pack_piece_unref(struct pack_piece *piece)
{
	if (atomic_fetch_sub(&piece->refs, 1) == 1)
		free(piece);
}

static void unlink_locked(struct pack_cache *c, struct pack_piece *p)
{
	*(p->newer ? &p->newer->older : &c->newest) = p->older;
	*(p->older ? &p->older->newer : &c->oldest) = p->newer;
	p->newer = p->older = NULL;
}

static void push_locked(struct pack_cache *c, struct pack_piece *p)
{
	p->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = p;
	c->newest = p;
}

static void drop_oldest_locked(struct pack_cache *c)
{
	struct pack_piece *p = c->oldest;

	unlink_locked(c, p);
	HASH_DEL(c->pieces, p);
	c->bytes -= p->length;
	pack_piece_unref(p);
}

struct pack_piece *pack_cache_find(struct pack_cache *c, const uint8_t check[PACK_CHECK])
{
	struct pack_piece *p;
	SCOPED_LOCK(&c->lock);

	HASH_FIND(hh, c->pieces, check, PACK_CHECK, p);
	if (!p)
		return NULL;
	unlink_locked(c, p);
	push_locked(c, p);
	atomic_fetch_add(&p->refs, 1);
	return p;
}

void pack_cache_add(struct pack_cache *c, struct pack_piece *piece)
{
	struct pack_piece *there;
	SCOPED_LOCK(&c->lock);

	HASH_FIND(hh, c->pieces, piece->check, PACK_CHECK, there);
	if (there || piece->length > c->limit)
		return;
	atomic_fetch_add(&piece->refs, 1);
	HASH_ADD(hh, c->pieces, check, PACK_CHECK, piece);
	push_locked(c, piece);
	c->bytes += piece->length;
	while (c->bytes > c->limit)
		drop_oldest_locked(c);
}

ZSTD_DCtx *pack_cache_borrow(struct pack_cache *c)
{
	ZSTD_DCtx *dctx = NULL;

	pthread_mutex_lock(&c->lock);
	if (c->nidle)
		dctx = c->idle[--c->nidle];
	pthread_mutex_unlock(&c->lock);
	return dctx ? dctx : ZSTD_createDCtx();
}

void pack_cache_give_back(struct pack_cache *c, ZSTD_DCtx *dctx)
{
	pthread_mutex_lock(&c->lock);
	if (c->nidle < IDLE_DCTX) {
		c->idle[c->nidle++] = dctx;
		dctx = NULL;
	}
	pthread_mutex_unlock(&c->lock);
	ZSTD_freeDCtx(dctx);
}

void pack_cache_free(struct pack_cache *c)
{
	if (!c)
		return;
	while (c->oldest)
		drop_oldest_locked(c);
	while (c->nidle)
		ZSTD_freeDCtx(c->idle[--c->nidle]);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
