/*
 * A lake in use by the daemon: its folders, its store, its settings, its buckets and the inodes in memory. Made once by
 * lake_open(), passed to everything above. What is not said to be locked is set while opening and never changes.
 */
#ifndef TARN_CONTENT_LAKE_H
#define TARN_CONTENT_LAKE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/settings.h"
#include "content/inode.h"
#include "content/volume.h"
#include "lineage/lineage.h"
#include "meta/store.h"

#define LAKE_VOLUMES 64 /* the lake's own file system, and one for each bucket that lies elsewhere */

/* A top-level folder. Never freed while the lake is open, so that a pointer to it may be kept; a removed one is kept
 * for the inodes that still point to it. */
struct bucket {
	char *name; /* protected by lake->buckets_lock */
	struct volume *volume;
	int fd;	    /* O_PATH of a bucket that lies elsewhere, else -1 */
	char *path; /* where it was then; NULL: in buckets/ */
	_Atomic(const struct bucket_policy *) policy;
	bool removed;
	struct bucket *next;
};

/* What content needs of the front end; fuse/ fills it in before the first request. Any function may be NULL. */
/* What a mount does with files whose bytes are only in the cloud (-o stubs=). */
enum stubs_use {
	STUBS_RECALL, /* they come when they are read */
	STUBS_SKIP,   /* they are not listed, and nobody gets what is not here */
	STUBS_FAIL    /* the latter */
};

struct frontend {
	void *arg;
	enum stubs_use stubs;
	/* Registers a backing file with the kernel: its id (> 0) or -errno. FD may be O_PATH, and is closed after. */
	int (*backing_open)(void *arg, int fd);
	void (*backing_close)(void *arg, int id);
	/* The kernel's cached attributes of NODE are stale; with DATA its pages too. Only queues. */
	void (*invalidate)(void *arg, uint64_t node, bool data);
	/* Pages of NODE that were written through a mapping are written back; waits for it, but not for long. */
	void (*write_back)(void *arg, uint64_t node);
	/* Waits until the kernel knows what was queued, but not for long. */
	void (*wait_notices)(void *arg);
	/* The kernel's cached entry NAME in folder PARENT is stale. Only queues. */
	void (*invalidate_entry)(void *arg, uint64_t parent, const char *name);
	/* Waits until what was queued is with the kernel, but not for long. Not from a request's thread. */
	void (*flush)(void *arg);
};

/* What the background work on the cloud did since the lake was opened, and how it is; for those who show it. */
struct lake_cloud {
	atomic_uint_fast64_t uploaded, uploaded_bytes, released, released_bytes; /* files */
	_Atomic uint64_t waiting, waiting_bytes;				 /* queued, or on their way */
	_Atomic uint64_t use, high;	/* bytes that the lake uses; from where on files leave */
	_Atomic uint64_t early, target; /* from where on they are uploaded; down to where they leave */
	_Atomic bool takes_history; /* old versions can go there, and do when there is no room (work/cloud/history.c) */
	_Atomic bool history_leaves; /* there is none: they are packed at once */
	_Atomic uint64_t packed_to;  /* versions that ended with this commit or before were looked at by who packs */
};

struct lake_counters {
	atomic_uint_fast64_t opens_passthrough, opens_direct, opens_cached, asides, cuts, settle_retries, adopted;
	atomic_uint_fast64_t synthetic; /* look-ups that ended in a view */
};

/* Is the prefix at the remote this lake's (content/cloud/mark.h)? */
enum mark_state { MARK_UNKNOWN, MARK_HELD, MARK_OTHERS };
struct lake_mark {
	pthread_mutex_t lock; /* of who asks the remote; taken with nothing held */
	char use[33];	      /* protected by lock; "": none */
	_Atomic enum mark_state state;
	_Atomic int64_t looked_at; /* monotonic */
	_Atomic bool wanted;	   /* somebody waits for it to be looked at again */
	char who[200];		   /* whose it is; protected by buckets_lock */
};

struct lake {
	char *path;		     /* absolute */
	uint64_t id;		     /* whatever becomes of it: a copy of the lake has the same */
	int fd, buckets_fd, temp_fd; /* opened before anything is mounted over buckets/ */
	struct store *store;
	bool privileged;	  /* may act for others: root */
	_Atomic bool passthrough; /* the kernel reads and writes backing files itself */
	/* this and in_place: set before the lake is mounted as it is, perhaps beside a view of its past */
	_Atomic bool read_only;
	_Atomic bool audit_reads;	  /* each open for reading is recorded */
	_Atomic int64_t version_interval; /* ns */
	_Atomic bool in_place;		  /* mounted over buckets/: nobody else can write there */
	struct frontend frontend;
	struct inode_table *inodes;

	pthread_mutex_t buckets_lock;	/* settings, the list of buckets */
	struct tier *tier;		/* content/cloud/remote.h */
	_Atomic bool has_tier;		/* it is there */
	struct lake_mark mark;		/* of that */
	struct settings *settings;	/* the newest; older ones live on in `retired` */
	struct declared_tables *tables; /* content/tables.h */
	struct settings *retired[64];
	int nretired;
	struct bucket *buckets; /* new ones come to its head */
	/* By index; NULL: none, or its disk is not there now. Written under buckets_lock; one that is there stays. */
	_Atomic(struct volume *) volumes[LAKE_VOLUMES];

