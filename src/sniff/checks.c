#include "sniff/checks.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum check_kind { CHECK_EXISTS, CHECK_TYPE, CHECK_NOT_NULL, CHECK_UNIQUE, CHECK_RANGE, CHECK_REGEX, CHECK_KEY, CHECKS };
static const char *const check_names[CHECKS] = {"exists", "type",  "nullable",	 "unique",
						"range",  "regex", "foreign_key"};

/* Values, as two hashes each: open addressing, a power of two. {0, 0} is an empty place. */
struct value_set {
	uint64_t (*slots)[2];
	size_t room, n;
};

struct one_check {
	bool on;
	uint64_t rows, failed, row;
	char *example;
	const char *note;
};

struct rule {
	const char *name, *type_name, *min, *max, *regex_text, *key_name; /* borrowed from the JSON */
	enum value_type type;
	struct value_formats formats;
	bool numeric;
	double low, high;
	regex_t regex;
	bool compiled;
	struct value_set seen;
	int64_t key; /* -1: none */
	size_t at;   /* its column in the rows; SIZE_MAX: there is none */
	struct one_check checks[CHECKS];
};

struct key {
	const char *file, *column;
	size_t at;
	bool looked;
	struct value_set values;
};

struct checks {
	struct json_object *json;
	struct rule *rules;
	size_t n;
	struct key *keys;
	size_t nkeys;
	size_t looking; /* SIZE_MAX: at the table itself */
	bool begun;	/* there were rows of it */
	uint64_t rows, remembered;
	bool full;
};

/* ---- sets of values ---- */

static void hash_value(const char *text, size_t len, uint64_t h[2])
{
	h[0] = UINT64_C(0xcbf29ce484222325);
	h[1] = UINT64_C(0x9e3779b97f4a7c15) ^ len;
	for (size_t i = 0; i < len; i++) {
		h[0] = (h[0] ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
		h[1] = (h[1] + (unsigned char)text[i]) * UINT64_C(0xff51afd7ed558ccd);
		h[1] ^= h[1] >> 29;
	}
	h[0] |= 1; /* never an empty place */
}

static size_t place_of(const struct value_set *s, const uint64_t h[2])
{
	size_t at = (h[0] ^ h[1]) & (s->room - 1);

	while (s->slots[at][0] && (s->slots[at][0] != h[0] || s->slots[at][1] != h[1]))
		at = (at + 1) & (s->room - 1);
	return at;
}

static int grow(struct value_set *s)
{
	struct value_set more = {.room = s->room ? s->room * 2 : 1024, .n = s->n};

	more.slots = calloc(more.room, sizeof(*more.slots));
	if (!more.slots)
		return -ENOMEM;
	for (size_t i = 0; i < s->room; i++)
		if (s->slots[i][0])
			memcpy(more.slots[place_of(&more, s->slots[i])], s->slots[i], sizeof(*s->slots));
	free(s->slots);
	*s = more;
	return 0;
}

static bool set_has(const struct value_set *s, const char *text, size_t len)
{
	uint64_t h[2];

	hash_value(text, len, h);
	return s->room && s->slots[place_of(s, h)][0];
}

/* 1: it is new; 0: it was there, or there is no more room in C; -ENOMEM. */
static int set_add(struct checks *c, struct value_set *s, const char *text, size_t len)
{
	uint64_t h[2];
	size_t at;

	if (s->n * 2 >= s->room && grow(s))
		return -ENOMEM;
	hash_value(text, len, h);
	at = place_of(s, h);
	if (s->slots[at][0])
		return 0;
	if (c->remembered >= CHECKS_DISTINCT) {
		c->full = true;
		return 1;
	}
	memcpy(s->slots[at], h, sizeof(h));
	s->n++;
	c->remembered++;
	return 1;
}

/* ---- rules ---- */

static void add_member(struct buf *b, const char *key, const char *value)
{
	if (!value)
		return;
	buf_addf(b, ",\"%s\":", key);
	buf_add_json(b, value, strlen(value));
}

static void add_rule(struct buf *b, const struct declared_column *c, int *keys)
{
	buf_adds(b, "{\"name\":");
	buf_add_json(b, c->name, strlen(c->name));
	add_member(b, "type", c->type);
	buf_adds(b, c->not_null ? ",\"not_null\":true" : "");
	buf_adds(b, c->unique ? ",\"unique\":true" : "");
	add_member(b, "min", c->min);
	add_member(b, "max", c->max);
	add_member(b, "regex", c->regex);
	if (c->key_table) {
		_cleanup_buf_ struct buf name = BUF_INIT;

		buf_addf(&name, "%s.%s", c->key_table, c->key_column);
		add_member(b, "key_name", buf_str(&name));
		buf_addf(b, ",\"key\":%d", (*keys)++);
	}
	buf_addc(b, '}');
}

void checks_add_rules(struct buf *b, const struct declared_table *t, const char *const *key_files)
{
	int keys = 0;

	buf_adds(b, "{\"columns\":[");
	for (size_t i = 0; i < t->ncolumns; i++) {
		buf_adds(b, i ? ",\n" : "");
		add_rule(b, &t->columns[i], &keys);
	}
	buf_adds(b, "],\n\"keys\":[");
	keys = 0;
	for (size_t i = 0; i < t->ncolumns; i++) {
		if (!t->columns[i].key_table)
			continue;
		buf_adds(b, keys ? ",{\"column\":" : "{\"column\":");
		buf_add_json(b, t->columns[i].key_column, strlen(t->columns[i].key_column));
		add_member(b, "file", key_files[keys++]);
		buf_addc(b, '}');
	}
	buf_adds(b, "]}");
}

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string)
		       ? json_object_get_string(v)
		       : NULL;
}

