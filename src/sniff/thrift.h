/*
 * Reading Thrift's compact protocol (thrift/doc/specs/thrift-compact-protocol.md), as Parquet's footers are written:
 * out of memory, never beyond its end. What is wrong makes `bad`, and everything after it reads as nothing.
 */
#ifndef TARN_SNIFF_THRIFT_H
#define TARN_SNIFF_THRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum thrift_type {
	THRIFT_STOP,
	THRIFT_TRUE,
	THRIFT_FALSE,
	THRIFT_BYTE,
	THRIFT_I16,
	THRIFT_I32,
	THRIFT_I64,
	THRIFT_DOUBLE,
	THRIFT_BINARY,
	THRIFT_LIST,
	THRIFT_SET,
	THRIFT_MAP,
	THRIFT_STRUCT,
};

struct thrift {
	const unsigned char *p, *end;
	bool bad;
};

/* The next field of a struct: its type, THRIFT_STOP at the struct's end; *ID: 0 before the first one. */
enum thrift_type thrift_field(struct thrift *t, int *id);
int64_t thrift_integer(struct thrift *t);
const char *thrift_binary(struct thrift *t, size_t *len);
/* How many elements, each of *TYPE, and never more than there are bytes. */
size_t thrift_list(struct thrift *t, enum thrift_type *type);
void thrift_skip(struct thrift *t, enum thrift_type type);

#endif
