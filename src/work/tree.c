/*
 * The walk: depth first, each folder's names in the order of their bytes, so that "the files after this path" means
 * something. A folder's names are read at once and sorted; going on after a path descends along it, whatever of it is
 * still there.
 */
#include "work/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "work/tree_int.h"

#define DEEP 4096

struct child {
	uint64_t node;
	enum node_kind kind;
	char name[NAME_BYTES + 1];
};

struct children {
	struct child *list;
	size_t n, room;
};

static int add_child(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	struct children *c = arg;

	if (c->n == c->room) {
		size_t room = c->room ? c->room * 2 : 32;
		struct child *list = realloc(c->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		c->list = list;
		c->room = room;
	}
	c->list[c->n] = (struct child){.node = node, .kind = kind};
	snprintf(c->list[c->n++].name, NAME_BYTES + 1, "%s", name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct child *)a)->name, ((const struct child *)b)->name);
}

/* The first component of PATH, and what is after it; "" when it was the last. */
static const char *component(const char *path, char name[NAME_BYTES + 1])
{
	size_t len = strcspn(path, "/");

	snprintf(name, NAME_BYTES + 1, "%.*s", (int)(len < NAME_BYTES ? len : NAME_BYTES), path);
	path += len;
	return *path ? path + 1 : path;
}

static int visit(struct tree *t, uint64_t node, enum node_kind kind, const char *after, int depth);

/* AFTER: the path of the last one that is done, from this folder on; NULL or "": none of it is. */
static int visit_children(struct tree *t, uint64_t folder, const char *after, int depth)
{
	struct children c = {0};
	size_t len = t->path.len, i = 0;
	char last[NAME_BYTES + 1] = "";
	const char *rest = after && *after ? component(after, last) : "";
	int rc = depth > DEEP ? -ELOOP : store_entries(t->lake->store, folder, add_child, &c);

	if (!rc && c.n)
		qsort(c.list, c.n, sizeof(*c.list), by_name);
	while (last[0] && i < c.n && strcmp(c.list[i].name, last) < 0)
		i++;
	for (; !rc && i < c.n; i++) {
		bool here = last[0] && !strcmp(c.list[i].name, last);

		if (here && !*rest)
			continue; /* it was the last one */
		buf_addf(&t->path, "%s%s", len ? "/" : "", c.list[i].name);
		rc = buf_error(&t->path);
		if (!rc)
			rc = visit(t, c.list[i].node, c.list[i].kind, here ? rest : NULL, depth);
		if (!rc) {
			t->path.len = len;
			t->path.data[len] = '\0';
		}
	}
	free(c.list);
	return rc;
}

static int visit(struct tree *t, uint64_t node, enum node_kind kind, const char *after, int depth)
{
	if (kind == KIND_FOLDER)
		return visit_children(t, node, after, depth + 1);
	return kind == KIND_FILE && !after ? tree_add(t, node, buf_str(&t->path)) : 0;
}

/* The node at PATH, name by name. */
static int find(struct lake *lake, const char *path, struct node_row *row)
{
	char name[NAME_BYTES + 1];
	int rc = store_node(lake->store, NODE_ROOT, row);

	while (!rc && *path) {
		path = component(path, name);
		rc = store_entry(lake->store, row->id, name, row);
	}
	return rc;
}

int tree_work(struct lake *lake, const struct tree_request *q, struct tree_reply *out)
{
	struct tree t = {.lake = lake, .request = q, .out = out, .until = clock_monotonic() + q->budget};
	size_t len = strlen(q->path);
	struct node_row row;
	int rc = store_barrier(lake->store, 0);

	*out = (struct tree_reply){0};
	if (!rc)
		rc = find(lake, q->path, &row);
	if (rc)
		return rc;
	buf_adds(&t.path, q->path);
	if (row.kind == KIND_FOLDER && q->after && !strncmp(q->after, q->path, len) && (!len || q->after[len] == '/'))
		rc = visit_children(&t, row.id, q->after + len + (len ? 1 : 0), 0);
	else if (!q->after)
		rc = visit(&t, row.id, row.kind, NULL, 0);
	if (rc >= 0)
		rc = tree_flush(&t) < 0 ? -EIO : rc;
	out->ended = !rc;
	buf_release(&t.path);
	return rc > 0 ? 0 : rc;
}

void tree_reply_release(struct tree_reply *r)
{
	for (int i = 0; i < r->told; i++)
		free(r->list[i].path);
	buf_release(&r->after);
}
