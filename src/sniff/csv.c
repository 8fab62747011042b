/*
 * Three passes over the text: its first rows say which columns of which types there are, and whether the first row is
 * their names; then all of it is read for the statistics, up to CSV_EXACT bytes; what is longer is read once more for
 * the number of its rows. Types are decided by the first CSV_TYPE_ROWS rows, as DuckDB does it, so that what is said
 * here is what a query will see; a later value that does not fit is told as "misfits".
 */
#include "sniff/csv.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "base/cleanup.h"
#include "base/csv_read.h"
#include "sniff/csv_dialect.h"
#include "sniff/rows.h"

#define ENOUGH 1 /* of a csv_row_fn: it needs no more */
#define PIECE (256 * 1024)

struct csv_sniffer {
	struct input *in;
	struct csv_dialect dialect;
	size_t n; /* columns that are described */
	struct row_column *columns;
	struct buf first; /* the row that may be the header: fields, a NUL after each */
	size_t *first_ends;
	bool header;

	size_t title;	 /* rows of it still to come */
	uint64_t rows;	 /* of the table so far, the first one included */
	uint64_t bytes;	 /* that were read */
	uint64_t ragged; /* rows with another number of columns */
	struct rows *all;
	struct cell *cells;
};

static ssize_t read_some(void *arg, void *to, size_t len)
{
	struct csv_sniffer *s = arg;
	ssize_t n = input_read(s->in, to, len);

	if (n > 0)
		s->bytes += (uint64_t)n;
	return n;
}

/* ---- rows of the table ---- */

/* A blank line is a null, where there is one column, and nothing where there are more. */
static bool is_row(struct csv_sniffer *s, const struct csv_row *row)
{
	if (!row->n)
		return s->dialect.columns == 1;
	if (s->dialect.comments && row->bytes.data[0] == '#')
		return false;
	if (!s->title)
		return true;
	s->title--;
	return false;
}

static const char *field(const struct csv_row *row, size_t i, size_t *len)
{
	if (i < (size_t)row->n)
		return csv_field(row, (int)i, len);
	*len = 0;
	return "";
}

static int run(struct csv_sniffer *s, csv_row_fn fn)
{
	int rc = input_rewind(s->in);

	s->title = s->dialect.title;
	s->rows = s->bytes = s->ragged = 0;
	if (!rc)
		rc = csv_read_from(read_some, s, s->dialect.delimiter, s->dialect.quote, fn, s);
	return rc == ENOUGH ? 0 : rc;
}

/* ---- first pass: names and types ---- */

static int keep_first(struct csv_sniffer *s, const struct csv_row *row)
{
	s->first_ends = calloc(s->n, sizeof(*s->first_ends));
	if (!s->first_ends)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		size_t len;
		const char *text = field(row, i, &len);

		buf_add(&s->first, text, len);
		s->first_ends[i] = s->first.len;
		buf_addc(&s->first, '\0');
	}
	return buf_error(&s->first);
}

static const char *first_field(const struct csv_sniffer *s, size_t i, size_t *len)
{
	size_t from = i ? s->first_ends[i - 1] + 1 : 0;

	*len = s->first_ends[i] - from;
	return s->first.data + from;
}

static int look_at_types(void *arg, uint64_t number, const struct csv_row *row)
{
	struct csv_sniffer *s = arg;

	(void)number;
	if (!is_row(s, row))
		return 0;
	if (!s->rows++)
		return keep_first(s, row);
	for (size_t i = 0; i < s->n; i++) {
		struct row_column *c = &s->columns[i];
		size_t len;
		const char *text = field(row, i, &len);

		if (len)
			c->type = value_widen(c->type, &c->formats, text, len);
	}
	return s->rows > CSV_TYPE_ROWS ? ENOUGH : 0;
}

/* The types with the first row's values, too; or the first row does not fit, and is the header. */
static bool first_fits(struct csv_sniffer *s)
{
	bool all_text = true, all_null = true;

	for (size_t i = 0; i < s->n; i++) {
		struct row_column *c = &s->columns[i];
		struct value_formats f = c->formats;
		size_t len;
		const char *text = first_field(s, i, &len);

		all_text = all_text && (c->type == VALUE_VARCHAR || c->type == VALUE_NONE);
		all_null = all_null && !len;
		if (len && c->type != VALUE_NONE && value_widen(c->type, &f, text, len) != c->type)
			return false;
	}
	return !all_text && !all_null;
}

