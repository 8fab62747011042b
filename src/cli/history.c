#include "cli/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/facts.h"

static int add_line(struct history *h, const char *text, size_t len)
{
	struct history_line *grown = reallocarray(h->lines, (size_t)h->n + 1, sizeof(*grown));
	struct history_line line;

	if (!grown)
		return -ENOMEM;
	h->lines = grown;
	line.object = control_parse(text, len);
	line.text = strndup(text, len);
	if (line.object && line.text) {
		h->lines[h->n++] = line;
		return 0;
	}
	json_object_put(line.object);
	free(line.text);
	return line.text ? -EBADMSG : -ENOMEM;
}

/* A real folder of that name wins over the one that lists the versions. */
static bool is_hidden(const char *path)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct stat st;

	buf_addf(&name, "%s@v", path);
	return !buf_error(&name) && !lstat(buf_str(&name), &st);
}

void history_say(const char *path, int rc)
{
	struct stat st;
	bool there = !lstat(path, &st);

	if (there && S_ISLNK(st.st_mode))
		say("%s: a symbolic link, versions are of files", path);
	else if (rc == -ENOENT && is_hidden(path))
		say("%s@v: is there as such and hides the list of versions, which are %s@v1, %s@v-1 …", path, path,
		    path);
	else if (rc == -ENOENT && there)
		say("%s: has no history (its bucket or its name is left out, or synth=off)", path);
	else if (rc == -ENOENT)
		say("%s: no such file, and no history of one (a renamed file has it under its new name)", path);
	else
		say("%s@v/history.jsonl: %s", path, strerror(-rc));
}

int history_read(const char *path, struct history *out)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int rc = 0;

	*out = (struct history){0};
	buf_addf(&name, "%s@v/history.jsonl", path);
	f = buf_error(&name) ? NULL : fopen(buf_str(&name), "re");
	if (!f)
		return buf_error(&name) ? -ENOMEM : -errno;
	while (!rc && (n = getline(&line, &room, f)) >= 0) {
		size_t len = (size_t)n - (n > 0 && line[n - 1] == '\n');

		if (len)
			rc = add_line(out, line, len);
	}
	if (!rc && ferror(f))
		rc = -EIO;
	if (rc)
		history_release(out);
	return rc;
}

void history_release(struct history *h)
{
	for (int i = 0; i < h->n; i++) {
		free(h->lines[i].text);
		json_object_put(h->lines[i].object);
	}
	free(h->lines);
	*h = (struct history){0};
}

bool history_readable(struct json_object *line)
{
	const char *state = json_text(line, "state");

	return state && (!strcmp(state, "live") || !strcmp(state, "kept") || !strcmp(state, "partial"));
}
