/*
 * How a date may be written is a list of forms, tried in DuckDB's order. A column keeps those that fit all of its
 * values: 01/02/2024 may be January or February, with 13/02/2024 beside it only February; and then it is the first that
 * is left.
 */
#include "sniff/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY (86400 * US_PER_SECOND)
#define NUMBER_MAX 64 /* characters of a number; longer ones are text */

const char *value_type_name(enum value_type type)
{
	static const char *const names[] = {
		[VALUE_NONE] = "VARCHAR",	 [VALUE_BOOLEAN] = "BOOLEAN",
		[VALUE_BIGINT] = "BIGINT",	 [VALUE_DOUBLE] = "DOUBLE",
		[VALUE_TIME] = "TIME",		 [VALUE_DATE] = "DATE",
		[VALUE_TIMESTAMP] = "TIMESTAMP", [VALUE_TIMESTAMPTZ] = "TIMESTAMP WITH TIME ZONE",
		[VALUE_VARCHAR] = "VARCHAR",
	};

	return names[type];
}

/* ---- a text that is read from its left ---- */

struct text {
	const char *p, *end;
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void trim(struct text *t)
{
	while (t->p < t->end && is_space(*t->p))
		t->p++;
	while (t->p < t->end && is_space(t->end[-1]))
		t->end--;
}

static bool take(struct text *t, char c)
{
	if (t->p == t->end || *t->p != c)
		return false;
	t->p++;
	return true;
}

/* A number of one to MOST digits between LOW and HIGH. */
static bool take_number(struct text *t, int most, int64_t low, int64_t high, int64_t *n)
{
	int digits = 0;

	for (*n = 0; t->p < t->end && is_digit(*t->p) && digits < most; digits++)
		*n = *n * 10 + (*t->p++ - '0');
	return digits && *n >= low && *n <= high;
}

/* ---- booleans and numbers ---- */

static bool parse_boolean(const char *text, size_t len, struct value *v)
{
	static const struct {
		const char *word;
		bool is;
	} words[] = {{"true", true}, {"false", false}, {"t", true}, {"f", false}, {"yes", true}, {"no", false}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (len == strlen(words[i].word) && !strncasecmp(text, words[i].word, len)) {
			v->i = words[i].is;
			return true;
		}
	}
	return false;
}

/* What begins with a zero is a code, not a number, but for 0 and 0.5 */
static bool is_code(const struct text *t)
{
	return t->end - t->p > 1 && t->p[0] == '0' && is_digit(t->p[1]);
}

static bool parse_hex(struct text t, struct value *v)
{
	uint64_t n = 0;

	if (t.end - t.p < 3 || t.end - t.p > 17 || t.p[0] != '0' || (t.p[1] | 0x20) != 'x')
		return false;
	for (t.p += 2; t.p < t.end; t.p++) {
		char c = *t.p | 0x20;

		if (is_digit(*t.p))
			n = n << 4 | (uint64_t)(*t.p - '0');
		else if (c >= 'a' && c <= 'f')
			n = n << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	v->i = (int64_t)n;
	return n <= INT64_MAX;
}

static bool parse_bigint(struct text t, struct value *v)
{
	bool negative;
	uint64_t n = 0;

	trim(&t);
	if (is_code(&t))
		return false;
	if (parse_hex(t, v))
		return true;
	negative = take(&t, '-');
	if (t.p == t.end)
		return false;
	for (; t.p < t.end; t.p++)
		if (!is_digit(*t.p) || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*t.p - '0'), &n))
			return false;
	if (n > (uint64_t)INT64_MAX + negative)
		return false;
	v->i = negative ? (int64_t)(0 - n) : (int64_t)n;
	return true;
}

static bool take_digits(struct text *t)
{
	const char *from = t->p;

	while (t->p < t->end && is_digit(*t->p))
		t->p++;
	return t->p > from;
}

/* Is it written as a number: -12.5e-3, .5, 5. */
static bool is_decimal(struct text t)
{
	bool digits;

	take(&t, '-');
	digits = take_digits(&t);
	if (take(&t, '.'))
		digits |= take_digits(&t);
	if (digits && (take(&t, 'e') || take(&t, 'E'))) {
		if (!take(&t, '-'))
			take(&t, '+');
		digits = take_digits(&t);
	}
	return digits && t.p == t.end;
}