static int64_t number_of(struct json_object *o, const char *key, int64_t otherwise)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_int) ? json_object_get_int64(v)
											      : otherwise;
}

static bool flag_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_get_boolean(v);
}

/* The types of other databases' SQL, as far as a text file can have them. */
static enum value_type type_named(const char *name)
{
	static const struct {
		const char *name;
		enum value_type type;
	} types[] = {{"BOOLEAN", VALUE_BOOLEAN},    {"BOOL", VALUE_BOOLEAN},
		     {"BIGINT", VALUE_BIGINT},	    {"INTEGER", VALUE_BIGINT},
		     {"INT", VALUE_BIGINT},	    {"SMALLINT", VALUE_BIGINT},
		     {"DOUBLE", VALUE_DOUBLE},	    {"FLOAT", VALUE_DOUBLE},
		     {"REAL", VALUE_DOUBLE},	    {"DECIMAL", VALUE_DOUBLE},
		     {"NUMERIC", VALUE_DOUBLE},	    {"DATE", VALUE_DATE},
		     {"TIME", VALUE_TIME},	    {"TIMESTAMP", VALUE_TIMESTAMP},
		     {"DATETIME", VALUE_TIMESTAMP}, {"TIMESTAMPTZ", VALUE_TIMESTAMPTZ}};
	size_t len = strcspn(name, "(");

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strlen(types[i].name) == len && !strncasecmp(types[i].name, name, len))
			return types[i].type;
	return VALUE_VARCHAR;
}

