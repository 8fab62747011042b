/*
 * What the files of .catalog share. Inside of ns/view_catalog*.c.
 *
 * A node of .catalog is its path there (`text`): "tag/pii/files/raw-data/a.csv". A folder and a symlink are the same
 * for all who may find them; each look-up asks anew who may. A rendered file is of the caller who looked it up, `node`
 * the uid and `commit` the gid, so that no user ever sees pages that were made for another. The kernel caches no entry.
 */
#ifndef TARN_NS_VIEW_VIEW_CATALOG_H
#define TARN_NS_VIEW_VIEW_CATALOG_H

#include "ns/find.h"
#include "ns/parts.h"
#include "ns/reader.h"
#include "ns/view/view.h"

/* One request. */
struct catalog {
	struct lake *lake;
	const struct actor *actor;
	struct reader reader;
};

/* What DRAFT becomes. PATH: in .catalog. 0 or -errno. */
int catalog_folder(struct catalog *c, const char *path, struct view_node *draft);
int catalog_file(struct catalog *c, const char *path, const struct buf *text, struct view_node *draft);
/* To what lies at the real path that begins at PATH + REAL. */
int catalog_link(struct catalog *c, const char *path, size_t real, struct view_node *draft);

/* To what lies at the real path REAL, which PATH does not end with. */
int catalog_link_to(struct catalog *c, const char *path, const char *real, struct view_node *draft);

/* The first component of *PATH, whose rest *PATH becomes: NULL for "". */
char *catalog_next(char **path);

/* What stands for what a name cannot have: %2F is a slash, %25 the percent sign. In place. */
void name_decode(char *s);

/* ---- view_catalog_lists.c: files in .catalog itself ---- */

/* Renders the file NAME. -ENOENT: there is none. */
int catalog_render(struct catalog *c, const char *name, struct buf *out);
/* Their names, NULL after the last. */
const char *catalog_file_name(int i);

/* ---- view_catalog_declared.c ---- */

int catalog_quality(struct catalog *c, bool json, struct buf *out);

/* ---- view_page.c ---- */

/* index.html. */
int catalog_page(struct catalog *c, struct buf *out);

/* ---- branches: what lies at REST below them, "" for themselves ---- */

/* PATH: all of it, for the draft. -ENOENT. */
typedef int (*catalog_look_up_fn)(struct catalog *c, const char *path, char *rest, struct view_node *draft);
typedef int (*catalog_list_fn)(struct catalog *c, char *rest, view_emit_fn emit, void *arg);

int catalog_tag_look_up(struct catalog *c, const char *path, char *rest, struct view_node *draft);
int catalog_tag_list(struct catalog *c, char *rest, view_emit_fn emit, void *arg);
int catalog_name_look_up(struct catalog *c, const char *path, char *rest, struct view_node *draft);
int catalog_name_list(struct catalog *c, char *rest, view_emit_fn emit, void *arg);
int catalog_type_look_up(struct catalog *c, const char *path, char *rest, struct view_node *draft);
int catalog_type_list(struct catalog *c, char *rest, view_emit_fn emit, void *arg);
int catalog_date_look_up(struct catalog *c, const char *path, char *rest, struct view_node *draft);
int catalog_date_list(struct catalog *c, char *rest, view_emit_fn emit, void *arg);
int catalog_table_look_up(struct catalog *c, const char *path, char *rest, struct view_node *draft);
int catalog_table_list(struct catalog *c, char *rest, view_emit_fn emit, void *arg);
int catalog_search_look_up(struct catalog *c, const char *path, char *rest, struct view_node *draft);
int catalog_search_list(struct catalog *c, char *rest, view_emit_fn emit, void *arg);

int catalog_export_look_up(struct catalog *c, const char *path, char *rest, struct view_node *draft);
int catalog_export_list(struct catalog *c, char *rest, view_emit_fn emit, void *arg);

/* ---- view_catalog_parts.c: tables of parts ---- */

/* FN is told of what D, that of one part, says of all: the columns, without statistics. JSON: room for that. */
int catalog_parts_describe(const struct parts *p, const struct description_row *d, struct buf *json, void *arg,
			   store_description_fn fn);
/* NAME in the folder of .catalog/table that stands for the folder at REAL; -ENOENT. */
int catalog_parts_look_up(struct catalog *c, const char *path, const char *real, const char *name,
			  struct view_node *draft);
int catalog_parts_list(struct catalog *c, const char *real, view_emit_fn emit, void *arg);

/* ---- view_catalog_files.c: trees of the files of a set ---- */

enum catalog_set_kind { SET_TAGGED, SET_MIME, SET_DAY, SET_TABLES, SET_FOUND };

struct catalog_set {
	enum catalog_set_kind kind;
	const char *const *tags; /* SET_TAGGED: that has all of them */
	int ntags;
	const char *mime;
	int64_t day; /* since 1970, UTC */
	const struct find *find;
};

/*
 * The tree has each file at its real path. REAL: one, "" for the tree's root. 1: a file of the set, and *ROW; 0: a
 * folder; -ENOENT.
 */
int catalog_files_find(struct catalog *c, const struct catalog_set *set, const char *real, struct node_row *row);
/* A draft of what that finds: PATH + REAL is the real path; files are links. */
int catalog_files_look_up(struct catalog *c, const struct catalog_set *set, const char *path, size_t real,
			  struct view_node *draft);
/* The names at REAL. Files are of KIND. While the set is small, folders in which no file of it lies are left out. */
int catalog_files_list(struct catalog *c, const struct catalog_set *set, const char *real, enum node_kind kind,
		       view_emit_fn emit, void *arg);

#endif
