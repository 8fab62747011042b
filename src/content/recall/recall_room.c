/*
 * Room on the disk for what comes. Files of others and their writers go first: what is fetched ahead leaves a part of
 * the disk free, what somebody waits for a smaller one. When that is not there, what can be fetched again goes:
 *
 *	1. files in cache/ that nobody has open, those that were used longest ago first
 *	2. recalls that nobody has open any more
 *	3. of those that are open, what lies behind their readers: so one who reads everything in order needs little
 *	   room, however large the file is
 *	4. when somebody waits, what was fetched ahead, farthest from the readers first: it can be fetched again
 *
 * What is whole and verified stays while somebody has it open: the kernel may read it by itself. What came in order and
 * is not hashed yet stays, too: who waits hashes it, or waits for who is at it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <utlist.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/recall/recall_int.h"

#define PAUSE_NS (10 * NSEC_PER_MSEC)
#define WAIT_NS (20 * NSEC_PER_SEC) /* less than who waits for bytes has patience */
#define AHEAD_PART 20		    /* a twentieth of the disk stays free of what is fetched ahead */
#define URGENT_PART 64
#define BEHIND (UINT64_C(4) * 1024 * 1024) /* the kernel may come back for that */
#define PAGE 4096
#define SCAN_NS (2 * NSEC_PER_SEC) /* cache/ is not read more often */

/* ---- 1. files of nobody ---- */

struct old_file {
	char name[RECALL_NAME_MAX];
	int64_t used;
	uint64_t bytes;
};

struct old_files {
	struct old_file *list;
	size_t n, room;
};

bool recall_is_in_use(struct recalls *rs, uint64_t id)
{
	SCOPED_LOCK(&rs->lock);
	struct recall *r, *next;

	HASH_ITER (by_content, rs->table, r, next)
		if (r->of.id == id)
			return true;
	return false;
}

/* Where the last part of NAME begins; 0: it is another name. */
static int parse(const char *name, uint64_t *id)
{
	int end = 0;

	return sscanf(name, "%" SCNx64 "-%*16[0-9a-f].%n", id, &end) == 1 ? end : 0;
}

bool recall_file_parse(const char *name, uint64_t *id)
{
	static const char *const kinds[] = {"part", "map", "whole", "ends", NULL};
	int end = parse(name, id);

	for (int i = 0; end && kinds[i]; i++)
		if (!strcmp(name + end, kinds[i]))
			return true;
	return false;
}

