#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "fuse/passthrough.h"

/* include/uapi/linux/fuse.h; older headers lack it */
struct backing_map {
	int32_t fd;
	uint32_t flags;
	uint64_t padding;
};
#define BACKING_OPEN _IOW(229, 1, struct backing_map)
#define BACKING_CLOSE _IOW(229, 2, uint32_t)

int passthrough_register(struct fuse_session *se, int fd)
{
	struct backing_map map = {.fd = fd};
	int id = ioctl(fuse_session_fd(se), BACKING_OPEN, &map);

	return id < 0 ? -errno : id;
}

void passthrough_unregister(struct fuse_session *se, int id)
{
	uint32_t number = (uint32_t)id;

	ioctl(fuse_session_fd(se), BACKING_CLOSE, &number);
}
