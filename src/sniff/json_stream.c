/*
 * A value's end is found by counting brackets outside of strings; what is between is json-c's to judge. A scalar ends
 * where a space, a comma or a bracket follows.
 */
#include "sniff/json_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"

#define PIECE (256 * 1024)

struct stream {
	enum json_layout layout;
	json_value_fn fn;
	void *arg;
	struct json_tokener *tokener;

	struct buf value; /* so much of the one in hand */
	unsigned depth;	  /* brackets open in it */
	bool in_string, escaped;
	bool in_scalar; /* a number or a word at the top of it */
	bool closed;	/* the list's end was seen */
	bool comma;	/* the list's next value must follow */
	uint64_t values;
};

static int end_value(struct stream *s)
{
	_cleanup_json_ struct json_object *o = NULL;
	enum json_tokener_error error;

	json_tokener_reset(s->tokener);
	buf_addc(&s->value, '\n'); /* by which the end of a number is known */
	if (buf_error(&s->value))
		return -ENOMEM;
	o = json_tokener_parse_ex(s->tokener, s->value.data, (int)s->value.len);
	error = json_tokener_get_error(s->tokener);
	if (error == json_tokener_error_depth)
		return -EFBIG;
	if (error != json_tokener_success)
		return -EBADMSG;
	buf_clear(&s->value);
	s->in_scalar = s->comma = false;
	s->values++;
	if (s->layout == JSON_ONE && s->values > 1)
		s->layout = JSON_SEVERAL;
	return s->fn(s->arg, o);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Between two values. */
static int between(struct stream *s, char c)
{
	if (is_space(c))
		return 0;
	if (s->closed)
		return -EBADMSG;
	if (s->layout == JSON_NOTHING) {
		s->layout = c == '[' ? JSON_LIST : JSON_ONE;
		if (c == '[')
			return 0;
	}
	if (s->layout == JSON_LIST && c == ']') {
		s->closed = true;
		return 0;
	}
	if (s->layout == JSON_LIST && c == ',' && s->values && !s->comma) {
		s->comma = true;
		return 0;
	}
	if (s->layout == JSON_LIST && s->values && !s->comma)
		return -EBADMSG;
	buf_addc(&s->value, c);
	s->in_string = c == '"';
	s->depth = c == '{' || c == '[';
	s->in_scalar = !s->depth && !s->in_string;
	return 0;
}

static int within(struct stream *s, char c)
{
	if (s->in_scalar) {
		if (!is_space(c) && c != ',' && c != ']' && c != '}') {
			buf_addc(&s->value, c);
			return 0;
		}
		int rc = end_value(s);

		return rc ? rc : between(s, c);
	}
	buf_addc(&s->value, c);
	if (s->in_string) {
		if (s->escaped)
			s->escaped = false;
		else if (c == '\\')
			s->escaped = true;
		else if (c == '"')
			s->in_string = false;
	} else if (c == '"') {
		s->in_string = true;
	} else if (c == '{' || c == '[') {
		s->depth++;
	} else if (c == '}' || c == ']') {
		s->depth--;
	}
	return s->in_string || s->depth ? 0 : end_value(s);
}

static int take(struct stream *s, const char *p, size_t len)
{
	int rc = 0;

	for (size_t i = 0; i < len && !rc; i++)
		rc = s->value.len ? within(s, p[i]) : between(s, p[i]);
	if (!rc && s->value.len > JSON_VALUE_MAX)
		rc = -EFBIG;
	return rc ? rc : buf_error(&s->value);
}

static int read_all(struct stream *s, struct input *in, char *piece)
{
	ssize_t n;
	int rc = input_rewind(in);

	while (!rc && (n = input_read(in, piece, PIECE)))
		rc = n < 0 ? (int)n : take(s, piece, (size_t)n);
	if (!rc && s->in_scalar)
		rc = end_value(s);
	if (!rc && (s->value.len || (s->layout == JSON_LIST && !s->closed)))
		rc = -EBADMSG;
	return rc;
}

int json_read(struct input *in, enum json_layout *layout, json_value_fn fn, void *arg)
{
	struct stream s = {.fn = fn, .arg = arg, .tokener = json_tokener_new_ex(JSON_DEPTH)};
	_cleanup_free_ char *piece = malloc(PIECE);
	int rc = s.tokener && piece ? read_all(&s, in, piece) : -ENOMEM;

	if (s.tokener)
		json_tokener_free(s.tokener);
	buf_release(&s.value);
	*layout = s.layout;
	return rc;
}