static void note_file(struct old_files *files, int dirfd, const char *name)
{
	struct stat st;

	if (strlen(name) >= RECALL_NAME_MAX || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return;
	if (array_grow(&files->list, files->n, &files->room, sizeof(*files->list)))
		return;
	files->list[files->n] = (struct old_file){.bytes = (uint64_t)st.st_blocks * 512};
	files->list[files->n].used = st.st_mtim.tv_sec > st.st_atim.tv_sec ? st.st_mtim.tv_sec : st.st_atim.tv_sec;
	memcpy(files->list[files->n++].name, name, strlen(name) + 1);
}

static int by_use(const void *a, const void *b)
{
	const struct old_file *x = a, *y = b;

	return x->used < y->used ? -1 : x->used > y->used;
}

/* Those that are called so (NULL: all), but for those in use. */
static void list_files(struct recalls *rs, int cachefd, const char *suffix, struct old_files *files)
{
	int fd = openat(cachefd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	uint64_t id;
	int end;

	while (d && (e = readdir(d))) {
		end = parse(e->d_name, &id);
		if (end && (suffix ? !strcmp(e->d_name + end, suffix) : !recall_is_in_use(rs, id)))
			note_file(files, cachefd, e->d_name);
	}
}

/* The caller holds `room`. How many bytes went. */
static uint64_t remove_files(struct recalls *rs, int cachefd, uint64_t need)
{
	SCOPED_LOCK(&rs->opening);
	struct old_files files = {0};
	uint64_t gone = 0;

	if (rs->scanned && clock_monotonic() - rs->scanned < SCAN_NS)
		return 0;
	list_files(rs, cachefd, NULL, &files);
	if (files.n)
		qsort(files.list, files.n, sizeof(*files.list), by_use);
	for (size_t i = 0; i < files.n && gone < need; i++)
		if (!unlinkat(cachefd, files.list[i].name, 0))
			gone += files.list[i].bytes;
	if (gone < need) /* nothing is left */
		rs->scanned = clock_monotonic();
	free(files.list);
	return gone;
}

bool recall_count_ends(struct recalls *rs, int cachefd, uint64_t len, uint64_t limit)
{
	SCOPED_LOCK(&rs->room);
	struct old_files files = {0};

	if (!rs->ends_known || rs->ends + len > limit) {
		list_files(rs, cachefd, "ends", &files);
		if (files.n)
			qsort(files.list, files.n, sizeof(*files.list), by_use);
		rs->ends = 0;
		for (size_t i = 0; i < files.n; i++)
			rs->ends += files.list[i].bytes;
		for (size_t i = 0; i < files.n && rs->ends + len > limit / 4 * 3; i++) /* not for each one anew */
			if (!unlinkat(cachefd, files.list[i].name, 0))
				rs->ends -= files.list[i].bytes;
		free(files.list);
		rs->ends_known = true;
	}
	if (rs->ends + len > limit)
		return false;
	rs->ends += len;
	return true;
}

/* ---- 2. recalls of nobody ---- */

/* The one on CACHEFD that was closed longest ago, out of the table; NULL: there is none. */
static struct recall *take_closed(struct recalls *rs, int cachefd)
{
	SCOPED_LOCK(&rs->lock);
	struct recall *r, *next, *oldest = NULL;

	HASH_ITER (by_content, rs->table, r, next)
		if (!r->refs && r->cachefd == cachefd && (!oldest || r->closed_at < oldest->closed_at))
			oldest = r;
	if (oldest) {
		HASH_DELETE(by_content, rs->table, oldest);
		oldest->in_table = false;
	}
	return oldest;
}

static uint64_t remove_closed(struct recalls *rs, int cachefd, uint64_t need)
{
	SCOPED_LOCK(&rs->opening);
	uint64_t gone = 0;
	struct recall *r;

	while (gone < need && (r = take_closed(rs, cachefd))) {
		gone += r->here.bytes;
		recall_discard(r);
	}
	return gone;
}

/* ---- 3. what lies behind readers ---- */

static void keep_range(struct extents *going, uint64_t from, uint64_t before, uint64_t to)
{
	extents_remove(going, from > before ? from - before : 0, to);
}

/*
 * What of R can go now; AHEAD bytes ahead of each reader stay. What fetches under way brought stays only while that is
 * all that is fetched ahead: else readers may wait for room that those take. R's lock is held. 0 or -ENOMEM.
 */
static int unneeded_locked(const struct recall *r, uint64_t ahead, struct extents *going)
{
	struct demand *d;
	int rc = extents_copy(going, &r->here);

	if (rc < 0)
		return rc;
	if (ahead == RECALL_AHEAD)
		for (size_t i = 0; i < r->coming.n; i++)
			keep_range(going, r->coming.list[i].from, 0, r->coming.list[i].to);
	for (const struct stream *s = r->streams; s < r->streams + RECALL_STREAMS; s++)
		if (s->read)
			keep_range(going, s->next, ahead < BEHIND ? ahead : BEHIND, s->next + ahead);
	DL_FOREACH(r->demands, d)
	keep_range(going, d->from, RECALL_PART, d->to + RECALL_PART);
	if (!r->verified)
		keep_range(going, r->hashed_to, 0, extents_end(&r->here, r->hashed_to));
	return 0;
}

/* What can go is not here any more. */
static bool take_unneeded(struct recall *r, uint64_t ahead, struct extents *going)
{
	SCOPED_LOCK(&r->lock);

	if (r->verified && extents_cover(&r->here, 0, r->size))
		return false;
	if (unneeded_locked(r, ahead, going) < 0)
		return false;
	for (size_t i = 0; i < going->n; i++)
		extents_remove(&r->here, going->list[i].from, going->list[i].to);
	return going->bytes;
}

/* The map forgets it before it goes. */
static int forget(struct recall *r, const struct extents *going)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < going->n; i++) {
		const struct extent *x = &going->list[i];

		if (!extents_touch(&r->durable, x->from, x->to))
			continue;
		rc = part_map_gone(r->map, x->from, x->to);
		if (!rc)
			rc = extents_remove(&r->durable, x->from, x->to);
	}
	return rc;
}

static uint64_t punch(struct recall *r, const struct extents *going)
{
	uint64_t gone = 0;

	for (size_t i = 0; i < going->n; i++) {
		const struct extent *x = &going->list[i];
		uint64_t from = (x->from + PAGE - 1) / PAGE * PAGE, to = x->to / PAGE * PAGE;

		if (from < to &&
		    !fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from)))
			gone += to - from;
	}
	return gone;
}

/* Nobody reads the sparse file meanwhile, nor writes to it what was fetched again. */
static uint64_t drop(struct recall *r, uint64_t ahead)
{
	SCOPED_LOCK(&r->files);
	struct extents going = {0};
	uint64_t gone = 0;

	if (!r->taken) {
		pthread_rwlock_wrlock(&r->drop);
		/* what is told to be gone, and then stays, is only fetched once more by the next daemon */
		if (take_unneeded(r, ahead, &going) && !forget(r, &going))
			gone = punch(r, &going);
		pthread_rwlock_unlock(&r->drop);
	}
	extents_release(&going);
	return gone;
}

