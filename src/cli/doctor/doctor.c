#include "cli/doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/facts.h"
#include "cli/human.h"
#include "cli/place.h"
#include "cli/verb_list.h"

static const char *const health_words[] = {[HEALTH_OK] = "ok", [HEALTH_WARNING] = "warning", [HEALTH_ERROR] = "error"};

void doctor_add(struct doctor *d, enum health health, const char *check, const char *meaning, const char *todo,
		const char *what, ...)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct json_object *o;
	va_list ap;

	va_start(ap, what);
	buf_vaddf(&text, what, ap); /* first, for it may say %m */
	va_end(ap);
	o = json_object_new_object();
	json_object_object_add(o, "check", json_object_new_string(check));
	json_object_object_add(o, "health", json_object_new_string(health_words[health]));
	json_object_object_add(o, "what", json_object_new_string(buf_str(&text)));
	json_object_object_add(o, "meaning", json_object_new_string(meaning));
	json_object_object_add(o, "todo", json_object_new_string(todo));
	json_object_array_add(d->findings, o);
	d->warnings += health == HEALTH_WARNING;
	d->errors += health == HEALTH_ERROR;
}

#define TEXT_COLUMNS 78

/* Words of TEXT in lines that begin with INDENT spaces; the first line has begun. */
static void print_wrapped(const char *text, int indent, int column)
{
	_cleanup_buf_ struct buf shown = BUF_INIT;
	const char *s;

	human_name(&shown, text);
	for (s = buf_str(&shown); *s;) {
		int len = (int)strcspn(s, " ");

		if (column > indent && column + 1 + len > TEXT_COLUMNS) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", len, s);
		column += len;
		s += len + strspn(s + len, " ");
	}
	putchar('\n');
}

static void print_finding(struct json_object *o)
{
	const char *meaning = json_text(o, "meaning"), *todo = json_text(o, "todo");
	_cleanup_buf_ struct buf line = BUF_INIT;

	printf("%-8s ", json_text(o, "health"));
	buf_addf(&line, "%s: %s", json_text(o, "check"), json_text(o, "what"));
	print_wrapped(buf_str(&line), 9, 9);
	if (meaning[0]) {
		printf("%9s", "");
		print_wrapped(meaning, 9, 9);
	}
	if (todo[0]) {
		printf("%9s-> ", "");
		print_wrapped(todo, 12, 12);
	}
}

static void print_findings(const struct doctor *d)
{
	size_t n = json_object_array_length(d->findings);

	for (size_t i = 0; i < n; i++)
		print_finding(json_object_array_get_idx(d->findings, i));
	printf("\n%d checks: %d error%s, %d warning%s\n", (int)n, d->errors, d->errors == 1 ? "" : "s", d->warnings,
	       d->warnings == 1 ? "" : "s");
}

static int report(const struct doctor *d, bool json)
{
	_cleanup_json_ struct json_object *facts = NULL;

	if (json) {
		facts = json_object_new_object();
		json_object_object_add(facts, "lake", d->lake ? json_object_new_string(d->lake) : NULL);
		json_object_object_add(facts, "errors", json_object_new_int(d->errors));
		json_object_object_add(facts, "warnings", json_object_new_int(d->warnings));
		json_object_object_add(facts, "findings", json_object_get(d->findings));
		json_print(facts);
	} else {
		print_findings(d);
	}
	return d->errors ? EXIT_FAILED : EXIT_OK;
}

static int run_doctor(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, OPTION_JSON}, {0}};
	_cleanup_json_ struct json_object *findings = json_object_new_array();
	struct doctor d = {.lake_fd = -1, .findings = findings};
	_cleanup_free_ char *lake = NULL;
	struct place p = {0};
	bool json = false;
	int c, n, code;

	while ((c = verb_option(v, argc, argv, "", options)) != -1)
		json |= c == OPTION_JSON;
	n = verb_arguments(v, argc, argv, 0, 1);
	if (n && lake_around(argv[optind], &lake))
		return EXIT_FAILED;
	if (!n && !place_find(".", &p)) {
		lake = steal_ptr(&p.lake);
		place_release(&p);
	}
	d.lake = lake;
	doctor_machine(&d);
	if (lake) {
		d.lake_fd = open(lake, O_PATH | O_DIRECTORY | O_CLOEXEC);
		doctor_lake(&d);
	} else {
		doctor_add(&d, HEALTH_OK, "lake", "", "", "none was named, and the current folder is in none");
	}
	code = report(&d, json);
	if (d.lake_fd >= 0)
		close(d.lake_fd);
	return code;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.args = "[LAKE] [--json]",
	.summary = "look for what is wrong, and say what to do",
	.details =
		"Looks at the machine (kernel, /dev/fuse, passthrough, limits, clock) and at\n"
		"the lake (settings with each of their environments, permissions, the store,\n"
		"free space, mounts). Each finding is ok, a warning or an error, and says what\n"
		"it means and what to do. Changes nothing. Exit code 1 when there is an error.\n"
		"\n"
		"options:\n"
		"      --json   as JSON\n"
		"  -h, --help   say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn doctor ~/lake\n",
	.run = run_doctor,
};
