/*
 * What the store says of objects in the cloud, and what lies there.
 *
 * Without asking the remote only what an upload or a removal left half done is known. When it is asked, all objects
 * below the prefix are listed and compared with the rows, both ways. Before anything is believed of an object it is
 * asked for once more: uploads go on meanwhile.
 *
 * Removed are only objects that this lake noted as its own to remove, or that lie below .tarn/ under its id and that no
 * row names. What others have put there is only counted.
 */
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "content/cloud/stub.h"
#include "work/fsck/fsck_int.h"

#define ALONE_NS (60 * NSEC_PER_SEC) /* what others began sooner may still be under way */

#define KNOCK_NS (10 * NSEC_PER_SEC)

struct listing {
	struct fsck *f;
	struct tier *tier;
	struct buf own;	 /* "<prefix>/.tarn/" */
	uint8_t *seen;	 /* a bit for each row, by its id */
	size_t room;	 /* bytes of it */
	uint64_t others; /* objects that nobody here knows */
	int64_t begun;
	struct cloud_row *rows;
	size_t n, rows_room;
};

static void release(struct listing *l)
{
	buf_release(&l->own);
	free(l->seen);
	free(l->rows);
}

/* ---- what was left half done ---- */

static int add_row(void *arg, const struct cloud_row *c)
{
	struct listing *l = arg;

	if (c->remote[0])
		return 0;
	if (array_grow(&l->rows, l->n, &l->rows_room, sizeof(*l->rows)))
		return -ENOMEM;
	l->rows[l->n++] = *c;
	return fsck_stopping(l->f);
}

static void check_intent(struct listing *l, const struct cloud_row *c)
{
	int rc = -EHOSTUNREACH;

	if (c->time >= l->f->before)
		return;
	if (l->tier && fsck_repairs(l->f))
		rc = cloud_remove_one(&l->f->work, l->tier, c);
	if (rc == -EBUSY)
		return;
	fsck_tell(l->f, rc, c->key, l->tier ? "what lies there of it is removed" : NULL, "an upload that did not end%s",
		  l->tier ? "" : " (it is put right with --remote)");
}

static void check_going(struct listing *l, const struct cloud_row *c)
{
	static const char remedy[] = "it is removed";

	if (c->time >= l->f->before)
		return;
	if (l->tier && fsck_repairs(l->f)) {
		int rc = cloud_remove_one(&l->f->work, l->tier, c);

		if (rc != -EBUSY)
			fsck_tell(l->f, rc, c->key, remedy, "an object that nothing needs");
		return;
	}
	fsck_note(l->f, c->key, remedy, "an object that nothing needs, and that goes by itself");
}

static int check_begun(struct listing *l)
{
	struct store *s = l->f->lake->store;
	int rc = store_cloud_each(s, CLOUD_INTENT, 0, add_row, l);

	if (rc >= 0)
		rc = store_cloud_each(s, CLOUD_GOING, 0, add_row, l);
	for (size_t i = 0; rc >= 0 && i < l->n && !fsck_stopping(l->f); i++)
		(l->rows[i].state == CLOUD_INTENT ? check_intent : check_going)(l, &l->rows[i]);
	l->n = 0;
	return rc < 0 ? rc : 0;
}

/* ---- an object that its row does not describe ---- */

/* Can something be read only from it? Then its row must stay. */
static bool is_needed(struct fsck *f, const struct cloud_row *c)
{
	struct pack_row pack;
	uint64_t version;

	if (c->pack)
		return store_pack(f->lake->store, c->pack, &pack) || pack.state == PACK_AWAY;
	return store_cloud_need(f->lake->store, c, &version) != 0;
}

/* The server makes it again from another one with the same content. */
static int copy_back(struct fsck *f, struct tier *t, const struct cloud_row *c)
{
	struct cloud_row from, to = *c;
	struct record *r;
	int rc = store_cloud_elsewhere(f->lake->store, c, &from);

	if (rc || !fsck_repairs(f))
		return rc;
	if (!claim_key(f->work.claims, c->key))
		return -EBUSY;
	rc = cloud_copy(&f->work, t, &from, &to);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	if (!rc) {
		record_cloud_verified(r, &to);
		rc = fsck_record(f, r);
	} else { /* as it was: a stub without a row would be nobody's */
		record_cloud_set(r, c);
		fsck_record(f, r);
	}
	disclaim_key(f->work.claims, c->key);
	return rc;
}

/* The row goes, durably so, unless something needs the object by now. */
static int forget_row(struct fsck *f, const struct cloud_row *c)
{
	struct record *r;
	int rc;

	if (is_needed(f, c))
		return -EBUSY;
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_cloud_remove(r, c);
	rc = fsck_record(f, r);
	if (rc || !is_needed(f, c))
		return rc;
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_cloud_set(r, c);
	rc = fsck_record(f, r);
	return rc ? rc : -EBUSY;
}

