#include "work/fsck/scrub.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/cloud/frames.h"
#include "content/hash.h"
#include "content/mend.h"
#include "content/pack/packs.h"
#include "content/past/past.h"
#include "content/cloud/stub.h"
#include "work/fsck/fsck_int.h"

#define BATCH 32
#define NICE 19
#define PAUSE_NS (50 * NSEC_PER_MSEC)
#define LIST_BYTES (64 * 1024)

struct scrub {
	struct fsck fsck; /* for telling, and for what it knows of the cloud */
	struct fsck_options options;
	struct fsck_result result;
	struct lake *lake;
	const struct scrub_options *o;
	struct scrub_state *state;
	struct tier *tier;
	struct buf list;      /* of what is damaged, a line each */
	int64_t begun, until; /* monotonic */
	uint64_t read;	      /* by this step… */
	uint64_t in_hand;     /* …and of the content in hand, to the next piece */
};

/* ---- at its ease ---- */

/* Asked before each piece of HASH_PIECE. */
static bool must_stop(void *arg)
{
	struct scrub *s = arg;
	uint64_t read = s->read + s->in_hand;
	int64_t due = s->o->rate ? s->begun + (int64_t)((double)read / (double)s->o->rate * NSEC_PER_SEC) : 0;

	s->in_hand += HASH_PIECE;
	while (clock_monotonic() < due && !fsck_stopping(&s->fsck))
		work_sleep(&s->fsck.work, PAUSE_NS);
	return fsck_stopping(&s->fsck);
}

/* A content of SIZE bytes was read. */
static void was_read(struct scrub *s, uint64_t size)
{
	s->state->files++;
	s->read += size;
	s->in_hand = 0;
}

static bool is_over(struct scrub *s)
{
	return fsck_stopping(&s->fsck) || clock_monotonic() >= s->until;
}

/* ---- what was found ---- */

static void tell(struct scrub *s, int rc, const char *place, const char *remedy, const char *what)
{
	bool repaired = !rc && remedy;

	fsck_tell(&s->fsck, rc, place, remedy, "%s", what);
	if (!repaired && s->list.len < LIST_BYTES)
		buf_addf(&s->list, "%s: %s\n", place, what);
	s->state->damaged += !repaired;
	s->state->repaired += repaired;
	if (repaired)
		log_warning("scrub: %s: %s: %s", place, what, remedy);
	else
		log_error("scrub: %s: %s, and nothing else has its content", place, what);
}

static void tell_version(struct scrub *s, const struct version_row *v, int rc, const char *remedy, const char *what)
{
	_cleanup_buf_ struct buf place = BUF_INIT;

	fsck_name_version(&s->fsck, v, &place);
	tell(s, rc, buf_str(&place), remedy, what);
}

/* ---- putting right ---- */

static int mend_by_copy(struct scrub *s, const struct version_row *v, int fd)
{
	struct inode *inode;
	int rc;

	if (v->state != VERSION_LIVE)
		return v->how == HOW_PACKED ? mend_unpack(s->lake, v, fd) : mend_kept(s->lake, v, fd);
	rc = reach_node(s->lake, v->node, &inode);
	if (rc)
		return rc;
	rc = mend_live(s->lake, inode, v, fd);
	inode_unref(s->lake, inode);
	return rc;
}

/* Its bytes, from elsewhere, take the place of what is damaged. */
static void mend(struct scrub *s, const struct version_row *v, const char *what)
{
	struct volume *volume = reach_volume(s->lake, v->volume);
	_cleanup_close_ int fd = -1;
	const char *remedy = NULL;
	int rc = -ENOENT;

	if (v->how == HOW_UNDO || v->how == HOW_PREFIX)
		rc = fsck_other_copy(&s->fsck, v, &remedy);
	else if (volume)
		rc = mend_find(s->lake, volume, v, must_stop, s, &fd);
	if (rc == -ECANCELED)
		return; /* it is found again */
	if (!rc && fd >= 0) {
		remedy = "its bytes were put right from another copy";
		rc = mend_by_copy(s, v, fd);
	}
	tell_version(s, v, rc, remedy, what);
}

/* ---- files ---- */