static bool as_number(const char *text, size_t len, double *out)
{
	char copy[64], *end;

	if (!len || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	*out = strtod(copy, &end);
	return !*end;
}

static void set_range(struct rule *r)
{
	r->numeric = (!r->min || as_number(r->min, strlen(r->min), &r->low)) &&
		     (!r->max || as_number(r->max, strlen(r->max), &r->high));
}

static void parse_rule(struct rule *r, struct json_object *o)
{
	r->name = text_of(o, "name");
	r->type_name = text_of(o, "type");
	r->min = text_of(o, "min");
	r->max = text_of(o, "max");
	r->regex_text = text_of(o, "regex");
	r->key_name = text_of(o, "key_name");
	r->key = number_of(o, "key", -1);
	r->type = r->type_name ? type_named(r->type_name) : VALUE_VARCHAR;
	set_range(r);
	r->compiled = r->regex_text && !regcomp(&r->regex, r->regex_text, REG_EXTENDED | REG_NOSUB);
	r->checks[CHECK_TYPE].on = r->type_name != NULL;
	r->checks[CHECK_NOT_NULL].on = flag_of(o, "not_null");
	r->checks[CHECK_UNIQUE].on = flag_of(o, "unique");
	r->checks[CHECK_RANGE].on = r->min || r->max;
	r->checks[CHECK_REGEX].on = r->compiled;
	r->checks[CHECK_KEY].on = r->key >= 0;
}

static int parse_list(struct json_object *json, const char *key, size_t most, size_t size, void **list, size_t *n)
{
	struct json_object *array;

	if (!json_object_object_get_ex(json, key, &array) || !json_object_is_type(array, json_type_array))
		return -EBADMSG;
	*n = json_object_array_length(array);
	if (*n > most) {
		*n = 0;
		return -EBADMSG;
	}
	*list = calloc(*n + 1, size);
	return *list ? 0 : -ENOMEM;
}

static int parse_all(struct checks *c)
{
	struct json_object *columns = json_object_object_get(c->json, "columns");
	struct json_object *keys = json_object_object_get(c->json, "keys");
	int rc = parse_list(c->json, "columns", TABLE_COLUMNS_MOST, sizeof(*c->rules), (void **)&c->rules, &c->n);

	if (!rc)
		rc = parse_list(c->json, "keys", CHECKS_KEYS, sizeof(*c->keys), (void **)&c->keys, &c->nkeys);
	for (size_t i = 0; !rc && i < c->nkeys; i++) {
		struct json_object *o = json_object_array_get_idx(keys, i);

		c->keys[i] = (struct key){.file = text_of(o, "file"), .column = text_of(o, "column"), .at = SIZE_MAX};
	}
	for (size_t i = 0; !rc && i < c->n; i++) {
		parse_rule(&c->rules[i], json_object_array_get_idx(columns, i));
		if (!c->rules[i].name || c->rules[i].key >= (int64_t)c->nkeys)
			rc = -EBADMSG;
	}
	return rc;
}

int checks_parse(const char *json, size_t len, struct checks **out)
{
	struct json_tokener *tokener = json_tokener_new();
	struct checks *c = calloc(1, sizeof(*c));
	int rc = -ENOMEM;

	if (tokener && c) {
		c->looking = SIZE_MAX;
		c->json = json_tokener_parse_ex(tokener, json, (int)len);
		rc = json_object_is_type(c->json, json_type_object) ? parse_all(c) : -EBADMSG;
	}
	if (tokener)
		json_tokener_free(tokener);
	if (rc)
		checks_free(steal_ptr(&c));
	*out = c;
	return rc;
}

void checks_free(struct checks *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		struct rule *r = &c->rules[i];

		if (r->compiled)
			regfree(&r->regex);
		free(r->seen.slots);
		for (int k = 0; k < CHECKS; k++)
			free(r->checks[k].example);
	}
	for (size_t i = 0; i < c->nkeys; i++)
		free(c->keys[i].values.slots);
	free(c->rules);
	free(c->keys);
	json_object_put(c->json);
	free(c);
}

size_t checks_keys(const struct checks *c)
{
	return c->nkeys;
}

const char *checks_key_file(const struct checks *c, size_t key)
{
	return c->keys[key].file;
}

void checks_look_at(struct checks *c, size_t key)
{
	c->looking = key;
}

/* ---- rows ---- */

static size_t find_column(const struct row_column *columns, size_t n, const char *name)
{
	for (size_t i = 0; name && i < n; i++)
		if (!strcmp(columns[i].name, name))
			return i;
	return SIZE_MAX;
}

