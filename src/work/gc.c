#include "work/gc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "work/retention.h"
#include "work/work_int.h"

#define DAY (INT64_C(86400) * NSEC_PER_SEC)
#define FIRST_NS (60 * NSEC_PER_SEC) /* after a start: others have more to do then */
#define EVERY_NS (3600 * NSEC_PER_SEC)
#define BACKGROUND 10
#define BATCH 1024

static bool stopped(const _Atomic bool *stop)
{
	return stop && atomic_load_explicit(stop, memory_order_relaxed);
}

/* ---- the plan ---- */

void gc_plan_release(struct gc_plan *plan)
{
	free(plan->items);
	free(plan->reasons);
	*plan = (struct gc_plan){0};
}

static int find_reason(struct gc_plan *plan, const char *text, unsigned *index)
{
	struct gc_reason *more;

	for (*index = 0; *index < plan->nreasons; ++*index)
		if (!strcmp(plan->reasons[*index].text, text))
			return 0;
	more = reallocarray(plan->reasons, plan->nreasons + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	plan->reasons = more;
	more[plan->nreasons] = (struct gc_reason){0};
	snprintf(more[plan->nreasons++].text, sizeof(more->text), "%s", text);
	return 0;
}

static int add_item(struct gc_plan *plan, uint64_t version, uint64_t bytes, const char *text)
{
	unsigned reason;
	int rc = find_reason(plan, text, &reason);

	if (rc)
		return rc;
	if (array_grow(&plan->items, plan->n, &plan->room, sizeof(*plan->items)))
		return -ENOMEM;
	plan->items[plan->n++] = (struct gc_item){version, bytes, reason};
	plan->reasons[reason].versions++;
	plan->reasons[reason].bytes += bytes;
	plan->bytes += bytes;
	return 0;
}

/* Nobody can write into it any more, and its disk is there. */
static bool may_go(struct lake *lake, const struct version_row *v)
{
	return (v->state == VERSION_KEPT || v->state == VERSION_PARTIAL) && v->settled && reach_volume(lake, v->volume);
}

/* ---- beyond retention ---- */

/* Series that have something old enough to be looked at. */
struct aged {
	struct gc_plan *plan;
	struct lake *lake;
	struct settings *settings;
	const _Atomic bool *stop;
	int64_t now, limit; /* superseded before LIMIT */
	uint64_t *series;
	size_t n, room;
	/* of the one that is looked at */
	struct retained *list;
	size_t nlist, list_room;
	uint64_t node, cut_commit; /* of its newest version */
};

/* The shortest time that any bucket keeps all; -1: all keep all. */
static int64_t shortest_retention(const struct settings *s)
{
	int64_t days = s->undeclared.retention_days;

	for (int i = 0; i < s->nbuckets; i++)
		if (days < 0 || (s->buckets[i].retention_days >= 0 && s->buckets[i].retention_days < days))
			days = s->buckets[i].retention_days;
	return days;
}

static int note_series(void *arg, const struct version_row *v)
{
	struct aged *a = arg;

	if (stopped(a->stop))
		return -ECANCELED;
	if (v->end_time > a->limit)
		return 1; /* they come in this order */
	if (a->n && a->series[a->n - 1] == v->asset)
		return 0;
	if (array_grow(&a->series, a->n, &a->room, sizeof(*a->series)))
		return -ENOMEM;
	a->series[a->n++] = v->asset;
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int note_version(void *arg, const struct version_row *v)
{
	struct aged *a = arg;
	bool in_series = (int64_t)v->asset > 0; /* what repeats the one before has left it */

	if (array_grow(&a->list, a->nlist, &a->list_room, sizeof(*a->list)))
		return -ENOMEM;
	a->list[a->nlist++] = (struct retained){
		.id = v->id,
		.bytes = v->stored,
		.time = v->time,
		.end_time = v->end_time,
		.listed = in_series && v->settled && (v->state == VERSION_LIVE || v->state == VERSION_KEPT),
		.old = may_go(a->lake, v),
	};
	a->node = v->node;
	a->cut_commit = v->cut_commit;
	return 0;
}

/* The bucket that NODE is in, or was in last. One that is gone has the policy of those that are not declared. */
static void bucket_of(struct store *s, uint64_t node, char name[NAME_BYTES + 1])
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	uint64_t parent = node, unused;

	for (int depth = 0; depth < 4096 && parent != NODE_ROOT; depth++) {
		node = parent;
		if (store_last_place(s, node, 0, &parent))
			break;
	}
	name[0] = '\0';
	if (parent == NODE_ROOT && !store_name(s, node, &unused, &text))
		snprintf(name, NAME_BYTES + 1, "%s", buf_str(&text));
}

/* The name of the database whose companion PATH is (content/database.h): cut to it. False: it is none. */
static bool cut_to_database(struct buf *path)
{
	static const char *const suffixes[] = {"-wal", "-journal"};

	for (int i = 0; i < 2; i++) {
		size_t len = strlen(suffixes[i]);

		if (path->len > len && !memcmp(path->data + path->len - len, suffixes[i], len)) {
			path->len -= len;
			path->data[path->len] = '\0';
			return true;
		}
	}
	return false;
}

/* Is a version of a database kept that was cut with V, and is whole only with it? 1, 0 or -errno. */
static int is_needed(struct store *s, const struct version_row *v)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct node_row row = {.id = NODE_ROOT};
	struct version_row database;
	char *save, *name;
	int rc = v->not_alone ? store_path_at(s, v->node, v->cut_commit, &path) : -ENOENT;

	if (rc || !cut_to_database(&path))
		return rc == -ENOENT ? 0 : rc;
	name = strtok_r(path.data, "/", &save);
	for (; name && !rc; name = strtok_r(NULL, "/", &save))
		rc = store_entry_at(s, row.id, name, v->cut_commit, &row);
	if (!rc && row.kind == KIND_FILE)
		rc = store_version(s, row.version, &database);
	if (rc || row.kind != KIND_FILE)
		return rc == -ENOENT ? 0 : rc;
	return database.cut_commit == v->cut_commit && database.not_alone &&
	       (database.state == VERSION_LIVE || database.state == VERSION_KEPT);
}

