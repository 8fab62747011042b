/* What a file is, as JSON and back. */
#include "sniff/description.h"

#include <errno.h>

#include "tap.h"

static void fill(struct description *d)
{
	struct column *c;

	d->kind = DESCRIBED_TABLE;
	description_set(&d->format, "csv");
	description_set(&d->mime, "application/gzip");
	description_set(&d->compression, "gzip");
	d->delimiter = ';';
	d->quote = '"';
	d->header = d->rows_estimated = d->sampled = true;
	description_set(&d->encoding, "UTF-8");
	d->rows = 344;
	description_add_table(d, "orders", 12);
	description_add_table(d, "a view", -1);
	c = description_add_column(d, "id", 2, "BIGINT");
	c->not_null = true;
	c->count = 344;
	c->nulls = 2;
	c->distinct = 340;
	description_set(&c->table, "orders");
	description_set(&c->min, "1");
	description_set(&c->max, "344");
	description_set(&c->mean, "172.5");
	description_set(&c->q50, "172");
	column_add_top(c, "a,\"b\"\n", 6, 3);
	column_add_top(c, "", 0, 2);
	c = description_add_column(d, "e-mail", 6, "VARCHAR");
	description_set(&c->pii, "email");
	description_add_fact(d, "width", "640");
	description_add_factf(d, "duration", "%.3f", 1.5);
	description_set(&d->text, "some text");
	description_set(&d->sample, "id\r\n1\r\n");
}

static const char compact[] =
	"{\"kind\":\"table\",\"format\":\"csv\",\"mime\":\"application/gzip\",\"compression\":\"gzip\","
	"\"delimiter\":\";\",\"quote\":\"\\\"\",\"header\":true,\"encoding\":\"UTF-8\",\"rows\":344,"
	"\"rows_estimated\":true,\"sampled\":true,\"tables\":[{\"name\":\"orders\",\"rows\":12},"
	"{\"name\":\"a view\"}],\"columns\":[{\"name\":\"id\",\"table\":\"orders\",\"type\":\"BIGINT\","
	"\"not_null\":true,\"count\":344,\"nulls\":2,\"distinct\":340,\"min\":\"1\",\"max\":\"344\","
	"\"mean\":\"172.5\",\"q50\":\"172\",\"top\":[{\"value\":\"a,\\\"b\\\"\\n\",\"count\":3},"
	"{\"value\":\"\",\"count\":2}]},{\"name\":\"e-mail\",\"type\":\"VARCHAR\",\"pii\":\"email\"}],"
	"\"facts\":{\"width\":\"640\",\"duration\":\"1.500\"}}";

static void there_and_back(void)
{
	_cleanup_buf_ struct buf whole = BUF_INIT, again = BUF_INIT, small = BUF_INIT;
	_cleanup_description_ struct description d, e;

	description_init(&d);
	fill(&d);
	description_add_json(&small, &d, false);
	is_str(buf_str(&small), compact, "all that is known, in its order");
	description_add_json(&whole, &d, true);
	is_int(description_parse(&e, whole.data, whole.len), 0, "it can be read");
	description_add_json(&again, &e, true);
	is_str(buf_str(&again), buf_str(&whole), "and says the same again");
	is_str(e.text, "some text", "with its text");
	is_str(description_fact(&e, "width"), "640", "a fact by its name");
	ok(!description_fact(&e, "height"), "or none");
	ok(description_column(&e, "orders", "id") && description_column(&e, NULL, "id"), "a column by its name");
	ok(!description_column(&e, "others", "id") && !description_column(&e, NULL, "ID"), "or none");
}

static void texts(void)
{
	char *text = NULL, longer[2 * DESCRIPTION_VALUE_MAX];

	description_set_bytes(&text, "a\xff\0b", 4);
	is_str(text,
	       "a\xef\xbf\xbd\xef\xbf\xbd"
	       "b",
	       "what is no UTF-8 is replaced, a NUL too");
	memset(longer, 'x', sizeof(longer));
	memcpy(longer + DESCRIPTION_VALUE_MAX - 1, "\xc3\xa4", 2);
	description_set_value(&text, longer, sizeof(longer));
	is_int((int64_t)strlen(text), DESCRIPTION_VALUE_MAX - 1, "a long value is cut between characters");
	description_set(&text, NULL);
	ok(!text, "and taken away");
}

static void nothing(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct description d;

	description_init(&d);
	description_add_json(&b, &d, true);
	is_str(buf_str(&b), "{\"kind\":\"other\"}", "nothing is known");
	is_int(description_parse(&d, b.data, b.len), 0, "and can be read");
	is_int(d.rows, -1, "it has no rows");
	description_release(&d);
}

static void strange(void)
{
	static const char *const broken[] = {"", "null", "[]", "{\"kind\":", "\"x\"", "{\"a\":[[[[[[[[[[1]]]]]]]]]]}"};
	static const char odd[] =
		"{\"kind\":\"spaceship\",\"format\":7,\"rows\":\"many\",\"delimiter\":\",,\",\"tables\":[1,"
		"{\"rows\":1}],\"columns\":[7,{\"name\":\"a\"},{\"name\":\"b\",\"type\":\"DATE\","
		"\"count\":-5,\"top\":[{}]}],\"facts\":{\"a\":1},\"new\":{}}";
	struct description d;

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		ok(description_parse(&d, broken[i], strlen(broken[i])) == -EBADMSG, "refused: %s", broken[i]);
		description_release(&d);
	}
	is_int(description_parse(&d, odd, sizeof(odd) - 1), 0, "what is of another type");
	ok(d.kind == DESCRIBED_OTHER && !d.format && d.rows == -1 && !d.delimiter && !d.ntables && !d.nfacts,
	   "is left out");
	ok(d.ncolumns == 1 && !strcmp(d.columns[0].type, "DATE") && !d.columns[0].count && !d.columns[0].ntop,
	   "what is right stays");
	description_release(&d);
}

int main(void)
{
	there_and_back();
	texts();
	nothing();
	strange();
	return done();
}
