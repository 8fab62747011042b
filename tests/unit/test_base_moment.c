#include "base/moment.h"

#include "base/clock.h"
#include "tap.h"

static void is(const char *text, int64_t seconds, int64_t nanoseconds)
{
	int64_t ns = -1;

	ok(moment_parse(text, strlen(text), &ns), "%s", text);
	is_int(ns, seconds * NSEC_PER_SEC + nanoseconds, "  is that moment");
}

static void is_far(const char *text, int64_t wanted)
{
	int64_t ns = -1;

	ok(moment_parse(text, strlen(text), &ns), "%s", text);
	is_int(ns, wanted, "  is as far as numbers go");
}

static void is_not(const char *text)
{
	int64_t ns;

	ok(!moment_parse(text, strlen(text), &ns), "'%s' is no moment", text);
}

static void spellings(void)
{
	static const char *const same[] = {
		"2026-11-20T09:00:00Z",	     "2026-11-20T09-00-00Z",	  "20261120T090000Z",
		"2026-11-20T09:00:00",	     "2026-11-20T09-00-00",	  "20261120T090000",
		"2026-11-20T09:00Z",	     "2026-11-20T09:00",	  "2026-11-20T09-00",
		"epoch-1795165200",	     "@GMT-2026.11.20-09.00.00",  "2026-11-20T10:00:00+01:00",
		"2026-11-20T10-00-00+01-00", "2026-11-20T10:00:00+0100",  "20261120T100000+0100",
		"2026-11-20T03:30:00-05:30", "2026-11-20T03-30-00-05-30", "2026-11-20T03:30-05:30",
		"2026-11-21T08:59:00+23:59", "2026-11-20T09:00:00.0Z",	  "2026-11-20T09:00:00.000000000",
		"2026-11-20T08:59:60Z",
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		is(same[i], 1795165200, 0);
	is("2026-11-20", 1795132800, 0);
	is("2026-11-20T09:00:00.25Z", 1795165200, 250000000);
	is("20261120T090000.123456789Z", 1795165200, 123456789);
	is("2026-11-20T10-00-00.5+01-00", 1795165200, 500000000);
	is("epoch-1795165200.001", 1795165200, 1000000);
	is("epoch-0", 0, 0);
}

static void calendar(void)
{
	is("1970-01-01", 0, 0);
	is("1969-12-31T23:59:59Z", -1, 0);
	is("2000-02-29", 951782400, 0);
	is("2024-02-29", 1709164800, 0);
	is("2100-02-28", 4107456000, 0);
	is("2026-12-31T23:59:60Z", 1798761600, 0);
	is("2262-04-11", 9223286400, 0);
	is_far("2263-01-01", INT64_MAX);
	is_far("9999-12-31T23:59:59Z", INT64_MAX);
	is_far("epoch-99999999999999999999999999999999", INT64_MAX);
	is_far("0000-01-01", INT64_MIN);
	is_far("1066-10-14", INT64_MIN);
	is_not("2026-02-29");
	is_not("2100-02-29");
	is_not("2026-04-31");
	is_not("2026-13-01");
	is_not("2026-00-01");
	is_not("2026-01-00");
	is_not("2026-01-32");
}

static void hostile(void)
{
	static const char *const wrong[] = {
		"",
		"Z",
		"T",
		"2026",
		"2026-11",
		"20261120",
		"26-11-20",
		"2026-1-20",
		"2026-11-2",
		"2026/11/20",
		"2026-11-20 09:00:00",
		"2026-11-20T",
		"2026-11-20T09",
		"2026-11-20T09:",
		"2026-11-20T09:0",
		"2026-11-20T09:00:",
		"2026-11-20T09:00-00",
		"2026-11-20T09-00:00",
		"2026-11-20T0900",
		"2026-11-20T090000",
		"2026-11-20T24:00:00Z",
		"2026-11-20T09:60:00Z",
		"2026-11-20T09:00:61Z",
		"2026-11-20T09:00:00z",
		"2026-11-20t09:00:00Z",
		"2026-11-20T09:00:00ZZ",
		"2026-11-20T09:00:00Z ",
		" 2026-11-20",
		"2026-11-20 ",
		"2026-11-20T09:00:00.Z",
		"2026-11-20T09:00:00.1234567890Z",
		"2026-11-20T09:00:00,5Z",
		"2026-11-20T09:00:00+1",
		"2026-11-20T09:00:00+01",
		"2026-11-20T09:00:00+24:00",
		"2026-11-20T09:00:00+01:60",
		"2026-11-20T09:00:00+01:00Z",
		"2026-11-20T09:00:00+",
		"+2026-11-20",
		"-2026-11-20",
		"2026-11-20Z",
		"2026-11-20+01:00",
		"20261120T0900",
		"20261120T09:00:00",
		"2026-1120T090000",
		"epoch-",
		"epoch--1",
		"epoch-1.",
		"epoch-.5",
		"epoch-1x",
		"epoch1",
		"Epoch-1",
		"epoch-+1",
		"epoch-0x10",
		"epoch-1.1234567890",
		"@GMT-",
		"@GMT-2026.11.20",
		"@GMT-2026-11-20-09.00.00",
		"@GMT-2026.11.20-09:00:00",
		"@GMT-2026.11.20-09.00.00Z",
		"@GMT-2026.11.31-09.00.00",
		"@GMT-2026.11.20-09.00",
		"GMT-2026.11.20-09.00.00",
		"\xff\xff\xff\xff-\xff\xff-\xff\xff",
		"２０２６-11-20",
		"now",
		"yesterday",
	};
	int64_t ns;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		is_not(wrong[i]);
	ok(!moment_parse("2026-11-20\0", 11, &ns), "a NUL is part of what is read");
	ok(moment_parse("2026-11-20.csv", 10, &ns), "no byte after the end is read");
	/* every prefix of a long one, and every one with a byte changed, must end */
	for (const char *whole = "2026-11-20T10:00:00.123456789+01:00"; *whole; whole++)
		moment_parse(whole, strlen(whole), &ns);
}

int main(void)
{
	spellings();
	calendar();
	hostile();
	return done();
}