/* The same while the file cannot leave: who lets it go has looked at the row before. */
static int forget_row_of_file(struct fsck *f, const struct cloud_row *c)
{
	struct version_row v;
	struct inode *inode;
	int rc;

	if (!c->version || store_version(f->lake->store, c->version, &v) || v.state != VERSION_LIVE ||
	    reach_node(f->lake, v.node, &inode))
		return forget_row(f, c);
	inode_begin_change(inode);
	rc = inode_is_stub(inode) ? -EBUSY : forget_row(f, c);
	inode_after_change(inode);
	inode_unref(f->lake, inode);
	return rc;
}

/* With OURS the object goes, too: it would be taken for right by who uploads the file. */
static int forget(struct fsck *f, struct tier *t, const struct cloud_row *c, bool ours)
{
	struct tier_call call = fsck_call(f);
	const char *key = c->key;
	int rc;

	if (!claim_key(f->work.claims, key))
		return -EBUSY;
	rc = forget_row_of_file(f, c);
	if (!rc && ours)
		rc = tier_remove(t, &key, 1, &call, NULL);
	disclaim_key(f->work.claims, key);
	return rc;
}

int fsck_mend_object(struct fsck *f, struct tier *t, const struct cloud_row *c, bool ours, const char **remedy)
{
	int rc;

	if (!is_needed(f, c)) {
		*remedy = "its record is removed, and the file uploaded again when it is wanted there";
		return !fsck_repairs(f) ? 0 : remote_is_held(f->lake) ? forget(f, t, c, ours) : -EBUSY;
	}
	rc = fsck_repairs(f) && !remote_is_held(f->lake) ? -EBUSY : copy_back(f, t, c);
	*remedy = rc == -ENOENT ? NULL : "it is copied from another object with the same content";
	return rc;
}

static void tell_object(struct listing *l, const struct cloud_row *c, const char *what)
{
	const char *remedy;
	int rc = fsck_mend_object(l->f, l->tier, c, false, &remedy);

	fsck_tell(l->f, rc, c->key, remedy, remedy ? "%s" : "%s, and nothing else has its content", what);
}

static bool is_same(const struct cloud_row *c, const struct tier_head *h)
{
	return h->size == c->stored && (!c->etag[0] || !h->etag[0] || !strcmp(c->etag, h->etag));
}

/* C was read before; the row of now counts, and what the remote says now. 0 or the tier's -errno. */
static int look_again(struct listing *l, const struct cloud_row *seen)
{
	struct tier_call call = fsck_call(l->f);
	struct tier_head head;
	struct cloud_row c;
	int rc = tier_head(l->tier, seen->key, &call, &head);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (store_barrier(l->f->lake->store, 0) || store_cloud_by_key(l->f->lake->store, "", seen->key, &c) ||
	    (c.state != CLOUD_VERIFIED && c.state != CLOUD_FOREIGN) || c.time != seen->time)
		return 0;
	if (rc == -ENOENT)
		tell_object(l, &c, "the object is missing");
	else if (!is_same(&c, &head) && c.state == CLOUD_FOREIGN)
		fsck_note(l->f, c.key, "`tarn sync` takes it in", "somebody else has changed the object");
	else if (!is_same(&c, &head))
		tell_object(l, &c, "the object is another than the one that was uploaded");
	return 0;
}

/* ---- all objects ---- */

static int mark(struct listing *l, uint64_t id)
{
	if (id / 8 >= l->room) {
		size_t room = id / 8 + 4096;
		uint8_t *more = realloc(l->seen, room);

		if (!more)
			return -ENOMEM;
		memset(more + l->room, 0, room - l->room);
		l->seen = more;
		l->room = room;
	}
	l->seen[id / 8] |= (uint8_t)(1u << id % 8);
	return 0;
}

static bool is_marked(const struct listing *l, uint64_t id)
{
	return id / 8 < l->room && l->seen[id / 8] & 1u << id % 8;
}

/* Below .tarn/, made for this lake, and no row names it. */
static int remove_own(struct listing *l, const char *key)
{
	struct work *w = &l->f->work;
	struct tier_call call = fsck_call(l->f);
	struct cloud_row c;
	int rc, result = 0;

	if (!claim_key(w->claims, key))
		return -EBUSY;
	rc = store_barrier(w->lake->store, 0);
	if (!rc)
		rc = store_cloud_by_key(w->lake->store, "", key, &c);
	rc = !rc ? -EBUSY : rc != -ENOENT ? rc : fsck_repairs(l->f) ? tier_remove(l->tier, &key, 1, &call, &result) : 0;
	disclaim_key(w->claims, key);
	return rc ? rc : result;
}

