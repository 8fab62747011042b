/*
 * The namespace: every operation that the kernel can ask for, by node number. Real nodes are the store's; numbers with
 * VIEW_NODE set belong to synthetic nodes (view.h). Each change is made on the tree as the caller and submitted to the
 * store as one record, in that order.
 *
 * Functions return 0 or -errno. Any thread; what must not run together is locked inside.
 */
#ifndef TARN_NS_NS_H
#define TARN_NS_NS_H

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "content/handle.h"
#include "content/lake.h"
#include "content/run.h"
#include "tier/tier.h"

#define VIEW_NODE (UINT64_C(1) << 62)

/* What a look-up or a creation answers; its node counts as looked up once. */
struct ns_entry {
	uint64_t ino; /* 0: no such name, which may be cached for entry_timeout */
	struct stat st;
	double entry_timeout, attr_timeout; /* seconds */
};

enum synth_mode { SYNTH_HIDDEN, SYNTH_VISIBLE, SYNTH_OFF };

/* ---- names and attributes: look_up.c, attributes.c ---- */

void ns_set_synth(enum synth_mode mode); /* before the first request */
int ns_look_up(struct lake *lake, uint64_t parent, const char *name, const struct actor *actor, struct ns_entry *e);
void ns_forget(struct lake *lake, uint64_t ino, uint64_t n);
int ns_get_attributes(struct lake *lake, uint64_t ino, struct stat *st, double *timeout);
#define NS_SET_MODE 1u
#define NS_SET_UID 2u
#define NS_SET_GID 4u
#define NS_SET_SIZE 8u
#define NS_SET_ATIME 16u
#define NS_SET_MTIME 32u
#define NS_SET_ATIME_NOW 64u
#define NS_SET_MTIME_NOW 128u
/* H: the open file, where the call came through one; else NULL. */
int ns_set_attributes(struct lake *lake, uint64_t ino, const struct stat *want, unsigned set, struct handle *h,
		      const struct actor *actor, struct stat *st, double *timeout);
int ns_read_link(struct lake *lake, uint64_t ino, char *target, size_t room); /* its length */
/* SIZE 0 asks for the size, as getxattr(2). */
int ns_get_xattr(struct lake *lake, uint64_t ino, const char *name, void *value, size_t size);
int ns_list_xattrs(struct lake *lake, uint64_t ino, char *names, size_t size);
int ns_set_xattr(struct lake *lake, uint64_t ino, const char *name, const void *value, size_t size, int flags,
		 const struct actor *actor);
int ns_remove_xattr(struct lake *lake, uint64_t ino, const char *name, const struct actor *actor);
int ns_stat_fs(struct lake *lake, uint64_t ino, struct statvfs *fs);

/* ---- the lake as it was, for a mount of its own: view_tree.c ---- */

/*
 * Its root as of MOMENT: a time, commit-N, or a label of the root. FRONT: the mount whose requests will ask for it. It
 * counts as looked up until ns_drop_front(). -ENOENT: there is no such moment.
 */
int ns_past_root(struct lake *lake, const char *moment, const struct frontend *front, uint64_t *ino);
/* No request comes through FRONT any more: forgets what it had looked up, and closes what it had open. */
void ns_drop_front(struct lake *lake, const struct frontend *front);

/* ---- changes to the tree: creation.c, removal.c, renaming.c ---- */

int ns_mknod(struct lake *lake, uint64_t parent, const char *name, mode_t mode, dev_t rdev, const struct actor *actor,
	     struct ns_entry *e);
int ns_mkdir(struct lake *lake, uint64_t parent, const char *name, mode_t mode, const struct actor *actor,
	     struct ns_entry *e);
int ns_symlink(struct lake *lake, uint64_t parent, const char *name, const char *target, const struct actor *actor,
	       struct ns_entry *e);
int ns_link(struct lake *lake, uint64_t ino, uint64_t parent, const char *name, const struct actor *actor,
	    struct ns_entry *e);
int ns_create(struct lake *lake, uint64_t parent, const char *name, mode_t mode, int flags, const struct actor *actor,
	      struct ns_entry *e, struct handle **out);
int ns_tmpfile(struct lake *lake, uint64_t parent, mode_t mode, int flags, const struct actor *actor,
	       struct ns_entry *e, struct handle **out);
int ns_unlink(struct lake *lake, uint64_t parent, const char *name, const struct actor *actor);
int ns_rmdir(struct lake *lake, uint64_t parent, const char *name, const struct actor *actor);
int ns_rename(struct lake *lake, uint64_t parent, const char *name, uint64_t to_parent, const char *to_name,
	      unsigned flags, const struct actor *actor);

