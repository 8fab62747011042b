#include "ns/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define CLIMB_DEEP 4096
#define FOLDER_BITS 5u

int reader_init(struct reader *r, struct lake *lake, const struct actor *actor)
{
	*r = (struct reader){.lake = lake, .uid = actor->caller.uid, .gid = actor->caller.gid};
	return r->uid ? caller_groups(&actor->caller, &r->groups, &r->ngroups) : 0;
}

void reader_release(struct reader *r)
{
	struct reader_folder *f, *next;

	HASH_ITER (hh, r->folders, f, next) {
		HASH_DEL(r->folders, f);
		free(f->path);
		free(f);
	}
	free(r->groups);
	r->groups = NULL;
}

static bool in_group(const struct reader *r, gid_t gid)
{
	if (gid == r->gid)
		return true;
	for (int i = 0; i < r->ngroups; i++)
		if (r->groups[i] == gid)
			return true;
	return false;
}

bool reader_may(const struct reader *r, const struct node_row *n, unsigned bits)
{
	if (!r->uid)
		return true;
	if (n->uid == r->uid)
		return (n->mode >> 6 & bits) == bits;
	if (n->acl)
		return false;
	return ((in_group(r, n->gid) ? n->mode >> 3 : n->mode) & bits) == bits;
}

/* ---- from a node up ---- */

static struct reader_folder *note(struct reader *r, uint64_t id, bool visible, const char *path)
{
	struct reader_folder *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	*f = (struct reader_folder){.id = id, .visible = visible, .path = strdup(path)};
	if (!f->path) {
		free(f);
		return NULL;
	}
	HASH_ADD(hh, r->folders, id, sizeof(f->id), f);
	return f;
}

/* The path of NAME in FOLDER. A bucket whose name begins with a dot is private: false. */
static bool add_path(struct buf *path, const struct reader_folder *folder, const char *name)
{
	if (folder->id == NODE_ROOT && name[0] == '.')
		return false;
	buf_adds(path, folder->path);
	if (folder->path[0])
		buf_addc(path, '/');
	buf_adds(path, name);
	return true;
}

static int find_folder(struct reader *r, uint64_t id, int deep, const struct reader_folder **out);

/* One that is not remembered. */
static int learn_folder(struct reader *r, uint64_t id, int deep, const struct reader_folder **out)
{
	_cleanup_buf_ struct buf name = BUF_INIT, path = BUF_INIT;
	const struct reader_folder *above = NULL;
	struct node_row row;
	uint64_t parent = 0;
	int rc = deep < CLIMB_DEEP ? store_node(r->lake->store, id, &row) : -ELOOP;

	if (!rc && id != NODE_ROOT)
		rc = store_name(r->lake->store, id, &parent, &name);
	if (!rc && parent)
		rc = find_folder(r, parent, deep + 1, &above);
	if (rc && rc != -ENOENT)
		return rc;
	if (!rc)
		rc = reader_may(r, &row, FOLDER_BITS) &&
		     (!above || (above->visible && add_path(&path, above, buf_str(&name))));
	*out = buf_error(&path) ? NULL : note(r, id, rc > 0, buf_str(&path));
	return *out ? 0 : -ENOMEM;
}

static int find_folder(struct reader *r, uint64_t id, int deep, const struct reader_folder **out)
{
	struct reader_folder *f;

	HASH_FIND(hh, r->folders, &id, sizeof(id), f);
	*out = f;
	return f ? 0 : learn_folder(r, id, deep, out);
}

int reader_sees(struct reader *r, uint64_t node, struct node_row *row, struct buf *path)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	const struct reader_folder *folder = NULL;
	uint64_t parent;
	int rc = store_node_place(r->lake->store, node, row, &parent, &name);

	if (!rc)
		rc = find_folder(r, parent, 0, &folder);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	if (!folder->visible || !reader_may(r, row, row->kind == KIND_FOLDER ? FOLDER_BITS : 4))
		return 0;
	if (!add_path(path, folder, buf_str(&name)))
		return 0;
	return buf_error(path) ? -ENOMEM : 1;
}

int reader_sees_name(struct reader *r, uint64_t parent, const char *name, struct buf *path)
{
	const struct reader_folder *folder = NULL;
	int rc = find_folder(r, parent, 0, &folder);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	if (!folder->visible || !add_path(path, folder, name))
		return 0;
	return buf_error(path) ? -ENOMEM : 1;
}

/* ---- from the root down ---- */

int reader_find(struct reader *r, const char *path, struct node_row *row)
{
	_cleanup_free_ char *copy = strdup(path);
	char *save, *name;
	int rc = copy ? store_node(r->lake->store, NODE_ROOT, row) : -ENOMEM;

	for (name = rc ? NULL : strtok_r(copy, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
		if (row->kind != KIND_FOLDER || !reader_may(r, row, FOLDER_BITS) ||
		    (row->id == NODE_ROOT && name[0] == '.'))
			return 0;
		rc = store_entry(r->lake->store, row->id, name, row);
		if (rc)
			return rc == -ENOENT ? 0 : rc;
	}
	return rc ? rc : reader_may(r, row, row->kind == KIND_FOLDER ? FOLDER_BITS : 4);
}
