/*
 * Earlier versions of a file F as paths beside it (the grammar: base/which.h):
 *
 *	F@v/		a folder: the versions that can be read, N plus the file's extension
 *	F@vN  F@v-N	one of them, by number or counted back from the live one (-1 is the one before it)
 *	F@v/N.ext  F@v/-1.ext  F@v/latest.ext  F@v/TIME.ext  F@v/history.jsonl		by name
 *
 * A real name always wins: this is asked only where nothing real is found.
 *
 * Versions are immutable. A live one is the live file's own bytes; a read through it fails with EIO once the file was
 * changed in place, rather than give other bytes.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/which.h"
#include "ns/view.h"

#define SLOT_VERSION 0 /* VIEW_NODE | version id */
#define SLOT_FOLDER 1
#define SLOT_HISTORY 2

/* The series of versions at a path, and the node that has it now (0: none). */
struct series {
	uint64_t asset, live;
};

/* The number of the version that is live now, 0 when none is. */
static int live_number(struct lake *lake, uint64_t live, uint64_t *number)
{
	struct node_row node;
	struct version_row v;
	int rc;

	*number = 0;
	if (!live)
		return 0;
	rc = store_node(lake->store, live, &node);
	if (rc || !node.version)
		return rc == -ENOENT ? 0 : rc;
	rc = store_version(lake->store, node.version, &v);
	if (!rc)
		*number = v.number;
	return rc == -ENOENT ? 0 : rc;
}

static int version_back(struct lake *lake, const struct series *f, uint64_t back, struct version_row *v)
{
	uint64_t below;
	int rc = live_number(lake, f->live, &below);

	while (!rc && back--) {
		rc = store_version_before(lake->store, f->asset, below, v);
		if (!rc)
			below = v->number;
	}
	return rc;
}

static int version_at(struct lake *lake, const struct series *f, int64_t time, struct version_row *v)
{
	return time > clock_wall() ? -ENOENT : store_version_at(lake->store, f->asset, time, v);
}

static int find_version(struct lake *lake, const struct series *f, const struct which *w, struct version_row *v)
{
	int rc = -ENOENT;

	if (w->kind == WHICH_NUMBER)
		rc = store_version_by_number(lake->store, f->asset, w->number, v);
	else if (w->kind == WHICH_BACK)
		rc = version_back(lake, f, w->number, v);
	else if (w->kind == WHICH_LATEST)
		rc = store_version_before(lake->store, f->asset, 0, v);
	else if (w->kind == WHICH_TIME)
		rc = version_at(lake, f, w->time, v);
	return rc ? rc : version_is_readable(lake, v) ? 0 : -ENOENT;
}

static int draft_version(struct lake *lake, const struct series *f, const struct which *w, struct view_node *draft)
{
	struct version_row v;
	int rc = find_version(lake, f, w, &v);

	if (rc)
		return rc;
	draft->ino = VIEW_NODE | v.id;
	draft->kind = KIND_FILE;
	draft->asset = f->asset;
	draft->live = f->live;
	draft->version = v.id;
	return 0;
}

static int draft_folder(const struct series *f, const char *name, struct view_node *draft)
{
	draft->ino = VIEW_NODE | ((uint64_t)SLOT_FOLDER << VIEW_SLOT_SHIFT) | f->asset;
	draft->kind = KIND_FOLDER;
	draft->asset = f->asset;
	draft->live = f->live;
	draft->text = strdup(which_extension(name));
	return draft->text ? 0 : -ENOMEM;
}

/* A close that came before the look-up may still be on its way to a version. */
static void wait_for_cut(struct lake *lake, struct inode *folder, const char *name)
{
	struct node_row row;
	struct inode *inode;

	if (store_entry(lake->store, folder->id, name, &row))
		return;
	inode = inode_find(lake, row.id);
	if (!inode)
		return;
	inode_wait_quiet(inode);
	inode_unref(lake, inode);
}

