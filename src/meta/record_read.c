/* Taking records apart. */
#include "meta/record.h"

#include <string.h>

uint64_t record_get(struct record_reader *in)
{
	uint64_t value = 0;

	for (unsigned shift = 0; in->at < in->end && shift < 64; shift += 7) {
		uint8_t byte = *in->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	return value;
}

int64_t record_get_signed(struct record_reader *in)
{
	uint64_t value = record_get(in);

	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

const void *record_get_blob(struct record_reader *in, size_t *len)
{
	uint64_t size = record_get(in);
	const void *bytes = in->at;

	if (size && size - 1 > (size_t)(in->end - in->at))
		size = 0;
	*len = size ? size - 1 : 0;
	in->at += *len;
	return size ? bytes : NULL;
}

const char *record_get_string(struct record_reader *in, size_t *len)
{
	const char *s = record_get_blob(in, len);

	*len -= s != NULL;
	return s;
}

bool record_next(struct record_reader *in, enum row *row, struct record_reader *body)
{
	uint32_t len;

	if (in->end - in->at < 5)
		return false;
	*row = (enum row)in->at[0];
	memcpy(&len, in->at + 1, sizeof(len));
	if (len > (size_t)(in->end - in->at - 5))
		return false;
	*body = (struct record_reader){in->at + 5, in->at + 5 + len};
	in->at = body->end;
	return true;
}
