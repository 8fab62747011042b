/*
 * From libyaml's events to nodes.
 *
 * libyaml counts in characters, edits need bytes: `struct cursor` walks the text from one mark to the next, either way,
 * so the whole file is walked about once. Where a block ends is not where libyaml says (that is the next token, after
 * blank lines and comments), so a block's end is the end of its last leaf.
 */
#include "config/yaml_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/cleanup.h"
#include "base/utf8.h"

#define DEPTH_MAX 32
#define NODES_MAX 50000

struct anchor {
	char *name;
	struct yaml_node *node; /* NULL while it is being read */
	struct anchor *next;
};

struct cursor {
	size_t chars, bytes;
};

struct reader {
	struct yaml_tree *tree;
	yaml_parser_t parser;
	const char *text;
	size_t len;
	struct cursor cursor;
	struct anchor *anchors;
	const char *file;
	struct findings *findings;
};

static int read_node(struct reader *r, yaml_event_t *event, int depth, struct yaml_node **out);

static void cleanup_event(yaml_event_t *event)
{
	yaml_event_delete(event);
}

static size_t byte_offset(struct reader *r, size_t index)
{
	struct cursor *c = &r->cursor;

	while (c->chars < index && c->bytes < r->len) {
		c->bytes += utf8_length(r->text + c->bytes, r->len - c->bytes);
		c->chars++;
	}
	while (c->chars > index) {
		do
			c->bytes--;
		while (((unsigned char)r->text[c->bytes] & 0xc0) == 0x80);
		c->chars--;
	}
	return c->bytes;
}

static int refuse(struct reader *r, const yaml_mark_t *mark, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct reader *r, const yaml_mark_t *mark, const char *fmt, ...)
{
	struct place at = {r->file, (unsigned)mark->line + 1, (unsigned)mark->column + 1};
	_cleanup_buf_ struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	findings_add(r->findings, FINDING_ERROR, &at, "%s", buf_str(&text));
	return -EINVAL;
}

/* libyaml's words say what its scanner did; the two most frequent slips get words of their own. */
static int refuse_syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "unknown problem";
	size_t at = byte_offset(r, p->problem_mark.index);
	char c = at < r->len ? r->text[at] : '\0';

	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (strstr(problem, "cannot start any token") && c == '\t')
		return refuse(r, &p->problem_mark, "a tab stands where YAML wants spaces");
	if (strstr(problem, "cannot start any token"))
		return refuse(r, &p->problem_mark, "a value cannot begin with \"%c\", put it in quotes", c);
	if (strstr(problem, "mapping values are not allowed"))
		return refuse(r, &p->problem_mark, "not YAML: %s (wrong indentation, or a colon that needs quotes)",
			      problem);
	if (p->context && p->context_mark.line != p->problem_mark.line)
		return refuse(r, &p->problem_mark, "not YAML: %s (%s that begins in line %zu)", problem, p->context,
			      p->context_mark.line + 1);
	if (p->context)
		return refuse(r, &p->problem_mark, "not YAML: %s (%s)", problem, p->context);
	return refuse(r, &p->problem_mark, "not YAML: %s", problem);
}

static int next_event(struct reader *r, yaml_event_t *event)
{
	return yaml_parser_parse(&r->parser, event) ? 0 : refuse_syntax(r);
}

static int new_node(struct reader *r, enum yaml_kind kind, const yaml_event_t *event, struct yaml_node **out)
{
	struct yaml_node *n;

	if (r->tree->count >= NODES_MAX)
		return refuse(r, &event->start_mark, "more than %d values, aliases counted as often as used",
			      NODES_MAX);
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->kind = kind;
	n->line = (unsigned)event->start_mark.line + 1;
	n->col = (unsigned)event->start_mark.column + 1;
	n->start = byte_offset(r, event->start_mark.index);
	n->end = n->start;
	n->next_owned = r->tree->owned;
	r->tree->owned = n;
	r->tree->count++;
	*out = n;
	return 0;
}

static int remember_anchor(struct reader *r, const yaml_char_t *name, struct anchor **out)
{
	struct anchor *a;

	*out = NULL;
	if (!name)
		return 0;
	a = calloc(1, sizeof(*a));
	if (a)
		a->name = strdup((const char *)name);
	if (!a || !a->name) {
		free(a);
		return -ENOMEM;
	}
	a->next = r->anchors;
	r->anchors = a;
	*out = a;
	return 0;
}