static int plan_chosen(struct aged *a, const char *reason)
{
	for (size_t i = 0; i < a->nlist; i++) {
		struct version_row v;
		int rc;

		if (!a->list[i].goes)
			continue;
		rc = store_version(a->lake->store, a->list[i].id, &v);
		if (!rc)
			rc = store_version_is_labelled(a->lake->store, &v);
		if (!rc)
			rc = is_needed(a->lake->store, &v);
		if (!rc)
			rc = add_item(a->plan, v.id, v.stored, reason);
		if (rc < 0 && rc != -ENOENT)
			return rc;
	}
	return 0;
}

/* Companions of databases are kept for these, not for themselves. */
static bool is_of_companion(const struct aged *a)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	return !store_path_at(a->lake->store, a->node, a->cut_commit, &path) && cut_to_database(&path);
}

static int plan_series(struct aged *a, uint64_t series)
{
	const struct bucket_policy *policy;
	char bucket[NAME_BYTES + 1], reason[48];
	bool companion;
	int rc;

	a->nlist = 0;
	rc = store_versions(a->lake->store, series, note_version, a);
	if (rc || !a->nlist)
		return rc;
	companion = is_of_companion(a);
	for (size_t i = 0; companion && i < a->nlist; i++)
		a->list[i].listed = false;
	bucket_of(a->lake->store, a->node, bucket);
	policy = settings_bucket(a->settings, bucket);
	retention_choose(a->list, a->nlist, policy->retention_days, policy->keep_last, a->now);
	snprintf(reason, sizeof(reason), "retention_days: %" PRId64, policy->retention_days);
	return plan_chosen(a, reason);
}

static int plan_retention(struct lake *lake, struct settings *settings, const _Atomic bool *stop, struct gc_plan *plan)
{
	struct aged a = {.plan = plan, .lake = lake, .settings = settings, .stop = stop, .now = clock_wall()};
	int64_t days = shortest_retention(settings);
	int rc;

	if (days < 0)
		return 0;
	a.limit = days > a.now / DAY ? 0 : a.now - days * DAY;
	rc = store_oldest_kept(lake->store, INT32_MAX, note_series, &a);
	if (rc > 0)
		rc = 0;
	if (a.n)
		qsort(a.series, a.n, sizeof(*a.series), compare_numbers);
	for (size_t i = 0; !rc && i < a.n; i++) {
		if (i && a.series[i] == a.series[i - 1])
			continue;
		rc = stopped(stop) ? -ECANCELED : plan_series(&a, a.series[i]);
	}
	free(a.series);
	free(a.list);
	return rc;
}

/* ---- beyond the budget ---- */

int gc_budget(struct lake *lake, uint64_t *budget)
{
	uint64_t used, free_bytes, total;
	struct settings *settings;
	int rc = lake_space(lake, &used, &free_bytes, &total);

	if (rc)
		return rc;
	settings = lake_settings(lake);
	*budget = settings_history_budget(settings, settings_capacity(settings, used, free_bytes));
	settings_unref(settings);
	return 0;
}

struct surplus {
	struct gc_plan *plan;
	struct lake *lake;
	const _Atomic bool *stop;
	size_t planned;	   /* before: sorted by version */
	uint64_t too_much; /* bytes */
	bool labelled;	   /* their turn */
};

