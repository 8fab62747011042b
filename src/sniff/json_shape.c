#include "sniff/json_shape.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define UUID_LENGTH 36

/* ---- texts ---- */

static bool is_uuid(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? p[i] != '-' : !isxdigit((unsigned char)p[i]))
			return false;
	}
	return len == UUID_LENGTH;
}

/* Written in full, as ISO 8601 has it: 2024-01-01, 10:00:00, 2024-01-01T10:00:00Z. */
static enum json_class class_of_text(const char *p, size_t len)
{
	struct value_formats f = {0};
	struct value v;

	if (is_uuid(p, len))
		return JSON_UUID;
	if (len < 8 || len > 40)
		return JSON_TEXT;
	if (p[2] == ':' && p[5] == ':' && value_parse(VALUE_TIME, &f, p, len, &v))
		return JSON_TIME;
	if (p[4] != '-' || p[7] != '-')
		return JSON_TEXT;
	if (len == 10 && value_widen(VALUE_DATE, &f, p, len) == VALUE_DATE)
		return JSON_DATE;
	if (len >= 19 && p[16] == ':' && value_parse(VALUE_TIMESTAMPTZ, &f, p, len, &v))
		return JSON_TIMESTAMP;
	return JSON_TEXT;
}

static enum json_class class_of(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return JSON_UNKNOWN;
	case json_type_boolean:
		return JSON_BOOLEAN;
	case json_type_double:
		return JSON_DOUBLE;
	case json_type_int:
		if (json_object_get_int64(value) < 0)
			return JSON_NEGATIVE;
		return json_object_get_uint64(value) > INT64_MAX ? JSON_HUGER : JSON_BIGINT;
	case json_type_object:
		return JSON_STRUCT;
	case json_type_array:
		return JSON_ARRAY;
	case json_type_string:
		return class_of_text(json_object_get_string(value), (size_t)json_object_get_string_len(value));
	}
	return JSON_MIXED;
}

static bool is_text(enum json_class c)
{
	return c >= JSON_DATE && c <= JSON_TEXT;
}

static bool is_number(enum json_class c)
{
	return c >= JSON_BIGINT && c <= JSON_DOUBLE;
}

static enum json_class wider(enum json_class a, enum json_class b)
{
	if (a == b || b == JSON_UNKNOWN)
		return a;
	if (a == JSON_UNKNOWN)
		return b;
	if (is_number(a) && is_number(b)) {
		enum json_class more = a > b ? a : b;

		return more == JSON_NEGATIVE ? JSON_HUGEINT : more;
	}
	if (is_text(a) && is_text(b))
		return JSON_TEXT;
	return JSON_MIXED;
}

/* ---- members ---- */

struct json_shape *json_shape_member(struct json_shape *t, const char *name, size_t hint)
{
	if (hint < t->n && !strcmp(t->members[hint].name, name))
		return &t->members[hint];
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->members[i].name, name))
			return &t->members[i];
	if (array_grow(&t->members, t->n, &t->room, sizeof(*t->members)))
		return NULL;
	t->members[t->n] = (struct json_shape){.name = strdup(name)};
	return t->members[t->n].name ? &t->members[t->n++] : NULL;
}

static void release_members(struct json_shape *t)
{
	for (size_t i = 0; i < t->n; i++)
		json_shape_release(&t->members[i]);
	free(t->members);
	t->members = NULL;
	t->n = t->room = 0;
}

void json_shape_release(struct json_shape *t)
{
	release_members(t);
	free(t->name);
	t->name = NULL;
}

/* One more if there is none yet; false when there are too many. */
static bool may_make(unsigned *budget)
{
	if (!*budget)
		return false;
	--*budget;
	return true;
}

static int widen_struct(struct json_shape *t, struct json_object *value, unsigned *budget)
{
	struct json_object_iterator i = json_object_iter_begin(value), end = json_object_iter_end(value);
	size_t at = 0;

	for (; !json_object_iter_equal(&i, &end); json_object_iter_next(&i), at++) {
		size_t before = t->n;
		struct json_shape *m;
		int rc;

		if (t->n > JSON_MEMBERS_MAX) /* a MAP: which members it has is of no interest */
			return 0;
		m = json_shape_member(t, json_object_iter_peek_name(&i), at);
		if (!m)
			return -ENOMEM;
		if (t->n > before && !may_make(budget))
			m->class = JSON_MIXED;
		rc = json_shape_widen(m, json_object_iter_peek_value(&i), budget);
		if (rc)
			return rc;
	}
	return 0;
}

