/* Tables in files: what DuckDB has no word on, what is too much, what is broken. The rest: tests/sniff/files.sh. */
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "sniff/sniff.h"
#include "tap.h"

#define MIB (1 << 20)

static struct description d;

static void describe(const char *name, const void *bytes, size_t len)
{
	char path[] = "/tmp/tarn-sniff-XXXXXX";
	_cleanup_close_ int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0 || unlink(path) < 0 || write(fd, bytes, len) != (ssize_t)len)
		exit(1);
	description_release(&d);
	ok(!sniff_file(fd, name, false, &d), "%s", name);
}

static void describe_text(const char *name, const char *text)
{
	describe(name, text, strlen(text));
}

/* ---- what is in them ---- */

static void encodings(void)
{
	static const char utf16[] =
		"\xff\xfe"
		"a\0,\0b\0\n\0"
		"1\0,\0\xf6\0\n\0";

	describe("a.csv", utf16, sizeof(utf16) - 1);
	is_str(d.encoding, "UTF-16LE", "UTF-16 by its mark");
	ok(d.ncolumns == 2 && d.rows == 1, "is a table");
	is_str(d.ncolumns == 2 ? d.columns[1].max : NULL, "\xc3\xb6", "and becomes UTF-8");
	describe_text("a.csv", "a,b\n1,\xf6\n");
	is_str(d.encoding, "ISO-8859-1", "what is no UTF-8 is Latin-1");
	is_str(d.ncolumns == 2 ? d.columns[1].max : NULL, "\xc3\xb6", "and becomes UTF-8");
	describe_text("a.csv",
		      "\xef\xbb\xbf"
		      "a,b\n1,2\n");
	is_str(d.ncolumns ? d.columns[0].name : NULL, "a", "a byte order mark is no part of a name");
}

/* Two names that are one up to a NUL: this took for ever, and all memory. */
static void nul_in_name(void)
{
	static const char text[] = "id,score,score\0\0";

	describe("a.csv", text, sizeof(text) - 1);
	ok(d.ncolumns == 3 && !strcmp(d.columns[1].name, "score") && !strcmp(d.columns[2].name, "score_1"),
	   "a name ends at a NUL");
}

static void packed(void)
{
	static const char text[] = "id,name\n1,Ann\n2,Bob\n";
	char bytes[500];
	size_t len = ZSTD_compress(bytes, sizeof(bytes), text, sizeof(text) - 1, 3);

	describe("a.csv.zst", bytes, len);
	is_str(d.compression, "zstd", "zstd is unpacked");
	is_int(d.rows, 2, "to rows");
	is_str(d.mime, "application/zstd", "its type is that of the file");
	describe("a.csv.zst", bytes, len - 9);
	ok(d.rows <= 2, "one that ends in the middle is no crash");
}

static void people(void)
{
	describe_text("a.csv",
		      "contact,tel,pay,First Name,n\n"
		      "ann@example.org,+49 30 123456,4111 1111 1111 1111,Ann,1\n"
		      "bob@example.org,(030) 123-4567,5500-0000-0000-0004,Bob,2\n");
	is_int((int64_t)d.ncolumns, 5, "five columns");
	if (d.ncolumns != 5)
		return;
	is_str(d.columns[0].pii, "email", "addresses");
	is_str(d.columns[1].pii, "phone", "numbers of telephones");
	is_str(d.columns[2].pii, "card", "of cards");
	is_str(d.columns[3].pii, "name", "a column that says so");
	ok(!d.columns[4].pii, "and nothing else");
}

static void samples(void)
{
	describe_text("a.csv", "a;b\n1;\"x, y\"\n2;\n");
	is_str(d.sample, "a,b\r\n1,\"x, y\"\r\n2,\r\n", "the first rows, as CSV");
	is_str(d.text, "x, y\n", "text to search");
	ok(d.ncolumns == 2 && d.columns[1].ntop == 1 && d.columns[1].nulls == 1, "values are counted");
}

/* ---- more than a few ---- */

static void many_values(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_adds(&b, "n,word\n");
	for (int i = 0; i < 300000; i++)
		buf_addf(&b, "%d,w%d\n", i, i % 10);
	describe("many.csv", b.data, b.len);
	is_int(d.rows, 300000, "all rows are counted");
	ok(d.ncolumns == 2 && d.columns[0].approximate && !d.columns[1].approximate, "some values are estimated");
	ok(d.ncolumns == 2 && d.columns[0].distinct > 285000 && d.columns[0].distinct < 315000, "well (%d)",
	   d.ncolumns ? (int)d.columns[0].distinct : 0);
	is_int(d.ncolumns == 2 ? (int64_t)d.columns[1].distinct : 0, 10, "few are counted");
}

static void later_values(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_adds(&b, "n\n");
	for (int i = 0; i < 30000; i++)
		buf_adds(&b, i == 25000 ? "n/a\n" : "7\n");
	describe("late.csv", b.data, b.len);
	is_str(d.ncolumns ? d.columns[0].type : NULL, "BIGINT", "the first rows decide");
	is_str(description_fact(&d, "misfits"), "1", "what does not fit later is told");
}

/* ---- too much ---- */

static void fill(const char *name, const char *piece, size_t bytes)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	while (b.len < bytes)
		buf_adds(&b, piece);
	describe(name, b.data, b.len);
}

static void too_much(void)
{
	fill("wide.csv", "x,", 2 * MIB);
	ok(d.ncolumns <= DESCRIPTION_COLUMNS_MAX, "a million columns are no columns, or few (%d)", (int)d.ncolumns);
	fill("long.csv", "no end ", 20 * MIB);
	is_str(d.unreadable, "a row is longer than 16 MiB", "a line without an end is said to be that");
	fill("quotes.csv", "\"", 1 * MIB);
	ok(d.rows <= 1, "nothing but quotes");
	fill("ends.csv", "\n", 1 * MIB);
	ok(d.rows >= 0, "nothing but ends of lines");
	fill("commas.csv", ",,,,\n", 1 * MIB);
	ok(d.ncolumns <= 5, "nothing but commas");
}

static void bomb(void)
{
	size_t len = 64 * MIB;
	_cleanup_free_ char *zeros = calloc(1, len), *packed = malloc(len);
	z_stream z = {
		.next_in = (Bytef *)zeros, .avail_in = (uInt)len, .next_out = (Bytef *)packed, .avail_out = (uInt)len};

	memset(zeros, 'x', len);
	deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	deflate(&z, Z_FINISH);
	deflateEnd(&z);
	describe("bomb.csv.gz", packed, z.total_out);
	is_str(d.unreadable, "a row is longer than 16 MiB", "what unpacks to much is read as far as it makes sense");
	describe("cut.csv.gz", packed, z.total_out / 2);
	ok(d.unreadable, "half of it, too (%s)", d.unreadable);
}

int main(void)
{
	sniff_prepare();
	description_init(&d);
	encodings();
	nul_in_name();
	packed();
	people();
	samples();
	many_values();
	later_values();
	too_much();
	bomb();
	description_release(&d);
	return done();
}
