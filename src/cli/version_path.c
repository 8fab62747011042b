#include "cli/version_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The last "@v" of all. */
static const char *any_mark(const char *path, const char *end)
{
	for (const char *p = end - 2; p >= path; p--) {
		if (p[0] == '@' && p[1] == 'v')
			return p;
	}
	return NULL;
}

int version_path_parse(const char *path, struct version_path *out)
{
	const char *end = path + strlen(path), *mark, *rest;

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
	out->subject = (size_t)(mark - path);
	out->whole_lake = mark == path || mark[-1] == '/';
	out->below = (size_t)((rest < end ? rest + 1 : end) - path);
	out->len = (size_t)(end - path);
	return 0;
}

int version_path_live(const char *path, char **out)
{
	struct version_path p;
	int subject, below, rc = version_path_parse(path, &p);

	if (rc)
		return rc;
	subject = (int)p.subject;
	below = (int)(p.len - p.below);
	if (p.whole_lake && !below && subject > 1)
		subject--; /* the slash */
	if (asprintf(out, "%.*s%s%.*s", subject, path, below && !p.whole_lake ? "/" : "", below, path + p.below) < 0)
		return -ENOMEM;
	return 0;
}