static int check_unknown(struct listing *l, const char *key)
{
	struct fsck *f = l->f;
	struct tier_call call = fsck_call(f);
	const char *own = buf_str(&l->own);
	struct tier_head head;
	int rc;

	if (strncmp(key, own, l->own.len)) {
		l->others++;
		return 0;
	}
	if (!strncmp(key + l->own.len, "meta/", 5) ||
	    !strcmp(key + l->own.len, "lake")) /* work/cloud/backup.c's, the mark */
		return 0;
	rc = tier_head(l->tier, key, &call, &head);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (!cloud_is_ours(f->lake, NULL, &head)) {
		l->others++;
		return 0;
	}
	rc = remove_own(l, key);
	if (rc != -EBUSY)
		fsck_tell(f, rc, key, "it is removed", "an object of this lake that nothing refers to");
	return 0;
}

static int check_entry(struct listing *l, const struct tier_entry *e)
{
	struct cloud_row c;
	int rc = store_cloud_by_key(l->f->lake->store, "", e->key, &c);

	if (rc == -ENOENT)
		return check_unknown(l, e->key);
	if (!rc)
		rc = mark(l, c.id);
	if (!rc && (c.state == CLOUD_VERIFIED || c.state == CLOUD_FOREIGN) && !is_same(&c, &e->head))
		rc = look_again(l, &c);
	return rc;
}

static int check_page(void *arg, const struct tier_entry *entries, int n)
{
	struct listing *l = arg;
	int rc = 0;

	for (int i = 0; i < n && !rc; i++) {
		l->f->result->objects++;
		rc = fsck_stopping(l->f) ? -ECANCELED : check_entry(l, &entries[i]);
	}
	return rc;
}

static int note_unseen(void *arg, const struct cloud_row *c)
{
	struct listing *l = arg;
	bool relied_on = c->state == CLOUD_VERIFIED || c->state == CLOUD_FOREIGN;

	return relied_on && !is_marked(l, c->id) && c->time < l->begun ? add_row(l, c) : fsck_stopping(l->f);
}

static int check_objects(struct listing *l)
{
	struct tier_call call = fsck_call(l->f);
	_cleanup_buf_ struct buf prefix = BUF_INIT;
	struct tier_list list = {.page = check_page, .arg = l};
	int rc;

	l->begun = clock_wall();
	buf_addf(&prefix, "%s%s", tier_prefix(l->tier), tier_prefix(l->tier)[0] ? "/" : "");
	buf_addf(&l->own, "%s" TIER_OWN "/", buf_str(&prefix));
	list.prefix = buf_str(&prefix);
	rc = tier_list(l->tier, &list, &call);
	if (!rc)
		rc = store_cloud_each(l->f->lake->store, 0, 0, note_unseen, l);
	for (size_t i = 0; rc >= 0 && i < l->n && !fsck_stopping(l->f); i++)
		rc = look_again(l, &l->rows[i]);
	if (l->others)
		fsck_note(l->f, tier_url(l->tier), "`tarn sync` takes in those in folders of buckets",
			  "%" PRIu64 " objects are not this lake's", l->others);
	return rc < 0 ? rc : 0;
}

static int check_unfinished(struct listing *l)
{
	struct fsck *f = l->f;
	struct tier_call call = fsck_call(f);
	int64_t older = f->before - ALONE_NS;
	uint64_t n = 0;
	int rc = (fsck_repairs(f) ? tier_sweep : tier_unfinished)(l->tier, tier_prefix(l->tier), older, &call, &n);

	if (n)
		fsck_tell(f, rc, tier_url(l->tier), "they are removed", "%" PRIu64 " uploads in parts that did not end",
			  n);
	return rc;
}

/* Can it be asked at all? One that is away makes nobody wait for long. */
static int knock(struct fsck *f, struct tier *t)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct tier_call call = fsck_call(f);
	int rc;

	call.patience = KNOCK_NS;
	rc = t ? tier_check(t, &call, &why) : -ENODEV;
	if (!rc && fsck_repairs(f))
		rc = remote_hold(f->lake, &call);
	return rc == -EBUSY ? -EACCES : rc; /* another lake's */
}

int fsck_cloud(struct fsck *f)
{
	_cleanup_tier_ struct tier *tier = f->options->remote ? lake_tier(f->lake) : NULL;
	_cleanup_(release) struct listing l = {.f = f, .tier = tier, .own = BUF_INIT};
	int rc = f->options->remote ? knock(f, tier) : 0;

	if (!rc)
		rc = check_begun(&l);
	if (!rc && tier)
		rc = check_objects(&l);
	if (!rc && tier)
		rc = check_unfinished(&l);
	return rc;
}
