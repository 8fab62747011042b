#include "cli/human.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/utf8.h"

void human_size(struct buf *b, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double n = (double)bytes;
	int unit = 0;

	for (; n >= 1023.95 && unit < 6; unit++)
		n /= 1024;
	buf_addf(b, unit ? "%.1f %s" : "%.0f %s", n, units[unit]);
}

void human_time(struct buf *b, int64_t ns)
{
	time_t seconds = (time_t)(ns >= 0 ? ns / NSEC_PER_SEC : -((-ns + NSEC_PER_SEC - 1) / NSEC_PER_SEC));
	char text[64];
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(text, sizeof(text), "%lld", (long long)seconds);
	buf_adds(b, text);
}

/* What follows the seconds: ".123", then "Z" or "+01:00". */
static int parse_rest(const char *s, int64_t *fraction, int *offset)
{
	int64_t unit = NSEC_PER_SEC / 10;
	int hours, minutes, end = 0;

	if (*s == '.') {
		for (s++; *s >= '0' && *s <= '9'; s++, unit /= 10)
			*fraction += (*s - '0') * unit;
	}
	if (!strcmp(s, "Z") || !strcmp(s, "z"))
		return 0;
	if ((*s != '+' && *s != '-') || sscanf(s + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2 || s[1 + end])
		return -EINVAL;
	*offset = (hours * 3600 + minutes * 60) * (*s == '-' ? -1 : 1);
	return 0;
}

int time_parse(const char *text, int64_t *ns)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t fraction = 0;
	int offset = 0;

	if (!rest || parse_rest(rest, &fraction, &offset))
		return -EINVAL;
	*ns = ((int64_t)timegm(&tm) - offset) * NSEC_PER_SEC + fraction;
	return 0;
}

void human_name(struct buf *b, const char *name)
{
	const unsigned char *s = (const unsigned char *)name;

	for (size_t left = strlen(name), n; left; s += n, left -= n) {
		/* U+0080 to U+009F are control characters too */
		bool control = *s < ' ' || *s == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);

		n = utf8_length(s, left);
		if (n && !control) {
			buf_add(b, s, n);
			continue;
		}
		n = 1;
		buf_addf(b, "\\x%02x", *s);
	}
}

void shell_word(struct buf *b, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@%=";

	if (*word && strspn(word, plain) == strlen(word)) {
		buf_adds(b, word);
		return;
	}
	buf_addc(b, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			buf_adds(b, "'\\''");
		else
			buf_addc(b, *word);
	}
	buf_addc(b, '\'');
}
