/*
 * When files leave for the cloud.
 *
 *	use		what the live files that are here and the history take, by their sizes
 *	high		cloud_burst_threshold_percent of the capacity, or local_threshold_gb where that is less
 *	target		as far below it as cloud_burst_target_percent is below the threshold
 *	early		EARLY_PART below that: from here on files are uploaded ahead of time, so that at the threshold
 *			they only have to be released
 *
 * Above high, files are released down to target. A disk that is short of space (work/expire.c: space_wanted()) is
 * treated as if it were above high, whatever the capacity: files leave until twice the wanted space is free. Where it
 * is short and files leave, writers wait for room (content/room.h).
 *
 * One thread does all this, and begins the rest: uploads that jobs ask for, objects that follow their files' names,
 * objects that go. A look at many files takes long, so that the next one waits REST times as long as the last one took;
 * what releasing took is no reason to wait. Releasing many takes long, too: writers are told of the room meanwhile.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/room.h"
#include "work/cloud/cloud.h"

#define BACKGROUND 5
#define GB 1e9
#define TICK_NS NSEC_PER_SEC
#define TICK_SHORT_NS (100 * NSEC_PER_MSEC)
#define EARLY_PART 8		      /* of the target */
#define REST 10			      /* looks take a tenth of one processor, at most */
#define WHOLE_NS (600 * NSEC_PER_SEC) /* so often all files are looked at */
#define COLLECT_NS (2 * NSEC_PER_SEC)
#define SWEEP_NS (3600 * NSEC_PER_SEC) /* what puts that did not end have left */
#define SWEEP_AGE_NS (24 * 3600 * NSEC_PER_SEC)
#define FIRST_NS (2 * NSEC_PER_SEC) /* after a start */
#define TELL_NS (60 * NSEC_PER_SEC)
#define WARN_AGAIN_PART 20 /* so much below high, before a warning is given again */

struct burst {
	struct work *work;
	struct lake *lake;
	struct space speed[LAKE_VOLUMES];
	bool burst_enabled;
	uint64_t use, high, target, early; /* bytes */
	uint64_t missing;		   /* bytes that a disk lacks, above all */
	bool is_short;
	bool sending; /* uploads that jobs ask for were queued just now, and there may be more */
	bool warned;
	uint64_t released, released_bytes; /* since that was logged last */
	int64_t told;
	uint64_t hopeless; /* looks that found nothing that could leave or was on its way, one after the other */
	int64_t look_due, whole_due, collect_due, sweep_due; /* monotonic */
};

/* ---- how it is ---- */

static uint64_t percent(uint64_t whole, double part)
{
	return (uint64_t)((double)whole * part / 100);
}

static int measure_use(struct burst *b, const struct settings *s)
{
	uint64_t free_bytes, total;
	int rc = lake_space(b->lake, &b->use, &free_bytes, &total);

	if (rc)
		return rc;
	b->high = percent(settings_capacity(s, b->use, free_bytes), s->cloud_burst_threshold_percent);
	if (s->local_threshold_gb > 0 && s->local_threshold_gb * GB < (double)b->high)
		b->high = (uint64_t)(s->local_threshold_gb * GB);
	b->target = percent(b->high, 100 * s->cloud_burst_target_percent / s->cloud_burst_threshold_percent);
	b->early = b->target - b->target / EARLY_PART;
	b->burst_enabled = s->cloud_burst_enabled;
	return 0;
}

/* Where is it short, and by how much? */
static void measure_disks(struct burst *b, bool leaving)
{
	struct volume *v;

	b->missing = 0;
	b->is_short = false;
	for (int i = 0; (v = reach_volume(b->lake, i)); i++) {
		uint64_t free_bytes, wanted, total;
		struct statvfs fs;

		if (fstatvfs(v->mountfd, &fs) < 0)
			continue;
		free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
		total = (uint64_t)fs.f_blocks * fs.f_frsize;
		wanted = space_wanted(total, space_speed(&b->speed[i], free_bytes, clock_monotonic()));
		b->is_short |= free_bytes < wanted;
		if (free_bytes < 2 * wanted && 2 * wanted - free_bytes > b->missing)
			b->missing = 2 * wanted - free_bytes;
		room_tell(b->lake, v, leaving && b->burst_enabled ? wanted : 0);
	}
}

/* Files leave, or will: it is worth waiting for. */
static bool is_leaving(struct burst *b, struct tier *t)
{
	return t && b->hopeless <= 2 && cloud_is_usable(b->lake, t);
}

static void warn(struct burst *b, bool has_tier)
{
	if (b->use < b->high - b->high / WARN_AGAIN_PART)
		b->warned = false;
	if (b->use <= b->high || b->warned || (has_tier && b->burst_enabled))
		return;
	b->warned = true;
	log_warning("the lake uses %.1f GB, more than the threshold of %.1f GB, and all stays here: %s",
		    (double)b->use / GB, (double)b->high / GB,
		    has_tier ? "cloud_burst_enabled is not set" : "no cloud is configured");
}

