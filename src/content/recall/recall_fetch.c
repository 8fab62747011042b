#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <utlist.h>

#include "base/full_io.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/recall/recall_int.h"

#define FETCH_PATIENCE (RECALL_PATIENCE - 4 * NSEC_PER_SEC) /* its own error comes before that of who waits */
#define AHEAD_PAUSE (2 * NSEC_PER_SEC)			    /* after a failure */
#define RESTORE_DAYS 7
#define NARROW_NS (10 * NSEC_PER_SEC)

static void *fetcher(void *arg);

/* ---- the queue ---- */

static struct fetch **queue_of(struct recalls *rs, const struct fetch *f)
{
	return f->urgent ? &rs->urgent : &rs->ahead;
}

/* One more thread when all are busy. The set's lock is held. */
static void call_fetcher_locked(struct recalls *rs)
{
	if (rs->idle || rs->nfetchers == RECALL_THREADS)
		pthread_cond_signal(&rs->work);
	else if (!pthread_create(&rs->fetchers[rs->nfetchers], NULL, fetcher, rs))
		rs->nfetchers++;
}

static int enqueue_locked(struct recall *r, uint64_t from, uint64_t to, bool urgent)
{
	struct fetch *f = calloc(1, sizeof(*f));
	SCOPED_LOCK(&r->set->lock);

	if (!f || extents_add(&r->coming, from, to) < 0) {
		free(f);
		return -ENOMEM;
	}
	*f = (struct fetch){.recall = r, .from = from, .to = to, .at = from, .urgent = urgent};
	DL_APPEND(*queue_of(r->set, f), f);
	call_fetcher_locked(r->set);
	return 0;
}

/* What was only to be fetched ahead is waited for now. */
static void hurry_locked(struct recall *r, uint64_t from, uint64_t to)
{
	SCOPED_LOCK(&r->set->lock);
	struct fetch *f, *next;

	DL_FOREACH_SAFE(r->set->ahead, f, next)
	{
		if (f->recall != r || f->from >= to || f->to <= from)
			continue;
		DL_DELETE(r->set->ahead, f);
		f->urgent = true;
		DL_APPEND(r->set->urgent, f);
	}
}

/* The first bytes of [AT, TO) that are neither here nor on their way. */
static bool next_gap(const struct recall *r, uint64_t at, uint64_t to, struct extent *gap)
{
	struct extent coming;

	while (at < to && extents_gap(&r->here, at, to, gap)) {
		if (extents_gap(&r->coming, gap->from, gap->to, &coming)) {
			*gap = coming;
			return true;
		}
		at = gap->to;
	}
	return false;
}

int recall_fetch_locked(struct recall *r, uint64_t from, uint64_t to, uint64_t piece, bool urgent)
{
	uint64_t part = r->compressed ? FRAME_BYTES : RECALL_PART, at = from / part * part;
	struct extent gap;
	int rc = 0;

	to = (to + part - 1) / part * part;
	if (to > r->size)
		to = r->size;
	if (r->compressed) /* no frame twice */
		piece = (piece + part - 1) / part * part;
	if (urgent && extents_touch(&r->coming, at, to))
		hurry_locked(r, at, to);
	while (!rc && next_gap(r, at, to, &gap)) {
		if (gap.to - gap.from > piece)
			gap.to = gap.from + piece;
		rc = enqueue_locked(r, gap.from, gap.to, urgent);
		at = gap.to;
	}
	return rc;
}

static void drop_queued(struct fetch **queue, struct recall *r)
{
	struct fetch *f, *next;

	DL_FOREACH_SAFE(*queue, f, next)
	{
		if (f->recall != r)
			continue;
		DL_DELETE(*queue, f);
		extents_remove(&r->coming, f->from, f->to);
		free(f);
	}
}

void recall_unfetch_locked(struct recall *r)
{
	SCOPED_LOCK(&r->set->lock);

	drop_queued(&r->set->urgent, r);
	drop_queued(&r->set->ahead, r);
}

/* The next one to do, with a reference to its recall; NULL: the end. */
static struct fetch *take(struct recalls *rs)
{
	SCOPED_LOCK(&rs->lock);
	struct fetch *f;

	while (!rs->stop && !rs->urgent && !rs->ahead) {
		rs->idle++;
		pthread_cond_wait(&rs->work, &rs->lock);
		rs->idle--;
	}
	if (rs->stop)
		return NULL;
	f = rs->urgent ? rs->urgent : rs->ahead;
	DL_DELETE(*queue_of(rs, f), f);
	recall_ref_locked(f->recall);
	f->begun = clock_monotonic();
	return f;
}

/* ---- fetching ---- */

/* The last piece of all is given out once everything is verified. */
static void note_arrival(struct recall *r, uint64_t from, uint64_t to)
{
	SCOPED_LOCK(&r->lock);

	if (extents_add(&r->here, from, to) < 0)
		return; /* fetched again */
	if (!r->since)
		r->since = clock_monotonic();
	if (!r->verified && extents_cover(&r->here, r->hashed_to, r->size))
		r->withheld = (struct extent){from, to};
	recall_came_locked(r, from, to);
}

