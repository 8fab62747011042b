/*
 * tarn bucket: the buckets of a lake and their policies. `set` edits settings.yaml and keeps its comments.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "cli/facts.h"
#include "cli/place.h"
#include "cli/reload.h"
#include "cli/table.h"
#include "cli/verb_list.h"
#include "config/settings_edit.h"

/* ---- list ---- */

static struct json_object *bucket_facts(const char *lake, const char *name, const struct bucket_policy *p)
{
	struct json_object *o = json_object_new_object();
	_cleanup_buf_ struct buf path = BUF_INIT;

	if (p->path)
		buf_adds(&path, p->path);
	else
		buf_addf(&path, "%s/buckets/%s", lake, name);
	json_object_object_add(o, "name", json_object_new_string(name));
	json_object_object_add(o, "tier", json_object_new_string(bucket_tier_name(p->tier)));
	json_object_object_add(o, "retention_days", json_object_new_int64(p->retention_days));
	json_object_object_add(o, "keep_last", json_object_new_int64(p->keep_last));
	json_object_object_add(o, "versioned", json_object_new_boolean(p->versioned));
	json_object_object_add(o, "auto_catalog", json_object_new_boolean(p->auto_catalog));
	json_object_object_add(o, "declared", json_object_new_boolean(p->declared));
	json_object_object_add(o, "path", json_object_new_string(buf_str(&path)));
	json_object_object_add(o, "purpose", json_object_new_string(p->purpose ? p->purpose : ""));
	return o;
}

static bool is_declared(const struct settings *s, const char *name)
{
	for (int i = 0; i < s->nbuckets; i++) {
		if (!strcmp(s->buckets[i].name, name))
			return true;
	}
	return false;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Folders that settings.yaml does not name, after those that it does. */
static void add_undeclared(struct json_object *list, const char *lake, struct settings *s)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct dirent **found = NULL;
	int n;

	buf_addf(&path, "%s/buckets", lake);
	n = scandir(buf_str(&path), &found, NULL, by_name);
	if (n < 0)
		say("%s: %m (only declared buckets are shown)", buf_str(&path));
	for (int i = 0; i < n; i++) {
		const char *name = found[i]->d_name;
		_cleanup_buf_ struct buf folder = BUF_INIT;
		struct stat st;

		buf_addf(&folder, "%s/%s", buf_str(&path), name);
		if (strcmp(name, ".") && strcmp(name, "..") && !is_declared(s, name) && !lstat(buf_str(&folder), &st) &&
		    S_ISDIR(st.st_mode))
			json_object_array_add(list, bucket_facts(lake, name, settings_bucket(s, name)));
		free(found[i]);
	}
	free(found);
}

static void print_buckets(struct json_object *list)
{
	static const char *const headings[] = {"BUCKET", "TIER", ">RETENTION", ">KEEP LAST", "PURPOSE", NULL};
	_cleanup_table_ struct table t;
	size_t n = json_object_array_length(list);

	table_init(&t, headings);
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		int64_t days = json_object_get_int64(json_object_object_get(o, "retention_days"));

		table_add(&t, json_text(o, "name"));
		table_add(&t, json_text(o, "tier"));
		if (!json_flag(o, "versioned"))
			table_add(&t, "no history");
		else if (days < 0)
			table_add(&t, "for ever");
		else
			table_addf(&t, "%lld days", (long long)days);
		table_addf(&t, "%lld", (long long)json_object_get_int64(json_object_object_get(o, "keep_last")));
		table_add(&t, json_text(o, "purpose"));
	}
	table_print(&t, stdout);
}

static int list_buckets(const char *lake, bool json)
{
	_cleanup_json_ struct json_object *list = json_object_new_array();
	struct findings findings = {0};
	struct settings *s = NULL;
	int rc = settings_load(lake, NULL, &s, &findings);

	findings_say(&findings);
	findings_release(&findings);
	if (rc)
		return rc == -EINVAL ? EXIT_SETTINGS : EXIT_FAILED;
	for (int i = 0; i < s->nbuckets; i++)
		json_object_array_add(list, bucket_facts(lake, s->buckets[i].name, &s->buckets[i]));
	add_undeclared(list, lake, s);
	settings_unref(s);
	if (json)
		return json_print(list) ? EXIT_FAILED : EXIT_OK;
	print_buckets(list);
	return EXIT_OK;
}

