/* libfuse's low-level API, in the one version that tarn is written against. */
#ifndef TARN_FUSE_LOWLEVEL_H
#define TARN_FUSE_LOWLEVEL_H

#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 14)
#include <fuse_lowlevel.h>
#include <stdbool.h>

#define LIBFUSE_HAS_PASSTHROUGH (FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17))

/* Asks for a feature of the kernel where it is offered, or does without. From 3.17 on the flags have 64 bits. */
static inline bool conn_want(struct fuse_conn_info *conn, unsigned int flag, bool want)
{
#if LIBFUSE_HAS_PASSTHROUGH
	if (want)
		return fuse_set_feature_flag(conn, flag);
	fuse_unset_feature_flag(conn, flag);
	return false;
#else
	if (want)
		conn->want |= conn->capable & flag;
	else
		conn->want &= ~flag;
	return conn->want & flag;
#endif
}

#endif
