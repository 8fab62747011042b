/*
 * The metadata store: one SQLite database in WAL mode (catalog/tarn.db). meta/ is its only user.
 *
 * Writing goes through records. A record is one commit: a number, a time, who did it, and the row changes that belong
 * together; it is applied in one transaction or not at all. One writer thread takes what has arrived and applies it
 * as a group: store_submit() only queues. What a record says becomes visible to readers after its group's COMMIT
 * (within ten milliseconds, at once when somebody waits), and durable after store_sync().
 *
 * Order: records are applied in the order of store_submit(), and their commit numbers rise in that order. Identifiers
 * of nodes and versions are drawn from counters that are persisted ahead (store_new_node, store_new_version), so that
 * none is ever used twice, also after a crash.
 *
 * Reading: every function below may be called from any thread; each thread gets a connection of its own. A reader sees
 * what was committed; store_barrier() first makes it see all that was submitted before.
 *
 * Errors: 0 or -errno. -ENOENT: no such row. -EIO: SQLite failed (logged once, with its message). A writer that can no
 * longer commit (disk full) keeps its queue, tries again each second, logs once, and lets store_submit() block when the
 * queue is full; store_sync() then fails with -EIO (or -ENOSPC) rather than lie.
 *
 * A folder that is removed and made again, or moved to where one was removed, has a line (meta/line.h): itself, and the
 * folders whose place it took. What waits at a path waits there for the next folder of the line, too.
 *
 * Times are nanoseconds since 1970 in UTC, sizes bytes. Names are bytes, without a NUL, not always UTF-8.
 */
#ifndef TARN_META_STORE_H
#define TARN_META_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/fhandle.h"

struct store;
struct record;

#define NODE_ROOT UINT64_C(1)			  /* buckets/ itself; its children are the buckets */
#define COMMIT_LIVE UINT64_C(9223372036854775807) /* the end of what has not ended */
#define NAME_BYTES 255
#define SHA256_BYTES 32

enum node_kind { KIND_FILE = 1, KIND_FOLDER, KIND_SYMLINK, KIND_OTHER };

enum change_op {
	OP_CREATE = 1,
	OP_MKDIR,
	OP_MKNOD,
	OP_SYMLINK,
	OP_LINK,
	OP_UNLINK,
	OP_RMDIR,
	OP_RENAME,
	OP_EXCHANGE,
	OP_ATTR, /* chmod, chown, utimens */
	OP_XATTR,
	OP_TRUNCATE,
	OP_OPEN,    /* for writing: the content may change from here on */
	OP_WRITE,   /* a version was cut: the content that was written is settled */
	OP_READ,    /* only with audit_reads */
	OP_OUTSIDE, /* found changed behind tarn's back */
	OP_SYSTEM,  /* tarn's own: jobs, expiry, settings; logged when it changes names, nodes or versions */
	OP_LABEL    /* a moment was given a name, or lost it */
};
const char *change_op_name(enum change_op op);

enum version_state {
	VERSION_LIVE = 1,  /* the bytes are the live file's */
	VERSION_KEPT,	   /* the bytes are in versions/ (or need none: size 0) */
	VERSION_PARTIAL,   /* of a file that was still being written: kept, but not listed */
	VERSION_TRANSIENT, /* the same, and its bytes are not kept: lineage needs it */
	VERSION_NOT_KEPT,  /* the bytes are gone; reason says why */
	VERSION_EXPIRED,
	VERSION_PURGED
};
const char *version_state_name(enum version_state s);

/* How an old version's bytes are kept. */
enum version_how { HOW_NONE = 0, HOW_ASIDE, HOW_PREFIX, HOW_UNDO, HOW_REFLINK, HOW_PACKED, HOW_COPY, HOW_CLOUD };
const char *version_how_name(enum version_how h);

