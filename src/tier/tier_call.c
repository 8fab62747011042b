/*
 * Trying again. A request that failed for a reason that may pass is made again after a pause, which doubles from
 * PAUSE_FIRST to PAUSE_MAX and of which each caller waits a random part, so that they do not come all at once; what a
 * server asked for with Retry-After is waited for. It ends when nothing has moved for the call's patience.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "tier/tier_int.h"

#define PAUSE_FIRST (100 * NSEC_PER_MSEC)
#define PAUSE_MAX (5 * NSEC_PER_SEC)
#define LOOK (50 * NSEC_PER_MSEC) /* how often who waits looks whether it is over */
#define LOG_EACH (60 * NSEC_PER_SEC)
#define TRIES_AT_LEAST 3 /* that a patience is long enough for */
#define STALL_MIN (5 * NSEC_PER_SEC)

static const struct tier_call no_call;

int try_over(const struct tier_try *t)
{
	if (t->call->stop && t->call->stop(t->call->arg))
		return -ECANCELED;
	if (t->deadline && clock_monotonic() >= t->deadline)
		return -ETIMEDOUT;
	return 0;
}

/* Looks often whether it is over. */
static int sleep_for(const struct tier_try *t, int64_t ns)
{
	int64_t until = clock_monotonic() + ns;
	int r = 0;

	while (r == 0 && clock_monotonic() < until) {
		struct timespec step = {0, LOOK < ns ? LOOK : ns};

		nanosleep(&step, NULL);
		r = try_over(t);
	}
	return r;
}

int attempt_paced(const struct tier_try *t, struct tier *tier, uint64_t len)
{
	int64_t wait = pace_bytes(&tier->pace, len);

	return wait > 0 ? sleep_for(t, wait) : 0;
}

static int64_t patience(const struct attempts *a)
{
	if (a->call->patience)
		return a->call->patience;
	return a->call->background ? 4 * TIER_PATIENCE : TIER_PATIENCE;
}

void attempts_begin(struct attempts *a, struct tier *tier, const struct tier_call *call, enum tier_verb verb,
		    const char *key)
{
	*a = (struct attempts){.tier = tier, .call = call ? call : &no_call, .verb = verb, .key = key};
	a->moved = clock_monotonic();
}

void attempts_moved(struct attempts *a)
{
	a->moved = clock_monotonic();
}

/* While the remote is let alone; not longer than there is patience for. */
static int wait_for_pause(struct attempts *a, int64_t left)
{
	int64_t wait = a->call->background ? pace_wait(&a->tier->pace) : 0;

	return wait > 0 ? sleep_for(&a->t, wait < left ? wait : left) : 0;
}

int attempt_begin(struct attempts *a)
{
	int64_t all = patience(a), left = a->moved + all - clock_monotonic(), stall;
	int r;

	a->begun = 0;
	a->t = (struct tier_try){.call = a->call, .deadline = a->call->deadline};
	r = try_over(&a->t);
	if (r == 0)
		r = wait_for_pause(a, left);
	if (r < 0)
		return r;
	a->begun = clock_monotonic();
	left = a->moved + all - a->begun;
	if (left <= 0)
		return -ETIMEDOUT;
	/* One connection that hangs must leave time for another. */
	stall = all / TRIES_AT_LEAST > STALL_MIN ? all / TRIES_AT_LEAST : STALL_MIN;
	a->t.stall = a->patient || stall > left ? left : stall;
	a->tries++;
	return 0;
}

/* Answers that are no failure of the remote. */
static bool is_answer(int r)
{
	return r >= 0 || r == -ENOENT || r == -EEXIST || r == -ERANGE || r == -ESTALE || r == -ENODATA ||
	       r == -EINPROGRESS;
}

static bool is_down(int r)
{
	return r == -EHOSTUNREACH || r == -ETIMEDOUT;
}

/* Failures that say how the remote is: not those of a source or a sink. */
static bool is_of_remote(const struct attempts *a, int r)
{
	return is_down(r) || (r == -EIO && a->t.again);
}

static void count(struct attempts *a, int r)
{
	struct tier *tier = a->tier;
	struct tier_stats *s = &tier->stats;
	SCOPED_LOCK(&tier->lock);

	s->verb[a->verb].requests++;
	s->verb[a->verb].ns += (uint64_t)(clock_monotonic() - a->begun);
	s->sent += a->t.sent;
	s->received += a->t.received;
	s->retries += a->tries > 1;
	if (r == -ECANCELED)
		return;
	pace_tell(&tier->pace, is_of_remote(a, r));
	if (!is_answer(r)) {
		s->verb[a->verb].errors++;
		snprintf(s->last_error, sizeof(s->last_error), "%s %.60s: %.70s", tier_verb_name(a->verb), a->key,
			 a->t.why[0] ? a->t.why : strerror(-r));
	}
	if (!is_down(r))
		s->unreachable_since = 0;
	else if (!s->unreachable_since)
		s->unreachable_since = clock_wall();
}

static void log_failure(struct attempts *a, int r)
{
	int64_t now = clock_monotonic();

	pthread_mutex_lock(&a->tier->lock);
	if (a->tier->logged && now - a->tier->logged < LOG_EACH) {
		pthread_mutex_unlock(&a->tier->lock);
		return;
	}
	a->tier->logged = now;
	pthread_mutex_unlock(&a->tier->lock);
	log_warning("%s: cannot %s %s: %s%s%s%s", a->tier->url, tier_verb_name(a->verb), a->key, strerror(-r),
		    a->t.why[0] ? " (" : "", a->t.why, a->t.why[0] ? ")" : "");
}

/* A random part of the pause that is due after so many tries. */
static int64_t pause_before(const struct attempts *a)
{
	int64_t most = PAUSE_FIRST;
	uint32_t random;

	for (unsigned i = 1; i < a->tries && most < PAUSE_MAX; i++)
		most *= 2;
	most = most > PAUSE_MAX ? PAUSE_MAX : most;
	clock_source.random(&random, sizeof(random));
	/* At least a fifth: a server that restarts is not to be asked without end. */
	most = most / 5 + (int64_t)((double)(most - most / 5) * (random / 4294967296.0));
	return a->t.retry_after > most ? a->t.retry_after : most;
}

/* Is there time for another try, NS from now? */
static bool has_time(const struct attempts *a, int64_t ns)
{
	int64_t then = clock_monotonic() + ns;

	return then < a->moved + patience(a) && (!a->call->deadline || then < a->call->deadline);
}

bool attempt_again(struct attempts *a, int *r)
{
	int64_t pause;
	int over = 0;

	if (a->tries == 0 || a->begun == 0)
		return false;
	count(a, *r);
	if (is_answer(*r) || *r == -ECANCELED)
		return false;
	a->unsure = true;
	pause = pause_before(a);
	if (a->t.again && has_time(a, pause)) {
		over = sleep_for(&a->t, pause);
		if (over == 0 && has_time(a, 0))
			return true;
	}
	if (over == -ECANCELED)
		*r = over;
	else
		log_failure(a, *r);
	return false;
}
