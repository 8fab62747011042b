#include "ns/sheet.h"

#include <inttypes.h>
#include <string.h>

void sheet_begin(struct sheet *s, struct buf *out, bool json, const char *heading)
{
	*s = (struct sheet){.out = out, .json = json};
	if (json)
		buf_addc(out, '[');
	else
		buf_addf(out, "%s\r\n", heading);
}

void sheet_row(struct sheet *s)
{
	if (s->json)
		buf_adds(s->out, s->rows ? ",\n{" : "\n{");
	s->rows++;
	s->cells = 0;
}

void sheet_end_row(struct sheet *s)
{
	buf_adds(s->out, s->json ? "}" : "\r\n");
}

void sheet_end(struct sheet *s)
{
	if (s->json)
		buf_adds(s->out, "\n]\n");
}

static void begin_cell(struct sheet *s, const char *name)
{
	if (s->cells++)
		buf_addc(s->out, ',');
	if (s->json)
		buf_addf(s->out, "\"%s\":", name);
}

static void unknown(struct sheet *s, const char *name)
{
	begin_cell(s, name);
	if (s->json)
		buf_adds(s->out, "null");
}

void sheet_bytes(struct sheet *s, const char *name, const char *value, size_t len)
{
	begin_cell(s, name);
	(s->json ? buf_add_json : buf_add_csv)(s->out, value, len);
}

void sheet_text(struct sheet *s, const char *name, const char *value)
{
	if (value)
		sheet_bytes(s, name, value, strlen(value));
	else
		unknown(s, name);
}

void sheet_number(struct sheet *s, const char *name, int64_t value)
{
	begin_cell(s, name);
	buf_addf(s->out, "%" PRId64, value);
}

void sheet_number_if(struct sheet *s, const char *name, bool known, int64_t value)
{
	if (known)
		sheet_number(s, name, value);
	else
		unknown(s, name);
}

void sheet_flag(struct sheet *s, const char *name, bool value)
{
	begin_cell(s, name);
	buf_adds(s->out, value ? "true" : "false");
}

static void quote(struct sheet *s)
{
	if (s->json)
		buf_addc(s->out, '"');
}

void sheet_time(struct sheet *s, const char *name, int64_t ns)
{
	begin_cell(s, name);
	quote(s);
	buf_add_time(s->out, ns);
	quote(s);
}

void sheet_hex(struct sheet *s, const char *name, const void *bytes, size_t len)
{
	if (!len) {
		unknown(s, name);
		return;
	}
	begin_cell(s, name);
	quote(s);
	buf_add_hex(s->out, bytes, len);
	quote(s);
}
