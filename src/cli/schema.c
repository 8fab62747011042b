#include "cli/schema.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/csv_read.h"
#include "base/fnv.h"

#define ALIKE 0.5 /* columns that share at least so much of their values may be one */

const char *column_type_name(enum column_type t)
{
	static const char *const names[] = {"empty", "boolean", "integer", "number", "date", "time", "text"};

	return names[t];
}

/* ---- types ---- */

static size_t digits(const char *s, const char *end)
{
	const char *p = s;

	while (p < end && isdigit((unsigned char)*p))
		p++;
	return (size_t)(p - s);
}

static enum column_type number_type(const char *s, const char *end)
{
	enum column_type type = TYPE_INTEGER;
	size_t whole, part = 0;

	s += *s == '-' || *s == '+';
	whole = digits(s, end);
	if (whole > 1 && *s == '0')
		return TYPE_TEXT;
	s += whole;
	if (s < end && *s == '.') {
		type = TYPE_NUMBER;
		part = digits(s + 1, end);
		s += 1 + part;
	}
	if (!whole && !part)
		return TYPE_TEXT;
	if (s < end && (*s == 'e' || *s == 'E')) {
		s += 1 + (s + 1 < end && (s[1] == '-' || s[1] == '+'));
		part = digits(s, end);
		s += part;
		type = part ? TYPE_NUMBER : TYPE_TEXT;
	}
	return s == end ? type : TYPE_TEXT;
}

/* Does S look like FORM, in which 0 stands for any digit? */
static bool has_form(const char *s, const char *end, const char *form)
{
	for (; *form; form++, s++) {
		if (s == end || (*form == '0' ? !isdigit((unsigned char)*s) : *s != *form))
			return false;
	}
	return true;
}

/* What follows the minutes: ":00", ".123", "Z", "+01:00". */
static bool is_time_end(const char *s, const char *end)
{
	if (has_form(s, end, ":00"))
		s += 3;
	if (s < end && (*s == '.' || *s == ','))
		s += 1 + digits(s + 1, end);
	if (s < end && *s == 'Z')
		s++;
	else if (has_form(s, end, "+00:00") || has_form(s, end, "-00:00"))
		s += 6;
	return s == end;
}

static enum column_type date_type(const char *s, const char *end)
{
	if (!has_form(s, end, "0000-00-00"))
		return TYPE_TEXT;
	s += 10;
	if (s == end)
		return TYPE_DATE;
	return (*s == 'T' || *s == ' ') && has_form(s + 1, end, "00:00") && is_time_end(s + 6, end) ? TYPE_TIME
												    : TYPE_TEXT;
}

enum column_type column_type_of(const char *value, size_t len)
{
	const char *end = value + len;
	enum column_type type;

	if (!len)
		return TYPE_NONE;
	if ((len == 4 && !strncasecmp(value, "true", 4)) || (len == 5 && !strncasecmp(value, "false", 5)))
		return TYPE_BOOLEAN;
	type = number_type(value, end);
	return type == TYPE_TEXT ? date_type(value, end) : type;
}

static enum column_type wider(enum column_type a, enum column_type b)
{
	enum column_type low = a < b ? a : b, high = a < b ? b : a;

	if (low == high || low == TYPE_NONE)
		return high;
	if ((low == TYPE_INTEGER && high == TYPE_NUMBER) || (low == TYPE_DATE && high == TYPE_TIME))
		return high;
	return TYPE_TEXT;
}

/* ---- sketches ---- */

