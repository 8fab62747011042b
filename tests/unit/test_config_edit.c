/* Edits of settings.yaml: what changes, and that nothing else does. */
#include "config/settings_edit.h"

#include <errno.h>
#include <pthread.h>

#include "test_config.h"

static const char *first_error(const struct findings *f)
{
	return first_finding(f, FINDING_ERROR);
}

/* The point: the file says WANTED now, after an edit that returned R. */
static void is_file(int r, struct findings *f, const char *wanted, const char *what)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	read_file(settings_file, &text);
	if (r < 0)
		diag("%s: %d %s", what, r, first_error(f));
	is_str(buf_str(&text), wanted, what);
	findings_release(f);
}

static int set_one(const char *name, const char *key, const char *value, struct findings *f)
{
	struct bucket_setting set = {key, value};

	return settings_set_bucket(lake, name, &set, 1, f);
}

static void is_set(const char *text, const char *name, const char *key, const char *value, const char *wanted,
		   const char *what)
{
	struct findings f = {0};

	lake_put(text, strlen(text));
	is_file(set_one(name, key, value, &f), &f, wanted, what);
}

static void is_renamed(const char *text, const char *from, const char *to, const char *wanted, const char *what)
{
	struct findings f = {0};

	lake_put(text, strlen(text));
	is_file(settings_rename_bucket(lake, from, to, &f), &f, wanted, what);
}

static void is_removed(const char *text, const char *name, const char *wanted, const char *what)
{
	struct findings f = {0};

	lake_put(text, strlen(text));
	is_file(settings_remove_bucket(lake, name, &f), &f, wanted, what);
}

static const char block[] =
	"# head\n"
	"buckets:\n"
	"  raw:   # the first\n"
	"    tier: local   # here\n"
	"    purpose: 'it''s raw'\n"
	"\n"
	"  # about archive\n"
	"  archive:\n"
	"    tier: \"cloud\" # moves\n"
	"\n"
	"monitoring: {log_level: INFO} # tail\n";

static void test_set_block(void)
{
	is_set(block, "raw", "tier", "mirror",
	       "# head\nbuckets:\n  raw:   # the first\n    tier: mirror   # here\n    purpose: 'it''s raw'\n\n  # "
	       "about "
	       "archive\n  archive:\n    tier: \"cloud\" # moves\n\nmonitoring: {log_level: INFO} # tail\n",
	       "a value is replaced, its comment stays");
	is_set(block, "archive", "retention_days", "-1",
	       "# head\nbuckets:\n  raw:   # the first\n    tier: local   # here\n    purpose: 'it''s raw'\n\n  # "
	       "about "
	       "archive\n  archive:\n    tier: \"cloud\" # moves\n    retention_days: -1\n\nmonitoring: {log_level: "
	       "INFO} # "
	       "tail\n",
	       "a key is added below the last one");
	is_set(block, "new one", "tier", "pinned",
	       "# head\nbuckets:\n  raw:   # the first\n    tier: local   # here\n    purpose: 'it''s raw'\n\n  # "
	       "about "
	       "archive\n  archive:\n    tier: \"cloud\" # moves\n  new one:\n    tier: pinned\n\nmonitoring: "
	       "{log_level: "
	       "INFO} # tail\n",
	       "a bucket is added");
	is_set("storage:\n  min_age: 5", "a", "tier", "local",
	       "storage:\n  min_age: 5\nbuckets:\n  a:\n    tier: local",
	       "the section is added, no newline at the end");
	is_set("buckets: # none\nstorage: {}\n", "a", "keep_last", "5",
	       "buckets: # none\n  a:\n    keep_last: 5\nstorage: {}\n", "a section with nothing in it");
	is_set("buckets:\n  a:\n  b: ~\n", "a", "tier", "local", "buckets:\n  a:\n    tier: local\n  b: ~\n",
	       "a bucket with nothing in it");
	is_set("buckets:\n  a:\n  b: ~ # x\n", "b", "tier", "local", "buckets:\n  a:\n  b: {tier: local} # x\n",
	       "a bucket that is ~");
	is_set("buckets:\r\n  a:\r\n    tier: local\r\n", "a", "keep_last", "1",
	       "buckets:\r\n  a:\r\n    tier: local\r\n    keep_last: 1\r\n", "lines end as they did");
	is_set("buckets:\n  a:\n    purpose: |\n      two\n      lines\n    tier: local\n", "a", "purpose", "one",
	       "buckets:\n  a:\n    purpose: one\n    tier: local\n", "a text of many lines is replaced");
	is_set("buckets:\n  a:\n    exclude:\n    - x\n    - y # why\n    tier: local\n", "a", "exclude", "*.tmp,logs/",
	       "buckets:\n  a:\n    exclude: ['*.tmp', logs/] # why\n    tier: local\n", "a list is replaced");
	is_set("buckets: {a: {tier: local}}\n", "a", "exclude", "", "buckets: {a: {tier: local, exclude: []}}\n",
	       "an empty list");
	is_set("buckets:\n  caf\xc3\xa9: {purpose: '\xe2\x82\xac', tier: local} # \xe2\x82\xac\n", "caf\xc3\xa9",
	       "tier", "cloud", "buckets:\n  caf\xc3\xa9: {purpose: '\xe2\x82\xac', tier: cloud} # \xe2\x82\xac\n",
	       "places are in bytes, not in characters");
	is_set("\xef\xbb\xbf"
	       "buckets:\n  a: {tier: local}\n",
	       "a", "tier", "cloud",
	       "\xef\xbb\xbf"
	       "buckets:\n  a: {tier: cloud}\n",
	       "nor does a byte order mark shift them");
}

