#include "content/settle.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/appends.h"
#include "content/aside.h"
#include "content/past/base.h"
#include "content/past/chain.h"
#include "content/cut.h"
#include "content/database.h"
#include "content/past/former.h"
#include "content/lease.h"
#include "content/partial.h"

#define RETRY_FIRST_NS (10 * NSEC_PER_MSEC)
#define RETRY_LAST_NS (2 * NSEC_PER_SEC)
#define NEEDS_COMPANIONS 2 /* it is a database: those are to be found first */

/* Who may still be counted when it is cut. */
enum left { LEFT_NOBODY, LEFT_CLOSED };

struct waiting {
	struct inode *inode; /* with a reference */
	int64_t due, delay;
	struct waiting *next;
};

struct settle_queue {
	struct inode *oldest, *newest; /* being written, by when they are to be cut */
	pthread_mutex_t lock;
	pthread_cond_t added;
	struct waiting *list;
	uint64_t n;
	bool stopped;
};

int settle_queue_new(struct settle_queue **out)
{
	struct settle_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->added, NULL);
	*out = q;
	return 0;
}

void settle_queue_free(struct lake *lake)
{
	struct settle_queue *q = lake->unsettled;
	struct waiting *w;

	if (!q)
		return;
	while ((w = q->list)) {
		q->list = w->next;
		inode_unref(lake, w->inode);
		free(w);
	}
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->added);
	free(q);
	lake->unsettled = NULL;
}

/* ---- what is being written ---- */

static void unlink_watched(struct settle_queue *q, struct inode *inode)
{
	*(inode->watch_prev ? &inode->watch_prev->watch_next : &q->oldest) = inode->watch_next;
	*(inode->watch_next ? &inode->watch_next->watch_prev : &q->newest) = inode->watch_prev;
	inode->watch_next = inode->watch_prev = NULL;
	inode->watched = false;
}

void settle_watch(struct lake *lake, struct inode *inode)
{
	int64_t due = clock_monotonic() + atomic_load(&lake->version_interval);
	struct settle_queue *q = lake->unsettled;
	SCOPED_LOCK(&q->lock);

	if (inode->watched)
		return;
	inode->watched = true;
	inode->watch_due = due;
	inode->watch_prev = q->newest;
	*(q->newest ? &q->newest->watch_next : &q->oldest) = inode;
	q->newest = inode;
}

void settle_unwatch(struct lake *lake, struct inode *inode)
{
	struct settle_queue *q = lake->unsettled;

	if (!q) /* the lake is being closed */
		return;
	SCOPED_LOCK(&q->lock);
	if (inode->watched)
		unlink_watched(q, inode);
}

/* One that has been written for so long that it is to be cut, with a reference; NULL: none. */
static struct inode *take_watched(struct lake *lake)
{
	struct settle_queue *q = lake->unsettled;
	uint64_t id = 0;

	pthread_mutex_lock(&q->lock);
	if (q->oldest && q->oldest->watch_due <= clock_monotonic()) {
		id = q->oldest->id;
		unlink_watched(q, q->oldest);
	}
	pthread_mutex_unlock(&q->lock);
	return id ? inode_find(lake, id) : NULL;
}

static void cut_watched(struct lake *lake)
{
	struct inode *inode;

	while ((inode = take_watched(lake))) {
		if (inode_is_dirty(inode)) {
			partial_cut(lake, inode, PARTIAL_TIME);
			settle_watch(lake, inode);
		}
		inode_unref(lake, inode);
	}
}

/* ---- the cut ---- */

/* The content that the next version is compared with: what was here, or what was here before it went elsewhere. */
static struct former former_of(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	if (!inode->name || !inode->dirty)
		return (struct former){0};
	return inode->version && !inode->partial ? (struct former){inode->version, inode->clean_size} : inode->former;
}

