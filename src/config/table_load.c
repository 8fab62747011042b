/* Reading config/tables. One walk over the tree of each file fills a table; what is wrong in it is told and goes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "config/settings_load.h"
#include "config/table.h"

#define SECONDS_MOST 86400

/* One file. */
struct table_walk {
	const char *file;
	struct findings *findings;
	const char *name, *schema, *environment; /* borrowed from the tree */
	struct declared_table table;
	bool failed, out_of_memory;
};

static void say(struct table_walk *w, enum finding_level level, const struct yaml_node *n, const char *key,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));
static void say(struct table_walk *w, enum finding_level level, const struct yaml_node *n, const char *key,
		const char *fmt, ...)
{
	struct place at = {w->file, n ? n->line : 1, n ? n->col : 1};
	_cleanup_buf_ struct buf text = BUF_INIT;
	va_list ap;

	buf_add_key(&text, key);
	buf_adds(&text, ": ");
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	findings_add(w->findings, level, &at, "%s", buf_str(&text));
	w->failed |= level == FINDING_ERROR;
}

/* ---- values ---- */

static void copy_text(struct table_walk *w, const char *text, char **to)
{
	char *copy = strdup(text);

	if (!copy) {
		w->out_of_memory = true;
		return;
	}
	free(*to);
	*to = copy;
}

static const char *scalar(struct table_walk *w, const struct yaml_node *n, const char *key)
{
	if (n->kind == YAML_SCALAR)
		return n->text;
	say(w, FINDING_ERROR, n, key, "one value is expected, not %s", yaml_kind_name(n));
	return NULL;
}

static void take_text(struct table_walk *w, const struct yaml_node *n, const char *key, char **to)
{
	const char *text = yaml_is_null(n) ? NULL : scalar(w, n, key);

	if (text)
		copy_text(w, text, to);
}

static void take_flag(struct table_walk *w, const struct yaml_node *n, const char *key, bool negated, bool *to)
{
	const char *text = scalar(w, n, key);

	if (!text)
		return;
	if (!strcmp(text, "true") || !strcmp(text, "yes"))
		*to = !negated;
	else if (!strcmp(text, "false") || !strcmp(text, "no"))
		*to = negated;
	else
		say(w, FINDING_ERROR, n, key, "true or false is expected");
}

static void take_regex(struct table_walk *w, const struct yaml_node *n, char **to)
{
	const char *text = scalar(w, n, "regex");
	char why[128];
	regex_t compiled;
	int rc;

	if (!text)
		return;
	rc = regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB);
	if (rc) {
		regerror(rc, &compiled, why, sizeof(why));
		say(w, FINDING_ERROR, n, "regex", "it is none: %s", why);
		return;
	}
	regfree(&compiled);
	copy_text(w, text, to);
}

/* [MIN, MAX], or {min: , max: }; ~ stands for an open end. */
static void take_range(struct table_walk *w, const struct yaml_node *n, struct declared_column *c)
{
	if (n->kind == YAML_LIST && n->n == 2) {
		take_text(w, n->entries[0].value, "range", &c->min);
		take_text(w, n->entries[1].value, "range", &c->max);
	} else {
		say(w, FINDING_ERROR, n, "range", "a list of two values is expected: [least, greatest]");
	}
}

/* A part of a table's name: also a name in SQL, and of a folder. */
static bool is_part(const char *text, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return len && len <= TABLE_NAME_PART && text[0] != '-' && strspn(text, allowed) >= len;
}

static void take_part(struct table_walk *w, const struct yaml_node *n, const char *key, const char **to)
{
	const char *text = scalar(w, n, key);

	if (text && !is_part(text, strlen(text)))
		say(w, FINDING_ERROR, n, key, "letters, digits, - and _ are expected, at most %d", TABLE_NAME_PART);
	else if (text)
		*to = text;
}

static void take_path(struct table_walk *w, const struct yaml_node *n)
{
	const char *text = scalar(w, n, "path");
	bool good = text && text[0] != '/' && text[0] != '.' && strchr(text, '/');

	for (const char *p = text; good && *p; p += strspn(p, "/")) {
		size_t len = strcspn(p, "/");

		good = len && !(len == 1 && p[0] == '.') && !(len == 2 && p[0] == '.' && p[1] == '.') &&
		       p[len + (p[len] == '/')] != '/' && (p[len] != '/' || p[len + 1]);
		p += len;
	}
	if (good)
		copy_text(w, text, &w->table.path);
	else if (text)
		say(w, FINDING_ERROR, n, "path", "a path on the mount is expected: bucket/folder/file");
}

