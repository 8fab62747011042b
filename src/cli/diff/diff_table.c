/*
 * Tables: CSV and TSV files. Their columns are compared by name, and renamed ones known by their values (cli/schema.h);
 * their rows by a key (cli/diff/row_changes.h). What was found is one JSON object, which --json prints and people get
 * as text (diff_table_print.c).
 */
#include "cli/diff/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "base/csv_read.h"
#include "cli/facts.h"
#include "cli/diff/row_changes.h"

#define HEAD 65536

static bool ends_like_table(const char *name, size_t len)
{
	static const char *const known[] = {".csv", ".tsv", ".tab", NULL};

	for (int i = 0; known[i]; i++) {
		size_t n = strlen(known[i]);

		if (len > n && !strncasecmp(name + len - n, known[i], n))
			return true;
	}
	return false;
}

/* a.csv, and a.csv@v3 too. */
bool diff_is_table(const struct diff_side *s)
{
	const char *name = strrchr(s->path, '/'), *mark = NULL;

	name = name ? name + 1 : s->path;
	for (const char *p = strstr(name, "@v"); p; p = strstr(p + 1, "@v"))
		mark = p;
	return ends_like_table(name, strlen(name)) || (mark && ends_like_table(name, (size_t)(mark - name)));
}

static int read_table(const struct diff_side *s, struct table_file *t)
{
	_cleanup_free_ char *head = malloc(HEAD);
	ssize_t n = head ? pread(s->fd, head, HEAD, 0) : -1;

	if (n < 0)
		return -errno;
	t->fd = s->fd;
	t->delimiter = csv_delimiter(head, (size_t)n);
	return schema_read(s->fd, t->delimiter, &t->schema);
}

/* ---- columns ---- */

static struct json_object *column_facts(const struct column *c)
{
	struct json_object *o = json_object_new_object();

	json_add_text(o, "name", c->name);
	json_add_text(o, "type", column_type_name(c->type));
	return o;
}

static struct json_object *without_partner(const struct schema *s)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < s->n; i++) {
		if (s->columns[i].partner < 0)
			json_object_array_add(list, column_facts(&s->columns[i]));
	}
	return list;
}

static struct json_object *renamed(const struct schema *a, const struct schema *b)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < a->n; i++) {
		const struct column *c = &a->columns[i];
		struct json_object *o;

		if (c->partner < 0 || !strcmp(c->name, b->columns[c->partner].name))
			continue;
		o = json_object_new_object();
		json_add_text(o, "from", c->name);
		json_add_text(o, "to", b->columns[c->partner].name);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *retyped(const struct schema *a, const struct schema *b)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < a->n; i++) {
		const struct column *c = &a->columns[i];
		struct json_object *o;

		if (c->partner < 0 || c->type == b->columns[c->partner].type)
			continue;
		o = json_object_new_object();
		json_add_text(o, "name", b->columns[c->partner].name);
		json_add_text(o, "from", column_type_name(c->type));
		json_add_text(o, "to", column_type_name(b->columns[c->partner].type));
		json_object_array_add(list, o);
	}
	return list;
}

static bool reordered(const struct schema *a)
{
	int last = -1;

	for (int i = 0; i < a->n; i++) {
		if (a->columns[i].partner < 0)
			continue;
		if (a->columns[i].partner < last)
			return true;
		last = a->columns[i].partner;
	}
	return false;
}

static struct json_object *columns_facts(const struct schema *a, const struct schema *b)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "added", without_partner(b));
	json_object_object_add(o, "removed", without_partner(a));
	json_object_object_add(o, "renamed", renamed(a, b));
	json_object_object_add(o, "retyped", retyped(a, b));
	json_object_object_add(o, "reordered", json_object_new_boolean(reordered(a)));
	return o;
}

/* ---- rows ---- */

/* Rows that are shown are read once more. */
struct picked {
	const struct table_file *table;
	uint64_t *numbers; /* rising */
	int n, at;
	struct csv_row *rows;
};

