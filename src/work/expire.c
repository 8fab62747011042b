/*
 * Room for what people write. Two things end history early, the oldest first and labelled versions last in both, and
 * never a live file:
 *
 *	budget	the kept versions of the whole lake are more than history_budget_gb
 *	space	a disk has less free than it should, or than is written to it in half a minute: then what is kept on
 *		that disk goes, until there is enough. "Older than a day first, then younger" is the same order
 *
 * What the cloud has, too, is not expired: its local bytes go (work/cloud/cloud_history.c), and it is read from there.
 * Nor is what can leave for it (work/cloud/history.c), as long as it leaves: but when less than half of what should be
 * free is, no write waits for the uplink.
 *
 * Each batch: its rows are recorded as expired and made durable, then the files go. In the other order a crash would
 * leave versions that are listed and cannot be read; in this one, files that nobody lists, which the next start removes
 * (work/leftovers.c). One exception: when the store itself has no room left to say so, waiting for it would wait for
 * ever. Then the files go first, and the record, which is queued, is committed with the room they leave.
 *
 * A writer for whom there is no room while history is kept asks for it (content/room.h), and history goes at once: on a
 * small disk that fills within a second the looks at it come too late.
 *
 * Space counts what a file occupies, the budget what was stored: sparse and compressed files take less than that. A
 * file that somebody still reads gives its space up only at the end, so that space is looked at again no sooner than
 * SETTLE_NS after some was made.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/past/kept.h"
#include "content/room.h"
#include "work/gc.h"
#include "work/work_int.h"

#define GIB (UINT64_C(1) << 30)
#define WANTED_MOST (10 * GIB)
#define WANTED_PART 20	  /* one part in so many: 5 % */
#define WANTED_SECONDS 30 /* at the speed at which the disk fills now… */
#define SOON_PART 10	  /* …but not more than one part in so many */
#define SPEED_FADES 16	  /* each second, by one part in so many */
#define MORE_PART 20	  /* so much more is freed than wanted, or the next second would ask again */
#define SETTLE_NS (5 * NSEC_PER_SEC)
#define VAIN_NS (60 * NSEC_PER_SEC)
#define SPACE_SHORT "space short"

uint64_t space_wanted(uint64_t total, uint64_t speed)
{
	uint64_t wanted = total / WANTED_PART < WANTED_MOST ? total / WANTED_PART : WANTED_MOST;
	uint64_t soon = speed > total / WANTED_SECONDS ? total : speed * WANTED_SECONDS;

	if (soon > total / SOON_PART)
		soon = total / SOON_PART;
	return soon > wanted ? soon : wanted;
}

/* ---- letting versions go ---- */

struct batch {
	struct work *work;
	struct lake *lake;
	const char *reason;
	int only;		/* volume, or ANY_VOLUME */
	uint64_t wanted, found; /* bytes */
	bool occupied;		/* count what is occupied, not what was stored */
	bool labelled;		/* their turn: they go last */
	bool desperate;		/* what may leave for the cloud goes, too */
	struct victim list[EXPIRE_BATCH];
	int n;
};

static int choose(void *arg, const struct version_row *v)
{
	struct batch *b = arg;
	struct volume *volume = reach_volume(b->lake, v->volume);
	struct victim *victim = &b->list[b->n];
	int labelled;

	/* An unsettled one may still be written, and be renamed when it settles; an empty one gives nothing. */
	if (!v->settled || !v->size || !volume || (b->only != ANY_VOLUME && b->only != v->volume))
		return 0;
	/* What the cloud has gives its bytes without being forgotten, or has none here any more. */
	if (history_is_away(b->lake, v) || history_can_leave(b->work, v) ||
	    (!b->desperate && history_will_leave(b->lake, v)))
		return 0;
	labelled = store_version_is_labelled(b->lake->store, v);
	if (labelled < 0 || (labelled > 0) != b->labelled)
		return labelled < 0 ? labelled : 0;
	*victim = (struct victim){.version = *v, .reason = b->reason};
	victim->bytes = b->occupied ? kept_occupies(b->lake, v) : v->stored;
	b->found += victim->bytes;
	return ++b->n == EXPIRE_BATCH || b->found >= b->wanted;
}

/* 0 when it is certain that they are not listed any more, after a crash too; or nearly. */
static int record_expired(struct lake *lake, const struct victim *list, int n)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	uint64_t commit;
	int rc;

	if (!r)
		return -ENOMEM;
	for (int i = 0; i < n; i++)
		record_version_state(r, list[i].version.id, VERSION_EXPIRED, list[i].version.how, list[i].reason);
	rc = store_submit(lake->store, r, &commit);
	if (!rc)
		rc = store_sync(lake->store, commit);
	return rc == -ENOSPC ? 0 : rc;
}

/* What is over of one node goes at once: it is gone through once, however many there are. */
static bool is_first_of_node(const struct victim *list, int i)
{
	for (int before = i; before-- > 0;)
		if (list[before].version.node == list[i].version.node)
			return false;
	return true;
}

void expire_remove(struct lake *lake, const struct version_row *v)
{
	int rc = kept_remove(lake, v);

	if (rc < 0)
		log_warning("versions: what is over cannot be removed: %s", strerror(-rc));
}

