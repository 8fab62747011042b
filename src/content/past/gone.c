/*
 * What the store knows and the disk does not have any more.
 *
 * A name that is gone says little of its file: that may have other names, and it may have been renamed, too, to a
 * folder where the scan has taken it in already. So a name is ended first, and then its file is asked whether it has
 * another; one that has none is at its end.
 *
 * A folder that is gone for good takes what lay in it along. That is noted first, from the top to the bottom, and then
 * ended from the bottom to the top: wherever this is stopped, what is left hangs below a name that the next scan finds
 * to be gone.
 *
 * The tree lock is taken for a few names at a time: a look-up that takes something in, and every change to the tree,
 * waits for it.
 */
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "content/past/kept.h"
#include "content/outside.h"
#include "content/run.h"

#define AT_ONCE 128

struct gone_name {
	struct gone_name *newer, *older;
	const struct gone_name *above; /* the folder that it lay in; NULL: the one that is checked */
	uint64_t parent, node;
	enum node_kind kind;
	bool ended; /* by us */
	char name[];
};

struct gone {
	struct lake *lake;
	struct inode *folder;
	struct settings *settings;
	const _Atomic bool *stop;
	int fd;
	struct gone_name *oldest, *newest;
	const struct gone_name *above; /* of what is noted now */
};

static bool is_stopped(const struct gone *g)
{
	return atomic_load_explicit(g->stop, memory_order_relaxed);
}

/* ---- noting ---- */

static int note(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	struct gone *g = arg;
	size_t len = strlen(name) + 1;
	struct gone_name *n = is_stopped(g) ? NULL : malloc(sizeof(*n) + len);

	if (!n)
		return is_stopped(g) ? -ECANCELED : -ENOMEM;
	*n = (struct gone_name){.older = g->newest, .above = g->above, .node = node, .kind = kind};
	n->parent = g->above ? g->above->node : g->folder->id;
	memcpy(n->name, name, len);
	if (g->newest)
		g->newest->newer = n;
	else
		g->oldest = n;
	g->newest = n;
	return 0;
}

static bool is_on_disk(const struct gone *g, const char *name)
{
	struct stat st;

	if (!fstatat(g->fd, name, &st, AT_SYMLINK_NOFOLLOW) || errno != ENOENT)
		return true;
	return g->folder->id == NODE_ROOT && settings_bucket(g->settings, name)->path; /* it lies elsewhere */
}

static int note_if_gone(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	struct gone *g = arg;

	if (is_stopped(g))
		return -ECANCELED;
	return is_on_disk(g, name) ? 0 : note(g, name, node, kind);
}

/* Is its node found under no other name? */
static bool is_last_name(const struct gone *g, const struct gone_name *n)
{
	return !store_named_elsewhere(g->lake->store, n->node, n->parent, n->name);
}

static int note_all(struct gone *g)
{
	int rc = store_entries(g->lake->store, g->folder->id, note_if_gone, g);

	for (struct gone_name *n = g->oldest; n && !rc; n = n->newer) {
		if (n->kind != KIND_FOLDER || !is_last_name(g, n))
			continue;
		g->above = n;
		rc = store_entries(g->lake->store, n->node, note, g);
	}
	return rc;
}

/* ---- ending ---- */

/* Still? It, or a folder that it lay in, may have come back, or been found under another name. */
static bool is_gone(const struct gone *g, const struct gone_name *n)
{
	for (; n->above; n = n->above)
		if (!is_last_name(g, n->above))
			return false;
	return !is_on_disk(g, n->name);
}

static int end_name(struct gone *g, struct gone_name *n)
{
	struct lake *lake = g->lake;
	struct node_row row;
	struct record *r;

	/* Was it recorded meanwhile? */
	if (store_entry(lake->store, n->parent, n->name, &row) || row.id != n->node)
		return 0;
	if (!is_gone(g, n))
		return 0;
	if (!lake_volume(lake, row.volume)) /* a bucket elsewhere, whose disk is not there now */
		return 0;
	r = record_new(OP_OUTSIDE, RUN_OUTSIDE, 0, n->node, n->parent, n->name);
	if (!r)
		return -ENOMEM;
	record_entry_end(r, n->parent, n->name, ENDED_UNLINK);
	n->ended = true;
	return store_submit(lake->store, r, NULL);
}

static bool has_name(struct lake *lake, uint64_t node)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	return store_path(lake->store, node, &path) != -ENOENT;
}

static int end_file(struct gone *g, struct gone_name *n)
{
	struct lake *lake = g->lake;
	struct node_row row;
	struct record *r;

	if (!n->ended || has_name(lake, n->node) || store_node(lake->store, n->node, &row))
		return 0;
	r = record_new(OP_OUTSIDE, RUN_OUTSIDE, 0, n->node, n->parent, n->name);
	if (!r)
		return -ENOMEM;
	record_node_end(r, n->node);
	if (row.kind == KIND_FILE)
		kept_lose_raw(lake, row.id, "removed outside tarn", r);
	return store_submit(lake->store, r, NULL);
}

/* A few names, from *FROM on, with the files that have none then. */
static int end_some(struct gone *g, struct gone_name **from)
{
	struct gone_name *first = *from, *end = first, *n;
	int rc = store_barrier(g->lake->store, 0);

	for (int i = 0; end && !rc && i < AT_ONCE; i++, end = end->older)
		rc = end_name(g, end);
	if (!rc)
		rc = store_barrier(g->lake->store, 0);
	for (n = first; n != end && !rc; n = n->older)
		rc = end_file(g, n);
	*from = end;
	return rc;
}

static int end_all(struct gone *g)
{
	struct gone_name *from = g->newest;
	int rc = 0;

	while (from && !rc) {
		if (is_stopped(g))
			return -ECANCELED;
		pthread_rwlock_wrlock(&g->lake->tree_lock);
		rc = end_some(g, &from);
		pthread_rwlock_unlock(&g->lake->tree_lock);
	}
	return rc;
}

int outside_check_folder(struct lake *lake, struct inode *folder, const _Atomic bool *stop)
{
	_cleanup_folder_ struct folder_fd *fd = NULL;
	struct gone g = {.lake = lake, .folder = folder, .stop = stop};
	struct gone_name *n;
	int rc = folder_get(lake, folder, &fd);

	if (rc < 0)
		return rc;
	g.fd = folder_fd(fd);
	g.settings = lake_settings(lake);
	rc = note_all(&g);
	if (!rc)
		rc = end_all(&g);
	settings_unref(g.settings);
	while ((n = g.oldest)) {
		g.oldest = n->newer;
		free(n);
	}
	return rc;
}
