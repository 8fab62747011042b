#include "ns/view/view.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/which.h"

static const struct view_ops *const views[] = {&versions_view, &moments_view, &tree_view, &catalog_view, &lineage_view};
#define VIEWS (int)(sizeof(views) / sizeof(views[0]))

static enum synth_mode synth;

void ns_set_synth(enum synth_mode mode)
{
	synth = mode;
}

const char *view_root_name(int i)
{
	for (int v = 0; synth == SYNTH_VISIBLE && v < VIEWS; v++)
		if (views[v]->root_name && !i--)
			return views[v]->root_name;
	return NULL;
}

int view_stat(struct lake *lake, const struct view_node *n, struct stat *st)
{
	int rc = 0;

	if (n->rendered)
		view_rendered_stat(n, st);
	else if (n->ops->stat)
		rc = n->ops->stat(lake, n, st);
	else
		*st = n->st;
	if (n->rendered || !n->ops->stat)
		st->st_ino = 0;
	if (!st->st_ino)
		st->st_ino = n->number;
	return rc;
}

/* ---- the way to what is listed ---- */

#define WALK_SECONDS 1.0
#define WALK_NS (2 * NSEC_PER_SEC) /* with what the answer takes */

static atomic_int walks;
static _Atomic int64_t walked_until;

void view_walk_begin(void)
{
	atomic_fetch_add(&walks, 1);
}

void view_walk_end(void)
{
	atomic_fetch_sub(&walks, 1);
}

/* Before what a name leads to is looked at, so that a change that comes meanwhile is told. */
static void note_walk(void)
{
	if (atomic_load(&walks))
		atomic_store(&walked_until, clock_monotonic() + WALK_NS);
}

static double entry_timeout_of(const struct view_node *draft)
{
	return draft->on_the_way && atomic_load(&walks) ? WALK_SECONDS : draft->entry_timeout;
}

void view_name_changed(struct lake *lake, uint64_t folder, const char *name)
{
	const struct frontend *f = &lake->frontend;
	_cleanup_buf_ struct buf beside = BUF_INIT;

	if (!f->invalidate_entry || clock_monotonic() > atomic_load(&walked_until))
		return;
	buf_addf(&beside, "%s" VERSION_MARK, name);
	if (!buf_error(&beside) && beside.len <= NAME_BYTES)
		f->invalidate_entry(f->arg, folder, buf_str(&beside));
}

/* ---- look-ups ---- */

/* For how long a name may be remembered depends on the name, and is the draft's. */
int view_answer(struct lake *lake, struct view_node *draft, struct ns_entry *e)
{
	double entry_timeout = entry_timeout_of(draft);
	_cleanup_view_node_ struct view_node *n = view_keep(draft);
	int rc;

	if (!n)
		return -ENOMEM;
	*e = (struct ns_entry){.ino = n->number, .entry_timeout = entry_timeout, .attr_timeout = n->attr_timeout};
	rc = view_stat(lake, n, &e->st);
	if (rc > 0)
		e->attr_timeout = 0;
	if (rc < 0) {
		view_forget(n->number, 1);
		e->ino = 0;
		return rc;
	}
	atomic_fetch_add_explicit(&lake->counters.synthetic, 1, memory_order_relaxed);
	return 0;
}

int view_answer_known(struct lake *lake, struct view_node *draft, const struct stat *st, uint64_t changes,
		      struct ns_entry *e)
{
	double entry_timeout = draft->entry_timeout;
	_cleanup_view_node_ struct view_node *n = view_keep(draft);

	if (!n)
		return -ENOMEM;
	*e = (struct ns_entry){
		.ino = n->number, .st = *st, .entry_timeout = entry_timeout, .attr_timeout = n->attr_timeout};
	if (!e->st.st_ino)
		e->st.st_ino = n->number;
	if (view_changes() != changes)
		e->attr_timeout = 0;
	atomic_fetch_add_explicit(&lake->counters.synthetic, 1, memory_order_relaxed);
	return 0;
}

