/* tarn restore: one file or symlink. */
#include "cli/restore/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/copying.h"
#include "cli/database.h"
#include "cli/diff/diff.h"

#define NAME_ROOM 255

/* ---- temporary names ---- */

/* .NAME.tarn-XXXXXX, NAME shortened where that would be too long. */
static void make_name(const char *name, char out[NAME_ROOM + 1])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	uint8_t random[6];
	char end[] = "XXXXXX";

	clock_source.random(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		end[i] = letters[random[i] % (sizeof(letters) - 1)];
	snprintf(out, NAME_ROOM + 1, ".%.*s.tarn-%s", NAME_ROOM - 13, name, end);
}

static int make_temporary(const struct restoring *w, char name[NAME_ROOM + 1])
{
	for (int tries = 0; tries < 100; tries++) {
		int fd;

		make_name(w->to, name);
		fd = openat(w->to_dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd < 0 ? -errno : fd;
	}
	return -EEXIST;
}

/* ---- attributes ---- */

mode_t restore_mode(int from, const struct stat *st)
{
	char text[16] = "";
	ssize_t n = fgetxattr(from, "user.tarn.mode", text, sizeof(text) - 1);

	return n > 0 ? (mode_t)strtoul(text, NULL, 8) & 01777 : (st->st_mode & 01777) | S_IWUSR;
}

static bool has_acl(int fd)
{
	return fgetxattr(fd, "system.posix_acl_access", NULL, 0) > 0;
}

/* TARGET: what is there now, -1 when nothing is; FD: what takes its place, perhaps the same. */
static int set_permissions(int from, const struct stat *then, int target, int fd)
{
	mode_t mode = restore_mode(from, then) & 0777;
	struct stat now;

	if (target < 0) {
		if (geteuid() == 0 && fchown(fd, then->st_uid, then->st_gid) < 0)
			return -errno;
		return fchmod(fd, mode) < 0 ? -errno : 0;
	}
	if (fstat(target, &now) < 0)
		return -errno;
	if (fd != target && geteuid() == 0 && fchown(fd, now.st_uid, now.st_gid) < 0)
		return -errno;
	if (!has_acl(target))
		return fchmod(fd, mode) < 0 ? -errno : 0;
	if (fd == target)
		return 0;
	return fchmod(fd, now.st_mode & 0777) < 0 ? -errno : copy_acl(target, fd);
}

static int set_all(int from, const struct stat *then, int target, int fd)
{
	const struct timespec times[] = {then->st_atim, then->st_mtim};
	int rc = set_permissions(from, then, target, fd);

	if (!rc)
		rc = copy_user_xattrs(from, fd);
	if (!rc && fd == target)
		rc = drop_other_user_xattrs(from, fd);
	if (!rc && futimens(fd, times) < 0)
		rc = -errno;
	return rc;
}

/* ---- one file ---- */

struct file {
	const struct restoring *w;
	int from, target; /* target: -1 when nothing is there */
	struct stat then;
	bool database;
};

static void file_release(struct file *f)
{
	if (f->from >= 0)
		close(f->from);
	if (f->target >= 0)
		close(f->target);
}

/* With --replace a folder that is in the way goes. 0, or -errno; -EEXIST: something else is in the way. */
static int open_both(struct restorer *r, struct file *f)
{
	const struct restoring *w = f->w;
	struct stat st;

	f->from = openat(w->from_dir, w->from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (f->from < 0 || fstat(f->from, &f->then) < 0)
		return -errno;
	if (w->to_dir == RESTORE_NOWHERE)
		return 0;
	if (fstatat(w->to_dir, w->to, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode) && r->replace)
		return restore_remove(r, w->to_dir, w->to, w->path);
	if (!S_ISREG(st.st_mode))
		return -EEXIST;
	f->target = openat(w->to_dir, w->to, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return f->target < 0 ? -errno : 0;
}

static bool has_content(const struct file *f)
{
	struct diff_side a = {.fd = f->from}, b = {.fd = f->target};
	struct stat now;

	return f->target >= 0 && !fstat(f->target, &now) && now.st_size == f->then.st_size &&
	       diff_first_difference(&a, &b) == -1;
}

static int write_content(struct restorer *r, struct file *f)
{
	const struct restoring *w = f->w;
	char name[NAME_ROOM + 1];
	_cleanup_close_ int fd = make_temporary(w, name);
	int rc = fd < 0 ? fd : 0;

	if (rc)
		return rc;
	rc = copy_bytes(f->from, fd, f->then.st_size, &r->progress);
	if (!rc)
		rc = set_all(f->from, &f->then, f->target, fd);
	if (!rc && fsync(fd) < 0)
		rc = -errno;
	if (!rc && renameat(w->to_dir, name, w->to_dir, w->to) < 0)
		rc = -errno;
	if (rc)
		unlinkat(w->to_dir, name, 0);
	return rc;
}

/* ---- databases ---- */

static int check_closed(struct restorer *r, struct file *f)
{
	_cleanup_buf_ struct buf who = BUF_INIT, why = BUF_INIT;

	f->database = database_is(f->from) || (f->target >= 0 && database_is(f->target));
	if (!f->database || f->target < 0 || !database_is_open(f->w->path, r->daemon, &who))
		return 0;
	buf_addf(&why, "is an SQLite database that is open (%s): end that first", buf_str(&who));
	return restore_failed(r, f->w->path, -EBUSY, buf_str(&why));
}

/* What is beside the database now belongs to its present content, and would spoil the earlier one. */
static int remove_companions(const struct file *f)
{
	for (int i = 0; database_companions[i]; i++) {
		_cleanup_buf_ struct buf name = BUF_INIT;

		buf_addf(&name, "%s%s", f->w->to, database_companions[i]);
		if (unlinkat(f->w->to_dir, buf_str(&name), 0) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* Those that were beside it then. */
static int restore_companions(struct restorer *r, const struct file *f)
{
	int rc = 0;

	for (int i = 0; database_companions[i] && !rc; i++) {
		_cleanup_buf_ struct buf from = BUF_INIT, to = BUF_INIT, path = BUF_INIT;
		struct restoring w = {.from_dir = f->w->companions ? AT_FDCWD : f->w->from_dir, .to_dir = f->w->to_dir};
		struct stat st;

		buf_addf(&from, "%s%s", f->w->companions ? f->w->companions : f->w->from, database_companions[i]);
		buf_addf(&to, "%s%s", f->w->to, database_companions[i]);
		buf_addf(&path, "%s%s", f->w->path, database_companions[i]);
		w.from = buf_str(&from);
		w.to = buf_str(&to);
		w.path = buf_str(&path);
		if (strcmp(database_companions[i], "-shm") && !fstatat(w.from_dir, w.from, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode))
			rc = restore_file(r, &w);
	}
	return rc;
}

/* ---- all of it ---- */

static int do_file(struct restorer *r, struct file *f)
{
	int rc = f->database ? remove_companions(f) : 0;

	if (!rc && has_content(f)) {
		r->same++;
		rc = set_all(f->from, &f->then, f->target, f->target);
		progress_add(&r->progress, (uint64_t)f->then.st_size);
	} else if (!rc) {
		rc = write_content(r, f);
		r->files += !rc;
		r->bytes += rc ? 0 : f->then.st_size;
	}
	if (rc)
		return restore_failed(r, f->w->path, rc, NULL);
	return f->database ? restore_companions(r, f) : 0;
}

int restore_file(struct restorer *r, const struct restoring *w)
{
	struct file f = {.w = w, .from = -1, .target = -1};
	int rc = open_both(r, &f);

	if (rc == -EEXIST)
		restore_failed(r, w->path, rc, "not a plain file, it is not replaced");
	else if (rc)
		restore_failed(r, w->path, rc, NULL);
	if (!rc)
		rc = check_closed(r, &f);
	if (!rc && r->dry_run) {
		if (has_content(&f)) {
			r->same++;
		} else {
			restore_only_says(r, w->path, f.target < 0 ? "made" : "overwritten");
			r->files++;
			r->bytes += f.then.st_size;
		}
	} else if (!rc) {
		rc = do_file(r, &f);
	}
	file_release(&f);
	return rc;
}

/* ---- symlinks ---- */

static ssize_t read_target(int dir, const char *name, char target[PATH_MAX])
{
	ssize_t n = readlinkat(dir, name, target, PATH_MAX - 1);

	if (n >= 0)
		target[n] = '\0';
	return n < 0 ? -errno : n;
}

static int make_link(const struct restoring *w, const char *target)
{
	char name[NAME_ROOM + 1];
	struct timespec times[2];
	struct stat then;
	int rc;

	if (fstatat(w->from_dir, w->from, &then, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	times[0] = then.st_atim;
	times[1] = then.st_mtim;
	make_name(w->to, name);
	if (symlinkat(target, w->to_dir, name) < 0)
		return -errno;
	if (utimensat(w->to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ||
	    renameat(w->to_dir, name, w->to_dir, w->to) < 0)
		rc = -errno;
	else
		rc = 0;
	if (rc)
		unlinkat(w->to_dir, name, 0);
	return rc;
}

int restore_link(struct restorer *r, const struct restoring *w)
{
	char target[PATH_MAX], now[PATH_MAX];
	ssize_t n = read_target(w->from_dir, w->from, target);
	struct stat st;
	int rc;

	if (n < 0)
		return restore_failed(r, w->path, (int)n, NULL);
	if (read_target(w->to_dir, w->to, now) >= 0 && !strcmp(now, target)) {
		r->same++;
		return 0;
	}
	if (!fstatat(w->to_dir, w->to, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode)) {
		if (!r->replace)
			return restore_failed(r, w->path, -EISDIR,
					      "a folder is there now (--replace puts a link in its place)");
		rc = restore_remove(r, w->to_dir, w->to, w->path);
		if (rc)
			return restore_failed(r, w->path, rc, NULL);
	}
	r->links++;
	if (restore_only_says(r, w->path, "made"))
		return 0;
	rc = make_link(w, target);
	r->links -= rc != 0;
	return rc ? restore_failed(r, w->path, rc, NULL) : 0;
}
