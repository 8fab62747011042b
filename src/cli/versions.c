/*
 * tarn versions: the history of a file, read through the mount from F@v/history.jsonl, one JSON object per line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "cli/control.h"
#include "cli/facts.h"
#include "cli/history.h"
#include "cli/human.h"
#include "cli/place.h"
#include "cli/table.h"
#include "cli/verb_list.h"

static const char *text_or(struct json_object *o, const char *key, const char *otherwise)
{
	const char *text = json_text(o, key);

	return text && text[0] ? text : otherwise;
}

static void add_row(struct table *t, struct json_object *o)
{
	_cleanup_buf_ struct buf size = BUF_INIT, when = BUF_INIT, state = BUF_INIT;
	const char *how = text_or(o, "how", "none");
	int64_t ns;

	if (!time_parse(text_or(o, "time", ""), &ns))
		human_time(&when, ns);
	human_size(&size, json_object_get_uint64(json_object_object_get(o, "size")));
	buf_adds(&state, text_or(o, "state", "?"));
	if (strcmp(how, "none"))
		buf_addf(&state, ", %s", how);
	table_addf(t, "%lld", (long long)json_object_get_int64(json_object_object_get(o, "version")));
	table_add(t, buf_str(&when));
	table_add(t, buf_str(&size));
	table_add(t, buf_str(&state));
	table_addf(t, "%.12s", text_or(o, "sha256", "-"));
	table_add(t, text_or(o, "reason", ""));
}

static int print_table(const struct history *h, bool all)
{
	static const char *const headings[] = {">VERSION", "TIME", ">SIZE", "STATE", "SHA256", "REASON", NULL};
	_cleanup_table_ struct table t;
	int left_out = 0, shown = 0;

	table_init(&t, headings);
	for (int i = 0; i < h->n; i++) {
		if (all || history_readable(h->lines[i].object)) {
			add_row(&t, h->lines[i].object);
			shown++;
		} else {
			left_out++;
		}
	}
	if (shown && table_print(&t, stdout))
		return EXIT_FAILED;
	if (left_out)
		printf("%s%d that cannot be read any more %s not shown (--all shows why)\n", shown ? "\n" : "",
		       left_out, left_out == 1 ? "is" : "are");
	if (!h->n)
		printf("no versions: nothing was recorded of it yet\n");
	return EXIT_OK;
}

/* The lines go out as they came: names in them are written by the daemon's own rule already. */
static int print_json(const struct history *h, const char *path, bool all)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int n = 0;

	buf_adds(&b, "{\n  \"path\": ");
	buf_add_json(&b, path, strlen(path));
	buf_adds(&b, ",\n  \"versions\": [");
	for (int i = 0; i < h->n; i++) {
		if (all || history_readable(h->lines[i].object))
			buf_addf(&b, "%s\n    %s", n++ ? "," : "", h->lines[i].text);
	}
	buf_adds(&b, n ? "\n  ]\n}\n" : "]\n}\n");
	if (buf_error(&b))
		return EXIT_FAILED;
	fwrite(b.data, 1, b.len, stdout);
	return EXIT_OK;
}

static int run_versions(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, OPTION_JSON}, {"all", no_argument, NULL, 'a'}, {0}};
	_cleanup_place_ struct place p = {0};
	bool json = false, all = false;
	struct history h = {0};
	int c, rc, code;

	while ((c = verb_option(v, argc, argv, "a", options)) != -1) {
		json |= c == OPTION_JSON;
		all |= c == 'a';
	}
	verb_arguments(v, argc, argv, 1, 1);
	if (place_on_mount(argv[optind], &p))
		return EXIT_FAILED;
	rc = history_read(p.path, &h);
	if (rc) {
		history_say(p.path, rc);
		return EXIT_FAILED;
	}
	code = json ? print_json(&h, p.path, all) : print_table(&h, all);
	history_release(&h);
	return code;
}

const struct verb verb_versions = {
	.name = "versions",
	.args = "PATH [--all] [--json]",
	.summary = "the history of a file, also of a deleted one",
	.details =
		"Lists the versions of the file PATH on a mounted lake: number, time, size, how\n"
		"it is kept, checksum. Version N can be read as PATH@vN and brought back by\n"
		"`tarn restore`. A deleted file keeps its history under its old path.\n"
		"\n"
		"options:\n"
		"  -a, --all    also those that cannot be read any more, with the reason\n"
		"      --json   as JSON\n"
		"  -h, --help   say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn versions orders.csv\n"
		"  tarn versions ~/lake/buckets/raw-data/gone.csv --all --json\n",
	.run = run_versions,
};