static int copy_node(struct reader *r, const yaml_event_t *event, const struct yaml_node *from, struct yaml_node **out)
{
	struct yaml_node *n;
	int ret = new_node(r, from->kind, event, &n);

	if (ret < 0)
		return ret;
	n->line = from->line;
	n->col = from->col;
	n->plain = from->plain;
	n->flow = from->flow;
	n->aliased = true;
	n->len = from->len;
	if (from->text) {
		n->text = strdup(from->text);
		if (!n->text)
			return -ENOMEM;
	}
	for (int i = 0; i < from->n && ret == 0; i++) {
		struct yaml_node *key = NULL, *value;

		if (from->entries[i].key)
			ret = copy_node(r, event, from->entries[i].key, &key);
		if (ret == 0)
			ret = copy_node(r, event, from->entries[i].value, &value);
		if (ret == 0)
			ret = yaml_add_entry(n, key, value);
	}
	*out = n;
	return ret;
}

static int read_alias(struct reader *r, const yaml_event_t *event, struct yaml_node **out)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct anchor *a;
	int ret;

	for (a = r->anchors; a; a = a->next) {
		if (strcmp(a->name, name) == 0)
			break;
	}
	if (!a)
		return refuse(r, &event->start_mark, "*%.60s names no anchor above", name);
	if (!a->node)
		return refuse(r, &event->start_mark, "*%.60s stands within what it names", name);
	a->node->shared = true;
	ret = copy_node(r, event, a->node, out);
	if (ret == 0)
		(*out)->end = byte_offset(r, event->end_mark.index);
	return ret;
}

static int read_scalar(struct reader *r, const yaml_event_t *event, struct yaml_node **out)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct yaml_node *n;
	int ret = new_node(r, YAML_SCALAR, event, &n);

	if (ret < 0)
		return ret;
	if (memchr(value, '\0', len))
		return refuse(r, &event->start_mark, "a NUL byte cannot be part of a value");
	n->text = strndup(value, len);
	if (!n->text)
		return -ENOMEM;
	n->len = len;
	n->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	n->end = byte_offset(r, event->end_mark.index);
	/* A block scalar (| or >) is said to end after its line ends. */
	while (n->end > n->start && strchr(" \r\n", r->text[n->end - 1]))
		n->end--;
	*out = n;
	return 0;
}

/* `<<: *other` or a list of such: what the map does not have itself. */
static int merge_entries(struct yaml_node *map, const struct yaml_node *from)
{
	int ret = 0;

	for (int i = 0; from->kind == YAML_LIST && i < from->n && ret == 0; i++)
		ret = merge_entries(map, from->entries[i].value);
	for (int i = 0; from->kind == YAML_MAP && i < from->n && ret == 0; i++) {
		struct yaml_entry e = from->entries[i];

		if (!yaml_get(map, e.key->text)) {
			e.key->aliased = e.value->aliased = true;
			ret = yaml_add_entry(map, e.key, e.value);
		}
	}
	return ret;
}

static int resolve_merge_keys(struct yaml_node *map)
{
	int own = map->n, kept = 0, ret = 0;
	struct yaml_node *sources[8];
	int nsources = 0;

	for (int i = 0; i < own; i++) {
		const struct yaml_entry *e = &map->entries[i];

		if (strcmp(e->key->text, "<<") == 0 && e->key->plain && e->value->kind != YAML_SCALAR && nsources < 8)
			sources[nsources++] = e->value;
		else
			map->entries[kept++] = *e;
	}
	map->n = kept;
	for (int i = 0; i < nsources && ret == 0; i++)
		ret = merge_entries(map, sources[i]);
	return ret;
}

static int read_key(struct reader *r, yaml_event_t *event, int depth, struct yaml_node *map, struct yaml_node **out)
{
	_cleanup_buf_ struct buf shown = BUF_INIT;
	const struct yaml_entry *other;
	int ret = read_node(r, event, depth, out);

	if (ret < 0)
		return ret;
	if ((*out)->kind != YAML_SCALAR)
		return refuse(r, &event->start_mark, "a key must be a word, not %s", yaml_kind_name(*out));
	other = yaml_get_entry(map, (*out)->text);
	if (!other)
		return 0;
	buf_add_shown(&shown, (*out)->text, (*out)->len);
	return refuse(r, &event->start_mark, "the key %s stands here twice, first in line %u", buf_str(&shown),
		      other->key->line);
}

static bool ends_with(const struct yaml_node *n, const yaml_event_t *event)
{
	return event->type == (n->kind == YAML_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT);
}

/* Reads what stands in the list or map N, which has begun, and its end. */
static int read_entries(struct reader *r, struct yaml_node *n, int depth)
{
	for (;;) {
		_cleanup_(cleanup_event) yaml_event_t event = {0}, second = {0};
		struct yaml_node *key = NULL, *value;
		yaml_event_t *first = &event;
		int ret = next_event(r, &event);

		if (ret == 0 && ends_with(n, &event)) {
			if (n->flow)
				n->end = byte_offset(r, event.end_mark.index);
			return n->kind == YAML_MAP ? resolve_merge_keys(n) : 0;
		}
		if (ret == 0 && n->kind == YAML_MAP) {
			ret = read_key(r, &event, depth, n, &key);
			if (ret == 0)
				ret = next_event(r, &second);
			first = &second;
		}
		if (ret == 0)
			ret = read_node(r, first, depth, &value);
		if (ret == 0)
			ret = yaml_add_entry(n, key, value);
		if (ret < 0)
			return ret;
		if (!n->flow)
			n->end = value->end;
	}
}

