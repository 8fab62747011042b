/*
 * The synthetic views: subtrees that are not on disk. Each is one file with a struct view_ops, and one line in the
 * table in view.c.
 *
 *	view.c			which view a name belongs to, look-ups, attributes
 *	view_table.c		the nodes that the kernel knows, and their numbers
 *	view_file.c		open files, extended attributes, rendered text
 *	view_listing.c		listings
 *	view_file_versions.c	F@v: the versions of a file		view_history.c	its history.jsonl
 *	view_moments.c		D@v: the moments of a folder
 *	view_tree.c		D@v/MOMENT/…: a tree as it was, also as the root of a mount of its own
 *	view_catalog*.c		.catalog (view_catalog.h)
 *	view_lineage.c		.lineage
 *
 * A node of a view is made by a look-up and lives until the kernel forgot it and no request uses it. It is what its
 * fields from `ops` to `text` say: two look-ups that say the same get the same node and the same number, and two
 * contents never share a number, because the kernel's pages are shared by all users. Each mount (front) has its own.
 *
 * Any thread. What a node is does not change after it was made.
 */
#ifndef TARN_NS_VIEW_VIEW_H
#define TARN_NS_VIEW_VIEW_H

#include <uthash.h>

#include "content/past/past.h"
#include "ns/ns.h"

struct view_node {
	UT_hash_handle hh; /* protected by the table's lock, as the next two */
	uint64_t nlookup;
	unsigned users;	 /* requests about it that are under way */
	uint64_t number; /* has VIEW_NODE set; in a draft 0: view_number() of it */

	/* what it is */
	const struct view_ops *ops;
	const struct frontend *front; /* the mount whose requests know it */
	enum node_kind kind;
	int part; /* the view's own: which of its kinds of nodes */
	uint64_t node, commit, version, tree;
	char *text; /* freed with the node */

	/* beside that; the first two are put right by later look-ups */
	_Atomic uint64_t parent; /* the real folder that it was found in or below, as the past has it */
	_Atomic uint64_t live;	 /* the node whose permissions hold now, or 0; written under the table's lock */
	struct view_node *next_of_live, **at_of_live; /* protected by the table's lock */
	struct stat st;				      /* of a fixed folder, or a rendered file */
	double entry_timeout, attr_timeout;
	bool on_the_way; /* a name that many paths lead through: see view_walk_begin() */
	/* how the kernel has it open; protected by the lock of view_file.c */
	unsigned cached_opens, passthrough_opens;
	int backing_id;
	struct stat opened_st;	    /* as it was when it was last opened */
	_Atomic uint64_t listed_at; /* the last commit when the kernel began to remember its listing */

	/* a rendered file; the last two are protected by the table's lock, as `st` is then */
	bool rendered; /* its bytes are made at its look-up */
	UT_hash_handle unopened_hh;
	uint64_t asked; /* what was asked for, as a number */
	bool opened;
	int fd; /* closed with it; else -1 */
};

/* An open file of a view. */
struct view_file {
	struct view_node *node; /* in use */
	int fd;			/* rendered, else -1 */
	struct past *past;	/* a version, else NULL */
	uint64_t version;	/* which */
	bool only_here;		/* who opened it gets nothing from the cloud */
	int backing_id;		/* through which the kernel reads it by itself; 0: it asks */
};

/* NUMBER: of the entry, 0 when it is not known. */
typedef int (*view_emit_fn)(void *arg, const char *name, enum node_kind kind, uint64_t number);
/* DRAFT, which is used up, is what a look-up of NAME would find, and ST what stat() of it would say. */
typedef int (*view_found_fn)(void *arg, const char *name, struct view_node *draft, const struct stat *st);