int expire_batch(struct lake *lake, const struct victim *list, int n)
{
	int rc = record_expired(lake, list, n);

	for (int i = 0; !rc && i < n; i++)
		if (is_first_of_node(list, i))
			expire_remove(lake, &list[i].version);
	return rc;
}

/* One batch of them; the labelled ones when there are no others. 0, also when there are none. */
static int next_batch(struct batch *b)
{
	int rc = store_oldest_kept(b->lake->store, INT32_MAX, choose, b);

	if (rc < 0 || b->n)
		return rc < 0 ? rc : 0;
	b->labelled = true;
	rc = store_oldest_kept(b->lake->store, INT32_MAX, choose, b);
	return rc < 0 ? rc : 0;
}

int expire_history(struct work *w, int volume, bool desperate, uint64_t bytes, const char *reason, uint64_t *freed,
		   uint64_t *count)
{
	_cleanup_free_ struct batch *b = malloc(sizeof(*b));
	uint64_t left = bytes;
	int rc = b ? 0 : -ENOMEM;

	while (left && !rc && !work_stopping(w)) {
		*b = (struct batch){.work = w, .lake = w->lake, .only = volume, .wanted = left, .reason = reason};
		b->occupied = volume != ANY_VOLUME;
		b->desperate = desperate;
		rc = next_batch(b);
		if (!rc && !b->n)
			break;
		if (!rc)
			rc = expire_batch(w->lake, b->list, b->n);
		if (rc)
			break;
		*freed += b->found;
		*count += (uint64_t)b->n;
		left -= b->found < left ? b->found : left;
	}
	return rc;
}

/* ---- when ---- */

/* How many went. */
static uint64_t expire(struct work *w, int volume, bool desperate, uint64_t bytes, const char *reason)
{
	uint64_t freed = 0, count = 0;
	int rc = expire_history(w, volume, desperate, bytes, reason, &freed, &count);

	if (count)
		log_info("history: %" PRIu64 " versions (%.1f MB) expired: %s", count, (double)freed / 1e6, reason);
	if (rc < 0)
		log_error("history: cannot expire versions: %s", strerror(-rc));
	return count;
}

static void check_budget(struct work *w)
{
	struct store_totals totals;
	uint64_t budget;

	if (clock_monotonic() < w->budget_again)
		return;
	if (!store_totals(w->lake->store, &totals) && totals.stored_bytes && !gc_budget(w->lake, &budget) &&
	    totals.stored_bytes > budget && !expire(w, ANY_VOLUME, false, totals.stored_bytes - budget, HISTORY_BUDGET))
		w->budget_again = clock_monotonic() + VAIN_NS; /* all that is left is needed */
}

uint64_t space_speed(struct space *s, uint64_t free_bytes, int64_t now)
{
	uint64_t taken = s->at && s->free_bytes > free_bytes ? s->free_bytes - free_bytes : 0;
	int64_t ms = s->at ? (now - s->at) / NSEC_PER_MSEC : 0;
	uint64_t speed = ms > 0 ? taken * 1000 / (uint64_t)ms : 0;

	s->speed -= s->speed / SPEED_FADES;
	if (speed > s->speed)
		s->speed = speed;
	s->free_bytes = free_bytes;
	s->at = now;
	return s->speed;
}

/* Is it short there, where writers ask for so many bytes? Then *MISSING: how much history should give. *VERY: there is
 * not half of what should be. */
static bool is_short(const struct volume *v, struct space *seen, uint64_t asked, uint64_t *missing, bool *very)
{
	uint64_t free_bytes, wanted;
	struct statvfs fs;

	if (fstatvfs(v->mountfd, &fs) < 0)
		return false;
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	wanted = space_wanted((uint64_t)fs.f_blocks * fs.f_frsize, space_speed(seen, free_bytes, clock_monotonic()));
	wanted += asked;
	*missing = wanted + wanted / MORE_PART - free_bytes;
	*very = free_bytes < wanted / 2;
	return free_bytes < wanted;
}

static void tell_space(struct lake *lake, bool is)
{
	if (atomic_exchange(&lake->space_short, is) == is)
		return;
	if (is)
		log_warning("space is short: history goes, oldest first, until there is room");
	else
		log_info("space is no longer short");
}

static void check_volumes(struct work *w)
{
	uint64_t missing, asked[LAKE_VOLUMES];
	bool any = false, made = false, very;
	struct volume *v;

	room_asked(w->lake->room, asked);
	for (int i = 0; (v = reach_volume(w->lake, i)); i++) {
		bool is = is_short(v, &w->space[i], asked[i], &missing, &very);

		any |= is;
		if (is)
			tell_space(w->lake, true);
		if (is && (asked[i] || clock_monotonic() - w->made_room >= SETTLE_NS)) {
			uint64_t count = expire(w, i, very, missing, SPACE_SHORT);

			made = true;
			if (asked[i])
				room_was_vain(w->lake, v, !count);
		}
	}
	room_made(w->lake->room);
	if (made)
		w->made_room = clock_monotonic();
	tell_space(w->lake, any);
}

void space_check(struct work *w)
{
	if (w->lake->read_only)
		return;
	check_budget(w);
	check_volumes(w);
}
