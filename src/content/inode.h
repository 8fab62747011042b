/*
 * The inodes that the kernel or a job knows now, and the state of each.
 *
 * An inode is a node (meta/store.h) in memory: how to reach its backing file, who has it open and in which way, and
 * what is known of its content. The kernel's look-ups hold it (nlookup); so do jobs and operations (refs). It leaves
 * memory when both are zero and everything submitted about it can be read from the store.
 *
 * The state says how the kernel has it open now. The kernel allows one kind at a time for one inode (other opens fail
 * with EIO), so the state is decided under the lock and held until the last RELEASE:
 *
 *	IDLE ─────── open ──────► PASSTHROUGH(id, n) ── last release ──► IDLE
 *	IDLE ─────── open ──────► CACHED(n)          ── last release ──► IDLE
 *	IDLE ── aside, evict, …─► CHANGING           ── done ──────────► IDLE      (others wait)
 *
 * No lock is held across disk, SQLite or network: an operation that needs those marks the inode CHANGING, unlocks,
 * works, locks, marks it IDLE and wakes the waiters.
 *
 * Content, beside the state:
 *	clean     the bytes are those of `version` (0: empty and new, or not versioned)
 *	dirty     somebody wrote, or may have written; the next settled moment cuts a version
 *	settled   nobody can write it now. Writers that could have mapped the file (O_RDWR under passthrough) may store
 *	          through the mapping after RELEASE; then only a lease on the raw inode tells (content/settle.h)
 */
#ifndef TARN_CONTENT_INODE_H
#define TARN_CONTENT_INODE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <uthash.h>

#include "base/fhandle.h"
#include "meta/store.h"

struct lake;
struct volume;
struct bucket;
struct chain;
struct draft;

enum inode_state { INODE_IDLE, INODE_PASSTHROUGH, INODE_CACHED, INODE_CHANGING };

/* The version before the one that is cut next, when its bytes are not here any more (content/past/former.h). */
struct former {
	uint64_t version; /* 0: none, or not known */
	uint64_t size;
};

/* What appends so far, and what may be appended to (content/appends.h). */
struct appends {
	bool rewritten;	     /* something else than appends may have changed it since the last cut */
	uint64_t since;	     /* versions from this one on begin with the bytes of those before; 0: of none known */
	uint64_t by;	     /* the run that appends since the last cut; 0: none yet */
	bool was_read;	     /* since the last cut */
	uint64_t version;    /* that may grow; 0: none */
	uint64_t run;	     /* by this run, */
	uint64_t commit;     /* as of this commit, */
	int64_t first, last; /* which began and appended then, monotonic */
};

/* Of the file that a stub stands for (content/cloud/stub.h). */
struct stub_attributes {
	mode_t mode;
	uid_t uid;
	gid_t gid;
	uint64_t size;
	int64_t mtime, ctime; /* ns */
};

struct inode {
	/* set when made, never changed */
	uint64_t id;
	enum node_kind kind;
	struct volume *volume;

	/* protected by the table's lock */
	UT_hash_handle by_id, by_handle;
	uint64_t nlookup;
	unsigned refs;
	struct handle_key {
		int32_t volume;
		struct fhandle handle;
	} key; /* where it is hashed by handle; changes at an aside */

	pthread_mutex_t lock;
	pthread_cond_t changed; /* state left CHANGING, a handle was released */

	/* protected by lock */
	/* parent, name: written under the table's lock and this one, read under either */
	struct inode
		*parent; /* the folder it was last found in, with a reference; NULL for the root and after unlink */
	char *name;	 /* and the name there */
	_Atomic(struct bucket *)
		bucket;	       /* whose policy holds; NULL for the root only: the last one stays after unlink */
	_Atomic bool in_root;  /* a bucket */
	_Atomic bool excluded; /* a folder that the bucket excludes, or below one */
	int pinned;	       /* an O_PATH descriptor kept open where handles cannot be opened, else -1 */