/* ---- files ---- */

/* Packs go before files do: what they will give needs not come from those, unless a disk is short. */
static uint64_t history_gives(const struct burst *b)
{
	struct pack_totals packs;

	if (!atomic_load(&b->lake->cloud.takes_history) || store_pack_totals(b->lake->store, &packs))
		return 0;
	return packs.bytes - packs.staying_bytes;
}

/* As tick() does it, while one look's files go. */
static void measure_again(void *arg)
{
	struct burst *b = arg;
	struct settings *settings = lake_settings(b->lake);

	if (!measure_use(b, settings))
		measure_disks(b, true);
	settings_unref(settings);
	atomic_store(&b->lake->cloud.use, b->use);
}

static struct policy_wish wish(struct burst *b)
{
	struct policy_wish w = {.whole = clock_monotonic() >= b->whole_due, .still_releasing = measure_again, .arg = b};
	uint64_t given;

	if (!b->burst_enabled)
		return w;
	if (b->use > b->high)
		w.release = b->use - b->target;
	given = w.release ? history_gives(b) : 0;
	w.release -= given < w.release ? given : w.release;
	if (b->is_short && b->missing > w.release)
		w.release = b->missing;
	if (b->use > b->early)
		w.ready = b->use - b->early;
	if (b->missing > w.ready)
		w.ready = b->missing;
	if (w.release > w.ready)
		w.ready = w.release;
	w.pressed = b->use > b->high || b->missing;
	w.is_short = b->is_short;
	return w;
}

/* A burst goes on for long; its beginning is told, and then what it did in each minute. */
static void tell_released(struct burst *b, int64_t now)
{
	if (!b->released || (b->told && now - b->told < TELL_NS))
		return;
	log_info("burst: %" PRIu64 " files (%.1f MB) are only in the cloud now", b->released,
		 (double)b->released_bytes / 1e6);
	b->told = now;
	b->released = b->released_bytes = 0;
}

static void look(struct burst *b)
{
	struct policy_wish w = wish(b);
	struct policy_result result;
	uint64_t files, bytes;
	int64_t now;
	int rc;

	if ((!w.release && !w.ready && !w.whole) || clock_monotonic() < b->look_due)
		return;
	rc = policy_run(b->work, &w, &result);
	now = clock_monotonic();
	b->look_due = now + result.looked * REST;
	if (w.whole)
		b->whole_due = now + WHOLE_NS;
	if (rc < 0) {
		if (rc != -ECANCELED)
			log_warning("the files that may leave cannot be listed: %s", strerror(-rc));
		return;
	}
	b->released += result.released;
	b->released_bytes += result.released_bytes;
	tell_released(b, now);
	upload_waiting(b->work->uploads, &files, &bytes);
	if (result.released || result.queued || result.young || result.ready || files)
		b->hopeless = 0;
	else if (w.release)
		b->hopeless++;
}

/* ---- what jobs say ---- */

static void upload_jobs(struct burst *b)
{
	_cleanup_free_ struct job_row *jobs = NULL;
	struct record *r = NULL;
	uint64_t files, bytes;
	int n;

	upload_waiting(b->work->uploads, &files, &bytes);
	b->sending = files > UPLOAD_QUEUE / 2; /* enough for now */
	jobs = b->sending ? NULL : calloc(UPLOAD_QUEUE, sizeof(*jobs));
	n = jobs ? store_jobs(b->lake->store, JOB_UPLOAD, clock_wall(), jobs, UPLOAD_QUEUE) : 0;
	for (int i = 0; i < n && !work_stopping(b->work); i++) {
		struct upload u = {.version = jobs[i].subject, .job = jobs[i].id};
		struct version_row v;
		int rc;

		if (upload_is_known(b->work->uploads, u.version))
			continue;
		rc = store_version(b->lake->store, u.version, &v);
		if (!rc && v.state == VERSION_LIVE && v.settled) {
			u.node = v.node;
			u.size = v.size;
			u.release = policy_is_cloud(b->work, v.node);
			b->sending |= upload_add(b->work->uploads, &u);
			continue;
		}
		if (!rc && v.state == VERSION_LIVE) /* it settles, and brings another job then */
			rc = -ENOENT;
		if (!rc || rc == -ENOENT) {
			if (!r)
				r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
			record_job_done(r, jobs[i].id);
		}
	}
	if (r)
		store_submit(b->lake->store, r, NULL);
}

#define EVICT_AGAIN_NS (2 * NSEC_PER_SEC)
#define EVICT_TRIES 10