static void take_tags(struct table_walk *w, const struct yaml_node *n)
{
	struct declared_table *t = &w->table;
	int count = n->kind == YAML_LIST ? n->n : 1;

	t->tags = calloc((size_t)count + 1, sizeof(*t->tags));
	if (!t->tags) {
		w->out_of_memory = true;
		return;
	}
	for (int i = 0; i < count; i++) {
		take_text(w, n->kind == YAML_LIST ? n->entries[i].value : n, "tags", &t->tags[t->ntags]);
		t->ntags += t->tags[t->ntags] != NULL;
	}
}

static void take_seconds(struct table_walk *w, const struct yaml_node *n)
{
	const char *text = scalar(w, n, "timeout");
	char *end = NULL;
	long seconds = text ? strtol(text, &end, 10) : 0;

	if (text && (end == text || *end || seconds < 1 || seconds > SECONDS_MOST))
		say(w, FINDING_ERROR, n, "timeout", "seconds are expected, from 1 to %d", SECONDS_MOST);
	else if (text)
		w->table.timeout = seconds;
}

/* ---- keys ---- */

static const char *const table_keys[] = {"name",  "schema", "environment", "path",   "description",
					 "owner", "tags",   "columns",	   "source", NULL};
static const char *const source_keys[] = {"command", "timeout", NULL};
static const char *const column_keys[] = {"name", "description", "type",  "nullable",	 "unique", "min",
					  "max",  "range",	 "regex", "foreign_key", "checks", NULL};

static void say_unknown(struct table_walk *w, const struct yaml_node *key, const char *const *known)
{
	_cleanup_buf_ struct buf hint = BUF_INIT;

	settings_suggest_among(&hint, known, key->text);
	say(w, FINDING_WARNING, key, key->text, "unknown key%s", buf_str(&hint));
}

static bool is_key(const struct yaml_entry *e, const char *key)
{
	return !strcmp(e->key->text, key);
}

static void take_column_key(struct table_walk *w, const struct yaml_entry *e, struct declared_column *c);

static void take_column_keys(struct table_walk *w, const struct yaml_node *map, struct declared_column *c)
{
	if (map->kind != YAML_MAP) {
		say(w, FINDING_ERROR, map, "columns", "keys and values are expected, not %s", yaml_kind_name(map));
		return;
	}
	for (int i = 0; i < map->n; i++)
		take_column_key(w, &map->entries[i], c);
}

/* TABLE.COLUMN: the table's name becomes a full one when that of this table is known. */
static void take_foreign_key(struct table_walk *w, const struct yaml_node *n, struct declared_column *c)
{
	const char *text = scalar(w, n, "foreign_key"), *dot = text ? strrchr(text, '.') : NULL;
	size_t at = 0;

	while (dot && at < (size_t)(dot - text) && is_part(text + at, strcspn(text + at, ".")))
		at += strcspn(text + at, ".") + 1;
	if (text && (!dot || dot == text || !dot[1] || at != (size_t)(dot - text) + 1)) {
		say(w, FINDING_ERROR, n, "foreign_key", "the column of a table is expected: customers.customer_id");
	} else if (text) {
		copy_text(w, text, &c->key_table);
		copy_text(w, dot + 1, &c->key_column);
		if (c->key_table)
			c->key_table[dot - text] = '\0';
	}
}

static void take_column_key(struct table_walk *w, const struct yaml_entry *e, struct declared_column *c)
{
	const struct yaml_node *n = e->value;

	if (is_key(e, "name"))
		take_text(w, n, "name", &c->name);
	else if (is_key(e, "description"))
		take_text(w, n, "description", &c->description);
	else if (is_key(e, "type"))
		take_text(w, n, "type", &c->type);
	else if (is_key(e, "nullable"))
		take_flag(w, n, "nullable", true, &c->not_null);
	else if (is_key(e, "unique"))
		take_flag(w, n, "unique", false, &c->unique);
	else if (is_key(e, "min"))
		take_text(w, n, "min", &c->min);
	else if (is_key(e, "max"))
		take_text(w, n, "max", &c->max);
	else if (is_key(e, "range"))
		take_range(w, n, c);
	else if (is_key(e, "regex"))
		take_regex(w, n, &c->regex);
	else if (is_key(e, "foreign_key"))
		take_foreign_key(w, n, c);
	else if (is_key(e, "checks"))
		take_column_keys(w, n, c);
	else
		say_unknown(w, e->key, column_keys);
}

