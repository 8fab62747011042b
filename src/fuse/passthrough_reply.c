/*
 * Completing replies. libfuse calls writev_reply() with the vectors of each reply, in the thread that replies: what is
 * to be added to an OPEN or CREATE reply waits in a variable of that thread. The INIT request is seen by read_request()
 * (it is never spliced), and its reply is the first one sent.
 */
#include "fuse/passthrough.h"

#if !LIBFUSE_HAS_PASSTHROUGH

#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* include/uapi/linux/fuse.h */
#define OPCODE_INIT 26
#define INIT_EXT (UINT64_C(1) << 30)
#define INIT_HANDLE_KILLPRIV_V2 (UINT64_C(1) << 28)
#define INIT_PASSTHROUGH (UINT64_C(1) << 37)
#define OPEN_PARALLEL_DIRECT_WRITES (1u << 6)
#define OPEN_PASSTHROUGH (1u << 7)

struct request_head {
	uint32_t len, opcode;
	uint64_t unique, nodeid;
	uint32_t uid, gid, pid;
	uint16_t total_extlen, padding;
};

struct init_in {
	uint32_t major, minor, max_readahead, flags, flags2, unused[11];
};

struct reply_head {
	uint32_t len;
	int32_t error;
	uint64_t unique;
};

struct init_out {
	uint32_t major, minor, max_readahead, flags;
	uint16_t max_background, congestion_threshold;
	uint32_t max_write, time_gran;
	uint16_t max_pages, map_alignment;
	uint32_t flags2, max_stack_depth;
	uint16_t request_timeout, unused[11];
};

struct open_out_tail {
	uint32_t open_flags;
	int32_t backing_id;
};

const char passthrough_way[] = "completed replies";

static __thread int pending_id;
static __thread uint32_t pending_flags;

static uint64_t init_features(const struct passthrough *p)
{
	uint64_t want = INIT_HANDLE_KILLPRIV_V2;

	if (p->asked)
		want |= INIT_PASSTHROUGH;
	return want & p->init_flags;
}

static ssize_t reply_init(struct passthrough *p, int fd, const struct iovec *iov)
{
	struct init_out out = {0};
	struct iovec completed[2] = {iov[0], {&out, sizeof(out)}};
	struct reply_head head;
	uint64_t add = init_features(p);
	size_t len = iov[1].iov_len < sizeof(out) ? iov[1].iov_len : sizeof(out);

	memcpy(&out, iov[1].iov_base, len);
	memcpy(&head, iov[0].iov_base, sizeof(head));
	out.flags |= (uint32_t)(add | INIT_EXT);
	out.flags2 |= (uint32_t)(add >> 32);
	out.max_stack_depth = add & INIT_PASSTHROUGH ? (uint32_t)p->depth : 0;
	head.len = (uint32_t)(sizeof(head) + sizeof(out));
	completed[0].iov_base = &head;
	atomic_store(&p->offered, add & INIT_PASSTHROUGH);
	return writev(fd, completed, 2);
}

static ssize_t writev_reply(int fd, struct iovec *iov, int count, void *arg)
{
	const struct reply_head *head = iov[0].iov_base;
	struct passthrough *p = arg;
	struct open_out_tail tail;
	char *end;

	if (!atomic_load(&p->init_done) && head->unique == p->init_unique) {
		atomic_store(&p->init_done, true);
		if (!head->error && count == 2 && (p->init_flags & INIT_EXT))
			return reply_init(p, fd, iov);
	}
	if (pending_id && count >= 2 && !head->error) {
		end = (char *)iov[count - 1].iov_base + iov[count - 1].iov_len - sizeof(tail);
		memcpy(&tail, end, sizeof(tail));
		tail.open_flags |= pending_flags;
		tail.backing_id = pending_id;
		memcpy(end, &tail, sizeof(tail));
	}
	pending_id = 0;
	return writev(fd, iov, count);
}

static ssize_t read_request(int fd, void *buffer, size_t size, void *arg)
{
	ssize_t n = read(fd, buffer, size);
	struct passthrough *p = arg;
	struct request_head head;
	struct init_in in;

	if (atomic_load(&p->init_done) || n < (ssize_t)(sizeof(head) + 20))
		return n;
	memcpy(&head, buffer, sizeof(head));
	if (head.opcode == OPCODE_INIT) {
		memset(&in, 0, sizeof(in));
		memcpy(&in, (char *)buffer + sizeof(head),
		       (size_t)n - sizeof(head) < sizeof(in) ? (size_t)n - sizeof(head) : sizeof(in));
		p->init_unique = head.unique;
		p->init_flags = in.flags | (in.flags & INIT_EXT ? (uint64_t)in.flags2 << 32 : 0);
	}
	return n;
}

static ssize_t splice_through(int in, off_t *in_offset, int out, off_t *out_offset, size_t len, unsigned int flags,
			      void *arg)
{
	(void)arg;
	return splice(in, in_offset, out, out_offset, len, flags);
}

int passthrough_attach(struct passthrough *p, struct fuse_session *se, int stack_depth, bool wanted)
{
	static const struct fuse_custom_io io = {
		.writev = writev_reply,
		.read = read_request,
		.splice_receive = splice_through,
		.splice_send = splice_through,
	};

	p->depth = stack_depth;
	p->asked = wanted;
	return fuse_session_custom_io(se, &io, fuse_session_fd(se));
}

void passthrough_init(struct passthrough *p, struct fuse_conn_info *conn)
{
	(void)p;
	(void)conn;
}

bool passthrough_offered(struct passthrough *p)
{
	return atomic_load(&p->offered);
}

void passthrough_set(struct fuse_file_info *fi, int id, bool direct)
{
	fi->direct_io = direct;
	pending_id = id;
	pending_flags = OPEN_PASSTHROUGH | (direct ? OPEN_PARALLEL_DIRECT_WRITES : 0);
}

#endif
