/* Settings that are right: what they mean, and what is said about them. */
#include "test_config.h"

#include <errno.h>

static struct settings *load_data(const char *name, struct findings *f)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct settings *s = NULL;

	*f = (struct findings){0};
	read_file(data_file(name), &text);
	lake_put(buf_str(&text), text.len);
	is_int(settings_load(lake, NULL, &s, f), 0, name);
	return s;
}

static void test_defaults(void)
{
	struct findings f;
	struct settings *s = load_text("storage:\n", NULL, &f);
	const struct bucket_policy *p = settings_bucket(s, "anything");

	is_int(f.n, 0, "a section with nothing in it loads, without a word");
	ok(s->local_capacity_gb == 0 && s->history_budget_gb < 0, "capacity and budget are not said");
	ok(s->cloud_burst_threshold_percent == 80 && s->cloud_burst_target_percent == 70, "burst: 80 to 70");
	ok(!s->cloud_burst_enabled && !s->cloud_provider, "nothing leaves the machine");
	is_int(s->min_age, 60, "min_age");
	is_int(s->version_interval, 900, "version_interval");
	is_int(s->passthrough_stack_depth, 1, "passthrough_stack_depth");
	ok(!s->backend_json && s->auto_lineage && s->auto_schema_detection, "catalog");
	ok(s->log_level == LOG_LEVEL_INFO && !s->log_path, "log");
	ok(s->metrics_enabled && s->audit_enabled && !s->audit_reads, "audit");
	is_str(p->name, "", "the policy that undeclared buckets share has no name");
	ok(p->tier == TIER_LOCAL && p->retention_days == 30 && p->keep_last == 3, "it is local, 30 days, the last 3");
	ok(p->auto_catalog && p->versioned && !p->declared && !p->path && !p->compress, "catalogued and versioned");
	p = settings_bucket(s, ".Trash-1000");
	ok(p->tier == TIER_PINNED && !p->versioned && !p->auto_catalog, "a leading dot makes it private");
	settings_unref(s);
	findings_release(&f);
}

static void test_windows_born(void)
{
	struct findings f;
	struct settings *s = load_data("windows-born.yaml", &f);
	const struct bucket_policy *p;

	is_int(f.n, 1, "one finding");
	is_str(first_finding(&f, FINDING_WARNING),
	       "7:14: storage.base_path: \"C:\\NeuroLake\" is not this lake, paths below it are taken as paths below "
	       "the lake",
	       "a warning");
	is_int(s->nbuckets, 5, "five buckets");
	for (int i = 0; i < s->nbuckets; i++)
		ok(!s->buckets[i].path && s->buckets[i].declared, "%s lies at its usual place", s->buckets[i].name);
	p = settings_bucket(s, "archive");
	ok(p->tier == TIER_CLOUD && p->retention_days == 1095 && !p->auto_catalog, "archive");
	is_str(p->purpose, "Long-term cold storage", "and its purpose");
	is_int(settings_bucket(s, "ml-models")->retention_days, -1, "ml-models: for ever");
	ok(!s->log_path && !s->catalog_path, "logs and catalog at their usual place");
	ok(s->backend_json && s->local_threshold_gb == 80 && s->local_capacity_gb == 100, "numbers");
	is_str(s->cloud_bucket, "neurolake-cloud-burst", "cloud_bucket");
	settings_unref(s);
	findings_release(&f);
}

static void test_example(void)
{
	struct findings f;
	struct settings *s = load_data("example.yaml", &f);

	is_int(count_findings(&f, FINDING_ERROR), 0, "no error");
	is_int(count_findings(&f, FINDING_WARNING), 3, "warnings: base_path, and the two dots that stand for more");
	is_str(first_finding(&f, FINDING_WARNING),
	       "2:22: storage.base_path: \"/data/lake\" is not this lake, paths below it are taken as paths below the "
	       "lake",
	       "in the order of the file");
	ok(!settings_bucket(s, "raw-data")->path, "a path below base_path is the lake's own");
	ok(policy_excludes(settings_bucket(s, "raw-data"), "a.tmp", false), "exclude");
	is_str(s->cloud_endpoint, "http://127.0.0.1:9000", "cloud_endpoint");
	is_str(s->cloud_path, "/mnt/nas", "cloud_path");
	is_str(s->cloud_signature, "v4", "signature");
	ok(s->min_age == 60 && s->cloud_burst_target_percent == 70 && s->cloud_burst_enabled, "numbers");
	settings_unref(s);
	findings_release(&f);
}

