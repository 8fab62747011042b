// SPDX-License-Identifier: GPL-3.0-or-later
/* Listings: all that is there, once, in the order of its bytes, in pages. */
#include "conform.h"

#include <pthread.h>

struct listing {
	char last[TIER_KEY_MAX + 1];
	int n, folders, pages, largest;
	bool wrong; /* not in order, or no head */
	int end_after;
	struct buf names; /* without PREFIX, a space before each; the first 2,000 bytes */
	size_t prefix;
};

static int take_page(void *arg, const struct tier_entry *entries, int n)
{
	struct listing *l = arg;

	l->pages++;
	l->largest = n > l->largest ? n : l->largest;
	for (int i = 0; i < n; i++) {
		l->wrong |= l->n > 0 && strcmp(l->last, entries[i].key) >= 0;
		l->wrong |= !entries[i].folder &&
			    (entries[i].head.size != 3 || !entries[i].head.etag[0] || entries[i].head.mtime <= 0);
		snprintf(l->last, sizeof(l->last), "%s", entries[i].key);
		l->n++;
		l->folders += entries[i].folder;
		if (l->names.len < 2000)
			buf_addf(&l->names, " %s", entries[i].key + l->prefix);
	}
	return l->end_after && l->n >= l->end_after ? -EPIPE : 0;
}

static int list(struct listing *l, const char *prefix, const char *after, bool folders)
{
	struct tier_list what = {.prefix = prefix, .after = after, .folders = folders, .page = take_page, .arg = l};

	return tier_list(the.t, &what, NULL);
}

/* TEXT names what is put; then it is listed. RULES: "PREFIX|AFTER|FOLDERS|what comes". */
static bool listed(const struct conform_case *c)
{
	char fields[4][1024], base[TIER_KEY_MAX], after[TIER_KEY_MAX];
	struct listing l = {0};
	bool good;

	snprintf(base, sizeof(base), "%s", key_of(""));
	for (const char *p = c->text; *p;) {
		char name[256];
		size_t len = strcspn(p, " ");

		snprintf(name, sizeof(name), "%.*s", (int)len, p);
		WANT(put_to(the.t, key_of(name), 3, 1), 0);
		p += len + (p[len] == ' ');
	}
	for (int i = 0, at = 0; i < 4; i++, at++) {
		size_t len = strcspn(c->rules + at, "|");

		snprintf(fields[i], sizeof(fields[i]), "%.*s", (int)len, c->rules + at);
		at += (int)len;
	}
	l.prefix = strlen(base);
	snprintf(after, sizeof(after), "%s", key_of(fields[1]));
	WANT(list(&l, key_of(fields[0]), fields[1][0] ? after : NULL, fields[2][0] == 'f'), 0);
	good = strcmp(buf_str(&l.names), fields[3]) == 0 && !l.wrong;
	if (!good)
		diag("got \"%s\"%s, wanted \"%s\"", buf_str(&l.names), l.wrong ? " (wrong)" : "", fields[3]);
	buf_release(&l.names);
	return good;
}

#define PAGES_N 1234
#define PAGES_WRITERS 16
static char paged[TIER_KEY_MAX];

static void *put_some(void *arg)
{
	intptr_t failed = 0;

	for (int i = (int)(intptr_t)arg; i < PAGES_N; i += PAGES_WRITERS) {
		char key[TIER_KEY_MAX + 32];

		snprintf(key, sizeof(key), "%sfolder%02d/file%05d", paged, i % 40, i);
		failed += put_to(the.t, key, 3, 1) != 0;
	}
	return (void *)failed;
}

/* One prefix with many objects, for what follows. */
static bool have_pages(void)
{
	pthread_t writers[PAGES_WRITERS];
	intptr_t failed = 0;

	if (paged[0])
		return true;
	snprintf(paged, sizeof(paged), "%s", key_of("pages/"));
	for (intptr_t i = 0; i < PAGES_WRITERS; i++)
		pthread_create(&writers[i], NULL, put_some, (void *)i);
	for (int i = 0; i < PAGES_WRITERS; i++) {
		void *one;

		pthread_join(writers[i], &one);
		failed += (intptr_t)one;
	}
	WANT(failed, 0);
	return true;
}

static bool pages(const struct conform_case *c)
{
	struct listing l = {0};

	(void)c;
	HOLDS(have_pages());
	WANT(list(&l, paged, NULL, false), 0);
	WANT(l.n, PAGES_N);
	HOLDS(!l.wrong);
	HOLDS(l.pages >= 2 && l.largest <= 1000);
	buf_release(&l.names);
	return true;
}

