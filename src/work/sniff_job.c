/*
 * JOB_SNIFF: the SHA-256 of one version, and what it is.
 *
 * A hash must be of the version's bytes and of nothing else. A kept version's bytes lie in versions/ and do not change.
 * A live one's are the live file's, which anybody may write at any time:
 *
 *	before	under the inode's lock: clean, no writer, the version is the live one; write_seq is noted, holders go up
 *	read	the raw file. Who wants it alone (a truncation that moves it aside) sets `wanted` and waits for holders
 *		to go; the hasher looks between two pieces and lets go at once
 *	after	write_seq is the same, the version is still the live one, size and mtime are as before: else it does not
 *		count
 *	look	the helper (sniff/worker.h) is given the descriptor, and nobody has to wait for it; what it says counts
 *		if all of that still holds afterwards
 *
 * A version that is hashed already is only looked at, as long as the file has the size that was hashed: what a store
 * had when it learned what files are (migration 4), and what others refer to (work/quality.h).
 *
 * A file that is open for writing has its turn later, with a new job in place of the old one, so that waiting is not
 * counted as failing. A new version brings a job of its own.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/full_io.h"
#include "base/log.h"
#include "content/appends.h"
#include "content/hash.h"
#include "content/lake.h"
#include "content/past/past.h"
#include "content/cloud/stub.h"
#include "sniff/mime.h"
#include "sniff/worker.h"
#include "work/described.h"
#include "work/quality.h"
#include "work/work_int.h"

#define BATCH 64
#define FLUSH_NS (500 * NSEC_PER_MSEC) /* what is known is not kept back longer by the rest of a batch */
#define POLL_NS NSEC_PER_SEC
#define SOON_NS (2 * NSEC_PER_SEC)  /* somebody took the file away from us */
#define BUSY_NS (30 * NSEC_PER_SEC) /* it is open for writing */
#define RETRY_NS (2 * NSEC_PER_SEC) /* doubled with each try */
#define TRIES 5
#define GIVE_WAY_NS (3 * NSEC_PER_MSEC)
#define BACKGROUND 19
#define COPY_MAX (UINT64_C(16) << 20) /* bytes of a version that is no file of its own */

/* What became of a job, when it is not -errno. */
enum { KNOWN, NOTHING_TO_DO, BUSY, SOON };

struct sniffing {
	struct work *work;
	struct lake *lake;
	struct worker *worker;
	struct hash_states *states;

	/* the job in hand */
	struct version_row version;
	struct inode *inode; /* of a live version, held */
	unsigned write_seq;
	struct growing growing;
	uint64_t bytes;		   /* that were hashed */
	char name[NAME_BYTES + 1]; /* "" when it has none any more */
	bool wanted;		   /* its bucket wants to know what it is */

	/* its result */
	uint8_t sha256[SHA256_BYTES];
	struct description description;
	struct quality quality;
	bool declared; /* a table was among those of this batch */

	/* the batch */
	struct record *record;
	bool recorded; /* something is in it */
	int64_t since;
	uint64_t last_commit; /* when the last job began */
};

/* ---- what is it called, and does its bucket want to know ---- */

static void find_name(struct sniffing *s)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct bucket *bucket;
	char *slash, *last;

	s->name[0] = '\0';
	s->wanted = false;
	if (store_path(s->lake->store, s->version.node, &path) || !path.len)
		return;
	last = strrchr(path.data, '/');
	slash = strchr(path.data, '/');
	if (!slash)
		return;
	snprintf(s->name, sizeof(s->name), "%s", last + 1);
	*slash = '\0';
	s->wanted = !lake_bucket(s->lake, path.data, &bucket) && bucket_policy(bucket)->auto_catalog;
	*slash = '/';
	if (s->wanted)
		quality_begin(&s->quality, s->lake, s->version.node, path.data);
}

/* ---- reading ---- */

static bool must_let_go(void *arg)
{
	struct sniffing *s = arg;

	if (work_stopping(s->work))
		return true;
	if (!s->inode)
		return false;
	SCOPED_LOCK(&s->inode->lock);
	return s->inode->wanted;
}

static bool is_hashed(const struct sniffing *s, uint64_t size)
{
	return s->version.hashed && s->version.size == size;
}

