#include "base/fhandle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"

#define MADE_UP_BIT 0x8000

union kernel_handle {
	struct file_handle handle;
	char room[sizeof(struct file_handle) + FHANDLE_MAX];
};

static void put_le(uint8_t *to, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

static int make_up(int dirfd, const char *name, struct fhandle *out)
{
	struct statx stx;

	if (statx(dirfd, name, AT_SYMLINK_NOFOLLOW | (name[0] ? 0 : AT_EMPTY_PATH), STATX_INO | STATX_BTIME, &stx) < 0)
		return -errno;
	if (!(stx.stx_mask & STATX_BTIME))
		memset(&stx.stx_btime, 0, sizeof(stx.stx_btime));
	memset(out, 0, sizeof(*out));
	out->made = 1;
	out->len = 20;
	put_le(out->bytes, stx.stx_ino, 8);
	put_le(out->bytes + 8, (uint64_t)stx.stx_btime.tv_sec, 8);
	put_le(out->bytes + 16, stx.stx_btime.tv_nsec, 4);
	return 0;
}

/* Is it the file system (or a sandbox) that has no handles, rather than a name that is not there? */
static bool has_no_handles(int error)
{
	switch (error) {
	case EOPNOTSUPP:
	case EOVERFLOW: /* larger than FHANDLE_MAX */
	case EPERM:
	case ENOSYS:
	case EINVAL:
		return true;
	default:
		return false;
	}
}

int fhandle_get(int dirfd, const char *name, struct fhandle *out)
{
	union kernel_handle k = {.handle.handle_bytes = FHANDLE_MAX};
	int mount_id;

	if (name_to_handle_at(dirfd, name, &k.handle, &mount_id, name[0] ? 0 : AT_EMPTY_PATH) < 0)
		return has_no_handles(errno) ? make_up(dirfd, name, out) : -errno;
	if (k.handle.handle_bytes == 0 || k.handle.handle_type < 0 || k.handle.handle_type >= MADE_UP_BIT)
		return make_up(dirfd, name, out);
	memset(out, 0, sizeof(*out));
	out->len = (uint8_t)k.handle.handle_bytes;
	out->type = (int16_t)k.handle.handle_type;
	memcpy(out->bytes, k.handle.f_handle, out->len);
	return 0;
}

int fhandle_open(int mountfd, const struct fhandle *h, int flags)
{
	union kernel_handle k = {.handle.handle_bytes = h->len};
	int fd;

	if (h->made || h->len == 0)
		return -EOPNOTSUPP;
	k.handle.handle_type = h->type;
	memcpy(k.handle.f_handle, h->bytes, h->len);
	fd = open_by_handle_at(mountfd, &k.handle, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool fhandle_usable(int mountfd)
{
	_cleanup_close_ int fd = -1;
	struct fhandle h;

	if (fhandle_get(mountfd, "", &h) < 0)
		return false;
	fd = fhandle_open(mountfd, &h, O_PATH);
	return fd >= 0;
}

bool fhandle_equal(const struct fhandle *a, const struct fhandle *b)
{
	return a->len == b->len && a->made == b->made && a->type == b->type && memcmp(a->bytes, b->bytes, a->len) == 0;
}

int fhandle_to_blob(const struct fhandle *h, uint8_t blob[FHANDLE_BLOB_MAX])
{
	put_le(blob, (uint16_t)h->type | (h->made ? MADE_UP_BIT : 0), 2);
	memcpy(blob + 2, h->bytes, h->len);
	return 2 + h->len;
}

int fhandle_from_blob(struct fhandle *h, const void *blob, int len)
{
	const uint8_t *p = blob;

	if (len < 2 || len > FHANDLE_BLOB_MAX)
		return -EINVAL;
	memset(h, 0, sizeof(*h));
	h->made = (p[1] & 0x80) ? 1 : 0;
	h->type = (int16_t)(p[0] | (p[1] & 0x7f) << 8);
	h->len = (uint8_t)(len - 2);
	memcpy(h->bytes, p + 2, h->len);
	return 0;
}