static int look_up_at(struct lake *lake, struct inode *folder, const char *name, struct view_node *draft)
{
	char base[NAME_BYTES + 1];
	struct series f;
	struct which w;
	size_t len;
	int rc;

	if (!which_beside(name, &len, &w) || len > NAME_BYTES || folder->id == NODE_ROOT)
		return -ENOENT;
	snprintf(base, sizeof(base), "%.*s", (int)len, name);
	rc = store_barrier(lake->store, 0);
	if (!rc) {
		wait_for_cut(lake, folder, base);
		rc = store_barrier(lake->store, 0);
	}
	if (!rc)
		rc = store_series(lake->store, folder->id, base, &f.asset, &f.live);
	if (!rc && !f.asset)
		rc = -ENOENT;
	if (rc)
		return rc;
	return w.kind == WHICH_ALL ? draft_folder(&f, base, draft) : draft_version(lake, &f, &w, draft);
}

/* ---- attributes ---- */

/* Who may read the file now: the live one, or as it was when it was deleted. */
struct access {
	uint64_t node;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	bool acl;
};

static int access_now(struct lake *lake, uint64_t live, uint64_t then, struct access *now)
{
	struct inode *inode = live ? inode_find(lake, live) : NULL;
	struct node_row row;
	struct stat st;
	int rc;

	if (inode) {
		rc = inode_stat(lake, inode, &st);
		*now = (struct access){live, st.st_mode, st.st_uid, st.st_gid, inode->acl};
		inode_unref(lake, inode);
		if (!rc)
			return 0;
	}
	rc = store_node(lake->store, live ? live : then, &row);
	*now = (struct access){row.id, row.mode, row.uid, row.gid, row.acl};
	return rc;
}

/*
 * Mode then AND mode now, owner now, nothing to write or to run as another. Who owns the path now did not always: what
 * another owner's file said of the others holds for them. An ACL's group bits are a mask, and grant nothing.
 */
static void restrict_to_now(struct lake *lake, uint64_t live, uint64_t then, struct stat *st)
{
	mode_t owner = st->st_mode & 0700, group = st->st_mode & 070, other = st->st_mode & 07;
	struct access now;

	if (access_now(lake, live, then, &now)) { /* nothing is known, so nothing is granted */
		st->st_mode = 0400;
		st->st_uid = 0;
		st->st_gid = 0;
		return;
	}
	if (now.node != then && now.uid != st->st_uid)
		owner = (other & group >> 3) << 6;
	if (now.node != then && now.gid != st->st_gid)
		group = other << 3;
	st->st_mode = (owner | group | other) & now.mode & 0555;
	if (now.acl)
		st->st_mode &= ~(mode_t)070;
	st->st_uid = now.uid;
	st->st_gid = now.gid;
}

static void set_times(struct stat *st, int64_t mtime, int64_t ctime)
{
	st->st_mtim = (struct timespec){mtime / NSEC_PER_SEC, mtime % NSEC_PER_SEC};
	st->st_ctim = (struct timespec){ctime / NSEC_PER_SEC, ctime % NSEC_PER_SEC};
	st->st_atim = st->st_mtim;
}

static int stat_version(struct lake *lake, const struct view_node *n, struct stat *st)
{
	struct version_row v;
	int rc = store_version(lake->store, n->version, &v);

	if (rc || !version_is_readable(lake, &v))
		return rc ? rc : -ENOENT;
	*st = (struct stat){.st_mode = v.mode,
			    .st_uid = v.uid,
			    .st_gid = v.gid,
			    .st_nlink = 1,
			    .st_size = (off_t)v.size,
			    .st_blksize = 4096,
			    .st_blocks = (blkcnt_t)((v.size + 511) / 512)};
	restrict_to_now(lake, n->live, v.node, st);
	st->st_mode |= S_IFREG;
	set_times(st, v.mtime, v.time);
	return 0;
}

static int stat_folder(struct lake *lake, const struct view_node *n, struct stat *st)
{
	struct version_row v;
	int rc = store_version_before(lake->store, n->asset, 0, &v);

	*st = (struct stat){.st_mode = S_IFDIR | 0500, .st_nlink = 2, .st_blksize = 4096};
	if (rc) /* nothing in it can be read; its owner may look at history.jsonl */
		return rc == -ENOENT ? 0 : rc;
	st->st_mode = v.mode;
	st->st_uid = v.uid;
	st->st_gid = v.gid;
	set_times(st, v.time, v.time);
	restrict_to_now(lake, n->live, v.node, st);
	st->st_mode &= 0444;
	st->st_mode |= S_IFDIR | (st->st_mode & 0444) >> 2; /* who may read the file may enter */
	return 0;
}

