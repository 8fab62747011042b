/*
 * Where time and randomness come from: one small struct, so that tests can set them. Set it before any thread starts.
 */
#ifndef TARN_BASE_CLOCK_H
#define TARN_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define NSEC_PER_SEC INT64_C(1000000000)
#define NSEC_PER_MSEC INT64_C(1000000)

struct clock_source {
	int64_t (*wall)(void);			 /* nanoseconds since 1970-01-01T00:00:00Z */
	int64_t (*monotonic)(void);		 /* nanoseconds since some fixed moment, never backwards */
	void (*random)(void *bytes, size_t len); /* unpredictable bytes */
};

extern struct clock_source clock_source;

static inline int64_t clock_wall(void)
{
	return clock_source.wall();
}

static inline int64_t clock_monotonic(void)
{
	return clock_source.monotonic();
}

/* NS from now, as pthread_cond_timedwait() takes it. It is the system's time, whatever tests have set. */
struct timespec clock_deadline(int64_t ns);

#endif
