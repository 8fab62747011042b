/*
 * One file's way to the cloud.
 *
 *	new	the version is the live one and settled; its key is claimed; what lies there is spared or known to be
 *		ours; a small file is read, a large one hashed. The intent is recorded, and becomes durable
 *	send	put, with the hash of every byte, then asked again: the object must have that size, hash and ETag. A
 *		small one is not asked again when the ETag in the answer is the MD5 of its bytes. Only then is it
 *		recorded as verified
 *
 * Where its bucket says compress: zstd, and samples say that it gains something, the object is made as
 * content/cloud/frames.h says, and has another name (tier/key.h).
 *
 * A crash in between leaves an intent: the next upload under that key looks what is there, and uses it when it is the
 * very content. An object belongs to the version whose bytes were read: that these are its bytes is known by its hash,
 * or because nobody could write meanwhile (content/cloud/holding.h). Never is an object verified for another version.
 *
 * What somebody else put under the key of a file is not overwritten: the file's object then lies among
 * .tarn/objects/, until that key is free.
 *
 * The name may change while the file is on its way. A rename that finds an intent has the object follow
 * (meta/apply/apply_cloud.c); one that came before that is looked for here.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/full_io.h"
#include "base/log.h"
#include "content/cloud/frames.h"
#include "content/hash.h"
#include "content/cloud/holding.h"
#include "content/reach.h"
#include "content/cloud/stub.h"
#include "work/cloud/cloud.h"

#define COMPRESSED_FROM 1024 /* bytes; below there is nothing to gain */

struct parcel {
	struct work *work;
	struct lake *lake;
	struct tier *tier; /* with a reference */
	struct version_row version;
	struct cloud_row row;
	bool claimed;
	bool there;		/* perhaps already: an earlier upload of it did not end */
	bool is_free;		/* nothing lies under its key, as far as is known */
	bool fresh;		/* its hash was not known before */
	bool elsewhere;		/* not under the key of its name: somebody else's object lies there */
	bool renamed;		/* it had another name before the intent was recorded */
	char *bytes;		/* of a small file; that which is sent */
	struct holding holding; /* of a large one */
	struct frames *frames;	/* the object, when it is compressed */
	struct tier_call call;
};

uint64_t parcel_size(const struct parcel *p)
{
	return p->version.size;
}

void parcel_free(struct parcel *p)
{
	if (!p)
		return;
	holding_end(p->lake, &p->holding);
	if (p->claimed)
		disclaim_key(p->work->claims, p->row.key);
	tier_unref(p->tier);
	frames_free(p->frames);
	free(p->bytes);
	free(p);
}

static bool must_let_go(void *arg)
{
	struct parcel *p = arg;

	return work_stopping(p->work) || holding_is_wanted(&p->holding);
}

/* Its content, while it is held. */
static ssize_t read_held(void *arg, void *to, size_t len, uint64_t at)
{
	struct parcel *p = arg;
	ssize_t n;

	if (must_let_go(p))
		return -ECANCELED;
	n = pread(p->holding.fd, to, len, (off_t)at);
	return n < 0 ? -errno : n;
}

static bool claim(struct parcel *p)
{
	p->claimed = claim_key(p->work->claims, p->row.key);
	return p->claimed;
}

/* ---- its key ---- */

/* Is the file compressed there? As its bucket says, when that gains something. 1, 0, or -errno as holding_begin(). */
static int is_compressed(struct parcel *p)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct tier_source content = {.size = p->version.size, .read = read_held, .arg = p};
	struct bucket *bucket;
	int rc = p->version.size < COMPRESSED_FROM ? 0 : store_path(p->lake->store, p->version.node, &path);

	if (rc || !path.len)
		return rc == -ENOENT ? 0 : rc;
	*strchrnul(path.data, '/') = '\0';
	rc = lake_bucket(p->lake, path.data, &bucket);
	if (rc < 0 || !bucket_policy(bucket)->compress)
		return rc;
	rc = holding_begin(p->lake, p->version.node, p->version.id, &p->holding);
	if (!rc)
		rc = frames_gain(&content);
	if (rc == -ECANCELED)
		rc = -EAGAIN;
	return !holding_end(p->lake, &p->holding) && rc >= 0 ? -ESTALE : rc;
}

