/* tarn gc: lets history go that is beyond its retention or its budget, or says what would. The daemon does it, and
 * of a lake that is not mounted this program. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/daemon/daemon_history.h"
#include "cli/facts.h"
#include "cli/human.h"
#include "cli/offline.h"
#include "cli/place.h"
#include "cli/table.h"
#include "cli/verb_list.h"

#define WAIT_SECONDS 3600
#define SHOWN 40 /* versions; --json has more */

static int64_t number(struct json_object *o, const char *key)
{
	return json_object_get_int64(json_object_object_get(o, key));
}

static void add_size(struct table *t, struct json_object *o)
{
	_cleanup_buf_ struct buf size = BUF_INIT;

	human_size(&size, (uint64_t)number(o, "bytes"));
	table_add(t, buf_str(&size));
}

static int print_list(struct json_object *list)
{
	static const char *const headings[] = {"FILE", ">VERSION", ">BYTES", "WHY", NULL};
	size_t n = json_object_array_length(list);
	_cleanup_table_ struct table t;
	int rc;

	table_init(&t, headings);
	for (size_t i = 0; i < n && i < SHOWN; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *path = json_text(o, "path"), *why = json_text(o, "reason");

		table_add(&t, path ? path : "?");
		table_addf(&t, "%lld", (long long)number(o, "version"));
		add_size(&t, o);
		table_add(&t, why ? why : "");
	}
	rc = table_print(&t, stdout);
	if (n > SHOWN)
		printf("… and more (--json lists them)\n");
	return rc;
}

static int print_reasons(struct json_object *list)
{
	static const char *const headings[] = {"WHY", ">VERSIONS", ">BYTES", NULL};
	_cleanup_table_ struct table t;

	table_init(&t, headings);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *why = json_text(o, "reason");

		table_add(&t, why ? why : "");
		table_addf(&t, "%lld", (long long)number(o, "versions"));
		add_size(&t, o);
	}
	return table_print(&t, stdout);
}

static int print(struct json_object *reply, bool dry_run)
{
	_cleanup_buf_ struct buf size = BUF_INIT;
	long long versions = number(reply, "versions");
	int rc = 0;

	human_size(&size, (uint64_t)number(reply, "bytes"));
	if (!versions) {
		puts(dry_run ? "nothing would go" : "nothing was to go");
		return 0;
	}
	if (dry_run) {
		rc = print_list(json_object_object_get(reply, "list"));
		puts("");
	}
	if (!rc)
		rc = print_reasons(json_object_object_get(reply, "reasons"));
	printf(dry_run ? "\n%lld versions, %s, would go\n" : "\n%lld versions, %s, are gone\n", versions,
	       buf_str(&size));
	return rc;
}

static int ask(const char *lake, bool dry_run, struct json_object **reply)
{
	_cleanup_json_ struct json_object *request = json_object_new_object();
	int rc;

	json_object_object_add(request, "verb", json_object_new_string("gc"));
	json_object_object_add(request, "dry_run", json_object_new_boolean(dry_run));
	rc = offline_call(lake, request, WAIT_SECONDS, daemon_answer_gc, reply);
	if (rc)
		say("%s: %s", lake, *reply && json_text(*reply, "error") ? json_text(*reply, "error") : strerror(-rc));
	return rc;
}

static int run_gc(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{"dry-run", no_argument, NULL, 'n'}, {"json", no_argument, NULL, OPTION_JSON}, {0}};
	_cleanup_json_ struct json_object *reply = NULL;
	_cleanup_free_ char *lake = NULL;
	bool json = false, dry_run = false;
	int c, n;

	while ((c = verb_option(v, argc, argv, "n", options)) != -1) {
		json |= c == OPTION_JSON;
		dry_run |= c == 'n';
	}
	n = verb_arguments(v, argc, argv, 0, 1);
	if (lake_around(n ? argv[optind] : NULL, &lake))
		return EXIT_FAILED;
	c = ask(lake, dry_run, &reply);
	if (c)
		return c == -ETIMEDOUT || c == -EAGAIN ? EXIT_TRY_AGAIN : EXIT_FAILED;
	return (json ? json_print(reply) : print(reply, dry_run)) ? EXIT_FAILED : EXIT_OK;
}

const struct verb verb_gc = {
	.name = "gc",
	.args = "[LAKE] [-n | --dry-run] [--json]",
	.summary = "let old versions go that are beyond their retention",
	.details =
		"Old versions that retention_days and keep_last of their bucket do not keep any\n"
		"longer go, and what the history budget has no room for; labelled ones last,\n"
		"live files never. A mounted lake does this by itself each hour; this does it\n"
		"now, also for a lake that is not mounted.\n"
		"LAKE: the lake or a path in it, else the one around the current folder.\n"
		"\n"
		"options:\n"
		"  -n, --dry-run  only say what would go, how much, and why\n"
		"      --json     as JSON\n"
		"  -h, --help     say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn gc ~/lake --dry-run\n"
		"  tarn gc ~/lake\n",
	.run = run_gc,
};