/* It is the object that all came from so far. */
static int check_head(struct fetch *f)
{
	struct recall *r = f->recall;
	SCOPED_LOCK(&r->lock);

	if (f->head.size != (r->compressed ? r->compressed : r->size))
		return -ESTALE;
	if (!r->etag && f->head.etag[0])
		r->etag = strdup(f->head.etag);
	return r->etag && f->head.etag[0] && strcmp(r->etag, f->head.etag) != 0 ? -ESTALE : 0;
}

/* LEN bytes need no room any more. */
static void give_back(struct fetch *f, uint64_t len)
{
	len = len < f->reserved ? len : f->reserved;
	f->reserved -= len;
	recall_unreserve(f->recall, len);
}

/* BYTES are zeros, as the file has them there already: a hole stays one. */
static bool is_hole(const struct fetch *f, const char *bytes, size_t len)
{
	off_t data;

	if (!len || bytes[0] || memcmp(bytes, bytes + 1, len - 1) != 0)
		return false;
	data = lseek(f->recall->fd, (off_t)f->at, SEEK_DATA);
	return data < 0 ? errno == ENXIO : (uint64_t)data >= f->at + len;
}

/* What went from there just now went before that. */
static int write_bytes(struct fetch *f, const void *bytes, size_t len)
{
	struct recall *r = f->recall;
	int rc;

	pthread_rwlock_rdlock(&r->drop);
	rc = is_hole(f, bytes, len) ? 0 : write_full_at(r->fd, bytes, len, f->at);
	if (!rc) {
		f->at += len;
		note_arrival(r, f->at - len, f->at);
	}
	pthread_rwlock_unlock(&r->drop);
	return rc;
}

static int sink(void *arg, const void *bytes, size_t len)
{
	struct fetch *f = arg;
	int rc = f->at == f->from ? check_head(f) : 0;

	if (rc < 0)
		return rc;
	if (len > f->to - f->at) {
		log_warning("%s: the remote sent more than was asked for", f->recall->key);
		return -EIO;
	}
	rc = write_bytes(f, bytes, len);
	if (!rc)
		give_back(f, len);
	return rc;
}

static bool is_unwanted(void *arg)
{
	return ((struct recalls *)arg)->stop;
}

/* What a tier says, as a recall says it. */
static int translate(struct recall *r, const char *key, int rc, const struct tier_call *call)
{
	switch (rc) {
	case -ENODATA:
		rc = recall_calls.restore(r->tier, key, RESTORE_DAYS, call);
		log_info("%s: archived; it was asked for and can be read later", key);
		return rc && rc != -EINPROGRESS ? rc : -ENODATA;
	case -ENOENT:
	case -ERANGE:
	case -ESTALE:
		log_warning("%s: the object is not the one that was put there", key);
		return -ESTALE;
	case -EACCES:
	case -EHOSTUNREACH:
	case -ETIMEDOUT:
	case -ENOSPC:
	case -EDQUOT:
	case -ENOMEM:
	case -ECANCELED:
		return rc;
	default:
		return rc ? -EIO : 0;
	}
}

/* Where the object lies, as known now. */
struct place {
	char *key, *etag;
	uint64_t compressed;
	struct frame_table *table;
};

static void forget_place(struct place *p)
{
	free(p->key);
	free(p->etag);
	frame_table_unref(p->table);
}

static int note_place(struct recall *r, struct place *p)
{
	SCOPED_LOCK(&r->lock);

	p->key = strdup(r->key);
	p->etag = r->etag ? strdup(r->etag) : NULL;
	p->compressed = r->compressed;
	p->table = r->table ? frame_table_ref(r->table) : NULL;
	return !p->key || (r->etag && !p->etag) ? -ENOMEM : 0;
}

/* The table of the object at P; others may fetch it at the same time. */
static int find_table(struct recall *r, struct place *p, const struct frames_object *o, const struct tier_call *call)
{
	int rc = p->table ? 0 : frame_table_get(o, call, &p->table);

	if (rc || !p->table)
		return rc;
	SCOPED_LOCK(&r->lock);
	if (!r->table && r->compressed == p->compressed && !strcmp(r->key, p->key))
		r->table = frame_table_ref(p->table);
	return 0;
}

static int get_compressed(struct fetch *f, struct place *p, const struct tier_call *call)
{
	struct recall *r = f->recall;
	struct frames_object o = {.tier = r->tier,
				  .key = p->key,
				  .etag = p->etag,
				  .size = r->size,
				  .stored = p->compressed,
				  .get = recall_calls.get,
				  .head = &f->head};
	int rc = find_table(r, p, &o, call);

	if (!rc)
		rc = frames_get(&o, p->table, f->from, f->to - f->from, sink, f, call);
	if (rc == -EBADMSG)
		log_error("%s: the object is damaged", p->key);
	return rc;
}

