/*
 * Earlier versions of a file F as paths beside it (the grammar: base/which.h):
 *
 *	F@v/		a folder: the versions that can be read, N plus the file's extension
 *	F@vN  F@v-N	one of them, by number or counted back from the live one (-1 is the one before it)
 *	F@v/N.ext  F@v/-1.ext  F@v/latest.ext  F@v/TIME.ext  F@v/history.jsonl		by name
 *
 * A real name always wins: this is asked only where nothing real is found. Where the series of the file that lies at F
 * now has nothing at a time, F@v/TIME is what lay at F then: after `mv log log.1` log@v/<yesterday> still is the log.
 *
 * A name may have been a file's and a folder's, one after the other. What lies there now, or lay there last, says what
 * lists as F@v; of the other all is found by name: F@vN, F@v-N and F@v/N.ext… of the file where F is a folder
 * (view_moments.c asks here), F@v/LABEL and F@v/commit-N of the folder where F is a file, and F@v/TIME is what F was.
 *
 * Versions are immutable, and each has one node, whichever name leads to it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ns/view/view_access.h"
#include "ns/view/view_past.h"
#include "ns/virtual_xattr.h"

enum part {
	PART_FOLDER,  /* F@v: node is the folder of F, text its name, version the series */
	PART_VERSION, /* version; its number is VIEW_NODE | version */
	PART_HISTORY  /* node is the series */
};

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
	return rc;
}

static void become_version(struct lake *lake, const struct version_row *v, uint64_t live, uint64_t parent,
			   struct view_node *draft)
{
	draft->ops = &versions_view;
	draft->kind = KIND_FILE;
	draft->part = PART_VERSION;
	draft->number = VIEW_NODE | v->id;
	draft->version = v->id;
	draft->live = live;
	draft->parent = parent;
	draft->attr_timeout = past_attr_timeout(lake);
}

/* What lay at F then, when the series of what lies there now had nothing: FILES, what else it may be but a file. */
static int draft_fallback(struct lake *lake, uint64_t parent, const char *name, const struct which *w, bool files,
			  struct view_node *draft)
{
	_cleanup_buf_ struct buf moment = BUF_INIT;
	struct version_row v;
	struct node_row row;
	uint64_t commit;
	int rc = past_commit(lake, 0, w, NULL, &commit);

	if (!rc)
		rc = store_entry_was(lake->store, parent, name, commit, &row);
	if (!rc && row.kind == KIND_FILE && !files)
		rc = -ENOENT;
	if (rc)
		return rc;
	if (row.kind == KIND_FILE) {
		rc = past_version(lake, row.version, &v);
		if (!rc)
			become_version(lake, &v, v.node, parent, draft);
		return rc;
	}
	buf_addf(&moment, "%" PRIu64, commit);
	return buf_error(&moment) ? -ENOMEM : tree_draft(lake, parent, name, 0, commit, buf_str(&moment), draft);
}

static int draft_version(struct lake *lake, const struct series *f, const struct which *w, uint64_t parent,
			 const char *name, struct view_node *draft)
{
	struct version_row v;
	int rc = find_version(lake, f, w, &v);

	if (rc == -ENOENT && w->kind == WHICH_TIME)
		return draft_fallback(lake, parent, name, w, true, draft);
	if (!rc && w->kind == WHICH_TIME && v.end_commit != COMMIT_LIVE && v.end_time <= w->time) {
		rc = draft_fallback(lake, parent, name, w, false, draft);
		if (rc != -ENOENT)
			return rc;
		rc = 0;
	}
	if (!rc)
		rc = past_version(lake, v.id, &v);
	if (!rc)
		become_version(lake, &v, f->live, parent, draft);
	return rc;
}

static int draft_folder(const struct series *f, uint64_t parent, const char *name, struct view_node *draft)
{
	draft->kind = KIND_FOLDER;
	draft->part = PART_FOLDER;
	draft->node = parent;
	draft->version = f->asset;
	draft->live = f->live;
	draft->parent = parent;
	draft->on_the_way = true;
	draft->text = strdup(name);
	return draft->text ? 0 : -ENOMEM;
}

static int look_up_at(struct lake *lake, struct inode *folder, const char *name, struct view_node *draft)
{
	char base[NAME_BYTES + 1];
	struct series f;
	struct which w;
	struct lay lay;
	size_t len;
	int rc;

	if (!which_beside(name, &len, &w) || len > NAME_BYTES)
		return -ENOENT;
	snprintf(base, sizeof(base), "%.*s", (int)len, name);
	rc = past_lay(lake, folder->id, base, &lay);
	if (!rc && lay.row.kind == KIND_FOLDER && w.kind == WHICH_ALL)
		return moments_draft(lake, folder->id, base, &lay, draft);
	if (!rc && folder->id == NODE_ROOT)
		rc = -ENOENT;
	if (!rc)
		rc = store_series(lake->store, folder->id, base, &f.asset, &f.live);
	if (!rc && !f.asset)
		rc = -ENOENT;
	if (rc)
		return rc;
	return w.kind == WHICH_ALL ? draft_folder(&f, folder->id, base, draft)
				   : draft_version(lake, &f, &w, folder->id, base, draft);
}

