/*
 * Every live file, folder by folder.
 *
 * The walk keeps one frame per folder that it is in: the folder's id and the name that it came to. A folder is left in
 * the middle to walk one below it, and taken up again behind that name (one probe in the index): however many files
 * there are, memory is what the deepest path needs. All of it is one read transaction, so the tree is that of one
 * moment.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "meta/store_int.h"

#define WALK_DEEP 4096

struct frame {
	uint64_t folder;
	size_t path_len; /* of the folder's path */
	size_t after_len;
	char after[NAME_BYTES]; /* the name before the next; none yet: length 0 */
};

struct walk {
	struct conn *conn;
	struct buf path;
	struct frame *frames;
	size_t depth, room;
	store_visible_fn folder_visible;
	store_asset_fn fn;
	void *arg;
};

static bool visible(const struct walk *w, const struct node_row *folder)
{
	return !w->folder_visible || w->folder_visible(w->arg, folder);
}

static int enter(struct walk *w, uint64_t folder)
{
	if (w->depth == WALK_DEEP)
		return -ELOOP;
	if (array_grow(&w->frames, w->depth, &w->room, sizeof(*w->frames)))
		return -ENOMEM;
	w->frames[w->depth++] = (struct frame){.folder = folder, .path_len = w->path.len};
	return 0;
}

static int set_path(struct walk *w, const struct frame *f, const char *name, size_t len)
{
	w->path.len = f->path_len;
	if (f->path_len)
		buf_addc(&w->path, '/');
	buf_add(&w->path, name, len);
	return buf_error(&w->path);
}

static int tell_file(struct walk *w, struct query *q, const struct node_row *node)
{
	struct version_row version = {0};
	struct asset_row row = {.path = buf_str(&w->path), .node = node, .version = &version};

	row.versions = (uint64_t)query_get(q);
	if (node->version)
		version_from_query(q, &version);
	return w->fn(w->arg, &row);
}

/* One row. *BELOW: it is a folder, which was entered. */
static int entry(struct walk *w, struct query *q, bool *below)
{
	struct frame *f = &w->frames[w->depth - 1];
	struct node_row node;
	size_t len;
	const char *name = query_get_blob(q, &len);
	int err;

	if (!name || len > NAME_BYTES)
		return 0;
	memcpy(f->after, name, len);
	f->after_len = len;
	node_from_query(q, &node);
	/* A bucket whose name begins with a dot is private. */
	if ((node.kind != KIND_FILE && node.kind != KIND_FOLDER) || (f->folder == NODE_ROOT && name[0] == '.'))
		return 0;
	err = set_path(w, f, f->after, len);
	if (err)
		return err;
	if (node.kind == KIND_FILE)
		return tell_file(w, q, &node);
	*below = visible(w, &node);
	return *below ? enter(w, node.id) : 0;
}

/* The rest of the folder on top, up to the next one below it. */
static int walk_on(struct walk *w)
{
	_cleanup_query_ struct query q = {};
	struct frame *f = &w->frames[w->depth - 1];
	bool below = false;
	int got = 0, err = 0;

	query_start(&q, w->conn, SQL_ASSETS);
	query_int(&q, (int64_t)f->folder);
	query_blob(&q, f->after, f->after_len);
	while (!err && !below && (got = query_row(&q)) > 0)
		err = entry(w, &q, &below);
	if (!err && !below && got == 0)
		w->depth--;
	return err ? err : got < 0 ? got : 0;
}

static int walk(struct walk *w, const struct node_row *root)
{
	int err = visible(w, root) ? enter(w, NODE_ROOT) : 0;

	while (!err && w->depth)
		err = walk_on(w);
	return err;
}

int store_assets(struct store *s, store_visible_fn folder_visible, store_asset_fn fn, void *arg)
{
	struct walk w = {.path = BUF_INIT, .folder_visible = folder_visible, .fn = fn, .arg = arg};
	struct node_row root;
	int err;

	w.conn = store_conn(s, &err);
	if (w.conn)
		err = conn_begin(w.conn);
	if (err)
		return err;
	err = store_node(s, NODE_ROOT, &root);
	if (!err)
		err = walk(&w, &root);
	conn_end(w.conn);
	buf_release(&w.path);
	free(w.frames);
	return err;
}
