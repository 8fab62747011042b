#include "cli/diff/row_changes.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/csv_read.h"
#include "base/fnv.h"
#include "cli/diff/row_spool.h"

#define SAMPLE_ROWS 16384 /* that a key is looked for in, before all rows are asked */
#define KEY_COLUMNS_MAX 8

/* ---- which columns ---- */

static bool is_key_already(const struct row_changes *c, int column)
{
	for (int i = 0; i < c->ncolumns; i++) {
		if (c->columns[i] == column)
			return true;
	}
	return false;
}

static int choose_columns(const struct schema *a, char *const *keys, int nkeys, struct row_changes *c, int *wrong)
{
	c->columns = calloc((size_t)a->n + 1, sizeof(*c->columns));
	if (!c->columns)
		return -ENOMEM;
	for (int k = 0; k < nkeys; k++) {
		int i = 0;

		while (i < a->n && (strcmp(a->columns[i].name, keys[k]) || a->columns[i].partner < 0))
			i++;
		if (i == a->n) {
			*wrong = k;
			return -ENOENT;
		}
		if (!is_key_already(c, i))
			c->columns[c->ncolumns++] = i;
	}
	c->nkey = c->ncolumns;
	for (int i = 0; i < a->n; i++) {
		if (a->columns[i].partner >= 0 && !is_key_already(c, i))
			c->columns[c->ncolumns++] = i;
	}
	return 0;
}

/* The Nth common column in the table, which is A or B. */
static int column_of(const struct row_changes *c, const struct table_file *a, const struct table_file *t, int n)
{
	int column = c->columns[n];

	return t == a ? column : a->schema.columns[column].partner;
}

/* ---- digests ---- */

struct digester {
	const struct row_changes *c;
	const struct table_file *a, *table;
	EVP_MD *sha256;
	EVP_MD_CTX *context;
	struct row_spool *spool;
};

static int digester_init(struct digester *d)
{
	d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	d->context = EVP_MD_CTX_new();
	return d->sha256 && d->context ? 0 : -ENOMEM;
}

static void digester_release(struct digester *d)
{
	EVP_MD_free(d->sha256);
	EVP_MD_CTX_free(d->context);
}

static int add_field(struct digester *d, const struct csv_row *row, int i)
{
	size_t len = 0;
	const char *value = i < row->n ? csv_field(row, i, &len) : "";
	uint32_t prefix = (uint32_t)len; /* so that "a","bc" and "ab","c" differ */

	return EVP_DigestUpdate(d->context, &prefix, sizeof(prefix)) && EVP_DigestUpdate(d->context, value, len) ? 0
														 : -EIO;
}

/* Of the first N common columns; with all of them also what a row has beyond the header. */
static int digest(struct digester *d, const struct csv_row *row, int n, uint8_t out[DIGEST_BYTES])
{
	uint8_t whole[EVP_MAX_MD_SIZE];
	int rc = EVP_DigestInit_ex2(d->context, d->sha256, NULL) ? 0 : -EIO;

	for (int i = 0; i < n && !rc; i++)
		rc = add_field(d, row, column_of(d->c, d->a, d->table, i));
	for (int i = d->table->schema.n; n == d->c->ncolumns && i < row->n && !rc; i++)
		rc = add_field(d, row, i);
	if (!rc && !EVP_DigestFinal_ex(d->context, whole, NULL))
		rc = -EIO;
	if (!rc)
		memcpy(out, whole, DIGEST_BYTES);
	return rc;
}

static int spool_row(void *arg, uint64_t number, const struct csv_row *row)
{
	struct digester *d = arg;
	struct row_record r = {.number = number};
	int rc;

	if (!number)
		return 0;
	rc = digest(d, row, d->c->nkey, r.key);
	if (!rc && d->c->nkey == d->c->ncolumns)
		memcpy(r.row, r.key, sizeof(r.row));
	else if (!rc)
		rc = digest(d, row, d->c->ncolumns, r.row);
	return rc ? rc : row_spool_add(d->spool, &r);
}

static int spool_table(const struct row_changes *c, const struct table_file *a, const struct table_file *table,
		       struct row_spool *spool)
{
	struct digester d = {.c = c, .a = a, .table = table, .spool = spool};
	int rc = digester_init(&d);

	if (!rc)
		rc = csv_read(table->fd, table->delimiter, spool_row, &d);
	digester_release(&d);
	return rc;
}

/* ---- comparing ---- */

