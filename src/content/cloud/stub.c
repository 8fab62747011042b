/* What a placeholder says, and the attributes of the file that it stands for. */
#include "content/cloud/stub_int.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content/cloud/draft.h"
#include "content/xattrs.h"

#define TARGET_PREFIX "/dev/null/tarn/"
#define PROC_FD_ROOM 40

/* ---- the placeholder ---- */

void stub_target(uint64_t lake, uint64_t node, char target[STUB_TARGET_ROOM])
{
	snprintf(target, STUB_TARGET_ROOM, TARGET_PREFIX "%016" PRIx64 "-%" PRIx64, lake, node);
}

uint64_t stub_named(const struct lake *lake, int folderfd, const char *name, const struct stat *st)
{
	char target[STUB_TARGET_ROOM], same[STUB_TARGET_ROOM];
	uint64_t lake_id, node;
	ssize_t n;

	if (!S_ISLNK(st->st_mode) || st->st_size >= STUB_TARGET_ROOM || st->st_size < (off_t)strlen(TARGET_PREFIX))
		return 0;
	n = readlinkat(folderfd, name, target, sizeof(target) - 1);
	if (n < 0)
		return 0;
	target[n] = '\0';
	if (sscanf(target, TARGET_PREFIX "%16" SCNx64 "-%" SCNx64, &lake_id, &node) != 2)
		return 0;
	stub_target(lake->id, node, same); /* one way of writing it, and no other */
	return strcmp(target, same) ? 0 : node;
}

/* ---- attributes ---- */

static struct timespec timespec_of(int64_t ns)
{
	struct timespec t = {.tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC};

	if (t.tv_nsec < 0) { /* before 1970 */
		t.tv_nsec += NSEC_PER_SEC;
		t.tv_sec--;
	}
	return t;
}

void stub_set_locked(struct lake *lake, struct inode *inode, const struct node_row *row)
{
	inode->as_stub = (struct stub_attributes){.mode = row->mode,
						  .uid = row->uid,
						  .gid = row->gid,
						  .size = row->size,
						  .mtime = row->mtime,
						  .ctime = row->ctime};
	draft_attach_locked(lake, inode);
	atomic_store_explicit(&inode->stub, true, memory_order_release);
}

uint64_t stub_recorded_size(struct inode *inode, const struct stat *st)
{
	SCOPED_LOCK(&inode->lock);

	return inode->draft ? draft_base_size(inode->draft) : (uint64_t)st->st_size;
}

void stub_was_written_locked(struct inode *inode, uint64_t at, uint64_t len)
{
	struct stub_attributes *a = &inode->as_stub;

	a->mtime = a->ctime = clock_wall();
	if (at + len > a->size)
		a->size = at + len;
}

bool stub_stat_locked(const struct inode *inode, struct stat *st)
{
	const struct stub_attributes *a = &inode->as_stub;

	if (!inode_is_stub(inode))
		return false;
	*st = (struct stat){.st_dev = inode->volume->dev,
			    .st_ino = inode->raw_ino,
			    .st_mode = a->mode,
			    .st_nlink = 1,
			    .st_uid = a->uid,
			    .st_gid = a->gid,
			    .st_size = (off_t)a->size,
			    .st_blksize = 4096,
			    .st_blocks = 1,
			    .st_atim = timespec_of(a->mtime),
			    .st_mtim = timespec_of(a->mtime),
			    .st_ctim = timespec_of(a->ctime)};
	return true;
}

bool stub_stat(struct inode *inode, struct stat *st)
{
	if (!inode_is_stub(inode))
		return false;
	SCOPED_LOCK(&inode->lock);

	return stub_stat_locked(inode, st);
}

void stub_show_ctime_locked(const struct inode *inode, struct stat *st)
{
	if (inode->ctime_raw && stat_ctime(st) == inode->ctime_raw)
		st->st_ctim = timespec_of(inode->ctime_shown);
}

int stub_xattrs(struct lake *lake, struct inode *inode, struct buf *encoded)
{
	uint64_t commit = atomic_load(&inode->commit);
	int rc = commit ? store_barrier(lake->store, commit) : 0;

	return rc ? rc : store_node_xattrs_at(lake->store, inode->id, COMMIT_LIVE, encoded);
}

/* ---- changing them ---- */

static int unnamed_file(struct lake *lake)
{
	static const char name[] = "proxy";
	int fd = openat(lake->temp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		fd = openat(lake->temp_fd, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
		if (fd >= 0)
			unlinkat(lake->temp_fd, name, 0);
	}
	return fd < 0 ? -errno : fd;
}

int stub_dress(const struct lake *lake, int fd, const struct stat *st, const struct buf *xattrs)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	int rc = 0;

	if (lake->privileged && fchown(fd, st->st_uid, st->st_gid) < 0)
		return -errno;
	caller_enter(&(struct caller){.uid = geteuid(), .gid = st->st_gid}); /* else a setgid bit would not stay */
	if (fchmod(fd, st->st_mode & 07777) < 0)
		rc = -errno;
	if (!rc && xattrs->len)
		rc = xattrs_write(fd, xattrs->data, xattrs->len);
	caller_leave();
	if (!rc && futimens(fd, times) < 0)
		rc = -errno;
	return rc;
}

int stub_proxy(struct lake *lake, struct inode *inode)
{
	_cleanup_buf_ struct buf xattrs = BUF_INIT;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int rc;

	if (!stub_stat(inode, &st))
		return -ESTALE;
	rc = stub_xattrs(lake, inode, &xattrs);
	if (rc < 0)
		return rc;
	fd = unnamed_file(lake);
	if (fd < 0)
		return fd;
	rc = stub_dress(lake, fd, &st, &xattrs);
	return rc < 0 ? rc : steal_fd(&fd);
}

int stub_take(struct inode *inode, int proxyfd, struct stat *st)
{
	struct stub_attributes *a = &inode->as_stub;
	struct draft *d = draft_of(inode);
	struct stat now;
	bool stub;

	if (fstat(proxyfd, &now) < 0) {
		draft_unref(d);
		return -errno;
	}
	pthread_mutex_lock(&inode->lock);
	a->mode = now.st_mode;
	a->uid = now.st_uid;
	a->gid = now.st_gid;
	a->mtime = stat_mtime(&now);
	a->ctime = stat_ctime(&now);
	stub = stub_stat_locked(inode, st);
	pthread_mutex_unlock(&inode->lock);
	if (d)
		draft_set_times(d, &now);
	draft_unref(d);
	return stub ? 0 : -ESTALE;
}
