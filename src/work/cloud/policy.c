/*
 * Which files leave: a look at those that are here, the coldest hour first and the larger ones first in it, until what
 * was wished for is found. Buckets say more: what is pinned stays; what is in a mirror or cloud bucket is wanted in the
 * cloud at once.
 *
 *	cloud bucket	uploaded, and released as soon as it is older than min_age again
 *	mirror		uploaded
 *	local		uploaded ahead of time, released when space is wanted
 *
 * Files younger than min_age stay here. They are uploaded only when space is wanted so much that they will have to
 * leave as soon as they are old enough. A file's age counts from when it was opened last, but where a disk is short of
 * space, from when it was written: who reads many files that come back from the cloud must not fill the disk with them.
 */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "work/cloud/cloud.h"

#define RELEASE_MOST 262144 /* with one look */
#define DEEP 4096
#define TELL_NS NSEC_PER_SEC

/* What a folder says of the files in it. */
struct place {
	uint64_t folder;
	struct bucket *bucket; /* NULL: in none */
	bool pinned;
	UT_hash_handle hh;
};

struct leaving {
	uint64_t node, size;
};

struct look {
	struct work *work;
	struct lake *lake;
	const struct policy_wish *wish;
	struct policy_result *out;
	int64_t old; /* opened before it: older than min_age */
	struct place *places;
	struct leaving *leaving;
	size_t n, room;
	uint64_t leaving_bytes;
};

/* ---- folders ---- */

static int find_place(struct look *l, uint64_t folder, struct place **out);

static int read_place(struct look *l, uint64_t folder, struct place *p, int depth)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct node_row n;
	struct place *above;
	uint64_t parent;
	int rc = depth < DEEP ? store_node(l->lake->store, folder, &n) : -ELOOP;

	if (!rc)
		rc = store_name(l->lake->store, folder, &parent, &name);
	if (rc)
		return rc;
	p->pinned = n.pin;
	if (parent == NODE_ROOT)
		return lake_bucket(l->lake, buf_str(&name), &p->bucket);
	HASH_FIND(hh, l->places, &parent, sizeof(parent), above);
	if (!above)
		rc = find_place(l, parent, &above);
	if (!rc) {
		p->bucket = above->bucket;
		p->pinned |= above->pinned;
	}
	return rc;
}

static int find_place(struct look *l, uint64_t folder, struct place **out)
{
	static _Thread_local int depth;
	struct place *p;
	int rc;

	HASH_FIND(hh, l->places, &folder, sizeof(folder), p);
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		p->folder = folder;
		depth++;
		rc = read_place(l, folder, p, depth);
		depth--;
		if (rc == -ENOMEM) {
			free(p);
			return rc;
		}
		if (rc) /* it went away, or its disk did */
			p->bucket = NULL;
		HASH_ADD(hh, l->places, folder, sizeof(folder), p);
	}
	*out = p;
	return 0;
}

static void forget_places(struct look *l)
{
	struct place *p, *next;

	HASH_ITER (hh, l->places, p, next) {
		HASH_DEL(l->places, p);
		free(p);
	}
}

/* ---- files ---- */

static bool may_leave(const struct cold_row *c, const struct place *p, const struct bucket_policy *policy)
{
	return policy && policy->versioned && policy->tier != TIER_PINNED && !p->pinned && !c->pin && c->settled &&
	       !c->writing;
}

static bool has_room(struct look *l)
{
	size_t room = l->room ? l->room * 2 : 1024;
	struct leaving *more;

	if (l->n < l->room)
		return true;
	more = l->n < RELEASE_MOST ? reallocarray(l->leaving, room, sizeof(*more)) : NULL;
	if (!more)
		return false;
	l->leaving = more;
	l->room = room;
	return true;
}

static void want_release(struct look *l, const struct cold_row *c)
{
	l->out->ready += c->size;
	if (!has_room(l))
		return;
	l->leaving[l->n++] = (struct leaving){c->node, c->size};
	l->leaving_bytes += c->size;
}

static void want_upload(struct look *l, const struct cold_row *c, bool release)
{
	const struct upload u = {.node = c->node, .version = c->version, .size = c->size, .release = release};

	if (!upload_add(l->work->uploads, &u))
		return;
	l->out->queued++;
	l->out->queued_bytes += c->size;
}

static void look_at(struct look *l, const struct cold_row *c, const struct bucket_policy *policy)
{
	bool old = (l->wish->is_short ? c->cut : c->opened) < l->old, cloud = policy->tier == TIER_CLOUD;

	if (c->uploaded && old && (cloud || l->leaving_bytes < l->wish->release))
		want_release(l, c);
	else if (c->uploaded)
		l->out->ready += c->size;
	else if (cloud || policy->tier == TIER_MIRROR)
		want_upload(l, c, cloud && old);
	else if (l->out->ready + l->out->queued_bytes < l->wish->ready && (old || l->wish->pressed))
		want_upload(l, c, false);
	if (!old)
		l->out->young += c->size;
}

static bool is_satisfied(const struct look *l)
{
	return !l->wish->whole && l->leaving_bytes >= l->wish->release &&
	       l->out->ready + l->out->queued_bytes >= l->wish->ready;
}

static int see(void *arg, const struct cold_row *c)
{
	struct look *l = arg;
	struct place *p;
	int rc = find_place(l, c->parent, &p);
	const struct bucket_policy *policy = !rc && p->bucket ? bucket_policy(p->bucket) : NULL;

	if (rc)
		return rc;
	l->out->seen++;
	if (may_leave(c, p, policy))
		look_at(l, c, policy);
	if (work_stopping(l->work))
		return -ECANCELED;
	return is_satisfied(l);
}

static void release(struct look *l)
{
	int64_t told = clock_monotonic();

	for (size_t i = 0; i < l->n && !work_stopping(l->work); i++) {
		if (l->wish->still_releasing && clock_monotonic() - told >= TELL_NS) {
			l->wish->still_releasing(l->wish->arg);
			told = clock_monotonic();
		}
		if (release_node(l->work, l->leaving[i].node, l->leaving[i].size) < 0)
			continue;
		l->out->released++;
		l->out->released_bytes += l->leaving[i].size;
	}
}

int policy_run(struct work *w, const struct policy_wish *wish, struct policy_result *out)
{
	struct look l = {.work = w, .lake = w->lake, .wish = wish, .out = out};
	struct settings *settings = lake_settings(w->lake);
	int64_t begun = clock_monotonic();
	int rc;

	*out = (struct policy_result){0};
	l.old = clock_wall() - settings->min_age * NSEC_PER_SEC;
	settings_unref(settings);
	rc = store_cold(w->lake->store, INT64_MAX, see, &l);
	out->looked = clock_monotonic() - begun;
	out->ended = rc == 0;
	if (rc >= 0)
		release(&l);
	forget_places(&l);
	free(l.leaving);
	return rc < 0 ? rc : 0;
}

bool policy_is_cloud(struct work *w, uint64_t node)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct look l = {.work = w, .lake = w->lake};
	struct place *p;
	struct node_row n;
	uint64_t parent;
	bool is;

	if (store_node(w->lake->store, node, &n) || n.pin || store_name(w->lake->store, node, &parent, &name) ||
	    find_place(&l, parent, &p))
		return false;
	is = p->bucket && !p->pinned && bucket_policy(p->bucket)->tier == TIER_CLOUD;
	forget_places(&l);
	return is;
}
