#include "content/settle.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/appends.h"
#include "content/aside.h"
#include "content/cut.h"
#include "content/former.h"

#define RETRY_FIRST_NS (10 * NSEC_PER_MSEC)
#define RETRY_LAST_NS (2 * NSEC_PER_SEC)
#define QUIET_NS (60 * NSEC_PER_SEC)

struct waiting {
	struct inode *inode; /* with a reference */
	int64_t due, delay;
	struct waiting *next;
};

struct settle_queue {
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

int lease_probe(int fd, int type)
{
	if (fcntl(fd, F_SETLEASE, type) < 0)
		return errno == EAGAIN || errno == EBUSY ? -EAGAIN : -errno;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return 0;
}

/* ---- the cut ---- */

/* Without leases (not our file, or a file system that has none): quiet for a while is all that can be known. */
static int ask_clock(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return clock_wall() - stat_ctime(&st) >= QUIET_NS ? 0 : -EAGAIN;
}

/* Could somebody still store through a mapping? 0 nobody, -EAGAIN yes, or -errno. */
static int ask_kernel(struct lake *lake, struct inode *inode)
{
	_cleanup_close_ int fd = inode_open(lake, inode, O_RDONLY | O_NONBLOCK);
	int rc;

	if (fd < 0)
		return fd;
	rc = lease_probe(fd, F_RDLCK);
	return rc == 0 || rc == -EAGAIN ? rc : ask_clock(fd);
}

/* The content that the next version is compared with: what was here, or what was here before it went elsewhere. */
static struct former former_of(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	if (!inode->name || !inode->dirty)
		return (struct former){0};
	return inode->version ? (struct former){inode->version, inode->clean_size} : inode->former;
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
	if (!inode_changed_locked(inode, st) || (same && inode->version == same->version))
		return;
	*grows = appends_go_on_locked(lake, inode, st);
	if (*grows) {
		cut_grow_live(lake, inode, r, st);
		return;
	}
	cut_end_base(lake, inode, r);
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
	} else if (!inode_changed_locked(inode, st)) {
		cut_keep(r, inode->kept_version, HOW_ASIDE);
	} else {
		cut_end_base(lake, inode, r);
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

static int cut_locked(struct lake *lake, struct inode *inode, const struct stat *st, const struct former *same)
{
	struct record *r = record_new(OP_WRITE, inode->writer_run, inode->writer_uid, inode->id,
				      inode->parent ? inode->parent->id : 0, inode->name);
	uint64_t commit, version = inode->version;
	bool grows = false;
	int rc;

	if (!r)
		return -ENOMEM;
	if (inode->name)
		cut_live_locked(lake, inode, st, same, &grows, r);
	else if (inode->kept_version)
		cut_aside_locked(lake, inode, st, r);
	record_node_writing(r, inode->id, false);
	inode->dirty = inode->written = inode->may_map = inode->base_lost = false;
	inode->former.version = 0;
	inode->clean_size = (uint64_t)st->st_size;
	inode->clean_mtime = stat_mtime(st);
	inode->settle_delay = 0;
	rc = store_submit(lake->store, r, &commit);
	if (!rc)
		inode_submitted(inode, commit);
	if (grows)
		appends_grown(lake);
	appends_cut_locked(inode, inode->version != version, commit);
	pthread_cond_broadcast(&inode->changed);
	return rc;
}

/* INODE is frozen, dirty, and has no writer. */
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

static int settle_frozen(struct lake *lake, struct inode *inode, bool may_map)
{
	struct former former = former_of(inode);
	struct stat st;
	bool same;
	int rc = may_map ? ask_kernel(lake, inode) : 0;

	if (!rc)
		rc = sync_kept(lake, inode);
	if (!rc)
		rc = inode_stat(lake, inode, &st);
	if (rc < 0)
		return rc;
	same = former_is_same(lake, &former, inode, (uint64_t)st.st_size);
	pthread_mutex_lock(&inode->lock);
	rc = cut_locked(lake, inode, &st, same ? &former : NULL);
	pthread_mutex_unlock(&inode->lock);
	if (may_map && lake->frontend.invalidate)
		lake->frontend.invalidate(lake->frontend.arg, inode->id, false);
	return rc;
}

int inode_settle(struct lake *lake, struct inode *inode)
{
	bool may_map;
	int rc;

	pthread_mutex_lock(&inode->lock);
	inode_wait_free_locked(inode);
	rc = inode->writers ? 1 : !inode->dirty ? 2 : 0;
	may_map = inode->may_map;
	inode->frozen = !rc;
	pthread_mutex_unlock(&inode->lock);
	if (rc)
		return rc == 1;
	rc = settle_frozen(lake, inode, may_map);
	inode_thaw(inode);
	if (rc == -EAGAIN)
		settle_later(lake, inode);
	return rc;
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
	inode_settle(lake, inode);
	inode_unref(lake, inode);
}

static void wait_until_locked(struct settle_queue *q, int64_t ns)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	ns += until.tv_nsec;
	until.tv_sec += ns / NSEC_PER_SEC;
	until.tv_nsec = ns % NSEC_PER_SEC;
	pthread_cond_timedwait(&q->added, &q->lock, &until);
}

int settle_run(struct lake *lake, int max_ms)
{
	struct settle_queue *q = lake->unsettled;
	int64_t now = clock_monotonic(), next = now + max_ms * NSEC_PER_MSEC;
	struct waiting *w;
	bool stopped;

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
