#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/full_io.h"
#include "base/log.h"
#include "content/recall/recall_int.h"

#define HASH_PIECE (1024 * 1024)
#define TICK_NS (500 * NSEC_PER_MSEC)
#define MARK_NS (2 * NSEC_PER_SEC)   /* what came is durable after that */
#define MANY 8			     /* fewer are synced one by one */
#define LINGER_NS (5 * NSEC_PER_SEC) /* it stays in memory for who comes back */

/* ---- verifying ---- */

/* What came in order and is not hashed yet; one at a time. */
static bool begin_hashing(struct recall *r, uint64_t *end)
{
	SCOPED_LOCK(&r->lock);

	*end = extents_end(&r->here, r->hashed_to);
	if (r->hashing || r->verified || (*end <= r->hashed_to && r->size))
		return false;
	r->hashing = true;
	return true;
}

static int hash_to(struct recall *r, uint64_t end, char *piece)
{
	while (r->hashed_to < end) {
		uint64_t len = end - r->hashed_to < HASH_PIECE ? end - r->hashed_to : HASH_PIECE;
		ssize_t n = read_full_at(r->fd, piece, len, r->hashed_to);

		if (n <= 0 || EVP_DigestUpdate(r->md, piece, (size_t)n) != 1)
			return n < 0 ? (int)n : -EIO;
		pthread_mutex_lock(&r->lock);
		r->hashed_to += (uint64_t)n;
		pthread_mutex_unlock(&r->lock);
	}
	return 0;
}

/* All that came is another content: none of it counts. The lock is held. */
static void forget_all_locked(struct recall *r)
{
	log_warning("%s: what the remote has there is damaged: its SHA-256 is another", r->key);
	extents_clear(&r->here);
	r->damaged = true;
	r->hashed_to = 0;
	EVP_DigestInit_ex(r->md, EVP_sha256(), NULL);
	recall_break_locked(r, -EIO);
	recall_failed_locked(r, 0, r->size, -EIO, INT64_MAX);
}

static void judge(struct recall *r, int rc)
{
	SCOPED_LOCK(&r->lock);

	r->hashing = false;
	if (rc < 0) {
		log_warning("%s: what came of it cannot be read again: %s", r->key, strerror(-rc));
		recall_failed_locked(r, 0, r->size, -EIO, INT64_MAX);
		return;
	}
	if (r->hashed_to < r->size)
		return;
	r->withheld = (struct extent){0};
	if (EVP_DigestFinal_ex(r->md, r->sha256, NULL) != 1 ||
	    (r->hashed && memcmp(r->sha256, r->wanted, SHA256_BYTES) != 0))
		forget_all_locked(r);
	else
		r->verified = true;
	recall_came_locked(r, 0, r->size);
}

void recall_verify(struct recall *r)
{
	_cleanup_free_ char *piece = NULL;
	uint64_t end;
	int rc;

	while (begin_hashing(r, &end)) { /* more may come meanwhile */
		if (!piece)
			piece = malloc(HASH_PIECE);
		recall_hold(r);
		rc = piece ? hash_to(r, end, piece) : -ENOMEM;
		recall_let_go(r);
		judge(r, rc);
		if (rc < 0)
			break;
	}
}

/* ---- making durable ---- */

/* What is here now, and is it all, verified? */
static int look(struct recall *r, struct extents *here, bool *whole)
{
	SCOPED_LOCK(&r->lock);

	*whole = r->verified && extents_cover(&r->here, 0, r->size);
	r->since = 0;
	return extents_copy(here, &r->here);
}

static int open_map(struct recall *r)
{
	char name[RECALL_NAME_MAX];
	struct extents none = {0};
	int rc;

	if (r->map)
		return 0;
	recall_file_name(r, RECALL_MAP_FILE, name);
	rc = part_map_open(r->cachefd, name, r->size, r->of.content, &r->map, &none);
	extents_release(&none);
	return rc;
}

static int note_here(struct recall *r, const struct extents *here)
{
	struct extent gap;
	int rc = open_map(r);

	for (size_t i = 0; !rc && i < here->n; i++)
		while (!rc && extents_gap(&r->durable, here->list[i].from, here->list[i].to, &gap)) {
			rc = part_map_here(r->map, gap.from, gap.to);
			if (!rc)
				rc = extents_add(&r->durable, gap.from, gap.to);
		}
	return rc;
}

