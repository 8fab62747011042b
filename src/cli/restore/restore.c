/*
 * tarn restore: a file, a folder or a whole tree as it was, also where it is gone now. What is meant, and where it
 * goes; the work is in restore_file.c and restore_tree.c.
 */
#include "cli/restore/restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/which.h"
#include "cli/control.h"
#include "cli/copying.h"
#include "cli/facts.h"
#include "cli/restore/gone.h"
#include "cli/human.h"
#include "cli/place.h"
#include "cli/verb_list.h"
#include "cli/version_path.h"

struct request {
	const char *given;
	struct version_path parts;
	struct place subject; /* F or D; of the whole lake the root of the mount */
	struct gone gone;     /* made: the folder of F or D was removed */
	char *source;	      /* the path of then, absolute */
	char *companions;     /* see struct restoring */
	char *target;	      /* absolute */
	struct stat then;
	int folder_fd; /* that the target is in */
	const char *name;
};

static void request_release(struct request *q)
{
	if (q->folder_fd >= 0)
		close(q->folder_fd);
	free(q->source);
	free(q->companions);
	free(q->target);
	place_release(&q->subject);
	gone_release(&q->gone);
}

/* ---- what is meant ---- */

/* F@v-1: what was there last. */
static bool is_last(const struct request *q)
{
	size_t mark = q->parts.subject + strlen(VERSION_MARK);

	return q->parts.len - mark == 2 && !strncmp(q->given + mark, "-1", 2);
}

/* A folder above F or D was removed: what lies below is found when it is there again. Where it is not to be, what lay
 * there last is as good as @v-1. */
static int find_below_gone(struct request *q, struct restorer *r, const char *to)
{
	if (!r->dry_run && !to)
		return gone_make(&q->gone, r);
	if (!is_last(q)) {
		say("%s: %s was removed, and without it only @v-1 is found (or say %s@v/TIME/%s)", q->given,
		    q->gone.folder.path, q->gone.folder.path, q->gone.below);
		return -ENOENT;
	}
	q->source = strdup(q->gone.then);
	return q->source ? gone_place(&q->gone, &q->subject) : -ENOMEM;
}

static int find_subject(struct request *q, struct restorer *r, const char *to)
{
	_cleanup_free_ char *subject = strndup(q->given, q->parts.subject);
	int rc;

	if (!subject)
		return -ENOMEM;
	if (!q->parts.whole_lake && !gone_find(subject, &q->gone) && q->gone.below[0]) {
		rc = find_below_gone(q, r, to);
		if (rc || q->source)
			return rc;
	}
	if (!q->parts.whole_lake)
		return place_on_mount(subject, &q->subject);
	rc = place_find(*subject ? subject : ".", &q->subject);
	if (!rc && (!q->subject.point || !q->subject.inside))
		return place_say_not_on_mount(&q->subject);
	if (!rc && q->subject.inside[0]) {
		say("%s: @v of a whole lake is found at the root of its mount only", q->given);
		return -EINVAL;
	}
	if (rc)
		say("%s: %s", q->given, strerror(-rc));
	return rc;
}

/* Is there a real entry of this name? A real one wins over a version on the mount. */
static bool is_real(const struct request *q)
{
	const char *path = q->subject.path, *name = strrchr(path, '/') + 1;
	const char *mark = q->given + q->parts.subject;
	_cleanup_buf_ struct buf folder = BUF_INIT, whole = BUF_INIT;
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *e;

	if (q->parts.whole_lake)
		return false;
	buf_add(&folder, path, (size_t)(name - path));
	buf_addf(&whole, "%s%.*s", name, (int)strcspn(mark, "/"), mark);
	d = opendir(buf_str(&folder));
	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, buf_str(&whole)))
			return true;
	}
	return false;
}

static int say_nothing_there(const struct request *q, int error)
{
	if (error == ENOENT)
		say("%s: there is no such version to read (`tarn versions --all %s` lists them)", q->source,
		    q->subject.path);
	else
		say("%s: %s", q->source, strerror(error));
	return -error;
}