static void test_values(void)
{
	struct findings f;
	struct settings *s = load_text(
		"storage:\n"
		"  local_capacity_gb: 0.5\n"
		"  history_budget_gb: 0\n"
		"  min_age: 1.2\n"
		"  cloud_burst_enabled: Yes\n"
		"  cloud_burst_threshold_percent: '75.5'\n"
		"buckets:\n"
		"  a b:\n"
		"    tier: hybrid\n"
		"    retention_days: 0.5\n"
		"    keep_last: 7\n"
		"    compress: zstd\n"
		"    exclude: []\n"
		"  \"line\\nbreak\": {tier: mirror, purpose: ~}\n"
		"  nothing:\n"
		"  .private: {tier: cloud}\n"
		"catalog: {backend: sqlite}\n"
		"hybrid_storage: {cloud_bucket: '', cloud_provider: none}\n"
		"monitoring: {log_level: debug, audit_reads: 1}\n",
		NULL, &f);
	const struct bucket_policy *p;

	if (!ok(s != NULL, "loads"))
		return;
	ok(s->local_capacity_gb == 0.5 && s->history_budget_gb == 0, "fractions, and nothing");
	is_int(s->min_age, 2, "a fraction of a second counts as one");
	ok(s->cloud_burst_enabled && s->cloud_burst_threshold_percent == 75.5, "yes, and a number in quotes");
	ok(s->cloud_burst_target_percent == 65.5, "the target follows the threshold");
	ok(!s->cloud_bucket && !s->cloud_provider && !s->backend_json, "empty text and none are as good as not said");
	ok(s->log_level == LOG_LEVEL_DEBUG && s->audit_reads, "words in any case, 1 for true");
	p = settings_bucket(s, "a b");
	ok(p->tier == TIER_LOCAL && p->retention_days == 1 && p->keep_last == 7 && p->compress, "hybrid is local");
	ok(!policy_excludes(p, ".git", true), "an empty list excludes nothing");
	p = settings_bucket(s, "line\nbreak");
	ok(p->declared && p->tier == TIER_MIRROR && p->purpose[0] == '\0', "any name, and nothing for a value");
	ok(settings_bucket(s, "nothing")->declared, "a bucket with no keys is declared");
	p = settings_bucket(s, ".private");
	ok(p->tier == TIER_PINNED && !p->versioned, "a private bucket stays private");
	is_str(first_finding(&f, FINDING_WARNING),
	       "16:3: buckets.\".private\": a bucket whose name begins with a dot is private: its tier, retention and "
	       "catalog are not used",
	       "and a warning says so");
	settings_unref(s);
	findings_release(&f);
}

