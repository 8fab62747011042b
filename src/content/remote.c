#include "content/remote.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "content/packs.h"

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

bool remote_wants_at_once(struct lake *lake, struct bucket *bucket)
{
	const struct bucket_policy *policy;

	if (!bucket || !atomic_load_explicit(&lake->has_tier, memory_order_relaxed))
		return false;
	policy = bucket_policy(bucket);
	return policy->tier == TIER_MIRROR || policy->tier == TIER_CLOUD;
}