static void widen_by_first(struct csv_sniffer *s)
{
	for (size_t i = 0; i < s->n; i++) {
		size_t len;
		const char *text = first_field(s, i, &len);

		if (len)
			s->columns[i].type = value_widen(s->columns[i].type, &s->columns[i].formats, text, len);
	}
}

static void find_header(struct csv_sniffer *s)
{
	if (s->rows == 1) { /* there is nothing to compare it with */
		widen_by_first(s);
		for (size_t i = 0; i < s->n; i++)
			s->header = s->header || s->columns[i].type > VALUE_NONE;
		for (size_t i = 0; i < s->n; i++)
			s->header = s->header && s->columns[i].type == VALUE_VARCHAR;
		return;
	}
	s->header = !first_fits(s);
	if (!s->header)
		widen_by_first(s);
}

/* ---- names ---- */

struct name {
	UT_hash_handle hh;
	unsigned more; /* columns that would be called so, too */
	char text[];   /* in lower case */
};

/* The name of that text, made if it is not there; *NEW says so. NULL: out of memory. */
static struct name *find_name(struct name **names, const char *text, bool *new)
{
	size_t len = strlen(text);
	struct name *n = malloc(sizeof(*n) + len + 1), *had;

	if (!n)
		return NULL;
	for (size_t i = 0; i <= len; i++)
		n->text[i] = (char)tolower((unsigned char)text[i]);
	n->more = 0;
	HASH_FIND(hh, *names, n->text, (unsigned)len, had);
	*new = !had;
	if (had) {
		free(n);
		return had;
	}
	HASH_ADD_KEYPTR(hh, *names, n->text, (unsigned)len, n);
	return n;
}

static void free_names(struct name **names)
{
	struct name *n, *next;

	HASH_ITER (hh, *names, n, next) {
		HASH_DEL(*names, n);
		free(n);
	}
}

static void made_up(struct buf *b, size_t i, size_t n)
{
	buf_addf(b, "column%0*zu", snprintf(NULL, 0, "%zu", n - 1), i);
}

/* A name ends at a NUL: what is made different behind it would be the same text for ever. */
static void trimmed(struct buf *b, const char *text, size_t len)
{
	len = strnlen(text, len);
	while (len && *text == ' ') {
		text++;
		len--;
	}
	while (len && text[len - 1] == ' ')
		len--;
	buf_add(b, text, len);
}

/* a, a_1, a_2 … */
static int set_name(struct csv_sniffer *s, size_t i, struct name **names, const char *text, size_t len)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	bool new = false;

	trimmed(&b, text, len);
	if (!b.len)
		made_up(&b, i, s->dialect.columns);
	while (!new) {
		struct name *n = buf_error(&b) ? NULL : find_name(names, buf_str(&b), &new);

		if (!n)
			return -ENOMEM;
		if (!new)
			buf_addf(&b, "_%u", ++n->more);
	}
	return description_set_bytes(&s->columns[i].name, b.data, b.len);
}

static int find_names(struct csv_sniffer *s)
{
	_cleanup_(free_names) struct name *names = NULL;
	int rc = 0;

	for (size_t i = 0; i < s->n && !rc; i++) {
		size_t len = 0;
		const char *text = s->header ? first_field(s, i, &len) : "";

		rc = set_name(s, i, &names, text, len);
	}
	return rc;
}

/* ---- second pass: the values ---- */

static int look_at_values(void *arg, uint64_t number, const struct csv_row *row)
{
	struct csv_sniffer *s = arg;

	(void)number;
	if (!is_row(s, row))
		return 0;
	if (!s->rows++ && s->header)
		return 0;
	s->ragged += row->n && (size_t)row->n != s->dialect.columns;
	for (size_t i = 0; i < s->n; i++) {
		size_t len;
		const char *text = field(row, i, &len);

		s->cells[i] = (struct cell){len ? text : NULL, len};
	}
	if (s->bytes > CSV_EXACT)
		return ENOUGH;
	return rows_add(s->all, s->cells, s->n);
}

/* ---- third pass: how many rows ---- */

