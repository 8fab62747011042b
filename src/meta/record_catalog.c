/* Rows about what files are. Text is packed here, not in the writer's thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "meta/functions.h"
#include "meta/record.h"

static void put_packed(struct record *r, const char *text)
{
	_cleanup_buf_ struct buf packed = BUF_INIT;

	if (text)
		text_pack(&packed, text, strlen(text));
	if (r && buf_error(&packed))
		r->error = buf_error(&packed);
	record_put_blob(r, text ? packed.data : NULL, packed.len);
}

/* Before the description that it belongs to, so that its file comes into the index once. */
static void put_text(struct record *r, const struct description_row *d)
{
	size_t start = record_begin(r, ROW_DESCRIBED_TEXT);

	put_packed(r, d->text && d->text[0] ? d->text : NULL);
	put_packed(r, d->sample);
	record_end(r, start);
}

void record_description(struct record *r, const struct description_row *d)
{
	size_t start;

	if ((d->text && d->text[0]) || d->sample)
		put_text(r, d);
	start = record_begin(r, ROW_DESCRIPTION);
	record_put(r, d->version);
	record_put(r, (uint64_t)d->kind);
	record_put_string(r, d->format);
	record_put_signed(r, d->rows);
	record_put_string(r, d->columns);
	record_put_string(r, d->columns && d->names ? d->names : d->columns ? "" : NULL);
	record_put_string(r, d->unreadable);
	put_packed(r, d->facts);
	record_end(r, start);
}

void record_quality(struct record *r, const struct quality_row *q)
{
	size_t start = record_begin(r, ROW_QUALITY);

	record_put(r, q->version);
	record_put_signed(r, q->declaration);
	record_put_signed(r, q->time);
	record_put_signed(r, q->failed);
	record_put_string(r, q->found);
	record_end(r, start);
}

void record_tags(struct record *r, uint64_t node, enum tag_origin origin, const char *tags)
{
	size_t start = record_begin(r, ROW_TAGS);

	record_put(r, node);
	record_put(r, origin);
	record_put_string(r, tags);
	record_end(r, start);
}
