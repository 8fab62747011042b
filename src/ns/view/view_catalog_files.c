/*
 * Trees that show a set of files at their real paths: .catalog/tag/pii/files/raw-data/a.csv.
 *
 * What is below a folder of such a tree is not stored anywhere. While a set is small all of it is gone through, and
 * only folders with something in them are shown. One that is large is listed as the real folder is, less other files.
 */
#include <limits.h>
#include <string.h>
#include <uthash.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ns/view/view_catalog.h"

#define SMALL 5000
#define DAY_NS (86400 * NSEC_PER_SEC)

/* ---- what is in a set ---- */

static int has_tags(struct lake *lake, const struct catalog_set *set, uint64_t node)
{
	int rc = 1;

	for (int i = 0; rc > 0 && i < set->ntags; i++)
		rc = store_has_tag(lake->store, node, set->tags[i]);
	return rc;
}

static int has_table(struct lake *lake, const struct node_row *row)
{
	uint64_t version;
	bool table = false;
	int rc = store_document(lake->store, row->id, &version, &table);

	return rc == -ENOENT ? 0 : rc ? rc : table;
}

/* 1, 0 or -errno. */
static int set_has(struct catalog *c, const struct catalog_set *set, const struct node_row *row)
{
	switch (set->kind) {
	case SET_TAGGED:
		return has_tags(c->lake, set, row->id);
	case SET_MIME:
		return row->kind == KIND_FILE ? store_has_mime(c->lake->store, row->id, set->mime) : 0;
	case SET_DAY:
		return row->kind == KIND_FILE && row->mtime / DAY_NS == set->day;
	case SET_TABLES:
		return row->kind == KIND_FILE ? has_table(c->lake, row) : 0;
	case SET_FOUND:
		return row->kind == KIND_FILE ? find_has(set->find, &c->reader, row) : 0;
	}
	return 0;
}

/* ---- one name ---- */

int catalog_files_find(struct catalog *c, const struct catalog_set *set, const char *real, struct node_row *row)
{
	int rc = reader_find(&c->reader, real, row);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	rc = set_has(c, set, row);
	if (rc)
		return rc;
	return row->kind == KIND_FOLDER ? 0 : -ENOENT;
}

int catalog_files_look_up(struct catalog *c, const struct catalog_set *set, const char *path, size_t real,
			  struct view_node *draft)
{
	struct node_row row;
	int rc = catalog_files_find(c, set, path + real, &row);

	if (rc < 0)
		return rc;
	return rc ? catalog_link(c, path, real, draft) : catalog_folder(c, path, draft);
}

/* ---- listings ---- */

struct listed_name {
	UT_hash_handle hh;
	char name[NAME_BYTES + 1];
};

struct files_listing {
	struct catalog *c;
	const struct catalog_set *set;
	const char *real;
	size_t real_len;
	enum node_kind kind;
	view_emit_fn emit;
	void *arg;
	struct listed_name *names;
	int nodes;
};

/* Once each. */
static int emit_once(struct files_listing *l, const char *name, size_t len, enum node_kind kind)
{
	struct listed_name *n;

	HASH_FIND(hh, l->names, name, len, n);
	if (n || len > NAME_BYTES)
		return 0;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	memcpy(n->name, name, len);
	HASH_ADD(hh, l->names, name, len, n);
	return l->emit(l->arg, n->name, kind, 0);
}

static void forget_names(struct files_listing *l)
{
	struct listed_name *n, *next;

	HASH_ITER (hh, l->names, n, next) {
		HASH_DEL(l->names, n);
		free(n);
	}
}

static int list_path(struct files_listing *l, const char *path)
{
	const char *name = path, *slash;

	if (l->real_len) {
		if (strncmp(path, l->real, l->real_len) || path[l->real_len] != '/')
			return 0;
		name += l->real_len + 1;
	}
	slash = strchr(name, '/');
	return slash ? emit_once(l, name, (size_t)(slash - name), KIND_FOLDER)
		     : emit_once(l, name, strlen(name), l->kind);
}

#define TOO_MANY INT_MAX /* no answer of an emitter */

static int list_node(void *arg, uint64_t node)
{
	struct files_listing *l = arg;
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct node_row row;
	int rc;

	if (l->nodes++ == SMALL)
		return TOO_MANY;
	rc = reader_sees(&l->c->reader, node, &row, &path);
	return rc > 0 ? list_path(l, buf_str(&path)) : rc;
}

static int count_node(void *arg, uint64_t node)
{
	(void)node;
	return ++*(int *)arg > SMALL ? TOO_MANY : 0;
}

static int list_hit(void *arg, const struct find_hit *hit)
{
	return list_path(arg, hit->path);
}

static int each(struct catalog *c, const struct catalog_set *set, store_tagged_fn fn, void *arg)
{
	switch (set->kind) {
	case SET_TAGGED:
		return store_tagged(c->lake->store, set->tags, set->ntags, 0, fn, arg);
	case SET_MIME:
		return store_of_mime(c->lake->store, set->mime, fn, arg);
	case SET_DAY:
		return store_of_day(c->lake->store, set->day, fn, arg);
	case SET_TABLES:
		return store_table_nodes(c->lake->store, fn, arg);
	case SET_FOUND:
		break;
	}
	return 0;
}

/* A file of a large set, or any folder. */
static int list_entry(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	struct files_listing *l = arg;
	struct node_row row;
	int rc;

	if (kind != KIND_FILE && kind != KIND_FOLDER)
		return 0;
	rc = store_node(l->c->lake->store, node, &row);
	if (rc || !reader_may(&l->c->reader, &row, kind == KIND_FOLDER ? 5 : 4))
		return rc == -ENOENT ? 0 : rc;
	rc = kind == KIND_FOLDER ? 1 : set_has(l->c, l->set, &row);
	return rc > 0 ? l->emit(l->arg, name, kind == KIND_FOLDER ? kind : l->kind, 0) : rc;
}

static int list_large(struct files_listing *l)
{
	struct node_row folder;
	int rc = reader_find(&l->c->reader, l->real, &folder);

	if (rc <= 0 || folder.kind != KIND_FOLDER)
		return rc < 0 ? rc : 0;
	return store_entries(l->c->lake->store, folder.id, list_entry, l);
}

/* Nothing is emitted before it is known which way it goes. */
static int list_set(struct files_listing *l)
{
	int n = 0, rc = each(l->c, l->set, count_node, &n);

	if (rc == TOO_MANY)
		return list_large(l);
	if (!rc)
		rc = each(l->c, l->set, list_node, l);
	return rc == TOO_MANY ? 0 : rc;
}

int catalog_files_list(struct catalog *c, const struct catalog_set *set, const char *real, enum node_kind kind,
		       view_emit_fn emit, void *arg)
{
	struct files_listing l = {
		.c = c, .set = set, .real = real, .real_len = strlen(real), .kind = kind, .emit = emit, .arg = arg};
	bool cut;
	int rc = set->kind == SET_FOUND ? find_run(set->find, &c->reader, list_hit, &l, &cut) : list_set(&l);

	forget_names(&l);
	return rc;
}
