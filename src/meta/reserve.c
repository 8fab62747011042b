#include "meta/reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define LAID_BY "-reserve"

static int open_file(const char *path, const char *suffix, int flags)
{
	_cleanup_buf_ struct buf name = BUF_INIT;

	buf_addf(&name, "%s%s", path, suffix);
	return buf_error(&name) ? -1 : open(name.data, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
}

/* SQLite makes the file larger without asking the disk for blocks. */
static void keep_database(int fd)
{
	struct stat st;
	off_t size;

	if (fstat(fd, &st) < 0)
		return;
	size = (st.st_size + RESERVE_BYTES - 1) / RESERVE_BYTES * RESERVE_BYTES;
	if (st.st_blocks * 512 < size)
		(void)!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size);
}

static void keep_wal(int fd)
{
	struct stat st;

	if (!fstat(fd, &st) && st.st_blocks * 512 < st.st_size + RESERVE_BYTES)
		(void)!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, st.st_size + RESERVE_BYTES);
}

void reserve_keep(struct reserve *r, const char *path)
{
	if (r->database < 0)
		r->database = open_file(path, "", 0);
	if (r->wal < 0)
		r->wal = open_file(path, "-wal", 0);
	if (r->database >= 0)
		keep_database(r->database);
	if (r->wal >= 0)
		keep_wal(r->wal);
}

void reserve_end(struct reserve *r)
{
	cleanup_closep(&r->database);
	cleanup_closep(&r->wal);
	*r = RESERVE_NONE;
}

void reserve_lay_by(const char *path)
{
	_cleanup_close_ int fd = open_file(path, LAID_BY, O_CREAT);

	if (fd < 0 || fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 2 * RESERVE_BYTES) < 0)
		reserve_take_back(path);
}

void reserve_take_back(const char *path)
{
	_cleanup_buf_ struct buf name = BUF_INIT;

	buf_addf(&name, "%s" LAID_BY, path);
	if (!buf_error(&name))
		unlink(name.data);
}
