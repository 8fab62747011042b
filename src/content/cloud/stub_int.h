/* What the files of stubs share. */
#ifndef TARN_CONTENT_CLOUD_STUB_INT_H
#define TARN_CONTENT_CLOUD_STUB_INT_H

#include "content/cloud/stub.h"

/* FD's file gets owner, mode, XATTRS and times of ST. 0 or -errno. */
int stub_dress(const struct lake *lake, int fd, const struct stat *st, const struct buf *xattrs);

#endif
