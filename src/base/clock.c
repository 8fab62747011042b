#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

struct timespec clock_deadline(int64_t ns)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	ns += until.tv_nsec;
	until.tv_sec += ns / NSEC_PER_SEC;
	until.tv_nsec = ns % NSEC_PER_SEC;
	return until;
}

static int64_t system_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

static int64_t system_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static void system_random(void *bytes, size_t len)
{
	char *p = bytes;

	while (len) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		/* Every kernel that can mount us has getrandom(2); weak bytes would be worse than none. */
		if (n < 0)
			abort();
		p += n;
		len -= (size_t)n;
	}
}

struct clock_source clock_source = {
	.wall = system_wall,
	.monotonic = system_monotonic,
	.random = system_random,
};
