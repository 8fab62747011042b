#include "base/buf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/utf8.h"

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->error = 0;
	if (b->data)
		b->data[0] = '\0';
}

int buf_error(const struct buf *b)
{
	return b->error;
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

/* Makes room for MORE bytes and the NUL. False after an error. */
static bool grow(struct buf *b, size_t more)
{
	size_t need, room;
	char *data;

	if (b->error)
		return false;
	if (__builtin_add_overflow(b->len, more, &need) || __builtin_add_overflow(need, 1, &need)) {
		b->error = -ENOMEM;
		return false;
	}
	if (need <= b->room)
		return true;
	room = b->room < 64 ? 64 : b->room;
	while (room < need)
		room = room > SIZE_MAX / 2 ? need : room * 2;
	data = realloc(b->data, room);
	if (!data) {
		b->error = -ENOMEM;
		return false;
	}
	b->data = data;
	b->room = room;
	return true;
}

char *buf_detach(struct buf *b)
{
	char *data;

	if (!grow(b, 0)) {
		buf_release(b);
		return NULL;
	}
	data = b->data;
	data[b->len] = '\0';
	*b = (struct buf)BUF_INIT;
	return data;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (!grow(b, len))
		return;
	if (len)
		memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	if (!grow(b, 63))
		return;
	va_copy(again, ap);
	n = vsnprintf(b->data + b->len, b->room - b->len, fmt, ap);
	if (n >= 0 && (size_t)n >= b->room - b->len && grow(b, (size_t)n))
		n = vsnprintf(b->data + b->len, b->room - b->len, fmt, again);
	va_end(again);
	if (n < 0)
		b->error = -ENOMEM;
	if (b->error)
		b->data[b->len] = '\0';
	else
		b->len += (size_t)n;
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

static void add_json_ascii(struct buf *b, unsigned char c)
{
	static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";

	for (const char *l = letters; *l; l += 2) {
		if ((unsigned char)l[0] == c) {
			buf_addc(b, '\\');
			buf_addc(b, l[1]);
			return;
		}
	}
	if (c < 0x20)
		buf_addf(b, "\\u%04x", c);
	else
		buf_addc(b, (char)c);
}

void buf_add_json(struct buf *b, const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes, *end = p + len;

	buf_addc(b, '"');
	while (p < end) {
		size_t n = utf8_length(p, (size_t)(end - p));

		if (n == 0)
			buf_addf(b, "\\udc%02x", *p++);
		else if (n == 1)
			add_json_ascii(b, *p++);
		else
			buf_add(b, p, n), p += n;
	}
	buf_addc(b, '"');
}

static bool csv_needs_quotes(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == ',' || bytes[i] == '"' || bytes[i] == '\n' || bytes[i] == '\r')
			return true;
	}
	/* RFC 4180 keeps spaces; many readers trim them where nothing is quoted. */
	return len && (bytes[0] == ' ' || bytes[0] == '\t' || bytes[len - 1] == ' ' || bytes[len - 1] == '\t');
}

void buf_add_csv(struct buf *b, const char *bytes, size_t len)
{
	if (!csv_needs_quotes(bytes, len)) {
		buf_add(b, bytes, len);
		return;
	}
	buf_addc(b, '"');
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '"')
			buf_addc(b, '"');
		buf_addc(b, bytes[i]);
	}
	buf_addc(b, '"');
}

static void add_time(struct buf *b, int64_t ns, int digits)
{
	int64_t left = ns % NSEC_PER_SEC;
	time_t seconds = (time_t)(ns / NSEC_PER_SEC);
	struct tm tm;

	if (left < 0) {
		left += NSEC_PER_SEC;
		seconds--;
	}
	gmtime_r(&seconds, &tm); /* cannot fail: 64 bits of nanoseconds end in 2262 */
	buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		 tm.tm_min, tm.tm_sec);
	if (digits == 3)
		buf_addf(b, ".%03d", (int)(left / NSEC_PER_MSEC));
	else if (digits)
		buf_addf(b, ".%06d", (int)(left / 1000));
	buf_addc(b, 'Z');
}

void buf_add_time(struct buf *b, int64_t ns)
{
	add_time(b, ns, 0);
}

void buf_add_time_ms(struct buf *b, int64_t ns)
{
	add_time(b, ns, 3);
}

void buf_add_moment(struct buf *b, int64_t ns)
{
	int64_t over = ns % 1000;

	add_time(b, over > 0 ? ns + 1000 - over : ns, 6);
}

void buf_add_hex(struct buf *b, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = bytes;

	if (len > SIZE_MAX / 2 || !grow(b, len * 2))
		return;
	for (size_t i = 0; i < len; i++) {
		buf_addc(b, digits[p[i] >> 4]);
		buf_addc(b, digits[p[i] & 15]);
	}
}
