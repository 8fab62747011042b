/* tarn purge: erases old versions of a file or a folder for good. The daemon does it, and asks whose file it is; of a
 * lake that is not mounted this program does. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/daemon/daemon_history.h"
#include "cli/facts.h"
#include "cli/restore/gone.h"
#include "cli/human.h"
#include "cli/offline.h"
#include "cli/place.h"
#include "cli/table.h"
#include "cli/verb_list.h"

#define WAIT_SECONDS 3600
#define SHOWN 40

struct purging {
	struct place place;
	uint64_t number; /* 0: all old versions */
	bool dry_run, yes, json;
};

static int64_t number(struct json_object *o, const char *key)
{
	return json_object_get_int64(json_object_object_get(o, key));
}

/* "F@v3" names version 3 of F. */
static char *split_version(const char *given, uint64_t *version)
{
	const char *at = NULL, *digits;

	*version = 0;
	for (const char *p = strstr(given, "@v"); p; p = strstr(p + 1, "@v"))
		at = p;
	digits = at ? at + 2 : "";
	if (!at || !*digits || digits[strspn(digits, "0123456789")] || *digits == '0' || at == given)
		return strdup(given);
	*version = strtoull(digits, NULL, 10);
	return strndup(given, (size_t)(at - given));
}

static int answer(struct lake *lake, struct json_object *request, struct json_object *reply)
{
	const struct ucred self = {.pid = getpid(), .uid = geteuid(), .gid = getegid()};

	return daemon_answer_purge(lake, &self, request, reply);
}

static int ask(const struct purging *p, bool dry_run, struct json_object **reply)
{
	_cleanup_json_ struct json_object *request = json_object_new_object();
	int rc;

	json_object_object_add(request, "verb", json_object_new_string("purge"));
	json_object_object_add(request, "path", json_object_new_string(p->place.inside));
	json_object_object_add(request, "version", json_object_new_int64((int64_t)p->number));
	json_object_object_add(request, "dry_run", json_object_new_boolean(dry_run));
	rc = offline_call(p->place.lake, request, WAIT_SECONDS, answer, reply);
	if (rc)
		say("%s: %s", p->place.path,
		    *reply && json_text(*reply, "error") ? json_text(*reply, "error") : strerror(-rc));
	return rc;
}

static int print_plan(const struct purging *p, struct json_object *reply)
{
	static const char *const headings[] = {">VERSION", ">SIZE", "STATE", "FILE", NULL};
	struct json_object *list = json_object_object_get(reply, "list");
	size_t n = json_object_array_length(list);
	_cleanup_table_ struct table t;
	int rc;

	table_init(&t, headings);
	for (size_t i = 0; i < n && i < SHOWN; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		_cleanup_buf_ struct buf size = BUF_INIT;
		const char *state = json_text(o, "state"), *path = json_text(o, "path");

		human_size(&size, (uint64_t)number(o, "size"));
		if (number(o, "version"))
			table_addf(&t, "%lld", (long long)number(o, "version"));
		else
			table_add(&t, "=");
		table_add(&t, buf_str(&size));
		table_add(&t, state ? state : "");
		table_add(&t, path ? path : p->place.inside);
	}
	rc = n ? table_print(&t, stdout) : 0;
	if (n > SHOWN || json_flag(reply, "truncated"))
		printf("… and more\n");
	return rc;
}

static bool agreed(const struct purging *p, long long n)
{
	char answer[16] = "";

	if (p->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		say("%s: %lld versions would be erased for good; say --yes if that is meant", p->place.path, n);
		return false;
	}
	printf("erase %lld versions of %s for good? [y/N] ", n, p->place.path);
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && tolower((unsigned char)answer[0]) == 'y';
}

static int tell(const struct purging *p, struct json_object *reply)
{
	long long n = number(reply, "versions"), left = number(reply, "left");

	if (p->json)
		return json_print(reply);
	printf("%lld versions %s erased\n", n, p->dry_run ? "would be" : "are");
	if (left)
		printf("%lld of them have bytes in common with versions that stay; these still have them\n", left);
	if (json_flag(reply, "lives"))
		printf("the file itself stays as it is\n");
	return 0;
}

