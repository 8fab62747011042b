// SPDX-License-Identifier: GPL-3.0-or-later
/* Keys that make trouble: each must come back as the very same, and no two may be one object. */
#include "conform.h"

/* An object is put at the key, read, listed, copied onto another and removed; what looks like it stays what it is. */
static bool round_trip(const struct conform_case *c)
{
	const char *key = key_of(c->text);
	struct tier_copy copy = {.from = key, .to = key_of("copy")};
	_cleanup_buf_ struct buf keys = BUF_INIT, wanted = BUF_INIT;
	struct tier_head head;

	WANT(put_to(the.t, key, 100, 1), 0);
	WANT(head_of(the.t, key, &head), 0);
	WANT((int64_t)head.size, 100);
	WANT(get_from(the.t, key, 100, 1, NULL), 0);
	WANT(keys_below(the.t, key_of(""), &keys), 1);
	buf_addf(&wanted, " %s", key);
	HOLDS(strcmp(buf_str(&keys), buf_str(&wanted)) == 0);
	buf_clear(&keys);
	WANT(keys_below(the.t, key, &keys), 1);
	WANT(tier_copy(the.t, &copy, NULL, NULL), c->error);
	WANT(get_from(the.t, copy.to, 100, 1, NULL), c->error ? -ENOENT : 0);
	WANT(remove_at(the.t, key), 0);
	WANT(head_of(the.t, key, NULL), -ENOENT);
	WANT(head_of(the.t, copy.to, NULL), c->error ? -ENOENT : 0);
	return true;
}

/* A key that this remote cannot have: said at once, and nothing is put anywhere. */
static bool refused(const struct conform_case *c)
{
	static char long_key[TIER_KEY_MAX + 2];
	const char *key = c->text ? key_of(c->text) : long_key;
	_cleanup_buf_ struct buf keys = BUF_INIT;
	struct tier_copy copy = {.from = key_of("plain"), .to = key};

	memset(long_key, 'k', TIER_KEY_MAX + 1);
	WANT(put_to(the.t, key, 100, 1), -EINVAL);
	WANT(get_from(the.t, key, 100, 1, NULL), -EINVAL);
	WANT(head_of(the.t, key, NULL), -EINVAL);
	if (c->text)
		WANT(remove_at(the.t, key), -EINVAL);
	WANT(put_to(the.t, copy.from, 10, 2), 0);
	WANT(tier_copy(the.t, &copy, NULL, NULL), -EINVAL);
	copy = (struct tier_copy){.from = key, .to = key_of("plain")};
	WANT(tier_copy(the.t, &copy, NULL, NULL), -EINVAL);
	WANT(keys_below(the.t, key_of(""), &keys), 1);
	WANT(get_from(the.t, key_of("plain"), 10, 2, NULL), 0);
	return true;
}

/* The keys of TEXT, one a line, are all put before any is read: each has its own bytes. */
static bool all_apart(const struct conform_case *c)
{
	char names[64][128];
	int n = 0;
	_cleanup_buf_ struct buf keys = BUF_INIT;

	for (const char *p = c->text; *p; n++) {
		size_t len = strcspn(p, "\n");

		snprintf(names[n], sizeof(names[n]), "%.*s", (int)len, p);
		p += len + (p[len] == '\n');
	}
	for (int i = 0; i < n; i++)
		WANT(put_to(the.t, key_of(names[i]), 50 + (uint64_t)i, 100 + (uint64_t)i), 0);
	for (int i = 0; i < n; i++)
		WANT(get_from(the.t, key_of(names[i]), 50 + (uint64_t)i, 100 + (uint64_t)i, NULL), 0);
	WANT(keys_below(the.t, key_of(""), &keys), n);
	return true;
}

/* Paths as users have them: whatever they are, each gets a key that this remote takes, and no two the same. */
static bool paths_apart(const struct conform_case *c)
{
	static const char *const paths[] = {"plain",
					    "a b",
					    "a+b",
					    "a%20b",
					    "a%2Bb",
					    " ",
					    "+",
					    "tab\tin it",
					    "line\nin it",
					    "\x01",
					    "\x7f",
					    "\xff",
					    "\xc3\x28",
					    "\xed\xa0\x80",
					    "ü",
					    "u\xcc\x88",
					    "\xc2\x85",
					    "a/b c/d e.f",
					    "\xf0\x9f\x90\x9f",
					    "%",
					    "%%",
					    "x?y#z&w",
					    "\\",
					    "\"",
					    "'",
					    "<&>",
					    "]]>",
					    "~",
					    "*"};
	const int n = sizeof(paths) / sizeof(paths[0]);
	char long_path[4000];
	_cleanup_buf_ struct buf key = BUF_INIT;

	(void)c;
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	for (size_t i = 200; i < sizeof(long_path) - 1; i += 200)
		long_path[i] = '/';
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i <= n; i++) {
			buf_clear(&key);
			tier_key_of(the.t, &key, "bucket", i < n ? paths[i] : long_path);
			if (pass == 0)
				WANT(put_to(the.t, buf_str(&key), 10 + (uint64_t)i, 200 + (uint64_t)i), 0);
			else
				WANT(get_from(the.t, buf_str(&key), 10 + (uint64_t)i, 200 + (uint64_t)i, NULL), 0);
		}
	}
	return true;
}