int checks_begin(struct checks *c, const struct row_column *columns, size_t n)
{
	if (c->looking != SIZE_MAX) {
		struct key *k = &c->keys[c->looking];

		k->at = find_column(columns, n, k->column);
		k->looked = k->at != SIZE_MAX;
		return 0;
	}
	c->begun = true;
	for (size_t i = 0; i < c->n; i++) {
		struct rule *r = &c->rules[i];

		r->at = find_column(columns, n, r->name);
		r->checks[CHECK_EXISTS].on = r->at == SIZE_MAX;
		r->checks[CHECK_EXISTS].failed = r->at == SIZE_MAX;
		r->checks[CHECK_EXISTS].note = r->at == SIZE_MAX ? "there is no such column" : NULL;
		if (r->key >= 0 && !c->keys[r->key].looked)
			r->checks[CHECK_KEY].note = "the other table's column could not be looked at";
	}
	return 0;
}

static bool type_fits(struct rule *r, const struct cell *cell)
{
	struct value_formats before = r->formats;

	if (value_widen(r->type, &r->formats, cell->text, cell->len) == r->type)
		return true;
	r->formats = before;
	return false;
}

/* Less than 0, 0, more: as numbers, or as texts. */
static double compare(const struct rule *r, const struct cell *cell, const char *end, double number)
{
	size_t len = strlen(end), least = len < cell->len ? len : cell->len;
	double value;
	int rc;

	if (r->numeric)
		return as_number(cell->text, cell->len, &value) ? (value > number) - (value < number) : NAN;
	rc = memcmp(cell->text, end, least);
	return rc ? rc : (cell->len > len) - (cell->len < len);
}

static bool in_range(const struct rule *r, const struct cell *cell)
{
	return (!r->min || compare(r, cell, r->min, r->low) >= 0) &&
	       (!r->max || compare(r, cell, r->max, r->high) <= 0);
}

static int matches(const struct rule *r, const struct cell *cell)
{
	_cleanup_free_ char *text = strndup(cell->text, cell->len);

	if (!text)
		return -ENOMEM;
	return strlen(text) == cell->len && !regexec(&r->regex, text, 0, NULL, 0);
}

/* 1: it keeps to that rule; 0; -ENOMEM. */
static int keeps(struct checks *c, struct rule *r, enum check_kind kind, const struct cell *cell)
{
	switch (kind) {
	case CHECK_TYPE:
		return type_fits(r, cell);
	case CHECK_UNIQUE:
		return set_add(c, &r->seen, cell->text, cell->len);
	case CHECK_RANGE:
		return in_range(r, cell);
	case CHECK_REGEX:
		return matches(r, cell);
	case CHECK_KEY:
		return set_has(&c->keys[r->key].values, cell->text, cell->len);
	case CHECK_EXISTS:
	case CHECK_NOT_NULL:
	case CHECKS:
		break;
	}
	return 1;
}

static void fails(struct checks *c, struct one_check *k, const struct cell *cells, size_t n)
{
	_cleanup_buf_ struct buf row = BUF_INIT;

	if (k->failed++)
		return;
	k->row = c->rows;
	for (size_t i = 0; i < n && row.len < CHECKS_EXAMPLE; i++) {
		if (i)
			buf_addc(&row, ',');
		if (cells[i].text)
			buf_add_csv(&row, cells[i].text, cells[i].len < CHECKS_EXAMPLE ? cells[i].len : CHECKS_EXAMPLE);
	}
	k->example = buf_error(&row) ? NULL : strdup(buf_str(&row));
}

static int check_cell(struct checks *c, struct rule *r, const struct cell *cells, size_t n)
{
	const struct cell none = {0}, *cell = r->at < n ? &cells[r->at] : &none;
	int rc = 1;

	if (r->at == SIZE_MAX)
		return 0;
	r->checks[CHECK_NOT_NULL].rows++;
	if (!cell->text) {
		if (r->checks[CHECK_NOT_NULL].on)
			fails(c, &r->checks[CHECK_NOT_NULL], cells, n);
		return 0;
	}
	for (enum check_kind kind = CHECK_TYPE; kind < CHECKS && rc >= 0; kind++) {
		struct one_check *k = &r->checks[kind];

		if (!k->on || k->note || kind == CHECK_NOT_NULL)
			continue;
		rc = keeps(c, r, kind, cell);
		k->rows++;
		if (!rc)
			fails(c, k, cells, n);
	}
	return rc < 0 ? rc : 0;
}