static int purge(struct purging *p)
{
	_cleanup_json_ struct json_object *plan = NULL, *done = NULL;
	int rc = ask(p, true, &plan);

	if (rc)
		return rc == -ETIMEDOUT || rc == -EAGAIN ? EXIT_TRY_AGAIN : EXIT_FAILED;
	if (!p->json && (p->dry_run || !p->yes))
		rc = print_plan(p, plan);
	if (rc)
		return EXIT_FAILED;
	if (p->dry_run)
		return tell(p, plan) ? EXIT_FAILED : EXIT_OK;
	if (number(plan, "versions") && !agreed(p, number(plan, "versions")))
		return EXIT_FAILED;
	rc = ask(p, false, &done);
	if (rc)
		return rc == -EBUSY || rc == -ETIMEDOUT ? EXIT_TRY_AGAIN : EXIT_FAILED;
	return tell(p, done) ? EXIT_FAILED : EXIT_OK;
}

/* Also in a lake that is not mounted. */
static int find(const char *path, struct place *out)
{
	_cleanup_gone_ struct gone gone = {0};
	int rc = place_find(path, out);

	if (rc == -ENOENT && !gone_find(path, &gone))
		rc = gone_place(&gone, out);
	if (rc)
		say("%s: %s", path, strerror(-rc));
	else if (!out->lake || !out->inside || !out->inside[0])
		rc = place_say_not_on_mount(out);
	return rc;
}

static int run_purge(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"dry-run", no_argument, NULL, 'n'},
						{"yes", no_argument, NULL, 'y'},
						{"json", no_argument, NULL, OPTION_JSON},
						{0}};
	struct purging p = {0};
	_cleanup_free_ char *path = NULL;
	int c, code = EXIT_FAILED;

	while ((c = verb_option(v, argc, argv, "ny", options)) != -1) {
		p.dry_run |= c == 'n';
		p.yes |= c == 'y';
		p.json |= c == OPTION_JSON;
	}
	verb_arguments(v, argc, argv, 1, 1);
	path = split_version(argv[optind], &p.number);
	if (path && !find(path, &p.place))
		code = purge(&p);
	place_release(&p.place);
	return code;
}

const struct verb verb_purge = {
	.name = "purge",
	.args = "PATH[@vN] [-n | --dry-run] [-y | --yes] [--json]",
	.summary = "erase old versions of a file or folder for good",
	.details =
		"Erases version N of the file PATH, or all its old versions: their bytes, also\n"
		"from packs, their checksums, the file's former extended attributes. Nothing of\n"
		"them is left in the lake but a line in history.jsonl that says so, and the\n"
		"file's name in the past of its folder: names are not erased. The file\n"
		"itself is not touched: to be rid of it, too, remove it first. A deleted file\n"
		"is named by its old path. Of a folder PATH the old versions of all files go\n"
		"that ever were in it or below, unless they were moved elsewhere, and those of a\n"
		"file that had its name before. Labels do not protect.\n"
		"\n"
		"What another version, or the live file, has in common with an erased one stays\n"
		"in that. Only the owner of what is erased, root and the lake's own user may do\n"
		"this, not who took its name since; while the lake is not mounted, who may mount\n"
		"it.\n"
		"\n"
		"options:\n"
		"  -n, --dry-run  only say what would be erased\n"
		"  -y, --yes      do not ask\n"
		"      --json     as JSON\n"
		"  -h, --help     say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn purge ~/lake/buckets/raw-data/keys.env --dry-run\n"
		"  rm keys.env && tarn purge keys.env --yes\n"
		"  tarn purge orders.csv@v3\n"
		"  tarn purge ~/lake/buckets/raw-data/customers --dry-run\n",
	.run = run_purge,
};
