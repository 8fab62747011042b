#include "base/which.h"

#include "tap.h"

static void beside(const char *name, size_t base, enum which_kind kind, uint64_t number)
{
	struct which w;
	size_t got = 0;

	ok(which_beside(name, &got, &w), "%s", name);
	is_int((int64_t)got, (int64_t)base, "  the name before it");
	is_int(w.kind, kind, "  what it means");
	is_int((int64_t)w.number, (int64_t)number, "  its number");
}

static void ordinary(const char *name)
{
	struct which w;
	size_t base;

	ok(!which_beside(name, &base, &w), "'%s' is an ordinary name", name);
}

static void names(void)
{
	beside("f.csv@v", 5, WHICH_ALL, 0);
	beside("f.csv@v1", 5, WHICH_NUMBER, 1);
	beside("f.csv@v-1", 5, WHICH_BACK, 1);
	beside("f@v1234567890", 1, WHICH_NUMBER, 1234567890);
	beside("x@v@v2", 3, WHICH_NUMBER, 2);
	beside("x@v2@v", 4, WHICH_ALL, 0);
	beside("x@v1.2.3@v4", 8, WHICH_NUMBER, 4);
	beside("@v@v", 2, WHICH_ALL, 0);
	beside("@v3@v1", 3, WHICH_NUMBER, 1);
	beside("@@v", 1, WHICH_ALL, 0);
	beside("\xff@v7", 1, WHICH_NUMBER, 7);
	beside("new\nline@v", 8, WHICH_ALL, 0);
	beside("-@v", 1, WHICH_ALL, 0);
	ordinary("");
	ordinary("f");
	ordinary("@");
	ordinary("@v");
	ordinary("@v3");
	ordinary("@v-1");
	ordinary("f@");
	ordinary("v");
	ordinary("x@v1.2.3");
	ordinary("x@v2x");
	ordinary("x@version");
	ordinary("x@V1");
	ordinary("x@v0");
	ordinary("x@v01");
	ordinary("x@v-0");
	ordinary("x@v-");
	ordinary("x@v--1");
	ordinary("x@v+1");
	ordinary("x@v 1");
	ordinary("x@v1 ");
	ordinary("x@v1.csv");
	ordinary("x@v2026-11-20");
	ordinary("x@vlatest");
	ordinary("x@v1@version");
	ordinary("x@v99999999999999999999");
	ordinary("x@v1000000000000000000");
	ordinary("user@virtual.example.org");
	beside("x@v999999999999999999", 1, WHICH_NUMBER, 999999999999999999);
}

