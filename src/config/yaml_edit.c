/*
 * A block map has an entry per line:            A flow map has them between commas:
 *
 *	raw-data:                                     {tier: cloud, retention_days: 30}
 *	  tier: cloud    # comment
 *	  retention_days: 30
 *
 * What is added to a block becomes a line of its own behind the last entry's line, with the indentation of the first
 * entry; what is added to a flow map goes behind its last value. All else stays, byte by byte. Whether the outcome is
 * still YAML and says what was wanted is for the caller to see by reading it again: there are more ways to write YAML
 * than are handled here.
 */
#include "config/yaml_edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void yaml_edits_init(struct yaml_edits *e, const struct buf *old)
{
	const char *newline = memchr(buf_str(old), '\n', old->len);

	*e = (struct yaml_edits){.old = old};
	e->eol = newline && newline > old->data && newline[-1] == '\r' ? "\r\n" : "\n";
}

void yaml_edits_release(struct yaml_edits *e)
{
	for (int i = 0; i < e->n; i++)
		free(e->list[i].text);
	free(e->list);
	e->list = NULL;
	e->n = 0;
}

static void fail(struct yaml_edits *e, int error)
{
	if (!e->error)
		e->error = error;
}

/* Takes the bytes of TEXT. */
static void add_edit(struct yaml_edits *e, size_t start, size_t end, struct buf *text)
{
	char *bytes = buf_detach(text);
	struct yaml_edit *list = bytes ? realloc(e->list, (size_t)(e->n + 1) * sizeof(*list)) : NULL;

	if (!list) {
		free(bytes);
		fail(e, -ENOMEM);
		return;
	}
	e->list = list;
	list[e->n++] = (struct yaml_edit){start, end, bytes};
}

static int compare_edits(const void *a, const void *b)
{
	const struct yaml_edit *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

int yaml_edits_apply(struct yaml_edits *e, struct buf *out)
{
	size_t at = 0;

	if (e->error)
		return e->error;
	if (e->n)
		qsort(e->list, (size_t)e->n, sizeof(*e->list), compare_edits);
	for (int i = 0; i < e->n; i++) {
		if (e->list[i].start < at)
			return -EINVAL;
		buf_add(out, e->old->data + at, e->list[i].start - at);
		buf_adds(out, e->list[i].text);
		at = e->list[i].end;
	}
	buf_add(out, buf_str(e->old) + at, e->old->len - at);
	return buf_error(out);
}

/* Words and numbers that YAML 1.1 does not take for text. */
static bool looks_typed(const char *value)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(value, words[i]) == 0)
			return true;
	}
	return strspn(value, "0123456789+-.:_eExXabcdefABCDEF") == strlen(value) && strpbrk(value, "0123456789.");
}

static bool is_plain(const char *value)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/";

	if (!value[0] || (!strchr(letters, value[0]) && !(value[0] == '-' && value[1] >= '0' && value[1] <= '9')))
		return false;
	for (const char *p = value; *p; p++) {
		if (!strchr(letters, *p) && !strchr(".+-", *p) && !(*p == ' ' && p[1] && p[1] != ' '))
			return false;
	}
	return true;
}

static bool has_control(const char *value)
{
	for (; *value; value++) {
		if ((unsigned char)*value < 0x20 || *value == 0x7f)
			return true;
	}
	return false;
}

static void add_double_quoted(struct buf *out, const char *value)
{
	buf_addc(out, '"');
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_addf(out, "\\%c", *value);
		else if ((unsigned char)*value < 0x20 || *value == 0x7f)
			buf_addf(out, "\\x%02x", (unsigned char)*value);
		else
			buf_addc(out, *value);
	}
	buf_addc(out, '"');
}

void yaml_add_scalar(struct buf *out, const char *value, bool as_text)
{
	if (is_plain(value) && !(as_text && looks_typed(value)) && strcasecmp(value, "null") != 0) {
		buf_adds(out, value);
		return;
	}
	if (has_control(value)) {
		add_double_quoted(out, value);
		return;
	}
	buf_addc(out, '\'');
	for (; *value; value++) {
		if (*value == '\'')
			buf_addc(out, '\'');
		buf_addc(out, *value);
	}
	buf_addc(out, '\'');
}

static size_t line_start(const struct yaml_edits *e, size_t at)
{
	while (at && e->old->data[at - 1] != '\n')
		at--;
	return at;
}

/* Where the line ends that AT is in: its \r\n or \n, or the end of the text. */
static size_t line_end(const struct yaml_edits *e, size_t at)
{
	while (at < e->old->len && e->old->data[at] != '\n')
		at++;
	if (at && at < e->old->len && e->old->data[at - 1] == '\r')
		at--;
	return at;
}

static size_t next_line(const struct yaml_edits *e, size_t at)
{
	at = line_end(e, at);
	at += at < e->old->len && e->old->data[at] == '\r';
	return at + (at < e->old->len);
}

/* How many blanks stand before AT in its line; -1 when something else does. */
static int indentation(const struct yaml_edits *e, size_t at)
{
	size_t start = line_start(e, at);

	for (size_t i = start; i < at; i++) {
		if (e->old->data[i] != ' ')
			return -1;
	}
	return (int)(at - start);
}

static bool is_own(const struct yaml_entry *entry)
{
	return !entry->key->aliased;
}