/* The hash of FD, which has SIZE bytes. */
static int read_hash(struct sniffing *s, int fd, uint64_t size)
{
	int rc;

	s->bytes = size;
	if (is_hashed(s, size))
		return KNOWN;
	rc = hash_fd_growing(s->inode ? s->states : NULL, &s->growing, fd, must_let_go, s, s->sha256, &s->bytes);
	if (rc == -ECANCELED)
		return SOON;
	if (rc < 0)
		return rc;
	return s->bytes == size ? KNOWN : -EAGAIN; /* it changed meanwhile, unseen by us */
}

/* What FD is. A helper that cannot be had was logged; the hash is worth having. */
static int look(struct sniffing *s, int fd, unsigned flags)
{
	if (s->wanted &&
	    worker_describe(s->worker, fd, s->name, flags, work_is_stopping, s->work, &s->description) == -ECANCELED)
		return SOON;
	if (s->wanted && !(flags & WORKER_MIME_ONLY) &&
	    quality_check(&s->quality, s->worker, fd, s->name, work_is_stopping, s->work) == -ECANCELED)
		return SOON;
	return KNOWN;
}

/* Who read a file last is the users' business: atime stays, where that is allowed. */
static int open_raw(struct lake *lake, struct inode *inode)
{
	int fd = inode_open(lake, inode, O_RDONLY | O_NOATIME);

	return fd == -EPERM ? inode_open(lake, inode, O_RDONLY) : fd;
}

/* ---- a live version ---- */

static int hold(struct sniffing *s, struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	if (inode_is_stub(inode)) /* nothing is recalled for that: who brings it back brings its hash */
		return NOTHING_TO_DO;
	if (inode->dirty || inode->writers)
		return BUSY;
	if (inode->version != s->version.id || inode->state == INODE_CHANGING || inode->wanted || !inode->name)
		return SOON;
	inode->holders++;
	s->write_seq = inode->write_seq;
	s->growing = (struct growing){inode->id, inode->version, appends_since_locked(inode)};
	s->inode = inode;
	return KNOWN;
}

/* Is what was read meanwhile still that version's? */
static bool is_same_locked(const struct sniffing *s, const struct inode *inode)
{
	return inode->write_seq == s->write_seq && inode->version == s->version.id && !inode->dirty;
}

static bool is_same(const struct sniffing *s, struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	return is_same_locked(s, inode);
}

static bool let_go(struct sniffing *s)
{
	struct inode *inode = s->inode;
	SCOPED_LOCK(&inode->lock);

	s->inode = NULL;
	inode->holders--;
	pthread_cond_broadcast(&inode->changed);
	return is_same_locked(s, inode);
}

static bool same_time_and_size(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && stat_mtime(a) == stat_mtime(b);
}

static int read_live(struct sniffing *s, int fd)
{
	struct stat before, after;
	bool clean;
	int rc;

	if (fstat(fd, &before) < 0)
		return -errno;
	pthread_mutex_lock(&s->inode->lock);
	clean = (uint64_t)before.st_size == s->inode->clean_size && stat_mtime(&before) == s->inode->clean_mtime;
	pthread_mutex_unlock(&s->inode->lock);
	if (!clean) /* behind the mount's back: the next look-up makes a version of it */
		return -EAGAIN;
	rc = read_hash(s, fd, (uint64_t)before.st_size);
	if (rc == KNOWN && (fstat(fd, &after) < 0 || !same_time_and_size(&before, &after)))
		rc = -EAGAIN;
	return rc;
}

/* INODE is held. */
static int sniff_held(struct sniffing *s, struct inode *inode)
{
	_cleanup_close_ int fd = open_raw(s->lake, inode);
	int rc = fd < 0 ? fd : read_live(s, fd);

	if (!let_go(s) && rc == KNOWN)
		return SOON;
	if (rc == KNOWN)
		rc = look(s, fd, 0);
	if (rc == KNOWN && !is_same(s, inode))
		return SOON;
	return fd == -ESTALE || fd == -ENOENT || fd == -EACCES || fd == -EPERM ? NOTHING_TO_DO : rc;
}