struct node_row {
	uint64_t id;
	enum node_kind kind;
	int volume;	       /* which file system: 0 the lake's, else a bucket's own (content/volume.h) */
	struct fhandle handle; /* len 0: none */
	mode_t mode;	       /* with the type bits */
	uid_t uid;
	gid_t gid;
	uint64_t size;
	int64_t mtime, ctime; /* ns; ctime is the backing inode's when the row was last right */
	uint64_t asset;	      /* 0: no version yet */
	uint64_t version;     /* the live version's id; 0: nothing cut yet */
	bool writing;	      /* open for writing, or not settled since: after a crash its content must be checked */
	bool acl;	      /* has a POSIX ACL */
	bool stub;	      /* of a file: its bytes are only in the cloud, a placeholder lies in the bucket */
	bool pin;	      /* its bytes stay here; of a folder: those of all that lies below it */
	int64_t opened; /* of a file: when it was made, cut, or opened for reading last (<= 5 s late); only read */
};

struct version_row {
	uint64_t id; /* lake-wide, never reused */
	uint64_t asset, number;
	uint64_t node;
	uint64_t commit; /* since when it is the series' */
	int64_t time;	 /* of the commit */
	uint64_t
		cut_commit; /* when these bytes became the node's content: before `commit` after a rename over a file */
	uint64_t end_commit; /* when they ceased to be; COMMIT_LIVE */
	int64_t end_time;    /* of that; 0 */
	uint64_t size;
	uint64_t stored; /* bytes that keeping it occupies on disk; HOW_UNDO: of its undo file, at least */
	int64_t mtime;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	enum version_state state;
	enum version_how how;
	bool settled;	/* false: somebody may still write into it; then it is not listed */
	bool not_alone; /* whole only with what lay beside it as of its commit; then it is not listed, either */
	bool hashed;
	uint8_t sha256[SHA256_BYTES];
	uint64_t run;
	uid_t run_uid;
	int volume;
	char mime[128];	  /* "" while unknown */
	char reason[128]; /* of not-kept, expired; "" else */
};

struct run_row {
	uint64_t id;
	char boot[37]; /* boot id */
	pid_t tgid;
	uint64_t start; /* clock ticks after boot, from /proc/PID/stat */
	uid_t uid;
	uint64_t parent;      /* the run that started it, as far as that is known; else 0 */
	int64_t began, wrote; /* wall clock, ns: its start; when it last made a version of something; 0: not known */
	const char *exe, *argv, *cwd, *cgroup; /* argv: a JSON list of words, redacted; borrowed */
	const char *name;		       /* what its environment calls it (TARN_RUN_NAME, TARN_RUN_ID), or NULL */
};
/* Runs that are always there. */
#define RUN_UNKNOWN UINT64_C(1) /* from outside this pid namespace */
#define RUN_OUTSIDE UINT64_C(2) /* changes found behind tarn's back */
#define RUN_TARN UINT64_C(3)	/* tarn itself */

/* A name for a moment of a folder. */
struct label_row {
	uint64_t folder;
	char name[NAME_BYTES + 1];
	uint64_t commit;
	int64_t time; /* of the commit */
	uid_t uid;
};

/* A file of packed contents, and a content in it, by its hash. What the file holds is content/pack/pack_file.h's
 * matter. */
enum pack_state {
	PACK_HERE = 1, /* the file is complete */
	PACK_AWAY,     /* it is only in the cloud; here is an index of it (content/pack/pack_index.h) */
	PACK_STAYS     /* complete, and never leaves: it has contents of pinned files */
};
struct pack_row {
	uint64_t id;
	int volume;
	uint64_t bytes;
	enum pack_state state;
	uint64_t objects, object_bytes; /* in it; only read */
};
struct object_row {
	uint8_t sha256[SHA256_BYTES];
	uint64_t size; /* of the content */
	uint64_t pack, offset, length;
	bool has_base; /* it can be read only with this other object */
	uint8_t base[SHA256_BYTES];
};

/*
 * An object at a remote: what lies there under a key. It is the content of a version as it was when that was settled,
 * or a pack's file, or neither: then nothing but its hash says what is in it.
 */