/* A live file. SAME: it has the bytes of FORMER. */
static void cut_live_locked(struct lake *lake, struct inode *inode, const struct stat *st, const struct former *same,
			    bool *grows, struct record *r)
{
	struct node_row row = {.id = inode->id, .kind = KIND_FILE, .volume = inode->volume->index};

	row_set_stat(&row, st);
	row.handle = inode->key.handle; /* cannot change: no aside runs while the lock is held */
	row.acl = inode->acl;
	record_node_set(r, &row);
	if (!inode->partial && (!inode_changed_locked(inode, st) || (same && inode->version == same->version)))
		return;
	*grows = !inode->partial && !(inode->chain && chain_is_whole(inode->chain)) &&
		 appends_go_on_locked(lake, inode, st);
	if (*grows) {
		cut_grow_live(lake, inode, r, st);
		return;
	}
	inode->provisional &= inode_changed_locked(inode, st); /* else the new one is the same */
	cut_end_base(inode, r, (uint64_t)st->st_size);
	inode->version = 0;
	if (!bucket_versions(inode->bucket, inode->parent, inode->name))
		return;
	cut_add_live(lake, inode, r, st, NULL);
	if (same)
		cut_same(r, inode->version, same->version);
	atomic_fetch_add_explicit(&lake->counters.cuts, 1, memory_order_relaxed);
}

/* A file whose name went away while it was open for writing; its content lies in versions/. */
static void cut_aside_locked(struct lake *lake, struct inode *inode, const struct stat *st, struct record *r)
{
	struct cut kept = {.state = VERSION_KEPT, .how = HOW_ASIDE, .settled = true};
	char was[VERSION_NAME_MAX], now[VERSION_NAME_MAX];

	if (inode->kept_fresh) {
		cut_settled(r, inode->kept_version, st);
		cut_base_saved(inode, r, (uint64_t)st->st_size);
	} else if (!inode_changed_locked(inode, st)) {
		cut_keep(r, inode->kept_version, HOW_ASIDE);
	} else {
		cut_end_base(inode, r, (uint64_t)st->st_size);
		inode->version = kept.id = store_new_version(lake->store);
		version_name(inode->id, inode->kept_version, was);
		version_name(inode->id, inode->version, now);
		if (renameat(inode->volume->versionsfd, was, inode->volume->versionsfd, now) < 0)
			log_error("versions/%s: cannot become %s: %s", was, now, strerror(errno));
		cut_add(lake, inode, r, st, &kept, NULL);
	}
	inode->kept_listed = inode->kept_fresh || !inode->version ? inode->kept_version : inode->version;
	inode->kept_version = 0;
}

static struct record *begin_locked(const struct inode *inode)
{
	return record_new(OP_WRITE, inode->writer_run, inode->writer_uid, inode->id,
			  inode->parent ? inode->parent->id : 0, inode->name);
}

/* Of one that was cut while somebody has it open, it is not known that it stays as it is. */
static void mark_clean_locked(struct lake *lake, struct inode *inode, const struct stat *st, struct record *r)
{
	if (!inode->writers) {
		settle_unwatch(lake, inode);
		record_node_writing(r, inode->id, false);
		inode->dirty = inode->may_map = false;
	}
	cut_drop(r, inode->transient);
	inode->transient = inode->partial_size = 0;
	inode->partial_mtime = 0;
	inode->written = inode->not_alone = false;
	inode->former.version = 0;
	inode->clean_size = (uint64_t)st->st_size;
	inode->clean_mtime = stat_mtime(st);
	inode->settle_delay = 0;
}

static int cut_locked(struct lake *lake, struct inode *inode, const struct stat *st, const struct former *same,
		      struct record *r)
{
	uint64_t commit, version = inode->version;
	bool grows = false;
	int rc;

	if (inode->name)
		cut_live_locked(lake, inode, st, same, &grows, r);
	else if (inode->kept_version)
		cut_aside_locked(lake, inode, st, r);
	mark_clean_locked(lake, inode, st, r);
	rc = store_submit(lake->store, r, &commit);
	if (!rc)
		inode_submitted(inode, commit);
	if (grows)
		appends_grown(lake);
	if (!rc && inode->version != version)
		inode->base_commit = commit;
	appends_cut_locked(inode, grows ? CUT_GREW : inode->version != version ? CUT_NEW : CUT_NOTHING, commit);
	pthread_cond_broadcast(&inode->changed);
	return rc;
}

