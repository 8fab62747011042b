#include "config/settings.h"

#include "tap.h"

static void is_match(const char *glob, const char *name, bool is_folder, bool wanted)
{
	char *globs[] = {(char *)glob, NULL};
	struct bucket_policy p = {.exclude = globs};

	ok(policy_excludes(&p, name, is_folder) == wanted, "%s %s %s%s", glob, wanted ? "matches" : "does not match",
	   name, is_folder ? "/" : "");
}

static void test_globs(void)
{
	is_match("*.tmp", "a.tmp", false, true);
	is_match("*.tmp", ".tmp", false, true);
	is_match("*.tmp", "a.tmp.x", false, false);
	is_match("*", "anything", false, true);
	is_match("a*b*c", "aXXbYYc", false, true);
	is_match("a*b*c", "aXXbYY", false, false);
	is_match("a**", "a", false, true);
	is_match("?", "\xc3\xa9", false, true);
	is_match("a?c",
		 "a\xe2\x82\xac"
		 "c",
		 false, true);
	is_match("?", "\xff", false, true);
	is_match("??", "\xff", false, false);
	is_match("[a-c]x", "bx", false, true);
	is_match("[!a-c]x", "bx", false, false);
	is_match("[^a-c]x", "dx", false, true);
	is_match("[]]", "]", false, true);
	is_match("[a-]", "-", false, true);
	is_match("[x", "[x", false, true);
	is_match("\\*", "*", false, true);
	is_match("\\*", "a", false, false);
	is_match("a\\", "a\\", false, true);
	is_match("logs/", "logs", true, true);
	is_match("logs/", "logs", false, false);
	is_match("logs", "logs", true, true);
	is_match("Logs", "logs", false, false);
	is_match("._*", "._x", false, true);
	is_match("", "x", false, false);
}

/* What takes fnmatch(3) for ever: many stars, and a name that nearly matches. */
static void test_hard_glob(void)
{
	char name[256], glob[128] = "";

	memset(name, 'a', 255);
	name[255] = '\0';
	for (int i = 0; i < 60; i++)
		memcpy(glob + 2 * i, "*a", 3);
	memcpy(glob + 120, "*b", 3);
	is_match(glob, name, false, false);
}

static void is_name(const char *name, bool good)
{
	const char *problem = bucket_name_problem(name);

	ok(good == !problem, "bucket name %.40s: %s", name, problem ? problem : "good");
}

static void test_names(void)
{
	char name[257];

	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	is_name(name, false);
	name[255] = '\0';
	is_name(name, true);
	is_name("", false);
	is_name(".", false);
	is_name("..", false);
	is_name("...", true);
	is_name("a/b", false);
	is_name(".catalog", false);
	is_name(".lineage", false);
	is_name(".tarn-versions", false);
	is_name(".Trash-1000", true);
	is_name("New Folder", true);
	is_name("line\nbreak\xff", true);
	is_name("@v", false);
	is_name("@v3", true);
	is_name("x@v", false);
	is_name("x@v3", false);
	is_name("x@v-1", false);
	is_name("x@v-", true);
	is_name("x@v1.2.3", true);
	is_name("x@vy", true);
	is_name("a@v1.b@v2", false);
}

static void test_sizes(void)
{
	struct settings s = {.history_budget_gb = -1};

	is_int((int64_t)settings_capacity(&s, 600, 400), 900, "capacity: what is used and free, less 10 %");
	is_int((int64_t)settings_history_budget(&s, 900), 180, "history: 20 % of it");
	s.local_capacity_gb = 0.5;
	s.history_budget_gb = 0;
	is_int((int64_t)settings_capacity(&s, 600, 400), 500000000, "as set, 1 GB is 10^9 bytes");
	is_int((int64_t)settings_history_budget(&s, 900), 0, "no history at all");
	s.local_capacity_gb = 0;
	ok(settings_capacity(&s, UINT64_MAX, UINT64_MAX) == UINT64_MAX, "no overflow");
	is_str(bucket_tier_name(TIER_MIRROR), "mirror", "names of tiers");
}

int main(void)
{
	test_globs();
	test_hard_glob();
	test_names();
	test_sizes();
	return done();
}
