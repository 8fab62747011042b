#include "meta/reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"

/* SQLite locks nothing in that file, so closing another descriptor of it drops no locks. */
void reserve_keep(const char *path)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	_cleanup_close_ int fd = -1;
	struct stat st;

	buf_addf(&name, "%s-wal", path);
	if (buf_error(&name))
		return;
	fd = open(name.data, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && !fstat(fd, &st) && st.st_blocks * 512 < st.st_size + RESERVE_BYTES)
		(void)!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, st.st_size + RESERVE_BYTES);
}
