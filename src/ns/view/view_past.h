/* What the views of the past share. */
#ifndef TARN_NS_VIEW_VIEW_PAST_H
#define TARN_NS_VIEW_VIEW_PAST_H

#include "base/which.h"
#include "ns/view/view.h"

#define PAST_TIMEOUT 86400.0 /* what an immutable name leads to changes only when it goes */
/*
 * For how long attributes of the past are remembered: changes of permissions are told (view_changed()), but one that
 * comes while the kernel first learns of a node can be missed. 0 where others change permissions behind the mount.
 */
double past_attr_timeout(struct lake *lake);

/* What lies, or lay last, at a name in a real folder. */
struct lay {
	struct node_row row;
	bool live;
};
/* After what was closed before is settled. -ENOENT: there never was anything. */
int past_lay(struct lake *lake, uint64_t parent, const char *name, struct lay *out);

/* DRAFT becomes the folder of the moments of the folder that lies, or lay, at NAME in PARENT. view_moments.c */
int moments_draft(struct lake *lake, uint64_t parent, const char *name, const struct lay *lay, struct view_node *draft);

/*
 * DRAFT becomes what NAME means in F@v of the file FILE in the real folder PARENT: that lay there before what is there
 * now, which is none. -ENOENT: nothing. view_file_versions.c
 */
int versions_draft(struct lake *lake, uint64_t parent, const char *file, const char *name, struct view_node *draft);

/* The commit of a moment of the folder D (for its labels). -ENOENT: there is none, or it is to come. */
int past_commit(struct lake *lake, uint64_t d, const struct which *w, const char *name, uint64_t *commit);

/*
 * DRAFT becomes what the name NAME in the real folder PARENT led to as of COMMIT, as the moment MOMENT of D@v shows it:
 * a file, a folder with all below it, or a symlink. NODE: what lies there now, for its own past comes first (0: nothing
 * does). -ENOENT: nothing was there, or it cannot be read. view_tree.c
 */
int tree_draft(struct lake *lake, uint64_t parent, const char *name, uint64_t node, uint64_t commit, const char *moment,
	       struct view_node *draft);

/*
 * A version that can be read. -ENOENT: it cannot. What a row says of a live version can be over while its record is on
 * its way: past_version() waits for that, past_is_listed() (for rows that a query is giving out) believes the best.
 */
int past_version(struct lake *lake, uint64_t id, struct version_row *v);
bool past_is_listed(struct lake *lake, const struct version_row *v);
/* The same, opened. */
int past_open_version(struct lake *lake, uint64_t id, const struct tier_call *call, struct past **out);

/* The mtime of a folder as of COMMIT; THEN: it was given last. */
int64_t past_folder_mtime(struct lake *lake, uint64_t folder, uint64_t commit, int64_t then);
/* What a row of the store becomes an entry of: the argument of a callback that lists FOLDER. */
struct lister {
	struct lake *lake;
	const struct view_node *folder;
	view_emit_fn emit;
	void *arg;
};

void past_set_times(struct stat *st, int64_t mtime, int64_t ctime);

/* The lines of history.jsonl. READERS: who may read it (mode, uid, gid); of what not all of them may read there is no
 * checksum. view_history.c */
int history_render(struct lake *lake, uint64_t asset, const struct stat *readers, struct buf *out);

#endif
