/*
 * Which type has a column whose values are these JSON values: as DuckDB's read_json finds it. A type is narrow at
 * first, and widens with each value that does not fit: BIGINT, DOUBLE; a STRUCT gets members; what cannot be one is
 * JSON.
 */
#ifndef TARN_SNIFF_JSON_SHAPE_H
#define TARN_SNIFF_JSON_SHAPE_H

#include <json-c/json.h>

#include "base/buf.h"
#include "sniff/value.h"

#define JSON_MEMBERS_MAX 200 /* of a STRUCT; what has more is a MAP */
#define JSON_TYPES_MAX 20000 /* in one tree */

struct json_shape {
	enum json_class {
		JSON_UNKNOWN,
		JSON_BOOLEAN,
		JSON_BIGINT,   /* none below zero */
		JSON_NEGATIVE, /* all below zero */
		JSON_HUGEINT,  /* some of each: DuckDB's reader takes the type that has both */
		JSON_HUGER,    /* above INT64_MAX */
		JSON_DOUBLE,
		JSON_DATE,
		JSON_TIME,
		JSON_TIMESTAMP,
		JSON_UUID,
		JSON_TEXT,
		JSON_STRUCT,
		JSON_ARRAY,
		JSON_MIXED,
	} class;
	char *name;		    /* of a member */
	struct json_shape *members; /* of a STRUCT; of an ARRAY: what its elements are */
	size_t n, room;
};

/* VALUE (NULL: null) is one of them, too. *BUDGET: types that may still be made; then they are JSON. 0 or -ENOMEM. */
int json_shape_widen(struct json_shape *t, struct json_object *value, unsigned *budget);
/* The member, made if it is not there; NULL: out of memory. It is valid until the next one is made. HINT: where it is
 * looked for first. */
struct json_shape *json_shape_member(struct json_shape *t, const char *name, size_t hint);
void json_shape_release(struct json_shape *t);

void json_shape_print(struct buf *b, const struct json_shape *t);
/* A member's name within a STRUCT, quoted where DuckDB does. */
void json_shape_print_name(struct buf *b, const char *name);
/* As what its values are compared. */
enum value_type json_shape_value(const struct json_shape *t);

#endif
