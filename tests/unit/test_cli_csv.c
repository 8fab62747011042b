/* What `tarn diff` knows of tables: reading CSV, types, renamed columns, keys, and which rows changed. */
#include "base/csv_read.h"
#include "cli/diff/row_changes.h"
#include "cli/diff/row_spool.h"

#include <errno.h>
#include <unistd.h>

#include "tap.h"

static int file_with(const char *text, size_t len)
{
	char path[] = "./tarn-csv-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	if (write(fd, text, len) != (ssize_t)len)
		diag("cannot write");
	return fd;
}

/* ---- reading ---- */

static int add_row(void *arg, uint64_t number, const struct csv_row *row)
{
	struct buf *b = arg;
	size_t len;

	buf_addf(b, "%s%d", number ? " " : "", (int)number);
	for (int i = 0; i < row->n; i++) {
		const char *field = csv_field(row, i, &len);

		buf_addf(b, "[%.*s]", (int)len, field);
	}
	return 0;
}

static void reads(const char *text, char delimiter, const char *wanted)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int fd = file_with(text, strlen(text));

	is_int(csv_read(fd, delimiter, add_row, &b), 0, text);
	is_str(buf_str(&b), wanted, "  its rows");
	close(fd);
}

static void test_reading(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int fd;

	reads("a,b\n1,2\n", ',', "0[a][b] 1[1][2]");
	reads("a,b\r\n1,2", ',', "0[a][b] 1[1][2]");
	reads("a;b\n\"x;\"\"y\"\"\n\"; z \n", ';', "0[a][b] 1[x;\"y\"\n][ z ]");
	reads("\xef\xbb\xbf"
	      "a\n\n1\n",
	      ',', "0[a] 1[1]");
	reads("a,b\n,\n", ',', "0[a][b] 1[][]");
	reads("", ',', "");
	fd = file_with("a,b\n1,\"open\n2,3\n", 17);
	is_int(csv_read(fd, ',', add_row, &b), -EBADMSG, "a quote that is never closed");
	close(fd);
	fd = file_with("a\n", 2);
	if (ftruncate(fd, 3 * CSV_ROW_MAX))
		diag("cannot grow");
	is_int(csv_read(fd, ',', add_row, &b), -EFBIG, "a row without an end");
	close(fd);
	is_int(csv_delimiter("a,b;c,d\n;;;;", 12), ',', "commas");
	is_int(csv_delimiter("a;b,\";;;;;\";c;d", 15), ';', "semicolons");
	is_int(csv_delimiter("a\tb", 3), '\t', "tabs");
	is_int(csv_delimiter("a", 1), ',', "one column");
}

/* ---- types ---- */

static void has_type(const char *value, enum column_type type)
{
	is_str(column_type_name(column_type_of(value, strlen(value))), column_type_name(type), value);
}

static void test_types(void)
{
	has_type("", TYPE_NONE);
	has_type("0", TYPE_INTEGER);
	has_type("-12", TYPE_INTEGER);
	has_type("007", TYPE_TEXT);
	has_type("0.5", TYPE_NUMBER);
	has_type(".5", TYPE_NUMBER);
	has_type("1e9", TYPE_NUMBER);
	has_type("1e", TYPE_TEXT);
	has_type("-", TYPE_TEXT);
	has_type("1.2.3", TYPE_TEXT);
	has_type("True", TYPE_BOOLEAN);
	has_type("2026-11-20", TYPE_DATE);
	has_type("2026-11-20T10:00:00.5+01:00", TYPE_TIME);
	has_type("2026-11-20 10:00", TYPE_TIME);
	has_type("2026-11-20x", TYPE_TEXT);
	has_type("2026-11-2", TYPE_TEXT);
}

/* ---- comparing ---- */

struct pair {
	struct table_file a, b;
};

static void pair_open(struct pair *p, const char *a, const char *b)
{
	p->a = (struct table_file){.fd = file_with(a, strlen(a)), .delimiter = ','};
	p->b = (struct table_file){.fd = file_with(b, strlen(b)), .delimiter = ','};
	if (schema_read(p->a.fd, ',', &p->a.schema) || schema_read(p->b.fd, ',', &p->b.schema))
		diag("cannot read the schema");
	schema_match(&p->a.schema, &p->b.schema);
}

static void pair_close(struct pair *p)
{
	schema_release(&p->a.schema);
	schema_release(&p->b.schema);
	close(p->a.fd);
	close(p->b.fd);
}

/* WANTED: "key 1: 2 removed, 1 added, 0 changed, 5 same" */
static void compares(const char *a, const char *b, char *key, const char *wanted, const char *what)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct row_changes c;
	struct pair p;
	int wrong;

	pair_open(&p, a, b);
	is_int(row_changes_find(&p.a, &p.b, &key, key != NULL, 3, &c, &wrong), 0, what);
	buf_addf(&text, "key %d%s: %d removed, %d added, %d changed, %d same", c.nkey == c.ncolumns ? 0 : c.nkey,
		 c.ambiguous ? "?" : "", (int)c.counts[ROW_REMOVED], (int)c.counts[ROW_ADDED],
		 (int)c.counts[ROW_CHANGED], (int)c.same);
	is_str(buf_str(&text), wanted, "  counts");
	row_changes_release(&c);
	pair_close(&p);
}