static int stat_node(struct lake *lake, const struct view_node *n, struct stat *st)
{
	if (n->fd >= 0) {
		*st = n->st;
		return 0;
	}
	return n->kind == KIND_FOLDER ? stat_folder(lake, n, st) : stat_version(lake, n, st);
}

/* ---- inside F@v ---- */

static int add_history_line(void *arg, const struct version_row *v)
{
	struct buf *b = arg;

	buf_addf(b, "{\"version\":%" PRIu64 ",\"commit\":%" PRIu64 ",\"time\":\"", v->number, v->commit);
	buf_add_time_ms(b, v->time);
	buf_addf(b, "\",\"size\":%" PRIu64 ",\"sha256\":", v->size);
	if (v->hashed) {
		buf_addc(b, '"');
		buf_add_hex(b, v->sha256, sizeof(v->sha256));
		buf_addc(b, '"');
	} else {
		buf_adds(b, "null");
	}
	buf_addf(b, ",\"state\":\"%s\",\"how\":", version_state_name(v->state));
	if (v->how)
		buf_addf(b, "\"%s\"", version_how_name(v->how));
	else
		buf_adds(b, "null");
	buf_adds(b, ",\"reason\":");
	if (v->reason[0])
		buf_add_json(b, v->reason, strlen(v->reason));
	else
		buf_adds(b, "null");
	buf_addf(b, ",\"run\":%" PRIu64 ",\"uid\":%u,\"mode\":\"%04o\"}\n", v->run, (unsigned)v->run_uid,
		 (unsigned)(v->mode & 07777));
	return 0;
}

static int draft_history(struct lake *lake, const struct view_node *folder, struct view_node *draft)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct stat st;
	int rc = store_versions(lake->store, folder->asset, add_history_line, &b);

	if (!rc)
		rc = stat_folder(lake, folder, &st);
	if (!rc)
		rc = view_render(lake, &b, st.st_mode & 0444, st.st_uid, st.st_gid, draft);
	draft->ino = view_new_number(SLOT_HISTORY);
	return rc;
}

static int look_up(struct lake *lake, const struct view_node *folder, const char *name, const struct actor *actor,
		   struct view_node *draft)
{
	const struct series f = {.asset = folder->asset, .live = folder->live};
	struct which w;
	int rc;

	(void)actor;
	if (!which_entry(name, folder->text, &w))
		return -ENOENT;
	rc = store_barrier(lake->store, 0);
	if (rc)
		return rc;
	return w.kind == WHICH_HISTORY ? draft_history(lake, folder, draft) : draft_version(lake, &f, &w, draft);
}

struct lister {
	struct lake *lake;
	view_emit_fn emit;
	void *arg;
	const char *ext;
};

static int list_version(void *arg, const struct version_row *v)
{
	struct lister *l = arg;
	char name[NAME_BYTES + 1];

	if (!version_is_readable(l->lake, v))
		return 0;
	snprintf(name, sizeof(name), "%" PRIu64 "%s", v->number, l->ext);
	return l->emit(l->arg, name, KIND_FILE);
}

static int list(struct lake *lake, const struct view_node *folder, view_emit_fn emit, void *arg)
{
	struct lister l = {.lake = lake, .emit = emit, .arg = arg, .ext = folder->text};
	int rc = store_barrier(lake->store, 0);

	return rc ? rc : store_versions(lake->store, folder->asset, list_version, &l);
}

/* ---- bytes ---- */

static int open_node(struct lake *lake, const struct view_node *n, struct view_file *f)
{
	struct version_row v;
	int rc = store_barrier(lake->store, 0);

	if (!rc)
		rc = store_version(lake->store, n->version, &v);
	return rc ? rc : past_open(lake, &v, &f->past);
}

const struct view_ops versions_view = {
	.name = "@v",
	.look_up_at = look_up_at,
	.look_up = look_up,
	.list = list,
	.stat = stat_node,
	.open = open_node,
};
