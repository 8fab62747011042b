/*
 * A tree as it was: D@v/MOMENT/… and @v/MOMENT/…, and the root of a mount with -o view=. All of it is read from the
 * store, as of one commit: what a folder holds, what attributes a node had, which version a file's content was.
 *
 * A tree is what its root says (the place, the moment's name and the commit), and each root's nodes are its own: a
 * folder has one place in a tree, as the kernel wants it, however many trees show it. A file whose content cannot be
 * read (any more) is not there. Nothing synthetic is found inside a tree, so no walk of it goes round in circles. At
 * the root of the lake plain files are no buckets, and private buckets have no past.
 *
 * Names in a tree are immutable, but for what expires, is purged, or may not be seen any more; permissions are looked
 * at anew each time.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ns/view/view_access.h"
#include "ns/view/view_past.h"
#include "ns/virtual_xattr.h"

enum part {
	PART_ROOT, /* node, commit; text: where it is and how its moment was called */
	PART_BELOW /* node, commit; tree: the number of the root */
};

static bool is_shown(uint64_t folder, const char *name, enum node_kind kind)
{
	if (folder == NODE_ROOT)
		return kind == KIND_FOLDER && name[0] != '.';
	return kind == KIND_FILE || kind == KIND_FOLDER || kind == KIND_SYMLINK;
}

static int check_target(struct lake *lake, uint64_t node)
{
	_cleanup_buf_ struct buf target = BUF_INIT;
	struct node_row now;
	int rc = store_node_target(lake->store, node, &target);

	if (rc != -ENOENT)
		return rc;
	rc = store_node(lake->store, node, &now);
	return rc ? rc : now.handle.len ? 0 : -ENOENT;
}

/* Can it be read? */
static int check_content(struct lake *lake, const struct node_row *row)
{
	struct version_row v;

	if (row->kind == KIND_SYMLINK)
		return check_target(lake, row->id);
	return row->kind == KIND_FILE ? past_version(lake, row->version, &v) : 0;
}

/* The same of what a listing says. */
static int check_entry(struct lake *lake, const struct past_entry *e)
{
	if (e->kind == KIND_SYMLINK)
		return check_target(lake, e->node);
	return e->kind != KIND_FILE || past_is_listed(lake, e->content) ? 0 : -ENOENT;
}

static void become(struct lake *lake, const struct node_row *row, uint64_t parent, uint64_t commit,
		   struct view_node *draft)
{
	draft->ops = &tree_view;
	draft->kind = row->kind;
	draft->node = row->id;
	draft->commit = commit;
	draft->parent = parent;
	draft->live = row->id;
	draft->attr_timeout = past_attr_timeout(lake);
}

/* ---- the root ---- */

int tree_draft(struct lake *lake, uint64_t parent, const char *name, uint64_t node, uint64_t commit, const char *moment,
	       struct view_node *draft)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct node_row row;
	int rc = node ? store_folder_at(lake->store, node, commit, &row) : -ENOENT;

	if (rc == -ENOENT && parent)
		rc = store_entry_was(lake->store, parent, name, commit, &row);
	if (!rc && parent && !is_shown(parent, name, row.kind))
		rc = -ENOENT;
	if (!rc)
		rc = check_content(lake, &row);
	if (rc)
		return rc;
	become(lake, &row, parent, commit, draft);
	draft->part = PART_ROOT;
	draft->entry_timeout = 0;
	buf_addf(&text, "%" PRIu64 "/%s/%s", parent, name, moment);
	draft->text = buf_detach(&text);
	return draft->text ? 0 : -ENOMEM;
}

int ns_past_root(struct lake *lake, const char *moment, const struct frontend *front, uint64_t *ino)
{
	struct view_node draft = {.fd = -1, .front = front}, *n;
	struct which w;
	uint64_t commit;
	int rc;

	which_moment(moment, &w);
	rc = past_commit(lake, NODE_ROOT, &w, moment, &commit);
	if (!rc)
		rc = tree_draft(lake, 0, "", NODE_ROOT, commit, "", &draft);
	if (rc) {
		view_release_draft(&draft);
		return rc;
	}
	n = view_keep(&draft);
	if (!n)
		return -ENOMEM;
	*ino = n->number;
	view_put(&n);
	return 0;
}

/* ---- attributes ---- */

/* The live inodes have numbers of their own; a mount that shows nothing else has the nodes' own. */
static uint64_t shown_number(struct lake *lake, const struct view_node *n)
{
	return n->front == &lake->frontend ? n->number : n->node;
}

static void stat_content(const struct version_row *v, struct stat *st)
{
	st->st_size = (off_t)v->size;
	st->st_blocks = (blkcnt_t)((v->size + 511) / 512);
	past_set_times(st, v->mtime, v->time);
}

static int set_content(struct lake *lake, const struct node_row *row, struct stat *st)
{
	struct version_row v;
	int rc = past_version(lake, row->version, &v);

	if (!rc)
		stat_content(&v, st);
	return rc;
}

