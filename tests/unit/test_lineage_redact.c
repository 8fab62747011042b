/* Command lines without their secrets. */
#include "base/cleanup.h"
#include "config/settings.h"
#include "lineage/redact.h"
#include "tap.h"

static char *const patterns[] = {"*password*", "*token*", "pass", NULL};

static void redacts(const char *words, size_t len, const char *expected)
{
	_cleanup_buf_ struct buf json = BUF_INIT;

	redact_words(words, len, patterns, &json);
	is_str(buf_str(&json), expected, expected);
}
#define REDACTS(words, expected) redacts(words, sizeof(words), expected)

int main(void)
{
	REDACTS("sort\0-k\0002", "[\"sort\",\"-k\",\"2\"]");
	REDACTS("x\0--password=abc\0y", "[\"x\",\"--password=***\",\"y\"]");
	REDACTS("x\0--db-password\0abc\0y", "[\"x\",\"--db-password\",\"***\",\"y\"]");
	REDACTS("env\0PASSWORD=abc\0run", "[\"env\",\"PASSWORD=***\",\"run\"]");
	REDACTS("sh\0-c\0API_TOKEN=abc curl --pass z a", "[\"sh\",\"-c\",\"API_TOKEN=*** curl --pass *** a\"]");
	REDACTS("psql\0postgres://me:pw@host/db", "[\"psql\",\"postgres://me:***@host/db\"]");
	REDACTS("curl\0https://host/a@b:c", "[\"curl\",\"https://host/a@b:c\"]");
	REDACTS("git\0ghp_0123456789abcdefghij", "[\"git\",\"***\"]");
	REDACTS("--passages=3", "[\"--passages=3\"]");
	redacts("", 0, "[]");
	return done();
}
