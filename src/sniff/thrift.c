#include "sniff/thrift.h"

#define DEPTH 32

static unsigned char take(struct thrift *t)
{
	if (t->bad || t->p == t->end) {
		t->bad = true;
		return 0;
	}
	return *t->p++;
}

static uint64_t take_varint(struct thrift *t)
{
	uint64_t n = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		unsigned char c = take(t);

		n |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return n;
	}
	t->bad = true;
	return 0;
}

int64_t thrift_integer(struct thrift *t)
{
	uint64_t n = take_varint(t);

	return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

const char *thrift_binary(struct thrift *t, size_t *len)
{
	uint64_t n = take_varint(t);
	const char *bytes = (const char *)t->p;

	*len = 0;
	if (t->bad || n > (uint64_t)(t->end - t->p)) {
		t->bad = true;
		return "";
	}
	t->p += n;
	*len = (size_t)n;
	return bytes;
}

enum thrift_type thrift_field(struct thrift *t, int *id)
{
	unsigned char c = take(t);

	if (t->bad || !(c & 0xf))
		return THRIFT_STOP;
	*id = c >> 4 ? *id + (c >> 4) : (int)thrift_integer(t);
	return (c & 0xf) <= THRIFT_STRUCT ? (enum thrift_type)(c & 0xf) : (t->bad = true, THRIFT_STOP);
}

size_t thrift_list(struct thrift *t, enum thrift_type *type)
{
	unsigned char c = take(t);
	uint64_t n = c >> 4;

	*type = (enum thrift_type)(c & 0xf);
	if (n == 15)
		n = take_varint(t);
	if (t->bad || n > (uint64_t)(t->end - t->p)) {
		t->bad = true;
		return 0;
	}
	return (size_t)n;
}

static void skip(struct thrift *t, enum thrift_type type, int depth);

static void skip_list(struct thrift *t, int depth)
{
	enum thrift_type type;
	size_t n = thrift_list(t, &type);

	for (size_t i = 0; i < n && !t->bad; i++)
		skip(t, type <= THRIFT_FALSE ? THRIFT_BYTE : type, depth);
}

static void skip_map(struct thrift *t, int depth)
{
	uint64_t n = take_varint(t);
	unsigned char types = n ? take(t) : 0;

	for (uint64_t i = 0; i < n && !t->bad; i++) {
		skip(t, (enum thrift_type)(types >> 4), depth);
		skip(t, (enum thrift_type)(types & 0xf), depth);
	}
}

static void skip_struct(struct thrift *t, int depth)
{
	enum thrift_type type;
	int id = 0;

	while ((type = thrift_field(t, &id)) != THRIFT_STOP)
		skip(t, type, depth);
}

static void skip(struct thrift *t, enum thrift_type type, int depth)
{
	size_t len;

	if (depth == DEPTH) {
		t->bad = true;
		return;
	}
	switch (type) {
	case THRIFT_TRUE:
	case THRIFT_FALSE:
		return;
	case THRIFT_BYTE:
		take(t);
		return;
	case THRIFT_I16:
	case THRIFT_I32:
	case THRIFT_I64:
		take_varint(t);
		return;
	case THRIFT_DOUBLE:
		for (int i = 0; i < 8; i++)
			take(t);
		return;
	case THRIFT_BINARY:
		thrift_binary(t, &len);
		return;
	case THRIFT_LIST:
	case THRIFT_SET:
		skip_list(t, depth + 1);
		return;
	case THRIFT_MAP:
		skip_map(t, depth + 1);
		return;
	case THRIFT_STRUCT:
		skip_struct(t, depth + 1);
		return;
	case THRIFT_STOP:
		break;
	}
	t->bad = true;
}

void thrift_skip(struct thrift *t, enum thrift_type type)
{
	skip(t, type, 0);
}