static void test_set_flow(void)
{
	is_set("buckets: {a: {tier: local, }, b: {}} # end\n", "a", "keep_last", "2",
	       "buckets: {a: {tier: local, keep_last: 2, }, b: {}} # end\n", "a flow map");
	is_set("buckets: {a: {tier: local}, b: {}} # end\n", "b", "keep_last", "2",
	       "buckets: {a: {tier: local}, b: {keep_last: 2}} # end\n", "an empty flow map");
	is_set("buckets: {a: {tier: local}}\n", "b", "tier", "cloud", "buckets: {a: {tier: local}, b: {tier: cloud}}\n",
	       "a bucket is added to it");
	is_set("{\"storage\": {\"min_age\": 5}}\n", "b", "tier", "cloud",
	       "{\"storage\": {\"min_age\": 5}, buckets: {b: {tier: cloud}}}\n", "a file that is JSON");
	is_set("buckets: {}\n", "b", "tier", "cloud", "buckets: {b: {tier: cloud}}\n", "no buckets yet");
}

/* A purpose of any text comes back as it was set. */
static void test_values(void)
{
	static const char *const purposes[] = {"",
					       "plain words",
					       "it's \"quoted\"",
					       "a: b # c",
					       "- x",
					       "true",
					       "12",
					       "null",
					       "two\nlines",
					       "tab\there",
					       " padded ",
					       "{a}",
					       "[a",
					       "*a",
					       "&a",
					       "${HOME}",
					       "@x",
					       "%x",
					       "`x`",
					       "!x",
					       "|",
					       "\xe2\x82\xac",
					       "x:",
					       "#",
					       "?",
					       "a\\b",
					       "yes",
					       "0x1F"};
	static const char *const flow = "buckets: {a: {tier: local}}\n", *const lines =
										 "buckets:\n  a:\n    tier: local\n";
	size_t good = 0, n = sizeof(purposes) / sizeof(purposes[0]);

	setenv("HOME", "${HOME}", 1);
	for (size_t i = 0; i < 2 * n; i++) {
		struct findings f = {0};
		struct settings *s = NULL;
		const char *text = i < n ? flow : lines;

		lake_put(text, strlen(text));
		if (set_one("a", "purpose", purposes[i % n], &f) == 0 && settings_load(lake, "", &s, &f) == 0 &&
		    strcmp(settings_bucket(s, "a")->purpose, purposes[i % n]) == 0)
			good++;
		else
			diag("%s: %s", purposes[i % n], first_error(&f));
		settings_unref(s);
		findings_release(&f);
	}
	is_int((int64_t)good, (int64_t)(2 * n), "any text, both ways of writing");
}

static void is_refused(const char *text, const char *name, const char *key, const char *value, const char *wanted)
{
	_cleanup_buf_ struct buf after = BUF_INIT;
	struct findings f = {0};

	lake_put(text, strlen(text));
	is_int(set_one(name, key, value, &f), -EINVAL, wanted);
	is_str(first_error(&f), wanted, "it says so");
	read_file(settings_file, &after);
	is_str(buf_str(&after), text, "and the file is as it was");
	findings_release(&f);
}

