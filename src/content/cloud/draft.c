#include "content/cloud/draft.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/full_io.h"
#include "content/cloud/draft_int.h"
#include "content/recall/part_map.h"
#include "content/cloud/stub.h"

#define LAY_PIECE (1024 * 1024)
#define MAP_LIMIT ((uint64_t)INT64_MAX) /* of what a map may speak of: a draft has no end of its own */

struct draft {
	struct drafts *set;
	uint64_t node, version, base_size;
	int cachefd, fd;

	/* protected by the set's lock */
	UT_hash_handle by_node;
	unsigned refs;
	bool dropped; /* it is not in the table */

	pthread_mutex_t syncing;
	/* protected by syncing */
	struct part_map *map;
	struct extents durable;
	bool named; /* so are its files' names */

	pthread_mutex_t lock;
	/* protected by lock */
	struct extents written;
	struct extents to_lay; /* of those, what `laid_on` has not */
	ino_t laid_on;
	uint64_t size;
};

struct drafts {
	pthread_mutex_t making;
	pthread_mutex_t lock;
	struct draft *table; /* protected by lock */
};

int drafts_new(struct drafts **out)
{
	struct drafts *ds = calloc(1, sizeof(*ds));

	if (!ds)
		return -ENOMEM;
	pthread_mutex_init(&ds->making, NULL);
	pthread_mutex_init(&ds->lock, NULL);
	*out = ds;
	return 0;
}

static void free_draft(struct draft *d)
{
	part_map_close(d->map);
	if (d->fd >= 0)
		close(d->fd);
	extents_release(&d->durable);
	extents_release(&d->written);
	extents_release(&d->to_lay);
	pthread_mutex_destroy(&d->syncing);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

void drafts_free(struct drafts *ds)
{
	struct draft *d, *next;

	if (!ds)
		return;
	HASH_ITER (by_node, ds->table, d, next) {
		draft_sync(d); /* what cannot be written now was never promised */
		HASH_DELETE(by_node, ds->table, d);
		free_draft(d);
	}
	pthread_mutex_destroy(&ds->making);
	pthread_mutex_destroy(&ds->lock);
	free(ds);
}

bool drafts_any(struct lake *lake)
{
	SCOPED_LOCK(&lake->drafts->lock);

	return lake->drafts->table;
}

/* ---- the files ---- */

static void name_of(const struct draft *d, const char *suffix, char name[DRAFT_NAME_MAX])
{
	snprintf(name, DRAFT_NAME_MAX, "%" PRIx64 "-%" PRIx64 ".%s", d->node, d->version, suffix);
}

bool draft_file_parse(const char *name, uint64_t *node, uint64_t *version)
{
	int end = 0;

	return sscanf(name, "%" SCNx64 "-%" SCNx64 "%n", node, version, &end) == 2 &&
	       (!strcmp(name + end, ".draft") || !strcmp(name + end, ".draftmap"));
}

static void remove_files(const struct draft *d)
{
	char name[DRAFT_NAME_MAX];

	name_of(d, "draftmap", name); /* first: without it nothing of the other counts */
	unlinkat(d->cachefd, name, 0);
	name_of(d, "draft", name);
	unlinkat(d->cachefd, name, 0);
}

static int open_map(struct draft *d)
{
	uint64_t of[PART_CONTENT / 8] = {htole64(d->node), htole64(d->version), htole64(d->base_size)};
	uint8_t content[PART_CONTENT];
	char name[DRAFT_NAME_MAX];

	memcpy(content, of, sizeof(content));
	name_of(d, "draftmap", name);
	return part_map_open(d->cachefd, name, MAP_LIMIT, content, &d->map, &d->durable);
}

/* What a crash left behind the end must not show where zeros are meant. */
static int cut_off(struct draft *d)
{
	uint64_t end = d->written.n ? d->written.list[d->written.n - 1].to : 0;
	struct stat st;

	if (end > d->size)
		d->size = end;
	if (fstat(d->fd, &st) < 0)
		return -errno;
	return (uint64_t)st.st_size != end && ftruncate(d->fd, (off_t)end) < 0 ? -errno : 0;
}

int draft_open_files(struct drafts *ds, const struct draft_key *of, int cachefd, struct draft **out)
{
	struct draft *d = calloc(1, sizeof(*d));
	char name[DRAFT_NAME_MAX];
	int rc = 0;

	if (!d)
		return -ENOMEM;
	*d = (struct draft){.set = ds,
			    .node = of->node,
			    .version = of->version,
			    .base_size = of->size,
			    .cachefd = cachefd,
			    .size = of->size};
	pthread_mutex_init(&d->syncing, NULL);
	pthread_mutex_init(&d->lock, NULL);
	name_of(d, "draft", name);
	d->fd = openat(cachefd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (d->fd < 0)
		rc = -errno;
	if (!rc)
		rc = open_map(d);
	if (!rc)
		rc = extents_copy(&d->written, &d->durable);
	if (rc < 0) {
		free_draft(d);
		return rc;
	}
	rc = cut_off(d);
	if (rc < 0) {
		free_draft(d);
		return rc;
	}
	*out = d;
	return 0;
}

/* ---- the table ---- */

void draft_add(struct draft *d)
{
	SCOPED_LOCK(&d->set->lock);

	HASH_ADD(by_node, d->set->table, node, sizeof(d->node), d);
}

void draft_discard(struct draft *d)
{
	remove_files(d);
	free_draft(d);
}

bool draft_is_empty(const struct draft *d)
{
	return !d->written.n;
}

/* With a reference. */
static struct draft *find(struct drafts *ds, uint64_t node)
{
	SCOPED_LOCK(&ds->lock);
	struct draft *d;

	HASH_FIND(by_node, ds->table, &node, sizeof(node), d);
	if (d)
		d->refs++;
	return d;
}

bool draft_is_in_use(struct lake *lake, uint64_t node)
{
	struct draft *d = find(lake->drafts, node);

	draft_unref(d);
	return d;
}

static struct draft *ref(struct draft *d)
{
	SCOPED_LOCK(&d->set->lock);

	d->refs++;
	return d;
}

void draft_unref(struct draft *d)
{
	bool gone;

	if (!d)
		return;
	pthread_mutex_lock(&d->set->lock);
	gone = !--d->refs && d->dropped;
	pthread_mutex_unlock(&d->set->lock);
	if (gone)
		free_draft(d);
}

void draft_drop(struct draft *d)
{
	bool was;

	pthread_mutex_lock(&d->set->lock);
	was = d->dropped;
	d->dropped = true;
	if (!was)
		HASH_DELETE(by_node, d->set->table, d);
	pthread_mutex_unlock(&d->set->lock);
	if (!was)
		remove_files(d);
}

void draft_attach_locked(struct lake *lake, struct inode *inode)
{
	struct draft *d = inode->draft ? NULL : find(lake->drafts, inode->id);
	struct stat st;

	if (!d)
		return;
	if (d->version != inode->version || fstat(d->fd, &st) < 0) {
		draft_unref(d);
		return;
	}
	inode->draft = d;
	inode->as_stub.size = draft_size(d);
	inode->as_stub.mtime = stat_mtime(&st);
	inode->dirty = inode->written = true;
}

bool inode_is_draft(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	return inode->draft;
}

struct draft *draft_of(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	return inode->draft ? ref(inode->draft) : NULL;
}

static bool is_stub_of(struct inode *inode, uint64_t version)
{
	SCOPED_LOCK(&inode->lock);

	return inode_is_stub(inode) && inode->version == version;
}

/* It is completed by a job, whoever else does it before. */
static int submit_job(struct lake *lake, uint64_t node)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, node, 0, NULL);

	if (!r)
		return -ENOMEM;
	record_job_add(r, JOB_RECALL, node, clock_wall());
	return store_submit(lake->store, r, NULL);
}