enum cloud_state {
	CLOUD_INTENT = 1, /* it may be there or not, whole or not: an upload began */
	CLOUD_VERIFIED,	  /* it is there, and its size and hash were compared with the content's */
	CLOUD_FOREIGN,	  /* somebody else put it there; its hash may not be known */
	CLOUD_GOING	  /* it may be there, and nothing needs it: to be removed */
};
#define CLOUD_KEY_BYTES 1024

struct cloud_row {
	uint64_t id;	 /* only read, and only for going through all of them */
	char remote[64]; /* "": the primary one */
	char key[CLOUD_KEY_BYTES + 1];
	uint64_t version; /* 0: of none */
	uint64_t pack;	  /* 0: not a pack's file */
	bool hashed;
	uint8_t sha256[SHA256_BYTES]; /* of the content */
	uint64_t size, stored;	      /* of the content; of the object */
	int compress;		      /* 0: the object is the content; 1: zstd, seekable frames */
	char etag[128], class[32];    /* "": not known */
	enum cloud_state state;
	int64_t time; /* when it got its state; only read */
};

/* A live local file that has a settled version, as the policy looks at it. */
struct cold_row {
	uint64_t node, parent, version;
	uint64_t size; /* of the version */
	int64_t opened, cut;
	int volume;
	bool pin, writing, settled, hashed; /* of the node; of the version */
	bool uploaded;			    /* an object with the version's content is there, verified */
};

enum job_type {
	JOB_SNIFF = 1, /* hash and MIME type of a version */
	JOB_EXPIRE,    /* a version's bytes go */
	JOB_SETTLE,
	JOB_PACK,	  /* history that could not be packed when its turn came */
	JOB_UPLOAD,	  /* a live version is wanted in the cloud now */
	JOB_EVICT,	  /* a file's bytes are to go from here once the cloud has them; a node */
	JOB_MOVE_KEY,	  /* a file or a folder has another path than its objects' keys say; a node */
	JOB_CLOUD_REMOVE, /* what nothing needs is removed from the remotes; 0 */
	JOB_RECALL	  /* a file's bytes are to be here again; a node */
};

struct job_row {
	uint64_t id;
	enum job_type type;
	uint64_t subject; /* a version's or node's id, as the type says */
	int tries;
};

/* ---- life ---- */

enum store_mode {
	STORE_CREATE = 1, /* make the file; -EEXIST if it is there */
	STORE_WRITE,	  /* open, migrate, start the writer. -ENOENT without a file */
	STORE_READ	  /* readers only; while a daemon writes is fine */
};
/*
 * PATH: the database file; its folder must exist. A store from a newer tarn: -EPROTONOSUPPORT, and *why (static or
 * NULL) names both schema numbers. A file that is no store: -EUCLEAN.
 */
int store_open(const char *path, enum store_mode mode, struct store **out, const char **why);
/* Commits what is queued, checkpoints, marks the store clean, frees. 0 or -errno of the last commit. */
int store_close(struct store *s);
/* Was the last writer's end clean? Known after opening with STORE_WRITE. */
bool store_was_clean(struct store *s);
/* PRAGMA quick_check, or integrity_check when FULL: 0, or -EUCLEAN with its words in WHY. */
int store_check(struct store *s, bool full, struct buf *why);

/* ---- numbers ---- */

/* Only when a whole block of numbers (65,536) is used up while nothing can be committed do these wait until it can. */
uint64_t store_new_node(struct store *s);
uint64_t store_new_version(struct store *s);
uint64_t store_last_commit(struct store *s); /* given out, perhaps not yet committed */

/* ---- writing ---- */

/*
 * A new record; NULL when out of memory. Every record_* call below adds one row change and borrows nothing: names and
 * rows are copied. Out of memory in between is remembered, and store_submit() then answers -ENOMEM.
 * NODE, PARENT, NAME: what the change was about, for the change log; PARENT 0 and NAME NULL where there is none.
 */
