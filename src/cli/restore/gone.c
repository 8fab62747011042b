#include "cli/restore/gone.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/which.h"
#include "cli/cli.h"

void gone_release(struct gone *g)
{
	place_release(&g->folder);
	free(g->below);
	free(g->then);
	*g = (struct gone){0};
}

/* How much of PATH names the first thing on the way that is not there; 0: all is. */
static size_t first_missing(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	struct stat st;

	for (size_t at = 1; copy && copy[at - 1]; at++) {
		char end = copy[at];

		if ((end && end != '/') || copy[at - 1] == '/')
			continue;
		copy[at] = '\0';
		if (stat(copy, &st) < 0)
			return errno == ENOENT ? at : 0;
		copy[at] = end;
	}
	return 0;
}

/* -ENOENT: no folder was removed there. */
static int ask(struct gone *g)
{
	_cleanup_buf_ struct buf past = BUF_INIT;
	char commit[24];
	ssize_t n;

	buf_addf(&past, "%s" VERSION_MARK, g->folder.path);
	if (buf_error(&past))
		return -ENOMEM;
	n = getxattr(buf_str(&past), "user.tarn.removed", g->removed, sizeof(g->removed) - 1);
	if (n < 0)
		return errno == ENODATA ? -ENOENT : -errno;
	g->removed[n] = '\0';
	n = getxattr(buf_str(&past), "user.tarn.commit", commit, sizeof(commit) - 1);
	if (n < 0)
		return -errno;
	commit[n] = '\0';
	if (asprintf(&g->then, "%s/commit-%s%s%s", buf_str(&past), commit, g->below[0] ? "/" : "", g->below) < 0) {
		g->then = NULL;
		return -ENOMEM;
	}
	return 0;
}

int gone_find(const char *path, struct gone *out)
{
	size_t len = first_missing(path);
	_cleanup_free_ char *first = strndup(path, len);
	const char *below = path + len + strspn(path + len, "/");
	int rc;

	*out = (struct gone){0};
	if (!len)
		return -ENOENT;
	out->below = strdup(below);
	if (!first || !out->below)
		return -ENOMEM;
	for (char *end = out->below + strlen(out->below); end > out->below && end[-1] == '/';)
		*--end = '\0';
	rc = place_find(first, &out->folder);
	if (!rc && (!out->folder.point || !out->folder.inside || !out->folder.inside[0]))
		rc = -ENOENT;
	return rc ? rc : ask(out);
}

int gone_place(const struct gone *g, struct place *out)
{
	const char *slash = g->below[0] ? "/" : "";

	*out = (struct place){.lake = strdup(g->folder.lake), .point = strdup(g->folder.point)};
	if (asprintf(&out->path, "%s%s%s", g->folder.path, slash, g->below) < 0)
		out->path = NULL;
	if (asprintf(&out->inside, "%s%s%s", g->folder.inside, slash, g->below) < 0)
		out->inside = NULL;
	return out->lake && out->point && out->path && out->inside ? 0 : -ENOMEM;
}

/* ---- making it again ---- */

/* The folders above the path, from the removed one on: so many bytes of `below`, 0 for that one itself. False: none. */
static bool next_above(const struct gone *g, bool first, size_t *len)
{
	const char *slash;

	if (first) {
		*len = 0;
		return g->below[0];
	}
	slash = strchr(g->below + *len + 1, '/');
	*len = slash ? (size_t)(slash - g->below) : 0;
	return slash;
}

static char *path_of(const struct gone *g, const char *base, size_t base_len, size_t len)
{
	char *path;

	return asprintf(&path, "%.*s%s%.*s", (int)base_len, base, len ? "/" : "", (int)len, g->below) < 0 ? NULL : path;
}

int gone_make(struct gone *g, struct restorer *r)
{
	size_t then_len = strlen(g->then) - strlen(g->below) - (g->below[0] != '\0'), len = 0;

	for (bool more = next_above(g, true, &len); more; more = next_above(g, false, &len)) {
		_cleanup_free_ char *to = path_of(g, g->folder.path, strlen(g->folder.path), len);
		_cleanup_free_ char *from = path_of(g, g->then, then_len, len);
		int rc = to && from ? restore_make_folder(from, to) : -ENOMEM;

		if (rc) {
			gone_unmake(g, r);
			return restore_failed(r, to ? to : g->folder.path, rc, NULL);
		}
		g->made++;
		r->folders++;
	}
	return 0;
}

void gone_unmake(struct gone *g, struct restorer *r)
{
	while (g->made > 0) {
		size_t len = 0;

		next_above(g, true, &len);
		for (int i = 1; i < g->made; i++)
			next_above(g, false, &len);
		_cleanup_free_ char *path = path_of(g, g->folder.path, strlen(g->folder.path), len);

		if (path)
			rmdir(path);
		g->made--;
		r->folders--;
	}
}