/* A companion that somebody opened again since it was looked at is left out; it is cut with the next version. */
static void cut_companion(struct lake *lake, struct companions *c, int i, struct record *r)
{
	struct inode *inode = c->inode[i];
	SCOPED_LOCK(&inode->lock);
	bool grows;

	if (!inode->dirty || inode->writers || inode->changing || inode->write_seq != c->seq[i] || !inode->name)
		return;
	if (c->kept[i])
		cut_live_locked(lake, inode, &c->st[i], NULL, &grows, r);
	mark_clean_locked(lake, inode, &c->st[i], r);
	appends_cut_locked(inode, CUT_NEW, 0);
	pthread_cond_broadcast(&inode->changed);
}

static int cut(struct lake *lake, struct inode *inode, const struct stat *st, const struct former *same,
	       struct companions *c)
{
	struct record *r;
	int rc;

	for (int i = 0; c && i < c->n; i++)
		cut_check_base(lake, c->inode[i], &c->st[i]);
	pthread_mutex_lock(&inode->lock);
	r = begin_locked(inode);
	inode->not_alone = c && c->needed;
	pthread_mutex_unlock(&inode->lock);
	if (!r)
		return -ENOMEM;
	for (int i = 0; c && i < c->n; i++)
		cut_companion(lake, c, i, r);
	pthread_mutex_lock(&inode->lock);
	rc = cut_locked(lake, inode, st, same, r);
	pthread_mutex_unlock(&inode->lock);
	for (int i = 0; c && i < c->n; i++)
		inode_submitted(c->inode[i], atomic_load(&inode->commit));
	return rc;
}

/*
 * Its version may be older than the last durable_point(), and what was written since is on the disk no more than that
 * of others: a file whose name went away while somebody wrote it is rare enough to be synced by itself.
 */
static int sync_kept(struct lake *lake, struct inode *inode)
{
	_cleanup_close_ int fd = -1;
	bool wanted;

	pthread_mutex_lock(&inode->lock);
	wanted = !inode->name && inode->kept_version && inode->kept_fresh;
	pthread_mutex_unlock(&inode->lock);
	if (!wanted)
		return 0;
	fd = inode_open(lake, inode, O_RDONLY);
	if (fd < 0)
		return fd;
	return fdatasync(fd) < 0 ? -errno : 0;
}

/* By a name, or in versions/: a rename may change the name meanwhile, but not take it away. */
static bool has_a_place(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	return inode->name || inode->kept_version;
}

/* INODE is frozen, dirty (or a companion is), and nobody is known to write it. ASK: the kernel has to say so, too. C:
 * its companions; NULL: nobody looked for any yet. */
static int settle_frozen(struct lake *lake, struct inode *inode, bool ask, bool named, struct companions *c)
{
	struct former former = former_of(inode);
	struct stat st;
	bool same;
	int rc = ask ? lease_settled(lake, inode) : 0;

	if (!rc)
		rc = sync_kept(lake, inode);
	if (!rc)
		rc = inode_stat(lake, inode, &st);
	if (!rc && !c && named && inode_is_database(lake, inode, &st))
		return NEEDS_COMPANIONS;
	if (!rc && c)
		rc = companions_look(lake, c);
	if (rc < 0)
		return rc;
	if (has_a_place(inode))
		cut_check_base(lake, inode, &st);
	same = former_is_same(lake, &former, inode, (uint64_t)st.st_size);
	rc = cut(lake, inode, &st, same ? &former : NULL, c);
	if (ask && lake->frontend.invalidate)
		lake->frontend.invalidate(lake->frontend.arg, inode->id, false);
	return rc;
}