/* A key of exactly the longest length, of as many characters TEXT as fit. */
static bool longest(const struct conform_case *c)
{
	char name[TIER_KEY_MAX + 1];
	struct conform_case as = *c;
	size_t room = TIER_KEY_MAX - strlen(key_of("")), unit = strlen(c->text), component = 0;

	for (size_t n = 0; n < room;) {
		bool whole = n + unit <= room;

		/* Components that a file system can have, too. */
		if (component > 230 && n + 1 < room) {
			name[n++] = '/';
			component = 0;
			continue;
		}
		memcpy(name + n, whole ? c->text : "x", whole ? unit : 1);
		n += whole ? unit : 1;
		component += unit;
	}
	name[room] = '\0';
	as.text = name;
	return round_trip(&as);
}

#define KEY(text)                                    \
	{                                            \
		"key " #text, ALL_, round_trip, text \
	}
#define HARD_KEY(text)                                            \
	{"key " #text, DIR_ | CURL_, round_trip, text},           \
	{                                                         \
		"key " #text " is refused", LIBS3_, refused, text \
	}

const struct conform_case conform_keys[] = {
	KEY("plain"),
	KEY("with.extension.csv"),
	KEY("deep/er/and/deep/er/still"),
	HARD_KEY("a b"),
	HARD_KEY(" a"),
	HARD_KEY("a "),
	HARD_KEY("a  b   c"),
	HARD_KEY("folder with/a file in it.txt"),
	KEY("a+b"),
	KEY("+"),
	KEY("a=b"),
	KEY("a@b"),
	KEY("name@v"),
	KEY("name@v3"),
	KEY("~"),
	KEY("~name"),
	KEY("name~"),
	KEY("%"),
	KEY("100%"),
	KEY("a%20b"),
	KEY("a%2Bb"),
	KEY("a%2Fb"),
	KEY("%41"),
	KEY("%zz"),
	KEY("%%25"),
	KEY("a?b"),
	KEY("a?b=c&d=e"),
	KEY("a#b"),
	KEY("a&b"),
	KEY("a&amp;b"),
	KEY("<a>"),
	KEY("]]>"),
	KEY("\"a\""),
	KEY("'a'"),
	KEY("a\\b"),
	KEY("a:b"),
	KEY("a;b"),
	KEY("a,b"),
	KEY("(a)"),
	KEY("[a]"),
	KEY("{a}"),
	KEY("a|b"),
	KEY("a^b"),
	KEY("a`b"),
	KEY("$HOME"),
	KEY("a!b"),
	KEY("*"),
	KEY("-a"),
	KEY("--option"),
	KEY("_"),
	KEY(".hidden"),
	KEY("..."),
	KEY("a..b"),
	KEY("ä"),
	KEY("u\xcc\x88"),
	KEY("日本語/ファイル"),
	KEY("кириллица"),
	KEY("עברית"),
	KEY("😀🐟"),
	KEY("\xc2\xa0"),
	KEY("\xe2\x80\xae"
	    "rtl"),
	KEY("uploads"),
	KEY("acl"),
	KEY("x-amz-meta-a"),
	KEY("index.html"),
	KEY("a//b"),
	KEY("/a"),
	KEY("a/"),
	HARD_KEY("a/./b"),
	HARD_KEY("a/../b"),
	{"keys that are alike are not the same", DIR_ | CURL_, all_apart,
	 "a b\na+b\na%20b\na%2Bb\na%2bb\na%252Bb\na  b\n a b\na b \nA b\na\xc2\xa0"
	 "b\na_b\na-b"},
	{"keys that are alike are not the same, without spaces", ALL_, all_apart,
	 "a+b\na%20b\na%2Bb\na%2bb\na%252Bb\na++b\na%2520b\nA+b\na\xc2\xa0"
	 "b\na_b\na-b\na=b\n\xc3\xbc\nu\xcc\x88"},
	{"every path has a key of its own", ALL_, paths_apart},
	{"a key of 1,024 bytes", ALL_, longest, "k"},
	{"a key of 1,024 bytes, all encoded", DIR_ | CURL_, longest, "%"},
	{"a key of 1,024 bytes of three each", DIR_ | CURL_, longest, "語"},
	{"a key of 1,024 bytes, all encoded, cannot be copied", LIBS3_, longest, "%", .error = -EINVAL},
	{"a key of 1,025 bytes is refused", ALL_, refused},
	{NULL},
};
