/*
 * The moments of a folder D as a folder beside it:
 *
 *	D@v/			lists its labels, and the last days on which something below D changed
 *	D@v/TIME  D@v/commit-N  D@v/LABEL	the tree as it was then, by name: view_tree.c
 *	@v/			in the root of the mount: the same of the whole lake
 *
 * A day is its beginning, 00:00Z. mkdir D@v/LABEL names this moment, rmdir takes the name away again: whoever may write
 * in D may do that. Folders that were removed have their past here, too, and those whose place D took theirs. What is
 * none of these may be a version of a file that had the name before D: that is found by name, and not listed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "content/appends.h"
#include "base/clock.h"
#include "base/log.h"
#include "ns/view/view_access.h"
#include "ns/view/view_past.h"

#define DAYS_LISTED 30
#define DAY_NS (86400 * NSEC_PER_SEC)

/* node is D, live the same while it has a name; parent is where it is found and text its name there ("" in the root) */

static int become(struct lake *lake, const struct lay *lay, uint64_t parent, const char *name, struct view_node *draft)
{
	draft->ops = &moments_view;
	draft->kind = KIND_FOLDER;
	draft->node = lay->row.id;
	draft->live = lay->live ? lay->row.id : 0;
	draft->parent = parent;
	draft->version = parent;
	draft->attr_timeout = past_attr_timeout(lake);
	draft->on_the_way = true;
	draft->text = strdup(name);
	return draft->text ? 0 : -ENOMEM;
}

int moments_draft(struct lake *lake, uint64_t parent, const char *name, const struct lay *lay, struct view_node *draft)
{
	if (parent == NODE_ROOT && (name[0] == '.' || bucket_name_reserved(name)))
		return -ENOENT;
	return become(lake, lay, parent, name, draft);
}

/* Beside a folder, look_up_at() of view_file_versions.c has found out that it is one. */
static int look_up_at(struct lake *lake, struct inode *folder, const char *name, struct view_node *draft)
{
	const struct lay root = {.row = {.id = NODE_ROOT, .kind = KIND_FOLDER}, .live = true};

	if (folder->id != NODE_ROOT || strcmp(name, VERSION_MARK))
		return -ENOENT;
	return become(lake, &root, 0, "", draft);
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
	if (!rc)
		rc = tree_draft(lake, folder->version, folder->text, folder->node, commit, name, draft);
	if (rc == -ENOENT && folder->version && folder->version != NODE_ROOT)
		return versions_draft(lake, folder->version, folder->text, name, draft);
	if (w.kind == WHICH_LABEL)
		draft->on_the_way = true;
	else if (!rc) /* a moment that lies in the past is always the same */
		draft->entry_timeout = PAST_TIMEOUT;
	return rc;
}

/* Of a folder that is gone: when it was removed, and the last commit as of which it was whole. */
static int fact(struct lake *lake, const struct view_node *n, const char *what, struct buf *value)
{
	bool commit = !strcmp(what, "commit");
	uint64_t before;
	int64_t time;
	int rc = atomic_load(&n->live) || (!commit && strcmp(what, "removed")) ? -ENODATA : 0;

	if (!rc)
		rc = store_barrier(lake->store, 0);
	if (!rc)
		rc = store_removal(lake->store, n->node, &time, &before);
	if (rc)
		return rc == -ENOENT ? -ENODATA : rc;
	if (commit)
		buf_addf(value, "%" PRIu64, before);
	else
		buf_add_time_ms(value, time);
	return 0;
}

/* ---- the listing ---- */

/* What is listed can be entered: a day on which D was made begins before it. */
static int list_moment(struct lister *l, const char *name)
{
	struct view_node draft = {.fd = -1, .front = l->folder->front};
	int rc = look_up(l->lake, l->folder, name, NULL, &draft);

	if (!rc && draft.kind == KIND_FOLDER) /* before it, a file may have had its name */
		rc = l->emit(l->arg, name, KIND_FOLDER, view_number(&draft));
	view_release_draft(&draft);
	return rc == -ENOENT ? 0 : rc;
}

static int list_label(void *arg, const struct label_row *label)
{
	return list_moment(arg, label->name);
}

static int list_day(void *arg, int64_t day)
{
	_cleanup_buf_ struct buf time = BUF_INIT;

	buf_add_time(&time, day * DAY_NS);
	if (buf_error(&time))
		return -ENOMEM;
	time.data[strcspn(time.data, "T")] = '\0';
	return list_moment(arg, time.data);
}

static int list(struct lake *lake, const struct view_node *folder, const struct actor *actor, view_emit_fn emit,
		void *arg)
{
	struct lister l = {.lake = lake, .folder = folder, .emit = emit, .arg = arg};
	int rc = store_barrier(lake->store, 0);

	(void)actor;
	if (!rc)
		rc = store_labels(lake->store, folder->node, list_label, &l);
	return rc ? rc : store_change_days(lake->store, folder->node, DAYS_LISTED, list_day, &l);
}

/* ---- labels ---- */

/* Only what has a name can be given one. */
static int check_label(struct lake *lake, const struct view_node *folder, const char *name, bool *there,
		       struct label_row *label)
{
	int rc = store_barrier(lake->store, 0);

	if (!atomic_load(&folder->live))
		return -EROFS;
	if (!rc)
		rc = store_label(lake->store, folder->node, name, label);
	*there = !rc;
	return rc == -ENOENT ? 0 : rc;
}

static int submit(struct lake *lake, struct record *r)
{
	int rc = store_submit(lake->store, r, NULL);

	return rc ? rc : store_barrier(lake->store, 0);
}

static int make_label(struct lake *lake, const struct view_node *folder, const char *name, const struct actor *actor)
{
	struct label_row label;
	struct record *r;
	bool there = false;
	int rc = check_label(lake, folder, name, &there, &label);

	if (!rc && there)
		rc = -EEXIST;
	if (!rc && !which_label_allowed(name)) {
		log_info("'%s' cannot be a label: it looks like a time, a number or a name of tarn's own", name);
		rc = -EINVAL;
	}
	if (rc)
		return rc;
	inodes_wait_quiet(lake, NULL);
	r = record_new(OP_SYSTEM, actor->run, actor->caller.uid, folder->node, folder->node, name);
	record_label_set(r, folder->node, name, 0, actor->caller.uid);
	appends_pin_begin(lake);
	rc = submit(lake, r);
	appends_pin_end(lake);
	return rc;
}

static int remove_label(struct lake *lake, const struct view_node *folder, const char *name, const struct actor *actor)
{
	struct label_row label;
	struct record *r;
	bool there = false;
	int rc = check_label(lake, folder, name, &there, &label);

	if (rc || !there)
		return rc ? rc : -EROFS;
	r = record_new(OP_SYSTEM, actor->run, actor->caller.uid, folder->node, folder->node, name);
	record_label_remove(r, label.folder, name);
	return submit(lake, r);
}

const struct view_ops moments_view = {
	.name = "moments",
	.look_up_at = look_up_at,
	.look_up = look_up,
	.list = list,
	.stat = stat_moments,
	.fact = fact,
	.make_folder = make_label,
	.remove_folder = remove_label,
};