/* It had no name any more, and its last descriptor is closed: nothing is left to be settled. */
static int end_gone(struct lake *lake, struct inode *inode)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, inode->id, 0, NULL);
	SCOPED_LOCK(&inode->lock);

	record_node_writing(r, inode->id, false);
	inode->dirty = inode->may_map = false;
	return store_submit(lake->store, r, NULL);
}

static bool is_open_locked(const struct inode *inode, enum left left)
{
	return inode->writers > (left == LEFT_NOBODY ? 0 : inode->closed_writers);
}

/* Could it change unseen? */
static bool must_ask_locked(const struct inode *inode, enum left left)
{
	return inode->may_map || left == LEFT_CLOSED;
}

static int settle_with(struct lake *lake, struct inode *inode, enum left left, struct companions *c)
{
	bool ask, named, unsure, wanted = c && companions_are_dirty(c);
	int rc;

	pthread_mutex_lock(&inode->lock);
	inode_wait_free_locked(inode);
	rc = is_open_locked(inode, left) || inode->draft ? 1 : !inode->dirty && !wanted ? 2 : 0;
	if (!rc)
		inode_freeze_locked(inode);
	ask = must_ask_locked(inode, left);
	unsure = inode->base_unsure;
	named = inode->name;
	pthread_mutex_unlock(&inode->lock);
	if (rc)
		return rc == 1;
	rc = unsure ? -EAGAIN : settle_frozen(lake, inode, ask, named, c);
	if (rc == -ESTALE && !named)
		rc = end_gone(lake, inode);
	inode_thaw(inode);
	if (rc == -EAGAIN && left == LEFT_NOBODY)
		settle_later(lake, inode);
	return rc;
}

static int settle_database(struct lake *lake, struct inode *inode, enum left left)
{
	struct companions c;
	int rc = companions_find(lake, inode, &c);

	if (!rc)
		rc = settle_with(lake, inode, left, &c);
	companions_release(lake, &c);
	return rc;
}

/* A companion is cut with its database. 0 when that is gone. */
static int settle_companion(struct lake *lake, struct inode *inode, bool *with)
{
	struct inode *database = database_of(lake, inode);
	int rc;

	*with = database;
	if (!database) {
		SCOPED_LOCK(&inode->lock);

		inode->companion = false;
		return 0;
	}
	rc = settle_database(lake, database, LEFT_NOBODY);
	inode_unref(lake, database);
	return rc;
}

int inode_settle(struct lake *lake, struct inode *inode)
{
	bool companion;
	int rc;

	pthread_mutex_lock(&inode->lock);
	companion = inode->companion && inode->name;
	pthread_mutex_unlock(&inode->lock);
	if (companion) {
		rc = settle_companion(lake, inode, &companion);
		if (rc || companion)
			return rc;
	}
	rc = settle_with(lake, inode, LEFT_NOBODY, NULL);
	return rc == NEEDS_COMPANIONS ? settle_database(lake, inode, LEFT_NOBODY) : rc;
}

static int settle_closed_sure(struct lake *lake, struct inode *inode)
{
	int rc = settle_with(lake, inode, LEFT_CLOSED, NULL);

	return rc == NEEDS_COMPANIONS ? settle_database(lake, inode, LEFT_CLOSED) : rc;
}

int inode_settle_closed(struct lake *lake, struct inode *inode, bool all)
{
	bool wanted, unknown, released;

	pthread_mutex_lock(&inode->lock);
	released = !inode->writers && inode->writer_releases; /* and who did that has not settled it yet */
	wanted = inode->dirty && inode->name && !inode->companion && (inode->writers || released);
	unknown = inode->raw_writers; /* no lease is granted then, whoever else may have it open */
	pthread_mutex_unlock(&inode->lock);
	if (!wanted)
		return 0;
	if (unknown)
		return partial_cut(lake, inode, all ? PARTIAL_CLOSED_ALL : PARTIAL_CLOSED);
	return released ? inode_settle(lake, inode) : settle_closed_sure(lake, inode);
}

/* ---- the queue ---- */