/* ---- open files: open_file.c ---- */

struct recall;
struct open_file; /* a real one (a struct handle) or a view's */
int ns_open(struct lake *lake, uint64_t ino, int flags, const struct actor *actor, struct open_file **out);
struct open_file *open_file_of(struct lake *lake, struct handle *h); /* takes H; NULL when out of memory */
void ns_release(struct lake *lake, struct open_file *f);
/* After the last request: what the kernel has not released, folders too. */
void ns_release_all(struct lake *lake);
/* The struct handle of a real file; NULL for a view's. */
struct handle *open_file_handle(struct open_file *f);
bool open_file_keeps_cache(const struct open_file *f);
/* The descriptor of a real file; a WAY_PASSTHROUGH one gets it at the first such request. */
int open_file_fd(struct lake *lake, struct open_file *f);
/* Of a view's file: through which backing file the kernel reads it itself (0: it asks), and the descriptor of a whole
 * file that nobody changes (-1: only ns_read_view() will do). */
int open_file_view_backing(const struct open_file *f);
int open_file_view_fd(const struct open_file *f);
/* Does an operation that needs the bytes of INO have to wait for a remote? */
bool ns_waits(struct lake *lake, uint64_t ino);
/* Is something written to a stub that its end has to wait for (content/cloud/draft.h)? */
bool ns_ends_draft(struct lake *lake);
/*
 * Of a stub that was written: its bytes, as far as LEN and its end, and how many; waits for those that were not.
 * -ENOENT: it is none; it is read as ns_has() says.
 */
int ns_read_stub(struct lake *lake, struct open_file *f, void *to, size_t len, off_t at, const struct tier_call *call,
		 size_t *n);
/* Is a write to it one to a stub? Then it may wait, and all of it is ns_write_stub(): how many bytes, or -errno. */
bool ns_writes_stub(const struct open_file *f);
ssize_t ns_write_stub(struct lake *lake, struct open_file *f, const struct actor *actor, const void *bytes, size_t len,
		      off_t at);
/* Can [AT, AT + LEN) of a file be read without waiting for a remote? Else ns_want() waits until it can (-ECANCELED,
 * -ETIMEDOUT, …: content/recall/recall.h). */
bool ns_has(struct open_file *f, off_t at, size_t len);
int ns_want(struct lake *lake, struct open_file *f, off_t at, size_t len, const struct tier_call *call);
/* What F reads from while its bytes come; NULL: another way. */
struct recall *open_file_recall(const struct open_file *f);
/* Reads from a view's file. */
ssize_t ns_read_view(struct open_file *f, void *to, size_t len, off_t at);
/* Around each write to a file's descriptor. The second is not called when the first failed. */
int ns_before_write(struct lake *lake, struct open_file *f, const struct actor *actor, off_t offset, size_t length);
void ns_after_write(struct open_file *f);
/* LENGTH bytes could not be written to F, with ERROR. True: it was for want of room, which there is now, perhaps after
 * a wait: the write is to be tried again. To be called outside of the two above. */
bool ns_make_room(struct lake *lake, struct open_file *f, int error, size_t length);
int ns_fallocate(struct lake *lake, struct open_file *f, int mode, off_t offset, off_t length,
		 const struct actor *actor);
ssize_t ns_copy_range(struct lake *lake, struct open_file *from, off_t from_offset, struct open_file *to,
		      off_t to_offset, size_t length, const struct actor *actor);
off_t ns_seek(struct lake *lake, struct open_file *f, off_t offset, int whence);
int ns_fsync(struct lake *lake, uint64_t ino, struct open_file *f, bool data_only);

/* ---- folders: listing.c ---- */

struct listing;
int ns_open_folder(struct lake *lake, uint64_t ino, struct listing **out);
/* May the kernel remember what is listed, until it asks for a change there itself? KEEP: does what it remembers of an
 * earlier listing hold? Ask once, after opening. */
bool ns_folder_is_cached(struct lake *lake, struct listing *l, bool *keep);
void ns_release_folder(struct lake *lake, struct listing *l);
/*
 * Calls EMIT for entries after OFFSET (0: the start) until it says the reply is full (-ENOSPC). With PLUS, entries come
 * with attributes and count as looked up (but "." and ".."). 0 or -errno.
 */
typedef int (*ns_emit_fn)(void *arg, const char *name, const struct ns_entry *e, off_t next);
int ns_list(struct lake *lake, struct listing *l, off_t offset, bool plus, const struct actor *actor, ns_emit_fn emit,
	    void *arg);
int ns_fsync_folder(struct lake *lake, uint64_t ino);

#endif
