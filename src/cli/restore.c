/*
 * tarn restore: an earlier version becomes the newest one.
 *
 * The version's bytes are copied through the mount to a temporary file beside the target, which then takes the target's
 * place by rename: readers see the old content or the new, and the mount records an ordinary save. What the file is
 * allowed stays as it is now (mode, owner, ACL of the target); only where no file is there they come from the version.
 * Times and extended attributes are the version's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/copying.h"
#include "cli/facts.h"
#include "cli/history.h"
#include "cli/human.h"
#include "cli/place.h"
#include "cli/verb_list.h"
#include "cli/version_path.h"

#define NAME_ROOM 255

struct restoring {
	char *source;	   /* PATH@vN */
	struct place file; /* PATH */
	struct place target;
	int source_fd, folder_fd; /* the target's folder */
	const char *name;	  /* of the target in its folder */
	struct stat version;
	char temporary[NAME_ROOM + 1]; /* "" while there is none */
};

static void restoring_release(struct restoring *r)
{
	if (r->temporary[0])
		unlinkat(r->folder_fd, r->temporary, 0);
	if (r->source_fd >= 0)
		close(r->source_fd);
	if (r->folder_fd >= 0)
		close(r->folder_fd);
	free(r->source);
	place_release(&r->file);
	place_release(&r->target);
}

/* Is the name, as it was given, a real entry of its folder? A real one wins over a version on the mount. */
static bool is_real(const struct restoring *r)
{
	const char *name = strrchr(r->file.path, '/') + 1, *mark = r->source + strlen(r->file.path);
	_cleanup_buf_ struct buf folder = BUF_INIT, whole = BUF_INIT;
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *e;

	buf_add(&folder, r->file.path, (size_t)(name - r->file.path));
	buf_addf(&whole, "%s%s", name, mark[2] == '/' ? "@v" : mark);
	d = opendir(buf_str(&folder));
	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, buf_str(&whole)))
			return true;
	}
	return false;
}

static int say_no_version(const struct restoring *r, int error)
{
	if (error == ENOENT)
		say("%s: there is no such version to read (`tarn versions --all %s` lists them)", r->source,
		    r->file.path);
	else
		say("%s: %s", r->source, strerror(error));
	return -error;
}