int checks_row(struct checks *c, const struct cell *cells, size_t n)
{
	int rc = 0;

	if (c->looking != SIZE_MAX) {
		struct key *k = &c->keys[c->looking];

		if (k->at < n && cells[k->at].text)
			rc = set_add(c, &k->values, cells[k->at].text, cells[k->at].len);
		if (c->full)
			k->looked = false;
		return rc < 0 ? rc : 0;
	}
	c->rows++;
	for (size_t i = 0; i < c->n && !rc; i++)
		rc = check_cell(c, &c->rules[i], cells, n);
	return rc;
}

/* ---- what was found ---- */

static void add_rule_text(struct buf *b, const struct rule *r, enum check_kind kind)
{
	_cleanup_buf_ struct buf range = BUF_INIT;

	if (kind == CHECK_RANGE) {
		buf_addf(&range, "%s..%s", r->min ? r->min : "", r->max ? r->max : "");
		add_member(b, "rule", buf_str(&range));
	}
	add_member(b, "rule",
		   kind == CHECK_TYPE	 ? r->type_name
		   : kind == CHECK_REGEX ? r->regex_text
		   : kind == CHECK_KEY	 ? r->key_name
					 : NULL);
}

void checks_add_found(struct buf *b, const struct checks *c, const char *why)
{
	bool any = false;

	buf_addc(b, '[');
	for (size_t i = 0; i < c->n; i++) {
		const struct rule *r = &c->rules[i];

		for (enum check_kind kind = 0; kind < CHECKS; kind++) {
			const struct one_check *k = &r->checks[kind];
			const char *note = k->note ? k->note : !c->begun ? "its values cannot be looked at" : why;

			if (!k->on)
				continue;
			if (!note && c->full && kind == CHECK_UNIQUE)
				note = "there are too many values to compare all of them";
			buf_adds(b, any ? ",\n{\"column\":" : "{\"column\":");
			buf_add_json(b, r->name, strlen(r->name));
			add_member(b, "check", check_names[kind]);
			add_rule_text(b, r, kind);
			buf_addf(b, ",\"rows\":%" PRIu64 ",\"failed\":%" PRIu64, k->rows, k->failed);
			if (k->row)
				buf_addf(b, ",\"row\":%" PRIu64, k->row);
			add_member(b, "example", k->example);
			add_member(b, "note", note);
			buf_addc(b, '}');
			any = true;
		}
	}
	buf_addc(b, ']');
}

static int tell_result(struct json_object *o, check_result_fn fn, void *arg)
{
	struct check_result r = {.column = text_of(o, "column"),
				 .check = text_of(o, "check"),
				 .rule = text_of(o, "rule"),
				 .example = text_of(o, "example"),
				 .note = text_of(o, "note"),
				 .rows = number_of(o, "rows", 0),
				 .failed = number_of(o, "failed", 0),
				 .row = number_of(o, "row", 0)};

	return r.column && r.check ? fn(arg, &r) : -EBADMSG;
}

int checks_each(const char *found, size_t len, check_result_fn fn, void *arg)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *json = tokener ? json_tokener_parse_ex(tokener, found, (int)len) : NULL;
	size_t n = json_object_is_type(json, json_type_array) ? json_object_array_length(json) : 0;
	int rc = !tokener ? -ENOMEM : json_object_is_type(json, json_type_array) ? 0 : -EBADMSG;

	for (size_t i = 0; !rc && i < n; i++)
		rc = tell_result(json_object_array_get_idx(json, i), fn, arg);
	json_object_put(json);
	if (tokener)
		json_tokener_free(tokener);
	return rc;
}
