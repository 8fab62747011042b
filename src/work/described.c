#include "work/described.h"

#include <string.h>

#include "base/cleanup.h"

static void add_text(struct buf *b, const char *key, const char *text)
{
	buf_addf(b, "\"%s\":", key);
	buf_add_json(b, text, strlen(text));
}

/* The columns without their statistics: the same for versions that differ in rows only. */
static void add_columns(const struct description *d, struct buf *columns, struct buf *names)
{
	buf_addc(columns, '[');
	for (size_t i = 0; i < d->ncolumns; i++) {
		const struct column *c = &d->columns[i];

		buf_adds(columns, i ? ",{" : "{");
		add_text(columns, "name", c->name);
		if (c->table) {
			buf_addc(columns, ',');
			add_text(columns, "table", c->table);
		}
		buf_addc(columns, ',');
		add_text(columns, "type", c->type);
		buf_adds(columns, c->not_null ? ",\"not_null\":true}" : "}");
		buf_addf(names, "%s%s", i ? "\n" : "", c->name);
	}
	buf_addc(columns, ']');
}

/* Hints at data about persons: "pii", and of which kind. */
static void add_suggestions(const struct description *d, struct buf *tags)
{
	buf_addc(tags, '[');
	for (size_t i = 0; i < d->ncolumns; i++) {
		_cleanup_buf_ struct buf tag = BUF_INIT;

		if (!d->columns[i].pii)
			continue;
		if (tags->len == 1)
			buf_adds(tags, "\"pii\"");
		buf_addf(&tag, ",\"pii-%s\"", d->columns[i].pii);
		if (!strstr(buf_str(tags), buf_str(&tag)))
			buf_adds(tags, buf_str(&tag));
	}
	buf_addc(tags, ']');
}

void described_record(struct record *r, uint64_t node, uint64_t version, const struct description *d)
{
	_cleanup_buf_ struct buf columns = BUF_INIT, names = BUF_INIT, facts = BUF_INIT, tags = BUF_INIT;
	struct description_row row = {.version = version,
				      .kind = d->kind,
				      .format = d->format ? d->format : "",
				      .rows = d->rows,
				      .unreadable = d->unreadable,
				      .text = d->text,
				      .sample = d->sample};

	if (!d->mime)
		return;
	add_columns(d, &columns, &names);
	description_add_json(&facts, d, false);
	add_suggestions(d, &tags);
	if (buf_error(&columns) || buf_error(&names) || buf_error(&facts) || buf_error(&tags))
		return; /* it is known less of it */
	row.facts = buf_str(&facts);
	row.columns = d->ncolumns ? buf_str(&columns) : NULL;
	row.names = d->ncolumns ? buf_str(&names) : NULL;
	record_tags(r, node, TAG_SUGGESTED, buf_str(&tags)); /* first: then a new file is indexed once, with its tags */
	record_description(r, &row);
}
