/*
 * A description as JSON and back. One table says which text has which key, for a column and for the whole, so that both
 * directions agree; order and meaning are those of description.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "sniff/description.h"

#define DEPTH 8

struct text_key {
	const char *key;
	size_t offset; /* of a char * */
};

#define KEY(type, member)                              \
	{                                              \
#member, offsetof(struct type, member) \
	}

static const struct text_key column_names[] = {KEY(column, name), KEY(column, table), KEY(column, type)};
static const struct text_key column_values[] = {KEY(column, min), KEY(column, max), KEY(column, mean), KEY(column, std),
						KEY(column, q25), KEY(column, q50), KEY(column, q75)};
static const struct text_key column_pii[] = {KEY(column, pii)};
static const struct text_key description_names[] = {KEY(description, format), KEY(description, mime),
						    KEY(description, compression)};
static const struct text_key description_encoding[] = {KEY(description, encoding)};
static const struct text_key description_ends[] = {KEY(description, unreadable)};
static const struct text_key description_bulk[] = {KEY(description, text), KEY(description, sample)};

#define KEYS(list) list, sizeof(list) / sizeof((list)[0])

static char **text_at(const void *of, const struct text_key *k)
{
	return (char **)((char *)(uintptr_t)of + k->offset);
}

/* ---- writing ---- */

static void add_key(struct buf *b, const char *key)
{
	if (b->len && b->data[b->len - 1] != '{')
		buf_addc(b, ',');
	buf_addf(b, "\"%s\":", key);
}

static void add_text(struct buf *b, const char *key, const char *text)
{
	if (!text)
		return;
	add_key(b, key);
	buf_add_json(b, text, strlen(text));
}

static void add_texts(struct buf *b, const void *of, const struct text_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_text(b, keys[i].key, *text_at(of, &keys[i]));
}

static void add_character(struct buf *b, const char *key, char c)
{
	if (!c)
		return;
	add_key(b, key);
	buf_add_json(b, &c, 1);
}

static void add_flag(struct buf *b, const char *key, bool on)
{
	if (!on)
		return;
	add_key(b, key);
	buf_adds(b, "true");
}

static void add_number(struct buf *b, const char *key, uint64_t n)
{
	add_key(b, key);
	buf_addf(b, "%" PRIu64, n);
}