static void test_rows(void)
{
	struct row_changes c;
	char none[] = "none", *key = none;
	struct pair p;
	int wrong = 7;

	compares("id,x\n1,a\n2,b\n3,c\n", "id,x\n3,c\n2,B\n4,d\n", NULL, "key 1: 1 removed, 1 added, 1 changed, 1 same",
		 "by the first column");
	compares("d,s,x\n1,a,5\n1,b,6\n2,a,7\n", "d,s,x\n1,a,5\n1,b,8\n2,a,7\n", NULL,
		 "key 2: 0 removed, 0 added, 1 changed, 2 same", "by the first two");
	compares("x\n1\n1\n2\n", "x\n1\n2\n2\n", NULL, "key 0: 1 removed, 1 added, 0 changed, 2 same",
		 "whole rows, each as often as it is there");
	compares("n,id,x\na,1,5\na,2,6\n", "n,id,x\nb,1,5\na,2,7\n", "id",
		 "key 1: 0 removed, 0 added, 2 changed, 0 same", "by a key that was asked for");
	compares("id,x\n1,a\n1,b\n", "id,x\n1,a\n1,c\n", "id", "key 1?: 0 removed, 0 added, 1 changed, 1 same",
		 "by one that is not unique");
	compares("id,x\n1,a\n", "x,id,y\na,1,new\n", NULL, "key 1: 0 removed, 0 added, 0 changed, 1 same",
		 "columns that only one has do not count");
	compares("id,x\n", "id,x\n1,a\n", NULL, "key 1: 0 removed, 1 added, 0 changed, 0 same", "an empty table");
	compares("id,x\n1,\"a\"\n", "id,x\r\n1,a\r\n", NULL, "key 1: 0 removed, 0 added, 0 changed, 1 same",
		 "quotes and line ends are no content");
	compares("id,x\n1,a\n", "id,x\n1,a,extra\n", NULL, "key 1: 0 removed, 0 added, 1 changed, 0 same",
		 "a field beyond the header");

	pair_open(&p, "id\n1\n", "id\n1\n");
	is_int(row_changes_find(&p.a, &p.b, &key, 1, 3, &c, &wrong), -ENOENT, "a key that is no column");
	is_int(wrong, 0, "  and which");
	pair_close(&p);
}

static void test_renamed(void)
{
	struct pair p;

	pair_open(&p, "id,total,note\n1,10,a\n2,20,b\n3,30,c\n", "id,sum,extra\n1,10,x\n2,20,y\n3,31,z\n");
	is_int(p.a.schema.columns[0].partner, 0, "a column of the same name");
	is_int(p.a.schema.columns[1].partner, 1, "one that has another name and most of its values");
	is_int(p.a.schema.columns[2].partner, -1, "one that is gone");
	is_int(p.b.schema.columns[2].partner, -1, "one that is new");
	is_str(column_type_name(p.a.schema.columns[1].type), "integer", "a type");
	is_int((int64_t)p.a.schema.rows, 3, "how many rows");
	pair_close(&p);
}

/* 200,000 rows on 4 parts: as many as are told, and the examples are the first. */
static void test_many(void)
{
	_cleanup_buf_ struct buf a = BUF_INIT, b = BUF_INIT;
	struct row_changes c;
	struct pair p;
	int wrong;

	buf_adds(&a, "id,x\n");
	buf_adds(&b, "id,x\n");
	for (int i = 0; i < 200000; i++) {
		buf_addf(&a, "%d,%d\n", i, i * 7);
		if (i % 100 != 3)
			buf_addf(&b, "%d,%d\n", i, i % 100 == 5 ? 0 : i * 7);
	}
	pair_open(&p, buf_str(&a), buf_str(&b));
	is_int(row_changes_find(&p.a, &p.b, NULL, 0, 3, &c, &wrong), 0, "many rows");
	is_int((int64_t)c.counts[ROW_REMOVED], 2000, "  removed");
	is_int((int64_t)c.counts[ROW_CHANGED], 2000, "  changed");
	is_int((int64_t)c.counts[ROW_ADDED], 0, "  added");
	is_int((int64_t)c.same, 196000, "  same");
	is_int(c.nexamples[ROW_REMOVED], 3, "  so many examples");
	is_int((int64_t)c.examples[ROW_REMOVED][0].a, 4, "  the first");
	is_int((int64_t)c.examples[ROW_REMOVED][2].a, 204, "  and the third");
	row_changes_release(&c);
	pair_close(&p);
	is_int(row_spool_parts(200000), 1, "one part for few rows");
	ok(row_spool_parts(UINT64_C(10000000)) > 5, "more for many");
}

/* Records are dealt over parts by their key, and come back sorted. */
static void test_spool(void)
{
	struct row_record r = {.number = 0}, *back;
	struct row_spool s;
	size_t n, all = 0;
	bool sorted = true;

	is_int(row_spool_init(&s, 3), 0, "a spool of three parts");
	for (int i = 0; i < 1000; i++) {
		r.key[0] = (uint8_t)(i * 37);
		r.key[1] = (uint8_t)(i >> 3);
		r.number = (uint64_t)i;
		if (row_spool_add(&s, &r))
			diag("cannot add");
	}
	for (int part = 0; part < 3; part++) {
		is_int(row_spool_load(&s, part, &back, &n), 0, "a part");
		for (size_t i = 1; i < n; i++)
			sorted = sorted && memcmp(back[i - 1].key, back[i].key, DIGEST_BYTES) <= 0;
		all += n;
		free(back);
	}
	ok(sorted, "each is sorted");
	is_int((int64_t)all, 1000, "all are there");
	row_spool_release(&s);
}

int main(void)
{
	test_reading();
	test_types();
	test_rows();
	test_renamed();
	test_many();
	test_spool();
	return done();
}
