#include "lineage/redact.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

/* How tokens of well-known services begin. */
static const char *const tokens[] = {"ghp_",  "gho_", "ghs_", "github_pat_", "glpat-",	  "xoxb-",
				     "xoxp-", "sk-",  "AKIA", "ASIA",	     "eyJhbGciOi"};

static bool is_secret(const char *name, size_t len, char *const *patterns)
{
	char plain[128];

	while (len && *name == '-') {
		name++;
		len--;
	}
	if (!len || len >= sizeof(plain))
		return false;
	memcpy(plain, name, len);
	plain[len] = '\0';
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, plain, FNM_CASEFOLD))
			return true;
	return false;
}

static bool is_name(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)word[i]) && !strchr("-_.", word[i]))
			return false;
	return len;
}

static bool is_token(const char *word)
{
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		if (!strncmp(word, tokens[i], strlen(tokens[i])) && strlen(word) > strlen(tokens[i]) + 12)
			return true;
	return false;
}

/* "scheme://user:password@host" without the password, wherever it stands in WORD. */
static void add_without_password(const char *word, struct buf *to)
{
	const char *url;

	while ((url = strstr(word, "://"))) {
		const char *from = url + 3, *end = from + strcspn(from, "/?# \"'\n"), *at = NULL, *colon;

		for (const char *p = from; p < end; p++)
			at = *p == '@' ? p : at;
		colon = at ? memchr(from, ':', (size_t)(at - from)) : NULL;
		if (colon) {
			buf_add(to, word, (size_t)(colon + 1 - word));
			buf_adds(to, REDACTED);
			word = at;
		} else {
			buf_add(to, word, (size_t)(end - word));
			word = end;
		}
	}
	buf_adds(to, word);
}

/* Secrets among the words of what a shell is to do: each is looked at by itself. */
static void add_words_of(const char *text, char *const *patterns, struct buf *to)
{
	bool hide = false;

	while (*text) {
		size_t blank = strspn(text, " \t\n"), len = strcspn(text + blank, " \t\n"), name;
		_cleanup_buf_ struct buf word = BUF_INIT;

		buf_add(to, text, blank);
		buf_add(&word, text + blank, len);
		name = strcspn(buf_str(&word), "=");
		if (hide || is_token(buf_str(&word))) {
			buf_adds(to, len ? REDACTED : "");
			hide = false;
		} else if (name < len && is_name(buf_str(&word), name) && is_secret(buf_str(&word), name, patterns)) {
			buf_add(to, word.data, name + 1);
			buf_adds(to, REDACTED);
		} else {
			hide = len > 1 && buf_str(&word)[0] == '-' && is_secret(buf_str(&word), len, patterns);
			add_without_password(buf_str(&word), to);
		}
		text += blank + len;
	}
}

void redact_words(const char *words, size_t len, char *const *patterns, struct buf *json)
{
	bool hide = false;

	buf_addc(json, '[');
	for (size_t at = 0; at < len; at += strlen(words + at) + 1) {
		const char *word = words + at;
		_cleanup_buf_ struct buf shown = BUF_INIT;

		if (hide)
			buf_adds(&shown, REDACTED);
		else
			add_words_of(word, patterns, &shown);
		hide = !hide && word[0] == '-' && !strchr(word, '=') && is_secret(word, strlen(word), patterns);
		if (at)
			buf_addc(json, ',');
		buf_add_json(json, buf_str(&shown), shown.len);
	}
	buf_addc(json, ']');
}