static void extensions(void)
{
	static const char *const pairs[][2] = {
		{"a.csv", ".csv"},
		{"a.csv.gz", ".csv.gz"},
		{"a.tar.zst", ".tar.zst"},
		{"a.gz", ".gz"},
		{"Makefile", ""},
		{".profile", ""},
		{".config.json", ".json"},
		{"end.", ""},
		{"a.b.c", ".c"},
		{".gz", ""},
		{"a..gz", "..gz"},
		{".csv.gz", ".gz"},
		{"archive.2026.tar", ".tar"},
		{"", ""},
		{".", ""},
		{"..", ""},
		{"a.\xff", ".\xff"},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		is_str(which_extension(pairs[i][0]), pairs[i][1], pairs[i][0]);
}

static void entry(const char *name, const char *extension, enum which_kind kind, int64_t value)
{
	struct which w;

	ok(which_entry(name, extension, &w), "'%s' of '%s'", name, extension);
	is_int(w.kind, kind, "  what it means");
	is_int(kind == WHICH_TIME ? w.time : (int64_t)w.number, value, "  which");
}

static void no_entry(const char *name, const char *extension)
{
	struct which w;

	ok(!which_entry(name, extension, &w), "'%s' of '%s' is nothing", name, extension);
}

static void entries(void)
{
	const int64_t nine = INT64_C(1795165200) * 1000000000;

	entry("1", ".csv", WHICH_NUMBER, 1);
	entry("1.csv", ".csv", WHICH_NUMBER, 1);
	entry("12.csv.gz", ".csv.gz", WHICH_NUMBER, 12);
	entry("-1.csv", ".csv", WHICH_BACK, 1);
	entry("latest", "", WHICH_LATEST, 0);
	entry("latest.csv", ".csv", WHICH_LATEST, 0);
	entry("history.jsonl", ".csv", WHICH_HISTORY, 0);
	entry("history.jsonl", ".jsonl", WHICH_HISTORY, 0);
	entry("2026-11-20T09:00:00Z.csv", ".csv", WHICH_TIME, nine);
	entry("2026-11-20T09-00-00Z", ".csv", WHICH_TIME, nine);
	entry("@GMT-2026.11.20-09.00.00.csv", ".csv", WHICH_TIME, nine);
	entry("@GMT-2026.11.20-09.00.00", ".00", WHICH_TIME, nine);
	entry("epoch-1795165200.csv", ".csv", WHICH_TIME, nine);
	entry("1.5", ".5", WHICH_NUMBER, 1);
	no_entry("", "");
	no_entry("", ".csv");
	no_entry(".csv", ".csv");
	no_entry("1.txt", ".csv");
	no_entry("1.csv.csv", ".csv");
	no_entry("1.csv", "");
	no_entry("0.csv", ".csv");
	no_entry("01", "");
	no_entry("-0", "");
	no_entry("--1", "");
	no_entry("latest.txt", ".csv");
	no_entry("Latest", "");
	no_entry("history", "");
	no_entry("history.jsonl.csv", ".csv");
	no_entry("commit-7", "");
	no_entry("first.csv", ".csv");
	no_entry("2026-11-31.csv", ".csv");
	no_entry("@v", "");
	no_entry("1@v1", "");
}

static void moment(const char *name, enum which_kind kind, int64_t value)
{
	struct which w;

	which_moment(name, &w);
	is_int(w.kind, kind, name);
	is_int(kind == WHICH_TIME ? w.time : (int64_t)w.number, value, "  which");
}

static void moments(void)
{
	moment("2026-11-20", WHICH_TIME, INT64_C(1795132800) * 1000000000);
	moment("epoch-0", WHICH_TIME, 0);
	moment("commit-1", WHICH_COMMIT, 1);
	moment("commit-123456", WHICH_COMMIT, 123456);
	moment("commit-0", WHICH_LABEL, 0);
	moment("commit--1", WHICH_LABEL, 0);
	moment("commit-", WHICH_LABEL, 0);
	moment("before migration", WHICH_LABEL, 0);
	moment("", WHICH_LABEL, 0);
}

static void labels(void)
{
	static const char *const good[] = {"release", "v1.2.3", "before 2026-11-20", "2026-11-20 evening",
					   "ümlaut",  "a",	"New Folder",	     "1st",
					   "x@v1",    "\xff",	".hidden",	     "-",
					   "Q3",      "2026Q3"};
	static const char *const bad[] = {"",
					  ".",
					  "..",
					  "1",
					  "-1",
					  "007",
					  "1.5",
					  "12:00",
					  "2026",
					  "2026-11",
					  "2026-11-20",
					  "2026-13-45",
					  "20261120T090000Z",
					  "2026-11-20T09:00:00+01:00",
					  "epoch-",
					  "epoch-1",
					  "epoch-x",
					  "commit-1",
					  "commit-x",
					  "@GMT-2026.11.20-09.00.00",
					  "@GMT-x",
					  "latest",
					  "history.jsonl",
					  "a/b",
					  "/"};
	char longest[258];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(which_label_allowed(good[i]), "'%s' is a label", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!which_label_allowed(bad[i]), "'%s' is none", bad[i]);
	memset(longest, 'l', sizeof(longest));
	longest[255] = 0;
	ok(which_label_allowed(longest), "255 bytes are");
	longest[255] = 'l';
	longest[256] = 0;
	ok(!which_label_allowed(longest), "256 are not");
}

int main(void)
{
	names();
	extensions();
	entries();
	moments();
	labels();
	return done();
}