/* Any of these but name may be NULL. */
struct view_ops {
	const char *name;
	/* NAME in the real FOLDER, when nothing real has that name: fills DRAFT, or -ENOENT. */
	int (*look_up_at)(struct lake *lake, struct inode *folder, const char *name, struct view_node *draft);
	/* NAME in a folder of this view. The draft may become another view's. */
	int (*look_up)(struct lake *lake, const struct view_node *folder, const char *name, const struct actor *actor,
		       struct view_node *draft);
	/* The same, with what stat() will say. 1: it takes more to look it up. */
	int (*look_up_known)(struct lake *lake, const struct view_node *folder, const char *name,
			     struct view_node *draft, struct stat *st);
	/* ACTOR: who asks. */
	int (*list)(struct lake *lake, const struct view_node *folder, const struct actor *actor, view_emit_fn emit,
		    void *arg);
	/* Looks up all at once what list() would emit after AFTER (NULL: from the first on), in the order of the names
	 * (memcmp). What takes more to look up is left out. */
	int (*look_up_all)(struct lake *lake, const struct view_node *folder, const char *after, view_found_fn fn,
			   void *arg);
	/* 1: as 0, but it may change without view_changed(node->live), and must not be remembered. */
	int (*stat)(struct lake *lake, const struct view_node *node, struct stat *st);
	/* The id of the version that a file is; NULL: it is rendered, or cannot be read. */
	int (*version)(struct lake *lake, const struct view_node *node, uint64_t *id);
	int (*read_link)(struct lake *lake, const struct view_node *node, struct buf *target);
	/* The value of the virtual attribute user.tarn.WHAT; -ENODATA: it has none of that name. */
	int (*fact)(struct lake *lake, const struct view_node *node, const char *what, struct buf *value);
	/* The extended attributes, as content/xattrs.h has them. */
	int (*xattrs)(struct lake *lake, const struct view_node *node, struct buf *encoded);
	/* mkdir and rmdir in a folder of this view, by one whom the kernel let write there. NULL: EROFS. */
	int (*make_folder)(struct lake *lake, const struct view_node *folder, const char *name,
			   const struct actor *actor);
	int (*remove_folder)(struct lake *lake, const struct view_node *folder, const char *name,
			     const struct actor *actor);
	/* Its folders list the same until something is recorded anew. */
	bool lists_the_past;
	/* They can be so long that the first names are listed before all: it then ends with EMIT's non-zero answer. */
	bool long_lists;
	/* Shown in the root with synth=visible: its name there, or NULL. */
	const char *root_name;
};

extern const struct view_ops versions_view, moments_view, tree_view, catalog_view, lineage_view;

/* ---- for views ---- */

/* The number that the node of DRAFT has, as far as no other node has taken it. */
uint64_t view_number(const struct view_node *draft);
/* An unlinked file in the lake's temp folder, for rendering; fd or -errno. */
int view_temp_file(struct lake *lake);
/*
 * Makes DRAFT a rendered file: TEXT is written to a temporary file. MODE without type. Takes nothing. Of what else it
 * is the view says all but `version`, which is the table's: two of different things, or for different callers, differ.
 */
int view_render(struct lake *lake, const struct buf *text, mode_t mode, uid_t uid, gid_t gid, struct view_node *draft);

/*
 * What D@v leads to changes with what lies at D, so that the kernel asks for it each time. While somebody lists the
 * past that would be several times for each name of the listing: then it is remembered for a second, and forgotten
 * when another thing takes the name of D.
 */
void view_walk_begin(void);
void view_walk_end(void);
/* NAME in FOLDER is another thing from now on, as the store was told. */
void view_name_changed(struct lake *lake, uint64_t folder, const char *name);

/* ---- the table: view_table.c ---- */

/* A node for DRAFT, which is used up: the one that is the same, or a new one. It counts as looked up, and as in use;
 * NULL when out of memory. */