static void test_warnings(void)
{
	is_warning("storage: {local_capcity_gb: 5}\n",
		   "1:11: storage.local_capcity_gb: unknown key, did you mean local_capacity_gb?");
	is_warning("storge: {min_age: 5}\n", "1:1: storge: unknown key, did you mean storage?");
	is_warning("buckets: {a: {teir: cloud}}\n", "1:15: buckets.a.teir: unknown key, did you mean tier?");
	is_warning("storage: {audit_reads: true}\n",
		   "1:11: storage.audit_reads: unknown key, it belongs to monitoring");
	is_warning("storage: {zebra: true}\n", "1:11: storage.zebra: unknown key, the nearest known key is min_age");
	/* what a later tarn knows is one warning, whatever it looks like */
	is_warning("# x\nremotes:\n  primary: {provider: s3, bucket: b}\n  backup: [a, {b: c}]\n",
		   "2:1: remotes: unknown key, the nearest known key is buckets");
	is_warning("hybrid_storage:\n  remotes: [{}]\n",
		   "2:3: hybrid_storage.remotes: unknown key, the nearest known key is recall_deny");
	is_warning("environments: {a: {remotes: 5}}\n",
		   "1:20: environments.a.remotes: unknown key, the nearest known key is buckets");
	is_warning("tarn: {colour: blue}\n", "1:8: tarn.colour: unknown key, the nearest known key is version");
	is_warning("environments: {a: {tarn: {version: 1}}}\n",
		   "1:20: environments.a.tarn: unknown key, it belongs to the top level of the file");
	is_warning("storage: {\"a\\e[31m\\u0085\": 1}\n",
		   "1:11: storage.\"a\\x1b[31m\\u0085\": unknown key, the nearest known key is base_path");
	is_warning("hybrid_storage: {cloud_provider: s3}\n",
		   "1:34: hybrid_storage.cloud_provider: s3 needs cloud_bucket, until then all stays local");
	is_warning("hybrid_storage: {cloud_provider: dir}\n",
		   "1:34: hybrid_storage.cloud_provider: dir needs cloud_path, until then all stays local");
	is_warning(
		"catalog: {storage_path: /srv/catalog}\n",
		"1:25: catalog.storage_path: \"/srv/catalog\" is not used, the catalog stays in the lake's own folder "
		"catalog");
	is_warning("\xef\xbb\xbfstorage: {min_age: 1}\r\nmonitoring: {audit_reads: off}\r\n", "");
}

static void test_variables(void)
{
	struct findings f;
	struct settings *s;

	setenv("TEST_BUCKET", "from-outside", 1);
	setenv("TEST_EMPTY", "", 1);
	s = load_text(
		"storage: {min_age: \"${TEST_NONE:-120}\"}\n"
		"hybrid_storage:\n"
		"  cloud_bucket: a-${TEST_BUCKET}-${TEST_EMPTY:-z}\n"
		"  cloud_prefix: $${TEST_BUCKET}$\n"
		"  cloud_region: ${TEST_NONE:-}\n",
		NULL, &f);
	ok(s && f.n == 0, "variables load");
	is_int(s->min_age, 120, "a default");
	is_str(s->cloud_bucket, "a-from-outside-z", "inside a value, and an empty one");
	is_str(s->cloud_prefix, "${TEST_BUCKET}$", "$${ is a plain ${");
	ok(!s->cloud_region, "an empty default");
	settings_unref(s);
	findings_release(&f);
	is_error("storage: {min_age: \"${TEST_BUCKET}\"}\n",
		 "1:20: storage.min_age: \"from-outside\" is not a number (from 0 to 10000000000)");
	is_error("storage: {min_age: \"${9}\"}\n",
		 "1:20: storage.min_age: \"${9}\" is neither ${NAME} nor ${NAME:-default}");
	is_warning("environments: {production: {hybrid_storage: {cloud_bucket: \"${TEST_NONE}\"}}}\n", "");
}

static void is_override_error(const char *variable, const char *value, const char *wanted)
{
	setenv(variable, value, 1);
	is_error("storage: {min_age: 5}\n", wanted);
	unsetenv(variable);
}

