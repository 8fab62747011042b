/* tarn check: do the tables that are declared in config/tables keep their rules? What .catalog/quality.json says. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/full_io.h"
#include "cli/control.h"
#include "cli/facts.h"
#include "cli/human.h"
#include "cli/place.h"
#include "cli/verb_list.h"

#define ANSWER_SECONDS 30
#define WAIT_TRIES 1200 /* of */
#define WAIT_NS 50000000

struct check {
	const char *table; /* NULL: all */
	struct place place;
	struct json_object *rows; /* those that are shown */
	size_t broken;		  /* files in config/tables that are left out */
	int failed, unknown;
};

static int64_t number(struct json_object *o, const char *key)
{
	return json_object_get_int64(json_object_object_get(o, key));
}

/* Waits until all of them were looked at as they are now. Who may not ask for that is shown what is known. */
static int look_anew(struct check *c)
{
	const struct timespec pause = {.tv_nsec = WAIT_NS};

	for (int i = 0; i < WAIT_TRIES; i++) {
		_cleanup_json_ struct json_object *reply = NULL;
		const char *why;
		int rc = control_ask(c->place.lake, "check", ANSWER_SECONDS, &reply);

		why = json_text(reply, "error");
		if (rc == -EACCES || rc == -EPERM || rc == -EROFS)
			return 0;
		if (rc) {
			say("%s: %s", c->place.lake, why ? why : strerror(-rc));
			return rc;
		}
		c->broken = (size_t)number(reply, "broken");
		if (!number(reply, "pending"))
			return 0;
		nanosleep(&pause, NULL);
	}
	say("%s: not all tables could be looked at yet (is one being written?)", c->place.lake);
	return -EAGAIN;
}

/* In full, by its end, or by the file's path on the mount. */
static bool is_asked_for(const struct check *c, const char *name, const char *path)
{
	size_t len = c->table ? strlen(c->table) : 0, all = strlen(name);

	return !c->table || !strcmp(name, c->table) || !strcmp(path, c->table) ||
	       (all > len && name[all - len - 1] == '.' && !strcmp(name + all - len, c->table));
}

static int read_rows(struct check *c)
{
	_cleanup_json_ struct json_object *list = NULL;
	_cleanup_buf_ struct buf path = BUF_INIT, text = BUF_INIT;
	int rc;

	buf_addf(&path, "%s/.catalog/quality.json", c->place.point);
	rc = buf_error(&path) ? -ENOMEM : read_file_at(AT_FDCWD, buf_str(&path), &text);
	list = rc ? NULL : json_tokener_parse(buf_str(&text));
	c->rows = json_object_new_array();
	if (rc || !json_object_is_type(list, json_type_array)) {
		say("%s: %s", buf_str(&path), rc ? strerror(-rc) : "this is no list");
		return rc ? rc : -EBADMSG;
	}
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *row = json_object_array_get_idx(list, i);
		const char *name = json_text(row, "table"), *file = json_text(row, "path");

		if (json_flag(row, "live") && name && file && is_asked_for(c, name, file))
			json_object_array_add(c->rows, json_object_get(row));
	}
	return 0;
}

static void count(struct check *c)
{
	for (size_t i = 0; i < json_object_array_length(c->rows); i++) {
		struct json_object *row = json_object_array_get_idx(c->rows, i);

		c->failed += number(row, "failed") > 0;
		c->unknown += !number(row, "failed") && json_text(row, "note");
	}
}

static void print_text(const char *before, const char *text)
{
	_cleanup_buf_ struct buf shown = BUF_INIT;

	human_name(&shown, text);
	printf("%s%s", before, buf_str(&shown));
}