static bool pages_of_folders(const struct conform_case *c)
{
	struct listing l = {0};

	(void)c;
	HOLDS(have_pages());
	WANT(list(&l, paged, NULL, true), 0);
	WANT(l.n, 40);
	WANT(l.folders, 40);
	buf_release(&l.names);
	return true;
}

/* From every 500th on: what comes is what is left. */
static bool pages_after(const struct conform_case *c)
{
	(void)c;
	HOLDS(have_pages());
	for (int from = 0; from < 40; from += 13) {
		struct listing l = {0};
		char after[TIER_KEY_MAX + 32];

		snprintf(after, sizeof(after), "%sfolder%02d/zzz", paged, from);
		WANT(list(&l, paged, after, false), 0);
		HOLDS(!l.wrong);
		WANT(l.n, PAGES_N - (from + 1) * (PAGES_N / 40) - (from + 1 < PAGES_N % 40 ? from + 1 : PAGES_N % 40));
		buf_release(&l.names);
	}
	return true;
}

static bool page_ends_it(const struct conform_case *c)
{
	struct listing l = {.end_after = 1};

	(void)c;
	HOLDS(have_pages());
	WANT(list(&l, paged, NULL, false), -EPIPE);
	WANT(l.pages, 1);
	buf_release(&l.names);
	return true;
}

static bool nothing(const struct conform_case *c)
{
	struct listing l = {0};

	WANT(list(&l, key_of(c->text), NULL, c->size), 0);
	WANT(l.n, 0);
	return true;
}

#define LISTED(what, names, rule)                        \
	{                                                \
		"list: " what, ALL_, listed, names, rule \
	}
#define S3_LISTED(what, names, rule)                      \
	{                                                 \
		"list: " what, CURL_, listed, names, rule \
	}

const struct conform_case conform_lists[] = {
	LISTED("one", "a", "||| a"),
	LISTED("in the order of bytes", "b a B A 10 9 1 ü z _ -", "||| - 1 10 9 A B _ a b z ü"),
	LISTED("shorter ones first", "a aa aaa a/b a-b a0", "||| a a-b a/b a0 aa aaa"),
	LISTED("beyond the BMP comes last", "\xef\xbc\xa1 \xf0\x9f\x90\x9f", "||| \xef\xbc\xa1 \xf0\x9f\x90\x9f"),
	LISTED("a prefix that is a folder", "a/1 a/2 b/1", "a/||| a/1 a/2"),
	LISTED("a prefix that is none", "abc abd ab/x xyz", "ab||| ab/x abc abd"),
	LISTED("a prefix with what needs encoding", "a+b/1 a%20b/1 ab/1", "a+||| a+b/1"),
	LISTED("a prefix with XML in it", "<a>&/1 <a>/2", "<a>&||| <a>&/1"),
	LISTED("after one", "a b c d", "|b|| c d"),
	LISTED("after what is not there", "a c d", "|b|| c d"),
	LISTED("after the last", "a b", "|b||"),
	LISTED("after a folder's middle", "a/1 a/2 a/3 b/1", "|a/2|| a/3 b/1"),
	LISTED("folders", "a/1 a/2 b c/d/e", "||f| a/ b c/"),
	LISTED("folders below one", "a/1 a/b/2 a/b/3 a/c d/1", "a/||f| a/1 a/b/ a/c"),
	LISTED("folders after one", "a/1 b/1 c/1 d", "|b/|f| c/ d"),
	LISTED("a folder and a file between", "a/1 a.b a0", "||f| a.b a/ a0"),
	LISTED("names that XML must escape", "<x> &y 'z' \"q\" ]]>", "||| \"q\" &y 'z' <x> ]]>"),
	LISTED("unicode", "日本語/ファイル ä/ö", "||| ä/ö 日本語/ファイル"),
	{"list: nothing", ALL_, nothing, "no/such/prefix/"},
	{"list: nothing, with folders", ALL_, nothing, "no/such/prefix/", .size = 1},
	{"list: 1,234 in pages", ALL_, pages},
	{"list: 1,234 in 40 folders", ALL_, pages_of_folders},
	{"list: from anywhere", ALL_, pages_after},
	{"list: who has enough ends it", ALL_, page_ends_it},
	{NULL},
};
