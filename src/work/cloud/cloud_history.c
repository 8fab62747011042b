/*
 * Old versions that the cloud has, too, need no bytes here. A file that was uploaded and is then overwritten or deleted
 * leaves a version whose content is a verified object: while the disk is short of space, or above the threshold, its
 * local bytes go, and it is read from the cloud from then on (how = cloud). Nothing is forgotten for that, so it comes
 * before anything expires (work/expire.c).
 *
 * Order: the object's key is claimed, so that nobody overwrites or removes it meanwhile; the remote is asked whether it
 * is what the store believes; that it is needed from now on is durable before the local files go. A crash in between
 * leaves files that nobody reads, which the next start removes (work/leftovers.c).
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/past/kept.h"
#include "content/pack/packs.h"
#include "content/past/pin.h"
#include "work/cloud/cloud.h"

#define BATCH 64

bool history_can_leave(struct work *w, const struct version_row *v)
{
	_cleanup_tier_ struct tier *t = lake_tier(w->lake);
	struct cloud_row c;

	if (!t || v->state != VERSION_KEPT || !v->settled || !v->hashed || !v->size ||
	    store_cloud_of_version(w->lake->store, v->id, &c) || c.state != CLOUD_VERIFIED || !c.hashed)
		return false;
	return cloud_is_usable(w->lake, t);
}

bool history_is_away(struct lake *lake, const struct version_row *v)
{
	return v->how == HOW_CLOUD || (v->how == HOW_PACKED && v->size && pack_is_away(lake, v->sha256));
}

bool history_will_leave(struct lake *lake, const struct version_row *v)
{
	bool packed_yet = v->end_commit <= atomic_load(&lake->cloud.packed_to);

	if (!atomic_load(&lake->cloud.takes_history) || !v->settled || !v->size)
		return false;
	switch (v->how) {
	case HOW_PACKED:
		break;
	case HOW_ASIDE:
	case HOW_COPY:
	case HOW_REFLINK:
		if (packed_yet && (v->state != VERSION_KEPT || kept_is_needed(lake, v)))
			return false;
		break;
	case HOW_UNDO:
		if (packed_yet)
			return false;
		break;
	case HOW_NONE:
	case HOW_PREFIX:
	case HOW_CLOUD:
		return false;
	}
	return !pin_keeps_past(lake, v->node);
}

/* Does the remote have what C says? C's key is claimed. */
static int look_at_object(struct work *w, struct tier *t, const struct version_row *v, const struct cloud_row *c)
{
	struct tier_call call = cloud_call(w);
	struct cloud_row now;
	struct tier_head head;
	int rc = store_cloud_by_key(w->lake->store, c->remote, c->key, &now);

	if (!rc && (now.state != CLOUD_VERIFIED || now.id != c->id))
		rc = -ESTALE;
	if (!rc)
		rc = tier_head(t, c->key, &call, &head);
	if (!rc && (memcmp(now.sha256, v->sha256, SHA256_BYTES) != 0 || now.size != v->size))
		rc = -ESTALE;
	return rc ? rc : cloud_is(&head, &now) ? 0 : -ESTALE;
}

static int record_in_cloud(struct lake *lake, uint64_t version)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	record_version_how(r, version, HOW_CLOUD, 0);
	return cloud_record(lake, r);
}

int cloud_history_leave(struct work *w, struct tier *t, const struct version_row *v)
{
	struct cloud_row c;
	int rc = store_cloud_of_version(w->lake->store, v->id, &c);

	if (rc)
		return rc;
	if (!claim_key(w->claims, c.key))
		return -EAGAIN;
	rc = look_at_object(w, t, v, &c);
	if (!rc)
		rc = record_in_cloud(w->lake, v->id);
	disclaim_key(w->claims, c.key);
	if (!rc)
		kept_remove_own(w->lake, v);
	return rc;
}

struct candidates {
	struct work *work;
	struct version_row list[BATCH];
	int n;
};

/* What older versions are read through has to stay as it is; what is packed takes hardly any room. */
static int choose(void *arg, const struct version_row *v)
{
	struct candidates *all = arg;

	if (v->how != HOW_ASIDE && v->how != HOW_COPY && v->how != HOW_REFLINK)
		return 0;
	if (!history_can_leave(all->work, v) || kept_is_needed(all->work->lake, v))
		return 0;
	all->list[all->n++] = *v;
	return all->n == BATCH;
}

int cloud_history(struct work *w, struct tier *t)
{
	_cleanup_free_ struct candidates *all = calloc(1, sizeof(*all));
	uint64_t bytes = 0;
	int left = 0, rc = all ? 0 : -ENOMEM;

	if (all) {
		all->work = w;
		rc = store_oldest_kept(w->lake->store, INT32_MAX, choose, all);
	}
	for (int i = 0; rc >= 0 && i < all->n && !work_stopping(w); i++) {
		if (cloud_history_leave(w, t, &all->list[i]))
			continue;
		left++;
		bytes += all->list[i].size;
	}
	if (left)
		log_info("history: %d versions (%.1f MB) are only in the cloud now", left, (double)bytes / 1e6);
	return rc < 0 ? rc : left;
}
