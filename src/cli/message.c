#include "cli/cli.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"

void say(const char *fmt, ...)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	_cleanup_buf_ struct buf line = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	buf_adds(&line, "tarn: ");
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.data[i];

		if (c < ' ' || c == 0x7f)
			buf_addf(&line, "\\x%02x", c);
		else
			buf_addc(&line, (char)c);
	}
	buf_addc(&line, '\n');
	fputs(buf_error(&line) ? "tarn: out of memory\n" : buf_str(&line), stderr);
}