static void enqueue(struct lake *lake, struct inode *inode, int64_t delay)
{
	struct settle_queue *q = lake->unsettled;
	struct waiting *w = malloc(sizeof(*w));

	if (!w) {
		inode_unref(lake, inode);
		return;
	}
	*w = (struct waiting){.inode = inode, .due = clock_monotonic() + delay, .delay = delay};
	SCOPED_LOCK(&q->lock);
	w->next = q->list;
	q->list = w;
	q->n++;
	pthread_cond_signal(&q->added);
}

void settle_later(struct lake *lake, struct inode *inode)
{
	int64_t delay;
	bool known;

	pthread_mutex_lock(&inode->lock);
	known = inode->settling;
	inode->settling = true;
	delay = inode->settle_delay ? inode->settle_delay : RETRY_FIRST_NS;
	pthread_mutex_unlock(&inode->lock);
	if (!known)
		enqueue(lake, inode_ref(lake, inode), delay);
}

/* Takes one whose time has come; else NULL and when the next one is due. */
static struct waiting *take_due_locked(struct settle_queue *q, int64_t now, int64_t *next)
{
	for (struct waiting **at = &q->list; *at; at = &(*at)->next) {
		struct waiting *w = *at;

		if (w->due <= now) {
			*at = w->next;
			q->n--;
			return w;
		}
		if (w->due < *next)
			*next = w->due;
	}
	return NULL;
}

static bool is_stopped(void *arg)
{
	struct settle_queue *q = ((struct lake *)arg)->unsettled;
	SCOPED_LOCK(&q->lock);

	return q->stopped;
}

/* Where the base is unsure, it is verified first. 0, or not now. */
static int make_sure(struct lake *lake, struct inode *inode)
{
	bool unsure;
	int rc;

	pthread_mutex_lock(&inode->lock);
	unsure = inode->base_unsure && inode->dirty && !inode->writers;
	pthread_mutex_unlock(&inode->lock);
	if (!unsure)
		return 0;
	rc = lease_settled(lake, inode);
	return rc ? rc : base_verify(lake, inode, is_stopped, lake);
}

static void try_again(struct lake *lake, struct waiting *w)
{
	struct inode *inode = w->inode;
	int64_t delay = w->delay * 2 < RETRY_LAST_NS ? w->delay * 2 : RETRY_LAST_NS;

	free(w);
	atomic_fetch_add(&lake->counters.settle_retries, 1);
	pthread_mutex_lock(&inode->lock);
	inode->settling = false; /* from here on a release may queue it again */
	inode->settle_delay = delay;
	pthread_mutex_unlock(&inode->lock);
	if (make_sure(lake, inode) < 0)
		settle_later(lake, inode);
	else
		inode_settle(lake, inode);
	inode_unref(lake, inode);
}

static void wait_until_locked(struct settle_queue *q, int64_t ns)
{
	const struct timespec until = clock_deadline(ns);

	pthread_cond_timedwait(&q->added, &q->lock, &until);
}

int settle_run(struct lake *lake, int max_ms)
{
	struct settle_queue *q = lake->unsettled;
	int64_t now = clock_monotonic(), next = now + max_ms * NSEC_PER_MSEC;
	struct waiting *w;
	bool stopped;

	cut_watched(lake);
	pthread_mutex_lock(&q->lock);
	while (!q->stopped && (w = take_due_locked(q, now, &next))) {
		pthread_mutex_unlock(&q->lock);
		try_again(lake, w);
		pthread_mutex_lock(&q->lock);
	}
	if (!q->stopped && next > now)
		wait_until_locked(q, next - now);
	stopped = q->stopped;
	pthread_mutex_unlock(&q->lock);
	return stopped ? -1 : 0;
}

void settle_stop(struct lake *lake)
{
	struct settle_queue *q = lake->unsettled;
	SCOPED_LOCK(&q->lock);

	q->stopped = true;
	pthread_cond_broadcast(&q->added);
}

uint64_t settle_waiting(struct lake *lake)
{
	struct settle_queue *q = lake->unsettled;
	SCOPED_LOCK(&q->lock);

	return q->n;
}