static void print_row(struct json_object *row)
{
	const char *rule = json_text(row, "rule"), *example = json_text(row, "example"), *note = json_text(row, "note");
	int64_t failed = number(row, "failed");

	if (!failed && !note)
		return;
	print_text("  ", json_text(row, "column"));
	print_text(" ", json_text(row, "check"));
	if (rule)
		print_text(" ", rule);
	if (failed && number(row, "row"))
		printf(": %" PRId64 " of %" PRId64 " rows, first row %" PRId64, failed, number(row, "rows"),
		       number(row, "row"));
	if (example)
		print_text(": ", example);
	if (note)
		print_text(failed ? " (" : ": not checked: ", note);
	puts(failed && note ? ")" : "");
}

static void print_tables(const struct check *c)
{
	size_t n = json_object_array_length(c->rows);
	const char *last = "";

	for (size_t i = 0; i < n; i++) {
		struct json_object *row = json_object_array_get_idx(c->rows, i);
		const char *name = json_text(row, "table");
		int failed = 0, rules = 0;

		for (size_t k = i; strcmp(name, last) && k < n; k++) {
			struct json_object *other = json_object_array_get_idx(c->rows, k);

			rules += !strcmp(json_text(other, "table"), name);
			failed += !strcmp(json_text(other, "table"), name) && number(other, "failed") > 0;
		}
		if (strcmp(name, last)) {
			print_text("", name);
			print_text(" (", json_text(row, "path"));
			printf(", version %" PRId64 "): ", number(row, "version"));
			printf(failed ? "%d of %d rules broken\n" : "%.0d%d rules\n", failed, rules);
		}
		print_row(row);
		last = name;
	}
}

static int show(struct check *c, bool json)
{
	count(c);
	if (c->table && !json_object_array_length(c->rows)) {
		say("%s: no rules are declared of such a table, or its file is not there", c->table);
		return EXIT_FAILED;
	}
	if (json && json_print(c->rows))
		return EXIT_FAILED;
	if (!json)
		print_tables(c);
	if (c->broken)
		say("%zu of the files in %s/config/tables cannot be read (`tarn doctor` says why)", c->broken,
		    c->place.lake);
	return c->failed || c->broken ? EXIT_FAILED : c->unknown ? EXIT_PARTLY : EXIT_OK;
}

static int run_check(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{"in", required_argument, NULL, OPTION_FIRST}, {"json", no_argument, NULL, OPTION_JSON}, {0}};
	struct check c = {0};
	const char *in = ".";
	bool json = false;
	int o, n, rc;

	while ((o = verb_option(v, argc, argv, "", options)) != -1) {
		json |= o == OPTION_JSON;
		if (o == OPTION_FIRST)
			in = optarg;
	}
	n = verb_arguments(v, argc, argv, 0, 1);
	c.table = n ? argv[optind] : NULL;
	rc = place_find(in, &c.place);
	if (!rc && !c.place.point)
		rc = place_say_not_on_mount(&c.place);
	else if (rc)
		say("%s: %s", in, strerror(-rc));
	if (!rc)
		rc = look_anew(&c);
	if (!rc)
		rc = read_rows(&c);
	o = !rc ? show(&c, json) : rc == -EAGAIN || rc == -ETIMEDOUT ? EXIT_TRY_AGAIN : EXIT_FAILED;
	json_object_put(c.rows);
	place_release(&c.place);
	return o;
}

const struct verb verb_check = {
	.name = "check",
	.args = "[TABLE] [--in PATH] [--json]",
	.summary = "do the declared tables keep their rules?",
	.details =
		"Tells which rules of the tables declared in config/tables are broken by what\n"
		"their files are now: version, column, rule, how many rows, and the first of\n"
		"them. TABLE is a table's name, or its end, or the file's path on the mount.\n"
		"Earlier versions are in .catalog/quality.csv.\n"
		"\n"
		"Exit code 0: all rules are kept; 1: not all; 3: some could not be looked at.\n"
		"\n"
		"options:\n"
		"      --in PATH  in the lake that is mounted there (the current folder's)\n"
		"      --json     as a JSON list, with the rules that are kept\n"
		"  -h, --help     say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn check\n"
		"  tarn check production.public.customers\n",
	.run = run_check,
};