static int say_no_version(const struct request *q, int rc)
{
	size_t len = strlen(q->given), mark = strlen(VERSION_MARK);
	int subject = (int)(len < mark ? 0 : len - mark);

	if (len < mark || strcmp(q->given + subject, VERSION_MARK) != 0)
		say("%s: names nothing of the past (as in %s@v3; `tarn versions %s` lists versions)", q->given,
		    q->given, q->given);
	else if (!subject || q->given[subject - 1] == '/')
		say("%s: is the past of the whole lake, name a moment (as in %s/2026-11-20, or a label)", q->given,
		    q->given);
	else
		say("%s: is all of the past, name one (as in %s3 or %s/2026-11-20; `tarn versions %.*s` lists them)",
		    q->given, q->given, q->given, subject, q->given);
	return rc;
}

/* The folder was not removed but renamed, and F's versions went along: the one that was made again has none. What lay
 * there last is still found as of then. */
static bool went_with_folder(struct request *q)
{
	char *then = q->gone.made && is_last(q) ? strdup(q->gone.then) : NULL;

	if (!then || lstat(then, &q->then) < 0) {
		free(then);
		errno = ENOENT;
		return false;
	}
	free(q->source);
	q->source = then;
	return true;
}

static int find_source(struct request *q, struct restorer *r, const char *to)
{
	int rc = version_path_parse(q->given, &q->parts);
	const char *mark;

	if (rc)
		return say_no_version(q, rc);
	rc = find_subject(q, r, to);
	if (rc)
		return rc;
	mark = q->given + q->parts.subject;
	if (!q->source && asprintf(&q->source, "%s%s%.*s", q->subject.path, q->parts.whole_lake ? "/" : "",
				   (int)(q->parts.len - q->parts.subject), mark) < 0) {
		q->source = NULL;
		return -ENOMEM;
	}
	if (lstat(q->source, &q->then) < 0 && !(errno == ENOENT && went_with_folder(q)))
		return say_nothing_there(q, errno);
	if (is_real(q)) {
		say("%s: a real file of this name is there, not a version (rename it first)", q->source);
		return -EEXIST;
	}
	return 0;
}