static void test_overrides(void)
{
	struct findings f;
	struct settings *s;

	setenv("TARN_STORAGE_LOCAL_CAPACITY_GB", "0.25", 1);
	setenv("TARN_MONITORING_LOG_LEVEL", "debug", 1);
	setenv("TARN_HYBRID_STORAGE_CLOUD_BUCKET", "other", 1);
	setenv("TARN_CATALOG_AUTO_LINEAGE", "no", 1);
	setenv("TARN_MONITORING_LOG_PATH", "/var/log/tarn", 1);
	setenv("TARN_STORAGE_MIN_AGE", "", 1);
	s = load_text("storage: {local_capacity_gb: 5, min_age: 7}\nhybrid_storage: {cloud_bucket: this}\n", NULL, &f);
	ok(s && f.n == 0, "overrides load");
	ok(s->local_capacity_gb == 0.25 && s->log_level == LOG_LEVEL_DEBUG && !s->auto_lineage, "and win");
	is_str(s->cloud_bucket, "other", "over the file");
	is_str(s->log_path, "/var/log/tarn", "a path");
	is_int(s->min_age, 7, "an empty variable is as good as none");
	settings_unref(s);
	findings_release(&f);
	unsetenv("TARN_STORAGE_LOCAL_CAPACITY_GB");
	unsetenv("TARN_MONITORING_LOG_LEVEL");
	unsetenv("TARN_HYBRID_STORAGE_CLOUD_BUCKET");
	unsetenv("TARN_CATALOG_AUTO_LINEAGE");
	unsetenv("TARN_MONITORING_LOG_PATH");
	unsetenv("TARN_STORAGE_MIN_AGE");

	is_override_error("TARN_STORAGE_LOCAL_CAPACITY_GB", "lots",
			  "TARN_STORAGE_LOCAL_CAPACITY_GB: \"lots\" is not a number (more than 0, at most 1000000000)");
	is_override_error("TARN_MONITORING_LOG_LEVEL", "loud",
			  "TARN_MONITORING_LOG_LEVEL: \"loud\" is not one of ERROR, WARNING, INFO, DEBUG");
	is_override_error("TARN_STORAGE_CLOUD_BURST_TARGET_PERCENT", "90",
			  "TARN_STORAGE_CLOUD_BURST_TARGET_PERCENT: 90 is above cloud_burst_threshold_percent (80)");
	is_override_error("TARN_MONITORING_LOG_PATH", "D:\\logs",
			  "TARN_MONITORING_LOG_PATH: \"D:\\logs\" is a Windows path that does not lie below "
			  "storage.base_path");
	setenv("TARN_STORAGE_MINAGE", "1", 1);
	is_warning("storage: {min_age: 5}\n", "TARN_STORAGE_MINAGE: this environment variable overrides no known key");
	unsetenv("TARN_STORAGE_MINAGE");
}

static const char with_environments[] =
	"storage: {min_age: 60, local_capacity_gb: 10}\n"
	"buckets:\n"
	"  raw-data: {tier: local, keep_last: 9, exclude: ['*.a', '*.b']}\n"
	"environments:\n"
	"  local: {monitoring: {log_level: DEBUG}}\n"
	"  production:\n"
	"    storage: {min_age: 3600}\n"
	"    buckets:\n"
	"      raw-data: {tier: mirror, exclude: ['*.c']}\n"
	"      extra: {tier: cloud}\n"
	"    monitoring:\n";

static void test_environments(void)
{
	struct findings f;
	struct settings *s = load_text(with_environments, NULL, &f);
	char **names;

	ok(s && s->min_age == 60 && s->nbuckets == 1 && !s->environment, "none chosen: the rest alone");
	settings_unref(s);
	s = load_text(with_environments, "production", &f);
	is_str(s->environment, "production", "chosen by the caller");
	ok(s->min_age == 3600 && s->local_capacity_gb == 10, "merged over the rest, key by key");
	ok(settings_bucket(s, "raw-data")->tier == TIER_MIRROR && settings_bucket(s, "raw-data")->keep_last == 9,
	   "in buckets too");
	ok(policy_excludes(settings_bucket(s, "raw-data"), "x.c", false) &&
		   !policy_excludes(settings_bucket(s, "raw-data"), "x.a", false),
	   "lists are replaced");
	is_int(settings_bucket(s, "extra")->tier, TIER_CLOUD, "buckets are added");
	settings_unref(s);
	setenv("TARN_ENV", "local", 1);
	s = load_text(with_environments, NULL, &f);
	ok(s && s->log_level == LOG_LEVEL_DEBUG, "chosen by TARN_ENV");
	settings_unref(s);
	setenv("TARN_ENV", "prod", 1);
	is_error(with_environments, "4:1: \"prod\" (TARN_ENV) is none of the environments: local, production");
	is_error("storage: {}\n", "1:1: \"prod\" (TARN_ENV) is none of the environments, for the file has none");
	unsetenv("TARN_ENV");
	lake_put(with_environments, strlen(with_environments));
	is_int(settings_environments(lake, &names), 0, "their names");
	ok(strcmp(names[0], "local") == 0 && strcmp(names[1], "production") == 0 && !names[2], "in the file's order");
	for (int i = 0; names[i]; i++)
		free(names[i]);
	free(names);
	lake_put("a: [", 4);
	is_int(settings_environments(lake, &names), -EINVAL, "broken YAML has none");
	findings_release(&f);
}

