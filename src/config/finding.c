#include "config/finding.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"

#define FINDINGS_MAX 100 /* of each level: a file of noise is not a log of noise */
#define SHOWN_MAX 60

static int count_level(const struct findings *f, enum finding_level level)
{
	int count = 0;

	for (int i = 0; i < f->n; i++)
		count += f->list[i].level == level;
	return count;
}

/* Takes TEXT. Without memory the finding itself is lost, but never that there is one. */
static void append(struct findings *f, enum finding_level level, const struct place *at, char *text)
{
	struct finding *list = realloc(f->list, (size_t)(f->n + 1) * sizeof(*list));

	if (!list) {
		free(text);
		if (f->n && level == FINDING_ERROR)
			f->list[f->n - 1].level = level;
		return;
	}
	f->list = list;
	f->list[f->n++] = (struct finding){
		.level = level,
		.text = text,
		.line = at->file ? at->line : UINT_MAX,
		.col = at->file ? at->col : UINT_MAX,
	};
}

void findings_add(struct findings *f, enum finding_level level, const struct place *at, const char *fmt, ...)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int already = count_level(f, level);
	va_list ap;

	if (already > FINDINGS_MAX)
		return;
	if (at->file)
		buf_addf(&text, "%s:", at->file);
	if (at->file && at->line)
		buf_addf(&text, "%u:%u:", at->line, at->col);
	if (at->file)
		buf_addc(&text, ' ');
	if (already == FINDINGS_MAX) {
		buf_addf(&text, "and more such %s", level == FINDING_ERROR ? "errors" : "warnings");
	} else {
		va_start(ap, fmt);
		buf_vaddf(&text, fmt, ap);
		va_end(ap);
	}
	append(f, level, at, buf_detach(&text));
}

static bool stands_before(const struct finding *a, const struct finding *b)
{
	return a->line != b->line ? a->line < b->line : a->col < b->col;
}

void findings_sort(struct findings *f, int first)
{
	for (int i = first + 1; i < f->n; i++) {
		struct finding moving = f->list[i];
		int j = i;

		for (; j > first && stands_before(&moving, &f->list[j - 1]); j--)
			f->list[j] = f->list[j - 1];
		f->list[j] = moving;
	}
}

void findings_drop_warnings(struct findings *f)
{
	int kept = 0;

	for (int i = 0; i < f->n; i++) {
		if (f->list[i].level == FINDING_ERROR)
			f->list[kept++] = f->list[i];
		else
			free(f->list[i].text);
	}
	f->n = kept;
}

void findings_release(struct findings *f)
{
	for (int i = 0; i < f->n; i++)
		free(f->list[i].text);
	free(f->list);
	*f = (struct findings){0};
}

bool findings_failed(const struct findings *f)
{
	return count_level(f, FINDING_ERROR) > 0;
}

void buf_add_shown(struct buf *b, const char *text, size_t len)
{
	size_t i = 0;

	buf_addc(b, '"');
	while (i < len && i < SHOWN_MAX) {
		size_t n = utf8_length(text + i, len - i);
		unsigned char c = (unsigned char)text[i];

		if (n == 0 || c < 0x20 || c == 0x7f) {
			buf_addf(b, "\\x%02x", c);
			i++;
		} else if (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0) {
			buf_addf(b, "\\u00%02x", (unsigned char)text[i + 1]);
			i += n;
		} else {
			buf_add(b, text + i, n);
			i += n;
		}
	}
	buf_adds(b, i < len ? "...\"" : "\"");
}

void buf_add_key(struct buf *b, const char *key)
{
	size_t len = strlen(key);

	if (len && len <= SHOWN_MAX &&
	    strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len)
		buf_adds(b, key);
	else
		buf_add_shown(b, key, len);
}
