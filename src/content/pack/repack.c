#include "content/pack/repack.h"

#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "content/cloud/remote.h"

#define SMALL (1024 * 1024)
#define SMALL_MOST 8 /* so many packs below a limit are written together */
#define LIMITS 2
#define ROUNDS (PACK_DEPTH_MAX + 2)

/* ---- lists ---- */

struct objects {
	struct object_row *rows;
	size_t n, room;
};

static int note_object(void *arg, const struct object_row *o)
{
	struct objects *l = arg;

	if (array_grow(&l->rows, l->n, &l->room, sizeof(*l->rows)))
		return -ENOMEM;
	l->rows[l->n++] = *o;
	return 0;
}

static bool has_object(const struct objects *l, const uint8_t sha256[SHA256_BYTES])
{
	for (size_t i = 0; i < l->n; i++)
		if (!memcmp(l->rows[i].sha256, sha256, SHA256_BYTES))
			return true;
	return false;
}

static void objects_release(struct objects *l)
{
	free(l->rows);
}
#define _cleanup_objects_ __attribute__((cleanup(objects_release)))

struct pack_list {
	struct pack_row *rows;
	size_t n, room;
};

static int note_pack(void *arg, const struct pack_row *p)
{
	struct pack_list *l = arg;

	if (array_grow(&l->rows, l->n, &l->room, sizeof(*l->rows)))
		return -ENOMEM;
	l->rows[l->n++] = *p;
	return 0;
}

static void pack_list_release(struct pack_list *l)
{
	free(l->rows);
}
#define _cleanup_pack_list_ __attribute__((cleanup(pack_list_release)))

/* ---- writing packs anew ---- */

struct storing {
	struct record *record;
	uint64_t bytes; /* of the next one */
};

static int store_again(void *arg, const struct version_row *v)
{
	struct storing *s = arg;

	record_version_how(s->record, v->id, HOW_PACKED, s->bytes);
	s->bytes = 0;
	return 0;
}

/* O was only in the cloud: what it stores here now is counted again, with one of its versions. */
static int count_again(struct packing *p, const struct object_row *o)
{
	struct storing s = {p->record, o->length};

	return store_versions_packed(p->lake->store, o->sha256, store_again, &s);
}

static int copy_object(struct packing *p, const struct object_row *o, bool was_away)
{
	struct pack_place from;
	struct object_row moved = *o;
	int rc = packing_open(p);

	if (!rc)
		rc = pack_find(p->lake, o->sha256, &from);
	if (rc < 0)
		return rc;
	rc = pack_writer_copy(p->writer, &from, o->sha256, &moved.offset);
	pack_file_unref(from.file);
	if (rc == -EIO)
		log_error("pack %" PRIu64 ": an object in it is damaged: it stays where it is", o->pack);
	if (!rc)
		rc = packing_object(p, &moved);
	return rc || !was_away ? rc : count_again(p, o);
}

/* Objects of PACKS go to a new one, but those that are DROPPED (may be NULL), and PACKS go. */
static int rewrite(struct lake *lake, const struct pack_row *packs, size_t n, const struct objects *dropped,
		   bool (*stop)(void *arg), void *arg, uint64_t *freed)
{
	struct volume *volume = lake_volume(lake, packs[0].volume);
	_cleanup_objects_ struct objects wanted = {0};
	struct packing p;
	uint64_t length;
	int rc = 0;

	if (!volume)
		return 0; /* its disk is not there now */
	for (size_t i = 0; i < n && !rc; i++)
		rc = store_objects(lake->store, packs[i].id, note_object, &wanted);
	if (!rc)
		rc = packing_begin(&p, lake, volume);
	if (rc < 0)
		return rc;
	p.stays = packs[0].state == PACK_STAYS;
	for (size_t i = 0; i < wanted.n && !rc; i++)
		if (!dropped || !has_object(dropped, wanted.rows[i].sha256))
			rc = stop && stop(arg) ? -ECANCELED
					       : copy_object(&p, &wanted.rows[i], packs[0].state == PACK_AWAY);
	if (rc < 0) {
		packing_cancel(&p);
		return rc;
	}
	for (size_t i = 0; i < n; i++) {
		record_pack_remove(p.record, packs[i].id);
		*freed += packs[i].state == PACK_AWAY ? 0 : packs[i].bytes;
	}
	length = p.n ? pack_writer_length(p.writer) : 0;
	rc = packing_end(&p);
	*freed -= length < *freed ? length : *freed;
	for (size_t i = 0; i < n && !rc; i++)
		rc = pack_remove(lake, volume, packs[i].id);
	return rc;
}

/* ---- collecting ---- */