static uint64_t drop_all(struct recalls *rs, int cachefd, uint64_t ahead)
{
	size_t n = 0;
	_cleanup_free_ struct recall **list = recall_list(rs, &n);
	uint64_t gone = 0;

	for (size_t i = 0; i < n; i++) {
		if (list[i]->cachefd == cachefd)
			gone += drop(list[i], ahead);
		recall_unref(list[i]);
	}
	return gone;
}

/* ---- what is to be forgotten ---- */

static bool is_one_of(uint64_t id, const uint64_t *ids, size_t n)
{
	while (n && ids[n - 1] != id)
		n--;
	return n;
}

/* It leaves the table, and its files their names. The caller holds `opening`. */
static void forget_open(struct recall *r)
{
	char name[RECALL_NAME_MAX];
	SCOPED_LOCK(&r->files);

	for (enum recall_file what = RECALL_PART_FILE; !r->taken && what <= RECALL_ENDS_FILE; what++) {
		recall_file_name(r, what, name);
		unlinkat(r->cachefd, name, 0);
	}
	r->taken = true;
	SCOPED_LOCK(&r->set->lock);
	if (r->in_table)
		HASH_DELETE(by_content, r->set->table, r);
	r->in_table = false;
}

void recalls_forget(struct recalls *rs, int cachefd, const uint64_t *ids, size_t n)
{
	SCOPED_LOCK(&rs->opening);
	size_t in_memory = 0;
	_cleanup_free_ struct recall **list = recall_list(rs, &in_memory);
	struct old_files files = {0};

	for (size_t i = 0; i < in_memory; i++) {
		if (list[i]->cachefd == cachefd && is_one_of(list[i]->of.id, ids, n))
			forget_open(list[i]);
		recall_unref(list[i]);
	}
	list_files(rs, cachefd, NULL, &files);
	for (size_t i = 0; i < files.n; i++)
		if (is_one_of(strtoull(files.list[i].name, NULL, 16), ids, n))
			unlinkat(cachefd, files.list[i].name, 0);
	free(files.list);
}

/* ---- asking for room ---- */

static bool fits(struct recall *r, uint64_t bytes, unsigned part)
{
	struct recalls *rs = r->set;
	uint64_t total = 0, left = recall_calls.room(r->cachefd, &total);
	SCOPED_LOCK(&rs->lock);

	if (left < rs->reserved + bytes + (part ? total / part : 0))
		return false;
	rs->reserved += bytes;
	return true;
}

static bool make_room(struct recall *r, uint64_t bytes, enum recall_need need)
{
	static const uint64_t stays[] = {RECALL_AHEAD / 4, RECALL_AHEAD / 16, RECALL_PART, 0};
	struct recalls *rs = r->set;
	uint64_t enough = bytes > RECALL_AHEAD ? bytes : RECALL_AHEAD;

	if (remove_files(rs, r->cachefd, enough) || remove_closed(rs, r->cachefd, enough) ||
	    drop_all(rs, r->cachefd, RECALL_AHEAD))
		return true;
	for (size_t i = 0; need == RECALL_NOW && i < sizeof(stays) / sizeof(*stays); i++)
		if (drop_all(rs, r->cachefd, stays[i]))
			return true;
	return false;
}

static bool reserve(struct recall *r, uint64_t bytes, enum recall_need need)
{
	unsigned part = need == RECALL_LATER ? AHEAD_PART : URGENT_PART;
	bool fit = fits(r, bytes, part);

	if (!fit) {
		SCOPED_LOCK(&r->set->room); /* others may have made some meanwhile */

		while (!(fit = fits(r, bytes, part)) && make_room(r, bytes, need))
			;
	}
	return fit || (need == RECALL_NOW && fits(r, bytes, 0));
}

/* Somebody hashes what lies behind readers, or what was reserved may be given back. */
static bool room_comes(struct recall *r)
{
	SCOPED_LOCK(&r->lock);
	SCOPED_LOCK(&r->set->lock);

	return !r->set->stop && (r->hashing || r->set->reserved);
}

/* What nobody has hashed yet cannot go: that is seen to before anything is given up that was fetched ahead. */
static bool is_hashed(struct recall *r)
{
	recall_verify(r);
	SCOPED_LOCK(&r->lock);
	return !r->hashing;
}

int recall_reserve(struct recall *r, uint64_t bytes, enum recall_need need)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	int64_t until = clock_monotonic() + WAIT_NS;
	bool fit = reserve(r, bytes, need == RECALL_NOW ? RECALL_SOON : need);

	while (!fit && need == RECALL_NOW) {
		fit = reserve(r, bytes, is_hashed(r) ? RECALL_NOW : RECALL_SOON);
		if (fit || clock_monotonic() > until || !room_comes(r))
			break;
		nanosleep(&pause, NULL);
	}
	return fit ? 0 : -ENOSPC;
}

void recall_unreserve(struct recall *r, uint64_t bytes)
{
	SCOPED_LOCK(&r->set->lock);

	r->set->reserved -= bytes;
}
