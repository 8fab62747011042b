#include "sniff/description.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/utf8.h"

const char *described_name(enum described kind)
{
	static const char *const names[] = {
		[DESCRIBED_OTHER] = "other",	 [DESCRIBED_TEXT] = "text",	    [DESCRIBED_TABLE] = "table",
		[DESCRIBED_JSON] = "json",	 [DESCRIBED_DATABASE] = "database", [DESCRIBED_IMAGE] = "image",
		[DESCRIBED_AUDIO] = "audio",	 [DESCRIBED_VIDEO] = "video",	    [DESCRIBED_DOCUMENT] = "document",
		[DESCRIBED_ARCHIVE] = "archive",
	};

	return (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
}

void description_init(struct description *d)
{
	*d = (struct description){.rows = -1};
}

static void release_column(struct column *c)
{
	char *texts[] = {c->name, c->table, c->type, c->min, c->max, c->mean, c->std, c->q25, c->q50, c->q75, c->pii};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	for (size_t i = 0; i < c->ntop; i++)
		free(c->top[i].value);
	free(c->top);
}

void description_release(struct description *d)
{
	for (size_t i = 0; i < d->ncolumns; i++)
		release_column(&d->columns[i]);
	for (size_t i = 0; i < d->ntables; i++)
		free(d->tables[i].name);
	for (size_t i = 0; i < d->nfacts; i++) {
		free(d->facts[i].key);
		free(d->facts[i].value);
	}
	free(d->columns);
	free(d->tables);
	free(d->facts);
	free(d->format);
	free(d->mime);
	free(d->compression);
	free(d->encoding);
	free(d->unreadable);
	free(d->text);
	free(d->sample);
	description_init(d);
}

/* ---- texts ---- */

/* A NUL is no text either: what stands behind it would be lost. */
static void add_utf8(struct buf *to, const char *bytes, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = bytes[i] ? utf8_length(bytes + i, len - i) : 0;
		if (n) {
			buf_add(to, bytes + i, n);
		} else {
			buf_adds(to, "\xef\xbf\xbd");
			n = 1;
		}
	}
}

int description_set_bytes(char **member, const char *bytes, size_t len)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	char *text = NULL;

	if (bytes) {
		add_utf8(&b, bytes, len);
		text = b.len || buf_error(&b) ? buf_detach(&b) : strdup("");
		if (!text)
			return -ENOMEM;
	}
	free(*member);
	*member = text;
	return 0;
}

int description_set(char **member, const char *text)
{
	return description_set_bytes(member, text, text ? strlen(text) : 0);
}

int description_set_value(char **member, const char *bytes, size_t len)
{
	size_t fits = len;

	if (bytes && len > DESCRIPTION_VALUE_MAX) {
		fits = DESCRIPTION_VALUE_MAX;
		while (fits > DESCRIPTION_VALUE_MAX - 4 && ((unsigned char)bytes[fits] & 0xc0) == 0x80)
			fits--;
	}
	return description_set_bytes(member, bytes, fits);
}

/* ---- parts ---- */

int description_add_fact(struct description *d, const char *key, const char *value)
{
	struct description_fact f = {0};
	int rc = array_grow(&d->facts, d->nfacts, &d->facts_room, sizeof(f));

	if (!rc)
		rc = description_set(&f.key, key);
	if (!rc)
		rc = description_set(&f.value, value);
	if (rc) {
		free(f.key);
		return rc;
	}
	d->facts[d->nfacts++] = f;
	return 0;
}

int description_add_factf(struct description *d, const char *key, const char *fmt, ...)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	return buf_error(&b) ? -ENOMEM : description_add_fact(d, key, buf_str(&b));
}

int description_add_table(struct description *d, const char *name, int64_t rows)
{
	struct described_table t = {.rows = rows};
	int rc = array_grow(&d->tables, d->ntables, &d->tables_room, sizeof(t));

	if (!rc)
		rc = description_set(&t.name, name);
	if (!rc)
		d->tables[d->ntables++] = t;
	return rc;
}

struct column *description_add_column(struct description *d, const char *name, size_t len, const char *type)
{
	struct column c = {0};

	if (array_grow(&d->columns, d->ncolumns, &d->columns_room, sizeof(c)) ||
	    description_set_bytes(&c.name, name, len) || description_set(&c.type, type)) {
		release_column(&c);
		return NULL;
	}
	d->columns[d->ncolumns] = c;
	return &d->columns[d->ncolumns++];
}

int column_add_top(struct column *c, const char *value, size_t len, uint64_t count)
{
	struct top_value t = {.count = count};
	struct top_value *grown;

	if (c->ntop >= DESCRIPTION_TOP)
		return 0;
	grown = reallocarray(c->top, c->ntop + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->top = grown;
	if (description_set_value(&t.value, value, len))
		return -ENOMEM;
	c->top[c->ntop++] = t;
	return 0;
}

const char *description_fact(const struct description *d, const char *key)
{
	for (size_t i = 0; i < d->nfacts; i++)
		if (!strcmp(d->facts[i].key, key))
			return d->facts[i].value;
	return NULL;
}

const struct column *description_column(const struct description *d, const char *table, const char *name)
{
	for (size_t i = 0; i < d->ncolumns; i++) {
		const struct column *c = &d->columns[i];

		if (!strcmp(c->name, name) && (!table || (c->table && !strcmp(c->table, table))))
			return c;
	}
	return NULL;
}