static const struct yaml_entry *last_own(const struct yaml_node *map)
{
	for (int i = map->n; i > 0; i--) {
		if (is_own(&map->entries[i - 1]))
			return &map->entries[i - 1];
	}
	return NULL;
}

static void add_flow(struct buf *out, const char *const *path, int n, const char *scalar)
{
	for (int i = 0; i < n; i++) {
		yaml_add_scalar(out, path[i], true);
		buf_adds(out, i < n - 1 ? ": {" : ": ");
	}
	buf_adds(out, scalar);
	for (int i = 1; i < n; i++)
		buf_addc(out, '}');
}

static void add_block(const struct yaml_edits *e, struct buf *out, int indent, const char *const *path, int n,
		      const char *scalar)
{
	for (int i = 0; i < n; i++) {
		buf_addf(out, "%s%*s", e->eol, indent + 2 * i, "");
		yaml_add_scalar(out, path[i], true);
		buf_addc(out, ':');
	}
	buf_addf(out, " %s", scalar);
}

void yaml_edit_insert(struct yaml_edits *e, const struct yaml_node *map, const char *const *path, int n,
		      const char *scalar)
{
	const struct yaml_entry *last = last_own(map);
	_cleanup_buf_ struct buf text = BUF_INIT;
	size_t at;
	int indent;

	if (map->aliased || map->shared || (!last && !map->flow)) {
		fail(e, -EINVAL);
		return;
	}
	if (map->flow) {
		buf_adds(&text, last ? ", " : "");
		add_flow(&text, path, n, scalar);
		at = last ? last->value->end : map->end - 1;
	} else {
		indent = indentation(e, map->entries[0].key->start);
		if (indent < 0)
			fail(e, -EINVAL);
		add_block(e, &text, indent, path, n, scalar);
		at = line_end(e, last->value->end);
	}
	add_edit(e, at, at, &text);
}

void yaml_edit_insert_below(struct yaml_edits *e, const struct yaml_node *map, const struct yaml_entry *parent,
			    const char *const *path, int n, const char *scalar)
{
	const struct yaml_node *value = parent->value;
	_cleanup_buf_ struct buf text = BUF_INIT;
	int indent = indentation(e, parent->key->start);
	size_t at;

	if (parent->key->aliased || value->aliased || value->shared)
		fail(e, -EINVAL);
	if (map->flow || value->start < value->end || indent < 0) {
		buf_adds(&text, value->start < value->end ? "{" : " {");
		add_flow(&text, path, n, scalar);
		buf_addc(&text, '}');
		add_edit(e, value->start, value->end, &text);
	} else {
		add_block(e, &text, indent + 2, path, n, scalar);
		at = line_end(e, value->end);
		add_edit(e, at, at, &text);
	}
}

void yaml_edit_replace(struct yaml_edits *e, const struct yaml_entry *entry, const char *scalar)
{
	const struct yaml_node *value = entry->value;
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (entry->key->aliased || value->aliased || value->shared)
		fail(e, -EINVAL);
	/* A list or map in block style may begin on a later line, where a scalar would need other indentation. */
	if (value->kind != YAML_SCALAR && !value->flow) {
		buf_addf(&text, ": %s", scalar);
		add_edit(e, entry->key->end, value->end, &text);
	} else {
		buf_addf(&text, "%s%s", value->start == value->end ? " " : "", scalar);
		add_edit(e, value->start, value->end, &text);
	}
}

void yaml_edit_rename(struct yaml_edits *e, const struct yaml_entry *entry, const char *key)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (entry->key->aliased)
		fail(e, -EINVAL);
	yaml_add_scalar(&text, key, true);
	add_edit(e, entry->key->start, entry->key->end, &text);
}

/* Comments behind the entry that are indented deeper than its key are about it. */
static size_t skip_comments(const struct yaml_edits *e, size_t at, int indent)
{
	while (at < e->old->len) {
		size_t blanks = strspn(e->old->data + at, " ");

		if (e->old->data[at + blanks] != '#' || (int)blanks <= indent)
			break;
		at = next_line(e, at);
	}
	return at;
}

static void remove_lines(struct yaml_edits *e, const struct yaml_entry *entry)
{
	_cleanup_buf_ struct buf nothing = BUF_INIT;
	int indent = indentation(e, entry->key->start);
	size_t end = next_line(e, entry->value->end);

	if (indent < 0) {
		fail(e, -EINVAL);
		return;
	}
	add_edit(e, line_start(e, entry->key->start), skip_comments(e, end, indent), &nothing);
}

void yaml_edit_remove(struct yaml_edits *e, const struct yaml_node *map, const struct yaml_entry *entry)
{
	const struct yaml_entry *before = NULL, *after = NULL;
	_cleanup_buf_ struct buf nothing = BUF_INIT;

	if (map->aliased || !is_own(entry)) {
		fail(e, -EINVAL);
		return;
	}
	if (!map->flow) {
		remove_lines(e, entry);
		return;
	}
	for (const struct yaml_entry *i = map->entries; i < map->entries + map->n; i++) {
		if (is_own(i) && i < entry)
			before = i;
		if (is_own(i) && i > entry && !after)
			after = i;
	}
	if (after)
		add_edit(e, entry->key->start, after->key->start, &nothing);
	else
		add_edit(e, before ? before->value->end : entry->key->start, entry->value->end, &nothing);
}