static int get_plain(struct fetch *f, struct place *p, const struct tier_call *call)
{
	struct tier_get get = {
		.key = p->key, .etag = p->etag, .offset = f->from, .length = f->to - f->from, .sink = sink, .arg = f};

	return recall_calls.get(f->recall->tier, &get, call, &f->head);
}

/*
 * There is no room for all of it: what is waited for is enough, and the rest is fetched when that is wanted. 0;
 * -ENOSPC: nobody waits.
 */
static int shrink(struct fetch *f)
{
	struct recall *r = f->recall;
	SCOPED_LOCK(&r->lock);
	uint64_t part = r->compressed ? FRAME_BYTES : RECALL_PART, from = f->from, to = f->to;
	struct demand *d = recall_wanted_locked(r, from, to);
	int rc;

	if (!d)
		return -ENOSPC;
	if (d->from > from)
		from = d->from / part * part > from ? d->from / part * part : from;
	if (d->to < to)
		to = (d->to + part - 1) / part * part < to ? (d->to + part - 1) / part * part : to;
	rc = extents_remove(&r->coming, f->from, from);
	if (!rc)
		rc = extents_remove(&r->coming, to, f->to);
	if (rc < 0)
		return rc;
	recall_failed_locked(r, f->from, f->to, 0, 0); /* others ask for theirs */
	f->from = f->at = from;
	f->to = to;
	return 0;
}

static int reserve(struct fetch *f)
{
	int rc = recall_reserve(f->recall, f->to - f->from, f->urgent ? RECALL_SOON : RECALL_LATER);

	if (rc == -ENOSPC && f->urgent) {
		rc = shrink(f);
		if (!rc)
			rc = recall_reserve(f->recall, f->to - f->from, RECALL_NOW);
	}
	f->reserved = rc ? 0 : f->to - f->from;
	return rc;
}

static int fetch(struct fetch *f)
{
	struct recall *r = f->recall;
	struct tier_call call = {.patience = FETCH_PATIENCE, .stop = is_unwanted, .arg = r->set};
	_cleanup_(forget_place) struct place p = {};
	int rc = note_place(r, &p);

	if (rc < 0 || !r->tier)
		return rc ? rc : -EHOSTUNREACH;
	rc = reserve(f);
	if (rc < 0)
		return rc;
	rc = (p.compressed ? get_compressed : get_plain)(f, &p, &call);
	give_back(f, f->reserved);
	if (!rc && f->at < f->to) {
		log_warning("%s: the object ends before it should", p.key);
		rc = -ESTALE;
	}
	return translate(r, p.key, rc, &call);
}

static void unfetch_ahead_locked(struct recall *r)
{
	SCOPED_LOCK(&r->set->lock);

	drop_queued(&r->set->ahead, r);
}

/* F, ahead, failed. Where there was no room, less is asked for; else nothing for a while. The lock is held. */
static void pause_locked(struct recall *r, const struct fetch *f, int rc)
{
	int64_t now = clock_monotonic();
	uint64_t window = r->narrow_until > now ? r->window : RECALL_AHEAD;

	if (rc == -ENOSPC && f->begun < r->narrow_until - NARROW_NS)
		return; /* it was asked for before */
	if (rc != -ENOSPC || window <= RECALL_PIECE / 2) {
		r->ahead_after = now + AHEAD_PAUSE;
		return;
	}
	r->window = window / 2;
	r->narrow_until = now + NARROW_NS;
	unfetch_ahead_locked(r);
}

static void finish(struct fetch *f, int rc)
{
	struct recall *r = f->recall;

	recall_verify(r);
	pthread_mutex_lock(&r->lock);
	extents_remove(&r->coming, f->from, f->to);
	if (rc == -ESTALE || rc == -EHOSTUNREACH || rc == -ETIMEDOUT) /* the kernel asks again at once */
		recall_break_locked(r, rc);
	if (rc && !f->urgent)
		pause_locked(r, f, rc);
	recall_failed_locked(r, f->from, f->to, rc, f->begun);
	pthread_mutex_unlock(&r->lock);
	recall_unref(r);
	free(f);
}

static void *fetcher(void *arg)
{
	struct recalls *rs = arg;
	struct fetch *f;

	while ((f = take(rs)))
		finish(f, fetch(f));
	return NULL;
}

void recall_stop_fetching(struct recalls *rs)
{
	struct fetch *f, *next;

	pthread_mutex_lock(&rs->lock);
	rs->stop = true;
	pthread_cond_broadcast(&rs->work);
	pthread_mutex_unlock(&rs->lock);
	for (unsigned i = 0; i < rs->nfetchers; i++)
		pthread_join(rs->fetchers[i], NULL);
	DL_CONCAT(rs->urgent, rs->ahead);
	DL_FOREACH_SAFE(rs->urgent, f, next)
	free(f);
	rs->urgent = NULL;
}
