/*
 * The other side of meta/changes.h: files of changes are applied to a store that has what was before them.
 */
#include <errno.h>

#include "meta/changes.h"
#include "meta/changes_file.h"
#include "meta/journal.h"
#include "meta/store_int.h"

static int replay_frame(struct store *s, struct record_reader *body)
{
	struct record *r = NULL;
	int rc;

	while ((rc = record_unpack(body, &r)) > 0) {
		rc = writer_replay(s->writer, r);
		if (rc < 0)
			return rc;
	}
	return rc;
}

int store_replay(struct store *s, const void *bytes, size_t len)
{
	size_t at = CHANGES_HEADER;
	struct record_reader body;
	struct changes_end end;
	uint64_t from;
	int rc = s->writer ? changes_read_header(bytes, len, &from) : -EROFS;

	if (!rc && from > writer_last(s->writer))
		return -EILSEQ;
	while (!rc && (rc = changes_next_frame(bytes, len, &at, &end, &body)) > 0) {
		for (int i = 0; i < COUNTERS; i++)
			writer_number_at_least(s->writer, (enum counter_id)i, end.next[i]);
		rc = replay_frame(s, &body);
	}
	return rc;
}

/* ---- the store's own names for what the writer does ---- */

/* Not under the lock: the writer holds the journal's when it takes this one. */
static int keep_changes(struct writer *w, const char *dir, bool full, uint64_t *last)
{
	struct journal *j = w->journal;
	int rc = 0;

	if (!j)
		rc = journal_new(&j);
	*last = w->visible;
	if (!rc)
		rc = journal_keep(j, dir, full, *last);
	if (rc && !w->journal)
		journal_free(j);
	else
		w->journal = j;
	return rc;
}

int store_changes_keep(struct store *s, const char *dir, bool full, uint64_t *last)
{
	return s->writer ? keep_changes(s->writer, dir, full, last) : -EROFS;
}

void store_changes_drop(struct store *s)
{
	struct journal *j = s->writer ? (struct journal *)s->writer->journal : NULL;

	if (j)
		journal_drop(j);
}

int store_changes_cut(struct store *s)
{
	struct journal *j = s->writer ? (struct journal *)s->writer->journal : NULL;

	return j ? journal_cut(j) : 0;
}

bool store_changes_forgot(struct store *s)
{
	struct journal *j = s->writer ? (struct journal *)s->writer->journal : NULL;

	return j && journal_forgot(j);
}