static int draft_at(struct lake *lake, struct inode *folder, const char *name, struct view_node *draft)
{
	int rc = -ENOENT;

	for (int v = 0; synth != SYNTH_OFF && rc == -ENOENT && v < VIEWS; v++) {
		*draft = (struct view_node){.fd = -1, .ops = views[v], .front = &lake->frontend};
		if (views[v]->look_up_at)
			rc = views[v]->look_up_at(lake, folder, name, draft);
		if (rc)
			view_release_draft(draft);
	}
	return rc;
}

int view_look_up_at(struct lake *lake, struct inode *folder, const char *name, struct ns_entry *e)
{
	struct view_node draft;
	int rc;

	note_walk();
	rc = draft_at(lake, folder, name, &draft);
	return rc ? rc : view_answer(lake, &draft, e);
}

bool view_has(struct lake *lake, struct inode *folder, const char *name)
{
	struct view_node draft;

	if (draft_at(lake, folder, name, &draft))
		return false;
	view_release_draft(&draft);
	return true;
}

int view_look_up(struct lake *lake, uint64_t folder, const char *name, const struct actor *actor, struct ns_entry *e)
{
	_cleanup_view_node_ struct view_node *n = view_find(folder);
	struct view_node draft = {.fd = -1};
	uint64_t changes = view_changes();
	struct stat st;
	int rc = 1;

	if (!n)
		return -ESTALE;
	if (n->kind != KIND_FOLDER)
		return -ENOTDIR;
	draft.ops = n->ops;
	draft.front = n->front;
	if (n->ops->look_up_known)
		rc = n->ops->look_up_known(lake, n, name, &draft, &st);
	if (!rc)
		return view_answer_known(lake, &draft, &st, changes, e);
	if (rc > 0)
		rc = n->ops->look_up(lake, n, name, actor, &draft);
	if (rc)
		view_release_draft(&draft);
	return rc ? rc : view_answer(lake, &draft, e);
}

int view_get_attributes(struct lake *lake, uint64_t ino, struct stat *st, double *timeout)
{
	_cleanup_view_node_ struct view_node *n = view_find(ino);
	int rc;

	if (!n)
		return -ESTALE;
	rc = view_stat(lake, n, st);
	if (rc == -ENOENT && view_stat_opened(n, st))
		rc = 1;
	*timeout = rc ? 0 : n->attr_timeout;
	return rc < 0 ? rc : 0;
}

int view_read_link(struct lake *lake, uint64_t ino, char *target, size_t room)
{
	_cleanup_view_node_ struct view_node *n = view_find(ino);
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc;

	if (!n || n->kind != KIND_SYMLINK)
		return n ? -EINVAL : -ESTALE;
	rc = n->ops->read_link(lake, n, &b);
	if (rc < 0)
		return rc;
	if (b.len >= room)
		return -ENAMETOOLONG;
	memcpy(target, buf_str(&b), b.len + 1);
	return (int)b.len;
}

/* ---- changes ---- */

int view_make_folder(struct lake *lake, uint64_t parent, const char *name, const struct actor *actor,
		     struct ns_entry *e)
{
	_cleanup_view_node_ struct view_node *n = view_find(parent);
	int rc;

	if (!n || !n->ops->make_folder)
		return n ? -EROFS : -ESTALE;
	rc = lake->read_only ? -EROFS : n->ops->make_folder(lake, n, name, actor);
	return rc ? rc : view_look_up(lake, parent, name, actor, e);
}

int view_remove_folder(struct lake *lake, uint64_t parent, const char *name, const struct actor *actor)
{
	_cleanup_view_node_ struct view_node *n = view_find(parent);

	if (!n || !n->ops->remove_folder)
		return n ? -EROFS : -ESTALE;
	return lake->read_only ? -EROFS : n->ops->remove_folder(lake, n, name, actor);
}
