/*
 * Recalls: the bytes of contents that are only in the cloud, on their way to this disk.
 *
 * A recall is one content (a version's, a pack's), shared by all who read it. Its bytes come into a sparse file in
 * cache/, in any order, and stay there. A read waits until its own bytes are there and no longer: the first one for one
 * ranged GET. Reads that follow each other are fetched ahead of, in parallel, by twice as much as was read before and
 * at most RECALL_AHEAD; others move little. Beside the sparse file a map (content/recall/part_map.h) says which bytes
 * are durable, so that a crash costs only what came last.
 *
 *	cache/ID-CONTENT.part	the sparse file
 *	cache/ID-CONTENT.map	its map
 *	cache/ID-CONTENT.whole	all of it, verified and durable; nothing changes it any more
 *	cache/ID-CONTENT.ends	its head and tail, kept when it left (content/recall/recall_ends.c)
 *
 * ID: of the version, CONTENT: which bytes these are (of its SHA-256; without one of key, ETag and size); hex.
 *
 * Never wrong bytes: each request names the ETag, so an object that was changed gives errors, and no mixture. When all
 * has come, its SHA-256 is compared; the last piece is given out only after that. What does not match is forgotten.
 *
 * Never for ever: a wait ends after RECALL_PATIENCE without a byte of progress, and soon when the call's stop() says
 * so. A fetch that failed fails the reads that waited for it; the next read tries again (a moment later, when the
 * remote cannot be reached).
 *
 * Threads: any. Fetching is done by threads of its own, at most RECALL_THREADS, made when they are needed.
 *
 * Errors: -ESTALE: the object is another now, or is not there: look up where it lies, and open again. -ENODATA:
 * archived; it has been asked for and can be read later. -EHOSTUNREACH, -ETIMEDOUT, -EACCES as the tier says;
 * -ENOSPC; -ECANCELED: stop() said so; -EIO: all else, and the log says what.
 */
#ifndef TARN_CONTENT_RECALL_RECALL_H
#define TARN_CONTENT_RECALL_RECALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "meta/store.h"
#include "tier/tier.h"

#define RECALL_PART (UINT64_C(256) * 1024)	  /* what is fetched begins and ends at its multiples */
#define RECALL_PIECE (UINT64_C(8) * 1024 * 1024)  /* at most this much with one request */
#define RECALL_AHEAD (UINT64_C(64) * 1024 * 1024) /* of a sequential reader */
#define RECALL_SMALL (UINT64_C(8) * 1024 * 1024)  /* up to this size a stub is recalled whole when it is opened */
#define RECALL_END (UINT64_C(64) * 1024)	  /* of head and tail each stay here */
#define RECALL_THREADS 8
#define RECALL_PATIENCE (INT64_C(25) * 1000 * 1000 * 1000)

struct recalls; /* all of a lake */
struct recall;

/* Where a content lies. */
struct recall_source {
	uint64_t id;
	const char *key, *etag; /* ETAG "" or NULL: any */
	uint64_t size;		/* of the content */
	uint64_t compressed; /* of the object, when that is compressed (content/cloud/frames.h); 0: it is the content */
	bool hashed;	     /* its SHA-256 is known */
	uint8_t sha256[SHA256_BYTES];
};

int recalls_new(struct recalls **out);
/* Ends what is under way; every recall has been closed. NULL is fine. */
void recalls_free(struct recalls *rs);

/*
 * The recall of SOURCE, found or begun: in the folder CACHEFD, from TIER. What an earlier daemon had of it is used. One
 * that is open already goes on from where SOURCE says now. 0; -errno of the folder.
 */
int recall_open(struct recalls *rs, struct tier *tier, int cachefd, const struct recall_source *source,
		struct recall **out);
/* Gives back what recall_open() gave. What has come stays in cache/. NULL is fine. */
void recall_close(struct recall *r);

uint64_t recall_size(const struct recall *r);
/* Can [AT, AT + LEN) be read without waiting? Beyond the end is nothing to wait for. */
bool recall_has(struct recall *r, uint64_t at, uint64_t len);
/* Waits until it can. CALL may be NULL. 0 or -errno. */
int recall_want(struct recall *r, uint64_t at, uint64_t len, const struct tier_call *call);
/* What of that is not here is fetched, and nobody waits for it. */
void recall_fetch_ahead(struct recall *r, uint64_t at, uint64_t len);
/* As pread(2) of what is here, which asks for nothing more. -EAGAIN: some of it is not, or not any more. */
ssize_t recall_read_here(struct recall *r, void *to, size_t len, uint64_t at);
/* As pread(2) of the content, waiting; fewer than LEN only at its end. -errno. */
ssize_t recall_read(struct recall *r, void *to, size_t len, uint64_t at, const struct tier_call *call);

/* Waits until all of it is there and verified. 0 or -errno. */
int recall_whole(struct recall *r, const struct tier_call *call);
bool recall_is_whole(struct recall *r);
/* Of one that is whole: its SHA-256. */
void recall_sha256(struct recall *r, uint8_t sha256[SHA256_BYTES]);

/*
 * The sparse file, for reading what recall_has() says; it belongs to R. Between hold and let_go what is there stays
 * there, and so does R: hold, then ask, then read.
 */
int recall_fd(const struct recall *r);
void recall_hold(struct recall *r);
void recall_let_go(struct recall *r);

/*
 * Between the two R's bytes stay what they are: its file is not taken, which others write then. -ESTALE: it was taken
 * already; what is opened now is another one.
 */
int recall_pin(struct recall *r);
void recall_unpin(struct recall *r);

/*
 * Of one that is whole: makes it durable and moves the file to NAME below DIRFD, on the same file system. Who has R
 * open reads on; the next recall_open() begins anew. Of one that is pinned, a copy. 0 or -errno: it is where it was.
 */
int recall_take(struct recall *r, int dirfd, const char *name);

/*
 * FD has the content that is about to leave: its head and tail stay in CACHEFD, if there is room. Is that so of SOURCE?
 */
void recall_keep_ends(struct recalls *rs, int cachefd, const struct recall_source *s, int fd);
bool recall_has_ends(int cachefd, const struct recall_source *s);

/* Is NAME, in cache/, a file of a recall? Of which version, then, and is that one under way or in use now? */
bool recall_file_parse(const char *name, uint64_t *id);
bool recall_is_in_use(struct recalls *rs, uint64_t id);
/* Nothing of the contents with these N ids stays in CACHEFD, whoever has them open: those read on what they have. */
void recalls_forget(struct recalls *rs, int cachefd, const uint64_t *ids, size_t n);

/* What it calls, for tests that make it fail. */
extern struct recall_calls {
	int (*get)(struct tier *t, const struct tier_get *g, const struct tier_call *call, struct tier_head *head);
	int (*restore)(struct tier *t, const char *key, int days, const struct tier_call *call);
	int (*sync)(int fd);			   /* as fdatasync(2) */
	uint64_t (*room)(int fd, uint64_t *total); /* bytes that are free on FD's file system, and that it has */
	uint64_t small;				   /* RECALL_SMALL, for who writes a stub */
} recall_calls;

#endif