/* ---- attributes ---- */

/* What N's own node, OWN, allows now or allowed at its end, and where it lies. */
static int restrict_to_own(struct lake *lake, const struct view_node *n, uint64_t own, struct stat *st)
{
	struct access now;
	int rc = access_now(lake, own, &now);

	if (rc)
		return rc;
	access_restrict(st, &now);
	return access_restrict_to_place(lake, own, atomic_load(&n->parent), st);
}

/* Another node, LIVE, has the name now. That may close to others what was there before, never open it. */
static int restrict_to_live(struct lake *lake, const struct view_node *n, uint64_t live, struct stat *st)
{
	struct access now;
	int rc = access_now(lake, live, &now);

	if (rc)
		return rc;
	access_restrict_to_other(st, &now);
	rc = access_restrict_to_place(lake, live, atomic_load(&n->parent), st);
	return rc < 0 ? rc : 1; /* a change of OWN is no change of n->live */
}

/* Who may read the version of node OWN now. */
static int restrict_to_now(struct lake *lake, const struct view_node *n, uint64_t own, struct stat *st)
{
	uint64_t live = atomic_load(&n->live);
	int rc = restrict_to_own(lake, n, own, st);

	if (rc >= 0 && live && live != own)
		rc = restrict_to_live(lake, n, live, st);
	if (rc >= 0)
		return rc;
	/* nothing is known, so nothing is granted */
	st->st_mode = (st->st_mode & S_IFMT) | 0400;
	st->st_uid = 0;
	st->st_gid = 0;
	return 1;
}

/* What an ACL that the file had as of COMMIT leaves of MODE. */
static int restrict_to_acl_at(struct lake *lake, const struct version_row *v, uint64_t commit, mode_t *mode)
{
	struct access then;
	struct node_row row;
	int rc = commit == COMMIT_LIVE ? store_node(lake->store, v->node, &row)
				       : store_node_at(lake->store, v->node, commit, &row);

	if (rc || !row.acl)
		return rc;
	rc = access_at(lake, &row, commit, &then);
	if (!rc)
		*mode &= then.mode | 07700;
	return rc;
}

/*
 * The mode that V has, of when it was made; where there was an ACL then, or when it ended, the group's bits of it may
 * be a mask.
 */
static mode_t mode_then(struct lake *lake, const struct version_row *v)
{
	uint64_t end = v->end_commit == COMMIT_LIVE ? COMMIT_LIVE : v->end_commit - 1;
	mode_t mode = v->mode & 07777;
	int rc = restrict_to_acl_at(lake, v, v->commit, &mode);

	if (!rc || rc == -ENOENT)
		rc = restrict_to_acl_at(lake, v, end, &mode);
	return rc ? mode & 07700 : mode; /* nothing is known, so nothing is granted to others */
}

static void version_stat(struct lake *lake, const struct version_row *v, struct stat *st)
{
	*st = (struct stat){.st_mode = S_IFREG | (mode_then(lake, v) & 0777),
			    .st_uid = v->uid,
			    .st_gid = v->gid,
			    .st_nlink = 1,
			    .st_size = (off_t)v->size,
			    .st_blksize = 4096,
			    .st_blocks = (blkcnt_t)((v->size + 511) / 512)};
	past_set_times(st, v->mtime, v->time);
}

static int stat_version(struct lake *lake, const struct view_node *n, struct stat *st)
{
	struct version_row v;
	int past = 0, rc = past_version(lake, n->version, &v);

	if (rc)
		return rc;
	version_stat(lake, &v, st);
	rc = restrict_to_now(lake, n, v.node, st);
	if (v.end_commit != COMMIT_LIVE)
		past = access_restrict_to_past(lake, v.node, v.end_commit - 1, st);
	return past ? past : rc;
}

static int stat_folder(struct lake *lake, const struct view_node *n, struct stat *st)
{
	struct version_row v;
	int rc = store_version_before(lake->store, n->version, 0, &v);

	*st = (struct stat){.st_mode = S_IFDIR | 0500, .st_nlink = 2, .st_blksize = 4096};
	if (rc) /* nothing in it can be read; its owner may look at history.jsonl */
		return rc == -ENOENT ? 0 : rc;
	st->st_mode = S_IFDIR | (mode_then(lake, &v) & 0777);
	st->st_uid = v.uid;
	st->st_gid = v.gid;
	past_set_times(st, v.time, v.time);
	restrict_to_now(lake, n, v.node, st);
	st->st_mode &= S_IFMT | 0444;
	st->st_mode |= (st->st_mode & 0444) >> 2; /* who may read the file may enter */
	return 0;
}

static int stat_node(struct lake *lake, const struct view_node *n, struct stat *st)
{
	return n->kind == KIND_FOLDER ? stat_folder(lake, n, st) : stat_version(lake, n, st);
}

