#include "content/past/base.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "content/past/chain.h"
#include "content/cut.h"
#include "content/hash.h"
#include "content/past/kept.h"
#include "content/past/past.h"

/* A lake key: this node's base could be changed unseen. */
static void unsure_key(uint64_t node, char key[32])
{
	snprintf(key, 32, "unsure.%" PRIx64, node);
}

/* ---- losing ---- */

static const char *reason_of(int err)
{
	switch (err) {
	case -EFBIG:
		return "changes in place take more than half of the history budget";
	case -ENOSPC:
	case -EDQUOT:
		return "no space to save what is overwritten in place";
	case -EACCES:
		return "overwritten in place, and its owner may not read it";
	default:
		return "what is overwritten in place could not be saved";
	}
}

/* Nothing is known of what was saved: all that is read through the raw file is lost. */
static void lose_unknown(struct lake *lake, struct inode *inode, const char *reason)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, inode->id, 0, NULL);
	uint64_t commit;

	if (store_barrier(lake->store, 0) < 0 || kept_lose_raw(lake, inode->id, reason, r) < 0)
		log_error("node %" PRIu64 ": the versions that are lost cannot be found", inode->id);
	if (!store_submit(lake->store, r, &commit)) {
		inode_submitted(inode, commit);
		store_sync(lake->store, commit);
	}
	SCOPED_LOCK(&inode->lock);
	inode->version = 0;
}

static void lose(struct lake *lake, struct inode *inode, const char *reason)
{
	struct chain *c;

	if (chain_of(lake, inode, &c) < 0) {
		lose_unknown(lake, inode, reason);
		return;
	}
	chain_lose(lake, inode, c, reason);
	chain_unref(c);
}

bool base_is_wanted(struct lake *lake, struct inode *inode)
{
	bool named;

	pthread_mutex_lock(&inode->lock);
	named = !inode->name || cut_keeps_base(inode, inode->parent, inode->name);
	pthread_mutex_unlock(&inode->lock);
	return named || kept_needs_raw(lake, inode);
}

void base_save(struct lake *lake, struct inode *inode, uint64_t from, uint64_t to)
{
	struct chain *c;
	int rc = chain_of(lake, inode, &c);

	if (rc < 0) {
		lose_unknown(lake, inode, reason_of(rc));
		return;
	}
	if (chain_has(c, from, to)) {
		chain_unref(c);
		return;
	}
	if (!base_is_wanted(lake, inode)) {
		chain_lose(lake, inode, c, "excluded or temporary name");
		chain_unref(c);
		return;
	}
	rc = chain_save(lake, inode, c, from, to);
	if (rc < 0) {
		log_warning("node %" PRIu64 ": what is overwritten cannot be saved: %s", inode->id, strerror(-rc));
		chain_lose(lake, inode, c, reason_of(rc));
	}
	chain_unref(c);
}

/* ---- being unsure ---- */

static int submit_unsure(struct lake *lake, struct inode *inode, bool unsure, uint64_t *commit)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, inode->id, 0, NULL);
	char key[32];

	unsure_key(inode->id, key);
	record_lake(r, key, unsure ? "1" : NULL, unsure);
	return store_submit(lake->store, r, commit);
}

int base_note_unsure(struct lake *lake, struct inode *inode)
{
	uint64_t commit;
	int rc = submit_unsure(lake, inode, true, &commit);

	return rc ? rc : store_sync(lake->store, commit);
}

/* Could it be changed unseen, or is it only that a crash ended its writers? */
static bool was_unseen(struct lake *lake, uint64_t node)
{
	_cleanup_buf_ struct buf value = BUF_INIT;
	char key[32];

	unsure_key(node, key);
	return store_lake(lake->store, key, &value) != -ENOENT;
}

/* 0 it has its hash, 1 it has not, or -errno. */
static int compare(struct lake *lake, struct inode *inode, const struct version_row *v, bool (*stop)(void *arg),
		   void *arg)
{
	uint8_t sha256[SHA256_BYTES];
	struct past *p;
	int rc = past_open_unsure(lake, v, inode, &p);

	if (!rc) {
		rc = hash_past(p, stop, arg, sha256);
		past_close(p);
	}
	if (rc == -EIO || rc == -ENOENT)
		return 1;
	return rc ? rc : memcmp(sha256, v->sha256, sizeof(sha256)) != 0;
}

static int judge(struct lake *lake, struct inode *inode, uint64_t version, bool (*stop)(void *arg), void *arg)
{
	struct version_row v;
	struct chain *c;
	int rc = store_version(lake->store, version, &v);

	if (rc < 0)
		return rc == -ENOENT ? 1 : rc;
	rc = chain_of(lake, inode, &c); /* what was saved before a crash counts from now on */
	if (rc < 0)
		return 1;
	chain_unref(c);
	return v.hashed ? compare(lake, inode, &v, stop, arg) : was_unseen(lake, inode->id);
}

int base_verify(struct lake *lake, struct inode *inode, bool (*stop)(void *arg), void *arg)
{
	uint64_t version;
	unsigned seq;
	int rc = 0;

	pthread_mutex_lock(&inode->lock);
	version = inode->version;
	seq = inode->write_seq;
	pthread_mutex_unlock(&inode->lock);
	if (version)
		rc = judge(lake, inode, version, stop, arg);
	if (rc < 0)
		return rc;
	if (rc)
		lose(lake, inode, "perhaps changed through a mapping, unseen");
	SCOPED_LOCK(&inode->lock);
	if (inode->write_seq != seq) /* somebody opened it for writing meanwhile */
		return -EAGAIN;
	inode->base_unsure = false;
	inode->written |= !rc; /* what gave it another time was seen, or changed nothing */
	submit_unsure(lake, inode, false, NULL);
	return 0;
}

/* ---- after a crash ---- */

static bool has_hash(struct chain *c, const struct version_row *v, int rawfd)
{
	uint8_t sha256[SHA256_BYTES];
	struct past *p;
	bool same;

	if (past_open_chain(v, c, rawfd, &p) < 0)
		return false;
	same = !hash_past(p, NULL, NULL, sha256) && !memcmp(sha256, v->sha256, sizeof(sha256));
	past_close(p);
	return same;
}

enum version_how base_recover(struct lake *lake, const struct version_row *v, int rawfd, const struct stat *st,
			      uint64_t *stored)
{
	enum version_how how = HOW_NONE;
	struct chain *c;

	*stored = 0;
	if (chain_load_one(lake, v, &c) < 0)
		return HOW_NONE;
	how = chain_how(c, v->id, (uint64_t)st->st_size, stored);
	/* appended to and cut back, or the size did not reach the disk; or written where nobody saw it */
	if (how == HOW_PREFIX && (uint64_t)st->st_size == v->size && stat_mtime(st) != v->mtime && !v->hashed)
		how = HOW_NONE;
	if ((how == HOW_PREFIX || how == HOW_UNDO) && (v->hashed ? !has_hash(c, v, rawfd) : was_unseen(lake, v->node)))
		how = HOW_NONE;
	chain_unref(c);
	return how;
}