struct record *record_new(enum change_op op, uint64_t run, uid_t uid, uint64_t node, uint64_t parent, const char *name);
void record_free(struct record *r); /* one that is not to be submitted; NULL is fine */

/* A new node. Its asset is that of the last file that was unlinked (not renamed away) under the parent and name of its
 * first record_entry_add(), or of a later one as long as it has none; else it gets one with its first version. */
void record_node_add(struct record *r, const struct node_row *n);
/* All of mode, uid, gid, size, mtime, ctime, acl, handle, volume, from N->id's row on; not asset, version, writing,
 * stub, pin, opened. */
void record_node_set(struct record *r, const struct node_row *n);
void record_node_writing(struct record *r, uint64_t node, bool writing);
/* Where a symlink points to. */
void record_node_target(struct record *r, uint64_t node, const char *target);
/* Extended attributes and ACLs, as content/xattrs.h encodes them; LEN 0: it has none. */
void record_node_xattrs(struct record *r, uint64_t node, const void *blob, size_t len);
/* The bytes of a file are only in the cloud from now on, or here again; HANDLE is that of what lies in its place now
 * (len 0: none). */
void record_node_stub(struct record *r, uint64_t node, bool stub, const struct fhandle *handle);
void record_node_pin(struct record *r, uint64_t node, bool pin);
/* The last name went away: its handle is forgotten (its row stays for history). */
void record_node_end(struct record *r, uint64_t node);

void record_entry_add(struct record *r, uint64_t parent, const char *name, uint64_t node);
enum entry_end { ENDED_UNLINK = 1, ENDED_RENAME };
/* Nothing happens when there is no such live entry. */
void record_entry_end(struct record *r, uint64_t parent, const char *name, enum entry_end how);
/* NODE goes on with the series of OVER, the node that its new name belonged to (rename-over): its live version becomes
 * the next one of that series, its older ones stay with the series that it leaves. All takes of a record happen at
 * once, so that an exchange is two of them. */
void record_series_take(struct record *r, uint64_t node, uint64_t over);
/* The next version that NODE gets starts a series of its own (its old one stays with the path that it left). */
void record_series_leave(struct record *r, uint64_t node);

/* Cuts: V->id, node, size, mtime, mode, uid, gid, state, how, settled, volume, run, run_uid, stored, reason are
 * taken; asset and number are assigned here, commit, cut_commit and time are the record's. It becomes the node's live
 * version when state is VERSION_LIVE, and ends at once else. STORED 0: its size, when `how` is a file of its own. */
void record_version_add(struct record *r, const struct version_row *v);
/* Ends a live version, or says what became of an old one. REASON may be NULL. The node's live version becomes 0 when
 * it was this one. HOW says where its bytes are, also of an expired one that others are read through; with HOW_NONE
 * nothing is stored any more. */
void record_version_state(struct record *r, uint64_t version, enum version_state state, enum version_how how,
			  const char *reason);
/* The content of a live, kept, partial or expired version is kept in this way now, and occupies STORED bytes; its state
 * stays. A live version with a HOW has its base kept already. */
void record_version_how(struct record *r, uint64_t version, enum version_how how, uint64_t stored);
/* The same: it is packed, all SIZE bytes of it; nothing happens when it has grown since. */
void record_version_packed(struct record *r, uint64_t version, uint64_t size, uint64_t stored);
/* NEWER has the same bytes as OLDER, the one before it in its series: it goes on in its place there, with its number
 * and time. OLDER is in no series then: of the same node it goes, a job removes its bytes; of another one it stays for
 * what that node was. The store finds this by itself when both are hashed. */