/* FNV-1a, stirred once more so that the smallest are a fair sample. */
static uint64_t hash_value(const char *s, size_t len)
{
	uint64_t h = fnv1a(FNV1A_START, s, len);

	h ^= h >> 32;
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static void sketch_add(struct column *c, uint64_t h)
{
	int at = c->nsketch;

	if (at == SKETCH && h >= c->sketch[SKETCH - 1])
		return;
	while (at && c->sketch[at - 1] > h)
		at--;
	if (at && c->sketch[at - 1] == h)
		return;
	if (c->nsketch < SKETCH)
		c->nsketch++;
	memmove(&c->sketch[at + 1], &c->sketch[at], (size_t)(c->nsketch - 1 - at) * sizeof(h));
	c->sketch[at] = h;
}

static double likeness(const struct column *a, const struct column *b)
{
	int i = 0, j = 0, both = 0, all = 0;

	for (; all < SKETCH && (i < a->nsketch || j < b->nsketch); all++) {
		bool left = j == b->nsketch || (i < a->nsketch && a->sketch[i] <= b->sketch[j]);
		bool right = i == a->nsketch || (j < b->nsketch && b->sketch[j] <= a->sketch[i]);

		both += left && right;
		i += left;
		j += right;
	}
	return all ? (double)both / all : 0;
}

/* ---- reading ---- */

static int add_header(struct schema *s, const struct csv_row *row)
{
	size_t len;

	s->columns = calloc((size_t)row->n, sizeof(*s->columns));
	if (!s->columns)
		return -ENOMEM;
	for (int i = 0; i < row->n; i++) {
		const char *name = csv_field(row, i, &len);

		s->columns[i].partner = -1;
		s->columns[i].name = strndup(name, len);
		if (!s->columns[i].name)
			return -ENOMEM;
		s->n++;
	}
	return 0;
}

static int add_row(void *arg, uint64_t number, const struct csv_row *row)
{
	struct schema *s = arg;
	size_t len;

	if (!number)
		return add_header(s, row);
	s->rows++;
	for (int i = 0; i < row->n && i < s->n; i++) {
		const char *value = csv_field(row, i, &len);
		struct column *c = &s->columns[i];

		if (c->type != TYPE_TEXT)
			c->type = wider(c->type, column_type_of(value, len));
		if (len)
			sketch_add(c, hash_value(value, len));
	}
	return 0;
}

int schema_read(int fd, char delimiter, struct schema *out)
{
	int rc;

	*out = (struct schema){0};
	rc = csv_read(fd, delimiter, add_row, out);
	if (rc)
		schema_release(out);
	return rc;
}

void schema_release(struct schema *s)
{
	for (int i = 0; i < s->n; i++)
		free(s->columns[i].name);
	free(s->columns);
	*s = (struct schema){0};
}

/* ---- matching ---- */

static void pair(struct schema *a, int i, struct schema *b, int j)
{
	a->columns[i].partner = j;
	b->columns[j].partner = i;
}

static void match_names(struct schema *a, struct schema *b)
{
	for (int i = 0; i < a->n; i++) {
		for (int j = 0; j < b->n && a->columns[i].partner < 0; j++) {
			if (b->columns[j].partner < 0 && !strcmp(a->columns[i].name, b->columns[j].name))
				pair(a, i, b, j);
		}
	}
}

static bool types_may_match(enum column_type a, enum column_type b)
{
	return a == b || wider(a, b) != TYPE_TEXT;
}

/* Of the columns that are left in B the one that is most like A's column I; the same place decides between equals. */
static int best_partner(const struct schema *a, int i, const struct schema *b)
{
	double most = ALIKE;
	int best = -1;

	for (int j = 0; j < b->n; j++) {
		double d;

		if (b->columns[j].partner >= 0 || !types_may_match(a->columns[i].type, b->columns[j].type))
			continue;
		d = likeness(&a->columns[i], &b->columns[j]);
		if (d > most || (d == most && (best < 0 || j == i))) {
			most = d;
			best = j;
		}
	}
	return best;
}

void schema_match(struct schema *a, struct schema *b)
{
	match_names(a, b);
	for (int i = 0; i < a->n; i++) {
		int j = a->columns[i].partner < 0 ? best_partner(a, i, b) : -1;

		if (j >= 0)
			pair(a, i, b, j);
	}
}

bool schema_same_names(const struct schema *a, const struct schema *b)
{
	if (a->n != b->n)
		return false;
	for (int i = 0; i < a->n; i++) {
		if (strcmp(a->columns[i].name, b->columns[i].name))
			return false;
	}
	return true;
}