/* Keeps the LIMIT first by their place in B, or in A where they are in B no more. */
static void note_example(struct row_changes *c, enum row_change kind, int limit, uint64_t a, uint64_t b)
{
	struct row_pair *list = c->examples[kind];
	uint64_t place = b ? b : a;
	int at = c->nexamples[kind];

	c->counts[kind]++;
	while (at && (list[at - 1].b ? list[at - 1].b : list[at - 1].a) > place)
		at--;
	if (at >= limit)
		return;
	if (c->nexamples[kind] < limit)
		c->nexamples[kind]++;
	memmove(&list[at + 1], &list[at], (size_t)(c->nexamples[kind] - 1 - at) * sizeof(*list));
	list[at] = (struct row_pair){a, b};
}

struct run_of_rows {
	struct row_record *at;
	size_t n;
};

/* The records with the key of the first of them. */
static struct run_of_rows run_at(struct row_record *from, struct row_record *end)
{
	struct row_record *p = from;

	while (p < end && !memcmp(p->key, from->key, DIGEST_BYTES))
		p++;
	return (struct run_of_rows){from, (size_t)(p - from)};
}

/* Rows with one key. Equal ones are the same rows; of the others each two are one changed row, while there are two. */
static void compare_runs(struct row_changes *c, int limit, struct run_of_rows a, struct run_of_rows b)
{
	size_t i = 0, j = 0, left_a = 0, left_b = 0, pairs;

	while (i < a.n || j < b.n) {
		int order = i == a.n ? 1 : j == b.n ? -1 : memcmp(a.at[i].row, b.at[j].row, DIGEST_BYTES);

		if (!order) {
			c->same++;
			i++;
			j++;
		} else if (order < 0) {
			a.at[left_a++] = a.at[i++];
		} else {
			b.at[left_b++] = b.at[j++];
		}
	}
	pairs = c->nkey == c->ncolumns ? 0 : left_a < left_b ? left_a : left_b;
	for (i = 0; i < pairs; i++)
		note_example(c, ROW_CHANGED, limit, a.at[i].number, b.at[i].number);
	for (i = pairs; i < left_a; i++)
		note_example(c, ROW_REMOVED, limit, a.at[i].number, 0);
	for (i = pairs; i < left_b; i++)
		note_example(c, ROW_ADDED, limit, 0, b.at[i].number);
}

/* -EEXIST: the key is not unique, and UNIQUE asked for that. */
static int compare_part(struct row_changes *c, int limit, bool unique, struct run_of_rows a, struct run_of_rows b)
{
	struct row_record *p = a.at, *q = b.at, *a_end = a.at + a.n, *b_end = b.at + b.n;

	while (p < a_end || q < b_end) {
		int order = p == a_end ? 1 : q == b_end ? -1 : memcmp(p->key, q->key, DIGEST_BYTES);
		struct run_of_rows x = order <= 0 ? run_at(p, a_end) : (struct run_of_rows){p, 0};
		struct run_of_rows y = order >= 0 ? run_at(q, b_end) : (struct run_of_rows){q, 0};

		p += x.n;
		q += y.n;
		if (x.n > 1 || y.n > 1) {
			if (unique)
				return -EEXIST;
			c->ambiguous = true;
		}
		compare_runs(c, limit, x, y);
	}
	return 0;
}

static int compare_spools(struct row_changes *c, int limit, bool unique, struct row_spool *a, struct row_spool *b)
{
	int rc = 0;

	for (int i = 0; i < a->n && !rc; i++) {
		_cleanup_free_ struct row_record *x = NULL, *y = NULL;
		size_t nx = 0, ny = 0;

		rc = row_spool_load(a, i, &x, &nx);
		if (!rc)
			rc = row_spool_load(b, i, &y, &ny);
		if (!rc)
			rc = compare_part(c, limit, unique, (struct run_of_rows){x, nx}, (struct run_of_rows){y, ny});
	}
	return rc;
}

static void forget_result(struct row_changes *c)
{
	for (int i = 0; i < ROW_CHANGES; i++)
		c->counts[i] = (uint64_t)(c->nexamples[i] = 0);
	c->same = 0;
	c->ambiguous = false;
}

static int compare_tables(const struct table_file *a, const struct table_file *b, int limit, bool unique,
			  struct row_changes *c)
{
	uint64_t rows = a->schema.rows > b->schema.rows ? a->schema.rows : b->schema.rows;
	struct row_spool x = {0}, y = {0};
	int rc = row_spool_init(&x, row_spool_parts(rows));

