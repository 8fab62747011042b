/* The schema of a Parquet file: a tree, and its types as DuckDB has them. */
#include <errno.h>
#include <stdio.h>

#include "base/array.h"
#include "sniff/json_shape.h"
#include "sniff/parquet_int.h"

static void read_unit(struct thrift *t, struct element *e)
{
	enum thrift_type type;
	int id = 0;

	while ((type = thrift_field(t, &id)) != THRIFT_STOP) {
		e->unit = id;
		thrift_skip(t, type);
	}
}

/* A member of the union LogicalType: of TIME and TIMESTAMP, INTEGER, DECIMAL. */
static void read_logical_details(struct thrift *t, struct element *e)
{
	enum thrift_type type;
	int id = 0;

	while ((type = thrift_field(t, &id)) != THRIFT_STOP) {
		if (e->logical == L_DECIMAL && type == THRIFT_I32)
			*(id == 1 ? &e->scale : &e->precision) = (int)thrift_integer(t);
		else if (e->logical == L_INTEGER && id == 2)
			e->is_unsigned = type == THRIFT_FALSE;
		else if (e->logical == L_INTEGER && type == THRIFT_BYTE && t->p < t->end)
			e->bits = *t->p++;
		else if (id == 1 && (type == THRIFT_TRUE || type == THRIFT_FALSE))
			e->utc = type == THRIFT_TRUE;
		else if (id == 2 && type == THRIFT_STRUCT)
			read_unit(t, e);
		else
			thrift_skip(t, type);
	}
}

static void read_logical(struct thrift *t, struct element *e)
{
	enum thrift_type type;
	int id = 0;

	while ((type = thrift_field(t, &id)) != THRIFT_STOP) {
		if (type == THRIFT_STRUCT) {
			e->logical = id;
			read_logical_details(t, e);
		} else {
			thrift_skip(t, type);
		}
	}
}

/* ConvertedType, which older writers have. */
static void set_converted(struct element *e, int64_t converted)
{
	static const struct {
		int logical, unit, bits;
		bool is_unsigned;
	} known[] = {
		[0] = {.logical = L_STRING},
		[1] = {.logical = L_MAP},
		[3] = {.logical = L_LIST},
		[4] = {.logical = L_ENUM},
		[5] = {.logical = L_DECIMAL},
		[6] = {.logical = L_DATE},
		[7] = {.logical = L_TIME, .unit = MILLIS},
		[8] = {.logical = L_TIME, .unit = MICROS},
		[9] = {.logical = L_TIMESTAMP, .unit = MILLIS},
		[10] = {.logical = L_TIMESTAMP, .unit = MICROS},
		[11] = {L_INTEGER, 0, 8, true},
		[12] = {L_INTEGER, 0, 16, true},
		[13] = {L_INTEGER, 0, 32, true},
		[14] = {L_INTEGER, 0, 64, true},
		[15] = {L_INTEGER, 0, 8, false},
		[16] = {L_INTEGER, 0, 16, false},
		[17] = {L_INTEGER, 0, 32, false},
		[18] = {L_INTEGER, 0, 64, false},
		[19] = {.logical = L_JSON},
		[20] = {.logical = L_BSON},
	};

	if (e->logical || converted < 0 || converted >= (int64_t)(sizeof(known) / sizeof(known[0])))
		return;
	e->logical = known[converted].logical;
	e->unit = known[converted].unit;
	e->bits = known[converted].bits;
	e->is_unsigned = known[converted].is_unsigned;
	e->utc = e->logical == L_TIMESTAMP;
}

static void read_element(struct thrift *t, struct element *e)
{
	int64_t converted = -1, n;
	enum thrift_type type;
	int id = 0;

	*e = (struct element){.physical = P_GROUP, .name = ""};
	while ((type = thrift_field(t, &id)) != THRIFT_STOP) {
		if (id == 4 && type == THRIFT_BINARY) {
			e->name = thrift_binary(t, &e->name_len);
			continue;
		}
		if (id == 10 && type == THRIFT_STRUCT) {
			read_logical(t, e);
			continue;
		}
		if (type != THRIFT_I32 || id > 8) {
			thrift_skip(t, type);
			continue;
		}
		n = thrift_integer(t);
		if (id == 1)
			e->physical = n >= 0 && n < P_GROUP ? (enum physical)n : P_FIXED;
		else if (id == 3)
			e->repetition = n == OPTIONAL || n == REPEATED ? (enum repetition)n : REQUIRED;
		else if (id == 5)
			e->children = n > 0 ? (size_t)n : 0;
		else if (id == 6)
			converted = n;
		else if (id == 7)
			e->scale = (int)n;
		else if (id == 8)
			e->precision = (int)n;
	}
	set_converted(e, converted);
}

