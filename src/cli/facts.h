/*
 * Facts, as JSON and as a table. A fact that the daemon adds to its answer appears in both without a change here:
 *
 *	a key ending in "bytes" or "size"	shown as people read sizes
 *	a text that is an RFC 3339 time		local time
 *	true, false				yes, no
 *	an object				its facts in one line: "aside 3, prefix 0"
 *	an array				its values, comma between
 *	_ in a key				a space
 */
#ifndef TARN_CLI_FACTS_H
#define TARN_CLI_FACTS_H

#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "config/settings.h"

/* JSON with every name intact (buf_add_json), indented by INDENT levels; -1: in one line. */
void json_add(struct buf *b, struct json_object *o, int indent);
/* One value and a newline on standard output. 0 or -errno. */
int json_print(struct json_object *o);
/* One line per fact, keys left, values right of them. 0 or -ENOMEM. */
int facts_print(struct json_object *facts, FILE *to);

/* Borrowed; NULL when OBJECT has no text of this name. */
const char *json_text(struct json_object *object, const char *key);
/* False when OBJECT has nothing of this name, too. */
bool json_flag(struct json_object *object, const char *key);
/* OBJECT gets a value; a text that is NULL is left out. */
void json_add_text(struct json_object *object, const char *key, const char *text);
void json_add_number(struct json_object *object, const char *key, uint64_t n);
/* LIST gets a line about what was left out: {"path": …, "why": …}. */
void json_add_skipped(struct json_object *list, const char *path, const char *why);

/* What was found in settings.yaml, one line each on standard error. */
void findings_say(const struct findings *f);
/* The same on its way from the daemon: [{"level": "error", "text": "FILE:LINE:COL: …"}, …], or just the texts. */
struct json_object *findings_to_json(const struct findings *f);
void findings_say_json(struct json_object *list);

#endif
