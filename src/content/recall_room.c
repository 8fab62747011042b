/*
 * Room on the disk for what comes. Files of others and their writers go first: what is fetched ahead leaves a part of
 * the disk free, what somebody waits for a smaller one. When that is not there, what can be fetched again goes:
 *
 *	1. files in cache/ that nobody has open, those that were used longest ago first
 *	2. recalls that nobody has open any more
 *	3. of those that are open, what lies behind their readers: so one who reads everything in order needs little
 *	   room, however large the file is
 *
 * What is whole and verified stays while somebody has it open: the kernel may read it by itself.
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
#include "content/recall_int.h"

#define ROOM_PAUSE_NS 20000000
#define ROOM_TRIES 250 /* five seconds */
#define AHEAD_PART 20  /* a twentieth of the disk stays free of what is fetched ahead */
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

/* What stays behind a reader: for the kernel, and what is not hashed yet. */
static uint64_t before(const struct recall *r, const struct stream *s)
{
	uint64_t ahead = s->next > r->hashed_to ? s->next - r->hashed_to : 0;

	return ahead > BEHIND && ahead <= RECALL_AHEAD ? ahead : BEHIND;
}

/* What of R can go now. Its lock is held. 0 or -ENOMEM. */
static int behind_locked(const struct recall *r, struct extents *going)
{
	struct demand *d;
	int rc = extents_copy(going, &r->here);

	if (rc < 0)
		return rc;
	for (const struct stream *s = r->streams; s < r->streams + RECALL_STREAMS; s++)
		if (s->read)
			keep_range(going, s->next, before(r, s), s->next + RECALL_AHEAD);
	DL_FOREACH(r->demands, d)
	keep_range(going, d->from, RECALL_PART, d->to + RECALL_PART);
	for (size_t i = 0; i < r->coming.n; i++)
		keep_range(going, r->coming.list[i].from, 0, r->coming.list[i].to);
	return 0;
}

static bool may_drop(struct recall *r, struct extents *going)
{
	SCOPED_LOCK(&r->lock);

	if (r->verified && extents_cover(&r->here, 0, r->size))
		return false;
	return !behind_locked(r, going) && going->bytes;
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

/* Nobody reads the sparse file now: what nobody came back for meanwhile goes. */
static uint64_t punch(struct recall *r, struct extents *going)
{
	uint64_t gone = 0;

	pthread_mutex_lock(&r->lock);
	if (behind_locked(r, going) < 0)
		extents_clear(going);
	for (size_t i = 0; i < going->n; i++)
		extents_remove(&r->here, going->list[i].from, going->list[i].to);
	pthread_mutex_unlock(&r->lock);
	for (size_t i = 0; i < going->n; i++) {
		const struct extent *x = &going->list[i];
		uint64_t from = (x->from + PAGE - 1) / PAGE * PAGE, to = x->to / PAGE * PAGE;

		if (from < to &&
		    !fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from)))
			gone += to - from;
	}
	return gone;
}

static uint64_t drop_behind(struct recall *r)
{
	SCOPED_LOCK(&r->files);
	struct extents going = {0};
	uint64_t gone = 0;

	if (!r->taken && may_drop(r, &going)) {
		pthread_rwlock_wrlock(&r->drop);
		/* what is told to be gone, and then stays, is only fetched once more by the next daemon */
		if (!forget(r, &going))
			gone = punch(r, &going);
		pthread_rwlock_unlock(&r->drop);
	}
	extents_release(&going);
	return gone;
}

static uint64_t drop_all(struct recalls *rs, int cachefd)
{
	size_t n = 0;
	_cleanup_free_ struct recall **list = recall_list(rs, &n);
	uint64_t gone = 0;

	for (size_t i = 0; i < n; i++) {
		if (list[i]->cachefd == cachefd)
			gone += drop_behind(list[i]);
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

static bool make_room(struct recall *r, uint64_t bytes)
{
	struct recalls *rs = r->set;
	uint64_t need = bytes > RECALL_AHEAD ? bytes : RECALL_AHEAD;

	return remove_files(rs, r->cachefd, need) || remove_closed(rs, r->cachefd, need) || drop_all(rs, r->cachefd);
}

static bool reserve(struct recall *r, uint64_t bytes, bool urgent)
{
	unsigned part = urgent ? URGENT_PART : AHEAD_PART;
	bool fit = fits(r, bytes, part);

	if (!fit) {
		SCOPED_LOCK(&r->set->room); /* others may have made some meanwhile */

		while (!(fit = fits(r, bytes, part)) && make_room(r, bytes))
			;
	}
	return fit || (urgent && fits(r, bytes, 0));
}

/* What lies behind readers can go once it is hashed: somebody is at that, or will be when more has come. */
static bool room_comes(struct recall *r)
{
	SCOPED_LOCK(&r->lock);

	return !r->verified && (r->hashing || r->active > 1);
}

int recall_reserve(struct recall *r, uint64_t bytes, bool urgent)
{
	const struct timespec pause = {.tv_nsec = ROOM_PAUSE_NS};
	bool fit = reserve(r, bytes, urgent);

	for (int i = 0; !fit && urgent && i < ROOM_TRIES && room_comes(r); i++) {
		nanosleep(&pause, NULL);
		fit = reserve(r, bytes, urgent);
	}
	return fit ? 0 : -ENOSPC;
}

void recall_unreserve(struct recall *r, uint64_t bytes)
{
	SCOPED_LOCK(&r->set->lock);

	r->set->reserved -= bytes;
}
