/* JSON that DuckDB has no word on: broken, deep, long; and text and images. The rest is tests/sniff/files.sh. */
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sniff/sniff.h"
#include "tap.h"

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

static void kinds(void)
{
	describe_text("a.jsonl", "{\"a\": 1, \"b\": \"x\"}\n{\"a\": 2}\n");
	ok(d.kind == DESCRIBED_TABLE && d.rows == 2 && d.ncolumns == 2, "lines of objects are a table");
	is_str(d.format, "jsonl", "of that format");
	is_str(d.sample, "a,b\r\n1,x\r\n2,\r\n", "with a sample");
	describe_text("a.json", "{\"type\": \"FeatureCollection\", \"features\": [{\"type\": \"Feature\"}]}");
	is_str(d.format, "geojson", "GeoJSON says so itself");
	is_str(description_fact(&d, "features"), "1", "and has features");
	ok(d.kind == DESCRIBED_JSON && d.rows == 1, "one object is no table");
}

static void broken(void)
{
	static const char *const texts[] = {"{\"a\": 1",    "[1, 2", "[1,, 2]", "{\"a\" 1}", "[1] 2",
					    "{\"a\": \"\\", "]]]]",  "[{]}",	"\"x"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		describe_text("broken.json", texts[i]);
		ok(d.unreadable || d.kind == DESCRIBED_TEXT, "is unreadable: %s", texts[i]);
	}
	describe_text("half.jsonl", "{\"a\": 1}\n{\"a\": 2}\n{\"a\"");
	ok(d.unreadable && d.rows == 2, "what comes before the damage is known");
}

static void fill(const char *name, const char *begin, const char *piece, size_t bytes)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_adds(&b, begin);
	while (b.len < bytes)
		buf_adds(&b, piece);
	describe(name, b.data, b.len);
}

static void too_much(void)
{
	fill("deep.json", "", "[", 1 << 20);
	ok(d.unreadable, "a million brackets (%s)", d.unreadable);
	fill("deep-objects.json", "", "{\"a\":", 1 << 20);
	ok(d.unreadable, "a million objects (%s)", d.unreadable);
	fill("long.json", "[\"", "no end ", 10 << 20);
	is_str(d.unreadable, "one of its values is too long or too deep", "a string without an end");
	fill("numbers.json", "[1", ",1", 4 << 20);
	ok(d.rows > 1000000 && d.unreadable, "a list without an end (%d)", (int)d.rows);
}

static void texts(void)
{
	static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\x80\0\0\1\xe0\10\6\0\0\0";

	describe_text("a.md", "# Title\n\nThree words more.\n");
	ok(d.kind == DESCRIBED_TEXT && d.text, "text is text");
	is_str(d.format, "markdown", "of its kind");
	is_str(description_fact(&d, "words"), "5", "with its words");
	is_str(description_fact(&d, "lines"), "3", "and lines");
	describe("a.png", png, sizeof(png) - 1);
	ok(d.kind == DESCRIBED_IMAGE, "an image");
	is_str(description_fact(&d, "width"), "640", "so wide");
	is_str(description_fact(&d, "height"), "480", "and high");
}

int main(void)
{
	sniff_prepare();
	description_init(&d);
	kinds();
	broken();
	too_much();
	texts();
	description_release(&d);
	return done();
}
