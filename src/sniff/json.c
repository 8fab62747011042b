/*
 * Two passes, as with CSV: the first values decide which columns there are, and of which types; then all are read for
 * the statistics. Values that are no objects are one column, "json".
 */
#include "sniff/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sniff/json_stream.h"
#include "sniff/json_shape.h"
#include "sniff/rows.h"

#define ENOUGH 1
#define LONE_COLUMN "json"

struct json_sniffer {
	struct input *in;
	enum json_layout layout;
	struct json_shape type; /* of a value */
	unsigned budget;
	uint64_t rows;
	bool stopped; /* at JSON_EXACT */

	size_t n;
	struct row_column *columns;
	struct buf *names; /* of the types */
	struct cell *cells;
	struct rows *all;
	bool geo;
	int64_t nfeatures;
};

static bool is_table(const struct json_sniffer *s)
{
	return s->type.class == JSON_STRUCT && s->type.n && s->type.n <= JSON_MEMBERS_MAX;
}

/* ---- first pass ---- */

/* RFC 7946. */
static void look_for_features(struct json_sniffer *s, struct json_object *value)
{
	struct json_object *type, *features;

	if (s->rows || !json_object_is_type(value, json_type_object) ||
	    !json_object_object_get_ex(value, "type", &type) || !json_object_is_type(type, json_type_string) ||
	    strcmp(json_object_get_string(type), "FeatureCollection"))
		return;
	if (json_object_object_get_ex(value, "features", &features) && json_object_is_type(features, json_type_array)) {
		s->geo = true;
		s->nfeatures = (int64_t)json_object_array_length(features);
	}
}

static int look_at_types(void *arg, struct json_object *value)
{
	struct json_sniffer *s = arg;

	look_for_features(s, value);
	if (s->rows++ >= JSON_TYPE_ROWS)
		return ENOUGH;
	return json_shape_widen(&s->type, value, &s->budget);
}

/* ---- columns ---- */

static int add_column(struct json_sniffer *s, const char *name, const struct json_shape *t)
{
	struct row_column *c = &s->columns[s->n];

	json_shape_print(&s->names[s->n], t);
	c->type = json_shape_value(t);
	c->type_name = buf_str(&s->names[s->n]);
	c->name = strdup(name);
	if (buf_error(&s->names[s->n]) || !c->name)
		return -ENOMEM;
	if (c->type == VALUE_TIMESTAMPTZ) /* with or without a zone, all in UTC */
		c->shown = VALUE_TIMESTAMP;
	if (c->type == VALUE_DATE) /* written in full */
		value_widen(VALUE_DATE, &c->formats, "2000-01-01", 10);
	s->n++;
	return 0;
}

static int make_columns(struct json_sniffer *s)
{
	size_t n = is_table(s) ? s->type.n : 1;
	int rc = 0;

	s->columns = calloc(n, sizeof(*s->columns));
	s->names = calloc(n, sizeof(*s->names));
	s->cells = calloc(n, sizeof(*s->cells));
	if (!s->columns || !s->names || !s->cells)
		return -ENOMEM;
	if (!is_table(s))
		return add_column(s, LONE_COLUMN, &s->type);
	for (size_t i = 0; i < n && !rc; i++)
		rc = add_column(s, s->type.members[i].name, &s->type.members[i]);
	return rc;
}

/* ---- second pass ---- */

/* A string is its text, all else is JSON. */
static struct cell cell_of(struct json_object *value)
{
	struct cell c = {0};

	if (!value)
		return c;
	if (json_object_is_type(value, json_type_string)) {
		c.text = json_object_get_string(value);
		c.len = (size_t)json_object_get_string_len(value);
	} else {
		c.text = json_object_to_json_string_length(
			value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &c.len);
	}
	return c;
}

