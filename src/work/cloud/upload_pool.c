/*
 * Many uploads at once. Small files are taken together: their intents become durable with one sync, and what came of
 * them with one commit, which costs more than sending them.
 *
 * An upload that failed is not tried again before a while is over, longer with each failure; what is queued is only in
 * memory, for the policy finds it again, or a job says so.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "work/cloud/cloud.h"

#define THREADS 8
#define BACKGROUND 10
#define TOGETHER 64			   /* small ones… */
#define TOGETHER_BYTES (UINT64_C(4) << 20) /* …of so much at most */
#define AGAIN_NS (5 * NSEC_PER_SEC)
#define AGAIN_MOST_NS (300 * NSEC_PER_SEC)
#define BUSY_NS (2 * NSEC_PER_SEC)
#define FAILED_MOST 65536 /* so many are remembered */

enum { QUEUED, RUNNING, FAILED };

struct item {
	struct upload upload;
	int state, tries;
	int64_t again; /* monotonic; of a failed one */
	struct item *next;
	UT_hash_handle hh; /* by version */
};

struct upload_pool {
	struct work *work;
	pthread_mutex_t lock; /* a leaf */
	pthread_cond_t added;
	/* protected by lock */
	struct item *items; /* all of them */
	struct item *first, **last;
	uint64_t files, bytes; /* queued or running */
	size_t failed;
	bool stop;
	pthread_t threads[THREADS];
	int nthreads;
};

/* ---- the queue ---- */

static void forget_locked(struct upload_pool *p, struct item *i)
{
	HASH_DEL(p->items, i);
	free(i);
}

static void forget_failed_locked(struct upload_pool *p)
{
	struct item *i, *next;

	HASH_ITER (hh, p->items, i, next) {
		if (i->state == FAILED)
			forget_locked(p, i);
	}
	p->failed = 0;
}

static void queue_locked(struct upload_pool *p, struct item *i)
{
	i->state = QUEUED;
	i->next = NULL;
	*p->last = i;
	p->last = &i->next;
	p->files++;
	p->bytes += i->upload.size;
	pthread_cond_signal(&p->added);
}

bool upload_add(struct upload_pool *p, const struct upload *u)
{
	SCOPED_LOCK(&p->lock);
	struct item *i;

	HASH_FIND(hh, p->items, &u->version, sizeof(u->version), i);
	if (i && i->state == QUEUED) { /* the last word counts */
		i->upload.job = u->job ? u->job : i->upload.job;
		i->upload.release |= u->release;
	}
	if (p->stop || p->files >= UPLOAD_QUEUE || (i && (i->state != FAILED || clock_monotonic() < i->again)))
		return false;
	if (i) {
		p->failed--;
		i->upload = *u;
	} else {
		i = calloc(1, sizeof(*i));
		if (!i)
			return false;
		i->upload = *u;
		HASH_ADD(hh, p->items, upload.version, sizeof(u->version), i);
	}
	queue_locked(p, i);
	return true;
}

bool upload_is_known(struct upload_pool *p, uint64_t version)
{
	SCOPED_LOCK(&p->lock);
	struct item *i;

	HASH_FIND(hh, p->items, &version, sizeof(version), i);
	return i && (i->state != FAILED || clock_monotonic() < i->again);
}

void upload_waiting(struct upload_pool *p, uint64_t *files, uint64_t *bytes)
{
	SCOPED_LOCK(&p->lock);

	*files = p->files;
	*bytes = p->bytes;
}

/* One large file, or small ones that come next; waits for them. 0 at the end. */
static int take(struct upload_pool *p, struct item *batch[TOGETHER])
{
	SCOPED_LOCK(&p->lock);
	uint64_t bytes = 0;
	int n = 0;

	while (!p->first && !p->stop)
		pthread_cond_wait(&p->added, &p->lock);
	while (p->first && !p->stop && n < TOGETHER) {
		struct item *i = p->first;

		if (n && (i->upload.size > PARCEL_SMALL || bytes + i->upload.size > TOGETHER_BYTES))
			break;
		/* others want some, too */
		if (n && (uint64_t)n * THREADS >= p->files)
			break;
		p->first = i->next;
		if (!p->first)
			p->last = &p->first;
		i->state = RUNNING;
		bytes += i->upload.size;
		batch[n++] = i;
		if (i->upload.size > PARCEL_SMALL)
			break;
	}
	return n;
}

static int64_t pause_of(int tries, int rc)
{
	int64_t ns = AGAIN_NS;

	if (rc == -EAGAIN || rc == -EBUSY || rc == -ECANCELED)
		return BUSY_NS;
	for (int i = 0; i < tries && ns < AGAIN_MOST_NS; i++)
		ns *= 2;
	return ns < AGAIN_MOST_NS ? ns : AGAIN_MOST_NS;
}

/* RC >= 0: it need not be known any more. */
static void end(struct upload_pool *p, struct item *i, int rc)
{
	SCOPED_LOCK(&p->lock);

	p->files--;
	p->bytes -= i->upload.size;
	if (rc >= 0) {
		forget_locked(p, i);
		return;
	}
	if (p->failed >= FAILED_MOST)
		forget_failed_locked(p);
	i->state = FAILED;
	i->again = clock_monotonic() + pause_of(i->tries, rc);
	i->tries += rc != -EAGAIN && rc != -EBUSY;
	p->failed++;
}