	_Atomic bool stub; /* its bytes are only in the cloud, and what lies in the bucket is a placeholder */
	bool recalling;	   /* somebody brings them back just now */
	struct stub_attributes as_stub; /* while it is one */
	struct draft *draft; /* content/cloud/draft.h: what was written to it then, with a reference; NULL: nothing */
	/* a recall changes nothing that anybody may see: while its raw file has this ctime, it is shown with that */
	int64_t ctime_raw, ctime_shown;

	enum inode_state state;
	bool in_ring;		 /* of content/registered.h */
	int backing_id;		 /* registered with the kernel, in use or kept (content/registered.h); 0: not */
	unsigned handles;	 /* open now, replies on the way included */
	unsigned writers;	 /* of those, for writing */
	bool written;		 /* a write or truncation came by here since it was clean */
	unsigned changes;	 /* how many did */
	unsigned closed;	 /* of the handles, closed: a release is on its way, or a mapping or duplicate stays */
	unsigned closed_writers; /* of those, for writing */
	struct {
		unsigned alone;		 /* of `closed`, by who wants it alone… */
		unsigned reader, writer; /* …and of `closed_writers`, by who opens it */
	} stay;				 /* how many of the closed ones were waited for in vain */
	unsigned releases;		 /* how many handles were ever released: tells a waiter that one came */
	unsigned waited_at;		 /* the value of releases at which waiting for one was last in vain */
	unsigned writer_releases;	 /* of those, how many were for writing */
	unsigned met_at;		 /* the value of that at which another run waited in vain */
	unsigned raw_writers;		 /* of the writers, those for which the raw file is open here */
	unsigned unseen; /* of the writers, those that change it without coming by here, but for appends */

	uint64_t version; /* whose bytes these are, when clean */
	struct former former;
	struct appends appends;
	bool dirty;
	bool flush_at_close;	  /* an aside took the old content: write-back starts at the last close */
	unsigned error_seq;	  /* rises with each write error */
	bool companion;		  /* of a database: content/database.h */
	bool not_alone;		  /* what is cut next is whole only with what lies beside it */
	bool partial;		  /* `version` is one, cut while somebody writes: content/partial.h */
	bool partial_stays;	  /* whatever comes after it */
	bool provisional;	  /* it was cut when all had closed it, and is a version if none of those goes on… */
	unsigned provisional_seq; /* …who were there at this write_seq */
	uint64_t transient;	  /* one that was cut since, of which nothing is kept; 0: none */
	uint64_t partial_size;	  /* of the content that was cut last while somebody writes… */
	int64_t partial_mtime;	  /* …and when it changed */
	int64_t partial_at;	  /* when that was, monotonic */
	bool watched;		  /* in lake->unsettled's list of what is being written: protected by its lock, … */
	int64_t watch_due;	  /* …with when it is to be cut next */
	struct inode *watch_next, *watch_prev;
	bool left;	       /* `version` belongs to the series of a path that it left for a temporary name */
	struct chain *chain;   /* content/past/chain.h: of its raw file, once somebody asked; NULL: not yet */
	bool no_past;	       /* nothing older than what was cut since it came to memory is in its raw file… */
	uint64_t era;	       /* …but versions up to this one had other raw files */
	bool dependants;       /* with no_past: older versions are read through it */
	uint64_t base_commit;  /* once this is durable, so is the row of `version`; 0: as `commit` */
	bool base_unsure;      /* it could be changed unseen, so that the bytes of `version` have to be verified */
	unsigned changing;     /* changes of the raw file that are under way here */
	bool may_map;	       /* a writable passthrough handle that can be mapped existed since it was last settled */
	bool moved;	       /* its name changed since the folder was last fsynced */
	bool made_here;	       /* created O_EXCL, and by… */
	uint64_t maker;	       /* …this run; nothing of it is kept if that run unlinks it */
	struct origin *origin; /* content/witness.h: what the next version was made from, so far; NULL: nothing */
	uint64_t seen_size;    /* the content when somebody last closed it who had it open for writing… */
	int64_t seen_mtime;    /* …or opened it */
	uint64_t writer_run;   /* the run that wrote last */
	uid_t writer_uid;
	_Atomic uint64_t commit; /* the last one submitted about it */
	uint64_t opens;		 /* for reading, since last flushed */
	int write_error;	 /* -errno of the last failed write-back */
	unsigned write_seq; /* rises with each writable open, truncation and cut: a hasher compares before and after */
	bool frozen;	    /* see inode_freeze() */
	unsigned holders;   /* jobs that read the raw file now… */
	bool wanted;	    /* …and must give it up soon: somebody wants the file alone */
	bool settling;	    /* queued in lake->unsettled */
	int64_t settle_delay;  /* until it is tried again, when busy; 0: for the first time */
	_Atomic bool acl;      /* has a POSIX ACL, or may have inherited one */
	bool kept_aside;       /* its last name went away and its content lies in versions/: stat says 0 links */
	uint64_t kept_listed;  /* the version whose bytes these are, once it is listed: a writer has to take it back */
	uint64_t kept_version; /* as which version there */
	bool kept_fresh;       /* that version was made for it, so its size may still be put right */
	struct folder_fd *folder; /* protected by the folder cache's lock, as the next two */
	struct inode *folder_next, *folder_prev;
	struct inode *idle_next; /* protected by the table's lock: waits for the store before it is freed */
	bool idle;
	_Atomic uint64_t raw_ino; /* st_ino of the backing inode */
	int64_t clean_mtime;	  /* of the content of `version`: what differs now was changed since */
	uint64_t clean_size;
	bool synced; /* an fsync made the content durable that has this size and mtime: content/durable.h */
	uint64_t synced_size;
	int64_t synced_mtime;
	uint64_t synced_told; /* the version of which the store knows it */
};

