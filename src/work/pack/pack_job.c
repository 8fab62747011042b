/*
 * Packing cold history (content/pack/pack_file.h).
 *
 * Versions are taken in the order in which they ceased to be live, some minutes after that, so that each finds the one
 * before it in its series packed already, and builds on it. How far that has come is a fact of the lake, "pack.done":
 * the commit with which the last one ended, and its id. It is recorded together with the pack, so that after a crash
 * the work goes on behind the last complete pack; what lies there of an incomplete one is removed at the next start
 * (work/leftovers.c).
 *
 * Per version:
 *
 *	read		as everybody reads it (content/past/past.h), and hashed on the way; what was packed has been
 *			read back. A version whose hash is known and is another one is recorded as not kept: nobody
 *			reads wrong bytes
 *	is there	the same content is packed already: nothing is written
 *	gains nothing	it stays where it is and is not looked at again: what does not compress, what occupies nothing
 *			(a prefix)
 *	else		one record says that it is packed, then its own files go. Others that were read through them
 *			are read through the pack
 *
 * A file that was written in place once will be again. So the content that it has now is packed too, once nobody
 * changed it for as long: then a writer finds its base stored, need not save what it overwrites, and writes as fast as
 * the disk. The live version is HOW_PACKED then. Content of more than a part of the history budget is not stored twice.
 *
 * Where old versions leave for the cloud (work/cloud/history.c) all that can be packed is, at once, and before anything
 * of it expires; when a disk is short of space, in packs that it has room for. What belongs to pinned files has packs
 * of its own, which stay here.
 *
 * After that the packs are collected (content/pack/repack.h). One pack at a time, with a few MiB of memory, nice.
 */
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/past/kept.h"
#include "content/past/past.h"
#include "content/past/pin.h"
#include "content/pack/repack.h"
#include "work/gc.h"
#include "work/pack/pack_int.h"
#include "work/work_int.h"

#define DONE_KEY "pack.done"
#define BATCH 64
#define BLOCK 4096
#define BACKGROUND 19
#define NEIGHBOURS 4		    /* so many older versions are asked for what to build on */
#define GAIN 16			    /* one part in so many must be saved */
#define LOOK_NS (60 * NSEC_PER_SEC) /* at the latest */
#define SHORT_NS (5 * NSEC_PER_SEC)
#define RETRY_NS (600 * NSEC_PER_SEC) /* doubled with each try */
#define TRIES 8
#define BUDGET_PART 4
#define SAVED_PART 16

struct done {
	uint64_t commit, version;
};

struct packer {
	struct work *work;
	struct lake *lake;
	int64_t wait;	/* so long after it ceased to be live a version is cold */
	int64_t before; /* that is: when it did before this */
	uint64_t most;	/* bytes of a pack, and of a version in it */
	struct done done;
	struct packing packing;
	bool begun;
	struct packed {
		uint64_t version;
		uint8_t sha256[SHA256_BYTES];
	} * packed; /* those that are in it */
	size_t n, room;
};

static bool must_end(void *arg)
{
	struct packer *p = arg;

	return work_stopping(p->work) || packs_wanted(p->lake);
}

static int64_t retry_ns(const struct packer *p)
{
	return p->wait < NSEC_PER_SEC ? NSEC_PER_SEC : p->wait < RETRY_NS ? p->wait : RETRY_NS;
}

/* ---- how far it has come ---- */

static void load_done(struct packer *p)
{
	_cleanup_buf_ struct buf value = BUF_INIT;

	p->done = (struct done){0};
	if (!store_lake(p->lake->store, DONE_KEY, &value) && value.len == sizeof(p->done))
		memcpy(&p->done, value.data, sizeof(p->done));
}

/* ---- one version ---- */

/* Of those that were just packed the store does not know it yet. */
static void know_hash(const struct packer *p, struct version_row *v)
{
	for (size_t i = 0; i < p->n && !v->hashed; i++)
		if (p->packed[i].version == v->id) {
			memcpy(v->sha256, p->packed[i].sha256, SHA256_BYTES);
			v->hashed = true;
		}
}

