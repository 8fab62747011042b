/*
 * tarn label: names for moments of a folder. A label is a folder in D@v: mkdir(2) there names this moment, rmdir(2)
 * drops the name.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/which.h"
#include "cli/facts.h"
#include "cli/human.h"
#include "cli/moments.h"
#include "cli/table.h"
#include "cli/verb_list.h"

static struct json_object *moment_facts(const struct moment *m)
{
	struct json_object *o = json_object_new_object();
	_cleanup_buf_ struct buf when = BUF_INIT;

	buf_add_moment(&when, m->time);
	json_object_object_add(o, "label", json_object_new_string(m->name));
	json_object_object_add(o, "commit", json_object_new_int64((int64_t)m->commit));
	json_object_object_add(o, "time", json_object_new_string(buf_str(&when)));
	return o;
}

static int print_labels(const struct moments *m, bool json)
{
	static const char *const headings[] = {"LABEL", "TIME", ">COMMIT", NULL};
	_cleanup_json_ struct json_object *list = json_object_new_array();
	_cleanup_table_ struct table t;
	int rc = 0;

	table_init(&t, headings);
	for (int i = 0; i < m->n; i++) {
		_cleanup_buf_ struct buf when = BUF_INIT;

		if (!m->list[i].label)
			continue;
		json_object_array_add(list, moment_facts(&m->list[i]));
		buf_add_moment(&when, m->list[i].time);
		table_add(&t, m->list[i].name);
		table_add(&t, buf_str(&when));
		table_addf(&t, "%llu", (unsigned long long)m->list[i].commit);
	}
	if (json)
		rc = json_print(list);
	else if (t.ncells)
		rc = table_print(&t, stdout);
	else
		puts("no labels (`tarn label DIR NAME` names this moment)");
	return rc ? EXIT_FAILED : EXIT_OK;
}

static int list_labels(const char *moments, bool json)
{
	struct moments m;
	int rc = moments_read(moments, &m), code;

	if (rc) {
		say("%s: %s", moments, strerror(-rc));
		return EXIT_FAILED;
	}
	code = print_labels(&m, json);
	moments_release(&m);
	return code;
}

static const char *why_not(const char *name)
{
	if (!*name)
		return "it is empty";
	if (strchr(name, '/'))
		return "it has a slash";
	return strlen(name) > NAME_MAX ? "it is longer than 255 bytes"
				       : "it looks like a time, a number or a name of tarn's own";
}

static int say_failed(const char *path, const char *name, bool remove, int error)
{
	if (!remove && !which_label_allowed(name))
		say("%s: '%s' cannot be a label: %s", path, name, why_not(name));
	else if (error == EEXIST && !remove)
		say("%s: there is a moment of that name already (--remove drops it)", path);
	else if (error == ENOENT && remove)
		say("%s: there is no such label", path);
	else
		say("%s: %s", path, strerror(error));
	return EXIT_FAILED;
}

static int change_label(const char *moments, const char *name, bool remove, bool json)
{
	_cleanup_buf_ struct buf path = BUF_INIT, shown = BUF_INIT;
	_cleanup_json_ struct json_object *o = NULL;
	struct stat st;

	if (strchr(name, '/') || !*name)
		return say_failed(moments, name, remove, EINVAL);
	buf_addf(&path, "%s/%s", moments, name);
	if (remove ? rmdir(buf_str(&path)) < 0 : mkdir(buf_str(&path), 0777) < 0)
		return say_failed(buf_str(&path), name, remove, errno);
	if (!remove && stat(buf_str(&path), &st) < 0)
		return say_failed(buf_str(&path), name, remove, errno);
	if (json) {
		o = json_object_new_object();
		json_object_object_add(o, remove ? "removed" : "label", json_object_new_string(name));
		json_object_object_add(o, "path", json_object_new_string(buf_str(&path)));
		return json_print(o) ? EXIT_FAILED : EXIT_OK;
	}
	human_name(&shown, buf_str(&path));
	printf("%s%s\n", buf_str(&shown), remove ? " is no label any more" : "/ is this moment");
	return EXIT_OK;
}

static int run_label(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{"remove", no_argument, NULL, 'd'}, {"json", no_argument, NULL, OPTION_JSON}, {0}};
	_cleanup_free_ char *moments = NULL;
	bool json = false, remove = false;
	int c, n;

	while ((c = verb_option(v, argc, argv, "d", options)) != -1) {
		json |= c == OPTION_JSON;
		remove |= c == 'd';
	}
	n = verb_arguments(v, argc, argv, 1, 2);
	if (n == 1 && remove)
		return verb_misuse(v, "--remove: name the label");
	if (moments_find(argv[optind], &moments))
		return EXIT_FAILED;
	return n == 1 ? list_labels(moments, json) : change_label(moments, argv[optind + 1], remove, json);
}

const struct verb verb_label = {
	.name = "label",
	.args = "DIR [NAME] [--remove] [--json]",
	.summary = "give this moment of a folder a name, or list the names",
	.details =
		"Names what the folder DIR, with all below it, is now: DIR@v/NAME/ shows it for\n"
		"as long as the label is there, for what a label holds is not expired. DIR may\n"
		"be the root of the mount: then it is the whole lake. Without NAME the labels\n"
		"are listed. Who may write in DIR may do it; `mkdir DIR@v/NAME` is the same.\n"
		"A label may not look like a time or a number.\n"
		"\n"
		"options:\n"
		"  -d, --remove  drop the name; what it showed may expire then\n"
		"      --json    as JSON\n"
		"  -h, --help    say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn label reports before-cleanup\n"
		"  tarn restore reports@v/before-cleanup --replace\n"
		"  tarn label reports before-cleanup --remove\n",
	.run = run_label,
};