static bool parse_special(struct text t, double *d)
{
	bool negative = take(&t, '-');

	if (t.end - t.p != 3)
		return false;
	if (!strncasecmp(t.p, "nan", 3))
		*d = negative ? -NAN : NAN;
	else if (!strncasecmp(t.p, "inf", 3))
		*d = negative ? -INFINITY : INFINITY;
	else
		return false;
	return true;
}

static bool parse_double(struct text t, struct value *v)
{
	char number[NUMBER_MAX + 1];
	size_t len;

	trim(&t);
	len = (size_t)(t.end - t.p);
	if (!len || len > NUMBER_MAX || is_code(&t))
		return false;
	if (parse_special(t, &v->d))
		return true;
	if (!is_decimal(t))
		return false;
	memcpy(number, t.p, len);
	number[len] = '\0';
	v->d = strtod(number, NULL);
	return true;
}

/* ---- times ---- */

/* HH:MM[:SS[.ffffff]]; digits below a microsecond are read, and dropped. */
static bool take_time(struct text *t, bool seconds_too, int64_t *us)
{
	int64_t hour, minute, second = 0, fraction = 0, scale = US_PER_SECOND / 10;

	if (!take_number(t, 2, 0, 24, &hour) || !take(t, ':') || !take_number(t, 2, 0, 59, &minute))
		return false;
	if (!take(t, ':')) {
		if (seconds_too)
			return false;
	} else if (!take_number(t, 2, 0, 59, &second)) {
		return false;
	} else if (take(t, '.')) {
		for (; t->p < t->end && is_digit(*t->p); t->p++, scale /= 10)
			fraction += (*t->p - '0') * scale;
	}
	*us = ((hour * 60 + minute) * 60 + second) * US_PER_SECOND + fraction;
	return *us <= US_PER_DAY;
}

static bool parse_time(struct text t, struct value *v)
{
	return take_time(&t, false, &v->i) && t.p == t.end;
}

/* ---- dates ---- */

/* Days since 1970-01-01; years begin in March here, so that a leap day is the last one. */
int64_t days_of(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;

	*day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = y + era * 400 + (*month <= 2);
}

static bool date_is(int64_t year, int64_t month, int64_t day, int64_t *days)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1] + (leap && month == 2))
		return false;
	*days = days_of(year, (int)month, (int)day);
	return true;
}

enum part { YEAR2, YEAR4, MONTH, DAY };

/* Dates as DuckDB tries them: an order of parts, with one separator; and the clock after it. */
static const struct form {
	enum part parts[3];
	bool noon; /* of a TIMESTAMP: twelve hours, AM or PM */
	bool iso;  /* not with a '-': that is FORM_ISO */
} forms[] = {
	{{YEAR2, MONTH, DAY}, false, false}, {{YEAR4, MONTH, DAY}, false, true}, {{DAY, MONTH, YEAR2}, false, false},
	{{DAY, MONTH, YEAR4}, false, false}, {{MONTH, DAY, YEAR2}, true, false}, {{MONTH, DAY, YEAR4}, true, false},
};
#define FORMS (sizeof(forms) / sizeof(forms[0]))
#define FORM_ISO (1u << FORMS) /* YYYY-MM-DD, YYYY/MM/DD …: with years of any length; the last one tried */
#define FORMS_ALL ((FORM_ISO << 1) - 1)

static bool take_form(struct text *t, const struct form *f, char separator, int64_t *days)
{
	int64_t n[3], year = 0, month = 0, day = 0;

	if (f->iso && separator == '-')
		return false;
	for (int i = 0; i < 3; i++) {
		if (i && !take(t, separator))
			return false;
		if (!take_number(t, f->parts[i] == YEAR4 ? 4 : 2, 0, 9999, &n[i]))
			return false;
		if (f->parts[i] == YEAR2)
			year = n[i] + (n[i] < 69 ? 2000 : 1900);
		else if (f->parts[i] == YEAR4)
			year = n[i];
		else if (f->parts[i] == MONTH)
			month = n[i];
		else
			day = n[i];
	}
	return date_is(year, month, day, days);
}