static void evict_job(struct burst *b, const struct job_row *job, struct record *r)
{
	struct node_row n;
	int rc = store_node(b->lake->store, job->subject, &n);

	if (!rc && n.kind == KIND_FILE && !n.stub)
		rc = release_node(b->work, n.id, n.size);
	if (rc == -ENODATA && n.version) {
		const struct upload u = {.node = n.id, .version = n.version, .size = n.size, .release = true};

		upload_add(b->work->uploads, &u);
	}
	if ((rc == -EBUSY || rc == -EAGAIN || rc == -ENODATA) && job->tries < EVICT_TRIES)
		record_job_retry(r, job->id, clock_wall() + (EVICT_AGAIN_NS << job->tries), strerror(-rc));
	else
		record_job_done(r, job->id);
}

static void evict_jobs(struct burst *b)
{
	struct job_row jobs[64];
	int n = store_jobs(b->lake->store, JOB_EVICT, clock_wall(), jobs, 64);
	struct record *r;

	if (n <= 0)
		return;
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	for (int i = 0; i < n && !work_stopping(b->work); i++)
		evict_job(b, &jobs[i], r);
	store_submit(b->lake->store, r, NULL);
	store_barrier(b->lake->store, 0);
}

static void tell_waiting(struct burst *b)
{
	uint64_t files, bytes;

	upload_waiting(b->work->uploads, &files, &bytes);
	atomic_store(&b->lake->cloud.waiting, files);
	atomic_store(&b->lake->cloud.waiting_bytes, bytes);
	atomic_store(&b->lake->cloud.high, b->high);
	atomic_store(&b->lake->cloud.target, b->target);
	atomic_store(&b->lake->cloud.early, b->burst_enabled ? b->early : 0);
	atomic_store(&b->lake->cloud.use, b->use);
}

/* ---- the thread ---- */

static void tick(struct burst *b)
{
	_cleanup_tier_ struct tier *t = lake_tier(b->lake);
	struct settings *settings = lake_settings(b->lake);
	int rc = measure_use(b, settings);
	bool may_wait;

	settings_unref(settings);
	if (rc < 0)
		return;
	measure_disks(b, is_leaving(b, t));
	warn(b, t != NULL);
	if (!t)
		return;
	if (!remote_is_held(b->lake)) {
		tell_waiting(b);
		return;
	}
	/* A disk that is full does not wait for the hours that the settings give. */
	may_wait = b->use <= b->high && !b->missing && !tier_in_hours(t);
	b->sending = false;
	if (!may_wait)
		upload_jobs(b);
	evict_jobs(b);
	if (!may_wait)
		look(b);
	tell_waiting(b);
}

/* An idle lake asks the remote nothing. */
static bool has_to_tend(struct lake *lake)
{
	struct store_totals totals;
	struct job_row job;

	if (store_totals(lake->store, &totals))
		return false;
	return totals.cloud_going || totals.cloud_intents ||
	       store_jobs(lake->store, JOB_MOVE_KEY, clock_wall(), &job, 1) > 0;
}

/* What asks the remote has a thread of its own: files leave while it waits for an answer. */
static void tend(struct work *w, int64_t *sweep_due)
{
	_cleanup_tier_ struct tier *t = lake_tier(w->lake);
	struct tier_call call = cloud_call(w);
	uint64_t removed = 0;

	if (!t)
		return;
	if ((atomic_load(&w->lake->mark.wanted) || clock_monotonic() >= *sweep_due || has_to_tend(w->lake)) &&
	    remote_hold(w->lake, &call))
		return;
	while (move_keys(w, t) > 0 && !work_stopping(w))
		;
	while (cloud_collect(w, t) > 0 && !work_stopping(w))
		;
	if (clock_monotonic() < *sweep_due)
		return;
	*sweep_due = clock_monotonic() + SWEEP_NS;
	tier_sweep(t, tier_prefix(t), clock_wall() - SWEEP_AGE_NS, &call, &removed);
	if (removed)
		log_info("the cloud: %" PRIu64 " uploads that did not end were removed", removed);
}

void *tend_main(void *arg)
{
	struct work *w = arg;
	int64_t sweep_due = clock_monotonic();

	work_be_nice(BACKGROUND);
	do {
		if (!w->lake->read_only)
			tend(w, &sweep_due);
	} while (work_sleep(w, COLLECT_NS));
	return NULL;
}

void *burst_main(void *arg)
{
	struct work *w = arg;
	_cleanup_free_ struct burst *b = calloc(1, sizeof(*b));

	work_be_nice(BACKGROUND);
	if (!b)
		return NULL;
	*b = (struct burst){.work = w, .lake = w->lake};
	b->whole_due = clock_monotonic() + FIRST_NS;
	do {
		if (!w->lake->read_only)
			tick(b);
	} while (work_sleep(w, b->is_short || b->sending || b->use > b->high ? TICK_SHORT_NS : TICK_NS));
	for (int i = 0; reach_volume(w->lake, i); i++)
		room_tell(w->lake, reach_volume(w->lake, i), 0);
	return NULL;
}