/* Nobody changed the file since, by the mount or behind it. */
static bool is_unchanged(struct scrub *s, const struct version_row *v)
{
	struct inode *inode;
	struct stat st;
	bool same = false;

	if (reach_node(s->lake, v->node, &inode))
		return false;
	if (!inode_is_stub(inode) && !inode_stat(s->lake, inode, &st)) {
		SCOPED_LOCK(&inode->lock);

		same = inode->version == v->id && !inode->dirty && !inode->writers && !inode->base_unsure &&
		       inode_is_clean_locked(inode, &st);
	}
	inode_unref(s->lake, inode);
	return same;
}

/* Is V still what it was when its row was read? */
static bool is_still(struct scrub *s, const struct version_row *v)
{
	struct version_row now;

	if (store_barrier(s->lake->store, 0) || store_version(s->lake->store, v->id, &now))
		return false;
	return now.state == v->state && now.how == v->how && now.size == v->size && now.hashed &&
	       !memcmp(now.sha256, v->sha256, SHA256_BYTES) && (v->state != VERSION_LIVE || is_unchanged(s, &now));
}

/* 0: it is right; 1: it is damaged; -ECANCELED; -EAGAIN: it cannot be told now. */
static int read_version(struct scrub *s, const struct version_row *v)
{
	uint8_t sha256[SHA256_BYTES];
	struct past *p = NULL;
	int rc = past_open(s->lake, v, &p);

	if (!rc)
		rc = hash_past(p, must_stop, s, sha256);
	past_close(p);
	if (!rc && !memcmp(sha256, v->sha256, SHA256_BYTES))
		return 0;
	if (rc == -ECANCELED || fsck_stopping(&s->fsck))
		return -ECANCELED;
	if (rc && rc != -EIO && rc != -ENOENT && rc != -EUCLEAN)
		return -EAGAIN;
	return is_still(s, v) ? 1 : -EAGAIN;
}

/* Older versions that are read through a file that is damaged. */
static int check_older(void *arg, const struct version_row *v)
{
	struct scrub *s = arg;
	int rc;

	if ((v->state != VERSION_KEPT && v->state != VERSION_PARTIAL) || (v->how != HOW_PREFIX && v->how != HOW_UNDO) ||
	    !v->settled || !v->hashed || !v->size)
		return 0;
	rc = read_version(s, v);
	if (rc == 1)
		mend(s, v, "its content is not what it was");
	return rc == -ECANCELED ? rc : 0;
}

/* 0, or -ECANCELED: it is to be read again. */
static int scrub_version(struct scrub *s, const struct version_row *v)
{
	struct node_row n;
	int rc = 0;

	if (!reach_volume(s->lake, v->volume)) /* its disk is not there now */
		return 0;
	if (v->state == VERSION_LIVE && (store_node(s->lake->store, v->node, &n) || n.stub || n.version != v->id))
		return 0;
	/* A prefix has no bytes of its own: those are read with the version that it is a prefix of. */
	if (v->state != VERSION_LIVE && (v->how == HOW_PACKED || v->how == HOW_CLOUD || v->how == HOW_PREFIX))
		return 0;
	rc = read_version(s, v);
	if (rc == -ECANCELED)
		return rc;
	was_read(s, v->size);
	if (rc != 1)
		return 0;
	mend(s, v, "its content is not what it was");
	return v->how == HOW_UNDO ? 0 : store_versions_of_node(s->lake->store, v->node, 0, check_older, s);
}

struct batch {
	struct version_row *rows;
	int n;
};

static int note_version(void *arg, const struct version_row *v)
{
	struct batch *b = arg;

	b->rows[b->n++] = *v;
	return 0;
}

static int scrub_files(struct scrub *s)
{
	_cleanup_free_ struct version_row *rows = calloc(BATCH, sizeof(*rows));
	struct batch b = {.rows = rows};
	int rc = rows ? store_versions_hashed(s->lake->store, s->state->at, BATCH, note_version, &b) : -ENOMEM;

	for (int i = 0; rc >= 0 && i < b.n && !is_over(s); i++) {
		rc = scrub_version(s, &rows[i]);
		if (rc >= 0)
			s->state->at = rows[i].id;
	}
	if (rc >= 0 && !b.n) {
		s->state->phase = SCRUB_PACKS;
		s->state->at = 0;
	}
	return rc < 0 ? rc : 0;
}

/* ---- packs ---- */