static int compare_items(const void *a, const void *b)
{
	return compare_numbers(&((const struct gc_item *)a)->version, &((const struct gc_item *)b)->version);
}

static bool is_planned(const struct surplus *s, uint64_t version)
{
	const struct gc_item key = {.version = version};

	return s->planned && bsearch(&key, s->plan->items, s->planned, sizeof(key), compare_items);
}

static int note_surplus(void *arg, const struct version_row *v)
{
	struct surplus *s = arg;
	int rc;

	if (stopped(s->stop))
		return -ECANCELED;
	if (!v->size || !may_go(s->lake, v) || is_planned(s, v->id))
		return 0;
	/* It would give nothing, or leaves by itself. */
	if (history_is_away(s->lake, v) || history_will_leave(s->lake, v))
		return 0;
	rc = store_version_is_labelled(s->lake->store, v);
	if (rc < 0 || (rc > 0) != s->labelled)
		return rc < 0 ? rc : 0;
	rc = add_item(s->plan, v->id, v->stored, HISTORY_BUDGET);
	s->too_much -= v->stored < s->too_much ? v->stored : s->too_much;
	return rc ? rc : s->too_much == 0;
}

static int plan_budget(struct lake *lake, const _Atomic bool *stop, struct gc_plan *plan)
{
	struct surplus s = {.plan = plan, .lake = lake, .stop = stop, .planned = plan->n};
	struct store_totals totals;
	uint64_t budget;
	int rc = store_totals(lake->store, &totals);

	if (!rc)
		rc = gc_budget(lake, &budget);
	if (rc || totals.stored_bytes <= budget + plan->bytes)
		return rc;
	s.too_much = totals.stored_bytes - budget - plan->bytes;
	if (plan->n)
		qsort(plan->items, plan->n, sizeof(*plan->items), compare_items);
	rc = store_oldest_kept(lake->store, INT32_MAX, note_surplus, &s);
	s.labelled = true;
	if (!rc)
		rc = store_oldest_kept(lake->store, INT32_MAX, note_surplus, &s);
	return rc < 0 ? rc : 0;
}

int gc_plan(struct lake *lake, const _Atomic bool *stop, struct gc_plan *plan)
{
	struct settings *settings = lake_settings(lake);
	int rc = store_barrier(lake->store, 0);

	*plan = (struct gc_plan){0};
	if (!rc)
		rc = plan_retention(lake, settings, stop, plan);
	if (!rc)
		rc = plan_budget(lake, stop, plan);
	settings_unref(settings);
	return rc;
}

/* ---- carrying it out ---- */

int gc_carry_out(struct lake *lake, const struct gc_plan *plan, const _Atomic bool *stop, uint64_t *versions,
		 uint64_t *bytes)
{
	_cleanup_free_ struct victim *list = calloc(BATCH, sizeof(*list));
	int rc = list ? 0 : -ENOMEM, n = 0;

	*versions = *bytes = 0;
	for (size_t i = 0; !rc && i < plan->n; i++) {
		const struct gc_item *item = &plan->items[i];
		struct victim *victim = &list[n];

		if (stopped(stop))
			return -ECANCELED;
		if (!store_version(lake->store, item->version, &victim->version) && may_go(lake, &victim->version)) {
			victim->bytes = item->bytes;
			victim->reason = plan->reasons[item->reason].text;
			n++;
			++*versions;
			*bytes += item->bytes;
		}
		if (n && (n == BATCH || i + 1 == plan->n)) {
			rc = expire_batch(lake, list, n);
			n = 0;
		}
	}
	for (unsigned i = 0; !rc && i < plan->nreasons; i++)
		log_info("history: %" PRIu64 " versions (%.1f MB) expired: %s", plan->reasons[i].versions,
			 (double)plan->reasons[i].bytes / 1e6, plan->reasons[i].text);
	return rc;
}

/* ---- now and then ---- */

static void collect(struct work *w)
{
	struct gc_plan plan;
	uint64_t versions, bytes;
	int rc = gc_plan(w->lake, &w->stopping, &plan);

	if (!rc && plan.n)
		rc = gc_carry_out(w->lake, &plan, &w->stopping, &versions, &bytes);
	gc_plan_release(&plan);
	if (rc < 0 && rc != -ECANCELED)
		log_error("history: what is beyond its retention cannot be let go: %s", strerror(-rc));
}

void *gc_main(void *arg)
{
	struct work *w = arg;
	int64_t wait = FIRST_NS;

	work_be_nice(BACKGROUND);
	for (; work_sleep(w, wait); wait = EVERY_NS)
		if (!w->lake->read_only)
			collect(w);
	return NULL;
}