	/* Read: an operation changes the tree and tells the store. Write: something unknown is taken in. See
	 * outside.h */
	pthread_rwlock_t tree_lock;
	atomic_uint published; /* rises with each publication; changes with the tree lock held for writing */

	pthread_mutex_t opened_lock;
	struct opened *open_files, *open_folders; /* ns/opened.h; protected by opened_lock */

	struct settle_queue *unsettled;	       /* content/settle.h */
	struct registered *registered;	       /* content/registered.h */
	struct former_names *formers;	       /* content/past/former.h */
	struct lineage *lineage;	       /* lineage/lineage.h */
	_Atomic bool lineage_on;	       /* it is to be told of what is read and written */
	pthread_mutex_t growth_lock;	       /* held while a version grows, or a moment gets a name */
	_Atomic uint64_t pinned;	       /* content/appends.h: versions of this commit and before do not grow */
	struct packs *packs;		       /* content/pack/packs.h */
	struct recalls *recalls;	       /* content/recall/recall.h */
	struct recall_callers *recall_callers; /* content/recall/recall_caller.h */
	struct drafts *drafts;		       /* content/cloud/draft.h */
	_Atomic bool space_short;	       /* history must not grow; writers may be slowed */
	atomic_uint_fast64_t undo_limit;       /* content/past/kept.h; and when it was found out */
	_Atomic int64_t undo_limit_time;
	int64_t crashed_at;    /* the last commit before the last daemon ended without saying so; 0: it ended well */
	bool changes_kept;     /* content/cloud/backup.h: from the store's opening on; work/ takes it over… */
	uint64_t changes_last; /* …with the last commit then */
	_Atomic int64_t backup_at;    /* wall clock: all that was committed by then is at the remote; 0: not yet */
	_Atomic int backup_error;     /* -errno of the last attempt; 0 */
	bool power_failed;	      /* since the last daemon ran; known from lake_recover() on */
	_Atomic bool undurable;	      /* something was cut since the last durable_point() */
	_Atomic uint64_t relied_on;   /* content/cloud/stub_evict.c: this commit is durable, … */
	_Atomic int64_t relied_on_at; /* …and all that was submitted until then */
	_Atomic bool scan_running;
	atomic_uint_fast64_t scan_seen;
	struct lake_counters counters;
	struct lake_cloud cloud;
	struct room *room; /* content/room.h */
	int64_t since;	   /* wall clock, ns */
};

/*
 * Opens the lake at PATH (absolute) for a daemon: folders, the store (as its only writer), volumes and buckets, root's
 * node. SETTINGS: the caller's reference is taken over. 0 or -errno, with one line for the user in ERROR.
 */
int lake_open(const char *path, struct settings *settings, struct lake **out, struct buf *error);
/* Nothing may use it any more. 0 or the store's error. */
int lake_close(struct lake *lake);

/* Applies new settings (takes the reference): policies of all buckets, from the next operation on. */
void lake_set_settings(struct lake *lake, struct settings *settings);
/* Reads the file again and applies it. FINDINGS: what there is to say of it. 0, -EINVAL: the old ones stay; -errno. */
int lake_reload(struct lake *lake, struct findings *findings);
/*
 * The buckets that the settings name are there from now on, those that lie elsewhere too. FINDINGS: which cannot be
 * reached, and which are in use at another place than the settings say: these move with the next mount. 0 or -ENOMEM.
 */
int lake_open_buckets(struct lake *lake, struct findings *findings);
/* The newest settings, with a reference. */
struct settings *lake_settings(struct lake *lake);

/* The volume of a row; NULL when its disk is not there. */
static inline struct volume *lake_volume(const struct lake *lake, int index)
{
	return index >= 0 && index < LAKE_VOLUMES ? lake->volumes[index] : NULL;
}

/*
 * The bucket NAME with its policy; made when it is not known yet. -EINVAL for a name that no bucket may have. A bucket
 * whose `path` is elsewhere: its volume is opened (and its .tarn-versions made); -errno when that fails.
 */
int lake_bucket(struct lake *lake, const char *name, struct bucket **out);
void lake_bucket_renamed(struct lake *lake, const char *from, const char *to);
void lake_bucket_removed(struct lake *lake, const char *name);
static inline const struct bucket_policy *bucket_policy(struct bucket *b)
{
	return atomic_load_explicit(&b->policy, memory_order_acquire);
}
/* Names that the root's view takes: no bucket may be called so. */
bool bucket_name_reserved(const char *name);

/* Is history kept for a file of this name in this bucket? False for private, excluded and temporary names. */
bool bucket_versions(struct bucket *b, struct inode *parent, const char *name);
/* Names that programs give to files on their way to another name. */
bool name_is_temporary(const char *name);

/* Bytes that the lake uses and that its disk has free, for the budget. */
int lake_space(struct lake *lake, uint64_t *used, uint64_t *free_bytes, uint64_t *total);

#endif
