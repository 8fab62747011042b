/*
 * Reading the store as it was. Included by meta/store.h, whose contract holds here, too.
 */
#ifndef TARN_META_STORE_PAST_H
#define TARN_META_STORE_PAST_H

#include "meta/store.h"

/* ---- the past: what was as of a commit (0 and those to come: nothing; COMMIT_LIVE: now) ---- */

/* The newest commit at or before TIME that changed something; -ENOENT before the first one. tarn's own bookkeeping is
 * no change, so what is as of this commit is as of TIME. */
int store_commit_at(struct store *s, int64_t time, uint64_t *commit);
/* When that was: the time of COMMIT, or of the last change before it. -ENOENT before the first one. */
int store_commit_time(struct store *s, uint64_t commit, int64_t *time);
/*
 * A node as it was: mode, uid, gid, acl, of a folder also mtime. `version` of a file is what store_version_of_node_at()
 * finds (0: nothing, it was still being written), and size and mtime are that version's. `writing` is always false; all
 * else does not change. That it had a name then is not asked. -ENOENT: unknown.
 */
int store_node_at(struct store *s, uint64_t node, uint64_t commit, struct node_row *out);
/*
 * When a name in FOLDER came or went last, if that was after its own times were set; -ENOENT: they hold. What was found
 * by a scan had its times already. This reads what lay in the folder then.
 */
int store_folder_changed_at(struct store *s, uint64_t folder, uint64_t commit, int64_t *time);
/* What NAME in PARENT led to, as it was. A file without a version by then is -ENOENT, too. */
int store_entry_at(struct store *s, uint64_t parent, const char *name, uint64_t commit, struct node_row *out);
/* The first folder of FOLDER's line that had a name then, as it was. -ENOENT: none had. */
int store_folder_at(struct store *s, uint64_t folder, uint64_t commit, struct node_row *out);
/* As store_entry_at(): what NAME led to in the first folder of PARENT's line that had it, else what lay then at the
 * path that NAME in PARENT has now. */
int store_entry_was(struct store *s, uint64_t parent, const char *name, uint64_t commit, struct node_row *out);
/*
 * What lay in a folder, by name (memcmp, the shorter first), from the one after AFTER (NULL: the first) on. VERSION: of
 * a file, which is left out when it had none by then; else 0. FN's non-zero answer ends it and is returned.
 */
struct past_entry {
	const char *name;
	uint64_t node;
	enum node_kind kind;
	uint64_t version;
	/* of a file, of the row of `version`, as store_versions_brief() has it; valid during the call */
	const struct version_row *content;
};
typedef int (*store_past_entry_fn)(void *arg, const struct past_entry *e);
int store_entries_at(struct store *s, uint64_t parent, uint64_t commit, const char *after, store_past_entry_fn fn,
		     void *arg);
/* The same, with all that stat() of each asks: as store_node_at() has it, and as store_node(). */
struct past_known {
	const char *name;
	struct node_row then, now;
	struct version_row content; /* of a file; else its id is 0 */
	uint64_t place;		    /* store_last_place() of it, and PARENT where that is possible */
	int64_t target;		    /* the length of a symlink's target; -1: it is not known */
};
typedef int (*store_past_known_fn)(void *arg, const struct past_known *e);
int store_entries_known_at(struct store *s, uint64_t parent, uint64_t commit, const char *after, store_past_known_fn fn,
			   void *arg);
/* That of NAME. -ENOENT as store_entry_at(). OUT->name is NAME. */
int store_entry_known_at(struct store *s, uint64_t parent, const char *name, uint64_t commit, struct past_known *out);
/* The content of a file: the newest of the node's versions that was cut by then, whatever became of it since (its state
 * may well be NOT_KEPT); transient ones are passed over. -ENOENT: none. */
int store_version_of_node_at(struct store *s, uint64_t node, uint64_t commit, struct version_row *out);
/* The versions of a node, in the order in which they were cut, from version FROM (0: the first) on. */
int store_versions_of_node(struct store *s, uint64_t node, uint64_t from, store_version_fn fn, void *arg);
/* The other way round, from the one before version BEFORE (0: the last) on. */
int store_versions_of_node_back(struct store *s, uint64_t node, uint64_t before, store_version_fn fn, void *arg);
/* As store_versions_of_node(), without those of which nothing is saved for certain: that are only a prefix of the file,
 * or live and nothing else. */
int store_versions_saved(struct store *s, uint64_t node, uint64_t from, store_version_fn fn, void *arg);
/* The last version of NODE, BUT not counted, whose raw file was put aside, or left for the cloud. -ENOENT: none. */
int store_version_last_aside(struct store *s, uint64_t node, uint64_t but, uint64_t *version);
/* All names that ever were in a folder, in no order, a name once for each node that had it. */
struct ever_entry {
	const char *name;
	uint64_t node;
	enum node_kind kind;
	int ended; /* enum entry_end; 0: it is there now */
};
typedef int (*store_ever_fn)(void *arg, const struct ever_entry *e);
int store_entries_ever(struct store *s, uint64_t parent, store_ever_fn fn, void *arg);
/* The folders of FOLDER's line, itself first. */
typedef int (*store_line_fn)(void *arg, uint64_t folder);
int store_line(struct store *s, uint64_t folder, store_line_fn fn, void *arg);
/* What lay in PARENT, or in its line, as NAME last, before it was taken away, as it is known now; -ENOENT: nothing
 * did. */
int store_entry_last(struct store *s, uint64_t parent, const char *name, struct node_row *out);
/* The same of the last folder. */
int store_folder_last(struct store *s, uint64_t parent, const char *name, struct node_row *out);
/* When NODE lost its last name, and the commit before whoever did that began to remove things: as of that, a tree that
 * was removed is whole. -ENOENT: it never lost one. */
int store_removal(struct store *s, uint64_t node, int64_t *time, uint64_t *before);
/* A folder that NODE is in now (PREFER if that is one), or was in last. -ENOENT: it never had a name. */
int store_last_place(struct store *s, uint64_t node, uint64_t prefer, uint64_t *parent);
/* The folder that NODE was in, by its first name then; -ENOENT: it had none. */
int store_place_at(struct store *s, uint64_t node, uint64_t commit, uint64_t *parent);
/* As store_path() then, by its first name then. */
int store_path_at(struct store *s, uint64_t node, uint64_t commit, struct buf *path);

/* The extended attributes, encoded; nothing is added when it had none. */
int store_node_xattrs_at(struct store *s, uint64_t node, uint64_t commit, struct buf *blob);
/* Where a symlink points to; -ENOENT when that is not known. */
int store_node_target(struct store *s, uint64_t node, struct buf *target);
/* The last LIMIT days (since 1970, UTC; at most 366) on which something changed in a folder of FOLDER's line or below,
 * the newest first. */
typedef int (*store_day_fn)(void *arg, int64_t day);
int store_change_days(struct store *s, uint64_t folder, int limit, store_day_fn fn, void *arg);

/* Of FOLDER, else of the next in its line that has it. */
int store_label(struct store *s, uint64_t folder, const char *name, struct label_row *out);
/* Of FOLDER's line (0: of all), by folder, then by name; each name of a line once. */
typedef int (*store_label_fn)(void *arg, const struct label_row *l);
int store_labels(struct store *s, uint64_t folder, store_label_fn fn, void *arg);
/* Was V the content of its file in a labelled moment of a folder above it? 1, 0 or -errno. */
int store_version_is_labelled(struct store *s, const struct version_row *v);

#endif