/* ---- working ---- */

struct shipment {
	struct upload_pool *pool;
	struct lake *lake;
	struct item *items[TOGETHER];
	struct parcel *parcels[TOGETHER];
	int results[TOGETHER];
	int n;
};

static int commit(struct lake *lake, struct record *r, bool durable)
{
	uint64_t number;
	int rc = store_submit(lake->store, r, &number);

	if (rc)
		return rc;
	return durable ? store_sync(lake->store, number) : store_barrier(lake->store, number);
}

static void prepare(struct shipment *s, struct tier *t)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	bool any = false;
	int rc = 0;

	for (int i = 0; i < s->n; i++) {
		s->results[i] = r ? parcel_new(s->pool->work, t, &s->items[i]->upload, r, &s->parcels[i]) : -ENOMEM;
		any |= !s->results[i];
	}
	if (any)
		rc = commit(s->lake, r, true);
	else
		record_free(r);
	for (int i = 0; i < s->n; i++)
		if (!s->results[i])
			s->results[i] = rc ? rc : parcel_check(s->parcels[i]);
}

static void record_job(struct record *r, const struct upload *u, int rc)
{
	if (u->job && rc >= 0)
		record_job_done(r, u->job);
}

/* Small ones that wait for the others keep none of them back for long; a large one is alone. */
static void send(struct shipment *s)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	int rc;

	for (int i = 0; i < s->n; i++) {
		if (s->parcels[i] && !s->results[i])
			s->results[i] = r ? parcel_send(s->parcels[i], r) : -ENOMEM;
		record_job(r, &s->items[i]->upload, s->results[i]);
	}
	rc = commit(s->lake, r, false);
	for (int i = 0; i < s->n; i++) {
		uint64_t size = s->parcels[i] ? parcel_size(s->parcels[i]) : 0;

		if (rc && !s->results[i])
			s->results[i] = rc;
		if (s->results[i] || !s->parcels[i])
			continue;
		atomic_fetch_add(&s->lake->cloud.uploaded, 1);
		atomic_fetch_add(&s->lake->cloud.uploaded_bytes, size);
	}
}

/* They are in the cloud, and are not wanted here. What is busy is tried again as a job. */
static void release(struct shipment *s)
{
	struct record *r = NULL;

	for (int i = 0; i < s->n; i++) {
		const struct upload *u = &s->items[i]->upload;
		int rc;

		if (!u->release || s->results[i] < 0)
			continue;
		rc = release_node(s->pool->work, u->node, u->size);
		if (rc != -EBUSY && rc != -EAGAIN)
			continue;
		if (!r)
			r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
		record_job_add(r, JOB_EVICT, u->node, clock_wall() + BUSY_NS);
	}
	if (r)
		store_submit(s->lake->store, r, NULL);
}

static void fail_all(struct shipment *s, int rc)
{
	for (int i = 0; i < s->n; i++)
		s->results[i] = rc;
}

static void ship(struct shipment *s)
{
	_cleanup_tier_ struct tier *t = lake_tier(s->lake);
	const struct tier_call call = cloud_call(s->pool->work);
	int rc;

	memset(s->parcels, 0, sizeof(s->parcels));
	rc = t ? remote_hold(s->lake, &call) : -EHOSTUNREACH;
	if (rc) {
		fail_all(s, rc);
	} else {
		prepare(s, t);
		send(s);
	}
	for (int i = 0; i < s->n; i++)
		parcel_free(s->parcels[i]);
	release(s);
	for (int i = 0; i < s->n; i++) {
		if (s->results[i] < 0 && s->results[i] != -ECANCELED)
			log_debug("version %" PRIu64 " is not in the cloud: %s", s->items[i]->upload.version,
				  strerror(-s->results[i]));
		end(s->pool, s->items[i], s->results[i]);
	}
}

static void *run(void *arg)
{
	struct upload_pool *p = arg;
	_cleanup_free_ struct shipment *s = calloc(1, sizeof(*s));

	work_be_nice(BACKGROUND);
	if (!s)
		return NULL;
	s->pool = p;
	s->lake = p->work->lake;
	while ((s->n = take(p, s->items)) > 0)
		ship(s);
	return NULL;
}

/* ---- life ---- */

int upload_pool_new(struct work *w, struct upload_pool **out)
{
	struct upload_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->work = w;
	p->last = &p->first;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->added, NULL);
	*out = p;
	return 0;
}

int upload_pool_start(struct upload_pool *p)
{
	for (; p->nthreads < THREADS; p->nthreads++) {
		int err = pthread_create(&p->threads[p->nthreads], NULL, run, p);

		if (err)
			return -err;
		pthread_setname_np(p->threads[p->nthreads], "tarn-upload");
	}
	return 0;
}

void upload_pool_stop(struct upload_pool *p)
{
	struct item *i, *next;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->added);
	pthread_mutex_unlock(&p->lock);
	for (int n = 0; n < p->nthreads; n++)
		pthread_join(p->threads[n], NULL);
	HASH_ITER (hh, p->items, i, next) {
		forget_locked(p, i);
	}
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->added);
	free(p);
}