void record_version_same(struct record *r, uint64_t newer, uint64_t older);
/* VERSION never was: nothing of it is told, and its number is not used again. A series that has only it goes, too. */
void record_version_drop(struct record *r, uint64_t version);
/* A live version grew, and nobody saw it before: it has this commit and its time, and its hash is not known. */
void record_version_grow(struct record *r, uint64_t version, uint64_t size, int64_t mtime);
void record_version_settled(struct record *r, uint64_t version, uint64_t size, int64_t mtime);
/* SHA256 may be NULL, MIME may be NULL: not known. */
void record_version_facts(struct record *r, uint64_t version, const uint8_t *sha256, const char *mime);
/* The same of its first SIZE bytes: nothing happens when it has grown since. */
void record_version_facts_of(struct record *r, uint64_t version, uint64_t size, const uint8_t *sha256,
			     const char *mime);

/* The hash and MIME type of a purged VERSION are forgotten, and the command line of the run that wrote it. */
void record_version_forget(struct record *r, uint64_t version);
/* The extended attributes that NODE had before those of now are forgotten; these, too, when it has no name any more. */
void record_node_forget(struct record *r, uint64_t node);

/* NAME is COMMIT (0: this record's own) of FOLDER from now on, whatever it was before. */
void record_label_set(struct record *r, uint64_t folder, const char *name, uint64_t commit, uid_t uid);
void record_label_remove(struct record *r, uint64_t folder, const char *name);

/* A pack is there, or has other bytes, state or volume now; removed, it takes its objects along, and its object in
 * the cloud is to go. */
void record_pack_set(struct record *r, const struct pack_row *p);
void record_pack_remove(struct record *r, uint64_t pack);
/* A content is in a pack now, and in no other any more. */
void record_object_set(struct record *r, const struct object_row *o);
void record_object_remove(struct record *r, const uint8_t *sha256);

/*
 * All of C but id and time. There is one row per remote and key: what was known of that object before is forgotten.
 * But nothing happens when C is an intent of one version and takes the last object of another one that is live, or kept
 * only in the cloud: who is about to overwrite an object looks, after the barrier, whether the row is its own.
 */
void record_cloud_set(struct record *r, const struct cloud_row *c);
/* The following are about the object of C's remote and key, as long as it is that of C's version and pack; else nothing
 * happens, for somebody else has it now. */
/* An upload ended: C's stored, compress, etag, class, hash are taken. Only when it is an intent, still. */
void record_cloud_verified(struct record *r, const struct cloud_row *c);
/* CLOUD_GOING is refused as an intent is, see above. */
void record_cloud_state(struct record *r, const struct cloud_row *c, enum cloud_state state);
void record_cloud_remove(struct record *r, const struct cloud_row *c);
/* All objects of OLDER are NEWER's from now on, which has the same bytes; OLDER is kept, and found by its hash. */
void record_cloud_hand_over(struct record *r, uint64_t older, uint64_t newer);

/* One job per type and subject: a later one replaces an earlier, under a new id, so that the worker that is busy with
 * the earlier ends only that. */
void record_job_add(struct record *r, enum job_type type, uint64_t subject, int64_t due);
void record_job_done(struct record *r, uint64_t job);
void record_job_retry(struct record *r, uint64_t job, int64_t due, const char *error);

/* A run is known from now on, or is now another program than before: then exe, argv, cwd and name are put right. Runs
 * are numbered by store_run(). */
void record_run(struct record *r, const struct run_row *run);
/* COUNT opens for reading of NODE's series today. */
void record_opens(struct record *r, uint64_t node, uint64_t count);
/* A fact about the lake, by key (settings seen last, root's handle …). VALUE NULL removes it. */
void record_lake(struct record *r, const char *key, const void *value, size_t len);
/*
 * What a power failure would leave. The content of every version that was cut up to COMMIT is on the disk, not only in
 * the kernel's memory; before that, one at a time: NODE's content was fsynced while it had this size and mtime.
 */
void record_durable(struct record *r, uint64_t commit);
void record_synced(struct record *r, uint64_t node, uint64_t size, int64_t mtime);
/* Every handle is void: the lake was copied or restored elsewhere. */
void record_forget_handles(struct record *r, int volume);

