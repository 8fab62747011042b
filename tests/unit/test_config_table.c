/* Declared tables: what is understood, what is said of what is wrong, and that one bad file leaves the others. */
#include "config/table.h"

#include "base/cleanup.h"
#include "test_config.h"

static struct declared_tables *tables;
static struct findings found;

static void put(const char *name, const char *text)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/config/tables", lake);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/config/tables/%s", lake, name);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		exit(1);
}

static void drop(const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/config/tables/%s", lake, name);
	unlink(path);
}

static void remove_folder(void)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/config/tables", lake);
	rmdir(path);
}

static void load(void)
{
	tables_unref(tables);
	findings_release(&found);
	ok(!tables_load(lake, &tables, &found), "tables are loaded");
}

static void says(const char *text, const char *what)
{
	for (int i = 0; i < found.n; i++)
		if (strstr(found.list[i].text, text)) {
			ok(1, "%s", what);
			return;
		}
	ok(0, "%s: %s", what, found.n ? found.list[0].text : "nothing is said");
}

static void test_whole_table(void)
{
	const struct declared_table *t;

	put("a.yaml",
	    "name: orders\nschema: shop\npath: raw/orders.csv\ndescription: all of them\nowner: Ann\n"
	    "tags: [core, pii]\nsource: {command: 'echo 1', timeout: 5}\ncolumns:\n"
	    "  - name: id\n    type: BIGINT\n    nullable: false\n    unique: true\n    range: [1, 9]\n"
	    "  - {name: who, checks: {regex: '^a+$', foreign_key: people.id}}\n"
	    "  - {name: other, foreign_key: x.y.people.id, min: 3}\n");
	load();
	is_int(found.n, 0, "nothing is wrong with it");
	t = tables_named(tables, "production.shop.orders");
	ok(t != NULL, "its name is whole");
	if (!t)
		return;
	ok(t == tables_named(tables, "orders") && t == tables_named(tables, "shop.orders"), "its end is enough");
	ok(!tables_named(tables, "rders") && t == tables_at(tables, "raw/orders.csv"), "a part is not; its path is");
	is_str(t->owner, "Ann", "owner");
	is_int((long)t->ntags, 2, "tags");
	is_str(t->command, "echo 1", "command");
	is_int((long)t->timeout, 5, "timeout");
	is_int((long)t->ncolumns, 3, "columns");
	ok(t->columns[0].not_null && t->columns[0].unique, "not null, unique");
	is_str(t->columns[0].max, "9", "range");
	is_str(t->columns[1].regex, "^a+$", "rules may stand in `checks`");
	is_str(t->columns[1].key_table, "production.shop.people", "a foreign key's table is named in full");
	is_str(t->columns[2].key_table, "x.y.people", "as it is said");
	ok(table_has_checks(t), "it has rules");
}

static void one(const char *text, const char *wanted)
{
	put("b.yaml", text);
	load();
	says(wanted, wanted);
	is_int((long)tables->n, 1, "the other table is there");
	is_int((long)tables->broken, 1, "this one is not");
}

static void test_wrong(void)
{
	one("name: b\n", "b.yaml:1:1: path: it is not said which file the table is");
	one("path: a/b\n", "b.yaml:1:1: name: the table has no name");
	one("name: b\npath: /etc/passwd\n", "b.yaml:2:7: path: a path on the mount is expected");
	one("name: b\npath: a/../b\n", "path: a path on the mount is expected");
	one("name: b\npath: a//b\n", "path: a path on the mount is expected");
	one("name: a.b\npath: a/b\n", "name: letters, digits, - and _ are expected");
	one("name: b\npath: a/b\ncolumns: [{name: x, regex: '('}]\n", "b.yaml:3:28: regex: it is none");
	one("name: b\npath: a/b\ncolumns: [{name: x}, {name: x}]\n", "x: this column stands here twice");
	one("name: b\npath: a/b\ncolumns: [{type: x}]\n", "columns: this column has no name");
	one("name: b\npath: a/b\ncolumns: [{name: x, range: 5}]\n", "range: a list of two values is expected");
	one("name: b\npath: a/b\ncolumns: [{name: x, foreign_key: people}]\n", "foreign_key: the column of a table");
	one("name: b\npath: a/b\ncolumns: [{name: x, unique: 3}]\n", "unique: true or false is expected");
	one("name: b\npath: a/b\nsource: {command: x, timeout: -1}\n", "timeout: seconds are expected");
	one("name: b\npath: raw/orders.csv\n", "raw/orders.csv: a.yaml declares that, too");
	one("[1, 2]\n", "table: keys and values are expected");
	one("name: [\n", "b.yaml:");
	one("", "table: keys and values are expected");
	drop("b.yaml");
	put("c.yaml", "name: c\npath: a/c\nowners: x\ncolumns: [{name: x, typ: y}]\n");
	load();
	says("c.yaml:3:1: owners: unknown key, did you mean owner?", "an unknown key is told, with the nearest");
	says("typ: unknown key, did you mean type?", "in a column, too");
	is_int((long)tables->n, 2, "and is no error");
	drop("c.yaml");
}

int main(void)
{
	if (!lake_make())
		return 1;
	load();
	is_int((long)tables->n, 0, "a lake without such a folder has no tables");
	test_whole_table();
	test_wrong();
	drop("a.yaml");
	remove_folder();
	tables_unref(tables);
	findings_release(&found);
	lake_remove();
	return done();
}
