#include "ns/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content/cloud/remote.h"
#include "content/room.h"
#include "content/scrub_state.h"
#include "content/settle.h"

#define REASONS_BYTES 400 /* the most frequent ones */

struct emitter {
	fact_fn fn;
	void *arg;
	int rc;
};

static void number(struct emitter *e, const char *name, uint64_t n)
{
	if (!e->rc)
		e->rc = e->fn(e->arg, &(struct fact){.name = name, .number = (double)n});
}

static void fraction(struct emitter *e, const char *name, double n)
{
	if (!e->rc)
		e->rc = e->fn(e->arg, &(struct fact){.name = name, .number = n, .fraction = true});
}

static void text(struct emitter *e, const char *name, const char *t)
{
	if (!e->rc)
		e->rc = e->fn(e->arg, &(struct fact){.name = name, .text = t});
}

/* Resident memory in bytes, from /proc/self/statm (proc(5)). */
static uint64_t memory(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/statm", "re");
	unsigned long long size, resident;

	if (!f || fscanf(f, "%llu %llu", &size, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void add_counts(struct emitter *e, const struct store_totals *t)
{
	number(e, "total_assets", t->files);
	number(e, "folders", t->folders);
	number(e, "symlinks", t->symlinks);
	number(e, "bytes", t->bytes);
	number(e, "versions_kept", t->versions_kept);
	number(e, "versions_kept_bytes", t->versions_kept_bytes);
	number(e, "history_bytes", t->stored_bytes);
	for (enum version_how how = HOW_ASIDE; how <= HOW_CLOUD; how++) {
		char name[40];

		snprintf(name, sizeof(name), "versions_kept_%s", version_how_name(how));
		number(e, name, t->versions_by_how[how]);
	}
	number(e, "versions_not_kept", t->versions_not_kept);
	number(e, "commits", t->commits);
	number(e, "opens", t->opens);
	number(e, "jobs", t->jobs);
	number(e, "store_bytes", t->store_bytes);
}

static int add_reason(void *arg, const char *reason, uint64_t count)
{
	struct buf *b = arg;

	buf_addf(b, "%s%s: %" PRIu64, b->len ? ", " : "", reason[0] ? reason : "not said", count);
	return b->len > REASONS_BYTES;
}

int facts_not_kept(struct store *s, struct buf *out)
{
	int rc = store_not_kept(s, add_reason, out);

	return rc < 0 ? rc : buf_error(out);
}

static void add_reasons(struct emitter *e, struct lake *lake)
{
	_cleanup_buf_ struct buf reasons = BUF_INIT;

	if (!facts_not_kept(lake->store, &reasons) && reasons.len)
		text(e, "not_kept_because", buf_str(&reasons));
}

static void add_catalog(struct emitter *e, struct lake *lake)
{
	struct catalog_totals t;

	if (store_catalog_totals(lake->store, &t))
		return;
	number(e, "total_tables", t.tables);
	number(e, "total_columns", t.columns);
	number(e, "catalog_assets", t.tables + t.columns);
	number(e, "total_tags", t.tags);
}

static void add_packs(struct emitter *e, struct lake *lake)
{
	struct pack_totals t;

	if (store_pack_totals(lake->store, &t))
		return;
	number(e, "packs", t.packs);
	number(e, "packs_bytes", t.bytes);
	number(e, "packs_content_bytes", t.content_bytes);
}

static void add_rates(struct emitter *e, struct lake *lake, const struct store_totals *t)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static uint64_t commits;
	static int64_t at;
	static double rate;
	int64_t now = clock_monotonic();
	double shown;

	pthread_mutex_lock(&lock);
	if (now - at >= NSEC_PER_SEC) { /* over the time since it was last asked for */
		rate = at ? (double)(t->commits - commits) / ((double)(now - at) / NSEC_PER_SEC) : 0;
		at = now;
		commits = t->commits;
	}
	shown = rate;
	pthread_mutex_unlock(&lock);
	fraction(e, "commits_per_second", shown);
	fraction(e, "uptime_seconds", (double)(clock_wall() - lake->since) / NSEC_PER_SEC);
}

/* How far the copy of the metadata has come (content/cloud/backup.h). */
static void add_backup(struct emitter *e, struct lake *lake)
{
	_cleanup_buf_ struct buf at = BUF_INIT;
	int64_t copied = atomic_load(&lake->backup_at);
	int error = atomic_load(&lake->backup_error);

	if (copied) {
		buf_add_time(&at, copied);
		text(e, "metadata_copied_at", buf_str(&at));
	}
	if (error)
		text(e, "metadata_not_copied_because", strerror(-error));
}

/* What the remote itself says. */
static void add_remote(struct emitter *e, struct tier *t)
{
	_cleanup_buf_ struct buf paused = BUF_INIT, unreachable = BUF_INIT;
	struct tier_stats stats;

	tier_stats(t, &stats);
	text(e, "cloud", tier_url(t));
	number(e, "cloud_sent_bytes", stats.sent);
	number(e, "cloud_received_bytes", stats.received);
	number(e, "cloud_retries", stats.retries);
	if (stats.last_error[0])
		text(e, "cloud_last_error", stats.last_error);
	if (stats.paused_until) {
		buf_add_time(&paused, stats.paused_until);
		text(e, "cloud_paused_until", buf_str(&paused));
	}
	if (stats.unreachable_since) {
		buf_add_time(&unreachable, stats.unreachable_since);
		text(e, "cloud_unreachable_since", buf_str(&unreachable));
	}
}

/* A file that is being written has another size already than its version. */
static uint64_t less(uint64_t all, uint64_t part)
{
	return part < all ? all - part : 0;
}

static void add_cloud(struct emitter *e, struct lake *lake, const struct store_totals *t)
{
	_cleanup_tier_ struct tier *tier = lake_tier(lake);
	_cleanup_buf_ struct buf others = BUF_INIT;
	uint64_t waits, ns;

	number(e, "local_use_bytes", atomic_load(&lake->cloud.use));
	number(e, "local_threshold_bytes", atomic_load(&lake->cloud.high));
	if (tier)
		add_remote(e, tier);
	if (tier && remote_is_others(lake, &others))
		text(e, "cloud_used_by", buf_str(&others));
	if (!tier)
		text(e, "cloud", "none");
	if (!tier && !t->cloud)
		return;
	number(e, "files_local", less(t->files, t->uploaded));
	number(e, "files_both", less(t->uploaded, t->stubs));
	number(e, "files_cloud", t->stubs);
	number(e, "files_local_bytes", less(t->bytes, t->uploaded_bytes));
	number(e, "files_both_bytes", less(t->uploaded_bytes, t->stub_bytes));
	number(e, "files_cloud_bytes", t->stub_bytes);
	number(e, "cloud_objects", t->cloud);
	number(e, "cloud_objects_bytes", t->cloud_bytes);
	number(e, "cloud_going", t->cloud_going);
	number(e, "cloud_waiting", atomic_load(&lake->cloud.waiting));
	number(e, "cloud_waiting_bytes", atomic_load(&lake->cloud.waiting_bytes));
	number(e, "cloud_uploaded", atomic_load(&lake->cloud.uploaded));
	number(e, "cloud_released", atomic_load(&lake->cloud.released));
	room_counts(lake, &waits, &ns);
	number(e, "writes_slowed", waits);
	fraction(e, "writes_slowed_seconds", (double)ns / NSEC_PER_SEC);
}

static void add_scrub(struct emitter *e, struct lake *lake)
{
	_cleanup_buf_ struct buf last = BUF_INIT;
	struct scrub_state state;

	if (scrub_state_read(lake->store, &state, NULL) || state.phase == SCRUB_NEVER)
		return;
	text(e, "scrub", state.phase == SCRUB_DONE ? "done" : "under way");
	if (state.last) {
		buf_add_time(&last, state.last);
		text(e, "scrub_last", buf_str(&last));
	}
	number(e, "scrub_contents", state.files);
	number(e, "scrub_bytes", state.bytes);
	number(e, "scrub_damaged", state.damaged);
	number(e, "scrub_repaired", state.repaired);
}

static void add_daemon(struct emitter *e, struct lake *lake)
{
	number(e, "opens_passthrough", atomic_load(&lake->counters.opens_passthrough));
	number(e, "opens_passthrough_direct", atomic_load(&lake->counters.opens_direct));
	number(e, "opens_cached", atomic_load(&lake->counters.opens_cached));
	number(e, "versions_cut", atomic_load(&lake->counters.cuts));
	number(e, "moved_aside", atomic_load(&lake->counters.asides));
	number(e, "unsettled", settle_waiting(lake));
	number(e, "taken_in", atomic_load(&lake->counters.adopted));
	number(e, "synthetic_lookups", atomic_load(&lake->counters.synthetic));
	number(e, "inodes_in_memory", inode_count(lake));
	number(e, "memory_bytes", memory());
	text(e, "scan", atomic_load(&lake->scan_running) ? "running" : "done");
	number(e, "scan_seen", atomic_load(&lake->scan_seen));
	text(e, "space", atomic_load(&lake->space_short) ? "short" : "enough");
	add_backup(e, lake);
	add_scrub(e, lake);
}

int lake_facts(struct lake *lake, fact_fn fn, void *arg)
{
	struct emitter e = {.fn = fn, .arg = arg};
	uint64_t used, free_bytes, total;
	struct store_totals totals;
	int rc = store_totals(lake->store, &totals);

	if (!rc)
		rc = lake_space(lake, &used, &free_bytes, &total);
	if (rc < 0)
		return rc;
	add_counts(&e, &totals);
	add_reasons(&e, lake);
	add_catalog(&e, lake);
	add_packs(&e, lake);
	number(&e, "commit", store_last_commit(lake->store));
	number(&e, "disk_free_bytes", free_bytes);
	number(&e, "disk_bytes", total);
	add_rates(&e, lake, &totals);
	add_cloud(&e, lake, &totals);
	add_daemon(&e, lake);
	return e.rc;
}