int parquet_read_schema(struct parquet *p)
{
	enum thrift_type type;
	size_t n = thrift_list(&p->t, &type);

	if (type != THRIFT_STRUCT)
		return -EBADMSG;
	for (size_t i = 0; i < n && !p->t.bad; i++) {
		if (array_grow(&p->elements, p->n, &p->room, sizeof(*p->elements)))
			return -ENOMEM;
		read_element(&p->t, &p->elements[p->n++]);
	}
	return p->t.bad || !p->n ? -EBADMSG : 0;
}

/* ---- types, as DuckDB has them ---- */

static const char *integer_name(const struct element *e)
{
	int bits = e->logical == L_INTEGER && e->bits ? e->bits : e->physical == P_INT64 ? 64 : 32;

	if (e->logical == L_INTEGER && e->is_unsigned)
		return bits == 8 ? "UTINYINT" : bits == 16 ? "USMALLINT" : bits == 32 ? "UINTEGER" : "UBIGINT";
	return bits == 8 ? "TINYINT" : bits == 16 ? "SMALLINT" : bits == 32 ? "INTEGER" : "BIGINT";
}

static void print_leaf(struct buf *b, const struct element *e)
{
	static const char *const plain[] = {"BOOLEAN", "", "", "TIMESTAMP", "FLOAT", "DOUBLE", "BLOB", "BLOB", "BLOB"};

	if (e->logical == L_DECIMAL)
		buf_addf(b, "DECIMAL(%d,%d)", e->precision, e->scale);
	else if (e->logical == L_DATE)
		buf_adds(b, "DATE");
	else if (e->logical == L_TIME)
		buf_adds(b, e->utc ? "TIME WITH TIME ZONE" : "TIME");
	else if (e->logical == L_TIMESTAMP)
		buf_adds(b, e->utc ? "TIMESTAMP WITH TIME ZONE" : e->unit == NANOS ? "TIMESTAMP_NS" : "TIMESTAMP");
	else if (e->logical == L_UUID)
		buf_adds(b, "UUID");
	else if (e->logical == L_JSON)
		buf_adds(b, "JSON");
	else if (e->logical == L_STRING || e->logical == L_ENUM)
		buf_adds(b, "VARCHAR");
	else
		buf_adds(b, e->physical == P_INT32 || e->physical == P_INT64 ? integer_name(e) : plain[e->physical]);
}

size_t parquet_behind(const struct parquet *p, size_t i, int depth)
{
	size_t next = i + 1;

	for (size_t k = 0; k < p->elements[i].children && next < p->n && depth < TREE_DEPTH; k++)
		next = parquet_behind(p, next, depth + 1);
	return next;
}

static void print_group(struct parquet *p, struct buf *b, size_t i, int depth)
{
	size_t next = i + 1;

	buf_adds(b, "STRUCT(");
	for (size_t k = 0; k < p->elements[i].children && next < p->n && b->len < TYPE_LENGTH; k++) {
		char name[128];

		snprintf(name, sizeof(name), "%.*s", (int)p->elements[next].name_len, p->elements[next].name);
		buf_adds(b, k ? ", " : "");
		json_shape_print_name(b, name);
		buf_addc(b, ' ');
		parquet_print_type(p, b, next, depth + 1);
		next = parquet_behind(p, next, depth + 1);
	}
	buf_addc(b, ')');
}

/* A list is a group of one repeated group of one element, in most files. */
void parquet_print_type(struct parquet *p, struct buf *b, size_t i, int depth)
{
	const struct element *e = &p->elements[i];
	bool inner = i + 1 < p->n && e->children == 1;

	if (depth >= TREE_DEPTH || b->len > TYPE_LENGTH) {
		buf_adds(b, "STRUCT()");
	} else if (e->physical != P_GROUP) {
		print_leaf(b, e);
		if (e->repetition == REPEATED)
			buf_adds(b, "[]");
	} else if (e->logical == L_LIST && inner) {
		bool three = p->elements[i + 1].physical == P_GROUP && p->elements[i + 1].children == 1 && i + 2 < p->n;

		parquet_print_type(p, b, three ? i + 2 : i + 1, depth + 2);
		if (three)
			buf_adds(b, "[]");
	} else if (e->logical == L_MAP && inner && p->elements[i + 1].children == 2 && i + 2 < p->n) {
		size_t value = parquet_behind(p, i + 2, depth);

		buf_adds(b, "MAP(");
		parquet_print_type(p, b, i + 2, depth + 2);
		buf_adds(b, ", ");
		if (value < p->n)
			parquet_print_type(p, b, value, depth + 2);
		buf_addc(b, ')');
	} else {
		print_group(p, b, i, depth);
	}
}