static int open_version(struct restoring *r, const char *given)
{
	_cleanup_free_ char *file = NULL, *which = NULL;
	int rc = version_path_split(given, &file, &which);

	if (rc) {
		say("%s: names no version (as in %s@v3; `tarn versions %s` lists them)", given, given, given);
		return rc;
	}
	rc = place_on_mount(file, &r->file);
	if (rc)
		return rc;
	/* the rest as it was given: F@v3 or F@v/3.csv */
	r->source = NULL;
	if (asprintf(&r->source, "%s%s", r->file.path, given + strlen(file)) < 0) {
		r->source = NULL;
		return -ENOMEM;
	}
	r->source_fd = open(r->source, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (r->source_fd < 0 || fstat(r->source_fd, &r->version) < 0)
		return say_no_version(r, errno);
	if (!S_ISREG(r->version.st_mode)) {
		say("%s: not a file (versions of folders cannot be restored as one)", r->source);
		return -EINVAL;
	}
	if (is_real(r)) {
		say("%s: a real file of this name is there, not a version (rename it first)", r->source);
		return -EEXIST;
	}
	return 0;
}

/* --to may name a folder; then the file goes into it under its own name. */
static int find_target(struct restoring *r, const char *to)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;
	char *slash;
	int rc;

	if (!to) {
		path = strdup(r->file.path);
		rc = path ? 0 : -ENOMEM;
	} else if (!stat(to, &st) && S_ISDIR(st.st_mode)) {
		rc = asprintf(&path, "%s/%s", to, strrchr(r->file.path, '/') + 1) < 0 ? -ENOMEM : 0;
	} else {
		path = strdup(to);
		rc = path ? 0 : -ENOMEM;
	}
	if (!rc)
		rc = place_find(path, &r->target);
	if (rc) {
		say("%s: %s", to ? to : r->file.path, strerror(-rc));
		return rc;
	}
	if (!lstat(r->target.path, &st) && !S_ISREG(st.st_mode)) {
		say("%s: not a plain file, it is not replaced", r->target.path);
		return -EINVAL;
	}
	slash = strrchr(r->target.path, '/');
	r->name = slash + 1;
	*slash = '\0';
	r->folder_fd = open(r->target.path[0] ? r->target.path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = r->folder_fd < 0 ? -errno : 0;
	*slash = '/';
	if (rc)
		say("%s: the folder it belongs to: %s", r->target.path, strerror(-rc));
	return rc;
}

/* .NAME.tarn-XXXXXX, NAME shortened where that would be too long. */
static int make_temporary(struct restoring *r)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	uint8_t random[6];
	char end[] = "XXXXXX";

	for (int tries = 0; tries < 100; tries++) {
		int fd;

		clock_source.random(random, sizeof(random));
		for (size_t i = 0; i < sizeof(random); i++)
			end[i] = letters[random[i] % (sizeof(letters) - 1)];
		snprintf(r->temporary, sizeof(r->temporary), ".%.*s.tarn-%s", NAME_ROOM - 13, r->name, end);
		fd = openat(r->folder_fd, r->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			break;
	}
	r->temporary[0] = '\0';
	say("%s: cannot be written: %m", r->target.path);
	return -errno;
}

/* "mode" in the history, where the mount tells it; reading old versions shows no write bits. */
static bool mode_of_version(const struct restoring *r, mode_t *mode)
{
	struct history h;
	struct stat st;
	bool found = false;

	if (history_read(r->file.path, &h))
		return false;
	for (int i = 0; i < h.n && !found; i++) {
		struct json_object *number = json_object_object_get(h.lines[i].object, "version");
		const char *text = json_text(h.lines[i].object, "mode");
		_cleanup_free_ char *path = NULL;

		if (!text || asprintf(&path, "%s@v%lld", r->file.path, (long long)json_object_get_int64(number)) < 0)
			continue;
		found = !stat(path, &st) && st.st_ino == r->version.st_ino && st.st_dev == r->version.st_dev;
		if (found)
			*mode = (mode_t)strtoul(text, NULL, 8) & 0777;
	}
	history_release(&h);
	return found;
}

/* Owner and mode: the target's as it is now, else the version's. */
static int set_permissions(const struct restoring *r, int fd)
{
	struct stat now;
	mode_t mode;

	if (!fstatat(r->folder_fd, r->name, &now, AT_SYMLINK_NOFOLLOW)) {
		_cleanup_close_ int target =
			openat(r->folder_fd, r->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		mode = now.st_mode & 07777;
		if (geteuid() == 0 && fchown(fd, now.st_uid, now.st_gid) < 0)
			return -errno;
		if (fchmod(fd, mode) < 0)
			return -errno;
		return target >= 0 ? copy_acl(target, fd) : 0;
	}
	if (!mode_of_version(r, &mode))
		mode = (r->version.st_mode & 0777) | S_IWUSR;
	if (geteuid() == 0 && fchown(fd, r->version.st_uid, r->version.st_gid) < 0)
		return -errno;
	if (fchmod(fd, mode) < 0)
		return -errno;
	return copy_acl(r->source_fd, fd);
}

static int finish(struct restoring *r, int fd)
{
	const struct timespec times[] = {r->version.st_atim, r->version.st_mtim};
	int rc = set_permissions(r, fd);

	if (!rc)
		rc = copy_user_xattrs(r->source_fd, fd);
	if (!rc && (futimens(fd, times) < 0 || fsync(fd) < 0))
		rc = -errno;
	if (!rc && renameat(r->folder_fd, r->temporary, r->folder_fd, r->name) < 0)
		rc = -errno;
	if (!rc) {
		r->temporary[0] = '\0';
		if (fsync(r->folder_fd) < 0)
			rc = -errno;
	}
	return rc;
}

static void print_done(const struct restoring *r, bool json)
{
	_cleanup_json_ struct json_object *facts = NULL;
	_cleanup_buf_ struct buf line = BUF_INIT;

	if (json) {
		facts = json_object_new_object();
		json_object_object_add(facts, "restored", json_object_new_string(r->target.path));
		json_object_object_add(facts, "from", json_object_new_string(r->source));
		json_object_object_add(facts, "bytes", json_object_new_int64(r->version.st_size));
		json_print(facts);
		return;
	}
	buf_adds(&line, "restored ");
	human_name(&line, r->target.path);
	buf_adds(&line, " from ");
	human_name(&line, strrchr(r->file.path, '/') + 1);
	human_name(&line, r->source + strlen(r->file.path));
	buf_adds(&line, " (");
	human_size(&line, (uint64_t)r->version.st_size);
	printf("%s)\n", buf_str(&line));
}

static int restore(struct restoring *r, const char *given, const char *to)
{
	_cleanup_close_ int fd = -1;
	struct progress p;
	int rc = open_version(r, given);

	if (!rc)
		rc = find_target(r, to);
	if (rc)
		return rc;
	fd = make_temporary(r);
	if (fd < 0)
		return fd;
	progress_start(&p, r->name, (uint64_t)r->version.st_size);
	rc = copy_bytes(r->source_fd, fd, r->version.st_size, &p);
	progress_end(&p);
	if (!rc)
		rc = finish(r, fd);
	if (rc == -EINTR)
		say("%s: interrupted, nothing was changed", r->target.path);
	else if (rc)
		say("%s: not restored: %s", r->target.path, strerror(-rc));
	return rc;
}

static int run_restore(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{"to", required_argument, NULL, 't'}, {"json", no_argument, NULL, OPTION_JSON}, {0}};
	struct restoring r = {.source_fd = -1, .folder_fd = -1};
	const char *to = NULL;
	bool json = false;
	int c, rc;

	while ((c = verb_option(v, argc, argv, "", options)) != -1) {
		json |= c == OPTION_JSON;
		if (c == 't')
			to = optarg;
	}
	verb_arguments(v, argc, argv, 1, 1);
	copying_catch_signals();
	rc = restore(&r, argv[optind], to);
	if (!rc)
		print_done(&r, json);
	restoring_release(&r);
	copying_end_by_signal();
	return rc ? EXIT_FAILED : EXIT_OK;
}

const struct verb verb_restore = {
	.name = "restore",
	.args = "PATH@vN [--to PATH2] [--json]",
	.summary = "bring an earlier version of a file back",
	.details =
		"Makes version N of the file PATH its newest content, or that of PATH2. The\n"
		"content that is there now becomes a version itself, so a restore can be\n"
		"undone. PATH may be a deleted file. Any name of a version will do: PATH@v3,\n"
		"PATH@v-1 (the one before), PATH@v/3.csv; see tarn(7). Mode, owner and ACL of a\n"
		"file that is there stay.\n"
		"\n"
		"options:\n"
		"      --to PATH2  write it there instead, or into that folder\n"
		"      --json      say what was done as JSON\n"
		"  -h, --help      say this, and end\n"
		"\n"
		"examples:\n"
		"  tarn restore orders.csv@v3\n"
		"  tarn restore gone.csv@v-1\n"
		"  tarn restore orders.csv@v-1 --to /tmp/orders-before.csv\n",
	.run = run_restore,
};
