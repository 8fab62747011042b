/*
 * The synthetic views: subtrees that are not on disk. Each is one file with a struct view_ops, and one line in the
 * table in view.c.
 *
 * A node of a view is made by a look-up and lives until the kernel forgot it and no request uses it. Its number has
 * VIEW_NODE set, then the view's slot in bits 56..61, then what the view chooses; two contents never share a number,
 * because the kernel's pages are shared by all users. Entries and attributes are not cached by the kernel.
 *
 * Any thread. What a node holds does not change after it was made.
 */
#ifndef TARN_NS_VIEW_H
#define TARN_NS_VIEW_H

#include <uthash.h>

#include "content/past.h"
#include "ns/ns.h"

#define VIEW_SLOT_SHIFT 56

struct view_node {
	UT_hash_handle hh; /* protected by the table's lock, as the next two */
	uint64_t nlookup;
	unsigned users; /* requests about it that are under way */
	uint64_t ino;
	const struct view_ops *ops;
	enum node_kind kind;
	/* the view's own: */
	uint64_t asset, version; /* @v: the series, the version */
	_Atomic uint64_t live;	 /* … and the live node, or 0; the one thing that later look-ups put right */
	char *text;		 /* freed with the node */
	int fd;			 /* a rendered file, closed with it; else -1 */
	struct stat st;		 /* of a rendered file or fixed folder */
};

/* An open file of a view. */
struct view_file {
	int fd;		   /* rendered, else -1 */
	struct past *past; /* a version, else NULL */
};

typedef int (*view_emit_fn)(void *arg, const char *name, enum node_kind kind);

struct view_ops {
	const char *name;
	/* NAME in the real FOLDER, when nothing real has that name: fills DRAFT, or -ENOENT. */
	int (*look_up_at)(struct lake *lake, struct inode *folder, const char *name, struct view_node *draft);
	/* NAME in a folder of this view. */
	int (*look_up)(struct lake *lake, const struct view_node *folder, const char *name, const struct actor *actor,
		       struct view_node *draft);
	int (*list)(struct lake *lake, const struct view_node *folder, view_emit_fn emit, void *arg);
	int (*stat)(struct lake *lake, const struct view_node *node, struct stat *st);
	int (*open)(struct lake *lake, const struct view_node *node, struct view_file *file);
	/* Shown in the root with synth=visible: its name there, or NULL. */
	const char *root_name;
};

extern const struct view_ops versions_view, catalog_view;

/* ---- for views ---- */

/* A number that was never given out, for a rendered file of the view in SLOT. */
uint64_t view_new_number(int slot);
/* An unlinked file in the lake's temp folder, for rendering; fd or -errno. */
int view_temp_file(struct lake *lake);
/* Makes DRAFT a rendered file: TEXT is written to a temporary file. MODE without type. Takes nothing. */
int view_render(struct lake *lake, const struct buf *text, mode_t mode, uid_t uid, gid_t gid, struct view_node *draft);

/* ---- for ns ---- */

int view_look_up_at(struct lake *lake, struct inode *folder, const char *name, struct ns_entry *e);
bool view_has(struct lake *lake, struct inode *folder, const char *name);
int view_look_up(struct lake *lake, uint64_t folder, const char *name, const struct actor *actor, struct ns_entry *e);
void view_forget(uint64_t ino, uint64_t n);
int view_get_attributes(struct lake *lake, uint64_t ino, struct stat *st, double *timeout);
/* Of a version: its user.* attributes, and no others. As getxattr(2), listxattr(2). */
int view_get_xattr(struct lake *lake, uint64_t ino, const char *name, void *value, size_t size);
int view_list_xattrs(struct lake *lake, uint64_t ino, char *names, size_t size);
int view_open(struct lake *lake, uint64_t ino, struct view_file **out);
void view_close(struct view_file *f);
ssize_t view_file_read(struct view_file *f, void *to, size_t len, off_t at);
off_t view_file_seek(struct view_file *f, off_t offset, int whence);
/* The names of views in the root, when they are listed; NULL after the last. */
const char *view_root_name(int i);

struct view_listing;
int view_list_start(struct lake *lake, uint64_t ino, const struct actor *actor, struct view_listing **out);
void view_listing_free(struct view_listing *l);
int view_list(struct lake *lake, struct view_listing *l, off_t offset, bool plus, const struct actor *actor,
	      ns_emit_fn emit, void *arg);

#endif
