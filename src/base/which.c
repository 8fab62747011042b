#include "base/which.h"

#include <string.h>

#include "base/moment.h"

#define MARK_BYTES (sizeof(VERSION_MARK) - 1)
#define NUMBER_DIGITS 18 /* what any of them says fits into int64_t */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* LEN digits without a leading zero. */
static bool parse_number(const char *s, size_t len, uint64_t *number)
{
	if (!len || len > NUMBER_DIGITS || *s == '0')
		return false;
	*number = 0;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(s[i]))
			return false;
		*number = *number * 10 + (uint64_t)(s[i] - '0');
	}
	return true;
}

/* "7" or "-2" */
static bool parse_signed(const char *s, size_t len, struct which *w)
{
	bool back = len && *s == '-';

	w->kind = back ? WHICH_BACK : WHICH_NUMBER;
	return parse_number(s + back, len - back, &w->number);
}

/* The last mark of the LEN bytes at S; NULL: none. */
static const char *last_mark(const char *s, size_t len)
{
	for (size_t at = len; at >= MARK_BYTES; at--) {
		const char *mark = s + at - MARK_BYTES;

		if (!memcmp(mark, VERSION_MARK, MARK_BYTES))
			return mark;
	}
	return NULL;
}

bool which_beside(const char *name, size_t *base, struct which *w)
{
	const char *mark = last_mark(name, strlen(name)), *rest;

	*w = (struct which){.kind = WHICH_ALL};
	if (!mark || mark == name)
		return false;
	*base = (size_t)(mark - name);
	rest = mark + MARK_BYTES;
	return !*rest || parse_signed(rest, strlen(rest), w);
}

static bool is_compression(const char *extension)
{
	static const char *const known[] = {".gz", ".zst", ".bz2", ".xz", ".lz4", ".br", ".Z", NULL};

	for (int i = 0; known[i]; i++)
		if (!strcmp(extension, known[i]))
			return true;
	return false;
}

const char *which_extension(const char *f)
{
	const char *dot = strrchr(f, '.'), *before;

	if (!dot || dot == f || !dot[1])
		return "";
	if (!is_compression(dot))
		return dot;
	for (before = dot - 1; before > f; before--)
		if (*before == '.')
			return before;
	return dot;
}

static bool is_word(const char *s, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(s, word, len);
}

static bool parse_entry(const char *s, size_t len, struct which *w)
{
	if (is_word(s, len, "latest")) {
		w->kind = WHICH_LATEST;
		return true;
	}
	if (parse_signed(s, len, w))
		return true;
	*w = (struct which){.kind = WHICH_TIME};
	return moment_parse(s, len, &w->time);
}

bool which_entry(const char *name, const char *extension, struct which *w)
{
	size_t len = strlen(name), ext = strlen(extension);

	*w = (struct which){.kind = WHICH_HISTORY};
	if (!strcmp(name, "history.jsonl"))
		return true;
	if (ext && len > ext && !strcmp(name + len - ext, extension) && parse_entry(name, len - ext, w))
		return true;
	return parse_entry(name, len, w);
}

static bool parse_commit(const char *name, uint64_t *number)
{
	static const char word[] = "commit-";

	return !strncmp(name, word, sizeof(word) - 1) &&
	       parse_number(name + sizeof(word) - 1, strlen(name + sizeof(word) - 1), number);
}

void which_moment(const char *name, struct which *w)
{
	*w = (struct which){.kind = WHICH_LABEL};
	if (parse_commit(name, &w->number))
		w->kind = WHICH_COMMIT;
	else if (moment_parse(name, strlen(name), &w->time))
		w->kind = WHICH_TIME;
}

/* Nothing but what times and numbers are made of: "2026-13-45", "12:00Z", "-7", "1.5" */
static bool looks_like_a_time(const char *name)
{
	return strpbrk(name, "0123456789") && !name[strspn(name, "0123456789-:.+TZ")];
}

bool which_label_allowed(const char *name)
{
	static const char *const taken[] = {"epoch-", "commit-", "@GMT-", NULL};

	if (!*name || !strcmp(name, ".") || !strcmp(name, "..") || strchr(name, '/') || strlen(name) > 255 ||
	    looks_like_a_time(name) || !strcmp(name, "latest") || !strcmp(name, "history.jsonl"))
		return false;
	for (int i = 0; taken[i]; i++)
		if (!strncmp(name, taken[i], strlen(taken[i])))
			return false;
	return true;
}
