/*
 * The footer is a struct FileMetaData in Thrift's compact protocol, before its length and "PAR1" at the end of the file
 * (parquet-format, parquet.thrift; the numbers of fields are those there). No page of data is read: statistics are what
 * the writer left, so that there is no number of distinct values.
 *
 * The schema is a tree, written depth first. A column here is a child of the root; a group is a STRUCT, a list, a MAP.
 */
#include "sniff/parquet.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/full_io.h"
#include "sniff/parquet_int.h"

/* ---- columns ---- */

static int add_leaves(struct parquet *p, size_t from, size_t to, size_t column)
{
	for (size_t i = from; i < to; i++) {
		struct leaf l = {.element = i, .column = to - from == 1 ? column : SIZE_MAX};

		if (p->elements[i].physical == P_GROUP)
			continue;
		if (array_grow(&p->leaves, p->nleaves, &p->leaves_room, sizeof(l)))
			return -ENOMEM;
		p->leaves[p->nleaves++] = l;
	}
	return 0;
}

static int add_columns(struct parquet *p, struct description *d)
{
	size_t next = 1;
	int rc = 0;

	for (p->columns = 0; p->columns < p->elements[0].children && next < p->n && !rc; p->columns++) {
		const struct element *e = &p->elements[next];
		size_t to = parquet_behind(p, next, 0);
		bool shown = p->columns < DESCRIPTION_COLUMNS_MAX;
		_cleanup_buf_ struct buf type = BUF_INIT;
		struct column *c = NULL;

		if (shown) {
			parquet_print_type(p, &type, next, 0);
			c = description_add_column(d, e->name, e->name_len, buf_str(&type));
			if (!c)
				return -ENOMEM;
			c->not_null = e->repetition == REQUIRED;
		}
		rc = add_leaves(p, next, to, shown ? p->columns : SIZE_MAX);
		next = to;
	}
	return rc;
}

/* ---- statistics ---- */

/* As what the values of a leaf are compared; VALUE_NONE: not at all. */
static enum value_type compared_as(const struct element *e)
{
	if (e->repetition == REPEATED || e->is_unsigned)
		return VALUE_NONE;
	if (e->logical == L_DATE && e->physical == P_INT32)
		return VALUE_DATE;
	if (e->logical == L_TIMESTAMP && e->physical == P_INT64)
		return e->utc ? VALUE_TIMESTAMPTZ : VALUE_TIMESTAMP;
	if (e->logical == L_STRING && e->physical == P_BYTES)
		return VALUE_VARCHAR;
	if (e->logical && e->logical != L_INTEGER)
		return VALUE_NONE;
	switch (e->physical) {
	case P_BOOLEAN:
		return VALUE_BOOLEAN;
	case P_INT32:
	case P_INT64:
		return VALUE_BIGINT;
	case P_FLOAT:
	case P_DOUBLE:
		return VALUE_DOUBLE;
	default:
		return VALUE_NONE;
	}
}

/* PLAIN, as the format calls it: little-endian. */
static bool decode(const struct element *e, const char *bytes, size_t len, struct value *v)
{
	size_t wanted = e->physical == P_BOOLEAN ? 1 : e->physical == P_INT32 || e->physical == P_FLOAT ? 4 : 8;
	uint64_t word = 0;
	float single;

	if (len != wanted)
		return false;
	memcpy(&word, bytes, len);
	word = le64toh(word);
	v->i = e->physical == P_INT32 ? (int32_t)word : (int64_t)word;
	if (e->physical == P_FLOAT) {
		uint32_t half = (uint32_t)word;

		memcpy(&single, &half, sizeof(single));
		v->d = single;
	} else if (e->physical == P_DOUBLE) {
		memcpy(&v->d, &word, sizeof(v->d));
	}
	if (e->logical == L_TIMESTAMP && e->unit == MILLIS && __builtin_mul_overflow(v->i, 1000, &v->i))
		return false;
	if (e->logical == L_TIMESTAMP && e->unit == NANOS)
		v->i /= 1000;
	return true;
}

static bool is_less(enum value_type type, const struct value *a, const struct value *b)
{
	return type == VALUE_DOUBLE ? a->d < b->d : a->i < b->i;
}

static int compare(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t n = alen < blen ? alen : blen;
	int order = n ? memcmp(a, b, n) : 0;

	return order ? order : (alen > blen) - (alen < blen);
}

