#include "tier/pace.h"

#include "base/cleanup.h"
#include "base/clock.h"

#define ALL ((UINT32_C(1) << PACE_TRIES) - 1)
#define MINUTE (60 * NSEC_PER_SEC)

void pace_init(struct pace *p, double rate)
{
	*p = (struct pace){.rate = rate, .pause = PACE_FIRST};
	pthread_mutex_init(&p->lock, NULL);
}

void pace_destroy(struct pace *p)
{
	pthread_mutex_destroy(&p->lock);
}

static void begin_anew_locked(struct pace *p, int64_t now)
{
	p->failed = 0;
	p->known = 0;
	p->first = now;
}

void pace_tell(struct pace *p, bool failed)
{
	int64_t now = clock_monotonic();
	SCOPED_LOCK(&p->lock);

	if (now < p->until)
		return;
	if (!p->known || now - p->first > MINUTE)
		begin_anew_locked(p, now);
	p->failed = (p->failed << 1 | failed) & ALL;
	if (p->known < PACE_TRIES)
		p->known++;
	if (p->known < PACE_TRIES)
		return;
	if (__builtin_popcount(p->failed) <= PACE_TRIES / 2) {
		p->pause = PACE_FIRST;
		return;
	}
	p->until = now + p->pause;
	p->pause = 2 * p->pause > PACE_MOST ? PACE_MOST : 2 * p->pause;
	begin_anew_locked(p, now);
}

int64_t pace_wait(struct pace *p)
{
	int64_t now = clock_monotonic();
	SCOPED_LOCK(&p->lock);

	return p->until > now ? p->until - now : 0;
}

int64_t pace_bytes(struct pace *p, uint64_t len)
{
	int64_t now = clock_monotonic();
	SCOPED_LOCK(&p->lock);

	if (p->rate <= 0)
		return 0;
	p->debt -= (double)(now - p->paid) / NSEC_PER_SEC * p->rate;
	if (p->debt < 0)
		p->debt = 0;
	p->paid = now;
	p->debt += (double)len;
	return (int64_t)(p->debt / p->rate * NSEC_PER_SEC);
}
