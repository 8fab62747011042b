#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/ops.h"

struct lake *ops_lake(fuse_req_t req)
{
	return ((struct served *)fuse_req_userdata(req))->lake;
}

void ops_wait(fuse_req_t req, const struct wait *what)
{
	waiting_add(((struct served *)fuse_req_userdata(req))->waiting, req, what);
}

uint64_t ops_node(fuse_req_t req, fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? ((struct served *)fuse_req_userdata(req))->root : ino;
}

struct actor ops_caller(fuse_req_t req)
{
	const struct fuse_ctx *c = fuse_req_ctx(req);

	return (struct actor){.caller = {.uid = c->uid, .gid = c->gid, .pid = c->pid, .umask = c->umask}};
}

struct actor ops_actor(fuse_req_t req)
{
	struct actor a = ops_caller(req);

	a.run = run_of(ops_lake(req), &a.caller, true);
	return a;
}

struct actor ops_reader(fuse_req_t req)
{
	struct actor a = ops_caller(req);

	a.run = run_of(ops_lake(req), &a.caller,
		       atomic_load_explicit(&ops_lake(req)->audit_reads, memory_order_relaxed));
	return a;
}

void ops_reply_error(fuse_req_t req, int rc)
{
	fuse_reply_err(req, -rc);
}

struct fuse_entry_param ops_entry_param(const struct ns_entry *e)
{
	return (struct fuse_entry_param){
		.ino = e->ino,
		.attr = e->st,
		.attr_timeout = e->attr_timeout,
		.entry_timeout = e->entry_timeout,
	};
}

void ops_reply_entry(fuse_req_t req, int rc, const struct ns_entry *e)
{
	struct fuse_entry_param param;

	if (rc < 0) {
		ops_reply_error(req, rc);
		return;
	}
	param = ops_entry_param(e);
	if (fuse_reply_entry(req, &param) < 0 && e->ino) /* interrupted: the kernel did not learn of it */
		ns_forget(ops_lake(req), e->ino, 1);
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct actor actor = ops_caller(req);
	struct ns_entry e;

	ops_reply_entry(req, ns_look_up(ops_lake(req), ops_node(req, parent), name, &actor, &e), &e);
}

void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	if (ino != FUSE_ROOT_ID) /* what a session's root is lives as long as it */
		ns_forget(ops_lake(req), ino, n);
	fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		if (forgets[i].ino != FUSE_ROOT_ID)
			ns_forget(ops_lake(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	struct actor actor = ops_actor(req);
	struct ns_entry e = {0};

	ops_reply_entry(req, ns_mknod(ops_lake(req), parent, name, mode, rdev, &actor, &e), &e);
}

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct actor actor = ops_actor(req);
	struct ns_entry e = {0};

	ops_reply_entry(req, ns_mkdir(ops_lake(req), parent, name, mode, &actor, &e), &e);
}

void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	struct actor actor = ops_actor(req);
	struct ns_entry e = {0};

	ops_reply_entry(req, ns_symlink(ops_lake(req), parent, name, target, &actor, &e), &e);
}

/* A second name for a file; of a stub the bytes have to come first. */
struct linking {
	struct lake *lake;
	uint64_t ino, parent;
	char name[NAME_BYTES + 1];
	struct actor actor;
	struct ns_entry e;
};

static int make_link(void *arg, const struct tier_call *call)
{
	struct linking *l = arg;

	l->actor.call = call;
	return ns_link(l->lake, l->ino, l->parent, l->name, &l->actor, &l->e);
}

static void reply_link(fuse_req_t req, void *arg, int rc)
{
	struct linking *l = arg;

	ops_reply_entry(req, rc, &l->e);
	free(l);
}

void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct linking *l = strlen(name) <= NAME_BYTES ? malloc(sizeof(*l)) : NULL;

	if (!l) {
		ops_reply_error(req, strlen(name) <= NAME_BYTES ? -ENOMEM : -ENAMETOOLONG);
		return;
	}
	*l = (struct linking){.lake = ops_lake(req), .ino = ino, .parent = parent, .actor = ops_actor(req)};
	snprintf(l->name, sizeof(l->name), "%s", name);
	if (ns_waits(l->lake, ino))
		ops_wait(req, &(struct wait){.wait = make_link, .reply = reply_link, .arg = l});
	else
		reply_link(req, l, make_link(l, NULL));
}

/* A name that goes, or moves; what was written to a stub of that name may have to be whole first. */
struct moving {
	struct lake *lake;
	uint64_t parent, to_parent;
	char name[NAME_BYTES + 1], to_name[NAME_BYTES + 1];
	unsigned flags;
	bool removes;
	struct actor actor;
};

static int move_name(void *arg, const struct tier_call *call)
{
	struct moving *m = arg;

	m->actor.call = call;
	return m->removes ? ns_unlink(m->lake, m->parent, m->name, &m->actor)
			  : ns_rename(m->lake, m->parent, m->name, m->to_parent, m->to_name, m->flags, &m->actor);
}

static void reply_moved(fuse_req_t req, void *arg, int rc)
{
	ops_reply_error(req, rc);
	free(arg);
}

static void move_late(fuse_req_t req, const struct moving *what, const char *name, const char *to_name)
{
	bool fits = strlen(name) <= NAME_BYTES && strlen(to_name) <= NAME_BYTES;
	struct moving *m = fits ? malloc(sizeof(*m)) : NULL;

	if (!m) {
		ops_reply_error(req, fits ? -ENOMEM : -ENAMETOOLONG);
		return;
	}
	*m = *what;
	snprintf(m->name, sizeof(m->name), "%s", name);
	snprintf(m->to_name, sizeof(m->to_name), "%s", to_name);
	ops_wait(req, &(struct wait){.wait = move_name, .reply = reply_moved, .arg = m});
}

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct lake *lake = ops_lake(req);
	struct actor actor = ops_actor(req);

	if (ns_ends_draft(lake))
		move_late(req, &(struct moving){.lake = lake, .parent = parent, .removes = true, .actor = actor}, name,
			  "");
	else
		ops_reply_error(req, ns_unlink(lake, parent, name, &actor));
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct actor actor = ops_actor(req);

	ops_reply_error(req, ns_rmdir(ops_lake(req), parent, name, &actor));
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to_parent, const char *to_name,
	       unsigned int flags)
{
	struct lake *lake = ops_lake(req);
	struct actor actor = ops_actor(req);

	if (ns_ends_draft(lake))
		move_late(
			req,
			&(struct moving){
				.lake = lake, .parent = parent, .to_parent = to_parent, .flags = flags, .actor = actor},
			name, to_name);
	else
		ops_reply_error(req, ns_rename(lake, parent, name, to_parent, to_name, flags, &actor));
}