/* What V could build on: the object of an older version of its series, opened, and the ordinal after it. */
static int find_neighbour(struct packer *p, const struct version_row *v, struct pack_object **out)
{
	struct version_row before = {.number = v->number};
	int rc = 0;

	*out = NULL;
	for (int i = 0; i < NEIGHBOURS && !*out && before.number > 1; i++) {
		rc = store_version_before(p->lake->store, v->asset, before.number, &before);
		if (rc == -ENOENT)
			return 0;
		if (rc < 0)
			return rc;
		know_hash(p, &before);
		if (before.hashed && !pack_is_away(p->lake, before.sha256))
			rc = packing_find(&p->packing, before.sha256, out);
		if (rc < 0 && rc != -ENOENT && rc != -EIO)
			return rc;
	}
	if (*out && !pack_object_is_here(*out)) { /* nobody is to wait for the cloud with the turn to pack */
		pack_object_close(*out);
		*out = NULL;
	}
	return 0;
}

/* The one of O and those below it that the next object after O builds on; NULL: it begins anew. */
static struct pack_object *choose_base(struct pack_object *o)
{
	unsigned ordinal = o ? o->map.ordinal + 1 : PACK_PERIOD;

	if (ordinal >= PACK_PERIOD)
		return NULL;
	while (o && (o->map.ordinal > pack_parent(ordinal) || o->map.depth >= PACK_DEPTH_MAX))
		o = o->base;
	return o;
}

static int remember(struct packer *p, uint64_t version, const uint8_t sha256[SHA256_BYTES])
{
	if (array_grow(&p->packed, p->n, &p->room, sizeof(*p->packed)))
		return -ENOMEM;
	p->packed[p->n].version = version;
	memcpy(p->packed[p->n++].sha256, sha256, SHA256_BYTES);
	return 0;
}

static int record_packed(struct packer *p, const struct version_row *v, const uint8_t sha256[SHA256_BYTES],
			 uint64_t stored)
{
	if (!v->hashed)
		record_version_facts(p->packing.record, v->id, sha256, NULL);
	record_version_packed(p->packing.record, v->id, v->size, stored);
	return remember(p, v->id, sha256);
}

struct reading {
	struct packer *packer;
	struct past *past;
};

static ssize_t read_past(void *arg, void *to, size_t len, uint64_t at)
{
	return past_read(((struct reading *)arg)->past, to, len, (off_t)at);
}

static bool stop_reading(void *arg)
{
	return must_end(((struct reading *)arg)->packer);
}

static int add_object(struct packer *p, const struct version_row *v, struct pack_added *added)
{
	_cleanup_object_ struct pack_object *neighbour = NULL;
	struct reading reading = {.packer = p};
	const struct pack_input in = {read_past, stop_reading, &reading};
	struct pack_object *base;
	int rc = packing_open(&p->packing);

	if (!rc)
		rc = find_neighbour(p, v, &neighbour);
	if (!rc)
		rc = past_open(p->lake, v, &reading.past);
	if (rc < 0)
		return rc;
	base = choose_base(neighbour);
	/* A little that was saved of much: nothing less can be packed without something to build on. */
	if (!neighbour && v->how == HOW_UNDO && v->stored < v->size / SAVED_PART)
		rc = -ENODATA;
	else
		rc = pack_writer_add(p->packing.writer, &in, base, base ? neighbour->map.ordinal + 1 : 0, added);
	past_close(reading.past);
	return rc;
}

static int lose(struct packer *p, const struct version_row *v)
{
	/* What was saved of it may be needed for older ones still. */
	enum version_how how = kept_is_needed(p->lake, v) ? v->how : HOW_NONE;

	log_warning("node %" PRIu64 ": version %" PRIu64 " (number %" PRIu64 ") is not what was hashed: it is not kept",
		    v->node, v->id, v->number);
	record_version_state(p->packing.record, v->id, VERSION_NOT_KEPT, how,
			     "its bytes were changed after it was cut");
	return remember(p, v->id, v->sha256);
}