/* Where it goes, and how. 1: nowhere. */
static int find_key(struct parcel *p)
{
	int rc = is_compressed(p);

	if (rc < 0)
		return rc;
	p->row.compress = rc;
	rc = cloud_key_by_name(p->lake, p->tier, p->version.node, rc, p->row.key);
	if (rc == CLOUD_NAME_TAKEN) {
		p->row.compress = 0;
		rc = cloud_key_by_name(p->lake, p->tier, p->version.node, false, p->row.key);
	}
	return rc;
}

/* Somebody else's object lies under its name: it goes among those that are named by their content. */
static int use_other_key(struct parcel *p)
{
	if (p->claimed)
		disclaim_key(p->work->claims, p->row.key);
	p->claimed = false;
	p->elsewhere = true;
	return cloud_key_of_version(p->tier, p->version.id, p->row.compress, p->row.key) ? -ENAMETOOLONG
	       : claim(p)								 ? 0
											 : -EAGAIN;
}

/* Is what lies under the key what the store knows of it? 1, 0: somebody else's, -ENOENT: nothing; -errno. */
static int is_known(struct parcel *p, const struct cloud_row *known)
{
	struct tier_head head;
	int rc = tier_head(p->tier, known->key, &p->call, &head);

	return rc < 0 ? rc : cloud_is_ours(p->lake, known, &head);
}

/* What lies under the key now. 0: it may be used; 1: the content is there; -errno. */
static int make_way(struct parcel *p)
{
	struct cloud_row known;
	int rc = store_cloud_by_key(p->lake->store, "", p->row.key, &known);

	p->is_free = rc == -ENOENT;
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (known.version == p->version.id && (known.state == CLOUD_VERIFIED || known.state == CLOUD_FOREIGN))
		return 1;
	p->there = known.version == p->version.id;
	if (known.state != CLOUD_INTENT)
		rc = cloud_spare(p->work, p->tier, &known);
	if (rc == -ENOENT ||
	    rc == -ESTALE) /* it is not there, or another: what should be done about it is not said here */
		return use_other_key(p);
	if (!rc)
		rc = is_known(p, &known);
	p->is_free = rc == -ENOENT;
	if (rc == 0)
		return use_other_key(p);
	return rc == -ENOENT || rc == 1 ? 0 : rc;
}

/* ---- its bytes ---- */

static int read_small(struct parcel *p)
{
	size_t size = p->version.size;
	ssize_t n;

	p->bytes = malloc(size ? size : 1);
	if (!p->bytes)
		return -ENOMEM;
	n = read_full_at(p->holding.fd, p->bytes, size, 0);
	if (n != (ssize_t)size)
		return n < 0 ? (int)n : -ESTALE;
	if (!p->version.hashed)
		hash_bytes(p->bytes, size, p->row.sha256);
	return 0;
}

static int hash_large(struct parcel *p)
{
	uint64_t bytes;
	int rc = hash_fd(p->holding.fd, must_let_go, p, p->row.sha256, &bytes);

	return rc == -ECANCELED ? -EAGAIN : rc ? rc : bytes == p->version.size ? 0 : -ESTALE;
}

/* A small object is made at once; of a large one it is known how long it will be. */
static int compress(struct parcel *p, bool small)
{
	struct tier_source content = {.size = p->version.size, .read = read_held, .arg = p};
	int rc = frames_new(&content, p->row.sha256, &p->frames);
	size_t size = 0;

	if (!rc && p->version.hashed && memcmp(p->row.sha256, p->version.sha256, SHA256_BYTES) != 0)
		rc = -ESTALE;
	if (!rc && small) {
		size = frames_size(p->frames);
		p->bytes = malloc(size);
		rc = p->bytes ? 0 : -ENOMEM;
	}
	for (size_t at = 0; !rc && at < size;) {
		ssize_t n = frames_read(p->frames, p->bytes + at, size - at, at);

		rc = n < 0 ? (int)n : n ? 0 : -EIO;
		at += n > 0 ? (size_t)n : 0;
	}
	return rc == -ECANCELED ? -EAGAIN : rc;
}

