/*
 * What an engine is: one request of each kind, made once. What all engines have in common is done above them, in
 * tier_call.c and tier_*.c: trying again, pausing, deadlines over several tries, limits, counting, putting large
 * objects in parts, paging through listings. To add an engine: one file with its table, and a line in tier.c.
 *
 * Every function may be called from any thread, many at once. Errors as in tier.h. A function fills in what it can of
 * the struct tier_try, and returns when its deadline is over, when nothing moved for `stall`, or soon after try_over()
 * said so.
 */
#ifndef TARN_TIER_TIER_OPS_H
#define TARN_TIER_TIER_OPS_H

#include "tier/tier.h"

/* One try of one request. */
struct tier_try {
	const struct tier_call *call;
	int64_t deadline; /* clock_monotonic(); there always is one for what has no body, else it may be 0 */
	int64_t stall;	  /* ns without a byte that end it */
	/* The engine's answers. */
	bool again;		 /* it may go well when it is tried again */
	bool throttled;		 /* the server said that there is too much of it */
	int64_t retry_after;	 /* ns that the server asked to wait; 0: it did not say */
	uint64_t sent, received; /* bytes of bodies */
	char why[160];		 /* what went wrong, for people, without a secret; "": strerror() tells enough */
};

/* Is it over: stopped, or its deadline has passed? -ECANCELED, -ETIMEDOUT or 0. */
int try_over(const struct tier_try *t);

/* What an engine is opened with; strings live as long as the engine. */
struct tier_place {
	const struct settings *settings;
	const char *bucket, *prefix; /* s3 */
	const char *path;	     /* dir */
	const char *lake;	     /* may be NULL */
};

/* One page of a listing: the engine adds entries, in order. */
struct tier_page {
	const char *prefix;
	const char *after; /* NULL: from the first; may be a folder that was told */
	bool folders;
	int max;
	int (*add)(void *arg, const struct tier_entry *entry); /* other than 0: returned at once */
	void *arg;
	bool more;    /* answer: there are others after the last one */
	void *cursor; /* the engine's, from one page of a listing to the next; NULL at first, and after an error */
};

/* A put in parts. ID: the upload's, as the server calls it. */
struct tier_part {
	const char *key, *id;
	unsigned number; /* from 1 */
	const void *bytes;
	size_t len;
	uint8_t sha256[32];	   /* of the bytes */
	char etag[TIER_ETAG_ROOM]; /* answer of part and part_copy, argument of complete */
};
/* An upload that was begun and has not ended. */
struct tier_upload {
	const char *key, *id;
	int64_t begun; /* wall clock, ns */
};

struct tier_ops {
	const char *name;
	uint64_t put_max;		   /* larger ones need parts */
	bool (*can_name)(const char *key); /* may a file of ours have this key? NULL: any */
	int (*open)(const struct tier_place *place, void **engine, struct buf *why);
	void (*close)(void *engine);

	/* P->class is never NULL: "" is the usual one. P->sha256: compared, where it is there. */
	int (*put)(void *engine, const struct tier_put *p, struct tier_try *t, struct tier_head *head);
	/*
	 * BODY gets the bytes in order. HEADED is called once, before the first of them, with the head. Both: other
	 * than 0 ends it with that value. G->sink and G->arg are not used.
	 */
	int (*get)(void *engine, const struct tier_get *g, int (*headed)(void *arg, const struct tier_head *head),
		   int (*body)(void *arg, const void *bytes, size_t len), void *arg, struct tier_try *t);
	int (*head)(void *engine, const char *key, struct tier_try *t, struct tier_head *head);
	int (*list)(void *engine, struct tier_page *page, struct tier_try *t);
	/* No more pages: the cursor goes. */
	void (*list_end)(void *engine, struct tier_page *page);
	/* Up to REMOVE_MAX of them. 0: RESULTS has an answer for each. */
	int (*remove)(void *engine, const char *const *keys, int n, int *results, struct tier_try *t);
	/* C->size is at most put_max, C->class never NULL. */
	int (*copy)(void *engine, const struct tier_copy *c, struct tier_try *t, struct tier_head *head);
	int (*restore)(void *engine, const char *key, int days, struct tier_try *t);

	/* All NULL: this engine has no parts. */
	int (*begin)(void *engine, const struct tier_put *p, struct buf *id, struct tier_try *t);
	int (*part)(void *engine, struct tier_part *part, struct tier_try *t);
	int (*part_copy)(void *engine, struct tier_part *part, const struct tier_copy *c, uint64_t offset,
			 uint64_t length, struct tier_try *t);
	int (*complete)(void *engine, const struct tier_put *p, const char *id, const struct tier_part *parts,
			unsigned n, struct tier_try *t, struct tier_head *head);
	int (*abort)(void *engine, const char *key, const char *id, struct tier_try *t);
	/* All that were begun below PREFIX. EACH: other than 0 is returned at once. */
	int (*uploads)(void *engine, const char *prefix, int (*each)(void *arg, const struct tier_upload *u), void *arg,
		       struct tier_try *t);

	/* Removes what else puts have left below PREFIX, begun at or before OLDER; with LOOK it is only counted. *N is
	 * added to. NULL: nothing ever is. */
	int (*sweep)(void *engine, const char *prefix, int64_t older, bool look, struct tier_try *t, uint64_t *n);
};
#define REMOVE_MAX 1000

extern const struct tier_ops tier_dir, tier_s3_curl, tier_s3_libs3;

#endif
