#include "cli/version_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* The last "@v" between FROM and END, after at least one byte of a name. */
static const char *last_mark(const char *from, const char *end)
{
	for (const char *p = end - 2; p > from; p--) {
		if (p[0] == '@' && p[1] == 'v')
			return p;
	}
	return NULL;
}

static const char *component(const char *path, const char *end)
{
	while (end > path && end[-1] != '/')
		end--;
	return end;
}

int version_path_split(const char *path, char **file, char **which)
{
	const char *end = path + strlen(path), *name = component(path, end), *mark = last_mark(name, end);
	_cleanup_free_ char *f = NULL, *w = NULL;

	/* F@v/3.csv: the component before is the one that ends with the mark */
	if (!mark && name > path && name < end) {
		const char *above_end = name - 1, *above = component(path, above_end);

		mark = last_mark(above, above_end);
		if (!mark || mark + 2 != above_end)
			return -EINVAL;
	}
	if (!mark)
		return -EINVAL;
	f = strndup(path, (size_t)(mark - path));
	w = strdup(mark[2] == '/' ? mark + 3 : mark + 2);
	if (!f || !w)
		return -ENOMEM;
	if (!w[0] || strchr(w, '/'))
		return -EINVAL;
	*file = steal_ptr(&f);
	*which = steal_ptr(&w);
	return 0;
}

/* The last "@v" of all. */
static const char *any_mark(const char *path, const char *end)
{
	for (const char *p = end - 2; p >= path; p--) {
		if (p[0] == '@' && p[1] == 'v')
			return p;
	}
	return NULL;
}

int version_path_live(const char *path, char **out)
{
	const char *end = path + strlen(path), *mark, *rest;
	int len;

	while (end > path + 1 && end[-1] == '/')
		end--;
	mark = end - path < 3 ? NULL : any_mark(path, end);
	if (!mark)
		return -EINVAL;
	rest = mark + strcspn(mark, "/");
	if (rest == mark + 2) { /* D@v/MOMENT/… */
		if (rest >= end)
			return -EINVAL;
		rest += 1 + strcspn(rest + 1, "/");
	}
	if (rest > end)
		rest = end;
	len = (int)(mark - path);
	if (!len || mark[-1] == '/') { /* the whole lake's */
		rest += rest < end;
		len -= len > 1 && rest == end;
	}
	if (asprintf(out, "%.*s%.*s", len, path, (int)(end - rest), rest) < 0)
		return -ENOMEM;
	return 0;
}