/* What is held, so that its hash is known, and what is sent. */
static int look_through(struct parcel *p, bool small)
{
	if (p->row.compress)
		return compress(p, small);
	if (p->version.hashed)
		memcpy(p->row.sha256, p->version.sha256, SHA256_BYTES);
	if (small)
		return read_small(p);
	return p->version.hashed ? 0 : hash_large(p);
}

static int read_it(struct parcel *p)
{
	int rc = holding_begin(p->lake, p->version.node, p->version.id, &p->holding);
	bool small = p->version.size <= PARCEL_SMALL;

	if (rc < 0)
		return rc;
	if ((uint64_t)p->holding.st.st_size != p->version.size)
		return -ESTALE;
	rc = look_through(p, small);
	p->fresh = !p->version.hashed;
	/* a large one is read again when it is sent: the hash says whether these are the same bytes */
	if (!rc && (small || p->fresh)) {
		struct holding again = {.fd = -1};

		if (!holding_end(p->lake, &p->holding))
			return -ESTALE;
		if (!small)
			rc = holding_begin(p->lake, p->version.node, p->version.id, &again);
		p->holding = again;
	}
	return rc;
}

/* Has the version an object already, wherever? One that is kept under another key is moved, not sent again. */
static int is_uploaded(struct parcel *p)
{
	struct cloud_row known;
	int rc = store_cloud_of_version(p->lake->store, p->version.id, &known);

	return rc == -ENOENT ? 0 : rc ? rc : 1;
}

int parcel_new(struct work *w, struct tier *t, const struct upload *u, struct record *r, struct parcel **out)
{
	struct parcel *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	*p = (struct parcel){.work = w, .lake = w->lake, .tier = tier_ref(t), .call = cloud_call(w)};
	p->holding.fd = -1;
	rc = store_version(w->lake->store, u->version, &p->version);
	if (!rc && (p->version.state != VERSION_LIVE || !p->version.settled))
		rc = 1;
	if (!rc)
		rc = is_uploaded(p);
	if (!rc)
		rc = find_key(p);
	if (!rc)
		rc = claim(p) ? make_way(p) : -EAGAIN;
	if (!rc)
		rc = read_it(p);
	if (rc) {
		parcel_free(p);
		return rc == -ENOENT || rc == -ESTALE ? 1 : rc;
	}
	p->row.version = p->version.id;
	p->row.size = p->version.size;
	p->row.stored = p->frames ? frames_size(p->frames) : p->version.size;
	p->row.hashed = true;
	p->row.state = CLOUD_INTENT;
	record_cloud_set(r, &p->row);
	*out = p;
	return 0;
}

int parcel_check(struct parcel *p)
{
	char now[CLOUD_KEY_BYTES + 1];
	int rc = cloud_has_intent(p->lake, &p->row);

	if (!rc && !p->elsewhere)
		p->renamed = !cloud_key_by_name(p->lake, p->tier, p->version.node, p->row.compress, now) &&
			     strcmp(now, p->row.key) != 0;
	return rc;
}

/* ---- sending ---- */

static ssize_t source(void *arg, void *to, size_t len, uint64_t at)
{
	struct parcel *p = arg;
	size_t n;

	if (!p->bytes)
		return p->frames ? frames_read(p->frames, to, len, at) : read_held(p, to, len, at);
	n = at < p->row.stored ? p->row.stored - at : 0;
	n = n < len ? n : len;
	memcpy(to, p->bytes + at, n);
	return (ssize_t)n;
}

static struct tier_facts facts_of(const struct parcel *p)
{
	const struct version_row *v = &p->version;
	struct tier_facts f = {
		.known = TIER_KNOWS_SHA256 | TIER_KNOWS_SIZE | TIER_KNOWS_VERSION | TIER_KNOWS_MODE | TIER_KNOWS_UID |
			 TIER_KNOWS_GID | TIER_KNOWS_MTIME,
		.size = v->size,
		.lake = p->lake->id,
		.node = v->node,
		.version = v->number,
		.mode = v->mode & 07777,
		.uid = v->uid,
		.gid = v->gid,
		.mtime = v->mtime,
		.zstd = p->row.compress,
	};

