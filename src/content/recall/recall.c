#include "content/recall/recall.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/recall/recall_int.h"

static uint64_t free_room(int fd, uint64_t *total)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs) < 0)
		return 0;
	*total = (uint64_t)fs.f_blocks * fs.f_frsize;
	return (uint64_t)fs.f_bavail * fs.f_frsize;
}

struct recall_calls recall_calls = {
	.get = tier_get, .restore = tier_restore, .sync = fdatasync, .room = free_room, .small = RECALL_SMALL};

int recalls_new(struct recalls **out)
{
	struct recalls *rs = calloc(1, sizeof(*rs));

	if (!rs)
		return -ENOMEM;
	pthread_mutex_init(&rs->room, NULL);
	pthread_mutex_init(&rs->opening, NULL);
	pthread_mutex_init(&rs->lock, NULL);
	pthread_cond_init(&rs->work, NULL);
	pthread_cond_init(&rs->kept, NULL);
	*out = rs;
	return 0;
}

void recalls_free(struct recalls *rs)
{
	struct recall *r, *next;

	if (!rs)
		return;
	recall_stop_fetching(rs);
	recall_stop_keeping(rs);
	recall_mark_all(rs);
	HASH_ITER (by_content, rs->table, r, next) {
		HASH_DELETE(by_content, rs->table, r);
		r->in_table = false;
		recall_free(r);
	}
	pthread_cond_destroy(&rs->work);
	pthread_cond_destroy(&rs->kept);
	pthread_mutex_destroy(&rs->lock);
	pthread_mutex_destroy(&rs->opening);
	pthread_mutex_destroy(&rs->room);
	free(rs);
}

/* ---- the files ---- */

void recall_key_name(const struct recall_key *of, enum recall_file what, char name[RECALL_NAME_MAX])
{
	static const char *const suffix[] = {"part", "map", "whole", "ends"};
	uint64_t content; /* the first bytes are enough for a name */

	memcpy(&content, of->content, sizeof(content));
	snprintf(name, RECALL_NAME_MAX, "%" PRIx64 "-%016" PRIx64 ".%s", of->id, content, suffix[what]);
}

void recall_file_name(const struct recall *r, enum recall_file what, char name[RECALL_NAME_MAX])
{
	recall_key_name(&r->of, what, name);
}

