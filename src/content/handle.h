/*
 * Open files: how each open is answered, and what happens to the content when they write.
 *
 * Which way an open gets, the first line that matches (design: "The FUSE front end"):
 *
 *	the mount has no passthrough, or the inode is cached now	CACHED		undo
 *	O_RDONLY, of a stub that is not small				CACHED, as the bytes come
 *	a writer of a stub, without O_TRUNC				CACHED		content/cloud/draft.h
 *	O_RDONLY							PASSTHROUGH
 *	O_TRUNC, alone							PASSTHROUGH on a new inode: content/aside.h
 *	O_RDWR, a base is due, inode idle				CACHED		undo
 *	a writer while space is short					PASSTHROUGH_DIRECT	may be slowed
 *	a writer with O_DIRECT						PASSTHROUGH_DIRECT	odd tails fail else
 *	no base due							PASSTHROUGH
 *	O_WRONLY|O_APPEND						PASSTHROUGH	prefix
 *	other O_WRONLY							PASSTHROUGH_DIRECT	undo
 *	O_RDWR else							PASSTHROUGH_DIRECT	copy; undo, verified
 *
 * A base is due when bytes of versions are only in the raw file (content/past/chain.h). Then every write has to come by
 * here, so that it can save them first; but for appends, which change none. Where the file system can share blocks, the
 * base is kept whole at the open, and is not due any more. A file that is opened O_RDWR while others have it open under
 * passthrough could be changed through a mapping that nobody sees: its base is copied, when it is small, or else has to
 * be verified later (content/past/base.h).
 *
 * Threads: any; one handle is used by many at once.
 */
#ifndef TARN_CONTENT_HANDLE_H
#define TARN_CONTENT_HANDLE_H

#include "content/run.h"

struct recall;
struct tier_call;

enum open_way { WAY_PASSTHROUGH = 1, WAY_PASSTHROUGH_DIRECT, WAY_CACHED };

struct handle {
	struct inode *inode; /* with a reference */
	int flags;	     /* of the open */
	bool writer;
	bool slow; /* its disk is, or may soon be, short of space: writes have to come by here */
	enum open_way way;
	int backing_id;	       /* not for WAY_CACHED */
	int fd;		       /* the raw file; -1 for WAY_PASSTHROUGH */
	unsigned error_seq;    /* the inode's when opened: an error since then is still to be told */
	bool keep_cache;       /* for the reply */
	bool unseen;	       /* its writes do not come by here, and are more than appends */
	bool foreign;	       /* it reads what another run is writing */
	bool unsure;	       /* it may change the base unseen */
	struct recall *recall; /* what it reads from while its inode is a stub (content/recall/recall.h); else NULL */
	uint64_t version;      /* of which */
	bool only_here;	       /* it gets what is here, and no more */
	bool passes;	       /* what it reads does not come back to stay */
	bool closed;	       /* close() was called, but a mapping (or another descriptor) may live on */
	unsigned write_seq;    /* of a writer: the inode's when it was opened */
};

/*
 * Opens INODE for ACTOR, O_TRUNC included: the old content goes aside or is lost. 0 and a handle, or -errno.
 */
int handle_open(struct lake *lake, struct inode *inode, int flags, const struct actor *actor, struct handle **out);
/*
 * The same for a file that was just made. PATHFD: an O_PATH descriptor of the raw file (not taken). OPENFD: one opened
 * as FLAGS say (taken, also on failure), or -1: an ordinary user cannot open again what was made with mode 0.
 */
int handle_open_new(struct lake *lake, struct inode *inode, int flags, int pathfd, int openfd,
		    const struct actor *actor, struct handle **out);
/* RELEASE: closes, and cuts a version when the last writer went. */
void handle_close(struct lake *lake, struct handle *h);

/* close() of a descriptor of H; the release comes when nothing uses it any more. */
void handle_flush(struct handle *h);

/*
 * Before a write or another change of [FROM, TO) of the raw file, by tarn itself, through H (NULL: by name): what
 * versions have there is saved, or they are lost; the change may go on in any case. inode_after_change() follows when
 * it is done.
 */
void inode_before_change(struct lake *lake, struct inode *inode, const struct handle *h, const struct actor *actor,
			 uint64_t from, uint64_t to);
/*
 * Writes through H, which was opened while INODE was a stub. 0: it is none any more, so it is written as any other file
 * is; a small one is brought back for that. Else how many bytes, or -errno.
 */
ssize_t handle_write_stub(struct lake *lake, struct handle *h, const struct actor *actor, const void *bytes, size_t len,
			  uint64_t at);
/* Reads what was written to it as a stub and what was not. 0 and *N; -ENOENT: nothing was written; else -errno. */
int handle_read_stub(struct lake *lake, struct handle *h, void *to, size_t len, uint64_t at,
		     const struct tier_call *call, size_t *n);
/* Is there anything to be read like that? */
bool handle_has_draft(struct handle *h);
/* Truncates through H, or by name (H NULL); the caller settles it afterwards. 0 or -errno. */
int inode_truncate(struct lake *lake, struct inode *inode, struct handle *h, off_t size, const struct actor *actor);

/* fsync of a handle or folder: file, then folder if its name moved, then the record. 0 or -errno. */
int inode_sync(struct lake *lake, struct inode *inode, struct handle *h, bool data_only);
/* The content alone. An error is told by the next fsync, to every handle that is open now. */
void inode_sync_content(struct lake *lake, struct inode *inode, struct handle *h);

#endif