static int make(struct lake *lake, struct inode *inode, struct draft **out)
{
	struct draft_key of = {.node = inode->id};
	struct draft *d;
	int rc;

	pthread_mutex_lock(&inode->lock);
	of.version = inode_is_stub(inode) ? inode->version : 0;
	of.size = inode->as_stub.size;
	pthread_mutex_unlock(&inode->lock);
	if (!of.version)
		return -ESTALE;
	rc = draft_open_files(lake->drafts, &of, inode->volume->cachefd, &d);
	if (rc < 0)
		return rc;
	rc = submit_job(lake, inode->id);
	if (!rc && !is_stub_of(inode, of.version))
		rc = -ESTALE;
	if (rc < 0) {
		draft_discard(d);
		return rc;
	}
	draft_add(d);
	*out = ref(d);
	return 0;
}

int draft_begin(struct lake *lake, struct inode *inode, struct draft **out)
{
	SCOPED_LOCK(&lake->drafts->making);
	struct draft *d = draft_of(inode);
	bool stub;
	int rc;

	*out = d;
	if (d)
		return 0;
	rc = make(lake, inode, &d);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&inode->lock);
	stub = inode_is_stub(inode) && inode->version == d->version;
	if (stub)
		inode->draft = ref(d);
	pthread_mutex_unlock(&inode->lock);
	if (stub) {
		*out = d;
		return 0;
	}
	draft_drop(d);
	draft_unref(d);
	return -ESTALE;
}

/* ---- reading and writing ---- */

uint64_t draft_base_size(const struct draft *d)
{
	return d->base_size;
}

uint64_t draft_size(struct draft *d)
{
	SCOPED_LOCK(&d->lock);

	return d->size;
}

