#include "meta/changes_file.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fnv.h"
#include "meta/changes.h"
#include "meta/schema.h"

#define MAGIC "TARNCHG"
#define FRAME "GROU"
#define FRAME_HEADER 48
#define BYTE_ORDER_MARK UINT32_C(0x01020304)

static void add32(struct buf *b, uint32_t value)
{
	value = htole32(value);
	buf_add(b, &value, sizeof(value));
}

static void add64(struct buf *b, uint64_t value)
{
	value = htole64(value);
	buf_add(b, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static uint64_t get64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

void changes_add_header(struct buf *b, uint64_t from)
{
	const uint32_t order = BYTE_ORDER_MARK;

	buf_add(b, MAGIC, 7);
	buf_addc(b, CHANGES_FORMAT);
	buf_add(b, &order, sizeof(order));
	add32(b, SCHEMA_VERSION);
	add64(b, from);
}

size_t changes_begin_frame(struct buf *b)
{
	static const char empty[FRAME_HEADER];
	size_t frame = b->len;

	buf_add(b, empty, sizeof(empty));
	return frame;
}

static void put64(struct buf *b, size_t at, uint64_t value)
{
	value = htole64(value);
	memcpy(b->data + at, &value, sizeof(value));
}

void changes_end_frame(struct buf *b, size_t frame, const struct changes_end *end)
{
	uint32_t len;

	if (buf_error(b))
		return;
	len = htole32((uint32_t)(b->len - frame - FRAME_HEADER));
	memcpy(b->data + frame, FRAME, 4);
	memcpy(b->data + frame + 4, &len, sizeof(len));
	put64(b, frame + 16, end->last);
	for (int i = 0; i < 3; i++)
		put64(b, frame + 24 + (size_t)i * 8, end->next[i]);
	put64(b, frame + 8, fnv1a(FNV1A_START, (uint8_t *)b->data + frame + 16, b->len - frame - 16));
}

int changes_read_header(const void *bytes, size_t len, uint64_t *from)
{
	const uint32_t order = BYTE_ORDER_MARK;
	const uint8_t *at = bytes;

	if (len < CHANGES_HEADER || memcmp(at, MAGIC, 7) != 0)
		return -EBADMSG;
	if (at[7] != CHANGES_FORMAT || memcmp(at + 8, &order, sizeof(order)) != 0 || get32(at + 12) != SCHEMA_VERSION)
		return -EPROTONOSUPPORT;
	*from = get64(at + 16);
	return 0;
}

int changes_next_frame(const void *bytes, size_t len, size_t *at, struct changes_end *end, struct record_reader *body)
{
	const uint8_t *frame = (const uint8_t *)bytes + *at;
	size_t left = len - *at, size;

	if (!left)
		return 0;
	if (left < FRAME_HEADER || memcmp(frame, FRAME, 4) != 0)
		return -EBADMSG;
	size = get32(frame + 4);
	if (size > left - FRAME_HEADER || fnv1a(FNV1A_START, frame + 16, FRAME_HEADER - 16 + size) != get64(frame + 8))
		return -EBADMSG;
	end->last = get64(frame + 16);
	for (int i = 0; i < 3; i++)
		end->next[i] = get64(frame + 24 + (ptrdiff_t)i * 8);
	*body = (struct record_reader){frame + FRAME_HEADER, frame + FRAME_HEADER + size};
	*at += FRAME_HEADER + size;
	return 1;
}

size_t changes_whole(const void *bytes, size_t len, uint64_t last, uint64_t *from, uint64_t *to)
{
	size_t at = CHANGES_HEADER, whole = CHANGES_HEADER;
	struct record_reader body;
	struct changes_end end;

	if (changes_read_header(bytes, len, from))
		return 0;
	*to = *from;
	while (changes_next_frame(bytes, len, &at, &end, &body) > 0 && end.last <= last) {
		*to = end.last;
		whole = at;
	}
	return whole;
}

int changes_check(const void *bytes, size_t len, uint64_t from, uint64_t to)
{
	uint64_t begin, end;
	int rc = changes_read_header(bytes, len, &begin);

	if (rc)
		return rc;
	if (changes_whole(bytes, len, COMMIT_LIVE, &begin, &end) != len || begin != from || end != to)
		return -EBADMSG;
	return 0;
}

void changes_name(uint64_t from, uint64_t to, char name[CHANGES_NAME])
{
	snprintf(name, CHANGES_NAME, "%016llx-%016llx", (unsigned long long)from, (unsigned long long)to);
}

int changes_parse_name(const char *name, uint64_t *from, uint64_t *to)
{
	if (strlen(name) != CHANGES_NAME - 1 || name[16] != '-' || strspn(name, "0123456789abcdef") != 16 ||
	    strspn(name + 17, "0123456789abcdef") != 16)
		return -EINVAL;
	*from = strtoull(name, NULL, 16);
	*to = strtoull(name + 17, NULL, 16);
	return *from < *to ? 0 : -EINVAL;
}