static void test_refusals(void)
{
	is_refused(block, "raw", "tier", "glacier",
		   "tier: \"glacier\" is not one of local, pinned, mirror, cloud, hybrid");
	is_refused(block, "raw", "teir", "local", "\"teir\": unknown key of a bucket, did you mean tier?");
	is_refused(block, "raw@v3", "tier", "local",
		   "\"raw@v3\": a bucket cannot have a name that reads as the version of another");
	is_refused(block, "raw", "keep_last", "-1", "keep_last: \"-1\" is out of range (from 0 to 1000000)");
	is_refused(block, "raw", "exclude", "a/b",
		   "exclude: \"a/b\" has a / inside: patterns are of one name, with a / at the end of a folder");
	is_refused("buckets:\n  a: &x {tier: local}\n  b: *x\n", "b", "tier", "cloud",
		   " cannot be edited here for the way it is written (an alias, a merged map), change it by hand");
	is_refused("buckets:\n  a: &x {tier: local}\n  b: *x\n", "a", "tier", "cloud",
		   " cannot be edited here for the way it is written (an alias, a merged map), change it by hand");
	is_refused("buckets: {a: {tier: lcal}}\n", "a", "tier", "local",
		   "1:21: buckets.a.tier: \"lcal\" is not one of local, pinned, mirror, cloud, hybrid");
	is_refused(block, "raw", "path", "catalog/raw",
		   "6:11: buckets.raw.path: \"catalog/raw\" lies in a folder that the lake itself needs");
	is_refused(block, "raw", "purpose", "\xff",
		   " cannot be edited here for the way it is written (an alias, a merged "
		   "map), change it by hand");
}

static void test_rename(void)
{
	is_renamed("buckets:\n  a: {tier: cloud} # x\n  b:\n", "a", "c d", "buckets:\n  c d: {tier: cloud} # x\n  b:\n",
		   "renamed");
	is_renamed(block, "nothing", "x", block, "nothing to rename");
	is_renamed("buckets:\n  a: {tier: cloud}\n  # about b\n  b:\n    tier: local\n", "a", "b",
		   "buckets:\n  b: {tier: cloud}\n  # about b\n", "over another, which goes");
	is_renamed("storage: {base_path: 'C:\\NL'}\nbuckets:\n  a:\n    path: C:\\NL\\buckets\\a\n    tier: cloud\n",
		   "a", "b",
		   "storage: {base_path: 'C:\\NL'}\nbuckets:\n  b:\n    path: 'C:\\NL\\buckets\\b'\n    tier: cloud\n",
		   "a path that is the usual one follows");
	is_renamed("buckets: {a: {path: /srv/a}}\n", "a", "b", "buckets: {b: {path: /srv/a}}\n", "one elsewhere stays");
	is_renamed("buckets: {a: }\nenvironments: {e: {buckets: {a: {tier: cloud}, x: }}}\n", "a", "true",
		   "buckets: {'true': }\nenvironments: {e: {buckets: {'true': {tier: cloud}, x: }}}\n",
		   "in environments too, in quotes where YAML needs them");
}

static void test_remove(void)
{
	is_removed(block, "raw",
		   "# head\nbuckets:\n\n  # about archive\n  archive:\n    tier: \"cloud\" # moves\n\n"
		   "monitoring: {log_level: INFO} # tail\n",
		   "removed with its lines");
	is_removed("buckets:\n  a:\n    tier: local\n    # inner\n  # outer\n  b:\n", "a",
		   "buckets:\n  # outer\n  b:\n", "with the comments inside");
	is_removed("buckets: {a: {tier: local}, b: , c: {}}\n", "a", "buckets: {b: , c: {}}\n",
		   "the first of a flow map");
	is_removed("buckets: {a: {tier: local}, b: , c: {}}\n", "b", "buckets: {a: {tier: local}, c: {}}\n",
		   "the middle one");
	is_removed("buckets: {a: {tier: local}, c: {}}\n", "c", "buckets: {a: {tier: local}}\n", "the last one");
	is_removed("buckets: {a: {tier: local}}\n", "a", "buckets: {}\n", "the only one");
	is_removed(block, "nothing", block, "nothing to remove");
}

static void test_file(void)
{
	struct findings f = {0};
	struct stat st;

	lake_put(block, strlen(block));
	chmod(settings_file, 0640);
	is_int(set_one("raw", "tier", "pinned", &f), 0, "an edit");
	stat(settings_file, &st);
	is_int(st.st_mode & 07777, 0640, "keeps the file's mode");
	unlink(settings_file);
	is_int(set_one("raw", "tier", "pinned", &f), -ENOENT, "no file");
	findings_release(&f);
}

