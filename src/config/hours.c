#include "config/hours.h"

#include <ctype.h>
#include <stddef.h>
#include <time.h>

#define DAY (24 * 60)

/* "H:MM" or "HH:MM" up to END; NULL: it is not. 24:00 is a day's end. */
static const char *parse_time(const char *p, char end, int *minutes)
{
	int hour = 0, minute = 0, digits = 0;

	for (; isdigit((unsigned char)*p) && digits < 2; p++, digits++)
		hour = 10 * hour + *p - '0';
	if (!digits || *p++ != ':')
		return NULL;
	for (digits = 0; isdigit((unsigned char)*p) && digits < 2; p++, digits++)
		minute = 10 * minute + *p - '0';
	*minutes = 60 * hour + minute;
	return digits == 2 && minute < 60 && *minutes <= DAY && *p == end ? p + (end != '\0') : NULL;
}

bool hours_parse(const char *text, struct hours *h)
{
	*h = (struct hours){0, 0};
	if (!text || !text[0])
		return true;
	text = parse_time(text, '-', &h->from);
	return text && parse_time(text, '\0', &h->to);
}

bool hours_have(const struct hours *h, int minute)
{
	if (h->from % DAY == h->to % DAY)
		return true;
	if (h->from < h->to)
		return minute >= h->from && minute < h->to;
	return minute >= h->from || minute < h->to;
}

bool hours_now(const struct hours *h, int64_t ns)
{
	time_t t = (time_t)(ns / 1000000000);
	struct tm tm;

	return !localtime_r(&t, &tm) || hours_have(h, 60 * tm.tm_hour + tm.tm_min);
}
