#include "cli/moments.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/which.h"
#include "cli/cli.h"
#include "cli/human.h"
#include "cli/place.h"

int moments_find(const char *given, char **out)
{
	_cleanup_place_ struct place p = {0};
	struct stat st;
	int rc = place_find(given, &p);

	if (rc)
		say("%s: %s", given, strerror(-rc));
	else if (!p.point || !p.inside)
		rc = place_say_not_on_mount(&p);
	else if (!p.inside[0]) /* the whole lake's */
		rc = asprintf(out, "%s/" VERSION_MARK, p.path) < 0 ? -ENOMEM : 0;
	else if (!lstat(p.path, &st) && !S_ISDIR(st.st_mode)) {
		say("%s: not a folder, moments are of folders", p.path);
		rc = -ENOTDIR;
	} else {
		rc = asprintf(out, "%s" VERSION_MARK, p.path) < 0 ? -ENOMEM : 0;
	}
	return rc;
}

static int add(struct moments *m, const char *folder, const char *name)
{
	struct moment *grown = reallocarray(m->list, (size_t)m->n + 1, sizeof(*grown)), new = {0};
	_cleanup_buf_ struct buf path = BUF_INIT;
	char text[64];
	struct which w;
	ssize_t n;

	if (!grown)
		return -ENOMEM;
	m->list = grown;
	which_moment(name, &w);
	new.label = w.kind == WHICH_LABEL;
	new.name = strdup(name);
	buf_addf(&path, "%s/%s", folder, name);
	if (!new.name || buf_error(&path)) {
		free(new.name);
		return -ENOMEM;
	}
	n = getxattr(buf_str(&path), "user.tarn.commit", text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	new.commit = strtoull(text, NULL, 10);
	n = getxattr(buf_str(&path), "user.tarn.time", text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	if (!new.label)
		new.time = w.time;
	else if (time_parse(text, &new.time))
		new.time = 0;
	m->list[m->n++] = new;
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	return x->time != y->time ? (x->time < y->time ? 1 : -1) : strcmp(x->name, y->name);
}

int moments_read(const char *path, struct moments *out)
{
	_cleanup_closedir_ DIR *d = opendir(path);
	struct dirent *e;
	int rc = d ? 0 : -errno;

	*out = (struct moments){0};
	while (!rc && (errno = 0, e = readdir(d))) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			rc = add(out, path, e->d_name);
	}
	if (!rc && errno)
		rc = -errno;
	if (rc)
		moments_release(out);
	else if (out->n)
		qsort(out->list, (size_t)out->n, sizeof(*out->list), newest_first);
	return rc;
}

void moments_release(struct moments *m)
{
	for (int i = 0; i < m->n; i++)
		free(m->list[i].name);
	free(m->list);
	*m = (struct moments){0};
}
