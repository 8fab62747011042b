/* Taking a mount away, also as an ordinary user, whose own FUSE mounts only set-user-id programs may unmount. */
#ifndef TARN_BASE_UNMOUNT_H
#define TARN_BASE_UNMOUNT_H

#include <stdbool.h>

/* umount(2), or fusermount3 or umount(8) where that needs privileges. LAZY: detach at once. 0, -EBUSY, -errno. */
int unmount(const char *point, bool lazy);

#endif