static int sniff_live(struct sniffing *s)
{
	struct inode *inode;
	int rc = reach_node(s->lake, s->version.node, &inode);

	if (rc < 0)
		return rc == -ENOENT || rc == -ESTALE || rc == -ENOTDIR ? NOTHING_TO_DO : rc;
	rc = hold(s, inode);
	if (rc == KNOWN)
		rc = sniff_held(s, inode);
	inode_unref(s->lake, inode);
	return rc;
}

/* ---- a kept one ---- */

/* As much of P as MOST as a file, for a helper that reads files only. */
static int copy_of(struct past *p, uint64_t most)
{
	_cleanup_close_ int fd = memfd_create("tarn-sniff", MFD_CLOEXEC);
	_cleanup_free_ char *piece = malloc(HASH_PIECE);
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	if (!piece)
		return -ENOMEM;
	for (uint64_t at = 0; at < most && at < past_size(p); at += (uint64_t)n) {
		n = past_read(p, piece, HASH_PIECE < most - at ? HASH_PIECE : most - at, (off_t)at);
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		if (write_full_at(fd, piece, (size_t)n, at) < 0)
			return -EIO;
	}
	return steal_fd(&fd);
}

/* One that is put together from pieces, or comes out of a pack, is copied if it is not too long for that. */
static int look_at_kept(struct sniffing *s, struct past *p)
{
	bool whole = past_size(p) <= COPY_MAX;
	_cleanup_close_ int copy = -1;

	if (!s->wanted)
		return KNOWN;
	if (past_fd(p) >= 0)
		return look(s, past_fd(p), 0);
	copy = copy_of(p, whole ? COPY_MAX : MIME_BYTES);
	return copy < 0 ? KNOWN : look(s, copy, whole ? 0 : WORKER_MIME_ONLY);
}

static int sniff_kept(struct sniffing *s)
{
	struct past *p;
	int rc = s->version.how == HOW_CLOUD ? -ENOENT : past_open(s->lake, &s->version, &p);

	if (rc < 0)
		return rc == -ENOENT || rc == -EACCES || rc == -EPERM ? NOTHING_TO_DO : rc;
	rc = is_hashed(s, past_size(p)) ? 0 : hash_past(p, must_let_go, s, s->sha256);
	if (rc == -ECANCELED)
		rc = SOON;
	else if (!rc)
		rc = look_at_kept(s, p);
	past_close(p);
	s->bytes = s->version.size;
	return rc;
}

/* ---- jobs ---- */

static int sniff(struct sniffing *s, uint64_t version)
{
	int rc = store_version(s->lake->store, version, &s->version);

	if (rc < 0)
		return rc == -ENOENT ? NOTHING_TO_DO : rc;
	if (!s->version.settled) /* that it settled brings another job */
		return NOTHING_TO_DO;
	if (s->version.state != VERSION_LIVE && s->version.state != VERSION_KEPT)
		return NOTHING_TO_DO;
	find_name(s);
	return s->version.state == VERSION_LIVE ? sniff_live(s) : sniff_kept(s);
}

static void failed(struct sniffing *s, const struct job_row *job, int err)
{
	if (job->tries + 1 < TRIES) {
		record_job_retry(s->record, job->id, clock_wall() + (RETRY_NS << job->tries), strerror(err));
		return;
	}
	log_warning("node %" PRIu64 " (%s): version %" PRIu64 " is not hashed, given up after %d tries: %s",
		    s->version.node, s->name, s->version.id, TRIES, strerror(err));
	record_job_done(s->record, job->id);
}

static void record_result(struct sniffing *s, const struct job_row *job, int rc)
{
	if (work_stopping(s->work) && rc != KNOWN)
		return; /* it waits in the store for the next start */
	s->recorded = true;
	switch (rc) {
	case KNOWN:
		record_version_facts_of(s->record, job->subject, s->bytes, is_hashed(s, s->bytes) ? NULL : s->sha256,
					s->description.mime);
		quality_describe(&s->quality, &s->description); /* else it is found by less */
		described_record(s->record, s->version.node, job->subject, &s->description);
		if (s->version.state == VERSION_LIVE)
			quality_record(&s->quality, s->record, s->version.node, job->subject);
		s->declared |= s->quality.table != NULL;
		record_job_done(s->record, job->id);
		break;
	case NOTHING_TO_DO:
		record_job_done(s->record, job->id);
		break;
	case BUSY:
	case SOON: /* it takes the old one's place, with no tries */
		record_job_add(s->record, JOB_SNIFF, job->subject, clock_wall() + (rc == BUSY ? BUSY_NS : SOON_NS));
		break;
	default:
		failed(s, job, -rc);
	}
}

