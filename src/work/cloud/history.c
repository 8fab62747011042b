/*
 * When history leaves. Where files leave when there is no room (work/cloud/burst.c), old versions go first: they are
 * packed at once, whatever pack_after says, and the packs go to the cloud, the oldest first. What packing gains nothing
 * for goes as it is. Nothing is forgotten for want of room as long as that works (work/expire.c); a remote that cannot
 * be reached, or refuses, ends that.
 *
 *	early		packs that are as large as packs should be are uploaded, so that they only have to be let go
 *	no room		the lake uses more than the threshold, until it is down to the target; a disk is short of space;
 *			history is more than its budget
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "work/cloud/cloud.h"
#include "work/gc.h"

#define BACKGROUND 10
#define TICK_NS NSEC_PER_SEC
#define FAILED_NS (60 * NSEC_PER_SEC) /* then it is tried again */

struct history {
	struct work *work;
	struct lake *lake;
	int64_t failed; /* monotonic; 0: it did not */
	int told;
	bool leaving;
};

/* ---- may it, must it ---- */

static bool takes_history(const struct history *h, struct tier *t)
{
	struct settings *settings = lake_settings(h->lake);
	bool enabled = settings->cloud_burst_enabled;

	settings_unref(settings);
	return t && enabled && cloud_is_usable(h->lake, t) && (!h->failed || clock_monotonic() - h->failed > FAILED_NS);
}

static bool is_over_budget(struct lake *lake)
{
	struct store_totals totals;
	uint64_t budget;

	return !store_totals(lake->store, &totals) && totals.stored_bytes && !gc_budget(lake, &budget) &&
	       totals.stored_bytes > budget;
}

/* As the keeper and burst_main() saw it last. */
static bool has_no_room(const struct history *h)
{
	const struct lake_cloud *cloud = &h->lake->cloud;
	uint64_t limit = atomic_load(h->leaving ? &cloud->target : &cloud->high);

	return atomic_load(&h->lake->space_short) || (limit && atomic_load(&cloud->use) > limit) ||
	       is_over_budget(h->lake);
}

/* ---- leaving ---- */

static void note(struct history *h, int rc)
{
	if (rc >= 0) {
		h->failed = 0;
		h->told = 0;
		return;
	}
	if (rc == -ECANCELED || rc == -EAGAIN)
		return;
	if (rc == -EBUSY) /* another lake's: that was told */
		h->told = rc;
	h->failed = clock_monotonic();
	if (rc != h->told)
		log_warning("history cannot leave for the cloud now: %s", strerror(-rc));
	h->told = rc;
}

/* Something leaves: 1; 0: there is nothing; -errno. */
static int leave_some(struct history *h, struct tier *t)
{
	const struct tier_call call = cloud_call(h->work);
	int rc = remote_hold(h->lake, &call);

	if (!rc)
		rc = cloud_history(h->work, t);
	if (!rc && atomic_load(&h->lake->cloud.takes_history))
		rc = cloud_pack(h->work, t, true);
	if (!rc && atomic_load(&h->lake->cloud.takes_history))
		rc = cloud_loose(h->work, t);
	return rc;
}

static void tick(struct history *h)
{
	_cleanup_tier_ struct tier *t = lake_tier(h->lake);
	const struct tier_call call = cloud_call(h->work);
	struct lake_cloud *cloud = &h->lake->cloud;
	bool takes = takes_history(h, t);
	int rc = 1;

	atomic_store(&cloud->takes_history, takes);
	while (rc > 0 && t && !work_stopping(h->work)) {
		h->leaving = has_no_room(h);
		atomic_store(&cloud->history_leaves, takes && h->leaving);
		if (!h->leaving)
			break;
		rc = leave_some(h, t);
		note(h, rc);
	}
	if (takes && !h->leaving && !tier_in_hours(t))
		return;
	while (rc >= 0 && takes && !h->leaving && atomic_load(&cloud->early) &&
	       atomic_load(&cloud->use) > atomic_load(&cloud->early) && !work_stopping(h->work)) {
		rc = remote_hold(h->lake, &call);
		if (!rc)
			rc = cloud_pack(h->work, t, false);
		note(h, rc);
		if (rc <= 0)
			break;
		h->leaving = has_no_room(h);
	}
}

void history_begin(struct work *w)
{
	_cleanup_tier_ struct tier *t = lake_tier(w->lake);
	const struct history h = {.work = w, .lake = w->lake};

	atomic_store(&w->lake->cloud.takes_history, takes_history(&h, t));
}

void *history_main(void *arg)
{
	struct work *w = arg;
	struct history h = {.work = w, .lake = w->lake};

	work_be_nice(BACKGROUND);
	while (work_sleep(w, TICK_NS))
		if (!w->lake->read_only)
			tick(&h);
	return NULL;
}