static int mend_packed(void *arg, const struct version_row *v)
{
	struct scrub *s = arg;
	struct record *r;

	if (v->state != VERSION_LIVE) {
		mend(s, v, "its content in a pack is damaged");
		return 0;
	}
	r = record_new(OP_SYSTEM, RUN_TARN, 0, v->node, 0, NULL); /* it is kept again before it is overwritten */
	record_version_how(r, v->id, HOW_NONE, 0);
	tell_version(s, v, fsck_record(&s->fsck, r), "the file itself has it", "its content in a pack is damaged");
	return 0;
}

struct objects {
	struct object_row *rows;
	size_t n, room;
};

static int note_object(void *arg, const struct object_row *o)
{
	struct objects *all = arg;

	if (array_grow(&all->rows, all->n, &all->room, sizeof(*all->rows)))
		return -ENOMEM;
	all->rows[all->n++] = *o;
	return 0;
}

static int scrub_object(struct scrub *s, const struct object_row *o)
{
	_cleanup_object_ struct pack_object *object = NULL;
	struct object_row now;
	int rc = pack_open(s->lake, o->sha256, &object);

	/* A pack in the cloud is read as an object of that; what builds on one is not brought back for this. */
	if (rc ? rc != -EIO || pack_is_away(s->lake, o->sha256) : !pack_object_is_here(object))
		return 0;
	if (!rc)
		rc = pack_object_verify(object, must_stop, s);
	if (rc == -ECANCELED)
		return rc;
	was_read(s, o->size);
	if (!rc || store_object(s->lake->store, o->sha256, &now)) /* or nobody needs it any more */
		return 0;
	rc = store_versions_packed(s->lake->store, o->sha256, mend_packed, s);
	return rc < 0 ? rc : 0;
}

static int next_pack(void *arg, const struct pack_row *p)
{
	struct pack_row *at = arg;

	if (p->id <= at->id)
		return 0;
	*at = *p;
	return 1;
}

static int scrub_packs(struct scrub *s)
{
	struct objects all = {0};
	struct pack_row pack = {.id = s->state->at};
	int rc = store_packs(s->lake->store, next_pack, &pack), found = rc;

	if (rc > 0 && (pack.state == PACK_AWAY || !reach_volume(s->lake, pack.volume)))
		rc = 0; /* it is read as an object in the cloud; its disk is not there now */
	else if (rc > 0)
		rc = store_objects(s->lake->store, pack.id, note_object, &all);
	for (size_t i = 0; !rc && i < all.n; i++)
		rc = scrub_object(s, &all.rows[i]);
	free(all.rows);
	if (rc < 0)
		return rc;
	s->state->at = pack.id;
	if (!found) {
		s->state->phase = s->state->cloud ? SCRUB_CLOUD : SCRUB_DONE;
		s->state->at = 0;
	}
	return 0;
}

/* ---- the cloud ---- */

struct body {
	struct scrub *scrub;
	EVP_MD_CTX *md;
	uint64_t since; /* bytes since must_stop() was asked */
};

static int take_body(void *arg, const void *bytes, size_t len)
{
	struct body *b = arg;

	b->since += len;
	while (b->since >= HASH_PIECE) {
		b->since -= HASH_PIECE;
		if (must_stop(b->scrub))
			return -ECANCELED;
	}
	return EVP_DigestUpdate(b->md, bytes, len) == 1 ? 0 : -EIO;
}