/* ---- the table ---- */

struct inode_table;

int inode_table_new(struct inode_table **out);
/* Forgets everything; what the kernel still held does not matter any more. */
void inode_table_free(struct lake *lake);

/*
 * The inode of ROW, found or made, with one reference for the caller. PARENT and NAME: where it was found (NULL for the
 * root); they replace what was known. MADE (may be NULL) says whether it is new in memory. 0 or -ENOMEM.
 */
int inode_get(struct lake *lake, const struct node_row *row, struct inode *parent, const char *name,
	      struct bucket *bucket, struct inode **out, bool *made);
/* One that is in memory, with a reference; NULL else. */
struct inode *inode_find(struct lake *lake, uint64_t id);
struct inode *inode_find_handle(struct lake *lake, int volume, const struct fhandle *h);
struct inode *inode_ref(struct lake *lake, struct inode *inode);
void inode_unref(struct lake *lake, struct inode *inode);

/* The kernel learns of it (once per entry in a reply) and forgets it. */
void inode_look_up(struct lake *lake, struct inode *inode);
void inode_forget(struct lake *lake, uint64_t id, uint64_t n);
/* Does it know it? If not, it remembers nothing of a folder, names that are not there included. */
bool inode_is_looked_up(struct lake *lake, const struct inode *inode);
/* After an aside the node has another backing inode. */
void inode_set_handle(struct lake *lake, struct inode *inode, const struct fhandle *h);
struct fhandle inode_handle(struct lake *lake, struct inode *inode);
/* Where it is found from now on; PARENT NULL: nowhere (unlinked). */
void inode_set_name(struct lake *lake, struct inode *inode, struct inode *parent, const char *name,
		    struct bucket *bucket);
/* The folder it was last found in, with a reference, and its name there; NULL when it has none. */
struct inode *inode_parent(struct lake *lake, struct inode *inode, char name[NAME_BYTES + 1]);
struct folder_cache *inode_folders(struct lake *lake);
/* Frees what waited only for the store; call now and then. */
void inode_sweep(struct lake *lake);
uint64_t inode_count(struct lake *lake);
/* Calls FN for each one in memory, with a reference held during the call. */
void inode_each(struct lake *lake, void (*fn)(void *arg, struct inode *inode), void *arg);

