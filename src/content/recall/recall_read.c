#include <errno.h>
#include <string.h>
#include <time.h>

#include <utlist.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/full_io.h"
#include "content/recall/recall_int.h"

#define LOOK_NS (100 * NSEC_PER_MSEC)	 /* how often a waiter asks whether it is to stop */
#define NEAR (UINT64_C(2) * 1024 * 1024) /* the kernel's reads ahead overtake each other by that */
#define BROKEN_NS (2 * NSEC_PER_SEC)	 /* then it is tried again */

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- what is there ---- */

bool recall_has_locked(const struct recall *r, uint64_t from, uint64_t to)
{
	if (from < r->withheld.to && to > r->withheld.from)
		return false;
	return extents_cover(&r->here, from, to);
}

bool recall_has(struct recall *r, uint64_t at, uint64_t len)
{
	SCOPED_LOCK(&r->lock);

	return recall_has_locked(r, min(at, r->size), min(at + len, r->size));
}

void recall_came_locked(struct recall *r, uint64_t from, uint64_t to)
{
	struct demand *d;
	int64_t now = r->demands ? clock_monotonic() : 0;

	DL_FOREACH(r->demands, d)
	{
		if (d->from >= to || d->to <= from)
			continue;
		d->progress = now;
		if (recall_has_locked(r, d->from, d->to))
			pthread_cond_signal(&d->changed);
	}
}

void recall_failed_locked(struct recall *r, uint64_t from, uint64_t to, int rc, int64_t begun)
{
	struct demand *d;

	DL_FOREACH(r->demands, d)
	{
		if (d->from >= to || d->to <= from)
			continue;
		if (rc && d->begun <= begun && !recall_has_locked(r, d->from, d->to))
			d->rc = rc;
		pthread_cond_signal(&d->changed);
	}
}

struct demand *recall_wanted_locked(const struct recall *r, uint64_t from, uint64_t to)
{
	struct demand *d;

	DL_FOREACH(r->demands, d)
	if (d->from < to && d->to > from && !recall_has_locked(r, d->from, d->to))
		return d;
	return NULL;
}

void recall_break_locked(struct recall *r, int rc)
{
	r->broken = rc;
	r->broken_until = clock_monotonic() + BROKEN_NS;
}

static int broken_locked(const struct recall *r)
{
	return r->broken && clock_monotonic() < r->broken_until ? r->broken : 0;
}

/* ---- what will be wanted next ---- */

/* The stream that AT goes on with; else the one that was used longest ago, begun anew. */
static struct stream *find_stream(struct recall *r, uint64_t at)
{
	struct stream *oldest = &r->streams[0];

	for (struct stream *s = r->streams; s < r->streams + RECALL_STREAMS; s++) {
		if (s->read && at + NEAR >= s->next && at <= s->next + NEAR)
			return s;
		if (s->turn < oldest->turn)
			oldest = s;
	}
	*oldest = (struct stream){.next = at};
	return oldest;
}

/* How far beyond AT + LEN it is worth to fetch, now that these are read. */
static uint64_t look_ahead(struct recall *r, uint64_t at, uint64_t len)
{
	struct stream *s = find_stream(r, at);
	bool goes_on = s->read;
	int64_t now = clock_monotonic();

	s->turn = ++r->turns;
	s->read += len;
	if (at + len > s->next)
		s->next = at + len;
	if (!goes_on || now < r->ahead_after)
		return 0;
	return min(2 * s->read, now < r->narrow_until ? r->window : RECALL_AHEAD);
}

/* Many requests for what is far ahead, so that they run beside each other. */
static uint64_t piece_for(uint64_t ahead)
{
	uint64_t piece = ahead / RECALL_THREADS;

	return piece < 4 * RECALL_PART ? 4 * RECALL_PART : min(piece, RECALL_PIECE);
}

/* Nobody is served better by asking for the last bit of what is ahead each time a little is read. */
static int fetch_ahead_locked(struct recall *r, uint64_t from, uint64_t ahead)
{
	uint64_t to = min(from + ahead, r->size), piece = piece_for(ahead);
	uint64_t gap = from;

	for (uint64_t next = 0; next != gap && gap < to;) {
		next = gap;
		gap = extents_end(&r->here, gap);
		gap = extents_end(&r->coming, gap);
	}
	if (gap >= to || (to < r->size && to - gap < piece))
		return 0;
	return recall_fetch_locked(r, gap, to, piece, false);
}

/* ---- waiting ---- */

static void wait_locked(struct recall *r, struct demand *d)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_NS;
	if (until.tv_nsec >= NSEC_PER_SEC) {
		until.tv_nsec -= NSEC_PER_SEC;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&d->changed, &r->lock, &until);
}

