/* tarn tag: the desktop's tags, the extended attribute user.xdg.tags, a list with commas. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "cli/facts.h"
#include "cli/place.h"
#include "cli/verb_list.h"
#include "meta/store_catalog.h"

#define VALUE_ROOM 65536

struct tags {
	char **list;
	size_t n, room;
};

static void tags_release(struct tags *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->list[i]);
	free(t->list);
}
#define _cleanup_tags_ __attribute__((cleanup(tags_release)))

static void remove_tag(struct tags *t, const char *tag)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->list[i], tag))
			continue;
		free(t->list[i]);
		memmove(&t->list[i], &t->list[i + 1], (--t->n - i) * sizeof(*t->list));
		return;
	}
}

static int add_tag(struct tags *t, const char *tag)
{
	remove_tag(t, tag);
	if (array_grow(&t->list, t->n, &t->room, sizeof(*t->list)))
		return -ENOMEM;
	t->list[t->n] = strdup(tag);
	return t->list[t->n++] ? 0 : -ENOMEM;
}

static int split(struct tags *t, char *value)
{
	char *save, *tag = strtok_r(value, ",", &save);
	int rc = 0;

	for (; tag && !rc; tag = strtok_r(NULL, ",", &save)) {
		char *end = tag + strlen(tag);

		tag += strspn(tag, " \t");
		while (end > tag && (end[-1] == ' ' || end[-1] == '\t'))
			*--end = '\0';
		rc = *tag ? add_tag(t, tag) : 0;
	}
	return rc;
}

static int read_tags(const char *path, struct tags *t)
{
	_cleanup_free_ char *value = calloc(1, VALUE_ROOM + 1);
	ssize_t n = value ? getxattr(path, XATTR_TAGS, value, VALUE_ROOM) : -1;

	if (!value)
		return -ENOMEM;
	if (n < 0)
		return errno == ENODATA ? 0 : -errno;
	return split(t, value);
}

static int write_tags(const char *path, const struct tags *t)
{
	_cleanup_buf_ struct buf value = BUF_INIT;

	for (size_t i = 0; i < t->n; i++)
		buf_addf(&value, "%s%s", i ? "," : "", t->list[i]);
	if (buf_error(&value))
		return -ENOMEM;
	if (!t->n)
		return removexattr(path, XATTR_TAGS) < 0 && errno != ENODATA ? -errno : 0;
	return setxattr(path, XATTR_TAGS, value.data, value.len, 0) < 0 ? -errno : 0;
}

/* "+new" and "-old". */
static int change(struct tags *t, char **changes, int n)
{
	int rc = 0;

	for (int i = 0; i < n && !rc; i++) {
		if (changes[i][0] == '+')
			rc = add_tag(t, changes[i] + 1);
		else
			remove_tag(t, changes[i] + 1);
	}
	return rc;
}

static void print_tags(const char *path, const struct tags *t, bool named)
{
	if (named)
		printf("%s:", path);
	for (size_t i = 0; i < t->n; i++)
		printf(named ? "%s%s" : "%.0s%s\n", named && i ? ", " : named ? " " : "", t->list[i]);
	if (named)
		putchar('\n');
}

static struct json_object *tags_facts(const char *path, const struct tags *t)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	json_add_text(o, "path", path);
	for (size_t i = 0; i < t->n; i++)
		json_object_array_add(list, json_object_new_string(t->list[i]));
	json_object_object_add(o, "tags", list);
	return o;
}

struct tagging {
	char **changes;
	int n;
	bool named;
	struct json_object *json; /* NULL: as text */
};

static int tag_path(const char *given, const struct tagging *g)
{
	_cleanup_place_ struct place p = {0};
	_cleanup_tags_ struct tags t = {0};
	int rc = place_on_mount(given, &p);

	if (rc < 0)
		return rc;
	rc = read_tags(p.path, &t);
	if (!rc && g->n)
		rc = change(&t, g->changes, g->n);
	if (!rc && g->n)
		rc = write_tags(p.path, &t);
	if (rc) {
		say("%s: %s", given, strerror(-rc));
		return rc;
	}
	if (g->json)
		json_object_array_add(g->json, tags_facts(given, &t));
	else if (!g->n)
		print_tags(given, &t, g->named);
	return 0;
}

/* getopt would take "-old" for options: changes leave ARGV. */
static int take_changes(int argc, char **argv, char **changes, int *n)
{
	int left = 1;

	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		if ((a[0] == '+' && a[1]) || (a[0] == '-' && a[1] && a[1] != '-' && strcmp(a, "-h")))
			changes[(*n)++] = argv[i];
		else
			argv[left++] = argv[i];
	}
	argv[left] = NULL;
	return left;
}

static int check_changes(const struct verb *v, char **changes, int n)
{
	for (int i = 0; i < n; i++) {
		if (strlen(changes[i] + 1) > TAG_BYTES)
			return verb_misuse(v, "'%s' is longer than a tag may be (%d bytes)", changes[i], TAG_BYTES);
		if (strpbrk(changes[i], ",\n\r\t"))
			return verb_misuse(v, "'%s': a tag has no comma in it", changes[i]);
	}
	return 0;
}

static int run_tag(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, OPTION_JSON}, {0}};
	_cleanup_free_ char **changes = calloc((size_t)argc, sizeof(*changes));
	_cleanup_json_ struct json_object *list = NULL;
	struct tagging g = {.changes = changes};
	int c, n, failed = 0;

	if (!changes)
		return EXIT_FAILED;
	argc = take_changes(argc, argv, changes, &g.n);
	while ((c = verb_option(v, argc, argv, "", options)) != -1)
		if (c == OPTION_JSON && !list)
			g.json = list = json_object_new_array();
	n = verb_arguments(v, argc, argv, 1, 1 << 20);
	if (check_changes(v, changes, g.n))
		return EXIT_USAGE;
	g.named = n > 1;
	for (int i = 0; i < n; i++)
		failed += tag_path(argv[optind + i], &g) < 0;
	if (list && json_print(list))
		return EXIT_FAILED;
	return failed == n ? EXIT_FAILED : failed ? EXIT_PARTLY : EXIT_OK;
}

const struct verb verb_tag = {
	.name = "tag",
	.args = "PATH... [+TAG...] [-TAG...] [--json]",
	.summary = "tell the tags of files, add some and take some away",
	.details =
		"Tags are the desktop's own: the extended attribute user.xdg.tags, which\n"
		"whoever may write a file may set. They go with the file wherever it goes, stay\n"
		"when it is replaced by a file that has none of its own (as editors save), and\n"
		"are what .catalog/tag/ and `tarn find tag:TAG` know.\n"
		"\n"
		"options:\n"
		"      --json     as JSON\n"
		"  -h, --help     say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn tag raw-data/customers.csv\n"
		"  tarn tag raw-data/customers.csv +pii '+customer data' -draft\n",
	.run = run_tag,
};