struct view_node *view_keep(struct view_node *draft);
/* The node of a number, in use until it is put; NULL: there is none. */
struct view_node *view_find(uint64_t number);
void view_put(struct view_node **n);
#define _cleanup_view_node_ __attribute__((cleanup(view_put)))
void view_forget(uint64_t number, uint64_t n);
void view_forget_front(const struct frontend *front);
/* Who may do what with NODE, or where it is, has changed: no attributes that depend on it are remembered any more. */
void view_changed(uint64_t node);
/* Rises with each such change. */
uint64_t view_changes(void);
void view_release_draft(struct view_node *draft);
/* What it is now. 1: as 0, but not to be remembered. -ENOENT: it is not any more. */
int view_stat(struct lake *lake, const struct view_node *n, struct stat *st);
/* Of one that somebody has open, as it was when it was opened: a version stays readable for who has it open. */
bool view_stat_opened(struct view_node *n, struct stat *st);
/* The mount that knows a number; NULL: nobody does. */
const struct frontend *view_front(uint64_t number);
/* Of a rendered file: a descriptor of its bytes, which stay as they are from now on, or -errno; its attributes. */
int view_rendered_open(struct view_node *n);
void view_rendered_stat(const struct view_node *n, struct stat *st);

/* ---- for ns ---- */

int view_look_up_at(struct lake *lake, struct inode *folder, const char *name, struct ns_entry *e);
bool view_has(struct lake *lake, struct inode *folder, const char *name);
int view_look_up(struct lake *lake, uint64_t folder, const char *name, const struct actor *actor, struct ns_entry *e);
/* Keeps DRAFT and fills the answer. */
int view_answer(struct lake *lake, struct view_node *draft, struct ns_entry *e);
/* The same with what stat() would say; CHANGES: view_changes() before that was found out. */
int view_answer_known(struct lake *lake, struct view_node *draft, const struct stat *st, uint64_t changes,
		      struct ns_entry *e);
int view_get_attributes(struct lake *lake, uint64_t ino, struct stat *st, double *timeout);
int view_read_link(struct lake *lake, uint64_t ino, char *target, size_t room);
int view_make_folder(struct lake *lake, uint64_t parent, const char *name, const struct actor *actor,
		     struct ns_entry *e);
int view_remove_folder(struct lake *lake, uint64_t parent, const char *name, const struct actor *actor);
/* user.* attributes, and no others: an ACL of then would not be that of now; virtual ones of any node. As getxattr(2),
 * listxattr(2). */
int view_get_xattr(struct lake *lake, uint64_t ino, const char *name, void *value, size_t size);
int view_list_xattrs(struct lake *lake, uint64_t ino, char *names, size_t size);
/* Would that wait for a remote? */
bool view_open_waits(struct lake *lake, uint64_t ino);
int view_open(struct lake *lake, uint64_t ino, const struct actor *actor, struct view_file **out);
void view_close(struct view_file *f);
/* A version is always the same bytes; those that pass by the cache are not in it. */
bool view_file_keeps_cache(const struct view_file *f);
/* A descriptor of the whole version, which does not change, to copy from; -1: there is none. */
int view_file_fd(const struct view_file *f);
int view_file_backing_id(const struct view_file *f);
ssize_t view_file_read(struct view_file *f, void *to, size_t len, off_t at);
/* As ns_has() and ns_want(). */
bool view_file_has(const struct view_file *f, off_t at, size_t len);
int view_file_want(const struct view_file *f, off_t at, size_t len, const struct tier_call *call);
off_t view_file_seek(struct view_file *f, off_t offset, int whence);
/* The names of views in the root, when they are listed; NULL after the last. */
const char *view_root_name(int i);

struct view_listing;
/* What it lists is read when it is first asked for. */
int view_list_start(uint64_t ino, struct view_listing **out);
void view_listing_free(struct view_listing *l);
/* May the kernel remember what this listing will say? KEEP: and goes on with what it remembers of the last one? */
bool view_list_is_cached(struct lake *lake, struct view_listing *l, bool *keep);
int view_list(struct lake *lake, struct view_listing *l, off_t offset, bool plus, const struct actor *actor,
	      ns_emit_fn emit, void *arg);

#endif
