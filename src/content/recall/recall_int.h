/*
 * What the parts of recalls share.
 *
 *	recall.c	the table, opening and closing, the files in cache/
 *	recall_read.c	waiting for bytes, and what is fetched ahead of whom
 *	recall_fetch.c	the queue and the threads that fetch
 *	recall_keep.c	verifying, and making durable what came
 *	recall_room.c	what goes when there is no room
 *	recall_ends.c	head and tail of what is in the cloud
 *
 * Locks, in this order: the set's `room`, its `opening`; a recall's `files`; its `drop`; its `lock`; the set's
 * `lock`, a leaf. No call is made under the last two. Under `drop`, taken for reading, the sparse file is read, and
 * what comes is written to it; taken for writing, parts of it are given up.
 */
#ifndef TARN_CONTENT_RECALL_RECALL_INT_H
#define TARN_CONTENT_RECALL_RECALL_INT_H

#include <pthread.h>

#include <openssl/evp.h>
#include <uthash.h>

#include "content/recall/extents.h"
#include "content/cloud/frames.h"
#include "content/recall/part_map.h"
#include "content/recall/recall.h"

#define RECALL_NAME_MAX 48
#define RECALL_STREAMS 8

/* One request that is waiting for a thread, or under way. */
struct fetch {
	struct recall *recall;
	uint64_t from, to;
	uint64_t at;		   /* how far it came; of who fetches */
	int64_t begun;		   /* monotonic, when a thread took it */
	struct tier_head head;	   /* of what it reads; the same */
	uint64_t reserved;	   /* of the bytes that did not come yet; of who fetches */
	bool urgent;		   /* somebody waits for it */
	struct fetch *prev, *next; /* in the set's queue */
};

/* Somebody who waits; on the stack. */
struct demand {
	uint64_t from, to;
	int rc;		  /* what became of a fetch of it, or 0 */
	int64_t begun;	  /* monotonic */
	int64_t progress; /* when the last of its bytes came */
	pthread_cond_t changed;
	struct demand *prev, *next;
};

/* Who reads on where it ended. */
struct stream {
	uint64_t next, read; /* where it is, and how much it read so far */
	uint64_t turn;	     /* when it was used last */
};

struct recalls {
	pthread_mutex_t room;	 /* one at a time makes room */
	pthread_mutex_t opening; /* so that two do not begin the same file */
	int64_t scanned;	 /* when cache/ was read last; protected by opening */
	pthread_mutex_t lock;
	/* protected by lock */
	struct recall *table;
	struct fetch *urgent, *ahead; /* what waits for a thread */
	pthread_cond_t work, kept;    /* for the fetchers; for the keeper */
	pthread_t fetchers[RECALL_THREADS], keeper;
	unsigned nfetchers, idle;
	bool keeping;	   /* the keeper runs */
	uint64_t reserved; /* bytes that are about to come */
	uint64_t ends;	   /* bytes of heads and tails */
	bool ends_known;
	_Atomic bool stop;
};

struct recall {
	/* set when made */
	struct recalls *set;
	struct tier *tier;
	int cachefd, fd;
	struct recall_key {
		uint64_t id;
		uint8_t content[PART_CONTENT];
	} of;
	uint64_t size;
	bool hashed;
	uint8_t wanted[SHA256_BYTES];

	/* protected by the set's lock */
	UT_hash_handle by_content;
	unsigned refs;	/* of who has it open, of fetches under way, of the keeper */
	unsigned opens; /* of these, the first */
	bool in_table;
	int64_t closed_at; /* monotonic, when opens became zero */

	pthread_mutex_t files;
	/* protected by files */
	struct part_map *map;	/* NULL: none yet */
	struct extents durable; /* what the map says */
	bool is_whole_file;	/* its name says that it is whole */
	bool taken;		/* its file has gone elsewhere */
	unsigned pins;		/* it must not */

	pthread_rwlock_t drop;

	pthread_mutex_t lock;
	/* protected by lock */
	char *key, *etag;	   /* ETag NULL: any */
	uint64_t compressed;	   /* size of an object that is compressed; 0: it is the content */
	struct frame_table *table; /* of that, once it is known */
	struct extents here;	   /* in the sparse file, may be read */
	struct extents coming;	   /* what fetches are for */
	struct demand *demands;
	struct stream streams[RECALL_STREAMS];
	uint64_t turns;
	int64_t ahead_after;	/* monotonic: a fetch ahead failed, so none until then */
	uint64_t window;	/* no more is fetched ahead, for there was no room… */
	int64_t narrow_until;	/* …until then, monotonic */
	struct extent withheld; /* came last; given out once all is verified */
	bool verified;		/* all of it has matched */
	bool hashing;		/* somebody is at `md` */
	int broken;		/* -errno of all reads that need more, until… */
	int64_t broken_until;	/* …then, monotonic */
	bool damaged;		/* what came was another content, and the map is to forget it */
	int64_t since;		/* monotonic: something is here that is not durable; 0: nothing */