static double seconds_used(void)
{
	struct timespec t = {0};

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int count_rows(struct csv_sniffer *s, struct description *d)
{
	struct csv_counter counter = {.delimiter = s->dialect.delimiter,
				      .quote = s->dialect.quote,
				      .comments = s->dialect.comments,
				      .blank_too = s->dialect.columns == 1};
	_cleanup_free_ char *piece = malloc(PIECE);
	double begun = seconds_used();
	ssize_t n = piece ? input_rewind(s->in) : -ENOMEM;

	if (n < 0)
		return (int)n;
	while ((n = input_read(s->in, piece, PIECE)) > 0) {
		csv_count(&counter, piece, (size_t)n);
		if (seconds_used() - begun > CSV_COUNT_SECONDS) {
			d->rows_estimated = true;
			break;
		}
	}
	csv_count_end(&counter);
	if (d->rows_estimated || input_error(s->in)) {
		double share = (double)input_size(s->in) / (double)(input_raw_at(s->in) ? input_raw_at(s->in) : 1);

		counter.rows = (uint64_t)((double)counter.rows * share);
		d->rows_estimated = true;
	}
	s->rows = counter.rows > s->dialect.title ? counter.rows - s->dialect.title : 0;
	d->sampled = true;
	return n < 0 ? (int)n : 0;
}

/* ---- all ---- */

static int set_why(struct description *d, int rc)
{
	if (rc == -EFBIG)
		return description_set(&d->unreadable, "a row is longer than 16 MiB");
	if (rc == -EBADMSG)
		return description_set(&d->unreadable, "a quote is never closed");
	return rc;
}

static int describe(struct csv_sniffer *s, struct description *d)
{
	int rc = run(s, look_at_types);

	if (rc && rc != -EBADMSG)
		return rc;
	if (s->rows) {
		find_header(s);
		rc = find_names(s);
	} else {
		s->n = 0;
		rc = 0;
	}
	if (rc)
		return rc;
	s->all = rows_new(s->columns, s->n);
	rc = s->all ? rows_check(s->all, input_checks(s->in)) : -ENOMEM;
	if (!rc)
		rc = run(s, look_at_values);
	if (!rc && s->bytes > CSV_EXACT)
		rc = count_rows(s, d);
	d->rows = (int64_t)(s->rows - (s->header && s->rows));
	d->header = s->header;
	if (!rc || rc == -EBADMSG) {
		int finished = rows_finish(s->all, d);

		rc = finished ? finished : rc;
	}
	return rc;
}

static int add_oddities(const struct csv_sniffer *s, struct description *d)
{
	int rc = 0;

	if (s->dialect.columns > s->n && s->n)
		rc = description_add_factf(d, "columns", "%zu", s->dialect.columns);
	if (!rc && s->ragged)
		rc = description_add_factf(d, "ragged", "%" PRIu64, s->ragged);
	if (!rc && s->all && rows_misfits(s->all))
		rc = description_add_factf(d, "misfits", "%" PRIu64, rows_misfits(s->all));
	if (!rc && !d->unreadable && input_error(s->in))
		rc = description_set(&d->unreadable, input_error(s->in));
	return rc;
}

static void release(struct csv_sniffer *s)
{
	for (size_t i = 0; s->columns && i < s->n; i++)
		free(s->columns[i].name);
	rows_free(s->all);
	free(s->columns);
	free(s->cells);
	free(s->first_ends);
	buf_release(&s->first);
}

int csv_sniff(struct input *in, struct description *d)
{
	struct csv_sniffer s = {.in = in};
	size_t len;
	const char *head = input_head(in, &len);
	int rc;

	csv_find_dialect(head, len, input_head_is_all(in), &s.dialect);
	s.n = s.dialect.columns < DESCRIPTION_COLUMNS_MAX ? s.dialect.columns : DESCRIPTION_COLUMNS_MAX;
	s.columns = calloc(s.n, sizeof(*s.columns));
	s.cells = calloc(s.n, sizeof(*s.cells));
	d->kind = DESCRIBED_TABLE;
	d->delimiter = s.dialect.delimiter;
	d->quote = s.dialect.quote;
	rc = description_set(&d->format, s.dialect.delimiter == '\t' ? "tsv" : "csv");
	if (!rc)
		rc = s.columns && s.cells ? describe(&s, d) : -ENOMEM;
	rc = set_why(d, rc);
	if (!rc)
		rc = add_oddities(&s, d);
	release(&s);
	return rc;
}
