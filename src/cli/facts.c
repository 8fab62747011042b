#include "cli/facts.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/human.h"
#include "cli/table.h"

static void new_line(struct buf *b, int indent)
{
	if (indent < 0)
		return;
	buf_addc(b, '\n');
	for (int i = 0; i < indent; i++)
		buf_adds(b, "  ");
}

static void add_object(struct buf *b, struct json_object *o, int indent)
{
	int inner = indent < 0 ? indent : indent + 1, n = 0;

	buf_addc(b, '{');
	json_object_object_foreach(o, key, value)
	{
		if (n++)
			buf_adds(b, indent < 0 ? ", " : ",");
		new_line(b, inner);
		buf_add_json(b, key, strlen(key));
		buf_adds(b, ": ");
		json_add(b, value, inner);
	}
	if (n)
		new_line(b, indent);
	buf_addc(b, '}');
}

static void add_array(struct buf *b, struct json_object *o, int indent)
{
	int inner = indent < 0 ? indent : indent + 1;
	size_t n = json_object_array_length(o);

	buf_addc(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_adds(b, indent < 0 ? ", " : ",");
		new_line(b, inner);
		json_add(b, json_object_array_get_idx(o, i), inner);
	}
	if (n)
		new_line(b, indent);
	buf_addc(b, ']');
}

void json_add(struct buf *b, struct json_object *o, int indent)
{
	switch (json_object_get_type(o)) {
	case json_type_object:
		add_object(b, o, indent);
		break;
	case json_type_array:
		add_array(b, o, indent);
		break;
	case json_type_string:
		buf_add_json(b, json_object_get_string(o), (size_t)json_object_get_string_len(o));
		break;
	default:
		buf_adds(b, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	}
}

int json_print(struct json_object *o)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	json_add(&b, o, 0);
	buf_addc(&b, '\n');
	if (!buf_error(&b))
		fwrite(b.data, 1, b.len, stdout);
	return buf_error(&b);
}

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len >= n && !strcmp(s + len - n, end);
}

static bool is_size(const char *key)
{
	return ends_with(key, "bytes") || ends_with(key, "size");
}

static void add_words(struct buf *b, const char *key)
{
	for (; *key; key++)
		buf_addc(b, *key == '_' ? ' ' : *key);
}

static void add_value(struct buf *b, const char *key, struct json_object *value);

static void add_values(struct buf *b, const char *key, struct json_object *list)
{
	size_t n = json_object_array_length(list);

	for (size_t i = 0; i < n; i++) {
		buf_adds(b, i ? ", " : "");
		add_value(b, key, json_object_array_get_idx(list, i));
	}
	if (!n)
		buf_adds(b, "none");
}

static void add_facts(struct buf *b, const char *outer, struct json_object *object)
{
	int n = 0;

	json_object_object_foreach(object, key, value)
	{
		buf_adds(b, n++ ? ", " : "");
		add_words(b, key);
		buf_addc(b, ' ');
		/* {"versions_bytes": {"aside": 10}}: sizes, because of the outer key */
		add_value(b, is_size(outer) ? outer : key, value);
	}
	if (!n)
		buf_adds(b, "none");
}

static void add_value(struct buf *b, const char *key, struct json_object *value)
{
	int64_t ns;

	switch (json_object_get_type(value)) {
	case json_type_null:
		buf_adds(b, "-");
		break;
	case json_type_boolean:
		buf_adds(b, json_object_get_boolean(value) ? "yes" : "no");
		break;
	case json_type_int:
		if (is_size(key) && json_object_get_int64(value) >= 0)
			human_size(b, json_object_get_uint64(value));
		else
			buf_addf(b, "%" PRId64, json_object_get_int64(value));
		break;
	case json_type_double:
		buf_addf(b, "%.6g", json_object_get_double(value));
		break;
	case json_type_string:
		if (!time_parse(json_object_get_string(value), &ns))
			human_time(b, ns);
		else
			buf_adds(b, json_object_get_string(value));
		break;
	case json_type_array:
		add_values(b, key, value);
		break;
	case json_type_object:
		add_facts(b, key, value);
		break;
	}
}

int facts_print(struct json_object *facts, FILE *to)
{
	static const char *const headings[] = {"", "", NULL};
	_cleanup_table_ struct table t;

	table_init(&t, headings);
	json_object_object_foreach(facts, key, value)
	{
		_cleanup_buf_ struct buf words = BUF_INIT, text = BUF_INIT;

		add_words(&words, key);
		add_value(&text, key, value);
		table_add(&t, buf_str(&words));
		table_add(&t, buf_str(&text));
	}
	return table_print(&t, to);
}

const char *json_text(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

bool json_flag(struct json_object *object, const char *key)
{
	return json_object_get_boolean(json_object_object_get(object, key));
}

void json_add_text(struct json_object *object, const char *key, const char *text)
{
	if (text)
		json_object_object_add(object, key, json_object_new_string(text));
}

void json_add_number(struct json_object *object, const char *key, uint64_t n)
{
	json_object_object_add(object, key, json_object_new_int64((int64_t)n));
}

void json_add_skipped(struct json_object *list, const char *path, const char *why)
{
	struct json_object *o = json_object_new_object();

	json_add_text(o, "path", path);
	json_add_text(o, "why", why);
	json_object_array_add(list, o);
}

void findings_say(const struct findings *f)
{
	for (int i = 0; i < f->n; i++)
		say("%s%s", f->list[i].level == FINDING_WARNING ? "warning: " : "", f->list[i].text);
}

struct json_object *findings_to_json(const struct findings *f)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; list && i < f->n; i++) {
		struct json_object *one = json_object_new_object();

		json_object_object_add(one, "level",
				       json_object_new_string(f->list[i].level == FINDING_ERROR ? "error" : "warning"));
		json_object_object_add(one, "text", json_object_new_string(f->list[i].text));
		json_object_array_add(list, one);
	}
	return list;
}

void findings_say_json(struct json_object *list)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		const char *level = json_text(one, "level"), *text = json_text(one, "text");

		if (json_object_is_type(one, json_type_string))
			say("%s", json_object_get_string(one));
		else if (text)
			say("%s%s", level && !strcmp(level, "warning") ? "warning: " : "", text);
	}
}
