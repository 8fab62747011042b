/*
 * Objects that nothing needs are removed from the remote, many with one request; and intents that no upload will end
 * any more, because their version is another by now or the daemon crashed, go the same way: whatever lies there under
 * the key is then ours to remove, if it is ours at all.
 *
 * Before an object goes it is asked again whether something needs it: it may have come to be needed since.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "work/cloud.h"

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

/* An intent whose version may still be uploaded is the next upload's business. */
static bool is_waited_for(struct lake *lake, const struct cloud_row *c)
{
	struct version_row v;

	return c->state == CLOUD_INTENT && c->version && !store_version(lake->store, c->version, &v) &&
	       v.state == VERSION_LIVE;
}

/* What lies there is another's: the row goes, the object stays. 1, 0: ours; -errno. */
static int is_foreign(struct work *w, struct tier *t, const struct cloud_row *c)
{
	struct tier_call call = cloud_call(w);
	struct tier_head head;
	int rc = tier_head(t, c->key, &call, &head);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (c->etag[0] && !strcmp(c->etag, head.etag))
		return 0;
	return !(head.facts.known & TIER_KNOWS_VERSION) || head.facts.lake != w->lake->id;
}

/* May the object be removed? 1; 0: only its row; -errno: not now. */
static int may_go(struct work *w, struct tier *t, const struct cloud_row *c)
{
	int rc = c->state == CLOUD_GOING ? cloud_spare(w, t, c) : 0;

	if (rc < 0)
		return rc;
	rc = is_foreign(w, t, c);
	return rc < 0 ? rc : !rc;
}

int cloud_remove_one(struct work *w, struct tier *t, const struct cloud_row *seen)
{
	struct tier_call call = cloud_call(w);
	const char *key = seen->key;
	struct record *r;
	struct cloud_row c;
	int rc, result = 0;

	if (!claim_key(w->claims, key))
		return -EBUSY;
	rc = store_cloud_by_key(w->lake->store, seen->remote, key, &c);
	if (!rc && (c.id != seen->id || c.state != seen->state || c.time != seen->time))
		rc = -EBUSY;
	if (!rc)
		rc = may_go(w, t, &c);
	if (rc > 0)
		rc = tier_remove(t, &key, 1, &call, &result);
	if (!rc)
		rc = result;
	if (!rc) {
		r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
		record_cloud_remove(r, &c);
		rc = store_submit(w->lake->store, r, NULL);
	}
	if (!rc)
		rc = store_barrier(w->lake->store, 0);
	disclaim_key(w->claims, key);
	return rc;
}

static int remove_all(struct work *w, struct tier *t, struct collection *all)
{
	_cleanup_free_ const char **keys = calloc((size_t)all->n, sizeof(*keys));
	_cleanup_free_ int *index = calloc((size_t)all->n, sizeof(*index)),
			   *results = calloc((size_t)all->n, sizeof(int));
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct tier_call call = cloud_call(w);
	int n = 0, done = 0, rc = keys && index && results && r ? 0 : -ENOMEM;

	for (int i = 0; i < all->n && !rc; i++) {
		struct cloud_row *c = &all->rows[i];
		int may;

		if (is_waited_for(w->lake, c) || !claim_key(w->claims, c->key))
			continue;
		may = may_go(w, t, c);
		if (may > 0) {
			index[n] = i;
			keys[n++] = c->key;
			continue;
		}
		if (!may) {
			record_cloud_remove(r, c);
			done++;
		}
		disclaim_key(w->claims, c->key);
	}
	if (n && !rc)
		tier_remove(t, keys, n, &call, results);
	cloud_step(STEP_REMOVED);
	for (int i = 0; i < n; i++) {
		struct cloud_row *c = &all->rows[index[i]];

		if (!results[i] && !rc) {
			record_cloud_remove(r, c);
			done++;
		}
	}
	if (!rc && done) {
		rc = store_submit(w->lake->store, steal_ptr(&r), NULL);
		store_barrier(w->lake->store, 0);
	}
	for (int i = 0; i < n; i++)
		disclaim_key(w->claims, keys[i]);
	record_free(r);
	return rc ? rc : done;
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