static int widen_array(struct json_shape *t, struct json_object *value, unsigned *budget)
{
	struct json_shape *m = json_shape_member(t, "", 0);
	int rc = m ? 0 : -ENOMEM;

	for (size_t i = 0; i < json_object_array_length(value) && !rc; i++)
		rc = json_shape_widen(m, json_object_array_get_idx(value, i), budget);
	return rc;
}

int json_shape_widen(struct json_shape *t, struct json_object *value, unsigned *budget)
{
	t->class = wider(t->class, class_of(value));
	if (value && t->class == JSON_STRUCT)
		return widen_struct(t, value, budget);
	if (value && t->class == JSON_ARRAY)
		return widen_array(t, value, budget);
	if (t->class == JSON_MIXED)
		release_members(t);
	return 0;
}

/* ---- printing ---- */

/* Names that DuckDB quotes: what is no identifier, and keywords, of which these are usual as names. */
static bool is_quoted(const char *name)
{
	static const char *const keywords[] = {
		"all",	     "and",	   "any",    "array",	  "as",	    "asc",     "between",  "by",
		"case",	     "char",	   "check",  "column",	  "create", "decimal", "default",  "desc",
		"distinct",  "end",	   "exists", "false",	  "float",  "for",     "foreign",  "from",
		"generated", "group",	   "having", "in",	  "int",    "integer", "interval", "into",
		"is",	     "join",	   "left",   "like",	  "limit",  "map",     "natural",  "not",
		"null",	     "numeric",	   "offset", "on",	  "or",	    "order",   "position", "precision",
		"primary",   "references", "right",  "row",	  "select", "setof",   "some",	   "struct",
		"table",     "then",	   "time",   "timestamp", "to",	    "true",    "type",	   "types",
		"union",     "unique",	   "user",   "using",	  "values", "when",    "where",	   "with",
	};

	if (!isalpha((unsigned char)name[0]) && name[0] != '_')
		return true;
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_')
			return true;
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (!strcasecmp(keywords[i], name))
			return true;
	return false;
}

void json_shape_print_name(struct buf *b, const char *name)
{
	if (!is_quoted(name)) {
		buf_adds(b, name);
		return;
	}
	buf_addc(b, '"');
	for (const char *p = name; *p; p++) {
		if (*p == '"')
			buf_addc(b, '"');
		buf_addc(b, *p);
	}
	buf_addc(b, '"');
}

static void print_struct(struct buf *b, const struct json_shape *t)
{
	if (!t->n || t->n > JSON_MEMBERS_MAX) {
		buf_adds(b, "MAP(VARCHAR, JSON)");
		return;
	}
	buf_adds(b, "STRUCT(");
	for (size_t i = 0; i < t->n; i++) {
		if (i)
			buf_adds(b, ", ");
		json_shape_print_name(b, t->members[i].name);
		buf_addc(b, ' ');
		json_shape_print(b, &t->members[i]);
	}
	buf_addc(b, ')');
}

void json_shape_print(struct buf *b, const struct json_shape *t)
{
	static const char *const names[] = {
		[JSON_UNKNOWN] = "JSON",	[JSON_BOOLEAN] = "BOOLEAN", [JSON_BIGINT] = "BIGINT",
		[JSON_NEGATIVE] = "BIGINT",	[JSON_HUGEINT] = "HUGEINT", [JSON_HUGER] = "HUGEINT",
		[JSON_DOUBLE] = "DOUBLE",	[JSON_DATE] = "DATE",	    [JSON_TIME] = "TIME",
		[JSON_TIMESTAMP] = "TIMESTAMP", [JSON_UUID] = "UUID",	    [JSON_TEXT] = "VARCHAR",
		[JSON_MIXED] = "JSON",
	};

	if (t->class == JSON_STRUCT) {
		print_struct(b, t);
	} else if (t->class == JSON_ARRAY) {
		if (t->n)
			json_shape_print(b, &t->members[0]);
		buf_adds(b, t->n ? "[]" : "JSON[]");
	} else {
		buf_adds(b, names[t->class]);
	}
}

enum value_type json_shape_value(const struct json_shape *t)
{
	switch (t->class) {
	case JSON_BOOLEAN:
		return VALUE_BOOLEAN;
	case JSON_BIGINT:
	case JSON_NEGATIVE:
	case JSON_HUGEINT:
		return VALUE_BIGINT;
	case JSON_HUGER:
	case JSON_DOUBLE:
		return VALUE_DOUBLE;
	case JSON_DATE:
		return VALUE_DATE;
	case JSON_TIME:
		return VALUE_TIME;
	case JSON_TIMESTAMP:
		return VALUE_TIMESTAMPTZ;
	default:
		return VALUE_VARCHAR;
	}
}
