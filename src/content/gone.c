/*
 * What the store knows and the disk does not have any more.
 *
 * A name that is gone says little of its file: that may have other names, and it may have been renamed, too, to a
 * folder where the scan has taken it in already. So names are ended first, those below a folder that is gone for good
 * included, until no name is left that cannot be reached on disk. Only then each file that lost a name is asked whether
 * it has another; one that has none is at its end.
 *
 * The tree lock is taken for a few names at a time: a look-up that takes something in, and every change to the tree,
 * waits for it.
 */
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "content/outside.h"
#include "content/run.h"

#define AT_ONCE 128

struct gone_name {
	struct gone_name *next;
	uint64_t parent, node;
	enum node_kind kind;
	bool ended; /* by us */
	char name[];
};

struct gone {
	struct lake *lake;
	struct inode *folder;
	struct settings *settings;
	int fd;
	struct gone_name *first, **end;
	uint64_t parent; /* of what is noted now */
};

static int note(struct gone *g, const char *name, uint64_t node, enum node_kind kind)
{
	size_t len = strlen(name) + 1;
	struct gone_name *n = malloc(sizeof(*n) + len);

	if (!n)
		return -ENOMEM;
	*n = (struct gone_name){.parent = g->parent, .node = node, .kind = kind};
	memcpy(n->name, name, len);
	*g->end = n;
	g->end = &n->next;
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

	return is_on_disk(g, name) ? 0 : note(g, name, node, kind);
}

static int note_always(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	return note(arg, name, node, kind);
}

/* ---- names ---- */

static int end_name(struct gone *g, struct gone_name *n)
{
	struct lake *lake = g->lake;
	struct node_row row;
	struct record *r;

	/* Did it come back, or was it recorded meanwhile? */
	if (store_entry(lake->store, n->parent, n->name, &row) || row.id != n->node)
		return 0;
	if (n->parent == g->folder->id && is_on_disk(g, n->name))
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

/* What lay in a folder that has no name any more. */
static int note_below(struct gone *g, const struct gone_name *n)
{
	if (!n->ended || n->kind != KIND_FOLDER || has_name(g->lake, n->node))
		return 0;
	g->parent = n->node;
	return store_entries(g->lake->store, n->node, note_always, g);
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
	if (row.version && row.kind == KIND_FILE)
		record_version_state(r, row.version, VERSION_NOT_KEPT, HOW_NONE, "removed outside tarn");
	return store_submit(lake->store, r, NULL);
}

/* ---- all of them ---- */

/* Does STEP for each name from FROM to the end, under the tree lock, a few at a time. */
static int each_alone(struct gone *g, struct gone_name *from, int (*step)(struct gone *g, struct gone_name *n))
{
	int rc = 0;

	while (from && !rc) {
		pthread_rwlock_wrlock(&g->lake->tree_lock);
		rc = store_barrier(g->lake->store, 0);
		for (int i = 0; from && !rc && i < AT_ONCE; i++, from = from->next)
			rc = step(g, from);
		pthread_rwlock_unlock(&g->lake->tree_lock);
	}
	return rc;
}

static int end_all(struct gone *g)
{
	struct gone_name *from = g->first, *n;
	int rc = 0;

	while (from && !rc) { /* one level of folders after the other */
		struct gone_name **grown = g->end;

		rc = each_alone(g, from, end_name);
		if (!rc)
			rc = store_barrier(g->lake->store, 0);
		for (n = from; n && !rc; n = &n->next == grown ? NULL : n->next)
			rc = note_below(g, n);
		from = *grown;
	}
	return rc ? rc : each_alone(g, g->first, end_file);
}

int outside_check_folder(struct lake *lake, struct inode *folder)
{
	_cleanup_folder_ struct folder_fd *fd = NULL;
	struct gone g = {.lake = lake, .folder = folder, .parent = folder->id, .end = &g.first};
	struct gone_name *n;
	int rc = folder_get(lake, folder, &fd);

	if (rc < 0)
		return rc;
	g.fd = folder_fd(fd);
	g.settings = lake_settings(lake);
	rc = store_entries(lake->store, folder->id, note_if_gone, &g);
	if (!rc && g.first)
		rc = end_all(&g);
	settings_unref(g.settings);
	while ((n = g.first)) {
		g.first = n->next;
		free(n);
	}
	return rc;
}
