#include "cli/place.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/mounts.h"

void place_release(struct place *p)
{
	free(p->path);
	free(p->lake);
	free(p->point);
	free(p->inside);
	*p = (struct place){0};
}

/* realpath() of the folder above, and the last component as it is. */
static int resolve_above(const char *path, char **out)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_free_ char *above = NULL;
	_cleanup_buf_ struct buf joined = BUF_INIT;
	size_t len;
	char *slash;

	if (!copy)
		return -ENOMEM;
	for (len = strlen(copy); len > 1 && copy[len - 1] == '/';)
		copy[--len] = '\0';
	slash = strrchr(copy, '/');
	if (slash)
		*slash = '\0';
	above = realpath(!slash ? "." : slash == copy ? "/" : copy, NULL);
	if (!above)
		return -errno;
	buf_addf(&joined, "%s/%s", strcmp(above, "/") ? above : "", slash ? slash + 1 : copy);
	*out = buf_detach(&joined);
	return *out ? 0 : -ENOMEM;
}

int path_resolve(const char *path, char **out)
{
	int error;

	if (!path[0])
		return -ENOENT;
	*out = realpath(path, NULL);
	if (*out)
		return 0;
	error = errno;
	if (error != ENOENT && error != ENOTCONN && error != ECONNABORTED)
		return -error;
	return resolve_above(path, out) < 0 ? -error : 0;
}

int lake_check(const char *dir)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct stat st;
	size_t base;

	buf_adds(&path, strcmp(dir, "/") ? dir : "");
	base = path.len;
	buf_adds(&path, "/config/settings.yaml");
	if (buf_error(&path))
		return buf_error(&path);
	if (!stat(buf_str(&path), &st))
		return S_ISREG(st.st_mode) ? 0 : -ENOENT;
	if (errno == ENOTDIR)
		return -ENOENT;
	if (errno != EACCES)
		return -errno;
	/* config/ is closed to us: buckets/ beside it tells a lake from any other folder. */
	path.len = base;
	buf_adds(&path, "/buckets");
	if (buf_error(&path))
		return buf_error(&path);
	if (!stat(buf_str(&path), &st))
		return S_ISDIR(st.st_mode) ? 0 : -ENOENT;
	return errno == EACCES || errno == ENOTCONN || errno == ECONNABORTED ? 0 : -ENOENT;
}

/* The nearest lake at or above PATH. */
static int look_upward(const char *path, char **lake)
{
	_cleanup_free_ char *dir = strdup(path);

	if (!dir)
		return -ENOMEM;
	for (;;) {
		char *slash = strrchr(dir, '/');

		if (!lake_check(dir)) {
			*lake = steal_ptr(&dir);
			return 0;
		}
		if (!slash || !strcmp(dir, "/"))
			return 0;
		slash[slash == dir] = '\0';
	}
}

/* "ROOT of the mount" + "what lies below POINT", without a slash in front. */
static char *path_inside(const char *root, const char *below)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	while (*root == '/')
		root++;
	while (*below == '/')
		below++;
	buf_addf(&b, "%s%s%s", root, *root && *below ? "/" : "", below);
	return buf_detach(&b);
}

static int find_in_mount(const struct mount_entry *e, struct place *p)
{
	p->lake = strdup(e->source);
	p->point = strdup(e->point);
	p->view = mount_is_view(e);
	if (p->view)
		return p->lake && p->point ? 0 : -ENOMEM;
	p->inside = path_inside(e->root, p->path + (strcmp(e->point, "/") ? strlen(e->point) : 0));
	return p->lake && p->point && p->inside ? 0 : -ENOMEM;
}

static int find_in_tree(struct place *p)
{
	static const char buckets[] = "/buckets";
	const char *below;
	int rc = look_upward(p->path, &p->lake);

	if (rc || !p->lake)
		return rc;
	below = p->path + strlen(p->lake);
	if (strncmp(below, buckets, sizeof(buckets) - 1) ||
	    (below[sizeof(buckets) - 1] && below[sizeof(buckets) - 1] != '/'))
		return 0;
	p->inside = path_inside("", below + sizeof(buckets) - 1);
	return p->inside ? 0 : -ENOMEM;
}

int place_find(const char *path, struct place *out)
{
	const struct mount_entry *e;
	struct mounts m = {0};
	int rc;

	*out = (struct place){0};
	rc = path_resolve(path, &out->path);
	if (!rc)
		rc = mounts_load(&m);
	if (!rc) {
		e = mounts_at(&m, out->path);
		rc = e && (mount_is_tarn(e) || mount_is_view(e)) && e->source[0] == '/' ? find_in_mount(e, out)
											: find_in_tree(out);
	}
	mounts_release(&m);
	if (rc)
		place_release(out);
	return rc;
}

static int say_no_lake(const char *dir, int rc)
{
	if (rc == -ENOENT)
		say("not a lake: %s has no config/settings.yaml (run `tarn init %s` to make one there)", dir, dir);
	else
		say("%s: %s", dir, strerror(-rc));
	return rc;
}

int lake_given(const char *given, char **lake)
{
	_cleanup_free_ char *dir = realpath(given, NULL);
	struct stat st;
	int rc;

	if (!dir) {
		rc = -errno;
		if (rc == -ENOENT)
			say("%s: there is no such folder (run `tarn init %s` to make a lake there)", given, given);
		else
			say("%s: %s", given, strerror(-rc));
		return rc;
	}
	if (!stat(dir, &st) && !S_ISDIR(st.st_mode)) {
		say("%s: not a folder, a lake is one", given);
		return -ENOTDIR;
	}
	rc = lake_check(dir);
	if (rc)
		return say_no_lake(dir, rc);
	*lake = steal_ptr(&dir);
	return 0;
}

int lake_around(const char *given, char **lake)
{
	_cleanup_place_ struct place p = {0};
	struct stat st;
	int rc = place_find(given ? given : ".", &p);

	if (!rc && given && lstat(p.path, &st) < 0 && errno == ENOENT) /* a lake around a slip is not meant */
		rc = -ENOENT;
	if (rc) {
		say("%s: %s", given ? given : "the current folder", strerror(-rc));
		return rc;
	}
	if (!p.lake) {
		if (given)
			return say_no_lake(p.path, -ENOENT);
		say("%s: in no lake (name one, or go to a folder of one)", p.path);
		return -ENOENT;
	}
	*lake = steal_ptr(&p.lake);
	return 0;
}

int place_say_not_on_mount(const struct place *p)
{
	if (p->view)
		say("%s: on a mount of the past of %s (name the path on the lake as it is)", p->path, p->lake);
	else if (p->point)
		say("%s: the root of the mount (name a file in a bucket)", p->path);
	else if (p->lake)
		say("%s: its lake %s is not mounted here (run `tarn mount %s`)", p->path, p->lake, p->lake);
	else
		say("%s: not on a mounted lake (name a path on the mount)", p->path);
	return -EINVAL;
}

int place_on_mount(const char *given, struct place *out)
{
	int rc = place_find(given, out);

	if (rc) {
		say("%s: %s", given, strerror(-rc));
		return rc;
	}
	if (out->point && out->inside && out->inside[0])
		return 0;
	rc = place_say_not_on_mount(out);
	place_release(out);
	return rc;
}