static void bound(struct parquet *p, struct leaf *l, const char *min, size_t min_len, const char *max, size_t max_len)
{
	const struct element *e = &p->elements[l->element];
	enum value_type type = compared_as(e);
	struct value low, high;

	if (type == VALUE_VARCHAR) {
		if (!l->bounded || compare(min, min_len, l->min_text, l->min_len) < 0) {
			l->min_text = min;
			l->min_len = min_len;
		}
		if (!l->bounded || compare(max, max_len, l->max_text, l->max_len) > 0) {
			l->max_text = max;
			l->max_len = max_len;
		}
	} else if (type == VALUE_NONE || !decode(e, min, min_len, &low) || !decode(e, max, max_len, &high)) {
		l->bounds_missing = true;
		return;
	} else {
		if (!l->bounded || is_less(type, &low, &l->min))
			l->min = low;
		if (!l->bounded || is_less(type, &l->max, &high))
			l->max = high;
	}
	l->bounded = true;
}

/* Statistics: max_value and min_value; the older max and min only where their order is sure. */
static void read_statistics(struct parquet *p, struct leaf *l)
{
	const char *texts[7] = {0}, *min, *max;
	size_t lens[7] = {0}, min_len, max_len;
	enum thrift_type type;
	bool nulls = false, text = compared_as(&p->elements[l->element]) == VALUE_VARCHAR;
	int id = 0;

	while ((type = thrift_field(&p->t, &id)) != THRIFT_STOP) {
		if (type == THRIFT_BINARY && id > 0 && id < 7) {
			texts[id] = thrift_binary(&p->t, &lens[id]);
		} else if (type == THRIFT_I64 && id == 3) {
			l->nulls += (uint64_t)thrift_integer(&p->t);
			nulls = true;
		} else {
			thrift_skip(&p->t, type);
		}
	}
	min = texts[6] || text ? texts[6] : texts[2];
	min_len = texts[6] || text ? lens[6] : lens[2];
	max = texts[5] || text ? texts[5] : texts[1];
	max_len = texts[5] || text ? lens[5] : lens[1];
	if (min && max)
		bound(p, l, min, min_len, max, max_len);
	else
		l->bounds_missing = true;
	l->nulls_missing = l->nulls_missing || !nulls;
}

static void read_chunk_metadata(struct parquet *p, struct leaf *l)
{
	enum thrift_type type;
	bool found = false;
	int id = 0;

	while ((type = thrift_field(&p->t, &id)) != THRIFT_STOP) {
		if (id == 12 && type == THRIFT_STRUCT && l) {
			read_statistics(p, l);
			found = true;
		} else {
			thrift_skip(&p->t, type);
		}
	}
	if (l && !found)
		l->bounds_missing = l->nulls_missing = true;
}

static void read_chunk(struct parquet *p, struct leaf *l)
{
	enum thrift_type type;
	int id = 0;

	while ((type = thrift_field(&p->t, &id)) != THRIFT_STOP) {
		if (id == 3 && type == THRIFT_STRUCT)
			read_chunk_metadata(p, l);
		else
			thrift_skip(&p->t, type);
	}
}

static void read_group(struct parquet *p)
{
	enum thrift_type type, of;
	int id = 0;

	while ((type = thrift_field(&p->t, &id)) != THRIFT_STOP) {
		size_t n = id == 1 && type == THRIFT_LIST ? thrift_list(&p->t, &of) : 0;

		if (id != 1 || type != THRIFT_LIST)
			thrift_skip(&p->t, type);
		for (size_t i = 0; i < n && !p->t.bad; i++)
			read_chunk(p, i < p->nleaves ? &p->leaves[i] : NULL);
	}
}

static int set_printed(char **member, enum value_type type, const struct value *v)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	value_print(&b, type, v);
	return buf_error(&b) ? -ENOMEM : description_set(member, buf_str(&b));
}

