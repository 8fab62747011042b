/*
 * Kernel passthrough: reads and writes of an open file go straight to the backing file (Linux ≥ 6.9, CAP_SYS_ADMIN).
 *
 * libfuse has it from 3.17 on (passthrough_api.c). Before that (passthrough_reply.c) the replies are completed on their
 * way to the kernel, through fuse_session_custom_io(): INIT gets the feature flags, OPEN and CREATE the backing id. The
 * layouts are those of the kernel's include/uapi/linux/fuse.h, protocol 7.40.
 *
 * Both also ask for FUSE_HANDLE_KILLPRIV_V2, without which the kernel asks for security.capability before every write.
 */
#ifndef TARN_FUSE_PASSTHROUGH_H
#define TARN_FUSE_PASSTHROUGH_H

#include <stdatomic.h>
#include <stdint.h>

#include "fuse/lowlevel.h"

/* Of one session; the first member of what fuse_session_new() got as its user's data. */
struct passthrough {
	int depth;
	bool asked;
	atomic_bool offered;
	/* passthrough_reply.c: written by the one thread that reads INIT, before any other runs */
	uint64_t init_unique, init_flags;
	atomic_bool init_done;
};

/* "api" or "completed replies", for `tarn status`. */
extern const char passthrough_way[];

/* After fuse_session_mount(), before the loop. STACK_DEPTH: 1, or 2 where backing files are on overlayfs. 0 or
 * -errno. */
int passthrough_attach(struct passthrough *p, struct fuse_session *se, int stack_depth, bool wanted);
/* From the init operation. */
void passthrough_init(struct passthrough *p, struct fuse_conn_info *conn);
/* Did the kernel offer it (known after INIT)? */
bool passthrough_offered(struct passthrough *p);

/* Registers FD's file: its id (> 0), or -errno (-EPERM: not allowed, -ELOOP: too many stacked file systems). */
int passthrough_register(struct fuse_session *se, int fd);
void passthrough_unregister(struct fuse_session *se, int id);

/*
 * Right before this thread's fuse_reply_open() or _create(): the file goes through ID. DIRECT: its writes come as
 * requests all the same, several at a time, and mappings go through.
 */
void passthrough_set(struct fuse_file_info *fi, int id, bool direct);

#endif
