/*
 * tarn publish: what was prepared in one folder comes to another, in one commit (ns/publish/publish.h). The daemon does
 * it; the folders of staging that are empty then are removed here, as rmdir(1) would.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "cli/control.h"
#include "cli/facts.h"
#include "cli/human.h"
#include "cli/place.h"
#include "cli/verb_list.h"

#define WAIT_SECONDS 600

/* Post-order; what is not empty stays. */
static void remove_empty(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		if (e->d_type == DT_DIR && strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			remove_empty(dirfd(d), e->d_name);
	}
	unlinkat(parent, name, AT_REMOVEDIR);
}

/* A bucket stays. */
static void remove_staging(const struct place *staging)
{
	int fd;

	if (strchr(staging->inside, '/')) {
		remove_empty(AT_FDCWD, staging->path);
		return;
	}
	fd = open(staging->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (e->d_type == DT_DIR && strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			remove_empty(dirfd(d), e->d_name);
	}
}

static int find_both(const char *from, const char *to, struct place *staging, struct place *target)
{
	int rc = place_on_mount(from, staging);

	if (!rc)
		rc = place_on_mount(to, target);
	if (!rc && strcmp(staging->point, target->point)) {
		say("%s: on another mount than %s, copy it to that one first", from, to);
		rc = -EXDEV;
	}
	return rc;
}

static int ask(const struct place *staging, const struct place *target, bool replace, struct json_object **reply)
{
	_cleanup_json_ struct json_object *request = json_object_new_object();
	int rc;

	json_object_object_add(request, "verb", json_object_new_string("publish"));
	json_object_object_add(request, "from", json_object_new_string(staging->inside));
	json_object_object_add(request, "to", json_object_new_string(target->inside));
	json_object_object_add(request, "replace", json_object_new_boolean(replace));
	rc = control_call(staging->lake, request, WAIT_SECONDS, reply);
	if (rc == -EACCES && !*reply)
		say("%s: its daemon cannot be asked: %s", staging->lake, strerror(-rc));
	else if (rc)
		say("nothing was published: %s",
		    *reply && json_text(*reply, "error") ? json_text(*reply, "error") : strerror(-rc));
	return rc;
}

static int64_t number(struct json_object *o, const char *key)
{
	return json_object_get_int64(json_object_object_get(o, key));
}

static void print_done(const struct place *target, struct json_object *done, bool json)
{
	_cleanup_buf_ struct buf line = BUF_INIT;

	if (json) {
		json_object_object_add(done, "published", json_object_new_string(target->path));
		json_print(done);
		return;
	}
	human_name(&line, target->path);
	if (!number(done, "commit"))
		printf("nothing to publish to %s\n", buf_str(&line));
	else
		printf("published to %s in commit %lld: %lld new, %lld replaced, %lld removed\n", buf_str(&line),
		       (long long)number(done, "commit"), (long long)number(done, "added"),
		       (long long)number(done, "replaced"), (long long)number(done, "removed"));
}

static int run_publish(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{"replace", no_argument, NULL, 'r'}, {"json", no_argument, NULL, OPTION_JSON}, {0}};
	_cleanup_place_ struct place staging = {0}, target = {0};
	_cleanup_json_ struct json_object *done = NULL;
	bool json = false, replace = false;
	int c, rc;

	while ((c = verb_option(v, argc, argv, "", options)) != -1) {
		json |= c == OPTION_JSON;
		replace |= c == 'r';
	}
	verb_arguments(v, argc, argv, 2, 2);
	if (find_both(argv[optind], argv[optind + 1], &staging, &target))
		return EXIT_FAILED;
	rc = ask(&staging, &target, replace, &done);
	if (rc)
		return rc == -EBUSY || rc == -EAGAIN || rc == -ETIMEDOUT ? EXIT_TRY_AGAIN : EXIT_FAILED;
	remove_staging(&staging);
	print_done(&target, done, json);
	return EXIT_OK;
}

const struct verb verb_publish = {
	.name = "publish",
	.args = "STAGING TARGET [--replace] [--json]",
	.summary = "many files take their places in one commit, or none does",
	.details =
		"What lies in the folder STAGING takes its place in the folder TARGET, all in one\n"
		"commit: TARGET@v/commit-N/ shows all of it, and the commit before none. A file\n"
		"of the same name becomes history, as with a rename over it; folders that both\n"
		"have are gone through. Files that only TARGET has stay. TARGET may be missing:\n"
		"then STAGING becomes it. Also after a crash in the middle all is done or\n"
		"nothing.\n"
		"\n"
		"Both lie on one mount and one disk. Nobody may still be writing in STAGING; then\n"
		"the exit code is 75. Who looks at TARGET while it happens meets each file whole,\n"
		"old or new.\n"
		"\n"
		"options:\n"
		"      --replace  what only TARGET has is removed, and becomes history\n"
		"      --json     say what was done as JSON\n"
		"  -h, --help     say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn publish analytics/.next analytics/daily\n"
		"  tarn publish staging/report reports/2026 --replace --json\n",
	.run = run_publish,
};
