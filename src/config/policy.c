#include "config/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "config/settings_load.h"

#define GB 1e9

static char *default_exclude[] = {
	"_temporary/", ".ipynb_checkpoints/", "node_modules/", "__pycache__/", ".git/", ".DS_Store", "._*", "Thumbs.db",
	NULL,
};

/* Programs that read whatever they find; file(1) asks for 7 MiB of each, and needs its head. */
static char *default_deny[] = {
	"tracker-*",
	"localsearch-*",
	"baloo_file*",
	"updatedb*",
	"plocate*",
	"recollindex",
	"tumblerd",
	"file",
	"*-thumbnailer",
	"kioworker",
	"gnome-desktop-thumbnail*",
	"mdworker*",
	"mds",
	NULL,
};

/* What programs call what nobody else is to know. */
static char *default_redact[] = {
	"*password*",	"*passwd*",	 "pass",	 "pwd",	  "*secret*", "*token*", "*api*key*",
	"*access*key*", "*private*key*", "*credential*", "auth*", "bearer",   "cookie",	 NULL,
};

void policy_complete_redact(struct settings *s)
{
	if (!s->redact)
		s->redact = default_redact;
}

void policy_release_redact(struct settings *s)
{
	for (char **g = s->redact; g && s->redact != default_redact && *g; g++)
		free(*g);
	if (s->redact != default_redact)
		free(s->redact);
}

void policy_complete_deny(struct settings *s)
{
	if (!s->recall_deny)
		s->recall_deny = default_deny;
}

void policy_release_deny(struct settings *s)
{
	for (char **g = s->recall_deny; g && s->recall_deny != default_deny && *g; g++)
		free(*g);
	if (s->recall_deny != default_deny)
		free(s->recall_deny);
}

const char *bucket_tier_name(enum bucket_tier t)
{
	switch (t) {
	case TIER_LOCAL:
		return "local";
	case TIER_PINNED:
		return "pinned";
	case TIER_MIRROR:
		return "mirror";
	case TIER_CLOUD:
		return "cloud";
	}
	return "unknown";
}

void bucket_policy_init(struct bucket_policy *p)
{
	*p = (struct bucket_policy){
		.tier = TIER_LOCAL,
		.retention_days = 30,
		.keep_last = 3,
		.auto_catalog = true,
		.versioned = true,
	};
}

void bucket_policy_set_private(struct bucket_policy *p)
{
	p->tier = TIER_PINNED;
	p->auto_catalog = false;
	p->versioned = false;
	p->compress = false;
}

void bucket_policy_release(struct bucket_policy *p)
{
	free(p->name);
	free(p->path);
	free(p->purpose);
	for (char **g = p->exclude; g && p->exclude != default_exclude && *g; g++)
		free(*g);
	if (p->exclude != default_exclude)
		free(p->exclude);
}

int bucket_policy_complete(struct bucket_policy *p)
{
	if (!p->name)
		p->name = strdup("");
	if (!p->purpose)
		p->purpose = strdup("");
	if (!p->exclude)
		p->exclude = default_exclude;
	return p->name && p->purpose ? 0 : -ENOMEM;
}

const struct bucket_policy *settings_bucket(struct settings *s, const char *name)
{
	for (int i = 0; i < s->nbuckets; i++) {
		if (strcmp(s->buckets[i].name, name) == 0)
			return &s->buckets[i];
	}
	return name[0] == '.' ? &s->undeclared_private : &s->undeclared;
}

/* "x@v", "x@v3", "x@v-1": the rightmost @v counts, x is not empty but for the root's own "@v". */
static bool reads_as_version(const char *name)
{
	const char *at = NULL;

	for (const char *p = strstr(name, "@v"); p; p = strstr(p + 2, "@v"))
		at = p;
	if (!at)
		return false;
	if (at[2] == '\0')
		return true;
	if (at == name)
		return false;
	at += at[2] == '-' ? 3 : 2;
	return *at && strspn(at, "0123456789") == strlen(at);
}

