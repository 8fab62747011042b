#include "content/pack/pack_ahead.h"

#include <errno.h>
#include <string.h>

#include "content/pack/pack_io.h"
#include "content/pack/packs.h"
#include "content/recall/recall.h"

#define TAIL (UINT64_C(64) * 1024) /* of an object's run: most maps fit */
#define LENGTH_AT PACK_CHECK	   /* in a map's trailer */

/* An object and all that it builds on. */
struct chain_places {
	struct pack_place at[PACK_DEPTH_MAX + 1];
	int n;
};

static void release(struct chain_places *c)
{
	while (c->n)
		pack_file_unref(c->at[--c->n].file);
}

static int find_chain(struct lake *lake, const uint8_t sha256[SHA256_BYTES], struct chain_places *c)
{
	struct object_row row = {.has_base = true};
	int rc = 0;

	memcpy(row.base, sha256, SHA256_BYTES);
	while (!rc && row.has_base && c->n <= PACK_DEPTH_MAX) {
		rc = store_object(lake->store, row.base, &row);
		if (!rc)
			rc = pack_find(lake, row.sha256, &c->at[c->n]);
		c->n += !rc;
	}
	return rc;
}

/* Its last LEN bytes, where the map is. */
static uint64_t tail_at(const struct pack_place *p, uint64_t len)
{
	return p->offset + p->length - (len < p->length ? len : p->length);
}

static bool asks(const struct pack_place *p)
{
	return p->file->recall && !p->file->index && !pack_file_has(p->file, tail_at(p, PACK_TRAILER), PACK_TRAILER);
}

bool pack_asks_remote(struct lake *lake, const uint8_t sha256[SHA256_BYTES])
{
	struct chain_places c = {.n = 0};
	bool answer = false;

	if (!find_chain(lake, sha256, &c))
		for (int i = 0; i < c.n; i++)
			answer |= asks(&c.at[i]);
	release(&c);
	return answer;
}

static int want(const struct pack_place *p, uint64_t len, const struct tier_call *call)
{
	uint64_t at = tail_at(p, len);

	return recall_want(p->file->recall, at, p->offset + p->length - at, call);
}

/* The whole map, however long it is. */
static int bring(const struct pack_place *p, const struct tier_call *call)
{
	uint8_t trailer[PACK_TRAILER];
	int rc = p->length < PACK_TRAILER ? -EBADMSG : want(p, TAIL, call);

	if (!rc)
		rc = pack_file_read(p->file, trailer, sizeof(trailer), tail_at(p, PACK_TRAILER));
	return rc ? rc : want(p, pack_get32(trailer + LENGTH_AT) + (uint64_t)PACK_TRAILER, call);
}

int pack_bring_maps(struct lake *lake, const uint8_t sha256[SHA256_BYTES], const struct tier_call *call)
{
	struct chain_places c = {.n = 0};
	int rc = find_chain(lake, sha256, &c);

	for (int i = 0; !rc && i < c.n; i++)
		if (asks(&c.at[i]))
			recall_fetch_ahead(c.at[i].file->recall, tail_at(&c.at[i], TAIL),
					   c.at[i].length < TAIL ? c.at[i].length : TAIL);
	for (int i = 0; !rc && i < c.n; i++)
		if (c.at[i].file->recall && !c.at[i].file->index)
			rc = bring(&c.at[i], call);
	release(&c);
	return rc;
}
