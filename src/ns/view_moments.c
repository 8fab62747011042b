/*
 * The moments of a folder D as a folder beside it:
 *
 *	D@v/TIME  D@v/commit-N	the tree as it was then, by name: view_tree.c
 *	@v/			in the root of the mount: the same of the whole lake
 *
 * Folders that were removed have their past here, too.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ns/view_access.h"
#include "ns/view_past.h"

/* node is D, live the same while it has a name; parent is where it is found and text its name there ("" in the root) */

static int become(const struct lay *lay, uint64_t parent, const char *name, struct view_node *draft)
{
	draft->kind = KIND_FOLDER;
	draft->node = lay->row.id;
	draft->live = lay->live ? lay->row.id : 0;
	draft->parent = parent;
	draft->version = parent;
	draft->text = strdup(name);
	return draft->text ? 0 : -ENOMEM;
}

static int look_up_at(struct lake *lake, struct inode *folder, const char *name, struct view_node *draft)
{
	struct lay lay = {.row = {.id = NODE_ROOT, .kind = KIND_FOLDER}, .live = true};
	char base[NAME_BYTES + 1];
	struct which w;
	size_t len;
	int rc;

	if (folder->id == NODE_ROOT && !strcmp(name, VERSION_MARK))
		return become(&lay, 0, "", draft);
	if (!which_beside(name, &len, &w) || w.kind != WHICH_ALL || len > NAME_BYTES)
		return -ENOENT;
	snprintf(base, sizeof(base), "%.*s", (int)len, name);
	if (folder->id == NODE_ROOT && (base[0] == '.' || bucket_name_reserved(base)))
		return -ENOENT;
	rc = past_lay(lake, folder->id, base, &lay);
	if (!rc && lay.row.kind != KIND_FOLDER)
		rc = -ENOENT;
	return rc ? rc : become(&lay, folder->id, base, draft);
}

static int stat_moments(struct lake *lake, const struct view_node *n, struct stat *st)
{
	struct access now;
	int rc = access_now(lake, n->node, &now);

	if (rc)
		return rc;
	*st = (struct stat){
		.st_mode = S_IFDIR | now.mode, .st_uid = now.uid, .st_gid = now.gid, .st_nlink = 2, .st_blksize = 4096};
	if (!atomic_load(&n->live)) /* nobody can write in a folder that is gone */
		st->st_mode &= ~(mode_t)0222;
	past_set_times(st, lake->since, lake->since);
	return 0;
}

static int look_up(struct lake *lake, const struct view_node *folder, const char *name, const struct actor *actor,
		   struct view_node *draft)
{
	struct which w;
	uint64_t commit;
	int rc;

	(void)actor;
	which_moment(name, &w);
	rc = past_commit(lake, folder->node, &w, name, &commit);
	return rc ? rc : tree_draft(lake, folder->version, folder->text, folder->node, commit, name, draft);
}

static int list(struct lake *lake, const struct view_node *folder, view_emit_fn emit, void *arg)
{
	(void)lake;
	(void)folder;
	(void)emit;
	(void)arg;
	return 0;
}

const struct view_ops moments_view = {
	.name = "moments",
	.look_up_at = look_up_at,
	.look_up = look_up,
	.list = list,
	.stat = stat_moments,
};