/* Of F@vN the companions of a database lie in its folder as of the version's commit; of D@v/… beside it. */
static int find_companions(struct request *q)
{
	const char *path = q->subject.path, *name = strrchr(path, '/') + 1;
	char commit[24] = "";

	if (q->parts.below < q->parts.len || !S_ISREG(q->then.st_mode) || !strchr(q->subject.inside, '/') ||
	    getxattr(q->source, "user.tarn.commit", commit, sizeof(commit) - 1) <= 0)
		return 0;
	if (asprintf(&q->companions, "%.*s@v/commit-%s/%s", (int)(name - 1 - path), path, commit, name) < 0) {
		q->companions = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* ---- where it goes ---- */

/* The folders between D and what is restored may be gone, too, and D itself. They become what they were then. */
static int make_above(const struct request *q, size_t subject_len)
{
	size_t moment = strlen(q->source) - (q->parts.len - q->parts.below);

	for (char *slash = strchr(q->target + subject_len, '/'); slash; slash = strchr(slash + 1, '/')) {
		_cleanup_free_ char *from = NULL;
		struct stat st;
		int rc = 0;

		*slash = '\0';
		if (asprintf(&from, "%.*s%s", (int)moment - 1, q->source, q->target + subject_len) < 0) {
			from = NULL;
			rc = -ENOMEM;
		} else if (stat(q->target, &st) < 0) {
			rc = restore_make_folder(from, q->target);
		}
		*slash = '/';
		if (rc)
			return rc;
	}
	return 0;
}

static int set_target(struct request *q, const char *to)
{
	_cleanup_free_ char *live = NULL;
	struct stat st;
	int below = (int)(q->parts.len - q->parts.below), n;
	const char *name;

	n = asprintf(&live, "%s%s%.*s", q->subject.path, below ? "/" : "", below, q->given + q->parts.below);
	if (n < 0)
		return -ENOMEM;
	name = strrchr(live, '/') + 1;
	if (!to)
		q->target = steal_ptr(&live);
	else if (!stat(to, &st) && S_ISDIR(st.st_mode))
		n = asprintf(&q->target, "%s/%s", to, name);
	else
		q->target = strdup(to);
	return n < 0 || !q->target ? -ENOMEM : 0;
}

/* With --dry-run: the folder that it goes to was removed, and not made again. */
static bool lacks_folder(const struct request *q, const char *to)
{
	return !to && q->gone.then && q->gone.below[0] && !q->gone.made;
}

static int find_target(struct request *q, const char *to, bool dry_run)
{
	int rc = set_target(q, to);
	char *resolved, *slash;

	if (!rc && !to && !dry_run)
		rc = make_above(q, strlen(q->subject.path));
	if (!rc && !lacks_folder(q, to)) {
		rc = path_resolve(q->target, &resolved);
		if (!rc) {
			free(q->target);
			q->target = resolved;
		}
	}
	if (rc) {
		say("%s: %s", q->target ? q->target : q->given, strerror(-rc));
		return rc;
	}
	slash = strrchr(q->target, '/');
	q->name = slash + 1;
	if (lacks_folder(q, to))
		return 0;
	if (!*q->name) {
		say("%s: cannot be restored as one, name what is in it", q->source);
		return -EINVAL;
	}
	*slash = '\0';
	q->folder_fd = open(q->target[0] ? q->target : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = q->folder_fd < 0 ? -errno : 0;
	*slash = '/';
	if (rc)
		say("%s: the folder it belongs to: %s", q->target, strerror(-rc));
	return rc;
}

/* ---- what was done ---- */

static void print_json(const struct request *q, struct restorer *r)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();

	json_object_object_add(o, "restored", json_object_new_string(q->target));
	json_object_object_add(o, "from", json_object_new_string(q->source));
	json_object_object_add(o, "dry_run", json_object_new_boolean(r->dry_run));
	json_object_object_add(o, "files", json_object_new_int64(r->files));
	json_object_object_add(o, "folders", json_object_new_int64(r->folders));
	json_object_object_add(o, "links", json_object_new_int64(r->links));
	json_object_object_add(o, "same", json_object_new_int64(r->same));
	json_object_object_add(o, "removed", json_object_new_int64(r->removed));
	json_object_object_add(o, "bytes", json_object_new_int64(r->bytes));
	json_object_object_add(o, "failed", json_object_get(r->failed));
	if (r->dry_run)
		json_object_object_add(o, "changes", json_object_get(r->changes));
	json_print(o);
}

static void add_count(struct buf *line, int64_t n, const char *one, const char *many)
{
	if (n)
		buf_addf(line, ", %lld %s", (long long)n, n == 1 ? one : many);
}

static void print_done(const struct request *q, const struct restorer *r)
{
	_cleanup_buf_ struct buf line = BUF_INIT;

	buf_adds(&line, r->dry_run ? "would restore " : "restored ");
	human_name(&line, q->target);
	buf_adds(&line, " from ");
	human_name(&line, q->source);
	buf_adds(&line, " (");
	human_size(&line, (uint64_t)r->bytes);
	if (S_ISDIR(q->then.st_mode)) {
		add_count(&line, r->files, "file", "files");
		add_count(&line, r->folders, "folder", "folders");
		add_count(&line, r->links, "link", "links");
		add_count(&line, r->removed, "removed", "removed");
		add_count(&line, r->same, "as it was", "as they were");
	} else {
		add_count(&line, r->folders, "folder made again", "folders made again");
		if (r->same)
			buf_adds(&line, ", the content was the same");
	}
	printf("%s)\n", buf_str(&line));
}

static int end(const struct request *q, struct restorer *r, bool json)
{
	size_t failed = json_object_array_length(r->failed);
	bool some = r->files || r->folders || r->links || r->same || r->removed;

	if (copying_interrupted()) {
		say("%s: interrupted%s", q->target,
		    some ? ", what was restored so far stays" : ", nothing was changed");
		return EXIT_FAILED;
	}
	if (json)
		print_json(q, r);
	else if (some || !failed)
		print_done(q, r);
	if (failed && some)
		say("%zu %s not restored", failed, failed == 1 ? "was" : "were");
	return !failed ? EXIT_OK : some ? EXIT_PARTLY : r->busy ? EXIT_TRY_AGAIN : EXIT_FAILED;
}

static int restore(struct request *q, struct restorer *r, const char *to, bool json)
{
	struct restoring w = {.from_dir = AT_FDCWD};
	int rc = find_source(q, r, to);

	if (!rc)
		rc = find_companions(q);
	if (!rc)
		rc = find_target(q, to, r->dry_run);
	if (rc) {
		gone_unmake(&q->gone, r);
		return EXIT_FAILED;
	}
	r->daemon = control_pid(q->subject.lake);
	w.from = q->source;
	w.companions = q->companions;
	w.to_dir = q->folder_fd;
	w.to = q->name;
	w.path = q->target;
	progress_start(&r->progress, q->name, 0);
	if (r->progress.next)
		r->progress.total = restore_size(AT_FDCWD, q->source);
	restore_any(r, &w);
	progress_end(&r->progress);
	if (!r->dry_run && !json_object_array_length(r->failed) && fsync(q->folder_fd) < 0)
		restore_failed(r, q->target, -errno, NULL);
	return end(q, r, json);
}

static int run_restore(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {{"to", required_argument, NULL, 't'},
						{"dry-run", no_argument, NULL, 'n'},
						{"replace", no_argument, NULL, 'r'},
						{"json", no_argument, NULL, OPTION_JSON},
						{0}};
	struct restorer r = {.failed = json_object_new_array(), .changes = json_object_new_array()};
	struct request q = {.folder_fd = -1};
	const char *to = NULL;
	int c, code;

	while ((c = verb_option(v, argc, argv, "n", options)) != -1) {
		r.quiet |= c == OPTION_JSON;
		r.dry_run |= c == 'n';
		r.replace |= c == 'r';
		if (c == 't')
			to = optarg;
	}
	verb_arguments(v, argc, argv, 1, 1);
	q.given = argv[optind];
	copying_catch_signals();
	code = restore(&q, &r, to, r.quiet);
	request_release(&q);
	json_object_put(r.failed);
	json_object_put(r.changes);
	copying_end_by_signal();
	return code;
}

const struct verb verb_restore = {
	.name = "restore",
	.args = "PATH@vN [--to PATH2] [--dry-run] [--replace] [--json]",
	.summary = "bring a file or folder back as it was",
	.details =
		"What a path of the past names becomes what is there now: content, mode, times\n"
		"and extended attributes. What was there becomes history itself, so a restore\n"
		"can be undone. PATH may be deleted. Any such path will do (tarn(7)):\n"
		"  FILE@v3  FILE@v-1           version 3, the one before the present one\n"
		"  FOLDER@v/2026-11-20         a folder with all below it, as of that day\n"
		"  FOLDER@v/LABEL/sub/FILE     one file out of it\n"
		"Files and folders that came later stay, unless --replace is said. What cannot\n"
		"be restored is named, the rest is done, and the exit code is 3. An SQLite\n"
		"database comes with its -wal or -journal, and not while a program has it open.\n"
		"\n"
		"options:\n"
		"      --to PATH2  write it there instead, or into that folder\n"
		"  -n, --dry-run   say what would be done, and do nothing\n"
		"      --replace   in a folder: remove what was not there then, too; a folder\n"
		"                  where a file or link was, and the other way round, goes\n"
		"      --json      say what was done as JSON\n"
		"  -h, --help      say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn restore orders.csv@v3\n"
		"  tarn restore gone.csv@v-1\n"
		"  tarn restore reports@v/2026-11-20 --to /tmp/reports-then\n",
	.run = run_restore,
};
