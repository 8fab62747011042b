/* tarn find: the mount's own search, .catalog/search/EXPRESSION, which shows each user what that user may read. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/full_io.h"
#include "cli/human.h"
#include "cli/place.h"
#include "cli/verb_list.h"

static void join(struct buf *expression, char **words, int n)
{
	for (int i = 0; i < n; i++)
		buf_addf(expression, "%s%s", i ? " " : "", words[i]);
}

/* As the name of a folder: a slash and the percent sign are written as %2F and %25. */
static void add_encoded(struct buf *path, const char *expression)
{
	for (; *expression; expression++) {
		if (*expression == '/' || *expression == '%')
			buf_adds(path, *expression == '/' ? "%2F" : "%25");
		else
			buf_addc(path, *expression);
	}
}

static int read_results(const char *point, const char *expression, const char *file, struct buf *out)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	buf_addf(&path, "%s/.catalog/search/", point);
	add_encoded(&path, expression);
	buf_addf(&path, "/%s", file);
	return buf_error(&path) ? -ENOMEM : read_file_at(AT_FDCWD, buf_str(&path), out);
}

/* One after the other, each with a NUL; an empty one at the end: there are more. True: that was so. */
static bool print_paths(const char *point, const struct buf *paths, bool nul)
{
	const char *at = paths->data, *end = at + paths->len;

	for (; at < end && *at; at += strlen(at) + 1) {
		_cleanup_buf_ struct buf shown = BUF_INIT;

		if (nul) {
			printf("%s/%s%c", point, at, '\0');
			continue;
		}
		human_name(&shown, at);
		printf("%s/%s\n", point, buf_str(&shown));
	}
	return at < end;
}

/* Lines of JSON, as one list. */
static void print_json(struct buf *lines)
{
	char *save, *line = lines->len ? strtok_r(lines->data, "\n", &save) : NULL;
	bool first = true;

	putchar('[');
	for (; line; line = strtok_r(NULL, "\n", &save), first = false)
		printf("%s\n%s", first ? "" : ",", line);
	puts("\n]");
}

static int find_on(const char *point, const char *expression, bool nul, bool json)
{
	_cleanup_buf_ struct buf found = BUF_INIT;
	int rc = read_results(point, expression, json ? "results.jsonl" : "paths0", &found);

	if (rc == -ENOENT)
		say("%s: this cannot be looked for (see `tarn help find`)", expression);
	else if (rc == -ENAMETOOLONG)
		say("%s: this is too long to be looked for", expression);
	else if (rc)
		say("%s: %s", point, strerror(-rc));
	if (rc)
		return EXIT_FAILED;
	if (json)
		print_json(&found);
	else if (print_paths(point, &found, nul))
		say("there are more: not all of them are shown");
	return EXIT_OK;
}

static int run_find(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"null", no_argument, NULL, '0'},
						{"in", required_argument, NULL, OPTION_FIRST},
						{"json", no_argument, NULL, OPTION_JSON},
						{0}};
	_cleanup_place_ struct place p = {0};
	_cleanup_buf_ struct buf expression = BUF_INIT;
	const char *in = ".";
	bool nul = false, json = false;
	int c, n, rc;

	while ((c = verb_option(v, argc, argv, "0", options)) != -1) {
		nul |= c == '0';
		json |= c == OPTION_JSON;
		if (c == OPTION_FIRST)
			in = optarg;
	}
	n = verb_arguments(v, argc, argv, 1, 256);
	join(&expression, argv + optind, n);
	rc = buf_error(&expression) ? -ENOMEM : place_find(in, &p);
	if (!rc && !p.point)
		rc = place_say_not_on_mount(&p);
	else if (rc)
		say("%s: %s", in, strerror(-rc));
	return rc ? EXIT_FAILED : find_on(p.point, buf_str(&expression), nul, json);
}

const struct verb verb_find = {
	.name = "find",
	.args = "WORD... [-0] [--in PATH] [--json]",
	.summary = "find files by what they are: words, tags, columns, types",
	.details =
		"Prints the files that have all WORDs in their name, columns, tags, comment or\n"
		"text, the best first, of those that you may read; at most 1,000, and for at most\n"
		"a second. A star at the end of a word stands for how it goes on. Conditions:\n"
		"\n"
		"  name:WORD column:WORD tag:TAG bucket:NAME\n"
		"  type:csv type:table type:image/       format, kind, or MIME type\n"
		"  size:>1M modified:>2026-11-01         also <, >=, <= and =\n"
		"\n"
		"options:\n"
		"  -0, --null     end each path with a NUL byte, for xargs -0\n"
		"      --in PATH  in the lake that is mounted there (the current folder's)\n"
		"      --json     with size, type, score and the words around what was found\n"
		"  -h, --help     say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn find invoice tag:unpaid\n"
		"  tarn find 'column:email' type:csv -0 | xargs -0 ls -l\n",
	.run = run_find,
};