static bool take_iso(struct text *t, int64_t *days)
{
	int64_t year, month, day;
	bool negative = take(t, '-');
	char separator;

	if (!take_number(t, 6, 0, 290000, &year) || t->p == t->end || !strchr("-/ \\", *t->p))
		return false;
	separator = *t->p++;
	return take_number(t, 2, 1, 12, &month) && take(t, separator) && take_number(t, 2, 1, 31, &day) &&
	       date_is(negative ? -year : year, month, day, days);
}

/* What separates the parts of a date that is all numbers; 0: nothing does. */
static char separator_of(const struct text *t)
{
	const char *p = t->p;

	while (p < t->end && is_digit(*p))
		p++;
	return p > t->p && p < t->end && strchr("-./ ", *p) ? *p : '\0';
}

static bool take_clock(struct text *t, const struct form *f, int64_t *us)
{
	int64_t noon = 12 * 3600 * US_PER_SECOND;
	bool late;

	if (!take(t, ' ') || !take_time(t, true, us))
		return false;
	if (!f->noon)
		return true;
	if (!take(t, ' ') || t->end - t->p < 2 || (t->p[1] | 0x20) != 'm' || *us >= noon + noon / 12 || *us < noon / 12)
		return false;
	late = (*t->p | 0x20) == 'p';
	if (!late && (*t->p | 0x20) != 'a')
		return false;
	*us = *us % noon + (late ? noon : 0);
	t->p += 2;
	return true;
}

/* [+-]HH[[:]MM] or Z; *US is what it is ahead of UTC. */
static bool take_zone(struct text *t, int64_t *us)
{
	int64_t hours, minutes = 0;
	bool west;

	*us = 0;
	if (take(t, 'Z'))
		return true;
	west = take(t, '-');
	if ((!west && !take(t, '+')) || !take_number(t, 2, 0, 15, &hours))
		return false;
	if (take(t, ':') || (t->p < t->end && is_digit(*t->p)))
		if (!take_number(t, 2, 0, 59, &minutes))
			return false;
	*us = (hours * 60 + minutes) * 60 * US_PER_SECOND * (west ? -1 : 1);
	return true;
}

/* A date as ISO 8601 has it, and a time: 2024-01-01T10:00[:00[.123]][Z], or no time at all. */
static bool parse_iso_timestamp(struct text t, bool zoned, struct value *v)
{
	int64_t days, us = 0, ahead = 0;

	if (!take_iso(&t, &days))
		return false;
	if (t.p < t.end) {
		if (!take(&t, 'T') && !is_space(*t.p))
			return false;
		while (t.p < t.end && is_space(*t.p))
			t.p++;
		if (!take_time(&t, false, &us))
			return false;
		if (zoned && t.p < t.end && !take_zone(&t, &ahead))
			return false;
		if (!zoned && t.end - t.p == 4 && !memcmp(t.p, " UTC", 4))
			t.p = t.end;
	}
	v->i = days * US_PER_DAY + us - ahead;
	return t.p == t.end;
}

static bool parse_in_form(struct text t, bool clock, unsigned i, char separator, struct value *v)
{
	int64_t us = 0;

	if (i == FORMS) {
		if (clock)
			return parse_iso_timestamp(t, false, v);
		return take_iso(&t, &v->i) && t.p == t.end;
	}
	if (!separator || !take_form(&t, &forms[i], separator, &v->i) || (clock && !take_clock(&t, &forms[i], &us)))
		return false;
	if (clock)
		v->i = v->i * US_PER_DAY + us;
	return t.p == t.end;
}

/* A bit for each form in which TEXT is a DATE, or with CLOCK a TIMESTAMP. */
static uint32_t forms_of(struct text t, bool clock, char separator, uint32_t among)
{
	uint32_t fit = 0;
	struct value v;

	for (unsigned i = 0; i <= FORMS; i++)
		if (among >> i & 1 && parse_in_form(t, clock, i, separator, &v))
			fit |= 1u << i;
	return fit;
}

static bool narrow(enum value_type type, struct value_formats *f, struct text t)
{
	uint32_t open;

	trim(&t);
	if (type == VALUE_TIMESTAMPTZ) {
		struct value v;

		return parse_iso_timestamp(t, true, &v);
	}
	if (!f->open)
		f->separator = separator_of(&t);
	open = forms_of(t, type == VALUE_TIMESTAMP, f->separator, f->open ? f->open : FORMS_ALL);
	if (!open)
		return false;
	f->open = open;
	return true;
}

