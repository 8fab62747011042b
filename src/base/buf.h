/*
 * A growing byte buffer, always followed by a NUL that its length does not count. Out of memory is remembered: later
 * calls do nothing and buf_error() says -ENOMEM, so that callers check once, at the end.
 */
#ifndef TARN_BASE_BUF_H
#define TARN_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data; /* NULL while empty; use buf_str() for a string that is never NULL */
	size_t len;
	size_t room;
	int error;
};

#define BUF_INIT \
	{        \
	}

void buf_release(struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory */
int buf_error(const struct buf *b);
const char *buf_str(const struct buf *b);
/* Gives the bytes to the caller, who frees them; the buffer is empty afterwards. NULL after an error. */
char *buf_detach(struct buf *b);

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap);

/*
 * A JSON string with its quotes (RFC 8259). Bytes that are not UTF-8 become lone surrogates \udc80..\udcff, as
 * Python's surrogateescape has them, so that every name survives a round trip.
 */
void buf_add_json(struct buf *b, const char *bytes, size_t len);
/* One CSV field (RFC 4180), quoted when it needs to be; the bytes as they are. */
void buf_add_csv(struct buf *b, const char *bytes, size_t len);
/* RFC 3339 in UTC: 2026-11-20T09:00:00Z, or with milliseconds. */
void buf_add_time(struct buf *b, int64_t ns);
void buf_add_time_ms(struct buf *b, int64_t ns);
/* With microseconds, rounded up, of what is looked for by its time later: what was at NS is there as of this, and what
 * came a moment after it, on a busy machine, is not. */
void buf_add_moment(struct buf *b, int64_t ns);
void buf_add_hex(struct buf *b, const void *bytes, size_t len);

static inline void buf_releasep(struct buf *b)
{
	buf_release(b);
}
#define _cleanup_buf_ __attribute__((cleanup(buf_releasep)))

#endif
