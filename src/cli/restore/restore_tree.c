/*
 * tarn restore: a folder and what is below it. What cannot be restored is said, and the rest goes on.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/copying.h"
#include "cli/database.h"
#include "cli/human.h"
#include "cli/restore/restore.h"

/* ---- what is said ---- */

int restore_failed(struct restorer *r, const char *path, int rc, const char *why)
{
	struct json_object *o = json_object_new_object();

	why = why ? why : strerror(-rc);
	if (rc != -EINTR)
		say("%s: not restored: %s", path, why);
	json_object_object_add(o, "path", json_object_new_string(path));
	json_object_object_add(o, "error", json_object_new_string(why));
	json_object_array_add(r->failed, o);
	r->busy |= rc == -EBUSY;
	return rc;
}

bool restore_only_says(struct restorer *r, const char *path, const char *change)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	struct json_object *o;

	if (!r->dry_run)
		return false;
	o = json_object_new_object();
	json_object_object_add(o, "path", json_object_new_string(path));
	json_object_object_add(o, "change", json_object_new_string(change));
	json_object_array_add(r->changes, o);
	human_name(&line, path);
	if (!r->quiet)
		printf("%s would be %s\n", buf_str(&line), change);
	return true;
}

/* ---- names ---- */

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static int open_folder(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static char *join(const char *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* FD is not taken. */
static DIR *list(int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = again < 0 ? NULL : fdopendir(again);

	if (!d && again >= 0)
		close(again);
	return d;
}

uint64_t restore_size(int dir, const char *name)
{
	_cleanup_close_ int fd = -1;
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *e;
	struct stat st;
	uint64_t sum = 0;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	fd = open_folder(dir, name);
	d = fd < 0 ? NULL : list(fd);
	while (d && !copying_interrupted() && (e = readdir(d))) {
		if (!is_dots(e->d_name))
			sum += restore_size(fd, e->d_name);
	}
	return sum;
}

/* ---- what was not there then ---- */

static int remove_below(int dir, const char *name)
{
	_cleanup_close_ int fd = -1;
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *e;
	int rc = 0;

	if (!unlinkat(dir, name, 0))
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = open_folder(dir, name);
	if (fd < 0)
		return fd;
	d = list(fd);
	while (d && !rc && (e = readdir(d)))
		rc = is_dots(e->d_name) ? 0 : remove_below(fd, e->d_name);
	return rc ? rc : unlinkat(dir, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int restore_remove(struct restorer *r, int dir, const char *name, const char *path)
{
	int rc = restore_only_says(r, path, "removed") ? 0 : remove_below(dir, name);

	r->removed += !rc;
	return rc;
}

/* A name that was there then, though its content cannot be shown, stays. */
static bool is_missing(const char *missing, ssize_t len, const char *name)
{
	for (const char *at = missing; len > 0 && at < missing + len; at += strlen(at) + 1) {
		if (!strcmp(at, name))
			return true;
	}
	return false;
}

static void remove_others(struct restorer *r, int from, int to, const char *path, const char *missing, ssize_t len)
{
	_cleanup_closedir_ DIR *d = list(to);
	struct dirent *e;
	struct stat st;
	int rc;

	while (d && (e = readdir(d))) {
		_cleanup_free_ char *below = is_dots(e->d_name) ? NULL : join(path, e->d_name);

		if (!below || !fstatat(from, e->d_name, &st, AT_SYMLINK_NOFOLLOW) || errno != ENOENT ||
		    is_missing(missing, len, e->d_name))
			continue;
		rc = restore_remove(r, to, e->d_name, below);
		if (rc)
			restore_failed(r, below, rc, NULL);
	}
}

/* ---- a folder ---- */

/* The folder that it goes to, made when it is not there. A descriptor; -EAGAIN: nothing is there, with dry_run. */
static int open_target(struct restorer *r, const struct restoring *w, const struct stat *then, bool *made)
{
	struct stat st;
	int rc;

	*made = w->to_dir == RESTORE_NOWHERE || fstatat(w->to_dir, w->to, &st, AT_SYMLINK_NOFOLLOW) < 0;
	if (*made && w->to_dir != RESTORE_NOWHERE && errno != ENOENT)
		return -errno;
	if (!*made && !S_ISDIR(st.st_mode)) {
		if (!r->replace)
			return -ENOTDIR;
		rc = restore_remove(r, w->to_dir, w->to, w->path);
		if (rc)
			return rc;
		*made = true;
	}
	if (*made) {
		r->folders++;
		if (restore_only_says(r, w->path, "made"))
			return -EAGAIN;
		if (mkdirat(w->to_dir, w->to, 0700) < 0)
			return -errno;
		if (geteuid() == 0 && fchownat(w->to_dir, w->to, then->st_uid, then->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
	}
	return open_folder(w->to_dir, w->to);
}

/* Last of all, for what is made in it changes its times, and its mode may close it. */
static int set_folder(int from, int to, const struct stat *then)
{
	const struct timespec times[] = {then->st_atim, then->st_mtim};
	struct stat now;
	int rc = copy_user_xattrs(from, to);

	if (!rc)
		rc = drop_other_user_xattrs(from, to);
	if (rc)
		return rc;
	if (fstat(to, &now) < 0)
		return -errno;
	if (fgetxattr(to, "system.posix_acl_access", NULL, 0) <= 0 &&
	    (now.st_mode & 01777) != restore_mode(from, then) &&
	    fchmod(to, restore_mode(from, then) | (now.st_mode & 06000)) < 0)
		return -errno;
	return futimens(to, times) < 0 ? -errno : 0;
}

int restore_make_folder(const char *from, const char *to)
{
	_cleanup_close_ int was = open_folder(AT_FDCWD, from), fd = -1;
	struct stat then;

	if (was < 0 || fstat(was, &then) < 0)
		return mkdir(to, 0777) < 0 ? -errno : 0;
	if (mkdir(to, 0700) < 0)
		return -errno;
	fd = open_folder(AT_FDCWD, to);
	if (fd < 0)
		return fd;
	if (geteuid() == 0 && fchown(fd, then.st_uid, then.st_gid) < 0)
		return -errno;
	return set_folder(was, fd, &then);
}

static void say_missing(struct restorer *r, const char *path, const char *missing, ssize_t len)
{
	for (const char *at = missing; len > 0 && at < missing + len; at += strlen(at) + 1) {
		_cleanup_free_ char *below = join(path, at);

		restore_failed(r, below ? below : at, -ENODATA, "its content of then is not kept");
	}
}

static void restore_below(struct restorer *r, int from, int to, const char *path)
{
	_cleanup_closedir_ DIR *d = list(from);
	struct dirent *e;

	while (d && !copying_interrupted() && (e = readdir(d))) {
		_cleanup_free_ char *below = is_dots(e->d_name) ? NULL : join(path, e->d_name);
		struct restoring w = {
			.from_dir = from, .from = e->d_name, .to_dir = to, .to = e->d_name, .path = below};

		if (below && !database_owns(from, e->d_name)) /* those come with their database */
			restore_any(r, &w);
	}
}

#define MISSING_MAX 65536 /* XATTR_SIZE_MAX */

static void restore_folder(struct restorer *r, const struct restoring *w, const struct stat *then)
{
	_cleanup_close_ int from = open_folder(w->from_dir, w->from), to = -1;
	_cleanup_free_ char *missing = malloc(MISSING_MAX);
	ssize_t len = missing && from >= 0 ? fgetxattr(from, "user.tarn.missing", missing, MISSING_MAX) : -1;
	bool made = false;
	int rc = from < 0 ? from : 0;

	if (!rc)
		rc = to = open_target(r, w, then, &made);
	if (rc == -EAGAIN && r->dry_run) {
		restore_below(r, from, RESTORE_NOWHERE, w->path);
		say_missing(r, w->path, missing, len);
		return;
	}
	if (rc < 0) {
		restore_failed(r, w->path, rc,
			       rc == -ENOTDIR ? "is no folder now (--replace puts one in its place)" : NULL);
		return;
	}
	if (r->replace && !made)
		remove_others(r, from, to, w->path, missing, len);
	restore_below(r, from, to, w->path);
	say_missing(r, w->path, missing, len);
	rc = r->dry_run ? 0 : set_folder(from, to, then);
	if (rc)
		restore_failed(r, w->path, rc, NULL);
}

void restore_any(struct restorer *r, const struct restoring *w)
{
	struct stat st;

	if (fstatat(w->from_dir, w->from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		restore_failed(r, w->path, -errno, NULL);
	else if (S_ISREG(st.st_mode))
		restore_file(r, w);
	else if (S_ISLNK(st.st_mode))
		restore_link(r, w);
	else if (S_ISDIR(st.st_mode))
		restore_folder(r, w, &st);
	else
		restore_failed(r, w->path, -EINVAL, "neither file, folder nor symlink");
}
