#include "base/csv_read.h"

#include <csv.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/full_io.h"

#define PIECE (256 * 1024)
#define FIELD_STEP (1 << 20) /* by which room for a field grows: libcsv's 128 bytes would copy a long one for ever */
#define IN_FIELD 2 /* libcsv's FIELD_BEGUN, which its header does not have; else its strict mode alone tells */

struct reading {
	struct csv_row row;
	uint64_t number;
	csv_row_fn fn;
	void *arg;
	int rc;	    /* not 0: nothing more is wanted */
	bool blank; /* lines are wanted, too */
	int before; /* what the line before ended with */
};

static void end_field(void *bytes, size_t len, void *arg)
{
	struct reading *r = arg;
	struct csv_row *row = &r->row;

	if (r->rc)
		return;
	if (row->n == row->room) {
		int room = row->room ? row->room * 2 : 32;
		size_t *grown = reallocarray(row->ends, (size_t)room, sizeof(*grown));

		if (!grown) {
			r->rc = -ENOMEM;
			return;
		}
		row->ends = grown;
		row->room = room;
	}
	buf_add(&row->bytes, bytes, len);
	row->ends[row->n++] = row->bytes.len;
	buf_addc(&row->bytes, '\0');
	r->rc = row->bytes.len > CSV_ROW_MAX ? -EFBIG : buf_error(&row->bytes);
}

static void end_row(int c, void *arg)
{
	struct reading *r = arg;

	bool blank = !r->row.n, half = c == '\n' && r->before == '\r'; /* of one CRLF */

	r->before = c;
	if (r->rc || (blank && (!r->blank || half)))
		return;
	r->rc = r->fn(r->arg, r->number++, &r->row);
	buf_clear(&r->row.bytes);
	r->row.n = 0;
}

/* Spaces around a field belong to it. */
static int is_no_space(unsigned char c)
{
	(void)c;
	return 0;
}

static int parse(struct csv_parser *parser, struct reading *r, const char *bytes, size_t len)
{
	if (csv_parse(parser, bytes, len, end_field, end_row, r) != len)
		return csv_error(parser) == CSV_ENOMEM ? -ENOMEM : -EBADMSG;
	if (!r->rc && csv_get_buffer_size(parser) > CSV_ROW_MAX)
		r->rc = -EFBIG;
	return r->rc;
}

/* A byte order mark is no part of the first name. */
static size_t mark_length(const char *bytes, size_t len)
{
	return len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? 3 : 0;
}

static int read_all(csv_source_fn source, void *source_arg, struct csv_parser *parser, struct reading *r, char *piece)
{
	bool first = true;
	int rc = 0;

	while (!rc) {
		ssize_t n = source(source_arg, piece, PIECE);
		size_t skip = first && n > 0 ? mark_length(piece, (size_t)n) : 0;

		if (n < 0)
			return (int)n;
		if (!n)
			break;
		rc = parse(parser, r, piece + skip, (size_t)n - skip);
		first = false;
	}
	if (!rc && parser->quoted && parser->pstate == IN_FIELD)
		return -EBADMSG;
	if (!rc && csv_fini(parser, end_field, end_row, r))
		rc = -ENOMEM;
	return rc ? rc : r->rc;
}

static int read_rows(struct reading *r, csv_source_fn source, void *source_arg, char delimiter, char quote)
{
	_cleanup_free_ char *piece = malloc(PIECE);
	struct csv_parser parser;
	int rc;

	if (!piece || csv_init(&parser, r->blank ? CSV_REPALL_NL : 0))
		return -ENOMEM;
	csv_set_delim(&parser, (unsigned char)delimiter);
	csv_set_quote(&parser, (unsigned char)quote);
	csv_set_space_func(&parser, is_no_space);
	csv_set_blk_size(&parser, FIELD_STEP);
	rc = read_all(source, source_arg, &parser, r, piece);
	csv_free(&parser);
	buf_release(&r->row.bytes);
	free(r->row.ends);
	return rc;
}

int csv_read_from(csv_source_fn source, void *source_arg, char delimiter, char quote, csv_row_fn fn, void *arg)
{
	struct reading r = {.fn = fn, .arg = arg, .blank = true};

	return read_rows(&r, source, source_arg, delimiter, quote);
}

struct file {
	int fd;
	uint64_t at;
};

static ssize_t read_file(void *arg, void *to, size_t len)
{
	struct file *f = arg;
	ssize_t n = read_full_at(f->fd, to, len, f->at);

	if (n > 0)
		f->at += (uint64_t)n;
	return n;
}

int csv_read(int fd, char delimiter, csv_row_fn fn, void *arg)
{
	struct reading r = {.fn = fn, .arg = arg};
	struct file f = {.fd = fd};

	return read_rows(&r, read_file, &f, delimiter, '"');
}

const char *csv_field(const struct csv_row *row, int i, size_t *len)
{
	size_t start = i ? row->ends[i - 1] + 1 : 0;

	*len = row->ends[i] - start;
	return row->bytes.data + start;
}

char csv_delimiter(const char *head, size_t len)
{
	static const char known[] = ",;\t|";
	int counts[sizeof(known)] = {0}, best = 0;
	bool quoted = false;

	for (size_t i = 0; i < len && (quoted || head[i] != '\n'); i++) {
		const char *found = head[i] ? strchr(known, head[i]) : NULL;

		quoted ^= head[i] == '"';
		if (found && !quoted)
			counts[found - known]++;
	}
	for (int i = 1; known[i]; i++) {
		if (counts[i] > counts[best])
			best = i;
	}
	return known[best];
}