static int read_collection(struct reader *r, const yaml_event_t *event, int depth, struct yaml_node **out)
{
	bool is_map = event->type == YAML_MAPPING_START_EVENT;
	struct yaml_node *n;
	int ret;

	if (depth >= DEPTH_MAX)
		return refuse(r, &event->start_mark, "nested more than %d deep", DEPTH_MAX);
	ret = new_node(r, is_map ? YAML_MAP : YAML_LIST, event, &n);
	if (ret < 0)
		return ret;
	n->flow = is_map ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
			 : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
	*out = n;
	return read_entries(r, n, depth + 1);
}

static int read_node(struct reader *r, yaml_event_t *event, int depth, struct yaml_node **out)
{
	const yaml_char_t *name = NULL;
	struct anchor *anchor;
	int ret;

	if (event->type == YAML_ALIAS_EVENT)
		return read_alias(r, event, out);
	if (event->type == YAML_SCALAR_EVENT)
		name = event->data.scalar.anchor;
	else if (event->type == YAML_MAPPING_START_EVENT)
		name = event->data.mapping_start.anchor;
	else if (event->type == YAML_SEQUENCE_START_EVENT)
		name = event->data.sequence_start.anchor;
	ret = remember_anchor(r, name, &anchor);
	if (ret < 0)
		return ret;
	ret = event->type == YAML_SCALAR_EVENT ? read_scalar(r, event, out) : read_collection(r, event, depth, out);
	if (ret == 0 && anchor)
		anchor->node = *out;
	return ret;
}

/* stream start, document start, a node, document end, stream end */
static int read_document(struct reader *r)
{
	struct yaml_node *root = NULL;
	yaml_event_type_t type;

	do {
		_cleanup_(cleanup_event) yaml_event_t event = {0};
		int ret = next_event(r, &event);

		if (ret < 0)
			return ret;
		type = event.type;
		if (type == YAML_DOCUMENT_START_EVENT && root)
			return refuse(r, &event.start_mark, "a second document begins here, settings are one");
		if (type >= YAML_ALIAS_EVENT) {
			ret = read_node(r, &event, 0, &root);
			if (ret < 0)
				return ret;
		}
	} while (type != YAML_STREAM_END_EVENT);
	r->tree->root = root;
	return 0;
}

/* Is the character at P one that no YAML text may hold (production c-printable of YAML 1.1)? */
static bool is_control(const char *p)
{
	const unsigned char *c = (const unsigned char *)p;

	if (c[0] < 0x20)
		return c[0] != '\t' && c[0] != '\n' && c[0] != '\r';
	if (c[0] == 0xc2)
		return c[1] < 0xa0 && c[1] != 0x85;
	if (c[0] == 0xef && c[1] == 0xbf)
		return c[2] >= 0xbe; /* U+FFFE, U+FFFF */
	return c[0] == 0x7f;
}

/* Text only: the bytes that YAML allows, before libyaml sees them, for it has no line to give. */
static int check_bytes(struct reader *r)
{
	yaml_mark_t mark = {0};
	size_t n;

	for (size_t i = 0; i < r->len; i += n) {
		unsigned char c = (unsigned char)r->text[i];

		n = utf8_length(r->text + i, r->len - i);
		if (n == 0)
			return refuse(r, &mark, "byte 0x%02x is not UTF-8", c);
		if (is_control(r->text + i))
			return refuse(r, &mark, "a control character (0x%02x) cannot stand in text",
				      n == 2 ? (unsigned char)r->text[i + 1] : c);
		mark.column++;
		if (c == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return 0;
}

static void release_anchors(struct reader *r)
{
	while (r->anchors) {
		struct anchor *next = r->anchors->next;

		free(r->anchors->name);
		free(r->anchors);
		r->anchors = next;
	}
}

int yaml_tree_parse(struct yaml_tree *t, const char *text, size_t len, const char *file, struct findings *f)
{
	struct reader r = {.tree = t, .text = text, .len = len, .file = file, .findings = f};
	int ret;

	*t = (struct yaml_tree){0};
	ret = check_bytes(&r);
	if (ret < 0)
		return ret;
	if (!yaml_parser_initialize(&r.parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	/* A byte order mark is no character of the text: libyaml, told the encoding, would give it a column. */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		r.cursor.bytes = 3;
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text + r.cursor.bytes, len - r.cursor.bytes);
	ret = read_document(&r);
	yaml_parser_delete(&r.parser);
	release_anchors(&r);
	if (ret < 0)
		yaml_tree_release(t);
	return ret;
}