static void run_job(struct sniffing *s, const struct job_row *job)
{
	int rc;

	description_init(&s->description);
	rc = sniff(s, job->subject);
	record_result(s, job, rc);
	description_release(&s->description);
	quality_release(&s->quality);
}

/* What was found out becomes visible; else the store would hand the same jobs out again. */
static int flush(struct sniffing *s)
{
	uint64_t commit;
	int rc;

	if (!s->recorded) {
		record_free(steal_ptr(&s->record));
		return 0;
	}
	s->recorded = false;
	rc = store_submit(s->lake->store, steal_ptr(&s->record), &commit);
	while (!rc && store_barrier(s->lake->store, commit) < 0)
		if (!work_sleep(s->work, POLL_NS)) /* the store keeps it and tries again */
			break;
	return rc;
}

static int begin(struct sniffing *s)
{
	s->record = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	s->since = clock_monotonic();
	return s->record ? 0 : -ENOMEM;
}

/*
 * While changes come in, only a few files a second are looked at. Niceness alone is not enough: who makes files waits
 * for the daemon between any two requests, and a thread that fills those gaps delays each of them.
 */
static void give_way(struct sniffing *s)
{
	uint64_t commit = store_last_commit(s->lake->store);

	if (commit != s->last_commit)
		work_sleep(s->work, GIVE_WAY_NS);
	s->last_commit = commit;
}

/* How many jobs were due, or -errno. */
static int run_batch(struct sniffing *s)
{
	struct job_row jobs[BATCH];
	int n = store_jobs(s->lake->store, JOB_SNIFF, clock_wall(), jobs, BATCH), rc;

	if (n <= 0)
		return n;
	rc = begin(s);
	for (int i = 0; i < n && !rc && !work_stopping(s->work); i++) {
		give_way(s);
		run_job(s, &jobs[i]);
		if (clock_monotonic() - s->since < FLUSH_NS)
			continue;
		rc = flush(s);
		if (!rc)
			rc = begin(s);
	}
	if (s->record)
		rc = flush(s);
	if (!rc && s->declared) /* others may refer to it */
		rc = quality_renew(s->lake, NULL);
	s->declared = false;
	return rc < 0 ? rc : n;
}

static bool no_jobs_left(struct lake *lake)
{
	struct store_totals totals;

	return !store_totals(lake->store, &totals) && !totals.jobs;
}

/* A helper that nobody needed for a while goes. */
static void sleep_for_jobs(struct sniffing *s)
{
	if (worker_pid(s->worker) && work_sleep_for_jobs(s->work, WORKER_IDLE_SECONDS * NSEC_PER_SEC))
		worker_rest(s->worker);
	else
		work_sleep_for_jobs(s->work, -1);
}

/* What is new is looked at when it is due, and not with the next poll. */
static int64_t until_due(struct lake *lake)
{
	int64_t due, left;

	if (store_next_job(lake->store, JOB_SNIFF, &due))
		return POLL_NS;
	left = due - clock_wall();
	return left < NSEC_PER_MSEC ? NSEC_PER_MSEC : left < POLL_NS ? left : POLL_NS;
}

void *sniff_main(void *arg)
{
	struct work *w = arg;
	struct sniffing s = {.work = w, .lake = w->lake, .worker = worker_new(), .states = hash_states_new()};

	work_be_nice(BACKGROUND);
	if (!s.worker)
		log_error("background work: no memory to hash files: they are hashed after the next start");
	while (s.worker && !work_stopping(w)) {
		work_jobs_seen(w);
		if (run_batch(&s) > 0)
			continue;
		if (no_jobs_left(w->lake))
			sleep_for_jobs(&s);
		else
			work_sleep_for_jobs(w, until_due(w->lake));
	}
	worker_free(s.worker);
	hash_states_free(s.states);
	return NULL;
}
