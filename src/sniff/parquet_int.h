/* Inside parquet*.c: the schema, and what is known of its leaves. */
#ifndef TARN_SNIFF_PARQUET_INT_H
#define TARN_SNIFF_PARQUET_INT_H

#include "base/buf.h"
#include "sniff/thrift.h"
#include "sniff/value.h"

#define TREE_DEPTH 16
#define TYPE_LENGTH 4096 /* of a type's name, printed */

enum physical { P_BOOLEAN, P_INT32, P_INT64, P_INT96, P_FLOAT, P_DOUBLE, P_BYTES, P_FIXED, P_GROUP };
enum logical {
	L_NONE,
	L_STRING,
	L_MAP,
	L_LIST,
	L_ENUM,
	L_DECIMAL,
	L_DATE,
	L_TIME,
	L_TIMESTAMP,
	L_INTEGER = 10,
	L_JSON = 12,
	L_BSON,
	L_UUID
};
enum unit { MILLIS = 1, MICROS, NANOS };
enum repetition { REQUIRED, OPTIONAL, REPEATED };

struct element {
	enum physical physical;
	enum repetition repetition;
	const char *name;
	size_t name_len;
	size_t children;
	int logical, unit, bits, scale, precision;
	bool utc, is_unsigned;
};

struct leaf {
	size_t column; /* of the description; SIZE_MAX: deeper, or too many */
	size_t element;
	bool bounded, bounds_missing, nulls_missing;
	uint64_t nulls;
	struct value min, max;
	const char *min_text, *max_text;
	size_t min_len, max_len;
};

struct parquet {
	struct thrift t;
	struct element *elements;
	size_t n, room;
	struct leaf *leaves;
	size_t nleaves, leaves_room;
	int64_t rows;
	size_t groups;
	const char *writer;
	size_t writer_len;
	size_t columns; /* of the root */
};

/* Elements of the schema, at which P stands. 0, -EBADMSG, -ENOMEM. */
int parquet_read_schema(struct parquet *p);
/* The element behind I and all that is below it; DEPTH: 0. */
size_t parquet_behind(const struct parquet *p, size_t i, int depth);
/* The type of element I, as DuckDB has it; DEPTH: 0. */
void parquet_print_type(struct parquet *p, struct buf *b, size_t i, int depth);

#endif
