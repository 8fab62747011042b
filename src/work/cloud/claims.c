#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/cleanup.h"
#include "work/cloud/cloud.h"

struct claim {
	UT_hash_handle hh;
	char key[];
};

struct claims {
	pthread_mutex_t lock;
	struct claim *list; /* protected by lock */
};

struct claims *claims_new(void)
{
	struct claims *c = calloc(1, sizeof(*c));

	if (c)
		pthread_mutex_init(&c->lock, NULL);
	return c;
}

void claims_free(struct claims *c)
{
	struct claim *k, *next;

	if (!c)
		return;
	HASH_ITER (hh, c->list, k, next) {
		HASH_DEL(c->list, k);
		free(k);
	}
	pthread_mutex_destroy(&c->lock);
	free(c);
}

bool claim_key(struct claims *c, const char *key)
{
	SCOPED_LOCK(&c->lock);
	size_t len = strlen(key);
	struct claim *k;

	HASH_FIND(hh, c->list, key, len, k);
	if (k)
		return false;
	k = malloc(sizeof(*k) + len + 1);
	if (!k)
		return false;
	memcpy(k->key, key, len + 1);
	HASH_ADD(hh, c->list, key, len, k);
	return true;
}

void disclaim_key(struct claims *c, const char *key)
{
	SCOPED_LOCK(&c->lock);
	struct claim *k;

	HASH_FIND(hh, c->list, key, strlen(key), k);
	if (k) {
		HASH_DEL(c->list, k);
		free(k);
	}
}