/* A symlink's target never changes. One that an older tarn took in is read from the link itself, if it lives. */
static int read_link(struct lake *lake, const struct view_node *n, struct buf *target)
{
	char text[PATH_MAX + 1];
	struct inode *inode = NULL;
	struct node_row row;
	int rc = store_node_target(lake->store, n->node, target);

	if (rc != -ENOENT)
		return rc;
	rc = store_node(lake->store, n->node, &row);
	if (!rc)
		rc = inode_get(lake, &row, NULL, NULL, NULL, &inode, NULL);
	if (!rc)
		rc = inode_read_link(lake, inode, text, sizeof(text));
	inode_unref(lake, inode);
	if (rc < 0)
		return rc == -ESTALE ? -ENOENT : rc;
	buf_adds(target, text);
	return buf_error(target);
}

static void stat_target(int64_t len, const struct access *now, struct stat *st)
{
	st->st_mode = S_IFLNK | 0777;
	st->st_uid = now->uid;
	st->st_gid = now->gid;
	st->st_size = (off_t)len;
}

static int stat_link(struct lake *lake, const struct view_node *n, const struct access *now, struct stat *st)
{
	_cleanup_buf_ struct buf target = BUF_INIT;
	int rc = read_link(lake, n, &target);

	stat_target((int64_t)target.len, now, st);
	return rc;
}

/* As it was; what it allows is left of it later. */
static void stat_then(struct lake *lake, const struct node_row *then, uint64_t commit, const struct access *was,
		      struct stat *st)
{
	int64_t mtime =
		then->kind == KIND_FOLDER ? past_folder_mtime(lake, then->id, commit, then->mtime) : then->mtime;

	/* one link, also of folders: whoever walks the tree must not count folders by it */
	*st = (struct stat){.st_mode = (then->mode & S_IFMT) | was->mode,
			    .st_uid = was->uid,
			    .st_gid = was->gid,
			    .st_nlink = 1,
			    .st_blksize = 4096};
	past_set_times(st, mtime, mtime);
}

static int stat_node(struct lake *lake, const struct view_node *n, struct stat *st)
{
	struct node_row then;
	struct access now, was;
	int past = 0, rc = store_node_at(lake->store, n->node, n->commit, &then);

	if (!rc)
		rc = access_at(lake, &then, n->commit, &was);
	if (!rc)
		rc = access_now(lake, n->node, &now);
	if (rc)
		return rc;
	stat_then(lake, &then, n->commit, &was, st);
	st->st_ino = shown_number(lake, n);
	if (n->kind == KIND_SYMLINK)
		return stat_link(lake, n, &now, st);
	if (n->kind == KIND_FILE)
		rc = set_content(lake, &then, st);
	if (rc)
		return rc;
	access_restrict(st, &now);
	if (n->part == PART_ROOT) /* below it, the way through the tree says it */
		past = access_restrict_to_past(lake, n->node, n->commit, st);
	rc = access_restrict_to_place(lake, n->node, atomic_load(&n->parent), st);
	return rc < 0 ? rc : past ? past : rc;
}

/* ---- inside ---- */

static void become_below(struct lake *lake, const struct view_node *folder, const struct node_row *row,
			 struct view_node *draft)
{
	become(lake, row, folder->node, folder->commit, draft);
	draft->part = PART_BELOW;
	draft->tree = folder->part == PART_ROOT ? folder->number : folder->tree;
	draft->entry_timeout = PAST_TIMEOUT;
}

static int look_up(struct lake *lake, const struct view_node *folder, const char *name, const struct actor *actor,
		   struct view_node *draft)
{
	struct node_row row;
	int rc = store_entry_at(lake->store, folder->node, name, folder->commit, &row);

	(void)actor;
	if (!rc && !is_shown(folder->node, name, row.kind))
		rc = -ENOENT;
	if (!rc)
		rc = check_content(lake, &row);
	if (!rc)
		become_below(lake, folder, &row, draft);
	return rc;
}

static int list_entry(void *arg, const struct past_entry *e)
{
	struct lister *l = arg;
	const struct node_row row = {.id = e->node, .kind = e->kind};
	struct view_node draft = {.fd = -1, .ops = &tree_view, .front = l->folder->front};
	int rc = is_shown(l->folder->node, e->name, e->kind) ? check_entry(l->lake, e) : -ENOENT;

	if (!rc && e->kind == KIND_FILE && l->folder->front->stubs == STUBS_SKIP)
		rc = version_is_here(l->lake, e->version);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	become_below(l->lake, l->folder, &row, &draft);
	draft.number = view_number(&draft);
	return l->emit(l->arg, e->name, e->kind, shown_number(l->lake, &draft));
}

static int list(struct lake *lake, const struct view_node *folder, const struct actor *actor, view_emit_fn emit,
		void *arg)
{
	struct lister l = {.lake = lake, .folder = folder, .emit = emit, .arg = arg};

	(void)actor;
	return store_entries_at(lake->store, folder->node, folder->commit, NULL, list_entry, &l);
}

