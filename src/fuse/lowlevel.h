/* libfuse's low-level API, in the one version that tarn is written against. */
#ifndef TARN_FUSE_LOWLEVEL_H
#define TARN_FUSE_LOWLEVEL_H

#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 14)
#include <fuse_lowlevel.h>
#include <stdbool.h>

#define LIBFUSE_HAS_PASSTHROUGH (FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17))

#endif