static void add_tables(struct buf *b, const struct description *d)
{
	if (!d->ntables)
		return;
	add_key(b, "tables");
	for (size_t i = 0; i < d->ntables; i++) {
		buf_adds(b, i ? ",{" : "[{");
		add_text(b, "name", d->tables[i].name);
		if (d->tables[i].rows >= 0)
			add_number(b, "rows", (uint64_t)d->tables[i].rows);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

static void add_top(struct buf *b, const struct column *c)
{
	if (!c->ntop)
		return;
	add_key(b, "top");
	for (size_t i = 0; i < c->ntop; i++) {
		buf_adds(b, i ? ",{" : "[{");
		add_text(b, "value", c->top[i].value);
		add_number(b, "count", c->top[i].count);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

static void add_column(struct buf *b, const struct column *c)
{
	buf_addc(b, '{');
	add_texts(b, c, KEYS(column_names));
	add_flag(b, "not_null", c->not_null);
	if (c->count) {
		add_number(b, "count", c->count);
		add_number(b, "nulls", c->nulls);
		if (c->distinct || c->nulls == c->count)
			add_number(b, "distinct", c->distinct);
		add_flag(b, "approximate", c->approximate);
	}
	add_texts(b, c, KEYS(column_values));
	add_top(b, c);
	add_texts(b, c, KEYS(column_pii));
	buf_addc(b, '}');
}

static void add_columns(struct buf *b, const struct description *d)
{
	if (!d->ncolumns)
		return;
	add_key(b, "columns");
	for (size_t i = 0; i < d->ncolumns; i++) {
		buf_addc(b, i ? ',' : '[');
		add_column(b, &d->columns[i]);
	}
	buf_addc(b, ']');
}

static void add_facts(struct buf *b, const struct description *d)
{
	if (!d->nfacts)
		return;
	add_key(b, "facts");
	buf_addc(b, '{');
	for (size_t i = 0; i < d->nfacts; i++) {
		if (i)
			buf_addc(b, ',');
		buf_add_json(b, d->facts[i].key, strlen(d->facts[i].key));
		buf_addc(b, ':');
		buf_add_json(b, d->facts[i].value, strlen(d->facts[i].value));
	}
	buf_addc(b, '}');
}

void description_add_json(struct buf *b, const struct description *d, bool whole)
{
	buf_addc(b, '{');
	add_text(b, "kind", described_name(d->kind));
	add_texts(b, d, KEYS(description_names));
	add_character(b, "delimiter", d->delimiter);
	add_character(b, "quote", d->quote);
	add_flag(b, "header", d->header);
	add_texts(b, d, KEYS(description_encoding));
	if (d->rows >= 0)
		add_number(b, "rows", (uint64_t)d->rows);
	add_flag(b, "rows_estimated", d->rows_estimated);
	add_flag(b, "sampled", d->sampled);
	add_tables(b, d);
	add_columns(b, d);
	add_facts(b, d);
	add_texts(b, d, KEYS(description_ends));
	if (whole)
		add_texts(b, d, KEYS(description_bulk));
	buf_addc(b, '}');
}

/* ---- reading ---- */

static struct json_object *get(struct json_object *o, const char *key, enum json_type type)
{
	struct json_object *value;

	return json_object_object_get_ex(o, key, &value) && json_object_is_type(value, type) ? value : NULL;
}

static int take_texts(struct json_object *o, void *to, const struct text_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct json_object *v = get(o, keys[i].key, json_type_string);

		if (v && description_set_bytes(text_at(to, &keys[i]), json_object_get_string(v),
					       (size_t)json_object_get_string_len(v)))
			return -ENOMEM;
	}
	return 0;
}

static char take_character(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key, json_type_string);
	const char *text = v ? json_object_get_string(v) : "";

	return (unsigned char)text[0] < 0x80 && text[0] && !text[1] ? text[0] : '\0';
}

static bool take_flag(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key, json_type_boolean);

	return v && json_object_get_boolean(v);
}

static int64_t take_number(struct json_object *o, const char *key, int64_t without)
{
	struct json_object *v = get(o, key, json_type_int);
	int64_t n = v ? json_object_get_int64(v) : without;

	return n < 0 ? without : n;
}

static size_t length(struct json_object *array)
{
	return array ? json_object_array_length(array) : 0;
}

static int take_tables(struct json_object *o, struct description *d)
{
	struct json_object *list = get(o, "tables", json_type_array);

	for (size_t i = 0; i < length(list); i++) {
		struct json_object *t = json_object_array_get_idx(list, i);
		struct json_object *name = get(t, "name", json_type_string);

		if (name && description_add_table(d, json_object_get_string(name), take_number(t, "rows", -1)))
			return -ENOMEM;
	}
	return 0;
}

static int take_top(struct json_object *o, struct column *c)
{
	struct json_object *list = get(o, "top", json_type_array);

	for (size_t i = 0; i < length(list); i++) {
		struct json_object *t = json_object_array_get_idx(list, i);
		struct json_object *v = get(t, "value", json_type_string);

		if (v && column_add_top(c, json_object_get_string(v), (size_t)json_object_get_string_len(v),
					(uint64_t)take_number(t, "count", 0)))
			return -ENOMEM;
	}
	return 0;
}

static int take_column(struct json_object *o, struct description *d)
{
	struct column *c;

	if (!get(o, "name", json_type_string) || !get(o, "type", json_type_string))
		return 0;
	c = description_add_column(d, "", 0, "");
	if (!c)
		return -ENOMEM;
	c->not_null = take_flag(o, "not_null");
	c->count = (uint64_t)take_number(o, "count", 0);
	c->nulls = (uint64_t)take_number(o, "nulls", 0);
	c->distinct = (uint64_t)take_number(o, "distinct", 0);
	c->approximate = take_flag(o, "approximate");
	if (take_texts(o, c, KEYS(column_names)) || take_texts(o, c, KEYS(column_values)) ||
	    take_texts(o, c, KEYS(column_pii)))
		return -ENOMEM;
	return take_top(o, c);
}

static int take_columns(struct json_object *o, struct description *d)
{
	struct json_object *list = get(o, "columns", json_type_array);
	int rc = 0;

	for (size_t i = 0; i < length(list) && d->ncolumns < DESCRIPTION_COLUMNS_MAX && !rc; i++)
		rc = take_column(json_object_array_get_idx(list, i), d);
	return rc;
}

static int take_facts(struct json_object *o, struct description *d)
{
	struct json_object *facts = get(o, "facts", json_type_object);
	struct json_object_iterator i, end;

	if (!facts)
		return 0;
	end = json_object_iter_end(facts);
	for (i = json_object_iter_begin(facts); !json_object_iter_equal(&i, &end); json_object_iter_next(&i)) {
		struct json_object *v = json_object_iter_peek_value(&i);

		if (json_object_is_type(v, json_type_string) &&
		    description_add_fact(d, json_object_iter_peek_name(&i), json_object_get_string(v)))
			return -ENOMEM;
	}
	return 0;
}

static void take_kind(struct json_object *o, struct description *d)
{
	struct json_object *v = get(o, "kind", json_type_string);
	const char *name;

	for (int i = 0; v && (name = described_name(i)); i++)
		if (!strcmp(name, json_object_get_string(v)))
			d->kind = i;
}

static int take_all(struct json_object *o, struct description *d)
{
	int rc;

	take_kind(o, d);
	d->delimiter = take_character(o, "delimiter");
	d->quote = take_character(o, "quote");
	d->header = take_flag(o, "header");
	d->rows = take_number(o, "rows", -1);
	d->rows_estimated = take_flag(o, "rows_estimated");
	d->sampled = take_flag(o, "sampled");
	if (take_texts(o, d, KEYS(description_names)) || take_texts(o, d, KEYS(description_encoding)) ||
	    take_texts(o, d, KEYS(description_ends)) || take_texts(o, d, KEYS(description_bulk)))
		return -ENOMEM;
	rc = take_tables(o, d);
	if (!rc)
		rc = take_columns(o, d);
	return rc ? rc : take_facts(o, d);
}

static void free_tokener(struct json_tokener **t)
{
	if (*t)
		json_tokener_free(*t);
}

int description_parse(struct description *d, const char *json, size_t len)
{
	_cleanup_(free_tokener) struct json_tokener *tokener = NULL;
	_cleanup_json_ struct json_object *o = NULL;
	int rc;

	description_init(d);
	if (len > DESCRIPTION_JSON_MAX)
		return -EBADMSG;
	tokener = json_tokener_new_ex(DEPTH);
	if (!tokener)
		return -ENOMEM;
	o = json_tokener_parse_ex(tokener, json, (int)len);
	if (!json_object_is_type(o, json_type_object))
		return -EBADMSG;
	rc = take_all(o, d);
	if (rc) /* nothing half */
		description_release(d);
	return rc;
}