static int keep_added(struct packer *p, const struct version_row *v, const struct pack_added *a)
{
	struct object_row o = {.size = a->size, .offset = a->offset, .length = a->length, .has_base = a->based};
	int rc;

	memcpy(o.sha256, a->sha256, SHA256_BYTES);
	memcpy(o.base, a->base, SHA256_BYTES);
	rc = packing_object(&p->packing, &o);
	return rc ? rc : record_packed(p, v, a->sha256, a->length);
}

static bool is_there(struct packer *p, const uint8_t sha256[SHA256_BYTES])
{
	struct object_row o;

	for (size_t i = 0; i < p->packing.n; i++)
		if (!memcmp(p->packing.objects[i].sha256, sha256, SHA256_BYTES))
			return true;
	return !store_object(p->lake->store, sha256, &o);
}

/* A file takes whole blocks. */
static uint64_t occupies(const struct version_row *v)
{
	return (v->stored + BLOCK - 1) / BLOCK * BLOCK;
}

/* 0, also when it stays as it is, or -errno. */
static int pack_version(struct packer *p, const struct version_row *v)
{
	struct pack_added added;
	int rc;

	if (v->hashed && is_there(p, v->sha256))
		return record_packed(p, v, v->sha256, 0);
	rc = add_object(p, v, &added);
	if (rc < 0)
		return rc == -ENODATA ? 0 : rc;
	if (v->hashed && memcmp(v->sha256, added.sha256, SHA256_BYTES)) {
		pack_writer_drop(p->packing.writer);
		return lose(p, v);
	}
	if (added.length < occupies(v) - occupies(v) / GAIN && !is_there(p, added.sha256))
		return keep_added(p, v, &added);
	pack_writer_drop(p->packing.writer);
	/* If it had been hashed before, that would have been known. */
	return is_there(p, added.sha256) ? record_packed(p, v, added.sha256, 0) : 0;
}

/* ---- the content that a file has now ---- */

static bool is_small_enough(struct lake *lake, uint64_t size)
{
	uint64_t budget;

	return !gc_budget(lake, &budget) && size < budget / BUDGET_PART;
}

static bool is_stub(struct lake *lake, uint64_t node)
{
	struct node_row row;

	return store_node(lake->store, node, &row) || row.stub;
}

static bool is_live_candidate(struct packer *p, const struct version_row *v)
{
	return v->state == VERSION_LIVE && v->how == HOW_NONE && v->size && is_small_enough(p->lake, v->size) &&
	       !is_stub(p->lake, v->node);
}

static int pack_live(struct packer *p, const struct version_row *v)
{
	struct pack_added added;
	int rc;

	if (is_there(p, v->sha256))
		return record_packed(p, v, v->sha256, 0);
	rc = add_object(p, v, &added);
	if (rc < 0)
		return rc;
	if (!memcmp(v->sha256, added.sha256, SHA256_BYTES))
		return keep_added(p, v, &added);
	pack_writer_drop(p->packing.writer); /* somebody wrote meanwhile */
	return 0;
}

/* V was changed in place: what its file has now will be, too. */
static int look_at_live(struct packer *p, const struct version_row *v)
{
	struct node_row node;
	struct version_row live;
	int rc;

	if (v->how != HOW_UNDO && v->how != HOW_COPY && v->how != HOW_REFLINK && v->how != HOW_PACKED)
		return 0;
	rc = store_node(p->lake->store, v->node, &node);
	if (!rc && node.version && node.version != v->id)
		rc = store_version(p->lake->store, node.version, &live);
	else
		live.state = VERSION_EXPIRED;
	if (!rc && live.state == VERSION_LIVE && live.how == HOW_NONE)
		record_job_add(p->packing.record, JOB_PACK, live.id, live.time + p->wait);
	return rc == -ENOENT ? 0 : rc;
}

/* ---- which ---- */

/* Has it bytes of its own that packing would free? */
static bool is_candidate(const struct version_row *v)
{
	return (v->state == VERSION_KEPT || v->state == VERSION_PARTIAL) && v->size && v->stored &&
	       (v->how == HOW_ASIDE || v->how == HOW_UNDO || v->how == HOW_COPY || v->how == HOW_REFLINK);
}