const char *bucket_name_problem(const char *name)
{
	static const char *const own[] = {".catalog", ".lineage", ".tarn-versions"};

	if (name[0] == '\0')
		return "is empty";
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return "means a folder itself";
	if (strchr(name, '/'))
		return "has a / in it";
	if (strlen(name) > 255)
		return "is longer than 255 bytes";
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (strcmp(name, own[i]) == 0)
			return "tarn uses itself";
	}
	return reads_as_version(name) ? "reads as the version of another" : NULL;
}

static size_t character(const char *p)
{
	size_t n = utf8_length(p, strnlen(p, 4));

	return n ? n : 1;
}

/*
 * Is the character at C in the set that begins behind the [ at P? *END is set behind its ]; NULL when there is none,
 * and the [ stands for itself. Sets are of bytes: a range of two letters of other scripts is not worth its tables.
 */
static bool in_set(const char *p, char c, const char **end)
{
	bool negated = *p == '!' || *p == '^', found = false;
	const char *first;

	p += negated;
	for (first = p; *p && (*p != ']' || p == first); p++) {
		unsigned char low = (unsigned char)*p, high = low;

		if (p[1] == '-' && p[2] && p[2] != ']') {
			high = (unsigned char)p[2];
			p += 2;
		}
		found = found || ((unsigned char)c >= low && (unsigned char)c <= high);
	}
	*end = *p ? p + 1 : NULL;
	return found != negated;
}

/* Matches one element of the pattern that is no *; *NEXT is set behind it. */
static bool match_one(const char *pattern, const char *name, const char **next)
{
	const char *end;
	bool found;

	if (*pattern == '?') {
		*next = pattern + 1;
		return true;
	}
	if (*pattern == '[') {
		found = in_set(pattern + 1, *name, &end);
		if (end) {
			*next = end;
			return found;
		}
	}
	pattern += *pattern == '\\' && pattern[1];
	*next = pattern + 1;
	return *pattern == *name;
}

/*
 * As fnmatch(3), but in time |pattern| × |name| whatever the pattern, for names come from anybody: only the last * ever
 * has to be tried again. LEN: of the pattern, without the / of a folder.
 */
static bool glob_matches(const char *pattern, size_t len, const char *name)
{
	const char *end = pattern + len, *star = NULL, *retry = NULL;

	while (*name) {
		const char *next;

		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			retry = name;
			continue;
		}
		if (pattern < end && match_one(pattern, name, &next) && next <= end) {
			name += *pattern == '?' ? character(name) : 1;
			pattern = next;
			continue;
		}
		if (!star)
			return false;
		pattern = star;
		retry += character(retry);
		name = retry;
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

bool policy_excludes(const struct bucket_policy *p, const char *name, bool is_folder)
{
	for (char **g = p->exclude; *g; g++) {
		size_t len = strlen(*g);
		bool folders_only = len && (*g)[len - 1] == '/';

		if (folders_only && !is_folder)
			continue;
		if (glob_matches(*g, len - folders_only, name))
			return true;
	}
	return false;
}

static uint64_t to_bytes(double bytes)
{
	return bytes >= 1.8e19 ? UINT64_MAX : (uint64_t)bytes;
}

uint64_t settings_capacity(const struct settings *s, uint64_t used, uint64_t free_bytes)
{
	if (s->local_capacity_gb > 0)
		return to_bytes(s->local_capacity_gb * GB);
	return to_bytes(((double)used + (double)free_bytes) * 0.9);
}

uint64_t settings_history_budget(const struct settings *s, uint64_t capacity)
{
	if (s->history_budget_gb >= 0)
		return to_bytes(s->history_budget_gb * GB);
	return capacity / 5;
}

uint64_t settings_recall_budget(const struct settings *s, uint64_t disk)
{
	return s->recall_budget_gb >= 0 ? to_bytes(s->recall_budget_gb * GB) : disk / 4;
}