/* Rows of what nothing wants. *N: how many went. */
static int drop_unused(struct lake *lake, size_t *n)
{
	_cleanup_objects_ struct objects unused = {0};
	struct record *r;
	uint64_t commit;
	int rc = store_objects_unused(lake->store, note_object, &unused);

	*n = unused.n;
	if (rc < 0 || !unused.n)
		return rc;
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	for (size_t i = 0; i < unused.n; i++)
		record_object_remove(r, unused.rows[i].sha256);
	rc = store_submit(lake->store, r, &commit);
	return rc < 0 ? rc : store_barrier(lake->store, commit);
}

/* What is in the cloud takes no room here, and bringing it back takes time and money. */
static bool is_thin(const struct pack_row *p)
{
	if (p->state == PACK_AWAY)
		return !p->objects;
	return p->object_bytes < p->bytes / 2 || !p->objects;
}

/* Packs of one volume and STATE smaller than LIMIT, when there are many, together. 1 done, 0 not, or -errno. */
static int merge_small(struct lake *lake, const struct pack_list *all, int volume, enum pack_state state,
		       uint64_t limit, bool (*stop)(void *arg), void *arg, uint64_t *freed)
{
	_cleanup_pack_list_ struct pack_list small = {0};
	uint64_t bytes = 0;
	int rc = 0;

	for (size_t i = 0; i < all->n && !rc; i++) {
		const struct pack_row *p = &all->rows[i];

		if (p->volume != volume || p->state != state || is_thin(p) || p->bytes >= limit ||
		    bytes + p->bytes > PACK_MOST)
			continue;
		bytes += p->bytes;
		rc = note_pack(&small, p);
	}
	if (rc < 0 || small.n < SMALL_MOST)
		return rc;
	rc = rewrite(lake, small.rows, small.n, NULL, stop, arg, freed);
	return rc ? rc : 1;
}

/* What cannot be moved stays, and does not keep the others from being. */
static int unless_damaged(int rc)
{
	return rc == -EIO ? 0 : rc;
}

int packs_collect(struct lake *lake, bool (*stop)(void *arg), void *arg, uint64_t *freed)
{
	static const uint64_t limits[LIMITS] = {SMALL, PACK_LEAST};
	_cleanup_pack_list_ struct pack_list all = {0};
	size_t dropped = 1;
	int rc = store_barrier(lake->store, 0);

	/* What only dropped ones built on is dropped the next time. */
	for (int i = 0; i < ROUNDS && dropped && !rc; i++)
		rc = drop_unused(lake, &dropped);
	if (!rc)
		rc = store_packs(lake->store, note_pack, &all);
	for (size_t i = 0; i < all.n && !rc; i++)
		if (is_thin(&all.rows[i]))
			rc = unless_damaged(rewrite(lake, &all.rows[i], 1, NULL, stop, arg, freed));
	for (int v = 0; v < LAKE_VOLUMES && !rc; v++) {
		int merged = 0;

		for (size_t i = 0; i < 2 * LIMITS && !merged && lake_volume(lake, v); i++)
			merged = unless_damaged(merge_small(lake, &all, v, i < LIMITS ? PACK_HERE : PACK_STAYS,
							    limits[i % LIMITS], stop, arg, freed));
		rc = merged < 0 ? merged : 0;
	}
	return rc;
}

/* ---- erasing ---- */

struct erasing {
	struct lake *lake;
	struct objects dropped; /* what goes */
	struct objects anew;	/* what builds on it */
	struct packing *packing;
};

static int note_dependant(void *arg, const struct object_row *o)
{
	struct erasing *e = arg;

	return has_object(&e->dropped, o->sha256) || has_object(&e->anew, o->sha256) ? 0 : note_object(&e->anew, o);
}

static int find_dependants(struct erasing *e)
{
	int rc = 0;

	for (size_t i = 0; i < e->dropped.n && !rc; i++)
		rc = store_objects_on(e->lake->store, e->dropped.rows[i].sha256, note_dependant, e);
	for (size_t i = 0; i < e->anew.n && !rc; i++)
		rc = store_objects_on(e->lake->store, e->anew.rows[i].sha256, note_dependant, e);
	return rc;
}

static ssize_t read_object(void *arg, void *to, size_t len, uint64_t at)
{
	return pack_object_read(arg, to, len, at);
}

/* The nearest of those that O built on that stays, in its new place. NULL: there is none. */
static int open_new_base(struct erasing *e, const struct pack_object *o, struct pack_object **out)
{
	*out = NULL;
	for (const struct pack_object *b = o->base; b; b = b->base)
		if (!has_object(&e->dropped, b->map.sha256))
			return packing_find(e->packing, b->map.sha256, out);
	return 0;
}