	forget_result(c);
	if (!rc)
		rc = row_spool_init(&y, x.n);
	if (!rc)
		rc = spool_table(c, a, a, &x);
	if (!rc)
		rc = spool_table(c, a, b, &y);
	if (!rc)
		rc = compare_spools(c, limit, unique, &x, &y);
	row_spool_release(&y);
	row_spool_release(&x);
	return rc;
}

/* ---- which key ---- */

/* For each sampled row, hashes of its first column, its first two, and so on. */
struct sample {
	const struct row_changes *c;
	const struct table_file *a, *table;
	int width;
	size_t rows;
	uint64_t *hashes;
};

static int sample_row(void *arg, uint64_t number, const struct csv_row *row)
{
	struct sample *s = arg;
	uint64_t h = FNV1A_START;

	if (!number)
		return 0;
	for (int n = 0; n < s->width; n++) {
		int column = column_of(s->c, s->a, s->table, n);
		size_t len = 0;
		const char *value = column < row->n ? csv_field(row, column, &len) : "";

		h = fnv1a(h, value, len);
		h = (h ^ 0x1ff) * UINT64_C(0x100000001b3);
		s->hashes[s->rows * (size_t)s->width + (size_t)n] = h;
	}
	return ++s->rows == SAMPLE_ROWS ? 1 : 0;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* May the first COLUMNS be a key, for all that the sample says? ROOM holds SAMPLE_ROWS numbers. */
static bool sample_is_unique(const struct sample *s, int columns, uint64_t *room)
{
	for (size_t i = 0; i < s->rows; i++)
		room[i] = s->hashes[i * (size_t)s->width + (size_t)columns - 1];
	qsort(room, s->rows, sizeof(*room), by_number);
	for (size_t i = 1; i < s->rows; i++) {
		if (room[i] == room[i - 1])
			return false;
	}
	return true;
}

static int take_sample(struct sample *s)
{
	int rc;

	s->hashes = calloc(SAMPLE_ROWS, (size_t)s->width * sizeof(*s->hashes));
	if (!s->hashes)
		return -ENOMEM;
	rc = csv_read(s->table->fd, s->table->delimiter, sample_row, s);
	return rc > 0 ? 0 : rc;
}

/* Tries one key after the other; the whole row is the last one. */
static int compare_by_found_key(const struct table_file *a, const struct table_file *b, int limit,
				struct row_changes *c)
{
	int width = c->ncolumns <= KEY_COLUMNS_MAX ? c->ncolumns - 1 : KEY_COLUMNS_MAX;
	struct sample x = {.c = c, .a = a, .table = a, .width = width};
	struct sample y = {.c = c, .a = a, .table = b, .width = width};
	_cleanup_free_ uint64_t *room = calloc(SAMPLE_ROWS, sizeof(*room));
	int rc = room ? 0 : -ENOMEM;

	if (!rc && width > 0)
		rc = take_sample(&x);
	if (!rc && width > 0)
		rc = take_sample(&y);
	c->nkey = c->ncolumns;
	if (!rc)
		rc = -EEXIST;
	for (int n = 1; n <= width && rc == -EEXIST; n++) {
		if (!sample_is_unique(&x, n, room) || !sample_is_unique(&y, n, room))
			continue;
		c->nkey = n;
		rc = compare_tables(a, b, limit, true, c);
	}
	free(x.hashes);
	free(y.hashes);
	if (rc != -EEXIST)
		return rc;
	c->nkey = c->ncolumns;
	return compare_tables(a, b, limit, false, c);
}

int row_changes_find(const struct table_file *a, const struct table_file *b, char *const *keys, int nkeys, int limit,
		     struct row_changes *out, int *wrong)
{
	int rc;

	*out = (struct row_changes){0};
	rc = choose_columns(&a->schema, keys, nkeys, out, wrong);
	for (int i = 0; i < ROW_CHANGES && !rc; i++) {
		out->examples[i] = calloc((size_t)limit + 1, sizeof(*out->examples[i]));
		rc = out->examples[i] ? 0 : -ENOMEM;
	}
	if (!rc)
		rc = nkeys ? compare_tables(a, b, limit, false, out) : compare_by_found_key(a, b, limit, out);
	if (!rc && out->nkey == out->ncolumns)
		out->ambiguous = false; /* equal rows are no ambiguity */
	if (rc)
		row_changes_release(out);
	return rc;
}

void row_changes_release(struct row_changes *c)
{
	for (int i = 0; i < ROW_CHANGES; i++)
		free(c->examples[i]);
	free(c->columns);
	*c = (struct row_changes){0};
}