static void take_columns(struct table_walk *w, const struct yaml_node *n)
{
	struct declared_table *t = &w->table;

	if (n->kind != YAML_LIST || n->n > TABLE_COLUMNS_MOST) {
		say(w, FINDING_ERROR, n, "columns", "a list of columns is expected, at most %d", TABLE_COLUMNS_MOST);
		return;
	}
	t->columns = calloc((size_t)n->n + 1, sizeof(*t->columns));
	w->out_of_memory |= !t->columns;
	for (int i = 0; t->columns && i < n->n; i++) {
		struct declared_column *c = &t->columns[t->ncolumns++];

		take_column_keys(w, n->entries[i].value, c);
		if (!c->name)
			say(w, FINDING_ERROR, n->entries[i].value, "columns", "this column has no name");
		for (size_t k = 0; c->name && k + 1 < t->ncolumns; k++)
			if (t->columns[k].name && !strcmp(t->columns[k].name, c->name))
				say(w, FINDING_ERROR, n->entries[i].value, c->name, "this column stands here twice");
	}
}

static void take_source(struct table_walk *w, const struct yaml_node *n)
{
	if (n->kind != YAML_MAP) {
		say(w, FINDING_ERROR, n, "source", "{command: …} is expected, not %s", yaml_kind_name(n));
		return;
	}
	for (int i = 0; i < n->n; i++) {
		const struct yaml_entry *e = &n->entries[i];

		if (is_key(e, "command"))
			take_text(w, e->value, "command", &w->table.command);
		else if (is_key(e, "timeout"))
			take_seconds(w, e->value);
		else
			say_unknown(w, e->key, source_keys);
	}
}

static void take_table_key(struct table_walk *w, const struct yaml_entry *e)
{
	const struct yaml_node *n = e->value;

	if (is_key(e, "name"))
		take_part(w, n, "name", &w->name);
	else if (is_key(e, "schema"))
		take_part(w, n, "schema", &w->schema);
	else if (is_key(e, "environment"))
		take_part(w, n, "environment", &w->environment);
	else if (is_key(e, "path"))
		take_path(w, n);
	else if (is_key(e, "description"))
		take_text(w, n, "description", &w->table.description);
	else if (is_key(e, "owner"))
		take_text(w, n, "owner", &w->table.owner);
	else if (is_key(e, "tags"))
		take_tags(w, n);
	else if (is_key(e, "columns"))
		take_columns(w, n);
	else if (is_key(e, "source"))
		take_source(w, n);
	else
		say_unknown(w, e->key, table_keys);
}

/* ---- what the keys are together ---- */

static int dots(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == '.';
	return n;
}

static void qualify(struct table_walk *w, char **name)
{
	_cleanup_buf_ struct buf full = BUF_INIT;

	if (dots(*name) < 2)
		buf_addf(&full, "%s.", w->environment);
	if (dots(*name) < 1)
		buf_addf(&full, "%s.", w->schema);
	buf_adds(&full, *name);
	if (buf_error(&full))
		w->out_of_memory = true;
	else
		copy_text(w, buf_str(&full), name);
}

static void complete(struct table_walk *w, const struct yaml_node *root)
{
	struct declared_table *t = &w->table;

	if (!w->name)
		say(w, FINDING_ERROR, root, "name", "the table has no name");
	if (!t->path)
		say(w, FINDING_ERROR, root, "path", "it is not said which file the table is");
	if (w->failed || w->out_of_memory)
		return;
	copy_text(w, w->name, &t->name);
	if (t->name)
		qualify(w, &t->name);
	for (size_t i = 0; i < t->ncolumns && !w->out_of_memory; i++)
		if (t->columns[i].key_table)
			qualify(w, &t->columns[i].key_table);
}

static void walk(struct table_walk *w, const struct yaml_node *root)
{
	if (!root || root->kind != YAML_MAP) {
		say(w, FINDING_ERROR, root, "table", "keys and values are expected, not %s",
		    root ? yaml_kind_name(root) : "nothing");
		return;
	}
	for (int i = 0; i < root->n; i++)
		take_table_key(w, &root->entries[i]);
	complete(w, root);
}

static void table_release(struct declared_table *t)
{
	for (size_t i = 0; i < t->ncolumns; i++) {
		struct declared_column *c = &t->columns[i];

		free(c->name);
		free(c->description);
		free(c->type);
		free(c->min);
		free(c->max);
		free(c->regex);
		free(c->key_table);
		free(c->key_column);
	}
	for (size_t i = 0; i < t->ntags; i++)
		free(t->tags[i]);
	free(t->columns);
	free(t->tags);
	free(t->name);
	free(t->path);
	free(t->command);
	free(t->description);
	free(t->owner);
	free(t->file);
	*t = (struct declared_table){0};
}

/* ---- files ---- */

