#include "tier/s3/ini.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

static char *trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	for (len = strlen(text); len && isspace((unsigned char)text[len - 1]); len--)
		text[len - 1] = '\0';
	return text;
}

/* "[NAME]", with any spaces inside. */
static bool is_section(char *line, const char *section)
{
	char *end = strchr(line, ']');

	if (!end)
		return false;
	*end = '\0';
	return strcmp(trim(line + 1), section) == 0;
}

/* The line's value where it is that of NAME, else NULL. An indented line belongs to a nested setting. */
static char *value_of(char *line, const char *name)
{
	char *equals = strchr(line, '=');

	if (!equals || isspace((unsigned char)line[0]))
		return NULL;
	*equals = '\0';
	return strcasecmp(trim(line), name) == 0 ? trim(equals + 1) : NULL;
}

int ini_get(const char *file, const char *section, const char *name, char *value, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen(file, "re");
	char *line = NULL;
	size_t room = 0;
	bool inside = false;
	int r = 0;

	value[0] = '\0';
	if (!f)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	while (r == 0 && getline(&line, &room, f) >= 0) {
		const char *found = NULL;

		if (line[0] == '#' || line[0] == ';')
			continue;
		if (line[0] == '[')
			inside = is_section(line, section);
		else if (inside)
			found = value_of(line, name);
		if (found && strlen(found) >= size)
			r = -E2BIG;
		else if (found)
			memcpy(value, found, strlen(found) + 1);
	}
	if (r == 0 && ferror(f))
		r = -EIO;
	if (line)
		explicit_bzero(line, room);
	free(line);
	return r;
}
