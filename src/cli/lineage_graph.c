#include "cli/lineage_graph.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/full_io.h"
#include "cli/human.h"

static void add_name(struct buf *path, const char *inside)
{
	for (; *inside; inside++) {
		if (*inside == '/' || *inside == '%')
			buf_adds(path, *inside == '/' ? "%2F" : "%25");
		else
			buf_addc(path, *inside);
	}
}

static int parse(struct lineage_graph *g, char *text)
{
	char *save, *line = strtok_r(text, "\n", &save);
	int rc = 0;

	for (; line && !rc; line = strtok_r(NULL, "\n", &save)) {
		struct json_object *o = json_tokener_parse(line);

		if (o && json_object_object_get_ex(o, "TRUNCATED", NULL)) {
			g->cut = true;
			json_object_put(o);
			continue;
		}
		rc = o ? array_grow(&g->lines, g->n, &g->room, sizeof(*g->lines)) : -EBADMSG;
		if (!rc)
			g->lines[g->n++] = o;
		else
			json_object_put(o);
	}
	return rc ? rc : g->n ? 0 : -EBADMSG;
}

int lineage_graph_read(const char *point, const char *inside, bool down, bool all, struct lineage_graph *g)
{
	_cleanup_buf_ struct buf path = BUF_INIT, text = BUF_INIT;
	int rc;

	g->down = down;
	buf_addf(&path, "%s/.lineage/of/", point);
	add_name(&path, inside);
	buf_addf(&path, "/%s%s.jsonl", down ? "down" : "up", all ? "-all" : "");
	rc = buf_error(&path) ? -ENOMEM : read_file_at(AT_FDCWD, buf_str(&path), &text);
	if (!rc && !text.len)
		rc = -EBADMSG;
	return rc ? rc : parse(g, text.data);
}

void lineage_graph_release(struct lineage_graph *g)
{
	for (size_t i = 0; i < g->n; i++)
		json_object_put(g->lines[i]);
	free(g->lines);
}

const char *line_text(struct json_object *line, const char *member)
{
	struct json_object *o = json_object_object_get(line, member);

	return o && json_object_is_type(o, json_type_string) ? json_object_get_string(o) : "";
}

long long line_number(struct json_object *line, const char *member)
{
	struct json_object *o = json_object_object_get(line, member);

	return o ? json_object_get_int64(o) : 0;
}

static long long version_of(struct json_object *line, const char *end)
{
	return line_number(line, !strcmp(end, "input") ? "input_version" : "output_version");
}

bool line_meets(struct json_object *a, const char *end, struct json_object *b, const char *other)
{
	return version_of(a, end) == version_of(b, other) && !strcmp(line_text(a, end), line_text(b, other));
}

void line_add_version(struct buf *to, struct json_object *line, const char *end)
{
	human_name(to, line_text(line, end));
	buf_addf(to, "@v%lld", version_of(line, end));
}

void line_add_command(struct buf *to, struct json_object *line, size_t most)
{
	struct json_object *run = json_object_object_get(line, "run"), *argv;
	_cleanup_buf_ struct buf words = BUF_INIT;
	const char *exe = run ? line_text(run, "exe") : "", *name = strrchr(exe, '/');

	argv = run ? json_object_object_get(run, "argv") : NULL;
	for (size_t i = 0; argv && i < json_object_array_length(argv); i++)
		buf_addf(&words, "%s%s", i ? " " : "", json_object_get_string(json_object_array_get_idx(argv, i)));
	if (!words.len)
		buf_adds(&words, exe[0] ? (name ? name + 1 : exe) : "unknown");
	if (words.len > most) {
		while (most > 3 && ((unsigned char)words.data[most - 3] & 0xc0) == 0x80)
			most--;
		words.data[most - 3] = '\0';
		buf_clear(&words);
		words.len = strlen(words.data);
		buf_adds(&words, "...");
	}
	human_name(to, buf_str(&words));
}

void line_add_user(struct buf *to, struct json_object *line)
{
	struct json_object *run = json_object_object_get(line, "run");
	uid_t uid = run ? (uid_t)line_number(run, "uid") : 0;
	struct passwd *pw = getpwuid(uid);

	if (pw)
		buf_adds(to, pw->pw_name);
	else
		buf_addf(to, "%u", (unsigned)uid);
}