/* ---- inside F@v ---- */

static int draft_history(struct lake *lake, const struct view_node *folder, struct view_node *draft)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct stat st;
	int rc = stat_folder(lake, folder, &st);

	st.st_mode &= S_IFMT | 0444;
	if (!rc)
		rc = history_render(lake, folder->version, &st, &b);
	draft->part = PART_HISTORY;
	draft->node = folder->version;
	return rc ? rc : view_render(lake, &b, st.st_mode & 0444, st.st_uid, st.st_gid, draft);
}

/* NAME is a label, or names a commit, of the folder that F was. */
static int draft_moment(struct lake *lake, const struct view_node *folder, const char *name, struct view_node *draft)
{
	struct node_row was;
	struct which w;
	uint64_t commit;
	int rc = store_barrier(lake->store, 0);

	which_moment(name, &w);
	if (!rc)
		rc = store_folder_last(lake->store, folder->node, folder->text, &was);
	if (!rc)
		rc = past_commit(lake, was.id, &w, name, &commit);
	return rc ? rc : tree_draft(lake, folder->node, folder->text, was.id, commit, name, draft);
}

static int draft_entry(struct lake *lake, const struct view_node *folder, const char *name, struct view_node *draft)
{
	const struct series f = {.asset = folder->version, .live = atomic_load(&folder->live)};
	struct which w;
	int rc;

	if (!which_entry(name, which_extension(folder->text), &w))
		return draft_moment(lake, folder, name, draft);
	rc = store_barrier(lake->store, 0);
	if (rc)
		return rc;
	if (w.kind == WHICH_HISTORY)
		return draft_history(lake, folder, draft);
	if (w.kind == WHICH_NUMBER) /* the folder is of one series only */
		draft->entry_timeout = PAST_TIMEOUT;
	return draft_version(lake, &f, &w, folder->node, folder->text, draft);
}

static int look_up(struct lake *lake, const struct view_node *folder, const char *name, const struct actor *actor,
		   struct view_node *draft)
{
	(void)actor;
	return draft_entry(lake, folder, name, draft);
}

int versions_draft(struct lake *lake, uint64_t parent, const char *file, const char *name, struct view_node *draft)
{
	struct view_node folder = {.fd = -1};
	struct series f;
	struct which w;
	int rc;

	if (!which_entry(name, which_extension(file), &w))
		return -ENOENT;
	rc = store_series(lake->store, parent, file, &f.asset, &f.live);
	if (!rc)
		rc = draft_folder(&f, parent, file, &folder);
	draft->ops = &versions_view;
	if (!rc)
		rc = draft_entry(lake, &folder, name, draft);
	draft->entry_timeout = 0; /* the next file of the name may be of another series */
	view_release_draft(&folder);
	return rc;
}

static int list_version(void *arg, const struct version_row *v)
{
	struct lister *l = arg;
	const char *ext = which_extension(l->folder->text);
	char name[NAME_BYTES + 1];

	if (v->state == VERSION_PARTIAL || v->not_alone || !past_is_listed(l->lake, v))
		return 0;
	if (snprintf(name, sizeof(name), "%" PRIu64 "%s", v->number, ext) > NAME_BYTES)
		snprintf(name, sizeof(name), "%" PRIu64, v->number);
	return l->emit(l->arg, name, KIND_FILE, VIEW_NODE | v->id);
}

static int list(struct lake *lake, const struct view_node *folder, const struct actor *actor, view_emit_fn emit,
		void *arg)
{
	struct lister l = {.lake = lake, .folder = folder, .emit = emit, .arg = arg};
	int rc = store_barrier(lake->store, 0);

	(void)actor;
	return rc ? rc : store_versions_brief(lake->store, folder->version, list_version, &l);
}

static int version(struct lake *lake, const struct view_node *n, uint64_t *id)
{
	(void)lake;
	*id = n->version;
	return 0;
}

/* As they were when the content ceased to be the file's. */
static int xattrs(struct lake *lake, const struct view_node *n, struct buf *encoded)
{
	struct version_row v;
	int rc = n->part == PART_VERSION ? store_version(lake->store, n->version, &v) : -ENODATA;

	if (rc)
		return rc;
	return store_node_xattrs_at(lake->store, v.node, v.end_commit == COMMIT_LIVE ? COMMIT_LIVE : v.end_commit - 1,
				    encoded);
}

static int fact(struct lake *lake, const struct view_node *n, const char *what, struct buf *value)
{
	struct version_row v;
	int rc = n->part == PART_VERSION ? store_version(lake->store, n->version, &v) : -ENODATA;

	if (!rc)
		v.mode = mode_then(lake, &v);
	return rc ? rc : version_fact(&v, what, value);
}

const struct view_ops versions_view = {
	.name = "@v",
	.look_up_at = look_up_at,
	.look_up = look_up,
	.list = list,
	.stat = stat_node,
	.version = version,
	.xattrs = xattrs,
	.fact = fact,
};