	/* of who is hashing */
	EVP_MD_CTX *md;
	uint64_t hashed_to;
	uint8_t sha256[SHA256_BYTES]; /* once verified */
};

/* ---- recall.c ---- */

enum recall_file { RECALL_PART_FILE, RECALL_MAP_FILE, RECALL_WHOLE_FILE, RECALL_ENDS_FILE };
void recall_key_name(const struct recall_key *of, enum recall_file what, char name[RECALL_NAME_MAX]);
void recall_tell_content(const struct recall_source *s, uint8_t content[PART_CONTENT]);
void recall_file_name(const struct recall *r, enum recall_file what, char name[RECALL_NAME_MAX]);
/* Nobody refers to it: it leaves memory; with discard its files go, too. */
void recall_free(struct recall *r);
void recall_discard(struct recall *r);
/* Each one in the table, with a reference. A malloc'ed array of *N; NULL: none, or no memory. */
struct recall **recall_list(struct recalls *rs, size_t *n);
/* A reference; the last one of a recall that is not in the table frees it. */
void recall_ref_locked(struct recall *r); /* the set's lock is held */
void recall_unref(struct recall *r);

/* ---- recall_fetch.c ---- */

/*
 * What is missing of [FROM, TO), to whole parts, is fetched, in pieces of at most PIECE. R's lock is held. 0 or
 * -ENOMEM.
 */
int recall_fetch_locked(struct recall *r, uint64_t from, uint64_t to, uint64_t piece, bool urgent);
/* What nobody began to fetch yet is not fetched. R's lock is held. */
void recall_unfetch_locked(struct recall *r);
void recall_stop_fetching(struct recalls *rs);

/* ---- recall_read.c ---- */

/* Reads that need more fail for a while. R's lock is held. */
void recall_break_locked(struct recall *r, int rc);
/* Can it be read? R's lock is held. */
bool recall_has_locked(const struct recall *r, uint64_t from, uint64_t to);
/* Somebody who waits for some of [FROM, TO); NULL: nobody. R's lock is held. */
struct demand *recall_wanted_locked(const struct recall *r, uint64_t from, uint64_t to);
/* Bytes of [FROM, TO) came: who waits for no more goes on. R's lock is held. */
void recall_came_locked(struct recall *r, uint64_t from, uint64_t to);
/*
 * A fetch of them that began at BEGUN (monotonic) ended with RC: who waits since before that gets that error; all
 * others look again. R's lock is held.
 */
void recall_failed_locked(struct recall *r, uint64_t from, uint64_t to, int rc, int64_t begun);

/* ---- recall_room.c ---- */

/*
 * Is there room for BYTES more, or can it be made? 0: they are counted until recall_unreserve(). -ENOSPC: there is none
 * for what is fetched ahead; for what is waited for, soon; or, after some seconds where there was hope, ever.
 */
enum recall_need { RECALL_LATER, RECALL_SOON, RECALL_NOW };
int recall_reserve(struct recall *r, uint64_t bytes, enum recall_need need);
void recall_unreserve(struct recall *r, uint64_t bytes);

/* LEN bytes of ends more, of at most LIMIT: the oldest go for them. False: they do not fit. */
bool recall_count_ends(struct recalls *rs, int cachefd, uint64_t len, uint64_t limit);

/* ---- recall_ends.c ---- */

/* What is known of R's ends is in its sparse file, which was just made. */
void recall_begin_with_ends(struct recall *r);

/* ---- recall_keep.c ---- */

/* Hashes what came in order, and verifies it when it was the last. */
void recall_verify(struct recall *r);
/* The thread that makes durable what came, and forgets who has not been used for a while. */
void recall_start_keeping(struct recalls *rs);
void recall_stop_keeping(struct recalls *rs);
/* Makes durable what is here and says so in the map. 0 or -errno. */
int recall_mark(struct recall *r);
/* All of them, when nobody fetches or reads any more: many small ones with one syncfs(2), not with a sync each. */
void recall_mark_all(struct recalls *rs);

#endif