/* 0; 1: it is damaged; -errno. */
static int read_cloud(struct scrub *s, const struct cloud_row *c)
{
	struct tier_call call = fsck_call(&s->fsck);
	struct body body = {.scrub = s, .md = EVP_MD_CTX_new()};
	uint8_t sha256[SHA256_BYTES];
	int rc = body.md && EVP_DigestInit_ex(body.md, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;

	if (!rc)
		rc = frames_get_whole(s->tier, c, take_body, &body, &call);
	if (!rc && EVP_DigestFinal_ex(body.md, sha256, NULL) != 1)
		rc = -EIO;
	EVP_MD_CTX_free(body.md);
	return rc == -EBADMSG ? 1 : rc ? rc : memcmp(sha256, c->sha256, SHA256_BYTES) != 0;
}

static int scrub_cloud_object(struct scrub *s, const struct cloud_row *seen)
{
	struct cloud_row c;
	const char *remedy;
	int rc = read_cloud(s, seen);

	/* archived: bringing it back costs; another one by now, or gone: that is fsck's */
	if (rc == -ENODATA || rc == -ESTALE || rc == -ENOENT)
		return 0;
	if (rc < 0)
		return rc;
	was_read(s, seen->stored);
	if (!rc || store_barrier(s->lake->store, 0) || store_cloud_by_key(s->lake->store, "", seen->key, &c) ||
	    c.state != seen->state || c.time != seen->time)
		return 0;
	remote_hold(s->lake, NULL);
	rc = fsck_mend_object(&s->fsck, s->tier, &c, true, &remedy);
	tell(s, rc, c.key, remedy, "the object is damaged");
	return 0;
}

struct cloud_batch {
	struct cloud_row *rows;
	int n;
};

static int note_cloud(void *arg, const struct cloud_row *c)
{
	struct cloud_batch *b = arg;

	b->rows[b->n++] = *c;
	return b->n == BATCH;
}

static int scrub_cloud(struct scrub *s)
{
	_cleanup_free_ struct cloud_row *rows = calloc(BATCH, sizeof(*rows));
	struct cloud_batch b = {.rows = rows};
	int rc = rows ? store_cloud_each(s->lake->store, 0, s->state->at, note_cloud, &b) : -ENOMEM;

	for (int i = 0; rc >= 0 && i < b.n && !is_over(s); i++) {
		const struct cloud_row *c = &rows[i];

		rc = 0;
		if (!c->remote[0] && c->state == CLOUD_VERIFIED && c->hashed)
			rc = s->tier ? scrub_cloud_object(s, c) : -ENODEV;
		if (!rc)
			s->state->at = c->id;
	}
	if (rc >= 0 && !b.n)
		s->state->phase = SCRUB_DONE;
	return rc < 0 ? rc : 0;
}

/* ---- steps ---- */

static void begin_anew(struct scrub *s)
{
	*s->state = (struct scrub_state){
		.phase = SCRUB_FILES, .cloud = s->o->cloud, .begun = clock_wall(), .last = s->state->last};
	buf_clear(&s->list);
}

static int step(struct scrub *s)
{
	switch (s->state->phase) {
	case SCRUB_FILES:
		return scrub_files(s);
	case SCRUB_PACKS:
		return scrub_packs(s);
	case SCRUB_CLOUD:
		return scrub_cloud(s);
	case SCRUB_NEVER:
	case SCRUB_DONE:
		break;
	}
	return 0;
}

static int keep_state(struct scrub *s)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	int rc;

	if (s->state->phase == SCRUB_DONE)
		s->state->last = clock_wall();
	s->state->bytes += s->read;
	scrub_state_record(r, s->state, &s->list);
	rc = store_submit(s->lake->store, r, NULL);
	return rc ? rc : store_barrier(s->lake->store, 0);
}

static void set_up(struct scrub *s)
{
	s->options = (struct fsck_options){
		.repair = true, .stop = s->o->stop, .work = s->o->work, .tell = s->o->tell, .arg = s->o->arg};
	s->fsck = (struct fsck){.lake = s->lake, .options = &s->options, .result = &s->result};
	s->begun = clock_monotonic();
	s->until = s->begun + s->o->budget;
	s->tier = lake_tier(s->lake);
}

int scrub_step(struct lake *lake, const struct scrub_options *o, struct scrub_state *state)
{
	static atomic_flag busy = ATOMIC_FLAG_INIT;
	struct scrub s = {.lake = lake, .o = o, .state = state, .list = BUF_INIT};
	int rc, kept;

	*state = (struct scrub_state){0};
	if (lake->read_only)
		return -EROFS;
	if (atomic_flag_test_and_set(&busy))
		return -EBUSY;
	work_be_nice(NICE); /* says why no idle priority: a writer may wait for who reads an older version */
	set_up(&s);
	rc = fsck_begin(&s.fsck);
	if (!rc)
		rc = scrub_state_read(lake->store, state, &s.list);
	if (!rc && (o->anew || state->phase == SCRUB_NEVER || state->phase == SCRUB_DONE))
		begin_anew(&s);
	while (!rc && state->phase != SCRUB_DONE && !is_over(&s))
		rc = step(&s);
	kept = state->phase == SCRUB_NEVER ? 0 : keep_state(&s);
	fsck_end(&s.fsck);
	if (s.tier)
		tier_unref(s.tier);
	buf_release(&s.list);
	atomic_flag_clear(&busy);
	return rc ? rc : kept;
}