/* What says more of the version than of us: the others go on. */
static bool is_its_own(int err)
{
	return err == -ENOENT || err == -EIO || err == -EACCES;
}

/* 0 looked at; 1 to be tried again later; -errno. */
static int consider(struct packer *p, uint64_t version)
{
	struct version_row v;
	int rc = store_version(p->lake->store, version, &v);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	rc = look_at_live(p, &v);
	if (rc < 0 || (!is_candidate(&v) && !is_live_candidate(p, &v)))
		return rc;
	/* Somebody may write it still, or it has its turn when it was hashed. */
	if (!v.settled || v.size > p->most || (v.state == VERSION_LIVE && (!v.hashed || v.time > p->before)))
		return 1;
	rc = v.state == VERSION_LIVE ? pack_live(p, &v) : pack_version(p, &v);
	if (!is_its_own(rc))
		return rc;
	log_warning("node %" PRIu64 ": version %" PRIu64 " (number %" PRIu64 ") cannot be packed: %s", v.node, v.id,
		    v.number, strerror(-rc));
	return 1;
}

/* ---- one pack ---- */

static int begin(struct packer *p, int index, bool stays)
{
	struct volume *volume = lake_volume(p->lake, index);
	int rc;

	if (!volume)
		volume = lake_volume(p->lake, 0); /* nothing on it can be read now: only passed over */
	rc = packing_begin(&p->packing, p->lake, volume);
	p->begun = !rc;
	p->packing.stays = stays;
	p->n = 0;
	return rc;
}

static void remove_own_files(struct packer *p)
{
	struct version_row v;

	for (size_t i = 0; i < p->n; i++)
		if (!store_version(p->lake->store, p->packed[i].version, &v))
			pack_remove_own(p->lake, &v);
	p->n = 0;
}

static int end(struct packer *p)
{
	int rc;

	if (!p->begun)
		return 0;
	p->begun = false;
	record_lake(p->packing.record, DONE_KEY, &p->done, sizeof(p->done));
	rc = packing_end(&p->packing);
	if (!rc)
		remove_own_files(p);
	return rc;
}

static void cancel(struct packer *p)
{
	if (p->begun)
		packing_cancel(&p->packing);
	p->begun = false;
}

/* ---- all that is cold ---- */

struct batch {
	struct packer *packer;
	struct {
		struct done key;
		uint64_t node;
		int volume;
		bool stays;
	} list[BATCH];
	int n;
};

static int note_cold(void *arg, const struct version_row *v)
{
	struct batch *b = arg;

	if (v->end_time > b->packer->before)
		return 1;
	b->list[b->n].key = (struct done){v->end_commit, v->id};
	b->list[b->n].node = v->node;
	b->list[b->n++].volume = v->volume;
	return 0;
}

static bool is_full(const struct packer *p)
{
	uint64_t most = p->most < PACK_MOST ? p->most : PACK_MOST;

	return p->packing.writer && pack_writer_length(p->packing.writer) >= most;
}

static int pack_one(struct packer *p, int volume, uint64_t version, bool stays)
{
	int rc = 0;

	if (p->begun && (p->packing.volume->index != volume || p->packing.stays != stays || is_full(p)))
		rc = end(p);
	if (!rc && !p->begun)
		rc = begin(p, volume, stays);
	return rc ? rc : consider(p, version);
}

/* Those of the batch that STAY here, or the others. *PASSED: some of these come later. */
static int pack_part(struct packer *p, const struct batch *b, bool stay, bool *passed)
{
	int rc = 0;

	for (int i = 0; i < b->n && !rc && !must_end(p); i++) {
		*passed |= b->list[i].stays != stay;
		if (b->list[i].stays != stay)
			continue;
		rc = pack_one(p, b->list[i].volume, b->list[i].key.version, stay);
		if (rc == 1)
			record_job_add(p->packing.record, JOB_PACK, b->list[i].key.version, clock_wall() + retry_ns(p));
		rc = rc < 0 ? rc : 0;
		if (!rc && !*passed)
			p->done = b->list[i].key;
	}
	return rc ? rc : must_end(p) ? -ECANCELED : 0;
}

