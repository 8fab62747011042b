#include "content/cut.h"

#include "base/clock.h"
#include "content/past/chain.h"
#include "content/durable.h"
#include "content/cloud/stub.h"
#include "content/cloud/remote.h"
#include "content/witness.h"

#define UNSEEN_CHANGE "changed in place, unseen"
#define SNIFF_DELAY (500 * NSEC_PER_MSEC) /* short-lived content is never hashed */
#define UPLOAD_DELAY NSEC_PER_SEC
#define GROUP_BITS ((mode_t)070)

/* A version that was just cut is to be hashed and looked at. */
static void record_sniff(struct record *r, uint64_t version)
{
	record_job_add(r, JOB_SNIFF, version, clock_wall() + SNIFF_DELAY);
}

/* A bucket wants its files in the cloud without waiting. */
static void record_upload(struct lake *lake, struct inode *inode, struct record *r, uint64_t version)
{
	if (remote_wants_at_once(lake, inode->bucket))
		record_job_add(r, JOB_UPLOAD, version, clock_wall() + UPLOAD_DELAY);
}

uint64_t cut_add_row(struct lake *lake, struct version_row *v, const struct stat *st, struct record *r)
{
	if (!v->id)
		v->id = store_new_version(lake->store);
	v->size = (uint64_t)st->st_size;
	v->mtime = stat_mtime(st);
	v->mode = st->st_mode;
	v->uid = st->st_uid;
	v->gid = st->st_gid;
	record_version_add(r, v);
	durable_cut(lake);
	if (v->settled && v->state != VERSION_PARTIAL && v->state != VERSION_TRANSIENT)
		record_sniff(r, v->id);
	return v->id;
}

static mode_t masked(mode_t mode, const struct inode *inode, enum version_state state)
{
	/* With an ACL they are its mask, and grant nothing by themselves. The store sees to it when a live one ends. */
	return state != VERSION_LIVE && inode->acl ? mode & ~GROUP_BITS : mode;
}

uint64_t cut_add(struct lake *lake, struct inode *inode, struct record *r, const struct stat *st, const struct cut *cut,
		 const struct actor *actor)
{
	struct version_row v = {.id = cut->id,
				.node = inode->id,
				.state = cut->state,
				.how = cut->how,
				.settled = cut->settled,
				.not_alone = inode->not_alone || inode->companion,
				.run = RUN_UNKNOWN,
				.volume = inode->volume->index};
	struct stat shown = *st;

	if (inode->writer_run || !actor) {
		v.run = inode->writer_run;
		v.run_uid = inode->writer_uid;
	} else {
		v.run = actor->run;
		v.run_uid = actor->caller.uid;
	}
	shown.st_mode = masked(st->st_mode, inode, cut->state);
	cut_add_row(lake, &v, &shown, r);
	witness_cut_locked(inode, r, v.id, cut->state != VERSION_PARTIAL && cut->state != VERSION_TRANSIENT);
	if (durable_is_synced_locked(inode, st)) {
		record_synced(r, inode->id, (uint64_t)st->st_size, stat_mtime(st));
		inode->synced_told = v.id;
	}
	return v.id;
}

static void begin_link(struct inode *inode, const struct stat *st)
{
	inode->base_commit = 0;
	if (inode->chain && chain_cut(inode->chain, inode->version, (uint64_t)st->st_size) < 0) {
		chain_unref(inode->chain); /* it is made anew when somebody asks */
		inode->chain = NULL;
		inode->no_past = false;
	}
}

void cut_add_live(struct lake *lake, struct inode *inode, struct record *r, const struct stat *st,
		  const struct actor *actor)
{
	const struct cut live = {.state = VERSION_LIVE, .settled = true};

	inode->version = cut_add(lake, inode, r, st, &live, actor);
	record_upload(lake, inode, r, inode->version);
	begin_link(inode, st);
}

/* How it is kept is known when it ends, as for a live one. */
void cut_add_partial(struct lake *lake, struct inode *inode, struct record *r, const struct stat *st)
{
	const struct cut partial = {.state = VERSION_PARTIAL, .settled = true};

	inode->version = cut_add(lake, inode, r, st, &partial, NULL);
	inode->partial = true;
	inode->dependants = true;
	begin_link(inode, st);
}

void cut_grow_live(struct lake *lake, struct inode *inode, struct record *r, const struct stat *st)
{
	if (durable_is_synced_locked(inode, st))
		record_synced(r, inode->id, (uint64_t)st->st_size, stat_mtime(st));
	record_version_grow(r, inode->version, (uint64_t)st->st_size, stat_mtime(st));
	witness_cut_locked(inode, r, inode->version, true);
	if (inode->chain)
		chain_grow(inode->chain, inode->version, (uint64_t)st->st_size);
	durable_cut(lake);
	record_sniff(r, inode->version);
	record_upload(lake, inode, r, inode->version);
}

