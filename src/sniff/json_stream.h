/*
 * JSON values one by one, out of a stream: those of a list at the top, or those that follow each other (JSON lines).
 * In bounded memory: only one of them is held, of at most JSON_VALUE_MAX bytes and JSON_DEPTH levels.
 */
#ifndef TARN_SNIFF_JSON_STREAM_H
#define TARN_SNIFF_JSON_STREAM_H

#include <json-c/json.h>

#include "sniff/input.h"

#define JSON_VALUE_MAX (8 << 20)
#define JSON_DEPTH 64

enum json_layout { JSON_NOTHING, JSON_LIST, JSON_ONE, JSON_SEVERAL };

/* VALUE is borrowed, NULL for null. Not 0 ends it, and is returned. */
typedef int (*json_value_fn)(void *arg, struct json_object *value);

/*
 * All values of IN from its beginning. *LAYOUT: how they lie there. 0; FN's answer; -EBADMSG: it is no JSON, or ends in
 * the middle; -EFBIG: above a limit; -ENOMEM; -errno.
 */
int json_read(struct input *in, enum json_layout *layout, json_value_fn fn, void *arg);

#endif