static void *set_many(void *arg)
{
	char name[16];

	for (int i = 0; i < 10; i++) {
		struct findings f = {0};

		snprintf(name, sizeof(name), "t%d-%d", *(int *)arg, i);
		set_one(name, "tier", "pinned", &f);
		findings_release(&f);
	}
	return NULL;
}

static void test_threads(void)
{
	struct findings f = {0};
	struct settings *s = NULL;
	pthread_t threads[4];
	int ids[4];

	lake_put(block, strlen(block));
	for (int i = 0; i < 4; i++) {
		ids[i] = i;
		pthread_create(&threads[i], NULL, set_many, &ids[i]);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	is_int(settings_load(lake, NULL, &s, &f), 0, "after 40 changes by 4 threads at once it loads");
	is_int(s ? s->nbuckets : -1, 42, "and none was lost");
	settings_unref(s);
	findings_release(&f);
}

static void test_template(void)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct findings f;
	struct settings *s;
	int good = 0;

	settings_template(&text, false);
	s = load_text(buf_str(&text), NULL, &f);
	ok(s && f.n == 0, "a new lake's settings load without a word");
	is_int(s->nbuckets, 5, "with the five starter buckets");
	for (int i = 0; starter_buckets[i].name; i++)
		good += strcmp(settings_bucket(s, starter_buckets[i].name)->purpose, starter_buckets[i].purpose) == 0;
	is_int(good, 5, "and their purposes");
	is_int(settings_bucket(s, "archive")->tier, TIER_CLOUD, "archive moves to the cloud");
	settings_unref(s);
	buf_clear(&text);
	settings_template(&text, true);
	s = load_text(buf_str(&text), NULL, &f);
	ok(s && f.n == 0 && s->nbuckets == 0, "an empty lake's too, without buckets");
	settings_unref(s);
	is_int(set_one("first", "tier", "local", &f), 0, "the first bucket is declared in it");
	is_int(settings_load(lake, NULL, &s, &f), 0, "it loads");
	ok(settings_bucket(s, "first")->declared, "and has it");
	settings_unref(s);
	findings_release(&f);
}

/* Several keys at once: all or none. */
static void test_several(void)
{
	static const struct bucket_setting good[] = {
		{"tier", "mirror"}, {"retention_days", "-1"}, {"exclude", "*.tmp,logs/"}};
	static const struct bucket_setting wrong[] = {
		{"tier", "mirror"}, {"keep_last", "5"}, {"retention_days", "moon"}};
	static const struct bucket_setting twice[] = {{"tier", "mirror"}, {"tier", "pinned"}};
	static const char shared[] = "buckets:\n  a: {exclude: []}\n  b: &x {tier: local}\n  c: *x\n";
	struct findings f = {0};

	lake_put(block, strlen(block));
	is_file(settings_set_bucket(lake, "raw", good, 3, &f), &f,
		"# head\nbuckets:\n  raw:   # the first\n    tier: mirror   # here\n    purpose: 'it''s raw'\n"
		"    retention_days: -1\n    exclude: ['*.tmp', logs/]\n\n  # about archive\n  archive:\n"
		"    tier: \"cloud\" # moves\n\nmonitoring: {log_level: INFO} # tail\n",
		"three keys at once");
	lake_put("storage: {}\n", strlen("storage: {}\n"));
	is_file(settings_set_bucket(lake, "new", good, 3, &f), &f,
		"storage: {}\nbuckets:\n  new:\n    tier: mirror\n    retention_days: -1\n"
		"    exclude: ['*.tmp', logs/]\n",
		"three keys of a bucket that was not there");
	lake_put(block, strlen(block));
	is_int(settings_set_bucket(lake, "raw", wrong, 3, &f), -EINVAL, "one of three values is wrong");
	is_file(-EINVAL, &f, block, "none is set");
	is_int(settings_set_bucket(lake, "raw", twice, 2, &f), -EINVAL, "a key that is given twice");
	is_str(first_error(&f), "tier: given twice", "is refused");
	is_file(-EINVAL, &f, block, "and not set");
	lake_put(shared, strlen(shared));
	is_int(settings_set_bucket(lake, "b", good, 3, &f), -EINVAL, "what cannot be edited");
	is_file(-EINVAL, &f, shared, "is left alone");
}

int main(void)
{
	if (!lake_make())
		return skip_all("no folder for temporary files");
	test_set_block();
	test_set_flow();
	test_values();
	test_several();
	test_refusals();
	test_rename();
	test_remove();
	test_file();
	test_threads();
	test_template();
	lake_remove();
	return done();
}