static int open_file(const struct recall *r, enum recall_file what, int flags)
{
	char name[RECALL_NAME_MAX];
	int fd;

	recall_file_name(r, what, name);
	fd = openat(r->cachefd, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* The bytes of one content are told from those of another: its own hash, else where it came from. */
void recall_tell_content(const struct recall_source *s, uint8_t content[PART_CONTENT])
{
	uint8_t sha256[SHA256_BYTES];
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (s->hashed) {
		memcpy(content, s->sha256, PART_CONTENT);
		return;
	}
	buf_addf(&b, "%s%c%s%c%" PRIu64, s->key, 0, s->etag ? s->etag : "", 0, s->size);
	EVP_Digest(b.data, b.len, sha256, NULL, EVP_sha256(), NULL);
	memcpy(content, sha256, PART_CONTENT);
}

static int open_whole(struct recall *r)
{
	struct stat st;

	r->fd = open_file(r, RECALL_WHOLE_FILE, O_RDWR);
	if (r->fd < 0)
		return r->fd;
	if (fstat(r->fd, &st) < 0 || (uint64_t)st.st_size != r->size) {
		close(r->fd);
		r->fd = -1;
		return -ENOENT;
	}
	r->is_whole_file = r->verified = true;
	r->hashed_to = r->size;
	memcpy(r->sha256, r->wanted, SHA256_BYTES);
	return extents_add(&r->here, 0, r->size);
}

static int open_map(struct recall *r)
{
	char name[RECALL_NAME_MAX];

	recall_file_name(r, RECALL_MAP_FILE, name);
	return part_map_open(r->cachefd, name, r->size, r->of.content, &r->map, &r->here);
}

/* What an earlier daemon left of it, with its map; without one it is begun anew. */
static int open_part(struct recall *r)
{
	char map[RECALL_NAME_MAX];
	struct stat st;
	int rc;

	recall_file_name(r, RECALL_MAP_FILE, map);
	r->fd = open_file(r, RECALL_PART_FILE, O_RDWR | O_CREAT);
	if (r->fd < 0)
		return r->fd;
	if (fstat(r->fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size == r->size && !faccessat(r->cachefd, map, F_OK, AT_SYMLINK_NOFOLLOW)) {
		rc = open_map(r);
		return rc ? rc : extents_copy(&r->durable, &r->here);
	}
	unlinkat(r->cachefd, map, 0);
	if (ftruncate(r->fd, 0) < 0 || ftruncate(r->fd, (off_t)r->size) < 0)
		return -errno;
	recall_begin_with_ends(r);
	return 0;
}

static int open_files(struct recall *r)
{
	int rc = r->hashed ? open_whole(r) : -ENOENT;

	return rc == -ENOENT ? open_part(r) : rc;
}

/* ---- opening and closing ---- */

static struct recall *new_recall(struct recalls *rs, struct tier *tier, int cachefd, const struct recall_source *s)
{
	struct recall *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	pthread_mutex_init(&r->lock, NULL);
	pthread_rwlock_init(&r->drop, NULL);
	pthread_mutex_init(&r->files, NULL);
	r->set = rs;
	r->tier = tier ? tier_ref(tier) : NULL;
	r->cachefd = cachefd;
	r->fd = -1;
	r->of.id = s->id;
	recall_tell_content(s, r->of.content);
	r->size = s->size;
	r->hashed = s->hashed;
	memcpy(r->wanted, s->sha256, SHA256_BYTES);
	r->key = strdup(s->key);
	r->etag = s->etag && *s->etag ? strdup(s->etag) : NULL;
	r->compressed = s->compressed;
	r->md = EVP_MD_CTX_new();
	if (!r->key || !r->md || EVP_DigestInit_ex(r->md, EVP_sha256(), NULL) != 1) {
		recall_free(r);
		return NULL;
	}
	return r;
}

void recall_free(struct recall *r)
{
	char name[RECALL_NAME_MAX];

	if (r->fd >= 0 && !r->is_whole_file && !r->taken && !r->map) { /* nothing of it is known to the next daemon */
		recall_file_name(r, RECALL_PART_FILE, name);
		unlinkat(r->cachefd, name, 0);
	}
	if (r->fd >= 0)
		close(r->fd);
	part_map_close(r->map);
	EVP_MD_CTX_free(r->md);
	extents_release(&r->here);
	extents_release(&r->durable);
	extents_release(&r->coming);
	if (r->tier)
		tier_unref(r->tier);
	pthread_rwlock_destroy(&r->drop);
	pthread_mutex_destroy(&r->files);
	pthread_mutex_destroy(&r->lock);
	frame_table_unref(r->table);
	free(r->etag);
	free(r->key);
	free(r);
}

void recall_discard(struct recall *r)
{
	char name[RECALL_NAME_MAX];

	for (enum recall_file what = RECALL_PART_FILE; what <= RECALL_WHOLE_FILE; what++) {
		recall_file_name(r, what, name);
		unlinkat(r->cachefd, name, 0);
	}
	recall_free(r);
}

void recall_ref_locked(struct recall *r)
{
	r->refs++;
}

void recall_unref(struct recall *r)
{
	bool gone;

	pthread_mutex_lock(&r->set->lock);
	gone = !--r->refs && !r->in_table;
	pthread_mutex_unlock(&r->set->lock);
	if (gone)
		recall_free(r);
}

struct recall **recall_list(struct recalls *rs, size_t *n)
{
	SCOPED_LOCK(&rs->lock);
	struct recall **list = reallocarray(NULL, HASH_CNT(by_content, rs->table) + 1, sizeof(*list)), *r, *next;

	*n = 0;
	if (!list)
		return NULL;
	HASH_ITER (by_content, rs->table, r, next) {
		recall_ref_locked(r);
		list[(*n)++] = r;
	}
	return list;
}

/* With a reference for who opens it. */
static struct recall *find(struct recalls *rs, const struct recall_key *of)
{
	SCOPED_LOCK(&rs->lock);
	struct recall *r;

	HASH_FIND(by_content, rs->table, of, sizeof(*of), r);
	if (r) {
		r->refs++;
		r->opens++;
	}
	return r;
}

static void add(struct recalls *rs, struct recall *r)
{
	SCOPED_LOCK(&rs->lock);

	HASH_ADD(by_content, rs->table, of, sizeof(r->of), r);
	r->in_table = true;
	r->refs++;
	r->opens++;
}

static void renew(char **is, const char *now)
{
	char *copy = now ? strdup(now) : NULL;

	if (now && !copy)
		return; /* then it is looked up again */
	free(*is);
	*is = copy;
}

/* The object may have got another key since. */
static void set_place(struct recall *r, const struct recall_source *s)
{
	const char *etag = s->etag && *s->etag ? s->etag : NULL;
	SCOPED_LOCK(&r->lock);

	if (!strcmp(r->key, s->key) && !!r->etag == !!etag && (!etag || !strcmp(r->etag, etag)) &&
	    r->compressed == s->compressed)
		return;
	frame_table_unref(r->table);
	r->table = NULL;
	r->compressed = s->compressed;
	renew(&r->key, s->key);
	renew(&r->etag, etag);
	r->broken = 0;
}

int recall_open(struct recalls *rs, struct tier *tier, int cachefd, const struct recall_source *source,
		struct recall **out)
{
	struct recall_key of = {.id = source->id};
	SCOPED_LOCK(&rs->opening);
	struct recall *r;
	int rc;

	recall_tell_content(source, of.content);
	r = find(rs, &of);
	if (r) {
		set_place(r, source);
		*out = r;
		return 0;
	}
	r = new_recall(rs, tier, cachefd, source);
	if (!r)
		return -ENOMEM;
	rc = open_files(r);
	if (rc < 0) {
		recall_free(r);
		return rc;
	}
	add(rs, r);
	recall_start_keeping(rs);
	*out = r;
	return 0;
}

static bool is_last_open(struct recall *r)
{
	SCOPED_LOCK(&r->set->lock);

	if (--r->opens)
		return false;
	r->closed_at = clock_monotonic();
	return true;
}

void recall_close(struct recall *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	if (is_last_open(r))
		recall_unfetch_locked(r); /* nobody waits for it */
	pthread_mutex_unlock(&r->lock);
	recall_unref(r);
}

uint64_t recall_size(const struct recall *r)
{
	return r->size;
}

int recall_fd(const struct recall *r)
{
	return r->fd;
}

void recall_hold(struct recall *r)
{
	pthread_mutex_lock(&r->set->lock);
	recall_ref_locked(r);
	pthread_mutex_unlock(&r->set->lock);
	pthread_rwlock_rdlock(&r->drop);
}

void recall_let_go(struct recall *r)
{
	pthread_rwlock_unlock(&r->drop);
	recall_unref(r);
}

int recall_pin(struct recall *r)
{
	SCOPED_LOCK(&r->files);

	if (r->taken)
		return -ESTALE;
	r->pins++;
	return 0;
}

void recall_unpin(struct recall *r)
{
	SCOPED_LOCK(&r->files);

	r->pins--;
}

static int copy_to(struct recall *r, int dirfd, const char *name)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	off_t from = 0, to = 0;
	int rc = 0;

	if (fd < 0)
		return -errno;
	while (!rc && (uint64_t)to < r->size) {
		ssize_t n = copy_file_range(r->fd, &from, fd, &to, r->size - (uint64_t)to, 0);

		rc = n < 0 ? -errno : n ? 0 : -EIO;
	}
	if (!rc && recall_calls.sync(fd) < 0)
		rc = -errno;
	if (rc < 0)
		unlinkat(dirfd, name, 0);
	return rc;
}

int recall_take(struct recall *r, int dirfd, const char *name)
{
	char from[RECALL_NAME_MAX], map[RECALL_NAME_MAX];
	SCOPED_LOCK(&r->files);

	if (!recall_is_whole(r) || r->taken)
		return r->taken ? -ENOENT : -EBUSY;
	if (r->pins)
		return copy_to(r, dirfd, name);
	recall_file_name(r, r->is_whole_file ? RECALL_WHOLE_FILE : RECALL_PART_FILE, from);
	recall_file_name(r, RECALL_MAP_FILE, map);
	if (recall_calls.sync(r->fd) < 0 || renameat(r->cachefd, from, dirfd, name) < 0)
		return -errno;
	unlinkat(r->cachefd, map, 0);
	recall_file_name(r, RECALL_ENDS_FILE, map);
	unlinkat(r->cachefd, map, 0);
	r->taken = true;
	SCOPED_LOCK(&r->set->lock);
	HASH_DELETE(by_content, r->set->table, r);
	r->in_table = false;
	return 0;
}
