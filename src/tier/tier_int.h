/* What the files of tier/ share: a remote, and the tries of a call. */
#ifndef TARN_TIER_TIER_INT_H
#define TARN_TIER_TIER_INT_H

#include <pthread.h>

#include "base/cleanup.h"
#include "config/hours.h"
#include "tier/pace.h"
#include "tier/tier_ops.h"

struct tier {
	unsigned refs; /* atomic */
	const struct tier_ops *ops;
	void *engine;
	struct settings *settings;
	char *url, *bucket, *prefix, *path, *lake;
	struct tier_place place;

	struct pace pace;
	struct hours hours;

	pthread_mutex_t lock; /* a leaf; protects what follows */
	struct tier_stats stats;
	int64_t logged; /* clock_monotonic() of the last line about a failure; 0: none */
};

/*
 * The tries of one request:
 *
 *	attempts_begin(&a, tier, call, verb, key);
 *	do {
 *		r = attempt_begin(&a);
 *		if (r == 0)
 *			r = tier->ops->head(tier->engine, key, &a.t, head);
 *	} while (attempt_again(&a, &r));
 */
struct attempts {
	struct tier *tier;
	const struct tier_call *call;
	enum tier_verb verb;
	const char *key;   /* for the log */
	bool patient;	   /* the server may take long for this one: no try ends before the patience does */
	struct tier_try t; /* of this try */
	int64_t moved;	   /* clock_monotonic(): when it was begun, or last came further */
	int64_t begun;	   /* and when this try was */
	unsigned tries;
	bool unsure; /* a try failed, and may have been done all the same */
};
void attempts_begin(struct attempts *a, struct tier *tier, const struct tier_call *call, enum tier_verb verb,
		    const char *key);
/* The call is further than any try before. */
void attempts_moved(struct attempts *a);
/* 0, or why no other try is made. */
int attempt_begin(struct attempts *a);
/* For background calls: LEN bytes go or came. Waits as long as the bandwidth wants it. 0, -ECANCELED, -ETIMEDOUT. */
int attempt_paced(const struct tier_try *t, struct tier *tier, uint64_t len);
/* Counts the try whose result is *R. True: there is to be another, and the pause before it is over. */
bool attempt_again(struct attempts *a, int *r);

/* A put, or a copy, in parts (tier_parts.c); the arguments as for the engine's functions. */
int put_in_parts(struct tier *t, const struct tier_put *p, const struct tier_call *call, struct tier_head *head);
int copy_in_parts(struct tier *t, const struct tier_copy *c, const struct tier_call *call, struct tier_head *head);
/*
 * Is what lies under P's key what P would have put there? A try that seemed to fail may have been done, and then the
 * next one finds its own object. 0, -EEXIST: another one; -errno.
 */
int is_ours(struct tier *t, const struct tier_put *p, const struct tier_call *call, struct tier_head *head);

#endif
