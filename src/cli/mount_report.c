#include "cli/mounting.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/facts.h"
#include "cli/human.h"
#include "cli/table.h"

#define LOOK_AT_MOST 200

/* The first plain file of a folder that is not hidden; one that tarn wrote itself only when there is no other. */
static bool find_file(const char *folder, struct buf *found)
{
	_cleanup_closedir_ DIR *d = opendir(folder);
	struct dirent *e;
	bool any = false;

	for (int i = 0; d && i < LOOK_AT_MOST && (e = readdir(d)); i++) {
		bool info = !strcmp(e->d_name, "BUCKET_INFO.txt");

		if (e->d_type != DT_REG || e->d_name[0] == '.' || (info && any))
			continue;
		buf_clear(found);
		buf_addf(found, "%s/%s", folder, e->d_name);
		any = true;
		if (!info)
			break;
	}
	return any;
}

/* A file to show versions of, in any bucket. */
static bool find_example(const char *point, struct buf *found)
{
	_cleanup_closedir_ DIR *d = opendir(point);
	_cleanup_buf_ struct buf folder = BUF_INIT, first = BUF_INIT;
	struct dirent *e;

	for (int i = 0; d && i < LOOK_AT_MOST && (e = readdir(d)); i++) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		buf_clear(&folder);
		buf_addf(&folder, "%s/%s", point, e->d_name);
		if (!find_file(buf_str(&folder), found))
			continue;
		if (!strstr(buf_str(found), "/BUCKET_INFO.txt"))
			return true;
		if (!first.len)
			buf_adds(&first, buf_str(found));
	}
	buf_clear(found);
	buf_adds(found, buf_str(&first));
	return first.len;
}

static void add_try(struct json_object *list, struct table *t, const char *command, const char *path, const char *what)
{
	_cleanup_buf_ struct buf word = BUF_INIT;

	shell_word(&word, path);
	table_addf(t, "  %s %s", command, buf_str(&word));
	table_add(t, what);
	json_object_array_add(list, json_object_new_string(path));
}

static void add_tries(const struct mounting *m, const char *point, struct json_object *list, struct table *t)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	if (m->options.synth == DAEMON_SYNTH_OFF || m->options.view) {
		add_try(list, t, "ls", point, m->options.view ? "the buckets as they were" : "the buckets");
		return;
	}
	buf_addf(&path, "%s/.catalog/README", point);
	add_try(list, t, "cat", buf_str(&path), "what can be asked here");
	buf_clear(&path);
	buf_addf(&path, "%s/.catalog/assets.csv", point);
	add_try(list, t, "cat", buf_str(&path), "every file of the lake");
	buf_clear(&path);
	if (find_example(point, &path)) {
		buf_adds(&path, "@v/history.jsonl");
		add_try(list, t, "cat", buf_str(&path), "a file's history");
	} else {
		add_try(list, t, "ls", point, "the buckets");
	}
}

void mount_report(const struct mounting *m, const char *lake, const char *point)
{
	static const char *const headings[] = {"", "", NULL};
	_cleanup_json_ struct json_object *facts = json_object_new_object();
	struct json_object *list = json_object_new_array();
	_cleanup_buf_ struct buf names = BUF_INIT;
	_cleanup_table_ struct table t;

	table_init(&t, headings);
	json_object_object_add(facts, "lake", json_object_new_string(lake));
	json_object_object_add(facts, "mountpoint", json_object_new_string(point));
	if (m->options.view)
		json_object_object_add(facts, "view", json_object_new_string(m->options.view));
	add_tries(m, point, list, &t);
	json_object_object_add(facts, "try", list);
	if (m->json) {
		json_print(facts);
		return;
	}
	human_name(&names, lake);
	if (m->options.view)
		buf_addf(&names, " as of %s", m->options.view);
	buf_adds(&names, " on ");
	human_name(&names, point);
	printf("mounted %s\n\ntry:\n", buf_str(&names));
	table_print(&t, stdout);
}
