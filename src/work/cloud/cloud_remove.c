/*
 * Objects that nothing needs are removed from the remote, many with one request; and intents that no upload will end
 * any more, because their version is another by now, or is in the cloud under another key, or the daemon crashed, go
 * the same way: whatever lies there under the key is then ours to remove, if it is ours at all.
 *
 * Before an object goes, its key is claimed and its row read again: another upload may have taken the key since. Then
 * it is asked again whether something needs it: it may have come to be needed. And what is believed of it has to be
 * durable: after a power failure the store must not rely on what was removed.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "work/cloud/cloud.h"

#define MOST 500		       /* with one request, and in one record */
#define INTENT_NS (600 * NSEC_PER_SEC) /* an upload says something sooner: it ends, or is tried again */

struct collection {
	struct work *work;
	struct cloud_row *rows;
	int n;
	int64_t before; /* intents begun since are left alone */
};

static int note(void *arg, const struct cloud_row *c)
{
	struct collection *all = arg;

	if (c->remote[0] || (c->state == CLOUD_INTENT && c->time > all->before))
		return 0;
	all->rows[all->n++] = *c;
	return all->n == MOST;
}

/* An intent whose version or pack has to be uploaded still is the next upload's business. */
static bool is_waited_for(struct lake *lake, const struct cloud_row *c)
{
	struct cloud_row verified;
	struct version_row v;
	struct pack_row pack;

	if (c->state == CLOUD_INTENT && c->pack)
		return !store_pack(lake->store, c->pack, &pack);
	return c->state == CLOUD_INTENT && c->version && !store_version(lake->store, c->version, &v) &&
	       v.state == VERSION_LIVE && store_cloud_of_version(lake->store, v.id, &verified) == -ENOENT;
}

/* What lies there is another's: the row goes, the object stays. 1, 0: ours; -errno. */
static int is_foreign(struct work *w, struct tier *t, const struct cloud_row *c)
{
	struct tier_call call = cloud_call(w);
	struct tier_head head;
	int rc = tier_head(t, c->key, &call, &head);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	return !cloud_is_ours(w->lake, c, &head);
}

/* May the object, whose key is claimed, be removed? 1; 0: only its row; -errno: not now. */
static int may_go(struct work *w, struct tier *t, const struct cloud_row *c)
{
	struct pack_row pack;
	int rc = cloud_is_still(w->lake, c);

	if (!rc && c->state == CLOUD_GOING)
		rc = cloud_spare(w, t, c);
	if (!rc && c->pack && !store_pack(w->lake->store, c->pack, &pack))
		rc = -EBUSY;
	if (rc < 0)
		return rc;
	rc = is_foreign(w, t, c);
	return rc < 0 ? rc : !rc;
}

/* These objects, once it is durable that nothing relies on them. RESULTS: of each. -errno: none was touched. */
static int remove_objects(struct work *w, struct tier *t, const char *const *keys, int n, int *results)
{
	struct tier_call call = cloud_call(w);
	int rc = store_sync(w->lake->store, 0);

	if (!rc)
		tier_remove(t, keys, n, &call, results);
	return rc;
}

int cloud_remove_one(struct work *w, struct tier *t, const struct cloud_row *c)
{
	const char *key = c->key;
	struct record *r;
	int rc, result = 0;

	if (!claim_key(w->claims, key))
		return -EBUSY;
	rc = may_go(w, t, c);
	if (rc > 0)
		rc = remove_objects(w, t, &key, 1, &result);
	if (!rc)
		rc = result;
	if (!rc) {
		r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
		record_cloud_remove(r, c);
		rc = store_submit(w->lake->store, r, NULL);
	}
	if (!rc)
		rc = store_barrier(w->lake->store, 0);
	disclaim_key(w->claims, key);
	return rc == -ESTALE ? -EBUSY : rc;
}

/* Rows whose keys are claimed, and the objects among them that are to be removed. */
struct removal {
	struct cloud_row **rows, **objects;
	const char **keys; /* of the objects */
	int *results;
	int nrows, nobjects;
};

static void choose(struct work *w, struct tier *t, struct collection *all, struct removal *m)
{
	for (int i = 0; i < all->n; i++) {
		struct cloud_row *c = &all->rows[i];
		int may;

		if (is_waited_for(w->lake, c) || !claim_key(w->claims, c->key))
			continue;
		may = may_go(w, t, c);
		if (may < 0) {
			disclaim_key(w->claims, c->key);
			continue;
		}
		m->rows[m->nrows++] = c;
		if (!may)
			continue;
		m->objects[m->nobjects] = c;
		m->keys[m->nobjects++] = c->key;
	}
}

/* What is gone is recorded, before the keys are given up. How many, or -errno. */
static int record_gone(struct work *w, const struct removal *m)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	uint64_t commit;
	int done = 0, next = 0, rc;

	for (int i = 0; i < m->nrows; i++) {
		bool object = next < m->nobjects && m->objects[next] == m->rows[i];

		if (object && m->results[next++])
			continue;
		record_cloud_remove(r, m->rows[i]);
		done++;
	}
	if (!done) {
		record_free(r);
		return 0;
	}
	rc = store_submit(w->lake->store, r, &commit);
	if (!rc)
		rc = store_barrier(w->lake->store, commit);
	return rc ? rc : done;
}

static int remove_all(struct work *w, struct tier *t, struct collection *all)
{
	size_t n = (size_t)all->n;
	_cleanup_free_ struct cloud_row **rows = calloc(n, sizeof(struct cloud_row *)),
					**objects = calloc(n, sizeof(struct cloud_row *));
	_cleanup_free_ const char **keys = calloc(n, sizeof(*keys));
	_cleanup_free_ int *results = calloc(n, sizeof(*results));
	struct removal m = {.rows = rows, .objects = objects, .keys = keys, .results = results};
	int rc = 0;

	if (!rows || !objects || !keys || !results)
		return -ENOMEM;
	choose(w, t, all, &m);
	if (m.nobjects)
		rc = remove_objects(w, t, keys, m.nobjects, results);
	cloud_step(STEP_REMOVED);
	if (!rc)
		rc = record_gone(w, &m);
	for (int i = 0; i < m.nrows; i++)
		disclaim_key(w->claims, rows[i]->key);
	return rc;
}

int cloud_collect(struct work *w, struct tier *t)
{
	struct collection all = {
		.work = w, .rows = calloc(MOST, sizeof(*all.rows)), .before = clock_wall() - INTENT_NS};
	int rc = all.rows ? store_cloud_each(w->lake->store, CLOUD_GOING, 0, note, &all) : -ENOMEM;

	if (rc == 0 && all.n < MOST)
		rc = store_cloud_each(w->lake->store, CLOUD_INTENT, 0, note, &all);
	if (rc >= 0)
		rc = all.n ? remove_all(w, t, &all) : 0;
	free(all.rows);
	return rc;
}
