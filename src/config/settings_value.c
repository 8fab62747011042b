/* One value of the settings: from its text to its member in the struct. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/finding.h"
#include "config/settings_keys.h"

#define TEXT_MAX 4095
#define GLOB_MAX 255 /* the longest name there is */

void settings_value_release(struct settings_value *v)
{
	free(v->text);
	for (char **g = v->globs; g && *g; g++)
		free(*g);
	free(v->globs);
	*v = (struct settings_value){0};
}

static int complain(struct buf *why, const char *text, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int complain(struct buf *why, const char *text, const char *fmt, ...)
{
	va_list ap;

	buf_add_shown(why, text, strlen(text));
	buf_addc(why, ' ');
	va_start(ap, fmt);
	buf_vaddf(why, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int keep_text(struct settings_value *v, const char *text)
{
	v->text = text[0] ? strdup(text) : NULL;
	return text[0] && !v->text ? -ENOMEM : 0;
}

/* Those of ASCII, and U+0080 to U+009F. */
static bool has_control(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
			return true;
	}
	return false;
}

static int parse_text(const struct settings_key *k, const char *text, struct settings_value *v, struct buf *why)
{
	if (strlen(text) > TEXT_MAX)
		return complain(why, text, "is longer than %d bytes", TEXT_MAX);
	if (k->type == VALUE_URL && text[0] && strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
		return complain(why, text, "does not begin with http:// or https://");
	if (k->type == VALUE_PATH && has_control(text))
		return complain(why, text,
				"has control characters (in double quotes \\ begins an escape, single ones help)");
	return keep_text(v, text);
}

static int add_glob(const char *text, struct settings_value *v, struct buf *why)
{
	const char *slash = strchr(text, '/');
	size_t n = 0;
	char **globs;

	if (text[0] == '\0' || text[0] == '/')
		return complain(why, text, "is not a pattern of a name");
	if (strlen(text) > GLOB_MAX)
		return complain(why, text, "is longer than %d bytes", GLOB_MAX);
	if (slash && slash[1])
		return complain(why, text, "has a / inside: patterns are of one name, with a / at the end of a folder");
	while (v->globs && v->globs[n])
		n++;
	globs = realloc(v->globs, (n + 2) * sizeof(*globs));
	if (!globs)
		return -ENOMEM;
	v->globs = globs;
	globs[n + 1] = NULL;
	globs[n] = strdup(text);
	return globs[n] ? 0 : -ENOMEM;
}

/* [+-]digits[.digits][e[+-]digits], as far as it goes. */
static const char *skip_number(const char *p)
{
	const char *start;

	p += *p == '+' || *p == '-';
	for (start = p; isdigit((unsigned char)*p) || *p == '.'; p++)
		;
	if (p == start || !strpbrk(start, "0123456789"))
		return start;
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '+' || *p == '-';
		for (start = p; isdigit((unsigned char)*p); p++)
			;
		if (p == start)
			return p - 1;
	}
	return p;
}

/* As strtod(3) in the C locale, but neither hexadecimal nor infinite nor "nan". */
static bool read_number(const char *text, double *number)
{
	locale_t c;
	char *end;

	if (text[0] == '\0' || *skip_number(text) != '\0')
		return false;
	c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!c)
		return false;
	*number = strtod_l(text, &end, c);
	freelocale(c);
	return *end == '\0';
}

static void add_range(struct buf *why, const struct settings_key *k)
{
	if (k->range & RANGE_OR_FOR_EVER)
		buf_adds(why, "-1 for ever, or ");
	buf_addf(why, k->range & RANGE_ABOVE_MIN ? "more than %.15g, at most %.15g" : "from %.15g to %.15g", k->min,
		 k->max);
}

static bool in_range(const struct settings_key *k, double number)
{
	if ((k->range & RANGE_OR_FOR_EVER) && number == -1)
		return true;
	return (k->range & RANGE_ABOVE_MIN ? number > k->min : number >= k->min) && number <= k->max;
}

static int parse_number(const struct settings_key *k, const char *text, struct settings_value *v, struct buf *why)
{
	const char *problem = NULL;

	if (!read_number(text, &v->number))
		problem = "is not a number";
	else if (!in_range(k, v->number))
		problem = "is out of range";
	else if (k->type == VALUE_COUNT && v->number != (double)(int64_t)v->number)
		problem = "is not a whole number";
	if (!problem) {
		if (k->type == VALUE_TIME && v->number > (double)(int64_t)v->number)
			v->number = (double)(int64_t)v->number + 1;
		return 0;
	}
	complain(why, text, "%s (", problem);
	add_range(why, k);
	buf_addc(why, ')');
	return -EINVAL;
}

static int parse_bool(const char *text, struct settings_value *v, struct buf *why)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			v->number = (double)(i % 2);
			return 0;
		}
	}
	return complain(why, text, "is not true or false");
}

