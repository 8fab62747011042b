/* Rules that rows keep, by the code that runs in the helper. */
#include "sniff/checks.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sniff/sniff.h"
#include "tap.h"

static int file_of(const char *text)
{
	char path[] = "/tmp/tarn-checks-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0 || unlink(path) < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		exit(1);
	return fd;
}

static int add_result(void *arg, const struct check_result *r)
{
	struct buf *b = arg;

	if (r->failed || r->note)
		buf_addf(b, "%s %s %d/%d row %d [%s]%s%s;", r->column, r->check, (int)r->failed, (int)r->rows,
			 (int)r->row, r->example ? r->example : "", r->note ? " " : "", r->note ? r->note : "");
	return 0;
}

/* What breaks RULES in the file NAME with TEXT, where KEY (may be NULL) is the other table. */
static const char *broken(const char *rules, const char *name, const char *text, const char *key)
{
	static struct buf out = BUF_INIT;
	_cleanup_buf_ struct buf found = BUF_INIT;
	_cleanup_description_ struct description d;
	const char *why = NULL;
	struct checks *c;
	int fd = file_of(text);

	buf_clear(&out);
	description_init(&d);
	if (checks_parse(rules, strlen(rules), &c)) {
		close(fd);
		return "no rules";
	}
	if (key) {
		_cleanup_description_ struct description other;
		int key_fd = file_of(key);

		description_init(&other);
		checks_look_at(c, 0);
		sniff_rows(key_fd, "key.csv", c, &other, &why);
		checks_look_at(c, SIZE_MAX);
		close(key_fd);
	}
	if (sniff_rows(fd, name, c, &d, &why))
		why = "error";
	checks_add_found(&found, c, why);
	checks_free(c);
	close(fd);
	if (checks_each(buf_str(&found), found.len, add_result, &out))
		return "not what checks_each() reads";
	return buf_str(&out);
}

#define COLUMN(rules) "{\"columns\":[{\"name\":\"a\"," rules "}],\"keys\":[{\"file\":\"key.csv\",\"column\":\"id\"}]}"

static void test_rules(void)
{
	is_str(broken(COLUMN("\"type\":\"BIGINT\""), "t.csv", "a,b\n1,2\nx,3\n,4\n", NULL), "a type 1/2 row 2 [x,3];",
	       "a type");
	is_str(broken(COLUMN("\"type\":\"DATE\""), "t.csv", "a\n2026-01-01\n2026-02-30\n", NULL),
	       "a type 1/2 row 2 [2026-02-30];", "a day that there is not");
	is_str(broken(COLUMN("\"type\":\"DOUBLE\""), "t.csv", "a\n5\n1.5\n", NULL), "",
	       "a whole number is a DOUBLE, too");
	is_str(broken(COLUMN("\"not_null\":true"), "t.csv", "a,b\n1,2\n,3\n", NULL), "a nullable 1/2 row 2 [,3];",
	       "nulls");
	is_str(broken(COLUMN("\"unique\":true"), "t.csv", "a,b\n1,2\n2,2\n1,3\n,4\n,5\n", NULL),
	       "a unique 1/3 row 3 [1,3];", "a value twice; nulls are no values");
	is_str(broken(COLUMN("\"min\":\"2\",\"max\":\"10\""), "t.csv", "a\n1\n2\n9\n10\n11\n", NULL),
	       "a range 2/5 row 1 [1];", "numbers in a range");
	is_str(broken(COLUMN("\"min\":\"2026-01-01\""), "t.csv", "a\n2025-12-31\n2026-01-01\n", NULL),
	       "a range 1/2 row 1 [2025-12-31];", "days in one that is open");
	is_str(broken(COLUMN("\"min\":\"0\""), "t.csv", "a\n5\nfive\n", NULL), "a range 1/2 row 2 [five];",
	       "what is no number is in no range of numbers");
	is_str(broken(COLUMN("\"regex\":\"^[a-z]+$\""), "t.csv", "a,b\nabc,1\nAbc,\"x, y\"\n", NULL),
	       "a regex 1/2 row 2 [Abc,\"x, y\"];", "a pattern; the row is CSV");
	is_str(broken(COLUMN("\"key\":0"), "t.csv", "a\n1\n3\n\n", "id\n1\n2\n"), "a foreign_key 1/2 row 2 [3];",
	       "a foreign key");
	is_str(broken(COLUMN("\"key\":0"), "t.csv", "a\n1\n", "no\n1\n"),
	       "a foreign_key 0/0 row 0 [] the other table's column could not be looked at;",
	       "whose column is not there");
	is_str(broken(COLUMN("\"type\":\"BIGINT\""), "t.csv", "b,c\n1,2\n", NULL),
	       "a exists 1/0 row 0 [] there is no such column;", "a column that is not there");
	is_str(broken(COLUMN("\"not_null\":true"), "t.jsonl", "{\"a\":1}\n{\"b\":2}\n{\"a\":null}\n", NULL),
	       "a nullable 2/3 row 2 [,2];", "JSON lines");
	is_str(broken(COLUMN("\"not_null\":true"), "t.bin", "\x01\x02\x03", NULL),
	       "a nullable 0/0 row 0 [] its values cannot be looked at;", "what is no table");
}

static void test_hostile(void)
{
	struct checks *c;

	ok(checks_parse("{", 1, &c) == -EBADMSG && !c, "half a list of rules");
	ok(checks_parse("[]", 2, &c) == -EBADMSG, "none");
	ok(checks_parse("{\"columns\":[5],\"keys\":[]}", 25, &c) == -EBADMSG, "of another form");
	ok(checks_parse("{\"columns\":[{\"name\":\"a\",\"key\":3}],\"keys\":[]}", 45, &c) == -EBADMSG,
	   "a key that is not there");
	ok(checks_each("{}", 2, add_result, NULL) == -EBADMSG, "findings that are none");
	ok(checks_each("[{}]", 4, add_result, NULL) == -EBADMSG, "of nothing");
}

int main(void)
{
	sniff_prepare();
	test_rules();
	test_hostile();
	return done();
}