/*
 * Queues R and takes it. Returns its commit number in *COMMIT (may be NULL). Blocks only while the queue is full
 * (64 MiB). 0 or -ENOMEM (nothing queued; R is freed; also for R NULL, so that record_new() need not be checked, and
 * every record_* call takes NULL). -EROFS with STORE_READ.
 */
int store_submit(struct store *s, struct record *r, uint64_t *commit);

/* Waits until commit COMMIT (0: all submitted so far) can be seen by readers. */
int store_barrier(struct store *s, uint64_t commit);
/* Waits until it is durable: its WAL frames are fsynced. Returns at once when it was already. Callers share fsyncs. */
int store_sync(struct store *s, uint64_t commit);
/* The disk is full, and so are the blocks that the store keeps for that: nothing can be committed for now. */
bool store_is_full(struct store *s);
/*
 * What was forgotten by record_*_forget() before is in none of the store's files any more, its WAL included. Waits up
 * to WAIT_MS for those who read a moment of the store; then -EBUSY. Another -errno: it failed.
 */
int store_scrub(struct store *s, int wait_ms);
/* The highest commit that readers see; never waits. */
uint64_t store_visible(struct store *s);

/*
 * A number for a run, new or known, by (boot, tgid, start). Reads, then draws from a counter. CHANGES: it is about to
 * change something; when *KNOWN is false then, the caller records it (record_run()). One that only reads has a number,
 * and no row.
 */
uint64_t store_run(struct store *s, const char *boot, pid_t tgid, uint64_t start, bool changes, bool *known);
/* The path of the program of a run is added to EXE, as /proc told it. -ENOENT: there is no such run. */
int store_run_exe(struct store *s, uint64_t run, struct buf *exe);

/* ---- reading ---- */

/*
 * What this thread reads from here to store_moment_end() is of one moment of the store, and each read costs less. For a
 * few reads after each other: the WAL cannot shrink meanwhile, and what a barrier waits for is not seen. Nests. 0 or
 * -errno.
 */
int store_moment_begin(struct store *s);
void store_moment_end(struct store *s);

int store_lake(struct store *s, const char *key, struct buf *value);
int store_node(struct store *s, uint64_t id, struct node_row *out);
/* By handle. *HERE: true when (PARENT, NAME) is a live entry of that node. PARENT 0: not asked. */
int store_node_by_handle(struct store *s, int volume, const struct fhandle *h, uint64_t parent, const char *name,
			 struct node_row *out, bool *here);
/* By live entry. */
int store_entry(struct store *s, uint64_t parent, const char *name, struct node_row *out);
/* By the live entries along PATH, relative to buckets/; "": the root. */
int store_find(struct store *s, const char *path, struct node_row *out);
/* The live entries of a folder, in no particular order. FN's non-zero answer ends it and is returned. */
typedef int (*store_entry_fn)(void *arg, const char *name, uint64_t node, enum node_kind kind);
int store_entries(struct store *s, uint64_t parent, store_entry_fn fn, void *arg);
/* The node whose series belongs to a path: that of the live file, else of the last file that was unlinked there, in
 * PARENT's line; what is, or was, there that is no file counts for nothing. */
int store_series(struct store *s, uint64_t parent, const char *name, uint64_t *asset, uint64_t *live_node);

/* The path of a live node below buckets/ ("raw-data/a.csv"), by its first name; -ENOENT for a node without a name. */
int store_path(struct store *s, uint64_t node, struct buf *path);
/* Has a node a live name besides NAME in PARENT? 1, 0 or -errno. */
int store_named_elsewhere(struct store *s, uint64_t node, uint64_t parent, const char *name);
/* One of a live node's names, and the folder it is in; -ENOENT when it has none. */
int store_name(struct store *s, uint64_t node, uint64_t *parent, struct buf *name);