/* ---- set ---- */

/* WORDS: KEY=VALUE each. All of them are set, or none. */
static int edit_settings(const char *lake, const char *name, char **words, int n)
{
	_cleanup_free_ struct bucket_setting *set = calloc((size_t)n, sizeof(*set));
	struct findings findings = {0};
	int rc;

	if (!set)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		char *value = strchr(words[i], '=');

		*value++ = '\0';
		set[i] = (struct bucket_setting){words[i], value};
	}
	rc = settings_set_bucket(lake, name, set, n, &findings);
	for (int i = 0; i < findings.n; i++)
		say("bucket %s: %s%s", name, findings.list[i].level == FINDING_WARNING ? "warning: " : "",
		    findings.list[i].text);
	if (rc && !findings_failed(&findings))
		say("bucket %s: %s", name, strerror(-rc));
	findings_release(&findings);
	return rc;
}

static int set_bucket(const char *lake, const char *name, char **words, int n)
{
	int rc = edit_settings(lake, name, words, n);

	if (rc)
		return rc == -EINVAL ? EXIT_SETTINGS : EXIT_FAILED;
	rc = reload_lake(lake);
	if (rc && rc != -ENOTCONN) {
		say("bucket %s: settings.yaml is changed, but not yet applied (`tarn reload %s`)", name, lake);
		return EXIT_PARTLY;
	}
	printf("bucket %s: %s\n", name, rc ? "set, from the next mount on" : "set and applied");
	return EXIT_OK;
}

static int run_bucket(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, OPTION_JSON}, {"lake", required_argument, NULL, 'l'}, {0}};
	_cleanup_free_ char *lake = NULL;
	const char *given = NULL;
	bool json = false, list;
	int c, n;

	while ((c = verb_option(v, argc, argv, "l:", options)) != -1) {
		json |= c == OPTION_JSON;
		if (c == 'l')
			given = optarg;
	}
	n = verb_arguments(v, argc, argv, 1, INT_MAX / 2);
	list = !strcmp(argv[optind], "list");
	if (!list && strcmp(argv[optind], "set"))
		return verb_misuse(v, "%s: it is list or set", argv[optind]);
	if (list && n > 1)
		return verb_misuse(v, "one argument too many: %s", argv[optind + 1]);
	if (!list && n < 3)
		return verb_misuse(v, "set takes a bucket and KEY=VALUE");
	for (int i = 2; i < n; i++) {
		if (!strchr(argv[optind + i], '=') || argv[optind + i][0] == '=')
			return verb_misuse(v, "%s: not of the form KEY=VALUE", argv[optind + i]);
	}
	if (given ? lake_given(given, &lake) : lake_around(NULL, &lake))
		return EXIT_FAILED;
	return list ? list_buckets(lake, json) : set_bucket(lake, argv[optind + 1], argv + optind + 2, n - 2);
}

const struct verb verb_bucket = {
	.name = "bucket",
	.args = "list [--json] | set NAME KEY=VALUE... [--lake LAKE]",
	.summary = "show the buckets' policies, or set one",
	.details =
		"`list` shows every bucket with its policy, those without a line in\n"
		"settings.yaml too. `set` changes settings.yaml, keeps its comments and order,\n"
		"and applies it when the lake is mounted. All keys are set, or, when one value\n"
		"is wrong, none. Keys:\n"
		"tier, retention_days, keep_last, purpose, auto_catalog, exclude, path and\n"
		"more; see tarn.yaml(5).\n"
		"\n"
		"options:\n"
		"  -l, --lake LAKE  the lake; without it the one around the current folder\n"
		"      --json       list as JSON\n"
		"  -h, --help       say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn bucket list --lake ~/lake\n"
		"  tarn bucket set raw-data retention_days=365 keep_last=10\n"
		"  tarn bucket set scratch exclude='*.tmp,*.log' tier=pinned\n",
	.run = run_bucket,
};