/* ---- any of them ---- */

bool value_parse(enum value_type type, const struct value_formats *f, const char *text, size_t len, struct value *v)
{
	struct text t = {text, text + len};

	*v = (struct value){0};
	switch (type) {
	case VALUE_NONE:
		return false;
	case VALUE_BOOLEAN:
		return parse_boolean(text, len, v);
	case VALUE_BIGINT:
		return parse_bigint(t, v);
	case VALUE_DOUBLE:
		return parse_double(t, v);
	case VALUE_TIME:
		return parse_time(t, v);
	case VALUE_DATE:
	case VALUE_TIMESTAMP:
		trim(&t);
		return f->open &&
		       parse_in_form(t, type == VALUE_TIMESTAMP, (unsigned)__builtin_ctz(f->open), f->separator, v);
	case VALUE_TIMESTAMPTZ:
		trim(&t);
		return parse_iso_timestamp(t, true, v);
	case VALUE_VARCHAR:
		return true;
	}
	return false;
}

static bool fits(enum value_type type, struct value_formats *f, const char *text, size_t len)
{
	struct value v;

	if (type == VALUE_DATE || type == VALUE_TIMESTAMP || type == VALUE_TIMESTAMPTZ)
		return narrow(type, f, (struct text){text, text + len});
	return value_parse(type, f, text, len, &v);
}

/* The first value decides; later ones can make a DOUBLE of a BIGINT, and give a TIMESTAMP its zone. */
enum value_type value_widen(enum value_type type, struct value_formats *f, const char *text, size_t len)
{
	if (type == VALUE_VARCHAR)
		return type;
	if (type == VALUE_NONE) {
		for (type = VALUE_BOOLEAN; !fits(type, f, text, len); type++)
			*f = (struct value_formats){0};
		return type;
	}
	if (fits(type, f, text, len))
		return type;
	if (type == VALUE_BIGINT && fits(VALUE_DOUBLE, f, text, len))
		return VALUE_DOUBLE;
	if (type == VALUE_TIMESTAMP && fits(VALUE_TIMESTAMPTZ, f, text, len))
		return VALUE_TIMESTAMPTZ;
	return VALUE_VARCHAR;
}

/* ---- printing ---- */

void value_print_double(struct buf *b, double d)
{
	char text[40];

	if (isnan(d)) {
		buf_adds(b, "nan");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	buf_adds(b, text);
	if (!strpbrk(text, ".en"))
		buf_adds(b, ".0");
}

static void print_date(struct buf *b, int64_t days)
{
	int64_t year;
	int month, day;

	date_of(days, &year, &month, &day);
	buf_addf(b, "%04" PRId64 "-%02d-%02d", year, month, day);
}

static void print_time(struct buf *b, int64_t us)
{
	int64_t seconds = us / US_PER_SECOND;
	char fraction[16];

	buf_addf(b, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
	if (!(us % US_PER_SECOND))
		return;
	snprintf(fraction, sizeof(fraction), ".%06d", (int)(us % US_PER_SECOND));
	for (char *p = fraction + 6; *p == '0'; p--)
		*p = '\0';
	buf_adds(b, fraction);
}

void value_print(struct buf *b, enum value_type type, const struct value *v)
{
	int64_t of_day = v->i % US_PER_DAY;

	if (of_day < 0)
		of_day += US_PER_DAY;
	switch (type) {
	case VALUE_BOOLEAN:
		buf_adds(b, v->i ? "true" : "false");
		break;
	case VALUE_BIGINT:
		buf_addf(b, "%" PRId64, v->i);
		break;
	case VALUE_DOUBLE:
		value_print_double(b, v->d);
		break;
	case VALUE_TIME:
		print_time(b, v->i);
		break;
	case VALUE_DATE:
		print_date(b, v->i);
		break;
	case VALUE_TIMESTAMP:
	case VALUE_TIMESTAMPTZ:
		print_date(b, (v->i - of_day) / US_PER_DAY);
		buf_addc(b, ' ');
		print_time(b, of_day);
		if (type == VALUE_TIMESTAMPTZ)
			buf_adds(b, "+00");
		break;
	case VALUE_NONE:
	case VALUE_VARCHAR:
		break;
	}
}
