#include "fuse/passthrough.h"

#if LIBFUSE_HAS_PASSTHROUGH

const char passthrough_way[] = "api";

int passthrough_attach(struct passthrough *p, struct fuse_session *se, int stack_depth, bool wanted)
{
	(void)se;
	p->depth = stack_depth;
	p->asked = wanted;
	return 0;
}

void passthrough_init(struct passthrough *p, struct fuse_conn_info *conn)
{
	conn_want(conn, FUSE_CAP_HANDLE_KILLPRIV_V2, true);
	if (!p->asked)
		return;
	atomic_store(&p->offered, conn_want(conn, FUSE_CAP_PASSTHROUGH, true));
	conn->max_backing_stack_depth = (uint32_t)p->depth - 1; /* libfuse adds its own layer */
}

bool passthrough_offered(struct passthrough *p)
{
	return atomic_load(&p->offered);
}

void passthrough_set(struct fuse_file_info *fi, int id, bool direct)
{
	fi->backing_id = id;
	fi->direct_io = direct;
	fi->parallel_direct_writes = direct;
}

#endif
