#include "meta/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/full_io.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "meta/changes.h"
#include "meta/changes_file.h"

#define OPEN_NAME "open"

struct journal {
	pthread_mutex_t lock;
	/* all protected by lock */
	int dirfd; /* -1: nothing is kept */
	int fd;	   /* the open file; -1: none yet */
	uint64_t from, to;
	uint64_t begun_to; /* of the group that is under way */
	off_t size, begun; /* of the file, and before that group */
	bool full, failed, forgot;
	struct buf frame;
};

int journal_new(struct journal **out)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	pthread_mutex_init(&j->lock, NULL);
	j->dirfd = j->fd = -1;
	*out = j;
	return 0;
}

static void let_go(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	if (j->dirfd >= 0)
		close(j->dirfd);
	j->fd = j->dirfd = -1;
	j->failed = false;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	let_go(j);
	buf_release(&j->frame);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

/* ---- what an earlier writer left ---- */

/* Closes the file under the name of what it holds; an empty one goes. */
static int close_as(int dirfd, uint64_t from, uint64_t to)
{
	char name[CHANGES_NAME];

	if (from == to)
		return unlinkat(dirfd, OPEN_NAME, 0) < 0 && errno != ENOENT ? -errno : 0;
	changes_name(from, to, name);
	return renameat(dirfd, OPEN_NAME, dirfd, name) < 0 ? -errno : 0;
}

/* The file that was open when a writer ended: the groups of it that were committed. */
static void adopt_open(int dirfd, uint64_t last)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	uint64_t from = 0, to = 0;
	size_t whole = 0;

	if (!read_file_at(dirfd, OPEN_NAME, &bytes))
		whole = changes_whole(bytes.data, bytes.len, last, &from, &to);
	if (whole && whole < bytes.len) {
		_cleanup_close_ int fd = openat(dirfd, OPEN_NAME, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

		if (fd < 0 || ftruncate(fd, (off_t)whole) < 0)
			whole = 0;
	}
	if (!whole || close_as(dirfd, from, to) < 0)
		unlinkat(dirfd, OPEN_NAME, 0);
}

/* What lies there and is not of this store's past, or ALL of it. */
static void remove_files(int dirfd, uint64_t last, bool all)
{
	int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	uint64_t from, to;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		bool closed = !changes_parse_name(e->d_name, &from, &to);

		if ((closed && (all || to > last)) || (all && !strcmp(e->d_name, OPEN_NAME)))
			unlinkat(dirfd, e->d_name, 0);
	}
}

int journal_keep(struct journal *j, const char *dir, bool full, uint64_t last)
{
	SCOPED_LOCK(&j->lock);

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (j->fd >= 0 && close_as(j->dirfd, j->from, j->to) < 0)
		unlinkat(j->dirfd, OPEN_NAME, 0);
	let_go(j);
	j->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dirfd < 0)
		return -errno;
	adopt_open(j->dirfd, last);
	remove_files(j->dirfd, last, false);
	j->full = full;
	return 0;
}

void journal_drop(struct journal *j)
{
	SCOPED_LOCK(&j->lock);

	if (j->dirfd >= 0)
		remove_files(j->dirfd, 0, true);
	let_go(j);
}

int journal_cut(struct journal *j)
{
	SCOPED_LOCK(&j->lock);
	int rc;

	if (j->failed)
		return -EIO;
	if (j->fd < 0 || j->from == j->to)
		return 0;
	rc = close_as(j->dirfd, j->from, j->to);
	close(j->fd);
	j->fd = -1;
	return rc ? rc : 1;
}

bool journal_forgot(struct journal *j)
{
	SCOPED_LOCK(&j->lock);
	bool forgot = j->forgot;

	j->forgot = false;
	return forgot;
}

/* ---- the writer ---- */

static int write_all(int fd, const struct buf *b, off_t at)
{
	return buf_error(b) ? buf_error(b) : write_full_at(fd, b->data, b->len, (uint64_t)at);
}

static int start_file(struct journal *j, uint64_t from)
{
	int rc;

	j->fd = openat(j->dirfd, OPEN_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (j->fd < 0)
		return -errno;
	buf_clear(&j->frame);
	changes_add_header(&j->frame, from);
	rc = write_all(j->fd, &j->frame, 0);
	j->from = j->to = from;
	j->size = (off_t)j->frame.len;
	return rc;
}

static int append(struct journal *j, const struct group *g, const struct counter *counters)
{
	const struct record *r = g->first;
	struct changes_end end;
	size_t frame;
	int rc = 0;

	if (j->fd < 0)
		rc = start_file(j, r->commit - 1);
	if (rc)
		return rc;
	buf_clear(&j->frame);
	frame = changes_begin_frame(&j->frame);
	for (size_t i = 0; i < g->count; i++) {
		r = i ? r->next : g->first;
		record_pack(r, j->full, &j->frame, &j->forgot);
	}
	end.last = r->commit;
	for (int i = 0; i < COUNTERS; i++)
		end.next[i] = counters[i].next;
	changes_end_frame(&j->frame, frame, &end);
	j->begun = j->size;
	j->begun_to = r->commit;
	rc = write_all(j->fd, &j->frame, j->size);
	j->size += (off_t)j->frame.len;
	return rc;
}

/* From now on nothing is kept, and who asks is told: a gap would be worse than a new snapshot. */
static void fail(struct journal *j, int rc)
{
	log_warning("the copy of the metadata: changes cannot be written down here: %s", strerror(-rc));
	close(j->fd);
	j->fd = -1;
	j->failed = true;
	remove_files(j->dirfd, 0, true);
}

void journal_begin(struct journal *j, const struct group *g, const struct counter *counters)
{
	int rc;

	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	j->begun_to = 0;
	if (j->dirfd < 0 || j->failed || !g->count)
		return;
	rc = append(j, g, counters);
	if (rc < 0)
		fail(j, rc);
}

void journal_end(struct journal *j, bool committed)
{
	if (!j)
		return;
	if (j->begun_to && j->fd >= 0) {
		if (committed) {
			j->to = j->begun_to;
		} else {
			j->size = j->begun;
			if (ftruncate(j->fd, j->size) < 0)
				fail(j, -errno);
		}
	}
	pthread_mutex_unlock(&j->lock);
}
