#include "base/moment.h"

#include <string.h>

#include "base/clock.h"

#define DAY_SECONDS 86400
#define SECONDS_MAX (INT64_MAX / NSEC_PER_SEC - 1)

struct scan {
	const char *at, *end;
};

struct civil {
	int year, month, day, hour, minute, second;
	int64_t nanoseconds;
	int offset; /* seconds east of Greenwich */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool number(struct scan *s, int digits, int least, int most, int *out)
{
	int n = 0;

	if (s->end - s->at < digits)
		return false;
	for (int i = 0; i < digits; i++) {
		if (!is_digit(s->at[i]))
			return false;
		n = n * 10 + (s->at[i] - '0');
	}
	s->at += digits;
	*out = n;
	return n >= least && n <= most;
}

static bool take(struct scan *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* ".25", or nothing. */
static bool fraction(struct scan *s, int64_t *nanoseconds)
{
	int64_t unit = NSEC_PER_SEC;

	*nanoseconds = 0;
	if (!take(s, '.'))
		return true;
	if (s->at == s->end || !is_digit(*s->at))
		return false;
	for (; s->at < s->end && is_digit(*s->at); s->at++) {
		unit /= 10;
		if (!unit)
			return false;
		*nanoseconds += (*s->at - '0') * unit;
	}
	return true;
}

/* "Z", "+01:00", "+01-00", "+0100", or nothing. */
static bool zone(struct scan *s, int *offset)
{
	int hours, minutes, sign;

	*offset = 0;
	if (s->at == s->end || take(s, 'Z'))
		return true;
	sign = take(s, '+') ? 1 : take(s, '-') ? -1 : 0;
	if (!sign || !number(s, 2, 0, 23, &hours))
		return false;
	if (!take(s, ':'))
		take(s, '-');
	if (!number(s, 2, 0, 59, &minutes))
		return false;
	*offset = sign * (hours * 3600 + minutes * 60);
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* SEPARATOR 0: none. */
static bool date(struct scan *s, char separator, struct civil *c)
{
	return number(s, 4, 0, 9999, &c->year) && (!separator || take(s, separator)) &&
	       number(s, 2, 1, 12, &c->month) && (!separator || take(s, separator)) &&
	       number(s, 2, 1, days_in_month(c->year, c->month), &c->day);
}

/* A leap second is the one after. */
static bool time_of_day(struct scan *s, char separator, struct civil *c)
{
	const char *before;

	if (!number(s, 2, 0, 23, &c->hour) || (separator && !take(s, separator)) || !number(s, 2, 0, 59, &c->minute))
		return false;
	before = s->at;
	if ((separator && !take(s, separator)) || !number(s, 2, 0, 60, &c->second)) {
		c->second = 0;
		s->at = before;
		return separator; /* seconds were left out, and an offset may follow */
	}
	return fraction(s, &c->nanoseconds);
}

/* Days since 1970 in the Gregorian calendar, by eras of 400 years that begin in March. */
static int64_t days_since_1970(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t clamped(int64_t seconds, int64_t nanoseconds)
{
	if (seconds > SECONDS_MAX)
		return INT64_MAX;
	if (seconds < -SECONDS_MAX)
		return INT64_MIN;
	return seconds * NSEC_PER_SEC + nanoseconds;
}

static int64_t civil_ns(const struct civil *c)
{
	return clamped(days_since_1970(c->year, c->month, c->day) * DAY_SECONDS + c->hour * 3600 + c->minute * 60 +
			       c->second - c->offset,
		       c->nanoseconds);
}

static bool starts_with(struct scan *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->at) < len || strncmp(s->at, word, len) != 0)
		return false;
	s->at += len;
	return true;
}

static bool parse_epoch(struct scan s, int64_t *ns)
{
	int64_t seconds = 0, nanoseconds;
	const char *first;

	if (!starts_with(&s, "epoch-"))
		return false;
	for (first = s.at; s.at < s.end && is_digit(*s.at); s.at++)
		seconds = seconds > SECONDS_MAX ? seconds : seconds * 10 + (*s.at - '0');
	if (s.at == first || !fraction(&s, &nanoseconds) || s.at != s.end)
		return false;
	*ns = clamped(seconds, nanoseconds);
	return true;
}

static bool parse_gmt(struct scan s, int64_t *ns)
{
	struct civil c = {0};

	if (!starts_with(&s, "@GMT-") || !date(&s, '.', &c) || !take(&s, '-') || !number(&s, 2, 0, 23, &c.hour) ||
	    !take(&s, '.') || !number(&s, 2, 0, 59, &c.minute) || !take(&s, '.') || !number(&s, 2, 0, 60, &c.second) ||
	    s.at != s.end)
		return false;
	*ns = civil_ns(&c);
	return true;
}

static bool parse_compact(struct scan s, int64_t *ns)
{
	struct civil c = {0};

	if (!date(&s, 0, &c) || !take(&s, 'T') || !time_of_day(&s, 0, &c) || !zone(&s, &c.offset) || s.at != s.end)
		return false;
	*ns = civil_ns(&c);
	return true;
}

static bool parse_separated(struct scan s, int64_t *ns)
{
	struct civil c = {0};
	char separator;

	if (!date(&s, '-', &c))
		return false;
	if (s.at != s.end) {
		separator = s.end - s.at > 3 ? s.at[3] : 0;
		if (!take(&s, 'T') || (separator != ':' && separator != '-') || !time_of_day(&s, separator, &c) ||
		    !zone(&s, &c.offset) || s.at != s.end)
			return false;
	}
	*ns = civil_ns(&c);
	return true;
}

bool moment_parse(const char *text, size_t len, int64_t *ns)
{
	struct scan s = {.at = text, .end = text + len};

	return parse_separated(s, ns) || parse_compact(s, ns) || parse_epoch(s, ns) || parse_gmt(s, ns);
}
