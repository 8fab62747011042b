#include "sniff/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sniff/mime.h"

#define PIECE (256 * 1024)

/* "markdown" of text/markdown, "python" of text/x-script.python; "text" of text/plain. */
static const char *subtype(const char *mime)
{
	const char *slash = strchr(mime, '/'), *name = slash ? slash + 1 : mime;

	if (!strncmp(name, "x-script.", 9))
		return name + 9;
	if (!strncmp(name, "x-", 2))
		return name + 2;
	return strcmp(name, "plain") ? name : "text";
}

struct counts {
	uint64_t words, lines, bytes;
	bool in_word;
};

/* As wc(1) has it. */
static void count(struct counts *c, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool space = isspace((unsigned char)p[i]);

		c->words += !space && !c->in_word;
		c->in_word = !space;
		c->lines += p[i] == '\n';
	}
	c->bytes += len;
}

int text_sniff(struct input *in, struct description *d)
{
	_cleanup_free_ char *piece = malloc(PIECE);
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct counts c = {0};
	ssize_t n = 0;
	int rc = piece ? input_rewind(in) : -ENOMEM;

	if (!input_encoding(in)) /* it was taken for text by its beginning, or its name */
		return rc;
	d->kind = DESCRIBED_TEXT;
	while (!rc && c.bytes < TEXT_READ && (n = input_read(in, piece, PIECE)) > 0) {
		size_t left = DESCRIPTION_TEXT_MAX - text.len;

		count(&c, piece, (size_t)n);
		buf_add(&text, piece, (size_t)n < left ? (size_t)n : left);
	}
	if (rc || n < 0)
		return rc ? rc : (int)n;
	rc = description_set(&d->format, subtype(d->mime));
	if (!rc)
		rc = description_set_bytes(&d->text, buf_str(&text), text.len);
	if (!rc && n) /* there is more */
		rc = description_add_fact(d, "counted", "beginning");
	if (!rc)
		rc = description_add_factf(d, "words", "%" PRIu64, c.words);
	if (!rc)
		rc = description_add_factf(d, "lines", "%" PRIu64, c.lines);
	if (!rc && input_error(in))
		rc = description_set(&d->unreadable, input_error(in));
	return rc ? rc : buf_error(&text);
}

/* ---- images ---- */

static unsigned take_number(const char **p)
{
	unsigned n = 0;

	while (isdigit((unsigned char)**p) && n < 1000000)
		n = n * 10 + (unsigned)(*(*p)++ - '0');
	return n;
}

/* The last "640 x 480" or "640x480" that libmagic says; what stands before may be dots per inch. */
static bool find_size(const char *text, unsigned *width, unsigned *height)
{
	bool found = false;

	while (*text) {
		unsigned w, h;

		if (!isdigit((unsigned char)*text)) {
			text++;
			continue;
		}
		w = take_number(&text);
		if (strncmp(text, " x ", 3) && *text != 'x')
			continue;
		text += *text == 'x' ? 1 : 3;
		h = take_number(&text);
		if (w && h) {
			*width = w;
			*height = h;
			found = true;
		}
	}
	return found;
}

int image_sniff(struct input *in, struct description *d)
{
	char said[MIME_SAID];
	size_t len;
	const char *head = input_raw_head(in, &len);
	unsigned width = 0, height = 0;
	int rc = description_set(&d->format, subtype(d->mime));

	d->kind = DESCRIBED_IMAGE;
	if (rc || mime_says(head, len, said) || !find_size(said, &width, &height))
		return rc;
	rc = description_add_factf(d, "width", "%u", width);
	return rc ? rc : description_add_factf(d, "height", "%u", height);
}
