#include "cli/version_path.h"

#include <errno.h>
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
