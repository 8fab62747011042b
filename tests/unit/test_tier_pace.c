/* Background work gives way: bandwidth, pauses, hours. */
#include "base/clock.h"
#include "config/hours.h"
#include "tap.h"
#include "tier/pace.h"

static int64_t now = 1000;

static int64_t get_now(void)
{
	return now;
}

static void tell(struct pace *p, int good, int bad)
{
	while (bad--)
		pace_tell(p, true);
	while (good--)
		pace_tell(p, false);
}

static void test_pause(void)
{
	struct pace p;

	pace_init(&p, 0);
	tell(&p, 0, PACE_TRIES / 2);
	tell(&p, PACE_TRIES / 2, 0);
	is_int(pace_wait(&p), 0, "half of them failed");
	tell(&p, 0, PACE_TRIES);
	is_int(pace_wait(&p), PACE_FIRST, "more than half: a pause");
	now += PACE_FIRST;
	is_int(pace_wait(&p), 0, "it ends");
	tell(&p, 0, PACE_TRIES);
	is_int(pace_wait(&p), 2 * PACE_FIRST, "twice as long the next time");
	for (int i = 0; i < 10; i++) {
		now += PACE_MOST;
		tell(&p, 0, PACE_TRIES);
	}
	is_int(pace_wait(&p), PACE_MOST, "but not for ever");
	now += PACE_MOST;
	tell(&p, PACE_TRIES, 0);
	tell(&p, 0, PACE_TRIES);
	is_int(pace_wait(&p), PACE_FIRST, "and short again when it went well");
	now += PACE_MOST;
	tell(&p, 0, PACE_TRIES - 1);
	now += 2 * PACE_MOST;
	tell(&p, 0, 1);
	is_int(pace_wait(&p), 0, "what failed long ago does not count");
	pace_destroy(&p);
}

static void test_bandwidth(void)
{
	struct pace p;

	pace_init(&p, 1000);
	is_int(pace_bytes(&p, 500), NSEC_PER_SEC / 2, "500 bytes at 1,000 a second");
	is_int(pace_bytes(&p, 500), NSEC_PER_SEC, "500 more at once");
	now += NSEC_PER_SEC / 2;
	is_int(pace_bytes(&p, 0), NSEC_PER_SEC / 2, "time pays");
	now += 10 * NSEC_PER_SEC;
	is_int(pace_bytes(&p, 1000), NSEC_PER_SEC, "but nothing is saved up");
	pace_destroy(&p);
	pace_init(&p, 0);
	is_int(pace_bytes(&p, 1 << 30), 0, "no limit");
	pace_destroy(&p);
}

static void test_hours(void)
{
	static const char *const wrong[] = {"22",	   "22:00",	 "22:00-", "22:00-25:00",
					    "22:60-23:00", "22:0-23:00", "x",	   "1:00-2:00 "};
	struct hours h;

	ok(hours_parse("22:00-6:30", &h) && h.from == 1320 && h.to == 390, "from evening to morning");
	ok(hours_have(&h, 1320) && hours_have(&h, 0) && hours_have(&h, 389), "are within");
	ok(!hours_have(&h, 390) && !hours_have(&h, 1319), "are not");
	ok(hours_parse("09:00-17:00", &h) && hours_have(&h, 540) && !hours_have(&h, 1020), "a day's work");
	ok(hours_parse("0:00-24:00", &h) && hours_have(&h, 700), "all day");
	ok(hours_parse(NULL, &h) && hours_have(&h, 700), "nothing said");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ok(!hours_parse(wrong[i], &h), "\"%s\" are no hours", wrong[i]);
}

int main(void)
{
	clock_source.monotonic = get_now;
	test_pause();
	test_bandwidth();
	test_hours();
	return done();
}
