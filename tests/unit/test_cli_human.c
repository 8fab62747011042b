#include "cli/human.h"

#include <errno.h>
#include <json-c/json.h>
#include <locale.h>
#include <time.h>

#include "cli/facts.h"
#include "cli/table.h"
#include "tap.h"

static void size_is(uint64_t bytes, const char *wanted)
{
	struct buf b = BUF_INIT;

	human_size(&b, bytes);
	is_str(buf_str(&b), wanted, wanted);
	buf_release(&b);
}

static void word_is(const char *word, const char *wanted)
{
	struct buf b = BUF_INIT;

	shell_word(&b, word);
	is_str(buf_str(&b), wanted, wanted);
	buf_release(&b);
}

static void name_is(const char *name, const char *wanted)
{
	struct buf b = BUF_INIT;

	human_name(&b, name);
	is_str(buf_str(&b), wanted, wanted);
	buf_release(&b);
}

static void time_is(const char *text, int64_t wanted)
{
	int64_t ns = -1;

	is_int(time_parse(text, &ns), 0, text);
	is_int(ns, wanted, "  in nanoseconds");
}

static void test_times(void)
{
	struct buf b = BUF_INIT;
	int64_t ns;

	time_is("1970-01-01T00:00:00Z", 0);
	time_is("2026-11-20T09:00:00Z", INT64_C(1795165200000000000)); /* date -u -d 2026-11-20T09:00:00Z +%s */
	time_is("2026-11-20T10:00:00.250+01:00", INT64_C(1795165200250000000));
	time_is("2026-11-20T04:30:00-04:30", INT64_C(1795165200000000000));
	is_int(time_parse("2026-11-20", &ns), -EINVAL, "a date alone is no time");
	is_int(time_parse("2026-11-20T09:00:00", &ns), -EINVAL, "nor is one without a zone");
	is_int(time_parse("2026-11-20T09:00:00Zebra", &ns), -EINVAL, "nor one with more behind");
	setenv("TZ", "UTC", 1);
	tzset();
	human_time(&b, INT64_C(1795165200999999999));
	is_str(buf_str(&b), "2026-11-20 09:00:00", "local time");
	buf_release(&b);
}

static void test_table(void)
{
	static const char *const headings[] = {">N", "NAME", "LAST", NULL};
	char out[512] = "";
	FILE *f = fmemopen(out, sizeof(out), "w");
	struct table t;

	table_init(&t, headings);
	table_addf(&t, "%d", 1);
	table_add(&t, "gr\xc3\xbc\xc3\x9f");
	table_add(&t, "a");
	table_addf(&t, "%d", 100);
	table_add(&t, "line\nfeed");
	table_add(&t, "");
	is_int(table_print(&t, f), 0, "a table is printed");
	fclose(f);
	is_str(out,
	       "  N  NAME          LAST\n"
	       "  1  gr\xc3\xbc\xc3\x9f          a\n"
	       "100  line\\x0afeed  \n",
	       "aligned by columns, without control characters");
	table_release(&t);
}

static void test_facts(void)
{
	struct json_object *o = json_tokener_parse(
		"{\"lake\": \"/data/lake\", \"passthrough\": true, \"kept_bytes\": 1536, \"by_way\": {\"aside\": 3, "
		"\"prefix\": 0}, \"size_bytes\": {\"aside\": 2048}, \"since\": \"2026-11-20T09:00:00Z\", \"list\": [1, "
		"2], \"empty\": [], \"nothing\": null, \"rate\": 0.5}");
	char out[1024] = "";
	FILE *f = fmemopen(out, sizeof(out), "w");

	is_int(facts_print(o, f), 0, "facts are printed");
	fclose(f);
	is_str(out,
	       "lake         /data/lake\n"
	       "passthrough  yes\n"
	       "kept bytes   1.5 KiB\n"
	       "by way       aside 3, prefix 0\n"
	       "size bytes   aside 2.0 KiB\n"
	       "since        2026-11-20 09:00:00\n"
	       "list         1, 2\n"
	       "empty        none\n"
	       "nothing      -\n"
	       "rate         0.5\n",
	       "whatever they are");
	json_object_put(o);
}

static void test_json(void)
{
	struct json_object *o = json_object_new_object();
	struct buf b = BUF_INIT;

	json_object_object_add(o, "path", json_object_new_string("a\xff\n\"b"));
	json_object_object_add(o, "list", json_object_new_array());
	json_object_object_add(o, "n", json_object_new_int64(-5));
	json_object_object_add(o, "none", NULL);
	json_add(&b, o, -1);
	is_str(buf_str(&b), "{\"path\": \"a\\udcff\\n\\\"b\", \"list\": [], \"n\": -5, \"none\": null}",
	       "JSON keeps names that are not UTF-8");
	buf_clear(&b);
	json_object_array_add(json_object_object_get(o, "list"), json_object_new_boolean(1));
	json_object_object_del(o, "path");
	json_add(&b, o, 0);
	is_str(buf_str(&b), "{\n  \"list\": [\n    true\n  ],\n  \"n\": -5,\n  \"none\": null\n}", "indented");
	buf_release(&b);
	json_object_put(o);
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	size_is(0, "0 B");
	size_is(1023, "1023 B");
	size_is(1024, "1.0 KiB");
	size_is(1536, "1.5 KiB");
	size_is(1048575, "1.0 MiB");
	size_is(UINT64_C(2) << 40, "2.0 TiB");
	size_is(UINT64_MAX, "16.0 EiB");
	word_is("/data/lake/a-b_c.csv@v3", "/data/lake/a-b_c.csv@v3");
	word_is("", "''");
	word_is("my lake", "'my lake'");
	word_is("it's", "'it'\\''s'");
	word_is("$(x)", "'$(x)'");
	name_is("plain \xc3\xbc", "plain \xc3\xbc");
	name_is("\x1b[31m\x7f", "\\x1b[31m\\x7f");
	name_is("\xff\xc2\x85", "\\xff\\xc2\\x85");
	test_times();
	test_table();
	test_facts();
	test_json();
	return done();
}
