#include "work/retention.h"

#include "base/clock.h"

#define HOUR (INT64_C(3600) * NSEC_PER_SEC)
#define DAY (24 * HOUR)

/* Is LIST[I] the last one that is listed in its hour or day? */
static bool is_last_in(const struct retained *list, size_t n, size_t i, int64_t span)
{
	for (size_t next = i + 1; next < n; next++)
		if (list[next].listed)
			return list[next].time / span != list[i].time / span;
	return true;
}

static bool is_thinned_out(const struct retained *list, size_t n, size_t i, int64_t days, int64_t now)
{
	int64_t age = now - list[i].end_time;

	return !list[i].listed || !is_last_in(list, n, i, age / 2 <= days * DAY ? HOUR : DAY);
}

void retention_choose(struct retained *list, size_t n, int64_t days, int64_t keep_last, int64_t now)
{
	int64_t newer = 0; /* old ones that are listed, above */

	for (size_t i = n; i-- > 0;) {
		struct retained *r = &list[i];
		bool among_last = r->listed && newer < keep_last;

		r->goes = false;
		if (!r->old)
			continue;
		newer += r->listed;
		if (days < 0 || among_last || (now - r->end_time) / DAY < days)
			continue;
		r->goes = is_thinned_out(list, n, i, days, now);
	}
}