int store_version(struct store *s, uint64_t id, struct version_row *out);
int store_version_by_number(struct store *s, uint64_t asset, uint64_t number, struct version_row *out);
/* The newest version numbered below BELOW (0: any) that can be read. */
int store_version_before(struct store *s, uint64_t asset, uint64_t below, struct version_row *out);
/* The newest version committed at or before TIME; partial and transient ones are passed over. */
int store_version_at(struct store *s, uint64_t asset, int64_t time, struct version_row *out);
typedef int (*store_version_fn)(void *arg, const struct version_row *v);
int store_versions(struct store *s, uint64_t asset, store_version_fn fn, void *arg); /* by rising number */
/* The same, of each row only id, node, number, state, how, settled, not_alone. */
int store_versions_brief(struct store *s, uint64_t asset, store_version_fn fn, void *arg);

/* All that can be read and have this hash; looks at all versions. */
int store_versions_by_hash(struct store *s, const uint8_t *sha256, store_version_fn fn, void *arg);
/* At most LIMIT of those that can be read, are settled and hashed and have bytes, by rising id, after AFTER. */
int store_versions_hashed(struct store *s, uint64_t after, int limit, store_version_fn fn, void *arg);

/* ---- packs ---- */

int store_object(struct store *s, const uint8_t *sha256, struct object_row *out);
typedef int (*store_object_fn)(void *arg, const struct object_row *o);
int store_objects(struct store *s, uint64_t pack, store_object_fn fn, void *arg); /* by rising offset */
/* Those that can be read only with BASE. */
int store_objects_on(struct store *s, const uint8_t *base, store_object_fn fn, void *arg);
/* Those that neither a version nor another object needs; a version that is over needs its own while its HOW says so. */
int store_objects_unused(struct store *s, store_object_fn fn, void *arg);
int store_pack(struct store *s, uint64_t id, struct pack_row *out);
typedef int (*store_pack_fn)(void *arg, const struct pack_row *p);
int store_packs(struct store *s, store_pack_fn fn, void *arg); /* by rising id */
struct pack_totals {
	uint64_t packs, bytes;		 /* of the files that are here */
	uint64_t staying, staying_bytes; /* of these, that never leave */
	uint64_t away, away_bytes;	 /* of those that are only in the cloud */
	uint64_t objects, content_bytes; /* of what is in them, unpacked */
};
int store_pack_totals(struct store *s, struct pack_totals *out);
/* The versions, live ones too, whose content is kept as this object (HOW_PACKED). */
int store_versions_packed(struct store *s, const uint8_t *sha256, store_version_fn fn, void *arg);

/* ---- the cloud ---- */

/* An object with the content of VERSION, verified or foreign: its own; of one that is not live any more also one with
 * its hash and size. -ENOENT. */
int store_cloud_of_version(struct store *s, uint64_t version, struct cloud_row *out);
/* A verified object with this content. -ENOENT. */
int store_cloud_by_hash(struct store *s, const uint8_t *sha256, uint64_t size, struct cloud_row *out);
/* The same of C's content, under another key than C's. */
int store_cloud_elsewhere(struct store *s, const struct cloud_row *c, struct cloud_row *out);
/* In whatever state. -ENOENT. */
int store_cloud_by_key(struct store *s, const char *remote, const char *key, struct cloud_row *out);
int store_cloud_of_pack(struct store *s, uint64_t pack, struct cloud_row *out);
/* Can some version be read only from an object with C's content: the live one of a stub from its own, an old one that
 * is kept in the cloud from any? 1, and which one; 0; -errno. That there is another such object is not asked. */
int store_cloud_need(struct store *s, const struct cloud_row *c, uint64_t *version);
/* Those in STATE (0: all), by rising id from the one after AFTER on; for intents and those that go it costs only them.
 * FN's non-zero answer ends it and is returned. */