/* How many were looked at, or -errno. */
static int pack_batch(struct packer *p)
{
	struct batch b = {.packer = p};
	bool passed = false;
	int rc = store_kept_after(p->lake->store, p->done.commit, p->done.version, BATCH, note_cold, &b);

	if (rc < 0 || !b.n)
		return rc < 0 ? rc : 0;
	for (int i = 0; i < b.n; i++)
		b.list[i].stays = pin_keeps_past(p->lake, b.list[i].node);
	rc = pack_part(p, &b, false, &passed);
	if (!rc && passed)
		rc = pack_part(p, &b, true, &passed);
	if (!rc)
		p->done = b.list[b.n - 1].key;
	return rc ? rc : b.n;
}

/* Those that were passed over. */
static int pack_jobs(struct packer *p)
{
	struct job_row jobs[BATCH];
	int n = store_jobs(p->lake->store, JOB_PACK, clock_wall(), jobs, BATCH), rc = 0;

	for (int i = 0; i < n && !rc && !must_end(p); i++) {
		struct version_row v;

		rc = store_version(p->lake->store, jobs[i].subject, &v);
		rc = pack_one(p, rc ? 0 : v.volume, jobs[i].subject, !rc && pin_keeps_past(p->lake, v.node));
		if (rc == 1 && jobs[i].tries + 1 < TRIES)
			record_job_retry(p->packing.record, jobs[i].id, clock_wall() + (retry_ns(p) << jobs[i].tries),
					 "it could not be read, or somebody may write it");
		else if (rc >= 0)
			record_job_done(p->packing.record, jobs[i].id);
		rc = rc < 0 ? rc : 0;
	}
	return n < 0 ? n : rc;
}

static int pack_cold(struct packer *p)
{
	int n, rc;

	load_done(p);
	do
		n = pack_batch(p);
	while (n == BATCH && !must_end(p));
	rc = n < 0 ? n : pack_jobs(p);
	/* What was added before it was to stop is complete. */
	if (rc && rc != -ECANCELED) {
		cancel(p);
		return rc;
	}
	rc = end(p);
	/* The next of its commit may not have been looked at. */
	if (!rc && p->done.commit)
		atomic_store(&p->lake->cloud.packed_to, n >= 0 && n < BATCH ? p->done.commit : p->done.commit - 1);
	return rc;
}

static void collect(struct packer *p)
{
	uint64_t freed = 0;
	int rc = packs_collect(p->lake, must_end, p, &freed);

	if (freed)
		log_info("packs: %.1f MB that nobody needs were freed", (double)freed / 1e6);
	if (rc < 0 && rc != -ECANCELED)
		log_warning("packs: cannot be collected: %s", strerror(-rc));
}

/* False: the end. */
static bool wait_for_next(struct packer *p)
{
	struct lake *lake = p->lake;
	int64_t wait = atomic_load(&lake->space_short) ? SHORT_NS : p->wait < LOOK_NS ? p->wait : LOOK_NS, slept = 0;
	bool pressed = atomic_load(&lake->cloud.history_leaves), goes_on;

	do {
		goes_on = work_sleep(p->work, NSEC_PER_SEC);
		slept += NSEC_PER_SEC;
	} while (goes_on && slept < wait && (pressed || !atomic_load(&lake->cloud.history_leaves)));
	return goes_on;
}

void *pack_main(void *arg)
{
	struct work *w = arg;
	struct packer p = {.work = w, .lake = w->lake};
	int rc, told = 0;

	work_be_nice(BACKGROUND);
	if (w->lake->read_only)
		return NULL;
	do {
		p.wait = pack_cold_after(w->lake);
		p.before = clock_wall() - p.wait;
		packs_begin(w->lake, false);
		p.most = pack_room(w->lake);
		rc = p.most ? pack_cold(&p) : 0;
		if (rc < 0 && rc != told)
			log_warning("history cannot be packed now: %s", strerror(-rc));
		told = rc;
		collect(&p);
		packs_end(w->lake);
	} while (wait_for_next(&p));
	free(p.packed);
	return NULL;
}
