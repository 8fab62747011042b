#include "content/cloud/remote.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/cloud/mark.h"
#include "content/pack/packs.h"

#define FRESH_NS (30 * NSEC_PER_SEC)

struct tier *lake_tier(struct lake *lake)
{
	SCOPED_LOCK(&lake->buckets_lock);

	return lake->tier ? tier_ref(lake->tier) : NULL;
}

/* Takes T, which may be NULL. */
static void replace(struct lake *lake, struct tier *t)
{
	struct tier *old;

	pthread_mutex_lock(&lake->buckets_lock);
	old = lake->tier;
	lake->tier = t;
	atomic_store(&lake->has_tier, t != NULL);
	atomic_store(&lake->mark.state, MARK_UNKNOWN);
	atomic_store(&lake->mark.wanted, t != NULL);
	pthread_mutex_unlock(&lake->buckets_lock);
	if (old)
		tier_unref(old);
	if (old && lake->packs)
		packs_forget_away(lake->packs);
}

void remote_open(struct lake *lake)
{
	struct settings *settings = lake_settings(lake);
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct tier *t = NULL;
	int rc = tier_open(settings, NULL, lake->path, &t, &why);

	settings_unref(settings);
	if (rc < 0 && rc != -ENODEV)
		log_warning("the cloud cannot be used, all files stay here: %s",
			    why.len ? buf_str(&why) : strerror(-rc));
	replace(lake, rc < 0 ? NULL : t);
}

void remote_close(struct lake *lake)
{
	replace(lake, NULL);
}

/* ---- whose it is ---- */

/* How long it is since the mark was looked at. */
static int64_t age_of(const struct lake *lake)
{
	return clock_monotonic() - atomic_load(&lake->mark.looked_at);
}

/* What was found out of T counts only while that is the remote. */
static void note_state(struct lake *lake, const struct tier *t, enum mark_state state, const struct buf *who)
{
	SCOPED_LOCK(&lake->buckets_lock);
	enum mark_state was;

	if (lake->tier != t)
		return;
	was = atomic_exchange(&lake->mark.state, state);
	atomic_store(&lake->mark.looked_at, clock_monotonic());
	atomic_store(&lake->mark.wanted, false);
	snprintf(lake->mark.who, sizeof(lake->mark.who), "%s", buf_str(who));
	if (state == MARK_OTHERS && was != MARK_OTHERS)
		log_error(
			"%s is used by %s: nothing is uploaded or removed there, and no file leaves. Give this lake "
			"another cloud_prefix, or, when the other one is gone, `tarn tier take-over %s`",
			tier_url(t), lake->mark.who, lake->path);
	else if (state == MARK_HELD && was == MARK_OTHERS)
		log_info("%s is this lake's now", tier_url(t));
}

static int look_at_mark(struct lake *lake, struct tier *t, bool take, const struct tier_call *call, struct buf *who)
{
	const struct mark_of m = {.lakefd = lake->fd, .lake = lake->id, .tier = t, .call = call};
	struct lake_mark *mark = &lake->mark;
	bool held = atomic_load(&mark->state) == MARK_HELD;
	int rc = held && !take ? mark_check(&m, mark->use, who) : -ENOENT;

	if (rc == -ENOENT)
		rc = take ? mark_take(&m, mark->use, who) : mark_begin(&m, mark->use, who);
	if (!rc || rc == -EBUSY)
		note_state(lake, t, rc ? MARK_OTHERS : MARK_HELD, who);
	return rc;
}

int remote_hold(struct lake *lake, const struct tier_call *call)
{
	SCOPED_LOCK(&lake->mark.lock);
	_cleanup_tier_ struct tier *t = lake_tier(lake);
	_cleanup_buf_ struct buf who = BUF_INIT;
	enum mark_state state = atomic_load(&lake->mark.state);

	if (!t)
		return -EHOSTUNREACH;
	if (state != MARK_UNKNOWN && age_of(lake) < FRESH_NS && !atomic_load(&lake->mark.wanted))
		return state == MARK_HELD ? 0 : -EBUSY;
	return look_at_mark(lake, t, false, call, &who);
}

bool remote_is_held(struct lake *lake)
{
	int64_t age = age_of(lake);

	if (age > FRESH_NS / 2) /* early enough, so that nobody has to wait */
		atomic_store(&lake->mark.wanted, true);
	return age < FRESH_NS && atomic_load(&lake->mark.state) == MARK_HELD;
}

bool remote_is_others(struct lake *lake, struct buf *who)
{
	SCOPED_LOCK(&lake->buckets_lock);

	if (atomic_load(&lake->mark.state) != MARK_OTHERS)
		return false;
	if (who)
		buf_adds(who, lake->mark.who);
	return true;
}

int remote_take(struct lake *lake, const struct tier_call *call, struct buf *who)
{
	SCOPED_LOCK(&lake->mark.lock);
	_cleanup_tier_ struct tier *t = lake_tier(lake);

	return t ? look_at_mark(lake, t, true, call, who) : -EHOSTUNREACH;
}

bool remote_wants_at_once(struct lake *lake, struct bucket *bucket)
{
	const struct bucket_policy *policy;

	if (!bucket || !atomic_load_explicit(&lake->has_tier, memory_order_relaxed))
		return false;
	policy = bucket_policy(bucket);
	return policy->tier == TIER_MIRROR || policy->tier == TIER_CLOUD;
}