typedef int (*store_cloud_fn)(void *arg, const struct cloud_row *c);
int store_cloud_each(struct store *s, enum cloud_state state, uint64_t after, store_cloud_fn fn, void *arg);
/* All that were made for VERSION, whatever their state. */
int store_cloud_each_of_version(struct store *s, uint64_t version, store_cloud_fn fn, void *arg);
/* The files that may leave, in the policy's order: those of the hour in which they were opened least recently first,
 * and the larger ones first among them; only those opened before BEFORE. FN's non-zero answer ends it and is
 * returned. */
typedef int (*store_cold_fn)(void *arg, const struct cold_row *c);
int store_cold(struct store *s, int64_t before, store_cold_fn fn, void *arg);

/* ---- the whole ---- */

/* Nodes that were open for writing when the last daemon ended. */
typedef int (*store_node_fn)(void *arg, const struct node_row *n);
int store_writing(struct store *s, store_node_fn fn, void *arg);

/* Every live file, for .catalog/assets: path order is the tree's, folder by folder. VERSION: its live version, or one
 * with id 0. VERSIONS: how many can be read, the live one included. FOLDER_VISIBLE (may be NULL) is asked once per
 * folder, and what lies below is left out when it says false. */
struct asset_row {
	const char *path; /* below buckets/ */
	const struct node_row *node;
	const struct version_row *version;
	uint64_t versions;
};
typedef int (*store_asset_fn)(void *arg, const struct asset_row *a);
typedef bool (*store_visible_fn)(void *arg, const struct node_row *folder);
int store_assets(struct store *s, store_visible_fn folder_visible, store_asset_fn fn, void *arg);

struct store_totals {
	uint64_t files, folders, symlinks, bytes; /* live */
	uint64_t versions_kept, versions_kept_bytes, versions_not_kept;
	uint64_t stored_bytes;			 /* what keeping old versions occupies */
	uint64_t versions_by_how[HOW_CLOUD + 1]; /* of those kept */
	uint64_t jobs, commits, opens;
	uint64_t stubs, stub_bytes;	   /* live files whose bytes are only in the cloud */
	uint64_t uploaded, uploaded_bytes; /* live versions that the cloud has, those of stubs included */
	uint64_t cloud, cloud_bytes;	   /* objects that can be relied on; what they occupy there */
	uint64_t cloud_intents, cloud_intent_bytes, cloud_going;
	uint64_t store_bytes; /* database and WAL on disk */
};
/* Why versions are not kept, the most frequent reason first. */
typedef int (*store_reason_fn)(void *arg, const char *reason, uint64_t count);
int store_not_kept(struct store *s, store_reason_fn fn, void *arg);
int store_totals(struct store *s, struct store_totals *out); /* kept up to date by the writer: O(1), no table scan */

/* Kept and partial versions, in the order in which they ceased to be live, for expiry. At most LIMIT. */
int store_oldest_kept(struct store *s, int limit, store_version_fn fn, void *arg);

/* The same, those that ceased to be live after COMMIT, or in it and have a higher id than VERSION. */
int store_kept_after(struct store *s, uint64_t commit, uint64_t version, int limit, store_version_fn fn, void *arg);
/* The live, kept and partial versions that were cut after record_durable()'s commit. */
int store_not_durable(struct store *s, store_version_fn fn, void *arg);
/* Was it recorded by record_synced() since? 1, 0 or -errno. */
int store_is_synced(struct store *s, uint64_t node, uint64_t size, int64_t mtime);

/* Up to N jobs of TYPE that are due, oldest first. One worker thread per type takes them. */
int store_jobs(struct store *s, enum job_type type, int64_t now, struct job_row *jobs, int n);
/* When the first job of TYPE is due. -ENOENT: there is none. */
int store_next_job(struct store *s, enum job_type type, int64_t *due);
/* Calls FN(ARG) from the writer thread after a commit that added jobs; FN must not call the store. FN NULL: no more,
 * and none is running when this returns. */
void store_on_jobs(struct store *s, void (*fn)(void *arg), void *arg);

#include "meta/store_catalog.h"
#include "meta/store_lineage.h"
#include "meta/store_past.h"

#endif
