/*
 * tarn diff: two files or folders, earlier versions or not. Everything is read through paths, as any program would.
 */
#include "cli/diff/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/facts.h"
#include "cli/verb_list.h"
#include "cli/version_path.h"

#define EXAMPLES 10
#define KEYS_MAX 16
#define TEXT_MAX (INT64_C(256) << 20) /* of both files: diff(1) has them in memory */

static int open_side(struct diff_side *s)
{
	s->fd = -1;
	if (stat(s->path, &s->st) < 0) {
		say("%s: %m", s->path);
		return -errno;
	}
	if (!S_ISREG(s->st.st_mode))
		return 0;
	s->fd = open(s->path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		say("%s: %m", s->path);
	return s->fd < 0 ? -errno : 0;
}

static int compare_files(const struct diff_side *a, const struct diff_side *b, const struct diff_options *o,
			 struct json_object *facts)
{
	off_t first = a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino ? -1 : diff_first_difference(a, b);
	int code = DIFF_OTHER_KIND;

	if (first < -1) {
		say("%s, %s: %s", a->path, b->path, strerror((int)-(first + 1)));
		return DIFF_TROUBLE;
	}
	if (first == -1)
		return DIFF_SAME;
	if (!o->text && diff_is_table(a) && diff_is_table(b) && diff_is_text(a) && diff_is_text(b))
		code = diff_table(a, b, o, facts);
	if (code == DIFF_OTHER_KIND && diff_is_text(a) && diff_is_text(b) &&
	    (o->text || a->st.st_size + b->st.st_size <= TEXT_MAX))
		code = diff_text(a, b, facts);
	return code == DIFF_OTHER_KIND ? diff_bytes(a, b, facts) : code;
}

static const char *kind_of(const struct diff_side *s)
{
	return S_ISDIR(s->st.st_mode) ? "a folder" : S_ISREG(s->st.st_mode) ? "a file" : "neither file nor folder";
}

static int compare(const struct diff_side *a, const struct diff_side *b, const struct diff_options *o,
		   struct json_object *facts)
{
	bool folders = S_ISDIR(a->st.st_mode) && S_ISDIR(b->st.st_mode);

	if (!folders && (a->fd < 0 || b->fd < 0)) {
		say("%s is %s, %s is %s", a->path, kind_of(a), b->path, kind_of(b));
		return DIFF_TROUBLE;
	}
	return folders ? diff_folder(a, b, facts) : compare_files(a, b, o, facts);
}

static int diff(struct diff_side *a, struct diff_side *b, const struct diff_options *o, bool json)
{
	_cleanup_json_ struct json_object *facts = json ? json_object_new_object() : NULL;
	int code;

	if (open_side(a) || open_side(b))
		return DIFF_TROUBLE;
	if (facts) {
		json_object_object_add(facts, "a", json_object_new_string(a->path));
		json_object_object_add(facts, "b", json_object_new_string(b->path));
		json_object_object_add(facts, "same", json_object_new_boolean(false));
	}
	code = compare(a, b, o, facts);
	if (facts && code != DIFF_TROUBLE) {
		json_object_object_add(facts, "same", json_object_new_boolean(code == DIFF_SAME));
		if (json_print(facts))
			return DIFF_TROUBLE;
	}
	return code;
}

static int parse_examples(const struct verb *v, const char *text, int *out)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (!*text || *end || n < 0 || n > 1000000)
		return verb_misuse(v, "--rows %s: not a number from 0 to 1000000", text);
	*out = (int)n;
	return 0;
}

static int run_diff(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, OPTION_JSON},
						{"key", required_argument, NULL, 'k'},
						{"rows", required_argument, NULL, 'n'},
						{"text", no_argument, NULL, 'u'},
						{0}};
	char *keys[KEYS_MAX];
	struct diff_options o = {.examples = EXAMPLES, .keys = keys};
	struct diff_side a = {.fd = -1}, b = {.fd = -1};
	_cleanup_free_ char *live = NULL;
	bool json = false;
	int c, code;

	while ((c = verb_option(v, argc, argv, "k:n:u", options)) != -1) {
		json |= c == OPTION_JSON;
		o.text |= c == 'u';
		if (c == 'k' && o.nkeys == KEYS_MAX)
			return verb_misuse(v, "--key: at most %d columns", KEYS_MAX);
		if (c == 'k')
			keys[o.nkeys++] = optarg;
		if (c == 'n' && parse_examples(v, optarg, &o.examples))
			return EXIT_USAGE;
	}
	c = verb_arguments(v, argc, argv, 1, 2);
	a.path = argv[optind];
	b.path = argv[optind + 1];
	if (c == 1 && version_path_live(a.path, &live))
		return verb_misuse(v, "%s: no earlier version, so name what it is compared with", a.path);
	b.path = c == 1 ? live : argv[optind + 1];
	code = diff(&a, &b, &o, json);
	if (a.fd >= 0)
		close(a.fd);
	if (b.fd >= 0)
		close(b.fd);
	return code;
}

const struct verb verb_diff = {
	.name = "diff",
	.args = "A [B] [--key COLUMN]... [--rows N] [--text] [--json]",
	.summary = "what differs between two files, folders or versions",
	.details =
		"Compares A with B: files or folders, earlier versions of them or not, on a\n"
		"lake or elsewhere. With A alone, a version such as FILE@v3, it is compared\n"
		"with what is there now. Shown are\n"
		"  - of CSV and TSV files: columns that were added, removed, renamed or have\n"
		"    another type; how many rows were added, removed and changed, and some of\n"
		"    them. Rows belong together by their first columns, as many as make them\n"
		"    unique, or by --key;\n"
		"  - of other text: what `diff -u` says;\n"
		"  - of folders: what was added, removed and changed below them;\n"
		"  - of anything else: sizes, checksums, and where the first difference is.\n"
		"The exit code is diff's: 0 the same, 1 different, 2 trouble.\n"
		"\n"
		"options:\n"
		"  -k, --key COLUMN  rows belong together by this column; may be given again\n"
		"  -n, --rows N      show at most N rows of each kind (10)\n"
		"  -u, --text        compare tables line by line, too\n"
		"      --json        as JSON\n"
		"  -h, --help        say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn diff orders.csv@v3\n"
		"  tarn diff orders.csv@v/2026-11-20.csv orders.csv --key order_id\n"
		"  tarn diff reports@v/2026-11-20 reports --json\n",
	.run = run_diff,
};
