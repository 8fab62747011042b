#include "fuse/passthrough.h"

#if LIBFUSE_HAS_PASSTHROUGH

#include <stdatomic.h>

const char passthrough_way[] = "api";

static int depth;
static bool asked;
static atomic_bool offered;

int passthrough_attach(struct fuse_session *se, int stack_depth, bool wanted)
{
	(void)se;
	depth = stack_depth;
	asked = wanted;
	return 0;
}

void passthrough_init(struct fuse_conn_info *conn)
{
	conn_want(conn, FUSE_CAP_HANDLE_KILLPRIV_V2, true);
	if (!asked)
		return;
	atomic_store(&offered, conn_want(conn, FUSE_CAP_PASSTHROUGH, true));
	conn->max_backing_stack_depth = (uint32_t)depth - 1; /* libfuse adds its own layer */
}

bool passthrough_offered(void)
{
	return atomic_load(&offered);
}

void passthrough_set(struct fuse_file_info *fi, int id, bool direct)
{
	fi->backing_id = id;
	fi->direct_io = direct;
	fi->parallel_direct_writes = direct;
}

#endif