/* FOLDER was renamed: what is in memory below it may belong to another bucket, or be excluded now. */
void inode_folder_moved(struct lake *lake, struct inode *folder);
/* Are size and mtime in ST those of the live version (nobody wrote since)? The lock is held. */
bool inode_is_clean_locked(const struct inode *inode, const struct stat *st);
/* Somebody looks at its content in another way than by opening it: its live version stays as it is. */
void inode_is_read(struct inode *inode);
/* Was it written since its last version? */
bool inode_is_dirty(struct inode *inode);
/* Has it a name at all? */
bool inode_is_named(struct inode *inode);
/* Is it known by this name? */
bool inode_is_at(struct inode *inode, const struct inode *parent, const char *name);
/*
 * Between the two calls nobody else opens, settles, truncates or moves INODE's content, and no change of it that comes
 * by here is under way: for what takes several steps on the disk. One at a time; never two inodes by one thread.
 */
void inode_freeze(struct inode *inode);
void inode_freeze_locked(struct inode *inode); /* its lock is held, and is given up meanwhile */
void inode_thaw(struct inode *inode);
/*
 * Between the two nobody freezes INODE, so that it keeps its raw file: for a change of that which is not one of its
 * content (that is inode_before_change(), content/handle.h, which ends like this one). Waits while it is frozen; one
 * thread does not begin two.
 */
void inode_begin_change(struct inode *inode);
void inode_after_change(struct inode *inode);
/* The lock is held, and is given up meanwhile: waits until INODE is neither CHANGING nor frozen. */
void inode_wait_free_locked(struct inode *inode);

/* Waits a moment for the release of the last writer, which may be on its way. */
void inode_wait_quiet(struct inode *inode);
/*
 * The same for all files below FOLDER, NULL: for all there are. What was closed before belongs to the moment that
 * comes; but what stays open for writing makes nobody wait for longer than half a second.
 */
void inodes_wait_quiet(struct lake *lake, const struct inode *folder);

enum node_kind kind_of_mode(mode_t mode);
/* A store row's columns that come from the backing inode; not id, kind, handle, volume, asset, version. */
void row_set_stat(struct node_row *row, const struct stat *st);
int64_t stat_mtime(const struct stat *st);
int64_t stat_ctime(const struct stat *st);

/* ---- the backing file ---- */

/*
 * Opens the raw file. FLAGS as for open(2), O_PATH included; O_NOFOLLOW and O_CLOEXEC are added. A descriptor or
 * -errno: -ESTALE when the file is gone; -ELOOP for the bytes of a stub.
 */
int inode_open(struct lake *lake, struct inode *inode, int flags);
/* Of a stub (content/cloud/stub.h): as of the file that it stands for. */
int inode_stat(struct lake *lake, struct inode *inode, struct stat *st);
/* Of a symlink; its length. */
int inode_read_link(struct lake *lake, struct inode *inode, char *target, size_t room);
/* Before its last name goes away: where handles cannot be opened, keeps a descriptor. */
int inode_pin(struct lake *lake, struct inode *inode);

/* A folder's O_PATH descriptor, shared and kept for a while. Give it back with folder_put(). */
struct folder_fd;
int folder_get(struct lake *lake, struct inode *folder, struct folder_fd **out);
void folder_put(struct folder_fd *f);
int folder_fd(const struct folder_fd *f);
static inline void folder_putp(struct folder_fd **f)
{
	folder_put(*f);
}
#define _cleanup_folder_ __attribute__((cleanup(folder_putp)))

/* ---- state ---- */

/* Ends INODE_CHANGING. */
void inode_end_change(struct inode *inode);
/* Marks a record about INODE as submitted: it stays in memory until readers can see COMMIT. */
void inode_submitted(struct inode *inode, uint64_t commit);

#endif
