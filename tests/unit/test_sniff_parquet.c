/* Parquet files: tests/data/sniff/types.parquet was written by DuckDB 1.5.6; types and values are those it says. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/full_io.h"
#include "sniff/sniff.h"
#include "tap.h"

static const struct {
	const char *name, *type, *min, *max;
} columns[] = {
	{"big", "BIGINT", "0", "4"},
	{"small", "INTEGER", "0", "4"},
	{"d", "DOUBLE", "0.0", "6.0"},
	{"f", "FLOAT", "0.0", "6.0"},
	{"flag", "BOOLEAN", "false", "true"},
	{"day", "DATE", "2024-01-01", "2024-01-05"},
	{"at", "TIMESTAMP", "2024-01-01 10:00:00", "2024-01-01 14:00:00"},
	{"zoned", "TIMESTAMP WITH TIME ZONE", "2024-01-01 10:00:00+00", "2024-01-01 10:00:00+00"},
	{"word", "VARCHAR", "w0", "w4"},
	{"holes", "BIGINT", "3", "4"},
	{"price", "DECIMAL(9,2)", NULL, NULL},
	{"list", "BIGINT[]", NULL, NULL},
	{"pair", "STRUCT(a BIGINT, b VARCHAR)", NULL, NULL},
	{"dict", "MAP(VARCHAR, BIGINT)", NULL, NULL},
	{"id", "UUID", NULL, NULL},
	{"raw", "BLOB", NULL, NULL},
	{"t", "TIME", NULL, NULL},
	{"tiny", "UTINYINT", NULL, NULL},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static struct description d;

static int describe(const char *bytes, size_t len)
{
	_cleanup_close_ int fd = memfd_create("parquet", MFD_CLOEXEC);

	if (fd < 0 || write_full_at(fd, bytes, len, 0) < 0)
		exit(1);
	description_release(&d);
	return sniff_file(fd, "types.parquet", false, &d);
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void whole(const struct buf *file)
{
	is_int(describe(file->data, file->len), 0, "it can be read");
	ok(d.kind == DESCRIBED_TABLE && d.rows == 5, "it is a table of five rows");
	is_int((int64_t)d.ncolumns, COLUMNS, "all columns are there");
	for (size_t i = 0; i < COLUMNS && i < d.ncolumns; i++)
		ok(is_same(d.columns[i].name, columns[i].name) && is_same(d.columns[i].type, columns[i].type) &&
			   is_same(d.columns[i].min, columns[i].min) && is_same(d.columns[i].max, columns[i].max),
		   "%s: %s, %s to %s", d.columns[i].name, d.columns[i].type, d.columns[i].min ? d.columns[i].min : "?",
		   d.columns[i].max ? d.columns[i].max : "?");
	is_int(d.ncolumns > 9 ? (int64_t)d.columns[9].nulls : -1, 3, "nulls are told");
	is_str(description_fact(&d, "row_groups"), "1", "and row groups");
}

/* Four letters are text. Its end is all that is looked at: so every cut is one in the footer, or behind it. */
static void cut(const struct buf *file)
{
	unsigned odd = 0;

	for (size_t len = 11; len < file->len; len += 7)
		odd += describe(file->data, len) || !d.unreadable;
	is_int(odd, 0, "one that is cut off is unreadable");
}

static void long_footer(const struct buf *file)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_add(&b, file->data, file->len);
	memset(b.data + b.len - 8, 0xff, 4);
	ok(!describe(b.data, b.len) && d.unreadable, "a footer that is longer than the file is said to be damaged");
}

int main(void)
{
	_cleanup_buf_ struct buf file = BUF_INIT, path = BUF_INIT;
	const char *source = getenv("TARN_SOURCE");

	buf_addf(&path, "%s/tests/data/sniff/types.parquet", source ? source : ".");
	if (read_file_at(AT_FDCWD, buf_str(&path), &file) < 0) {
		puts("Bail out! no sample");
		return 1;
	}
	sniff_prepare();
	description_init(&d);
	whole(&file);
	cut(&file);
	long_footer(&file);
	description_release(&d);
	return done();
}
