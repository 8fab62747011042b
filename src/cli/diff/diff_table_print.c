#include "cli/diff/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/facts.h"
#include "cli/human.h"

#define SHOWN 80 /* bytes of one value */

struct printer {
	bool colour;
};

static void begin_line(const struct printer *p, char sign)
{
	const char *colour = sign == '+' ? "\033[32m" : sign == '-' ? "\033[31m" : sign == '~' ? "\033[36m" : "";

	if (p->colour)
		fputs(colour, stdout);
	printf("%c ", sign);
}

static void end_line(const struct printer *p)
{
	puts(p->colour ? "\033[0m" : "");
}

static void print_value(struct json_object *value)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	const char *s = json_object_get_string(value);
	size_t len = strlen(s), cut = len > SHOWN ? SHOWN : len;
	_cleanup_free_ char *part = NULL;

	while (cut < len && cut && ((unsigned char)s[cut] & 0xc0) == 0x80)
		cut--;
	part = strndup(s, cut);
	human_name(&text, part ? part : "");
	printf("%s%s", buf_str(&text), cut < len ? "..." : "");
}

static void print_name(const char *name)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	human_name(&text, name);
	fputs(buf_str(&text), stdout);
}

/* ---- columns ---- */

static void print_columns(const struct printer *p, struct json_object *columns, const char *which, char sign)
{
	struct json_object *list = json_object_object_get(columns, which);

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		begin_line(p, sign);
		fputs("column ", stdout);
		print_name(json_text(o, "name"));
		printf(" (%s) %s", json_text(o, "type"), which);
		end_line(p);
	}
}

static void print_pairs(const struct printer *p, struct json_object *columns, const char *which)
{
	struct json_object *list = json_object_object_get(columns, which);

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *name = json_text(o, "name");

		begin_line(p, '~');
		fputs("column ", stdout);
		if (name) {
			print_name(name);
			fputs(": type ", stdout);
		}
		print_name(json_text(o, "from"));
		fputs(name ? " -> " : " renamed to ", stdout);
		print_name(json_text(o, "to"));
		end_line(p);
	}
}

/* ---- rows ---- */

static int64_t number(struct json_object *o, const char *key)
{
	return json_object_get_int64(json_object_object_get(o, key));
}

static void print_summary(struct json_object *facts)
{
	struct json_object *rows = json_object_object_get(facts, "rows"), *key = json_object_object_get(facts, "key");
	size_t n = json_object_array_length(key);

	printf("rows: %lld -> %lld; ", (long long)number(rows, "before"), (long long)number(rows, "after"));
	printf("%lld added, %lld removed, %lld changed, %lld same (by ", (long long)number(rows, "added"),
	       (long long)number(rows, "removed"), (long long)number(rows, "changed"), (long long)number(rows, "same"));
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "", stdout);
		print_value(json_object_array_get_idx(key, i));
	}
	if (!n)
		fputs("whole rows", stdout);
	else if (!json_flag(facts, "key_is_unique"))
		fputs(", which is not unique", stdout);
	puts(")");
}

static void print_values(const struct printer *p, char sign, struct json_object *values)
{
	int n = 0;

	begin_line(p, sign);
	json_object_object_foreach(values, name, value)
	{
		(void)name;
		fputs(n++ ? "," : "", stdout);
		print_value(value);
	}
	end_line(p);
}

static void print_change(const struct printer *p, struct json_object *row)
{
	struct json_object *key = json_object_object_get(row, "key"), *changes = json_object_object_get(row, "changes");
	int n = 0;

	begin_line(p, '~');
	json_object_object_foreach(key, name, value)
	{
		fputs(n++ ? ", " : "", stdout);
		print_name(name);
		putchar('=');
		print_value(value);
	}
	n = 0;
	json_object_object_foreach(changes, column, both)
	{
		fputs(n++ ? ", " : ": ", stdout);
		print_name(column);
		putchar(' ');
		print_value(json_object_array_get_idx(both, 0));
		fputs(" -> ", stdout);
		print_value(json_object_array_get_idx(both, 1));
	}
	end_line(p);
}

static void print_examples(const struct printer *p, struct json_object *facts, const char *kind, char sign)
{
	struct json_object *list = json_object_object_get(json_object_object_get(facts, "examples"), kind);
	size_t n = json_object_array_length(list);
	int64_t all = number(json_object_object_get(facts, "rows"), kind);

	for (size_t i = 0; i < n; i++) {
		struct json_object *row = json_object_array_get_idx(list, i);

		if (sign == '~')
			print_change(p, row);
		else
			print_values(p, sign, json_object_object_get(row, "values"));
	}
	if (n && all > (int64_t)n)
		printf("  ... and %lld more %s\n", (long long)all - (long long)n, kind);
}

static bool rows_differ(struct json_object *facts)
{
	struct json_object *rows = json_object_object_get(facts, "rows");

	return !rows || number(rows, "added") || number(rows, "removed") || number(rows, "changed");
}

static bool columns_differ(struct json_object *columns)
{
	static const char *const lists[] = {"added", "removed", "renamed", NULL};

	for (int i = 0; lists[i]; i++) {
		if (json_object_array_length(json_object_object_get(columns, lists[i])))
			return true;
	}
	return json_flag(columns, "reordered");
}

void diff_table_print(const struct diff_side *a, const struct diff_side *b, struct json_object *facts, bool colour)
{
	struct json_object *columns = json_object_object_get(facts, "columns");
	_cleanup_buf_ struct buf from = BUF_INIT, to = BUF_INIT;
	const struct printer p = {colour};

	diff_label(&from, a);
	diff_label(&to, b);
	printf("--- %s\n+++ %s\n", buf_str(&from), buf_str(&to));
	print_columns(&p, columns, "removed", '-');
	print_columns(&p, columns, "added", '+');
	print_pairs(&p, columns, "renamed");
	print_pairs(&p, columns, "retyped");
	if (json_flag(columns, "reordered"))
		puts("~ columns are in another order");
	if (!json_object_object_get(facts, "rows")) {
		puts("no column is in both, rows were not compared");
		return;
	}
	print_summary(facts);
	print_examples(&p, facts, "removed", '-');
	print_examples(&p, facts, "added", '+');
	print_examples(&p, facts, "changed", '~');
	if (!rows_differ(facts) && !columns_differ(columns))
		puts("the rows are the same; their order, quotes or line ends differ");
}
