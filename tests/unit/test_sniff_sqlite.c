/* SQLite files, made here by SQLite: tables, columns, rows; WAL, views and virtual tables; what is broken. */
#include "sniff/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/full_io.h"
#include "sniff/sniff.h"
#include "tap.h"

static char folder[] = "/tmp/tarn-sqlite-XXXXXX";
static struct description d;

/* The file that SQL makes. */
static void make(const char *sql, struct buf *file)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	_cleanup_close_ int fd = -1;
	static char bytes[1 << 20];
	sqlite3 *db = NULL;
	ssize_t n;

	buf_addf(&path, "%s/db", folder);
	if (sqlite3_open(buf_str(&path), &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		exit(1);
	sqlite3_close(db);
	fd = open(buf_str(&path), O_RDONLY | O_CLOEXEC);
	n = read_full_at(fd, bytes, sizeof(bytes), 0);
	if (n <= 0)
		exit(1);
	buf_clear(file);
	buf_add(file, bytes, (size_t)n);
	unlink(buf_str(&path));
}

static int describe(const char *bytes, size_t len)
{
	_cleanup_close_ int fd = memfd_create("sqlite", MFD_CLOEXEC);

	if (fd < 0 || write_full_at(fd, bytes, len, 0) < 0)
		exit(1);
	description_release(&d);
	description_init(&d);
	return sniff_file(fd, "x.db", false, &d);
}

static bool has_column(const char *table, const char *name, const char *type, bool not_null)
{
	const struct column *c = description_column(&d, table, name);

	return c && !strcmp(c->type, type) && c->not_null == not_null;
}

static void whole(struct buf *file)
{
	make("CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT NOT NULL, born DATE, paid DECIMAL(9,2), photo "
	     "BLOB);"
	     "CREATE TABLE \"odd \"\"name\"(at DATETIME, any) ;"
	     "CREATE VIEW grown AS SELECT * FROM people WHERE born < '2000-01-01';"
	     "CREATE VIRTUAL TABLE words USING fts5(word);"
	     "CREATE INDEX by_name ON people(name);"
	     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
	     " INSERT INTO people SELECT i, 'p' || i, '1990-01-01', i, x'00' FROM n;",
	     file);
	is_int(describe(file->data, file->len), 0, "a database can be read");
	ok(d.kind == DESCRIBED_DATABASE && d.format && !strcmp(d.format, "sqlite") && !d.unreadable, "it is one");
	is_int((int64_t)d.ntables, 2, "its tables, without views, virtual tables and what those are made of");
	ok(d.ntables == 2 && !strcmp(d.tables[0].name, "people") && d.tables[0].rows == 2000, "their rows");
	ok(d.ntables == 2 && !strcmp(d.tables[1].name, "odd \"name") && !d.tables[1].rows, "and odd names");
	is_int((int64_t)d.ncolumns, 7, "their columns");
	ok(has_column("people", "id", "BIGINT", false) && has_column("people", "name", "VARCHAR", true) &&
		   has_column("people", "born", "DATE", false) && has_column("people", "paid", "DOUBLE", false) &&
		   has_column("people", "photo", "BLOB", false) && has_column("odd \"name", "at", "TIMESTAMP", false) &&
		   has_column("odd \"name", "any", "BLOB", false),
	   "with types");
}

static void in_wal(void)
{
	_cleanup_buf_ struct buf file = BUF_INIT;

	make("PRAGMA journal_mode = wal; CREATE TABLE t(a); INSERT INTO t VALUES (1), (2);", &file);
	is_int(describe(file.data, file.len), 0, "one in WAL mode");
	ok(d.ntables == 1 && d.tables[0].rows == 2 && description_fact(&d, "journal") && !d.unreadable,
	   "is read without its -wal, and says so");
}

/* Any cut, and any page that is another's: an answer, and no crash. */
static void broken(const struct buf *file)
{
	_cleanup_buf_ struct buf looped = BUF_INIT;
	unsigned bad = 0, told = 0;

	for (size_t len = 100; len < file->len; len += 1 + file->len / 40) {
		bad += describe(file->data, len) != 0;
		told += d.unreadable != NULL;
	}
	ok(!bad && told, "a file that is cut somewhere is told so");
	buf_add(&looped, file->data, file->len);
	for (size_t at = 4096; at + 4096 <= file->len; at += 4096) /* each page's first child: itself */
		if (looped.data[at] == 5)
			memset(looped.data + at + 12, 0, 3), looped.data[at + 15] = (char)(at / 4096 + 1);
	is_int(describe(looped.data, looped.len), 0, "trees that lead back into themselves end");
	ok(d.kind == DESCRIBED_DATABASE, "it stays a database");
}

#define PAGE 512
#define LEVELS 10

/* A page of a tree whose children are all one and the same: 40 times as many rows as below it. */
static void put_interior(char *page, int child)
{
	memset(page, 0, PAGE);
	page[0] = 5;	    /* of a table, interior */
	page[4] = 40;	    /* cells */
	page[5] = 500 >> 8; /* where they begin */
	page[6] = (char)(500 & 0xff);
	page[11] = (char)child;
	for (size_t i = 12; i < 12 + 40 * 2; i += 2) {
		page[i] = 500 >> 8;
		page[i + 1] = (char)(500 & 0xff);
	}
	page[503] = (char)child;
	page[504] = 1; /* a row's number */
}

/* 40^10 rows in some kilobytes: they are not counted, and nobody waits for it. */
static void bomb(void)
{
	_cleanup_buf_ struct buf file = BUF_INIT;
	char *root;

	make("PRAGMA page_size = 512; CREATE TABLE t(a); INSERT INTO t VALUES (1);"
	     "CREATE TABLE room(a); INSERT INTO room VALUES (zeroblob(8000));",
	     &file);
	root = file.data + PAGE; /* t's, page 2; from page 5 on it is room's */
	memcpy(file.data + (4 + LEVELS) * PAGE, root, PAGE);
	put_interior(root, 5);
	for (int i = 0; i < LEVELS; i++)
		put_interior(file.data + (4 + i) * PAGE, 6 + i);
	is_int(describe(file.data, file.len), 0, "a table of 40^10 rows that are all one");
	ok(d.ntables == 2 && d.tables[0].rows == -1 && description_fact(&d, "counted"), "is not counted to its end");
}

static void hostile(void)
{
	_cleanup_buf_ struct buf file = BUF_INIT;

	make("PRAGMA writable_schema = 1; CREATE TABLE t(a);"
	     "UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a) WITH nonsense';",
	     &file);
	is_int(describe(file.data, file.len), 0, "a schema that is none");
	ok(d.unreadable != NULL, "is why it cannot be read: %s", d.unreadable ? d.unreadable : "");
}

int main(void)
{
	_cleanup_buf_ struct buf file = BUF_INIT;

	if (!mkdtemp(folder))
		return 1;
	description_init(&d);
	sniff_prepare();
	whole(&file);
	broken(&file);
	in_wal();
	hostile();
	bomb();
	description_release(&d);
	rmdir(folder);
	return done();
}