bool draft_is_all(struct draft *d)
{
	SCOPED_LOCK(&d->lock);

	return extents_cover(&d->written, 0, d->base_size);
}

int draft_write(struct draft *d, const void *bytes, size_t len, uint64_t at)
{
	uint64_t to = at + len, from;
	int rc = write_full_at(d->fd, bytes, len, at);
	SCOPED_LOCK(&d->lock);

	if (rc < 0)
		return rc;
	from = at > d->size ? d->size : at; /* what is between is zeros from now on */
	rc = extents_add(&d->to_lay, from, to);
	if (!rc)
		rc = extents_add(&d->written, from, to);
	if (!rc && to > d->size)
		d->size = to;
	return rc;
}

/* The next bytes from AT on, at most until TO, that lie in the same place: their end, and is that the draft? */
static uint64_t piece_of(struct draft *d, uint64_t at, uint64_t to, bool *written)
{
	SCOPED_LOCK(&d->lock);
	uint64_t end = extents_end(&d->written, at);

	*written = end > at;
	if (!*written)
		end = extents_next(&d->written, at);
	return end < to ? end : to;
}

ssize_t draft_read(struct draft *d, struct recall *r, void *to, size_t len, uint64_t at, const struct tier_call *call)
{
	uint64_t size = draft_size(d), end = at + len < size ? at + len : size, next;
	bool written;
	ssize_t n;

	for (uint64_t from = at; from < end; from = next) {
		void *place = (char *)to + (from - at);

		next = piece_of(d, from, end, &written);
		n = written ? read_full_at(d->fd, place, next - from, from)
			    : recall_read(r, place, next - from, from, call);
		if (n >= 0 && (uint64_t)n < next - from)
			n = -EIO;
		if (n < 0)
			return n;
	}
	return end > at ? (ssize_t)(end - at) : 0;
}

void draft_set_times(struct draft *d, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	futimens(d->fd, times); /* if not, a crash costs that time */
}

/* ---- making durable ---- */

static int copy_written(struct draft *d, struct extents *written)
{
	SCOPED_LOCK(&d->lock);

	return extents_copy(written, &d->written);
}

static int note_here(struct draft *d, const struct extents *written)
{
	struct extent gap;
	int rc = 0;

	for (size_t i = 0; !rc && i < written->n; i++)
		while (!rc && extents_gap(&d->durable, written->list[i].from, written->list[i].to, &gap)) {
			rc = part_map_here(d->map, gap.from, gap.to);
			if (!rc)
				rc = extents_add(&d->durable, gap.from, gap.to);
		}
	return rc ? rc : part_map_sync(d->map);
}

int draft_sync(struct draft *d)
{
	SCOPED_LOCK(&d->syncing);
	struct extents written = {0};
	int rc = copy_written(d, &written);

	if (!rc && fsync(d->fd) < 0) /* its time, too */
		rc = -errno;
	if (!rc && written.bytes > d->durable.bytes)
		rc = note_here(d, &written);
	if (!rc && !d->named)
		rc = fsync(d->cachefd) < 0 ? -errno : 0;
	d->named |= !rc;
	extents_release(&written);
	return rc;
}

/* ---- laying it over ---- */

/* What FD has not yet; it is counted as laid from now on. */
static int take_rest(struct draft *d, ino_t on, struct extents *rest)
{
	SCOPED_LOCK(&d->lock);
	int rc = extents_copy(rest, d->laid_on == on ? &d->to_lay : &d->written);

	if (rc < 0)
		return rc;
	d->laid_on = on;
	extents_clear(&d->to_lay);
	return 0;
}

static int lay(struct draft *d, int fd, const struct extent *e, char *piece)
{
	ssize_t n = 0;
	int rc = 0;

	for (uint64_t at = e->from; !rc && at < e->to; at += (uint64_t)n) {
		n = read_full_at(d->fd, piece, e->to - at < LAY_PIECE ? e->to - at : LAY_PIECE, at);
		rc = n > 0 ? write_full_at(fd, piece, (size_t)n, at) : n < 0 ? (int)n : -EIO;
	}
	return rc;
}

int draft_lay(struct draft *d, int fd)
{
	_cleanup_free_ char *piece = malloc(LAY_PIECE);
	struct extents rest = {0};
	struct stat st;
	int rc = !piece ? -ENOMEM : fstat(fd, &st) < 0 ? -errno : take_rest(d, st.st_ino, &rest);

	for (size_t i = 0; !rc && i < rest.n; i++)
		rc = lay(d, fd, &rest.list[i], piece);
	if (!rc && rest.n && fdatasync(fd) < 0)
		rc = -errno;
	extents_release(&rest);
	if (rc < 0) {
		SCOPED_LOCK(&d->lock);

		d->laid_on = 0; /* from the beginning, next time */
	}
	return rc;
}