static int give_up(const struct recall *r, const struct demand *d, const struct tier_call *call)
{
	int64_t now = clock_monotonic(), patience = call && call->patience ? call->patience : RECALL_PATIENCE;

	if (r->set->stop || (call && call->stop && call->stop(call->arg)))
		return -ECANCELED;
	if (now - d->progress > patience || (call && call->deadline && now > call->deadline))
		return -ETIMEDOUT;
	return 0;
}

static void begin_demand(struct recall *r, struct demand *d)
{
	pthread_condattr_t attr;

	d->begun = d->progress = clock_monotonic();
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->changed, &attr);
	pthread_condattr_destroy(&attr);
	DL_APPEND(r->demands, d);
}

static void end_demand(struct recall *r, struct demand *d)
{
	DL_DELETE(r->demands, d);
	pthread_cond_destroy(&d->changed);
}

static int wait_for_locked(struct recall *r, struct demand *d, const struct tier_call *call)
{
	int rc = 0;

	while (!rc && !recall_has_locked(r, d->from, d->to)) {
		rc = d->rc ? d->rc : give_up(r, d, call);
		if (!rc)
			rc = recall_fetch_locked(r, d->from, d->to, RECALL_PIECE, true);
		if (!rc)
			wait_locked(r, d);
	}
	return rc;
}

int recall_want(struct recall *r, uint64_t at, uint64_t len, const struct tier_call *call)
{
	SCOPED_LOCK(&r->lock);
	struct demand d = {.from = min(at, r->size), .to = min(at + len, r->size)};
	uint64_t ahead;
	int rc = 0;

	if (r->verified && extents_cover(&r->here, 0, r->size))
		return 0;
	ahead = look_ahead(r, d.from, d.to - d.from);
	if (recall_has_locked(r, d.from, d.to)) {
		if (ahead)
			fetch_ahead_locked(r, d.to, ahead); /* if not, it comes when it is wanted */
		return 0;
	}
	rc = broken_locked(r);
	if (rc)
		return rc;
	begin_demand(r, &d);
	rc = recall_fetch_locked(r, d.from, d.to, RECALL_PIECE, true);
	if (!rc && ahead)
		rc = fetch_ahead_locked(r, d.to, ahead);
	if (!rc)
		rc = wait_for_locked(r, &d, call);
	end_demand(r, &d);
	return rc;
}

void recall_fetch_ahead(struct recall *r, uint64_t at, uint64_t len)
{
	SCOPED_LOCK(&r->lock);

	if (!broken_locked(r))
		recall_fetch_locked(r, min(at, r->size), min(at + len, r->size), RECALL_PIECE, false);
}

/* All LEN bytes, which are there. 0 or -errno. */
static int read_file(struct recall *r, char *to, size_t len, uint64_t at)
{
	ssize_t n = read_full_at(r->fd, to, len, at);

	return n < 0 ? (int)n : (size_t)n == len ? 0 : -EIO;
}

ssize_t recall_read_here(struct recall *r, void *to, size_t len, uint64_t at)
{
	size_t wanted = at < r->size ? (size_t)min(len, r->size - at) : 0;
	int rc;

	recall_hold(r);
	rc = recall_has(r, at, wanted) ? read_file(r, to, wanted, at) : -EAGAIN;
	recall_let_go(r);
	return rc ? rc : (ssize_t)wanted;
}

ssize_t recall_read(struct recall *r, void *to, size_t len, uint64_t at, const struct tier_call *call)
{
	ssize_t n = -EAGAIN;

	while (n == -EAGAIN) { /* what came may have been given up before it is held */
		int rc = at < r->size ? recall_want(r, at, len, call) : 0;

		n = rc ? rc : recall_read_here(r, to, len, at);
	}
	return n;
}

int recall_whole(struct recall *r, const struct tier_call *call)
{
	int rc = 0;

	for (uint64_t at = 0; !rc && at < r->size; at += RECALL_PIECE)
		rc = recall_want(r, at, RECALL_PIECE, call);
	if (!rc && !recall_is_whole(r)) {
		recall_verify(r);
		rc = recall_is_whole(r) ? 0 : recall_want(r, 0, r->size, call);
	}
	return rc;
}

bool recall_is_whole(struct recall *r)
{
	SCOPED_LOCK(&r->lock);

	return r->verified && extents_cover(&r->here, 0, r->size);
}

void recall_sha256(struct recall *r, uint8_t sha256[SHA256_BYTES])
{
	SCOPED_LOCK(&r->lock);

	memcpy(sha256, r->sha256, SHA256_BYTES);
}