static int rising(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int pick_row(void *arg, uint64_t number, const struct csv_row *row)
{
	struct picked *p = arg;
	struct csv_row *copy;

	if (number != p->numbers[p->at])
		return 0;
	copy = &p->rows[p->at];
	buf_add(&copy->bytes, row->bytes.data, row->bytes.len);
	copy->n = row->n;
	copy->ends = calloc((size_t)row->n, sizeof(*copy->ends));
	if (!copy->ends || buf_error(&copy->bytes))
		return -ENOMEM;
	memcpy(copy->ends, row->ends, (size_t)row->n * sizeof(*copy->ends));
	return ++p->at == p->n ? 1 : 0;
}

/* SIDE 0: the numbers in A, 1: in B. */
static int pick_rows(struct picked *p, const struct table_file *t, const struct row_changes *c, int side)
{
	int most = 0, rc;

	p->table = t;
	for (int i = 0; i < ROW_CHANGES; i++)
		most += c->nexamples[i];
	p->numbers = calloc((size_t)most + 1, sizeof(*p->numbers));
	p->rows = calloc((size_t)most + 1, sizeof(*p->rows));
	if (!p->numbers || !p->rows)
		return -ENOMEM;
	for (int i = 0; i < ROW_CHANGES; i++) {
		for (int k = 0; k < c->nexamples[i]; k++) {
			uint64_t number = side ? c->examples[i][k].b : c->examples[i][k].a;

			if (number)
				p->numbers[p->n++] = number;
		}
	}
	qsort(p->numbers, (size_t)p->n, sizeof(*p->numbers), rising);
	rc = p->n ? csv_read(t->fd, t->delimiter, pick_row, p) : 1;
	return rc < 0 ? rc : 0;
}

static void picked_release(struct picked *p)
{
	for (int i = 0; i < p->n; i++) {
		buf_release(&p->rows[i].bytes);
		free(p->rows[i].ends);
	}
	free(p->rows);
	free(p->numbers);
}

static const struct csv_row *picked_row(const struct picked *p, uint64_t number)
{
	int i = 0;

	while (i < p->n && p->numbers[i] != number)
		i++;
	return i < p->n ? &p->rows[i] : NULL;
}

static struct json_object *value_of(const struct csv_row *row, int column)
{
	size_t len = 0;
	const char *value = row && column < row->n ? csv_field(row, column, &len) : "";

	return json_object_new_string_len(value, (int)len);
}

/* {"row": 12, "values": {"id": "7", …}} */
static struct json_object *whole_row(const struct picked *p, uint64_t number)
{
	struct json_object *o = json_object_new_object(), *values = json_object_new_object();
	const struct csv_row *row = picked_row(p, number);

	json_object_object_add(o, "row", json_object_new_int64((int64_t)number));
	for (int i = 0; i < p->table->schema.n; i++)
		json_object_object_add(values, p->table->schema.columns[i].name, value_of(row, i));
	json_object_object_add(o, "values", values);
	return o;
}

/* {"row": 12, "key": {"id": "7"}, "changes": {"price": ["10", "12"]}} */
static struct json_object *changed_row(const struct row_changes *c, const struct picked *a, const struct picked *b,
				       const struct row_pair *pair)
{
	struct json_object *o = json_object_new_object(), *key = json_object_new_object(),
			   *changes = json_object_new_object();
	const struct csv_row *x = picked_row(a, pair->a), *y = picked_row(b, pair->b);

	for (int i = 0; i < c->ncolumns; i++) {
		const struct column *column = &a->table->schema.columns[c->columns[i]];
		const char *name = b->table->schema.columns[column->partner].name;
		struct json_object *from = value_of(x, c->columns[i]), *to = value_of(y, column->partner), *both;

		if (i < c->nkey) {
			json_object_object_add(key, name, json_object_get(to));
		} else if (!json_object_equal(from, to)) {
			both = json_object_new_array();
			json_object_array_add(both, json_object_get(from));
			json_object_array_add(both, json_object_get(to));
			json_object_object_add(changes, name, both);
		}
		json_object_put(from);
		json_object_put(to);
	}
	json_object_object_add(o, "row", json_object_new_int64((int64_t)pair->b));
	json_object_object_add(o, "key", key);
	json_object_object_add(o, "changes", changes);
	return o;
}

static struct json_object *examples(const struct row_changes *c, const struct picked *a, const struct picked *b)
{
	static const char *const names[] = {"removed", "added", "changed"};
	struct json_object *o = json_object_new_object();

	for (int i = 0; i < ROW_CHANGES; i++) {
		struct json_object *list = json_object_new_array();

		for (int k = 0; k < c->nexamples[i]; k++) {
			const struct row_pair *pair = &c->examples[i][k];

			json_object_array_add(list, i == ROW_REMOVED ? whole_row(a, pair->a)
						    : i == ROW_ADDED ? whole_row(b, pair->b)
								     : changed_row(c, a, b, pair));
		}
		json_object_object_add(o, names[i], list);
	}
	return o;
}

static void add_counts(struct json_object *facts, const struct row_changes *c, const struct table_file *a,
		       const struct table_file *b)
{
	struct json_object *rows = json_object_new_object(), *key = json_object_new_array();

	json_object_object_add(rows, "before", json_object_new_int64((int64_t)a->schema.rows));
	json_object_object_add(rows, "after", json_object_new_int64((int64_t)b->schema.rows));
	json_object_object_add(rows, "added", json_object_new_int64((int64_t)c->counts[ROW_ADDED]));
	json_object_object_add(rows, "removed", json_object_new_int64((int64_t)c->counts[ROW_REMOVED]));
	json_object_object_add(rows, "changed", json_object_new_int64((int64_t)c->counts[ROW_CHANGED]));
	json_object_object_add(rows, "same", json_object_new_int64((int64_t)c->same));
	for (int i = 0; i < c->nkey && c->nkey < c->ncolumns; i++)
		json_object_array_add(key, json_object_new_string(a->schema.columns[c->columns[i]].name));
	json_object_object_add(facts, "key", key);
	json_object_object_add(facts, "key_is_unique", json_object_new_boolean(!c->ambiguous));
	json_object_object_add(facts, "rows", rows);
}

static int add_rows(const struct table_file *a, const struct table_file *b, const struct diff_options *o,
		    struct json_object *facts)
{
	struct picked x = {0}, y = {0};
	struct row_changes c;
	int wrong = 0, rc = row_changes_find(a, b, o->keys, o->nkeys, o->examples, &c, &wrong);

	if (rc == -ENOENT)
		say("--key %s: no column of both tables", o->keys[wrong]);
	if (rc)
		return rc;
	rc = pick_rows(&x, a, &c, 0);
	if (!rc)
		rc = pick_rows(&y, b, &c, 1);
	if (!rc) {
		add_counts(facts, &c, a, b);
		json_object_object_add(facts, "examples", examples(&c, &x, &y));
	}
	picked_release(&x);
	picked_release(&y);
	row_changes_release(&c);
	return rc;
}

static int compare(struct table_file *a, struct table_file *b, const struct diff_options *o, struct json_object *facts)
{
	bool common = false;

	schema_match(&a->schema, &b->schema);
	for (int i = 0; i < a->schema.n; i++)
		common |= a->schema.columns[i].partner >= 0;
	json_object_object_add(facts, "kind", json_object_new_string("table"));
	json_object_object_add(facts, "columns", columns_facts(&a->schema, &b->schema));
	return common ? add_rows(a, b, o, facts) : 0;
}

int diff_table(const struct diff_side *a, const struct diff_side *b, const struct diff_options *o,
	       struct json_object *facts)
{
	struct json_object *found = facts ? json_object_get(facts) : json_object_new_object();
	struct table_file x = {0}, y = {0};
	int rc = read_table(a, &x), code = DIFF_DIFFERENT;

	if (!rc)
		rc = read_table(b, &y);
	if (rc == -EBADMSG || rc == -EFBIG || (!rc && (!x.schema.n || !y.schema.n)))
		code = DIFF_OTHER_KIND;
	else if (!rc)
		rc = compare(&x, &y, o, found);
	if (rc && code != DIFF_OTHER_KIND) {
		if (rc != -ENOENT)
			say("%s, %s: %s", a->path, b->path, strerror(-rc));
		code = DIFF_TROUBLE;
	}
	if (!facts && code == DIFF_DIFFERENT)
		diff_table_print(a, b, found, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
	schema_release(&x.schema);
	schema_release(&y.schema);
	json_object_put(found);
	return code;
}