void cut_settled(struct record *r, uint64_t version, const struct stat *st)
{
	record_version_settled(r, version, (uint64_t)st->st_size, stat_mtime(st));
	record_sniff(r, version);
}

bool cut_keeps_base(const struct inode *inode, struct inode *parent, const char *name)
{
	return bucket_versions(inode->bucket, parent, name) ||
	       (inode->left && inode->version && name_is_temporary(name));
}

/* How the base is kept, when the raw file has SIZE bytes now. */
static enum version_how base_how_locked(const struct inode *inode, uint64_t size, uint64_t *stored)
{
	*stored = 0;
	if (inode_is_stub(inode))
		return HOW_CLOUD;
	if (inode->chain)
		return chain_how(inode->chain, inode->version, size, stored);
	/* nobody changed it but by appending */
	return size < inode->clean_size ? HOW_NONE : HOW_PREFIX;
}

/* It was closed when it was cut, and is a version as any other. */
static void end_provisional(struct inode *inode, struct record *r, enum version_how how, uint64_t stored)
{
	if (how == HOW_NONE) {
		cut_lose(r, inode->version, UNSEEN_CHANGE);
		return;
	}
	cut_keep(r, inode->version, how);
	record_sniff(r, inode->version);
	if (stored)
		record_version_how(r, inode->version, how, stored);
}

/* It goes, unless it was asked to stay; what was saved of it as soon as nothing older is read through that. */
static void end_partial(struct inode *inode, struct record *r, enum version_how how, uint64_t stored)
{
	bool provisional = inode->provisional;

	inode->partial = inode->provisional = false;
	if (provisional) {
		end_provisional(inode, r, how, stored);
		return;
	}
	if (how == HOW_NONE || (how == HOW_PREFIX && !inode->partial_stays)) {
		cut_drop(r, inode->version);
		return;
	}
	if (inode->partial_stays) {
		record_version_state(r, inode->version, VERSION_PARTIAL, how, NULL);
	} else {
		record_version_state(r, inode->version, VERSION_EXPIRED, how, "nobody but its reader needed it");
		record_job_add(r, JOB_EXPIRE, inode->version, clock_wall());
	}
	if (stored)
		record_version_how(r, inode->version, how, stored);
}

void cut_end_base(struct inode *inode, struct record *r, uint64_t size)
{
	enum version_how how;
	uint64_t stored;

	if (!inode->version)
		return;
	how = base_how_locked(inode, size, &stored);
	if (inode->partial) {
		end_partial(inode, r, how, stored);
		return;
	}
	if (how == HOW_NONE) {
		cut_lose(r, inode->version, UNSEEN_CHANGE);
		return;
	}
	cut_keep(r, inode->version, how);
	inode->dependants = how == HOW_PREFIX || how == HOW_UNDO;
	if (stored)
		record_version_how(r, inode->version, how, stored);
}

void cut_base_saved(struct inode *inode, struct record *r, uint64_t size)
{
	uint64_t stored;

	if (inode->version && inode->chain && chain_how(inode->chain, inode->version, size, &stored) == HOW_UNDO)
		record_version_how(r, inode->version, HOW_UNDO, stored);
}

/* An appending handle that is made to write elsewhere, by F_SETFL, is not seen; but for the size that did not grow. */
static bool is_unseen_locked(const struct inode *inode, const struct stat *st)
{
	uint64_t stored;
	enum version_how how;

	if (!inode->version || inode_is_clean_locked(inode, st))
		return false;
	how = base_how_locked(inode, (uint64_t)st->st_size, &stored);
	return how == HOW_NONE || (inode->base_unsure && (how == HOW_PREFIX || how == HOW_UNDO)) ||
	       (how == HOW_PREFIX && !inode->written && inode->clean_size == (uint64_t)st->st_size);
}

void cut_check_base(struct lake *lake, struct inode *inode, const struct stat *st)
{
	struct chain *c;
	bool unseen;

	pthread_mutex_lock(&inode->lock);
	unseen = is_unseen_locked(inode, st);
	pthread_mutex_unlock(&inode->lock);
	if (!unseen || chain_of(lake, inode, &c) < 0)
		return;
	chain_lose(lake, inode, c, UNSEEN_CHANGE);
	chain_unref(c);
}

void cut_keep(struct record *r, uint64_t version, enum version_how how)
{
	record_version_state(r, version, VERSION_KEPT, how, NULL);
}

void cut_same(struct record *r, uint64_t newer, uint64_t older)
{
	if (newer && older)
		record_version_same(r, newer, older);
}

void cut_drop(struct record *r, uint64_t version)
{
	if (version)
		record_version_drop(r, version);
}

void cut_lose_aside(struct record *r, uint64_t version, const char *reason)
{
	if (version)
		record_version_state(r, version, VERSION_NOT_KEPT, HOW_ASIDE, reason);
}

void cut_lose(struct record *r, uint64_t version, const char *reason)
{
	if (version)
		record_version_state(r, version, VERSION_NOT_KEPT, HOW_NONE, reason);
}