static int look_at_values(void *arg, struct json_object *value)
{
	struct json_sniffer *s = arg;
	struct json_object *member;

	if (input_raw_at(s->in) > JSON_EXACT) {
		s->stopped = true;
		return ENOUGH;
	}
	s->rows++;
	if (!is_table(s)) {
		s->cells[0] = cell_of(value);
		return rows_add(s->all, s->cells, 1);
	}
	for (size_t i = 0; i < s->n; i++) {
		s->cells[i] = (struct cell){0};
		if (json_object_object_get_ex(value, s->columns[i].name, &member))
			s->cells[i] = cell_of(member);
	}
	return rows_add(s->all, s->cells, s->n);
}

static int read_rows(struct json_sniffer *s)
{
	int rc;

	s->all = rows_new(s->columns, s->n);
	if (!s->all)
		return -ENOMEM;
	s->rows = 0;
	rc = rows_check(s->all, input_checks(s->in));
	if (!rc)
		rc = json_read(s->in, &s->layout, look_at_values, s);
	return rc == ENOUGH ? 0 : rc;
}

/* ---- all ---- */

static const char *format_of(const struct json_sniffer *s, const struct input *in)
{
	const char *dot = strrchr(input_name(in), '.');

	if (s->geo)
		return "geojson";
	if (s->layout == JSON_SEVERAL || (dot && (!strcmp(dot, ".jsonl") || !strcmp(dot, ".ndjson"))))
		return "jsonl";
	return "json";
}

static int set_why(struct json_sniffer *s, struct description *d, int rc)
{
	if (!rc && input_error(s->in))
		return description_set(&d->unreadable, input_error(s->in));
	if (rc == -EBADMSG)
		return description_set(&d->unreadable, input_error(s->in) ? input_error(s->in) : "it is no valid JSON");
	if (rc == -EFBIG)
		return description_set(&d->unreadable, "one of its values is too long or too deep");
	return rc;
}

static int set_rows(struct json_sniffer *s, struct description *d)
{
	uint64_t at = input_raw_at(s->in);

	d->rows = (int64_t)s->rows;
	if (s->stopped) {
		d->rows = (int64_t)((double)s->rows * (double)input_size(s->in) / (double)at);
		d->rows_estimated = d->sampled = true;
	}
	if (rows_misfits(s->all))
		return description_add_factf(d, "misfits", "%" PRIu64, rows_misfits(s->all));
	return 0;
}

static int describe(struct json_sniffer *s, struct description *d)
{
	int finished, rc = json_read(s->in, &s->layout, look_at_types, s);

	if (rc && rc != ENOUGH && !(s->rows && (rc == -EBADMSG || rc == -EFBIG)))
		return rc;
	d->kind = is_table(s) && s->layout != JSON_ONE ? DESCRIBED_TABLE : DESCRIBED_JSON;
	if (!s->rows && s->layout == JSON_NOTHING)
		return -EBADMSG;
	rc = make_columns(s);
	if (!rc)
		rc = read_rows(s);
	if (rc && rc != -EBADMSG && rc != -EFBIG)
		return rc;
	finished = rows_finish(s->all, d);
	if (!finished)
		finished = set_rows(s, d);
	return finished ? finished : rc;
}

static void release(struct json_sniffer *s)
{
	rows_free(s->all);
	for (size_t i = 0; s->columns && i < s->n; i++)
		free(s->columns[i].name);
	for (size_t i = 0; s->names && i < s->n; i++)
		buf_release(&s->names[i]);
	free(s->columns);
	free(s->names);
	free(s->cells);
	json_shape_release(&s->type);
}

int json_sniff(struct input *in, struct description *d)
{
	struct json_sniffer s = {.in = in, .budget = JSON_TYPES_MAX};
	int rc;

	d->kind = DESCRIBED_JSON;
	rc = set_why(&s, d, describe(&s, d));
	if (!rc)
		rc = description_set(&d->format, format_of(&s, in));
	if (!rc && s.geo)
		rc = description_add_factf(d, "features", "%" PRId64, s.nfeatures);
	release(&s);
	return rc;
}
