#include "work/cloud/tier_plan.h"

#include "base/clock.h"
#include "content/past/pin.h"

#define GB 1e9

struct planning {
	struct lake *lake;
	struct tier_plan *plan;
};

static int consider(void *arg, const struct cold_row *c)
{
	const struct planning *p = arg;
	struct tier_plan *plan = p->plan;

	if (plan->use - plan->release_bytes <= plan->target)
		return 1;
	if (c->writing || !c->settled || !c->size || pin_of(p->lake, c->node) != PIN_NONE)
		return 0;
	plan->release++;
	plan->release_bytes += c->size < plan->use - plan->release_bytes ? c->size : plan->use - plan->release_bytes;
	if (!c->uploaded) {
		plan->upload++;
		plan->upload_bytes += c->size;
	}
	return 0;
}

int tier_plan(struct lake *lake, struct tier_plan *out)
{
	struct planning p = {lake, out};
	uint64_t free_bytes, total, capacity;
	struct settings *s;
	double target;
	int64_t young;
	int rc;

	*out = (struct tier_plan){0};
	rc = lake_space(lake, &out->use, &free_bytes, &total);
	if (rc < 0)
		return rc;
	s = lake_settings(lake);
	capacity = settings_capacity(s, out->use, free_bytes);
	out->threshold = (uint64_t)((double)capacity * s->cloud_burst_threshold_percent / 100);
	if (s->local_threshold_gb > 0 && s->local_threshold_gb * GB < (double)out->threshold)
		out->threshold = (uint64_t)(s->local_threshold_gb * GB);
	target = s->cloud_burst_target_percent / s->cloud_burst_threshold_percent;
	out->target = (uint64_t)((double)out->threshold * target);
	young = clock_wall() - s->min_age * NSEC_PER_SEC;
	settings_unref(s);
	if (out->use <= out->threshold)
		return 0;
	rc = store_cold(lake->store, young, consider, &p);
	return rc < 0 ? rc : 0;
}