/* The name tells that it is whole, so it needs no map any more. */
static int name_whole(struct recall *r)
{
	char part[RECALL_NAME_MAX], whole[RECALL_NAME_MAX], map[RECALL_NAME_MAX];

	recall_file_name(r, RECALL_PART_FILE, part);
	recall_file_name(r, RECALL_WHOLE_FILE, whole);
	recall_file_name(r, RECALL_MAP_FILE, map);
	if (renameat(r->cachefd, part, r->cachefd, whole) < 0)
		return -errno;
	unlinkat(r->cachefd, map, 0);
	r->is_whole_file = true;
	return 0;
}

static int forget_damage(struct recall *r)
{
	int rc = r->map ? part_map_gone(r->map, 0, r->size) : 0;

	extents_clear(&r->durable);
	SCOPED_LOCK(&r->lock);
	r->damaged = rc < 0;
	return rc;
}

static bool is_damaged(struct recall *r)
{
	SCOPED_LOCK(&r->lock);

	return r->damaged;
}

static int mark(struct recall *r, bool synced)
{
	SCOPED_LOCK(&r->files);
	struct extents here = {0};
	bool whole;
	int rc = is_damaged(r) ? forget_damage(r) : 0;

	if (rc < 0 || r->taken || r->is_whole_file)
		return rc;
	rc = look(r, &here, &whole);
	if (!rc && (whole || here.bytes > r->durable.bytes))
		rc = !synced && recall_calls.sync(r->fd) < 0 ? -errno
		     : whole && r->hashed		     ? name_whole(r)
							     : note_here(r, &here);
	extents_release(&here);
	return rc;
}

int recall_mark(struct recall *r)
{
	return mark(r, false);
}

void recall_mark_all(struct recalls *rs)
{
	bool many = HASH_CNT(by_content, rs->table) > MANY, synced = false;
	struct recall *r, *next;
	int cachefd = -1;

	HASH_ITER (by_content, rs->table, r, next) {
		if (many && r->cachefd != cachefd) {
			cachefd = r->cachefd;
			synced = !syncfs(cachefd);
		}
		mark(r, synced); /* if not, it is fetched again */
	}
}

static bool is_due(struct recall *r)
{
	int64_t now = clock_monotonic();
	SCOPED_LOCK(&r->lock);

	return r->damaged || (r->since && now - r->since > MARK_NS);
}

/* ---- the keeper ---- */

static bool is_left(const struct recall *r, unsigned refs)
{
	return r->in_table && !r->opens && r->refs == refs && clock_monotonic() - r->closed_at > LINGER_NS;
}

/* Nobody came back: it leaves memory, and its files stay. */
static void forget_if_left(struct recall *r)
{
	struct recalls *rs = r->set;
	bool left;

	pthread_mutex_lock(&rs->lock);
	left = is_left(r, 1);
	pthread_mutex_unlock(&rs->lock);
	if (left)
		recall_mark(r); /* if not, it is fetched again */
	SCOPED_LOCK(&rs->opening);
	pthread_mutex_lock(&rs->lock);
	if (left && is_left(r, 1)) {
		HASH_DELETE(by_content, rs->table, r);
		r->in_table = false;
		rs->scanned = 0; /* its files are nobody's now */
	}
	pthread_mutex_unlock(&rs->lock);
	recall_unref(r);
}

static void keep_all(struct recalls *rs)
{
	size_t n = 0;
	_cleanup_free_ struct recall **list = recall_list(rs, &n);

	for (size_t i = 0; i < n; i++) {
		if (rs->stop) { /* recall_mark_all() does it faster */
			recall_unref(list[i]);
			continue;
		}
		if (is_due(list[i]))
			recall_mark(list[i]);
		forget_if_left(list[i]);
	}
}

static void wait_tick(struct recalls *rs)
{
	const struct timespec until = clock_deadline(TICK_NS);
	SCOPED_LOCK(&rs->lock);

	if (!rs->stop)
		pthread_cond_timedwait(&rs->kept, &rs->lock, &until);
}

static void *keep(void *arg)
{
	struct recalls *rs = arg;

	while (!rs->stop) {
		wait_tick(rs);
		keep_all(rs);
	}
	return NULL;
}

void recall_start_keeping(struct recalls *rs)
{
	SCOPED_LOCK(&rs->lock);

	if (!rs->keeping && !rs->stop)
		rs->keeping = !pthread_create(&rs->keeper, NULL, keep, rs);
}

void recall_stop_keeping(struct recalls *rs)
{
	pthread_mutex_lock(&rs->lock);
	rs->stop = true;
	pthread_cond_broadcast(&rs->kept);
	pthread_mutex_unlock(&rs->lock);
	if (rs->keeping)
		pthread_join(rs->keeper, NULL);
}
