#include "sniff/csv_dialect.h"

#include <string.h>

/* ---- counting ---- */

static void end_row(struct csv_counter *c)
{
	if (c->widths && c->rows < c->room)
		c->widths[c->rows] = (uint32_t)c->columns;
	c->rows++;
	c->columns = 0;
	c->state = ROW_BEGIN;
}

static void end_line(struct csv_counter *c, bool return_before)
{
	if (c->state == IN_COMMENT)
		c->state = ROW_BEGIN;
	else if (c->state != ROW_BEGIN)
		end_row(c);
	else if (c->blank_too && !return_before)
		end_row(c);
}

static void begin_field(struct csv_counter *c, char byte)
{
	c->columns++;
	if (c->quote && byte == c->quote)
		c->state = IN_QUOTES;
	else if (byte == c->delimiter)
		c->state = FIELD_BEGIN;
	else
		c->state = IN_FIELD;
}

static void count_one(struct csv_counter *c, char byte)
{
	bool was_return = c->after_return;

	c->after_return = byte == '\r';
	if (c->state == IN_QUOTES) {
		if (byte == c->quote)
			c->state = QUOTE_IN_QUOTES;
	} else if (byte == '\n' || byte == '\r') {
		if (c->state == FIELD_BEGIN)
			c->columns++;
		end_line(c, byte == '\n' && was_return);
	} else if (c->state == ROW_BEGIN && c->comments && byte == '#') {
		c->state = IN_COMMENT;
	} else if (c->state == ROW_BEGIN || c->state == FIELD_BEGIN) {
		begin_field(c, byte);
	} else if (c->state == QUOTE_IN_QUOTES && byte == c->quote) {
		c->state = IN_QUOTES;
	} else if (c->state != IN_COMMENT && byte == c->delimiter) {
		c->state = FIELD_BEGIN;
	} else if (c->state == QUOTE_IN_QUOTES) {
		c->broken = true;
		c->state = IN_FIELD;
	}
}

/* What does not end the field that P is in. */
static size_t plain_length(const struct csv_counter *c, const char *p, const char *end)
{
	const char *from = p;

	if (c->state == IN_QUOTES) {
		p = memchr(p, c->quote, (size_t)(end - p));
		return (size_t)((p ? p : end) - from);
	}
	while (p < end && *p != c->delimiter && *p != '\n' && *p != '\r')
		p++;
	return (size_t)(p - from);
}

void csv_count(struct csv_counter *c, const char *bytes, size_t len)
{
	const char *end = bytes + len;

	while (bytes < end) {
		if (c->state == IN_QUOTES || c->state == IN_FIELD) {
			size_t n = plain_length(c, bytes, end);

			if (n)
				c->after_return = false;
			bytes += n;
			if (bytes == end)
				return;
		}
		count_one(c, *bytes++);
	}
}

bool csv_count_end(struct csv_counter *c)
{
	bool whole = c->state != IN_QUOTES;

	if (c->state == FIELD_BEGIN)
		c->columns++;
	if (c->state != ROW_BEGIN && c->state != IN_COMMENT)
		end_row(c);
	return whole;
}

/* ---- choosing ---- */

struct candidate {
	struct csv_dialect dialect;
	size_t rows; /* that are alike, to the end */
};

/* From some row on all have the same number of columns, and before it fewer. */
static bool is_consistent(struct candidate *c, const uint32_t *widths, size_t rows)
{
	c->dialect.columns = rows ? widths[0] : 0;
	c->dialect.title = c->rows = 0;
	for (size_t i = 0; i < rows; i++) {
		if (widths[i] > c->dialect.columns) {
			c->dialect.columns = widths[i];
			c->dialect.title = i;
			c->rows = 1;
		} else if (widths[i] == c->dialect.columns) {
			c->rows++;
		} else {
			return false;
		}
	}
	return true;
}

static bool try(struct candidate *c, const char *head, size_t len, bool whole)
{
	uint32_t widths[DIALECT_ROWS];
	struct csv_counter counter = {.delimiter = c->dialect.delimiter,
				      .quote = c->dialect.quote,
				      .comments = c->dialect.comments,
				      .widths = widths,
				      .room = DIALECT_ROWS};
	size_t rows;

	csv_count(&counter, head, len);
	if (counter.broken)
		return false;
	rows = counter.rows < DIALECT_ROWS ? counter.rows : DIALECT_ROWS;
	if (whole || !rows) { /* else the last one may go on */
		if (!csv_count_end(&counter) && whole)
			return false;
		rows = counter.rows < DIALECT_ROWS ? counter.rows : DIALECT_ROWS;
	}
	return is_consistent(c, widths, rows);
}

static bool is_better(const struct candidate *c, const struct candidate *best)
{
	if (best->dialect.columns < 2 && c->dialect.columns > best->dialect.columns)
		return true;
	return c->rows > best->rows && c->dialect.columns >= best->dialect.columns;
}

void csv_find_dialect(const char *head, size_t len, bool whole, struct csv_dialect *d)
{
	static const char quotes[] = {'"', '\'', '\0'}, delimiters[] = {',', '|', ';', '\t'};
	bool comments = len && head[0] == '#';
	struct candidate best = {0}, c = {0};

	for (size_t q = 0; q < sizeof(quotes); q++) {
		if (quotes[q] && !memchr(head, quotes[q], len))
			continue; /* as without any */
		for (size_t i = 0; i < sizeof(delimiters); i++) {
			if (delimiters[i] != ',' && delimiters[i] != '|' && !memchr(head, delimiters[i], len))
				continue; /* one column, as with those two */
			c.dialect = (struct csv_dialect){delimiters[i], quotes[q], comments, 0, 0};
			if (try(&c, head, len, whole) && is_better(&c, &best))
				best = c;
		}
	}
	if (!best.dialect.columns)
		best.dialect = (struct csv_dialect){',', '\0', comments, 0, 1};
	*d = best.dialect;
}
