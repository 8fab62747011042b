/*
 * The history of a file as the mount tells it: F@v/history.jsonl.
 */
#ifndef TARN_CLI_HISTORY_H
#define TARN_CLI_HISTORY_H

#include <json-c/json.h>
#include <stdbool.h>

struct history {
	struct history_line {
		char *text; /* as it stands there */
		struct json_object *object;
	} * lines; /* in the file's order */
	int n;
};

/* PATH: absolute, on a mount. 0; -ENOENT; -EBADMSG: a line is no JSON object; -errno. */
int history_read(const char *path, struct history *out);
/* Says why reading it failed with RC. */
void history_say(const char *path, int rc);
void history_release(struct history *h);

/* Can this version be read: live, kept or partial? */
bool history_readable(struct json_object *line);

#endif