static void test_aliases(void)
{
	struct findings f;
	struct settings *s = load_text(
		"buckets:\n"
		"  raw: &usual {tier: mirror, keep_last: 5}\n"
		"  copy: *usual\n"
		"  merged:\n"
		"    <<: *usual\n"
		"    keep_last: 6\n"
		"environments:\n"
		"  e: {buckets: {copy: {tier: pinned}}}\n",
		"e", &f);

	ok(s && f.n == 0, "aliases and merge keys load");
	ok(settings_bucket(s, "merged")->tier == TIER_MIRROR && settings_bucket(s, "merged")->keep_last == 6,
	   "own keys win over merged ones");
	ok(settings_bucket(s, "copy")->tier == TIER_PINNED && settings_bucket(s, "raw")->tier == TIER_MIRROR,
	   "a merge changes the copy alone");
	settings_unref(s);
	findings_release(&f);
}

static void is_path(const char *base, const char *path, const char *wanted)
{
	_cleanup_buf_ struct buf text = BUF_INIT, got = BUF_INIT;
	struct findings f;
	struct settings *s;

	buf_addf(&text, "storage: {base_path: '%s'}\nbuckets: {raw: {path: '%s'}}\n", base, path);
	s = load_text(buf_str(&text), NULL, &f);
	if (s && s->buckets[0].path)
		buf_adds(&got, s->buckets[0].path);
	else
		buf_adds(&got, s ? "usual" : "error");
	if (strncmp(buf_str(&got), lake, strlen(lake)) == 0)
		is_str(buf_str(&got) + strlen(lake), wanted, path);
	else
		is_str(buf_str(&got), wanted, path);
	settings_unref(s);
	findings_release(&f);
}

static void test_paths(void)
{
	is_path("C:\\NeuroLake", "C:\\NeuroLake\\buckets\\raw", "usual");
	is_path("C:\\NeuroLake\\", "c:\\neurolake\\BUCKETS\\..\\buckets\\raw\\", "usual");
	is_path("C:\\NeuroLake", "C:/NeuroLake/buckets/raw", "usual");
	is_path("C:\\NeuroLake", "C:\\NeuroLake\\more\\raw", "/more/raw");
	is_path("C:\\NeuroLake", "C:\\NeuroLake2\\buckets\\raw", "error");
	is_path("C:\\NeuroLake", "\\\\server\\share\\raw", "error");
	is_path("C:\\NeuroLake", "buckets\\raw", "usual");
	is_path("\\\\server\\lake", "\\\\server\\lake\\buckets\\raw", "usual");
	is_path("/data/lake", "/data/lake/buckets/raw", "usual");
	is_path("/data/lake/", "/data//lake/./buckets/x/../raw/", "usual");
	is_path("/data/lake", "/data/lakes/buckets/raw", "/data/lakes/buckets/raw");
	is_path("/data/lake", "/srv/raw", "/srv/raw");
	is_path("/data/lake", "buckets/raw", "usual");
	is_path("/data/lake", "other/raw", "/other/raw");
	is_path("/data/lake", "buckets/other", "error");
	is_path("/data/lake", "/data/lake", "error");
	is_path("/data/lake", "/", "error");
	is_path("/", "/srv/raw", "/srv/raw");
	is_path(".", "buckets/raw", "usual");
	is_path(lake, "buckets/raw", "usual");
}

static void test_references(void)
{
	struct findings f;
	struct settings *s = load_text("storage: {min_age: 5}\n", NULL, &f);

	ok(settings_ref(s) == s, "a reference");
	settings_unref(s);
	is_int(s->min_age, 5, "keeps it");
	settings_unref(s);
	settings_unref(NULL);
	findings_release(&f);
}

int main(void)
{
	if (!lake_make())
		return skip_all("no folder for temporary files");
	test_defaults();
	test_windows_born();
	test_example();
	test_values();
	test_warnings();
	test_variables();
	test_overrides();
	test_environments();
	test_aliases();
	test_paths();
	test_references();
	lake_remove();
	return done();
}
