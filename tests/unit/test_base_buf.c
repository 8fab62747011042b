#include "base/buf.h"

#include <errno.h>

#include "base/clock.h"
#include "tap.h"

static void test_growth(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	char *text;

	is_str(buf_str(&b), "", "an empty buffer is an empty string");
	for (int i = 0; i < 10000; i++)
		buf_addf(&b, "%04d", i);
	is_int((int64_t)b.len, 40000, "10,000 additions of 4 bytes");
	ok(memcmp(b.data + 39996, "9999", 5) == 0, "the last one is at its place, with a NUL behind");
	buf_clear(&b);
	is_str(buf_str(&b), "", "cleared");
	buf_addf(&b, "%0300d", 7);
	is_int((int64_t)strlen(buf_str(&b)), 300, "a format longer than the first room");
	text = buf_detach(&b);
	ok(text && strlen(text) == 300 && b.data == NULL && b.len == 0, "detached");
	free(text);
	text = buf_detach(&b);
	is_str(text, "", "detaching an empty buffer gives an empty string");
	free(text);
}

static void test_error(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_adds(&b, "kept");
	buf_add(&b, "x", SIZE_MAX);
	is_int(buf_error(&b), -ENOMEM, "an impossible size is remembered");
	buf_adds(&b, "more");
	is_str(buf_str(&b), "kept", "and nothing is added after it");
	ok(buf_detach(&b) == NULL, "nor handed out");
	is_int(buf_error(&b), 0, "a released buffer starts again");
}

static void is_json(const char *bytes, size_t len, const char *wanted, const char *what)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_add_json(&b, bytes, len);
	is_str(buf_str(&b), wanted, what);
}

static void test_json(void)
{
	is_json("plain", 5, "\"plain\"", "json: plain");
	is_json("a\"\\\n\r\t\b\f\001\037/", 11, "\"a\\\"\\\\\\n\\r\\t\\b\\f\\u0001\\u001f/\"", "json: escapes");
	is_json("\0x", 2, "\"\\u0000x\"", "json: a NUL byte");
	is_json("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
		"json: UTF-8 as it is");
	is_json("\xff\xfe", 2, "\"\\udcff\\udcfe\"", "json: bytes that are not UTF-8");
	is_json("\xc0\xaf", 2, "\"\\udcc0\\udcaf\"", "json: an overlong form");
	is_json("\xed\xa0\x80", 3, "\"\\udced\\udca0\\udc80\"", "json: an encoded surrogate");
	is_json("\xf4\x90\x80\x80", 4, "\"\\udcf4\\udc90\\udc80\\udc80\"", "json: above U+10FFFF");
	is_json("\xe2\x82", 2, "\"\\udce2\\udc82\"", "json: cut short");
	is_json("\xe2\x82z", 3, "\"\\udce2\\udc82z\"", "json: cut short before a letter");
}

static void is_csv(const char *bytes, const char *wanted, const char *what)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_add_csv(&b, bytes, strlen(bytes));
	is_str(buf_str(&b), wanted, what);
}

static void test_csv(void)
{
	is_csv("plain", "plain", "csv: plain");
	is_csv("", "", "csv: empty");
	is_csv("a,b", "\"a,b\"", "csv: comma");
	is_csv("say \"hi\"", "\"say \"\"hi\"\"\"", "csv: quotes");
	is_csv("two\nlines", "\"two\nlines\"", "csv: newline");
	is_csv("cr\r", "\"cr\r\"", "csv: carriage return");
	is_csv(" padded ", "\" padded \"", "csv: outer spaces");
	is_csv("\xff", "\xff", "csv: raw bytes");
}

static void is_time(int64_t ns, const char *wanted, const char *wanted_ms)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_add_time(&b, ns);
	is_str(buf_str(&b), wanted, wanted);
	buf_clear(&b);
	buf_add_time_ms(&b, ns);
	is_str(buf_str(&b), wanted_ms, wanted_ms);
}

static void is_moment(int64_t ns, const char *wanted)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_add_moment(&b, ns);
	is_str(buf_str(&b), wanted, wanted);
}

static void test_time(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	is_moment(1763629200123456000, "2025-11-20T09:00:00.123456Z");
	is_moment(1763629200123456001, "2025-11-20T09:00:00.123457Z");
	is_moment(1763629199999999001, "2025-11-20T09:00:00.000000Z");

	is_time(0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z");
	is_time(1795168800 * NSEC_PER_SEC + 123999999, "2026-11-20T10:00:00Z", "2026-11-20T10:00:00.123Z");
	is_time(-1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z");
	is_time(INT64_MAX, "2262-04-11T23:47:16Z", "2262-04-11T23:47:16.854Z");
	is_time(INT64_MIN, "1677-09-21T00:12:43Z", "1677-09-21T00:12:43.145Z");
	buf_add_hex(&b, "\x00\x7f\xff", 3);
	is_str(buf_str(&b), "007fff", "hex");
}

int main(void)
{
	test_growth();
	test_error();
	test_json();
	test_csv();
	test_time();
	return done();
}