	memcpy(f.sha256, p->row.sha256, SHA256_BYTES);
	return f;
}

static int put(struct parcel *p, struct tier_head *head)
{
	uint8_t made[SHA256_BYTES];
	struct tier_put put = {
		.key = p->row.key,
		.source = {.size = p->row.stored, .read = source, .arg = p},
		.facts = facts_of(p),
		.sha256 = p->frames ? made : p->row.sha256,
		.if_none_match = p->is_free,
	};

	if (p->frames)
		frames_sha256(p->frames, made);
	return tier_put(p->tier, &put, &p->call, head);
}

/* Somebody's object is there, which nobody told us of. The intent for that key was never used. */
static int put_elsewhere(struct parcel *p, struct tier_head *head)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	int rc;

	log_warning("the cloud has another object under the key %s: it stays, and the file's goes elsewhere",
		    p->row.key);
	record_cloud_remove(r, &p->row);
	rc = use_other_key(p);
	if (rc < 0) {
		record_free(r);
		return rc;
	}
	record_cloud_set(r, &p->row);
	rc = cloud_record(p->lake, r);
	if (!rc)
		rc = cloud_has_intent(p->lake, &p->row);
	p->is_free = false;
	return rc ? rc : put(p, head);
}

static int verify(struct parcel *p, const struct tier_head *put, struct tier_head *head)
{
	int rc;

	if (p->bytes && tier_etag_is_of(put->etag, p->bytes, p->row.stored)) { /* it told what it has */
		*head = *put;
		return 0;
	}
	rc = tier_head(p->tier, p->row.key, &p->call, head);
	if (rc < 0)
		return rc;
	if (cloud_is(head, &p->row) && (!put->etag[0] || !strcmp(put->etag, head->etag)))
		return 0;
	log_error("the cloud does not have what was sent to it under the key %s", p->row.key);
	return -EIO;
}

static void record_sent(struct parcel *p, const struct tier_head *head, struct record *r)
{
	cloud_note_head(&p->row, head);
	if (p->fresh)
		record_version_facts_of(r, p->version.id, p->version.size, p->row.sha256, NULL);
	record_cloud_verified(r, &p->row);
	if (p->renamed)
		record_job_add(r, JOB_MOVE_KEY, p->version.node, clock_wall());
}

int parcel_send(struct parcel *p, struct record *r)
{
	struct tier_head sent = {0}, head = {0};
	int rc = 0;

	if (p->there && !tier_head(p->tier, p->row.key, &p->call, &head) && cloud_is(&head, &p->row)) {
		record_sent(p, &head, r);
		return 0;
	}
	cloud_step(STEP_INTENT);
	rc = put(p, &sent);
	cloud_step(STEP_SENT);
	if (rc == -EEXIST && !tier_head(p->tier, p->row.key, &p->call, &head) && cloud_is(&head, &p->row) &&
	    head.facts.lake == p->lake->id)
		rc = 0; /* the put was answered late, and tried again */
	else if (rc == -EEXIST)
		rc = put_elsewhere(p, &sent);
	if (!rc)
		rc = verify(p, &sent, &head);
	cloud_step(STEP_LOOKED);
	if (!rc)
		record_sent(p, &head, r);
	return rc;
}

/* ---- and away from here ---- */

int release_node(struct work *w, uint64_t node, uint64_t size)
{
	struct inode *inode;
	int rc = remote_is_held(w->lake) ? reach_node(w->lake, node, &inode) : -EAGAIN;

	if (rc < 0)
		return rc;
	rc = stub_evict(w->lake, inode);
	inode_unref(w->lake, inode);
	if (!rc) {
		atomic_fetch_add(&w->lake->cloud.released, 1);
		atomic_fetch_add(&w->lake->cloud.released_bytes, size);
	}
	return rc;
}
