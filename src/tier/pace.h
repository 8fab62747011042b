/*
 * How fast background calls may go: not faster than the bandwidth of the settings, and not at all for a while when the
 * remote fails too often. Foreground calls are not held up, but what they see counts. Any thread.
 */
#ifndef TARN_TIER_PACE_H
#define TARN_TIER_PACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * More than half of the last requests (TRIES of them, within a minute) failed: a pause of FIRST, which doubles up to
 * MOST when it begins so again.
 */
#define PACE_TRIES 16
#define PACE_FIRST (INT64_C(5) * 1000 * 1000 * 1000)
#define PACE_MOST (INT64_C(60) * 1000 * 1000 * 1000)

struct pace {
	pthread_mutex_t lock; /* a leaf; protects what follows. Times: clock_monotonic() */
	double rate;	      /* bytes a second; 0: no limit */
	double debt;	      /* bytes that went ahead of their time */
	int64_t paid;	      /* when the debt was so much */
	uint32_t failed;      /* a bit for each of the last requests */
	int known;
	int64_t first; /* when the oldest of them was */
	int64_t pause, until;
};

/* RATE: bytes a second for background calls, both ways together; 0: no limit. */
void pace_init(struct pace *p, double rate);
void pace_destroy(struct pace *p);
/* A request has been answered, or failed for a reason that is the remote's. */
void pace_tell(struct pace *p, bool failed);
/* How long a background call has to wait before its next request, ns; 0: it may go. */
int64_t pace_wait(struct pace *p);
/* LEN bytes go: how long to wait before others follow, ns. */
int64_t pace_bytes(struct pace *p, uint64_t len);

#endif
