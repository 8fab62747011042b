#include "content/partial.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/appends.h"
#include "content/aside.h"
#include "content/past/chain.h"
#include "content/cut.h"
#include "content/database.h"
#include "content/cloud/stub.h"
#include "content/witness.h"

#define REFLINK_GAP NSEC_PER_SEC /* each makes rows durable first */

enum way { BY_NOTHING, BY_CHAIN, BY_REFLINK };

/* Somebody could change it without coming by here, other than by appending. */
static bool changes_unseen_locked(const struct inode *inode)
{
	return inode->unseen || inode->may_map || inode->base_unsure;
}

static bool is_closed(enum partial_why why)
{
	return why == PARTIAL_CLOSED || why == PARTIAL_CLOSED_ALL;
}

static void mark_provisional_locked(struct inode *inode)
{
	if (!inode->provisional)
		inode->provisional_seq = inode->write_seq;
	inode->provisional = true;
}

static enum way choose_locked(const struct inode *inode, int64_t now, enum partial_why why)
{
	if (!changes_unseen_locked(inode) || why == PARTIAL_CLOSED_ALL)
		return BY_CHAIN;
	return inode->volume->no_reflink || inode->base_unsure || now - inode->partial_at < REFLINK_GAP ? BY_NOTHING
													: BY_REFLINK;
}

static bool is_wanted_locked(const struct inode *inode, const struct stat *st)
{
	if (!inode->dirty || !inode->name || inode->companion ||
	    !bucket_versions(inode->bucket, inode->parent, inode->name) || !inode_changed_locked(inode, st) ||
	    (!inode->version && !st->st_size))
		return false;
	return (uint64_t)st->st_size != inode->partial_size || stat_mtime(st) != inode->partial_mtime;
}

static struct record *begin_locked(struct inode *inode, const struct stat *st)
{
	struct record *r = record_new(OP_WRITE, inode->writer_run, inode->writer_uid, inode->id,
				      inode->parent ? inode->parent->id : 0, inode->name);

	cut_drop(r, inode->transient);
	inode->transient = 0;
	inode->partial_size = (uint64_t)st->st_size;
	inode->partial_mtime = stat_mtime(st);
	inode->partial_at = clock_monotonic();
	return r;
}

static int submit_locked(struct lake *lake, struct inode *inode, struct record *r)
{
	uint64_t commit;
	int rc = store_submit(lake->store, r, &commit);

	if (!rc)
		inode_submitted(inode, commit);
	if (!rc && inode->partial)
		appends_cut_locked(inode, CUT_NEW, commit);
	return rc;
}

static int cut_transient_locked(struct lake *lake, struct inode *inode, const struct stat *st)
{
	const struct cut transient = {.state = VERSION_TRANSIENT, .settled = true};
	struct record *r = begin_locked(inode, st);

	inode->transient = cut_add(lake, inode, r, st, &transient, NULL);
	return submit_locked(lake, inode, r);
}

static int cut_partial_locked(struct lake *lake, struct inode *inode, const struct stat *st, enum partial_why why)
{
	struct record *r = begin_locked(inode, st);

	cut_end_base(inode, r, (uint64_t)st->st_size);
	cut_add_partial(lake, inode, r, st);
	inode->partial_stays = why == PARTIAL_TIME;
	if (is_closed(why))
		mark_provisional_locked(inode);
	inode->written = false;
	inode->clean_size = (uint64_t)st->st_size;
	inode->clean_mtime = stat_mtime(st);
	return submit_locked(lake, inode, r);
}

/* The reflink could not be made: nothing keeps its bytes. */
static void lose_partial(struct lake *lake, struct inode *inode)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, inode->id, 0, NULL);
	SCOPED_LOCK(&inode->lock);

	record_version_state(r, inode->version, VERSION_TRANSIENT, HOW_NONE, NULL);
	inode->transient = inode->version;
	inode->version = 0;
	inode->partial = inode->provisional = false;
	submit_locked(lake, inode, r);
}

static int cut_frozen(struct lake *lake, struct inode *inode, const struct stat *st, enum partial_why why)
{
	struct chain *c = NULL;
	enum way way;
	int rc;

	cut_check_base(lake, inode, st);
	witness_cut_early(lake, inode);
	pthread_mutex_lock(&inode->lock);
	way = choose_locked(inode, clock_monotonic(), why);
	pthread_mutex_unlock(&inode->lock);
	if (way == BY_REFLINK && chain_of(lake, inode, &c) < 0)
		way = BY_NOTHING;
	pthread_mutex_lock(&inode->lock);
	rc = way == BY_NOTHING ? cut_transient_locked(lake, inode, st) : cut_partial_locked(lake, inode, st, why);
	pthread_mutex_unlock(&inode->lock);
	if (!rc && way == BY_REFLINK && chain_save_whole(lake, inode, c, false) < 0)
		lose_partial(lake, inode);
	chain_unref(c);
	return rc;
}

int partial_cut(struct lake *lake, struct inode *inode, enum partial_why why)
{
	struct stat st;
	bool wanted;
	int rc;

	pthread_mutex_lock(&inode->lock);
	inode_wait_free_locked(inode);
	wanted = inode->dirty && !inode_is_stub(inode) && !(is_closed(why) && inode->writers > inode->closed_writers);
	if (wanted)
		inode_freeze_locked(inode);
	pthread_mutex_unlock(&inode->lock);
	if (!wanted)
		return 0;
	rc = inode_stat(lake, inode, &st);
	if (!rc) {
		pthread_mutex_lock(&inode->lock);
		wanted = is_wanted_locked(inode, &st);
		/* The one that a reader has just caused is that of this interval, or of this close. */
		inode->partial_stays |= !wanted && inode->partial && why == PARTIAL_TIME;
		if (!wanted && inode->partial && is_closed(why))
			mark_provisional_locked(inode);
		pthread_mutex_unlock(&inode->lock);
	}
	if (!rc && wanted && !inode_is_database(lake, inode, &st))
		rc = cut_frozen(lake, inode, &st, why);
	inode_thaw(inode);
	if (rc < 0)
		log_warning("node %llu: not cut while it is being written: %s", (unsigned long long)inode->id,
			    strerror(-rc));
	return rc;
}