static int parse_word(const struct settings_key *k, const char *text, struct settings_value *v, struct buf *why)
{
	for (const struct settings_word *w = k->words; w->word; w++) {
		if (strcasecmp(text, w->word) == 0) {
			v->number = w->number;
			return k->type == VALUE_CHOICE && w->number ? keep_text(v, w->word) : 0;
		}
	}
	complain(why, text, "is not one of ");
	for (const struct settings_word *w = k->words; w->word; w++)
		buf_addf(why, "%s%s", w == k->words ? "" : ", ", w->word);
	return -EINVAL;
}

int settings_value_parse(const struct settings_key *k, const char *text, struct settings_value *v, struct buf *why)
{
	switch (k->type) {
	case VALUE_TEXT:
	case VALUE_PATH:
	case VALUE_URL:
		return parse_text(k, text, v, why);
	case VALUE_GLOBS:
		return add_glob(text, v, why);
	case VALUE_NUMBER:
	case VALUE_COUNT:
	case VALUE_TIME:
		return parse_number(k, text, v, why);
	case VALUE_BOOL:
		return parse_bool(text, v, why);
	case VALUE_WORD:
	case VALUE_CHOICE:
		return parse_word(k, text, v, why);
	}
	return -EINVAL;
}

static void store_integer(void *to, size_t size, double number)
{
	if (size == sizeof(int64_t))
		*(int64_t *)to = (int64_t)number;
	else if (size == sizeof(int))
		*(int *)to = (int)number;
	else
		*(bool *)to = number != 0;
}

void settings_value_store(const struct settings_key *k, struct settings_value *v, void *base)
{
	void *to = (char *)base + k->offset;

	if (k->size == 0)
		return;
	switch (k->type) {
	case VALUE_TEXT:
	case VALUE_PATH:
	case VALUE_URL:
	case VALUE_CHOICE:
		free(*(char **)to);
		*(char **)to = steal_ptr(&v->text);
		break;
	case VALUE_GLOBS:
		*(char ***)to = steal_ptr(&v->globs);
		break;
	case VALUE_NUMBER:
		*(double *)to = v->number;
		break;
	default:
		store_integer(to, k->size, v->number);
	}
}

/* One ${…} that begins at P; *END is set behind it. */
static int expand_one(const char *p, const char **end, struct buf *out, struct buf *why)
{
	const char *name = p + 2, *close = strchr(p, '}');
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
	bool has_default = close && strncmp(name + len, ":-", 2) == 0;
	_cleanup_free_ char *variable = strndup(name, len);
	const char *value;

	if (!variable)
		return -ENOMEM;
	if (!close || len == 0 || isdigit((unsigned char)name[0]) || (name[len] != '}' && !has_default))
		return complain(why, p, "is neither ${NAME} nor ${NAME:-default}");
	*end = close + 1;
	value = getenv(variable);
	if (value && value[0]) {
		buf_adds(out, value);
	} else if (has_default) {
		buf_add(out, name + len + 2, (size_t)(close - name) - len - 2);
	} else {
		buf_addf(why, "the environment variable %.60s is not set (${%.60s:-x} would have a default)", variable,
			 variable);
		return -ENXIO;
	}
	return 0;
}

int settings_expand(const char *text, struct buf *out, struct buf *why)
{
	while (*text) {
		int r = 0;

		if (strncmp(text, "$${", 3) == 0) {
			buf_adds(out, "${");
			text += 3;
		} else if (strncmp(text, "${", 2) == 0) {
			r = expand_one(text, &text, out, why);
		} else {
			size_t n = strcspn(text + 1, "$") + 1;

			buf_add(out, text, n);
			text += n;
		}
		if (r < 0)
			return r;
	}
	return buf_error(out);
}