/* What has an ACL, is elsewhere now or is just being overwritten takes more to look up. */
static bool is_simple(struct lake *lake, const struct view_node *folder, const struct past_known *e)
{
	return !e->then.acl && !e->now.acl && e->place == folder->node &&
	       (e->now.kind != KIND_FILE || version_is_readable(lake, &e->content)) &&
	       (e->now.kind != KIND_SYMLINK || e->target >= 0);
}

/* What look_up() and stat_node() come to, of an entry of which all is known: 0, or 1 when it takes more. */
static int draft_known(struct lake *lake, const struct view_node *folder, const struct past_known *e,
		       struct view_node *draft, struct stat *st)
{
	struct access was, now;

	if (!is_simple(lake, folder, e) || access_at(lake, &e->then, folder->commit, &was) ||
	    access_of_row(lake, &e->now, &now))
		return 1;
	stat_then(lake, &e->then, folder->commit, &was, st);
	if (e->now.kind == KIND_FILE)
		stat_content(&e->content, st);
	if (e->now.kind == KIND_SYMLINK)
		stat_target(e->target, &now, st);
	else
		access_restrict(st, &now);
	become_below(lake, folder, &e->now, draft);
	st->st_ino = draft->front == &lake->frontend ? 0 : e->now.id;
	return 0;
}

static int look_up_known(struct lake *lake, const struct view_node *folder, const char *name, struct view_node *draft,
			 struct stat *st)
{
	struct past_known e;
	int rc = store_entry_known_at(lake->store, folder->node, name, folder->commit, &e);

	if (!rc && !is_shown(folder->node, name, e.now.kind))
		rc = -ENOENT;
	return rc ? rc : draft_known(lake, folder, &e, draft, st);
}

struct finder {
	struct lake *lake;
	const struct view_node *folder;
	view_found_fn fn;
	void *arg;
};

static int find_entry(void *arg, const struct past_known *e)
{
	struct finder *f = arg;
	struct view_node draft = {.fd = -1, .front = f->folder->front};
	struct stat st;

	if (!is_shown(f->folder->node, e->name, e->now.kind) || draft_known(f->lake, f->folder, e, &draft, &st))
		return 0;
	return f->fn(f->arg, e->name, &draft, &st);
}

static int look_up_all(struct lake *lake, const struct view_node *folder, const char *after, view_found_fn fn,
		       void *arg)
{
	struct finder f = {.lake = lake, .folder = folder, .fn = fn, .arg = arg};

	return store_entries_known_at(lake->store, folder->node, folder->commit, after, find_entry, &f);
}

static int version(struct lake *lake, const struct view_node *n, uint64_t *id)
{
	struct version_row v;
	int rc = store_version_of_node_at(lake->store, n->node, n->commit, &v);

	*id = rc ? 0 : v.id;
	return rc;
}

/* ---- virtual attributes ---- */

#define MISSING_MAX 65536 /* XATTR_SIZE_MAX */

struct gap {
	struct lake *lake;
	uint64_t folder;
	struct buf *names;
};

static int add_missing(void *arg, const struct past_entry *e)
{
	struct gap *g = arg;
	size_t len = strlen(e->name) + 1;

	if (!is_shown(g->folder, e->name, e->kind) || check_entry(g->lake, e) != -ENOENT)
		return 0;
	if (g->names->len + len > MISSING_MAX)
		return 1;
	buf_add(g->names, e->name, len);
	return 0;
}

static int moment_fact(struct lake *lake, const struct view_node *n, const char *what, struct buf *value)
{
	struct gap g = {lake, n->node, value};
	int64_t time;
	int rc;

	if (!strcmp(what, "missing")) {
		rc = store_entries_at(lake->store, n->node, n->commit, NULL, add_missing, &g);
		return rc < 0 ? rc : 0;
	}
	if (!strcmp(what, "commit")) {
		buf_addf(value, "%" PRIu64, n->commit);
		return 0;
	}
	if (strcmp(what, "time") || store_commit_time(lake->store, n->commit, &time))
		return -ENODATA;
	buf_add_moment(value, time);
	return 0;
}

static int fact(struct lake *lake, const struct view_node *n, const char *what, struct buf *value)
{
	struct node_row then;
	struct version_row v;
	int rc;

	if (!strcmp(what, "mode")) {
		rc = store_node_at(lake->store, n->node, n->commit, &then);
		return rc ? rc : access_mode_fact(lake, &then, n->commit, value);
	}
	if (n->kind == KIND_FOLDER)
		return moment_fact(lake, n, what, value);
	rc = n->kind == KIND_FILE ? store_version_of_node_at(lake->store, n->node, n->commit, &v) : -ENODATA;
	return rc ? rc : version_fact(&v, what, value);
}

static int xattrs(struct lake *lake, const struct view_node *n, struct buf *encoded)
{
	return store_node_xattrs_at(lake->store, n->node, n->commit, encoded);
}

const struct view_ops tree_view = {
	.name = "tree",
	.look_up = look_up,
	.look_up_known = look_up_known,
	.list = list,
	.look_up_all = look_up_all,
	.lists_the_past = true,
	.stat = stat_node,
	.version = version,
	.read_link = read_link,
	.xattrs = xattrs,
	.fact = fact,
};