static int read_table(const char *folder, const char *name, struct declared_table *out, struct findings *findings)
{
	_cleanup_buf_ struct buf file = BUF_INIT, text = BUF_INIT;
	_cleanup_yaml_ struct yaml_tree tree = {0};
	struct table_walk w = {.findings = findings,
			       .schema = "public",
			       .environment = "production",
			       .table = {.timeout = TABLE_TIMEOUT}};
	int first = findings->n, rc;

	buf_addf(&file, "%s/%s", folder, name);
	if (buf_error(&file))
		return -ENOMEM;
	w.file = buf_str(&file);
	rc = settings_read_file(w.file, &text, findings);
	if (!rc)
		rc = yaml_tree_parse(&tree, buf_str(&text), text.len, w.file, findings);
	if (!rc) {
		walk(&w, tree.root);
		copy_text(&w, name, &w.table.file);
		findings_sort(findings, first);
		rc = w.out_of_memory ? -ENOMEM : w.failed ? -EINVAL : 0;
	}
	if (rc)
		table_release(&w.table);
	*out = w.table;
	return rc;
}

static int is_table_file(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return d->d_name[0] != '.' && dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"));
}

static bool is_double(const struct declared_tables *t, const struct declared_table *new, const char *folder,
		      struct findings *findings)
{
	_cleanup_buf_ struct buf file = BUF_INIT;
	struct place at;

	for (size_t i = 0; i < t->n; i++) {
		bool path = !strcmp(t->list[i].path, new->path);

		if (!path && strcmp(t->list[i].name, new->name))
			continue;
		buf_addf(&file, "%s/%s", folder, new->file);
		at = (struct place){buf_str(&file), 1, 1};
		findings_add(findings, FINDING_ERROR, &at, "%s: %s declares that, too", path ? new->path : new->name,
			     t->list[i].file);
		return true;
	}
	return false;
}

static int read_tables(const char *folder, struct dirent **names, int n, struct declared_tables *t,
		       struct findings *findings)
{
	int rc = 0;

	t->list = calloc((size_t)n + 1, sizeof(*t->list));
	if (!t->list)
		return -ENOMEM;
	for (int i = 0; i < n && rc != -ENOMEM; i++) {
		struct declared_table *new = &t->list[t->n];

		rc = read_table(folder, names[i]->d_name, new, findings);
		if (!rc && is_double(t, new, folder, findings)) {
			table_release(new);
			rc = -EINVAL;
		}
		t->n += !rc;
		t->broken += rc != 0;
	}
	return rc == -ENOMEM ? rc : 0;
}

int tables_load(const char *lake, struct declared_tables **out, struct findings *findings)
{
	_cleanup_buf_ struct buf folder = BUF_INIT;
	struct dirent **names = NULL;
	struct place at;
	int n, rc;

	*out = calloc(1, sizeof(**out));
	buf_addf(&folder, "%s/config/tables", lake);
	if (!*out || buf_error(&folder))
		return -ENOMEM;
	(*out)->refs = 1;
	at = (struct place){buf_str(&folder), 0, 0};
	n = scandir(buf_str(&folder), &names, is_table_file, alphasort);
	if (n < 0 && errno != ENOENT)
		findings_add(findings, FINDING_ERROR, &at, "%s", strerror(errno));
	if (n > TABLES_MOST)
		findings_add(findings, FINDING_ERROR, &at, "only the first %d tables are read", TABLES_MOST);
	rc = n > 0 ? read_tables(buf_str(&folder), names, n < TABLES_MOST ? n : TABLES_MOST, *out, findings) : 0;
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	if (rc)
		tables_unref(steal_ptr(out));
	return rc;
}

struct declared_tables *tables_ref(struct declared_tables *t)
{
	if (t)
		atomic_fetch_add(&t->refs, 1);
	return t;
}

void tables_unref(struct declared_tables *t)
{
	if (!t || atomic_fetch_sub(&t->refs, 1) > 1)
		return;
	for (size_t i = 0; i < t->n; i++)
		table_release(&t->list[i]);
	free(t->list);
	free(t);
}

const struct declared_table *tables_named(const struct declared_tables *t, const char *name)
{
	const struct declared_table *found = NULL;
	size_t len = strlen(name), many = 0;

	for (size_t i = 0; t && i < t->n; i++) {
		const char *full = t->list[i].name;
		size_t all = strlen(full);

		if (!strcmp(full, name))
			return &t->list[i];
		if (all > len && full[all - len - 1] == '.' && !strcmp(full + all - len, name)) {
			found = &t->list[i];
			many++;
		}
	}
	return many == 1 ? found : NULL;
}

const struct declared_table *tables_at(const struct declared_tables *t, const char *path)
{
	for (size_t i = 0; t && i < t->n; i++)
		if (!strcmp(t->list[i].path, path))
			return &t->list[i];
	return NULL;
}

bool table_has_checks(const struct declared_table *t)
{
	for (size_t i = 0; i < t->ncolumns; i++) {
		const struct declared_column *c = &t->columns[i];

		if (c->type || c->not_null || c->unique || c->min || c->max || c->regex || c->key_table)
			return true;
	}
	return false;
}