static int pack_anew(struct erasing *e, const struct object_row *row)
{
	_cleanup_object_ struct pack_object *o = NULL, *base = NULL;
	struct pack_input in = {.read = read_object};
	struct object_row now = *row;
	struct pack_added added;
	int rc = pack_open(e->lake, row->sha256, &o);

	if (!rc)
		rc = open_new_base(e, o, &base);
	in.arg = o;
	if (!rc)
		rc = pack_writer_add(e->packing->writer, &in, base, o->map.ordinal, &added);
	if (!rc && memcmp(added.sha256, row->sha256, SHA256_BYTES))
		rc = -EIO;
	if (rc < 0)
		return rc;
	now.offset = added.offset;
	now.length = added.length;
	now.has_base = added.based;
	memcpy(now.base, added.base, SHA256_BYTES);
	return packing_object(e->packing, &now);
}

static unsigned depth_of(struct erasing *e, const struct object_row *row)
{
	struct object_row o = *row;
	unsigned depth = 0;

	while (o.has_base && depth < PACK_DEPTH_MAX) {
		depth++;
		if (store_object(e->lake->store, o.base, &o))
			break;
	}
	return depth;
}

/* From here on nothing builds on the objects any more. */
static int pack_dependants_anew(struct erasing *e, struct volume *volume)
{
	struct packing p;
	int rc = packing_begin(&p, e->lake, volume);

	if (rc < 0)
		return rc;
	e->packing = &p;
	rc = packing_open(&p);
	/* What one builds on is written before it. */
	for (unsigned depth = 1; depth <= PACK_DEPTH_MAX; depth++)
		for (size_t i = 0; i < e->anew.n && !rc; i++)
			if (depth_of(e, &e->anew.rows[i]) == depth)
				rc = pack_anew(e, &e->anew.rows[i]);
	if (rc < 0) {
		packing_cancel(&p);
		return rc;
	}
	return packing_end(&p);
}

/* The pack of C, which is rewritten, goes from the cloud now, not only when its turn comes. */
static int remove_from_cloud(struct lake *lake, const struct cloud_row *c)
{
	_cleanup_tier_ struct tier *tier = lake_tier(lake);
	const char *key = c->key;

	int rc = tier ? remote_hold(lake, NULL) : -EHOSTUNREACH;

	return rc ? rc : tier_remove(tier, &key, 1, NULL, NULL);
}

static int rewrite_without(struct erasing *e, const struct pack_row *row, uint64_t *freed)
{
	struct cloud_row c;
	int there = store_cloud_of_pack(e->lake->store, row->id, &c);
	int rc = there && there != -ENOENT ? there : rewrite(e->lake, row, 1, &e->dropped, NULL, NULL, freed);

	return rc || there ? rc : remove_from_cloud(e->lake, &c);
}

static int rewrite_packs_of(struct erasing *e)
{
	uint64_t freed = 0;
	int rc = 0;

	for (size_t i = 0; i < e->dropped.n && !rc; i++) {
		struct pack_row row;

		rc = store_pack(e->lake->store, e->dropped.rows[i].pack, &row);
		if (rc == -ENOENT) /* done already, for another object in it */
			rc = 0;
		else if (!rc)
			rc = rewrite_without(e, &row, &freed);
	}
	return rc;
}

static int erase(struct erasing *e)
{
	struct pack_row row;
	struct volume *volume;
	int rc;

	if (!e->dropped.n)
		return 0;
	rc = find_dependants(e);
	if (!rc)
		rc = store_pack(e->lake->store, e->dropped.rows[0].pack, &row);
	volume = rc ? NULL : lake_volume(e->lake, row.volume);
	if (!rc && !volume)
		rc = -EIO; /* its disk is not there */
	if (!rc && e->anew.n)
		rc = pack_dependants_anew(e, volume);
	return rc ? rc : rewrite_packs_of(e);
}

static int note_user(void *arg, const struct version_row *v)
{
	bool *used = arg;

	*used = v->state == VERSION_LIVE || v->state == VERSION_KEPT || v->state == VERSION_PARTIAL;
	return *used;
}

/* SHA256 goes, if it is there and no version is kept as it. */
static int note_dropped(struct erasing *e, const uint8_t sha256[SHA256_BYTES])
{
	struct object_row o;
	bool used = false;
	int rc = store_versions_packed(e->lake->store, sha256, note_user, &used);

	if (rc < 0 || used)
		return rc < 0 ? rc : 0;
	rc = store_object(e->lake->store, sha256, &o);
	return rc == -ENOENT ? 0 : rc < 0 ? rc : note_object(&e->dropped, &o);
}

int packs_erase(struct lake *lake, const uint8_t (*sha256)[SHA256_BYTES], size_t n)
{
	struct erasing e = {.lake = lake};
	int rc = 0;

	packs_begin(lake, true);
	rc = store_barrier(lake->store, 0);
	for (size_t i = 0; i < n && !rc; i++)
		rc = note_dropped(&e, sha256[i]);
	if (!rc)
		rc = erase(&e);
	packs_end(lake);
	objects_release(&e.dropped);
	objects_release(&e.anew);
	return rc;
}