static int finish_leaf(struct parquet *p, const struct leaf *l, struct description *d)
{
	struct column *c = l->column < d->ncolumns ? &d->columns[l->column] : NULL;
	enum value_type type = compared_as(&p->elements[l->element]);
	int rc;

	if (!c || !p->groups)
		return 0;
	if (!l->nulls_missing) {
		c->count = (uint64_t)p->rows;
		c->nulls = l->nulls;
	}
	if (!l->bounded || l->bounds_missing)
		return 0;
	if (type == VALUE_VARCHAR) {
		rc = description_set_value(&c->min, l->min_text, l->min_len);
		return rc ? rc : description_set_value(&c->max, l->max_text, l->max_len);
	}
	rc = set_printed(&c->min, type, &l->min);
	return rc ? rc : set_printed(&c->max, type, &l->max);
}

/* ---- the footer ---- */

static int read_groups(struct parquet *p)
{
	enum thrift_type type;

	p->groups = thrift_list(&p->t, &type);
	for (size_t i = 0; i < p->groups && !p->t.bad; i++)
		read_group(p);
	return p->t.bad ? -EBADMSG : 0;
}

/* Columns come before row groups, which need them. */
static int read_footer(struct parquet *p, struct description *d)
{
	enum thrift_type type;
	int id = 0, rc = 0;

	while (!rc && (type = thrift_field(&p->t, &id)) != THRIFT_STOP) {
		if (id == 2 && type == THRIFT_LIST && !p->n) {
			rc = parquet_read_schema(p);
			if (!rc)
				rc = add_columns(p, d);
		} else if (id == 3 && type == THRIFT_I64) {
			p->rows = thrift_integer(&p->t);
		} else if (id == 4 && type == THRIFT_LIST && p->n) {
			rc = read_groups(p);
		} else if (id == 6 && type == THRIFT_BINARY) {
			p->writer = thrift_binary(&p->t, &p->writer_len);
		} else {
			thrift_skip(&p->t, type);
		}
	}
	return rc ? rc : p->t.bad || !p->n || p->rows < 0 ? -EBADMSG : 0;
}

static int finish(struct parquet *p, struct description *d)
{
	_cleanup_free_ char *writer = NULL;
	int rc = description_add_factf(d, "row_groups", "%zu", p->groups);

	d->kind = DESCRIBED_TABLE;
	d->rows = p->rows;
	for (size_t i = 0; i < p->nleaves && !rc; i++)
		rc = finish_leaf(p, &p->leaves[i], d);
	if (!rc && p->columns > d->ncolumns)
		rc = description_add_factf(d, "columns", "%zu", p->columns);
	if (!rc && p->writer) {
		rc = description_set_value(&writer, p->writer, p->writer_len);
		if (!rc)
			rc = description_add_fact(d, "writer", writer);
	}
	return rc;
}

/* Its bytes, from the file's end. -EBADMSG: there is none. */
static int load_footer(struct input *in, char **bytes, size_t *len)
{
	uint64_t size = input_size(in);
	unsigned char end[8];
	ssize_t n;

	if (size < 12 || read_full_at(input_fd(in), end, sizeof(end), size - 8) != (ssize_t)sizeof(end) ||
	    memcmp(end + 4, "PAR1", 4))
		return -EBADMSG;
	*len = end[0] | (size_t)end[1] << 8 | (size_t)end[2] << 16 | (size_t)end[3] << 24;
	if (*len > size - 12 || *len > PARQUET_FOOTER_MAX)
		return *len > size - 12 ? -EBADMSG : -EFBIG;
	*bytes = malloc(*len + 1);
	if (!*bytes)
		return -ENOMEM;
	n = read_full_at(input_fd(in), *bytes, *len, size - 8 - *len);
	return n < 0 ? (int)n : (size_t)n == *len ? 0 : -EBADMSG;
}

int parquet_sniff(struct input *in, struct description *d)
{
	_cleanup_free_ char *bytes = NULL;
	struct parquet p = {0};
	size_t len = 0;
	int rc = description_set(&d->format, "parquet");

	if (!rc)
		rc = load_footer(in, &bytes, &len);
	if (!rc) {
		p.t = (struct thrift){(unsigned char *)bytes, (unsigned char *)bytes + len, false};
		rc = read_footer(&p, d);
	}
	if (!rc)
		rc = finish(&p, d);
	free(p.elements);
	free(p.leaves);
	if (rc == -EBADMSG)
		return description_set(&d->unreadable, "its footer is missing, or damaged");
	return rc == -EFBIG ? description_set(&d->unreadable, "its footer is longer than 64 MiB") : rc;
}
