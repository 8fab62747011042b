#include "ns/find.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/moment.h"

#define DAY_NS (86400 * NSEC_PER_SEC)
#define ONLY_MOST 50000
#define TOO_MANY INT_MAX
#define ANY_WHERE "name columns tags comment text"

/* ---- expressions ---- */

void find_release(struct find *f)
{
	buf_release(&f->match);
	for (int i = 0; i < f->n; i++)
		free(f->conditions[i].text);
	f->n = 0;
}

/* LEN bytes as a string of FTS5, in COLUMNS; a star at the end asks for what begins so. */
static void add_words(struct find *f, const char *columns, const char *text, size_t len)
{
	bool beginning = len > 1 && text[len - 1] == '*';

	len -= beginning;
	f->words |= strcmp(columns, "tags") != 0;
	if (f->match.len)
		buf_adds(&f->match, " AND ");
	buf_addf(&f->match, "{%s} : \"", columns);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			buf_addc(&f->match, '"');
		buf_addc(&f->match, text[i]);
	}
	buf_adds(&f->match, beginning ? "\" *" : "\"");
}

static int add_condition(struct find *f, enum find_facet facet, const char *text, size_t len, struct buf *why)
{
	struct find_condition *c = &f->conditions[f->n];

	if (f->n == FIND_CONDITIONS) {
		buf_adds(why, "too many conditions");
		return -EINVAL;
	}
	*c = (struct find_condition){.facet = facet, .text = strndup(text, len), .from = INT64_MIN, .to = INT64_MAX};
	if (!c->text)
		return -ENOMEM;
	f->n++;
	return 0;
}

/* A number with a letter for its power of 1024. */
static bool parse_size(const char *text, int64_t *from, int64_t *to)
{
	static const char letters[] = "KMGT";
	const char *letter;
	char *end;
	double size = strtod(text, &end);

	if (end == text || size < 0)
		return false;
	letter = *end ? strchr(letters, toupper((unsigned char)*end)) : NULL;
	if (letter) {
		for (const char *l = letters; l <= letter; l++)
			size *= 1024;
		end++;
	}
	*from = *to = size > 9e18 ? INT64_MAX : (int64_t)size;
	return !*end || !strcasecmp(end, "B") || !strcasecmp(end, "iB");
}

/* A day is all of it. */
static bool parse_time(const char *text, int64_t *from, int64_t *to)
{
	if (!moment_parse(text, strlen(text), from))
		return false;
	*to = strlen(text) == strlen("2026-11-01") && *from < INT64_MAX - DAY_NS ? *from + DAY_NS - 1 : *from;
	return true;
}

/* ">=5M": what is compared, from the text of the last condition. */
static int set_range(struct find *f, struct buf *why)
{
	struct find_condition *c = &f->conditions[f->n - 1];
	const char *text = c->text;
	char sign = *text == '<' || *text == '>' || *text == '=' ? *text++ : '=';
	bool or_equal = sign != '=' && *text == '=';
	int64_t from, to;

	text += or_equal;
	if (!(c->facet == FIND_SIZE ? parse_size : parse_time)(text, &from, &to)) {
		buf_addf(why, "'%s' is no %s", text, c->facet == FIND_SIZE ? "size" : "time");
		return -EINVAL;
	}
	if (sign == '=' || (sign == '>' && or_equal))
		c->from = from;
	else if (sign == '>')
		c->from = c->facet == FIND_SIZE && to < INT64_MAX ? to + 1 : from;
	if (sign == '=' || (sign == '<' && or_equal))
		c->to = to;
	else if (sign == '<')
		c->to = from > INT64_MIN ? from - 1 : from;
	return 0;
}

static int add_facet(struct find *f, size_t key_len, const char *word, size_t len, struct buf *why)
{
	const char *value = word + key_len + 1;
	size_t n = len - key_len - 1;
	int rc = 0;

#define IS(key) (key_len == strlen(key) && !memcmp(word, key, key_len))
	if (!n)
		return 0;
	if (IS("name") || IS("column")) {
		add_words(f, IS("name") ? "name" : "columns", value, n);
	} else if (IS("tag")) {
		add_words(f, "tags", value, n);
		rc = add_condition(f, FIND_TAG, value, n, why);
	} else if (IS("type") && memchr(value, '/', n)) {
		rc = add_condition(f, FIND_MIME, value, n, why);
	} else if (IS("type")) {
		add_words(f, "type", value, n);
	} else if (IS("bucket")) {
		rc = add_condition(f, FIND_BUCKET, value, n, why);
	} else if (IS("size") || IS("modified")) {
		rc = add_condition(f, IS("size") ? FIND_SIZE : FIND_MODIFIED, value, n, why);
		if (!rc)
			rc = set_range(f, why);
	} else {
		add_words(f, ANY_WHERE, word, len);
	}
#undef IS
	return rc;
}

/* A word, or what is quoted; KEY: a facet's name before a quoted value, with its colon. */
static int add_word(struct find *f, const char *word, size_t len, bool quoted, struct buf *why)
{
	const char *colon = quoted ? NULL : memchr(word, ':', len);

	if (!len)
		return 0;
	if (colon && colon > word)
		return add_facet(f, (size_t)(colon - word), word, len, why);
	add_words(f, ANY_WHERE, word, len);
	return 0;
}

/* The next word of *AT, without its quotes. False at the end. */
static bool next_word(const char **at, struct buf *word, bool *quoted)
{
	const char *p = *at;
	bool inside = false;

	while (*p && isspace((unsigned char)*p))
		p++;
	if (!*p)
		return false;
	buf_clear(word);
	*quoted = *p == '"';
	for (; *p && (inside || !isspace((unsigned char)*p)); p++) {
		if (*p == '"')
			inside = !inside;
		else
			buf_addc(word, *p);
	}
	*at = p;
	return true;
}

/* Has it anything that a word can be made of? FTS5 takes none of what has not. */
static bool has_letters(const char *s)
{
	for (; *s; s++)
		if (isalnum((unsigned char)*s) || (unsigned char)*s >= 0x80)
			return true;
	return false;
}

int find_parse(struct find *f, const char *expression, struct buf *why)
{
	_cleanup_buf_ struct buf word = BUF_INIT;
	bool quoted;
	int rc = 0;

	*f = (struct find){.match = BUF_INIT};
	while (!rc && next_word(&expression, &word, &quoted))
		if (has_letters(buf_str(&word)))
			rc = add_word(f, buf_str(&word), word.len, quoted, why);
	if (!rc)
		rc = buf_error(&word) || buf_error(&f->match) ? -ENOMEM : 0;
	if (!rc && !f->match.len && !f->n) {
		buf_adds(why, "nothing to look for");
		rc = -EINVAL;
	}
	return rc;
}

/* ---- conditions ---- */

static bool in_bucket(const char *path, const char *bucket)
{
	size_t len = strlen(bucket);

	return !strncmp(path, bucket, len) && (path[len] == '/' || !path[len]);
}

/* Does the live version of ROW have a MIME type that begins so? 1, 0 or -errno. */
static int has_mimes(struct lake *lake, const struct node_row *row, const char *beginning)
{
	struct version_row v;
	int rc = row->version ? store_version(lake->store, row->version, &v) : -ENOENT;

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	return !strncmp(v.mime, beginning, strlen(beginning));
}

static bool is_beginning(const char *mime)
{
	return mime[strlen(mime) - 1] == '/';
}

/* What the number of a node is enough for. */
static int node_holds(struct lake *lake, const struct find_condition *c, uint64_t node)
{
	if (c->facet == FIND_TAG)
		return store_has_tag(lake->store, node, c->text);
	if (c->facet == FIND_MIME && !is_beginning(c->text))
		return store_has_mime(lake->store, node, c->text);
	return 1;
}

static int row_holds(struct lake *lake, const struct find_condition *c, const struct node_row *row, const char *path)
{
	switch (c->facet) {
	case FIND_TAG:
		break;
	case FIND_MIME:
		return is_beginning(c->text) ? has_mimes(lake, row, c->text) : 1;
	case FIND_BUCKET:
		return in_bucket(path, c->text);
	case FIND_SIZE:
		return (int64_t)row->size >= c->from && (int64_t)row->size <= c->to;
	case FIND_MODIFIED:
		return row->mtime >= c->from && row->mtime <= c->to;
	}
	return 1;
}

/* ---- running ---- */

/* Its row and its path are only asked for when its number is not enough to leave it out. 1, 0 or -errno. */
static int is_found(const struct find *f, struct reader *r, uint64_t node, bool tagged, struct node_row *row,
		    struct buf *path)
{
	int rc = 1;

	for (int i = 0; rc > 0 && i < f->n; i++)
		if (!tagged || f->conditions[i].facet != FIND_TAG)
			rc = node_holds(r->lake, &f->conditions[i], node);
	if (rc > 0)
		rc = reader_sees(r, node, row, path);
	for (int i = 0; rc > 0 && i < f->n; i++)
		rc = row_holds(r->lake, &f->conditions[i], row, buf_str(path));
	return rc;
}

struct running {
	const struct find *find;
	struct reader *reader;
	find_fn fn;
	void *arg;
	int rows;
	bool tagged;	/* what comes has all the tags */
	uint64_t *only; /* nothing else is found: by rising number; NULL: anything may be */
	size_t n, room;
	bool cut;
	int64_t until;
};

static int compare_nodes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int has_document(struct lake *lake, uint64_t node)
{
	uint64_t version;
	int rc = store_document(lake->store, node, &version, NULL);

	return rc ? rc == -ENOENT ? 0 : rc : 1;
}

static int found(void *arg, uint64_t node, double rank)
{
	struct running *f = arg;
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct node_row row;
	int rc;

	if (f->only && !bsearch(&node, f->only, f->n, sizeof(node), compare_nodes))
		return 0;
	rc = is_found(f->find, f->reader, node, f->tagged, &row, &path);

	if (rc > 0 && f->tagged) /* folders have tags, too, and are not found */
		rc = has_document(f->reader->lake, node);
	if (rc <= 0)
		return rc;
	if (f->rows++ == FIND_ROWS) {
		f->cut = true;
		return 1;
	}
	return f->fn(f->arg, &(struct find_hit){node, &row, buf_str(&path), rank});
}

static int found_tagged(void *arg, uint64_t node)
{
	struct running *f = arg;
	int rc = found(f, node, 0);

	return !rc && clock_monotonic() > f->until ? -ETIME : rc;
}

static int tags_of(const struct find *f, const char **tags)
{
	int n = 0;

	for (int i = 0; i < f->n; i++)
		if (f->conditions[i].facet == FIND_TAG)
			tags[n++] = f->conditions[i].text;
	return n;
}

/* The days that a condition about times leaves, of those that the index has. */
static void days(const struct find *f, int64_t *from, int64_t *to)
{
	*from = INT64_MIN;
	*to = INT64_MAX;
	for (int i = 0; i < f->n; i++) {
		const struct find_condition *c = &f->conditions[i];

		if (c->facet != FIND_MODIFIED)
			continue;
		if (c->from != INT64_MIN && c->from / DAY_NS - 1 > *from)
			*from = c->from / DAY_NS - 1;
		if (c->to != INT64_MAX && c->to / DAY_NS + 1 < *to)
			*to = c->to / DAY_NS + 1;
	}
}

/* The condition about sizes, if there is one. */
static const struct find_condition *size_condition(const struct find *f)
{
	for (int i = 0; i < f->n; i++)
		if (f->conditions[i].facet == FIND_SIZE)
			return &f->conditions[i];
	return NULL;
}

static int note_only(void *arg, uint64_t node, double rank)
{
	struct running *r = arg;

	(void)rank;
	if (r->n == ONLY_MOST)
		return TOO_MANY;
	if (array_grow(&r->only, r->n, &r->room, sizeof(*r->only)))
		return -ENOMEM;
	r->only[r->n++] = node;
	return 0;
}

/*
 * Words are looked for among all files, of which a size or a time may leave few: those are asked for first, for
 * leaving out one that was found costs some look-ups.
 */
static int find_only(struct running *r, const struct find_condition *size)
{
	struct store *store = r->reader->lake->store;
	int64_t from, to;
	int rc;

	days(r->find, &from, &to);
	if (!size && from == INT64_MIN && to == INT64_MAX)
		return 0;
	rc = array_grow(&r->only, 0, &r->room, sizeof(*r->only)); /* there may be none */
	if (!rc && size)
		rc = store_documents_by_size(store, size->from, size->to, r->until, note_only, r);
	else if (!rc)
		rc = store_documents(store, from, to, r->until, note_only, r);
	if (!rc)
		qsort(r->only, r->n, sizeof(*r->only), compare_nodes);
	if (rc == TOO_MANY)
		free(steal_ptr(&r->only));
	return rc == TOO_MANY ? 0 : rc;
}

/* Is there each bucket that it asks for, for this reader? 1, 0 or -errno. */
static int has_buckets(const struct find *f, struct reader *r)
{
	struct node_row row;
	int rc = 1;

	for (int i = 0; rc > 0 && i < f->n; i++)
		if (f->conditions[i].facet == FIND_BUCKET)
			rc = reader_find(r, f->conditions[i].text, &row);
	return rc;
}

int find_run(const struct find *f, struct reader *r, find_fn fn, void *arg, bool *cut)
{
	const struct find_condition *size = size_condition(f);
	const char *tags[FIND_CONDITIONS];
	int ntags = tags_of(f, tags);
	int64_t until = clock_monotonic() + FIND_NS, from, to;
	struct running running = {.find = f, .reader = r, .fn = fn, .arg = arg, .until = until};
	int rc = has_buckets(f, r);

	*cut = false;
	if (rc <= 0)
		return rc;
	if (ntags && !f->words) {
		running.tagged = true;
		rc = store_tagged(r->lake->store, tags, ntags, 0, found_tagged, &running);
	} else if (f->match.len) {
		rc = find_only(&running, size);
		if (!rc)
			rc = store_found(r->lake->store, buf_str(&f->match), until, found, &running);
		free(running.only);
	} else if (size) {
		rc = store_documents_by_size(r->lake->store, size->from, size->to, until, found, &running);
	} else {
		days(f, &from, &to);
		rc = store_documents(r->lake->store, from, to, until, found, &running);
	}
	*cut = running.cut || rc == -ETIME;
	return rc == -ETIME || running.cut ? 0 : rc;
}

int find_has(const struct find *f, struct reader *r, const struct node_row *row)
{
	_cleanup_buf_ struct buf path = BUF_INIT, snippet = BUF_INIT;
	struct node_row seen;
	int rc = is_found(f, r, row->id, false, &seen, &path);

	if (rc <= 0 || !f->match.len)
		return rc;
	rc = store_snippet(r->lake->store, buf_str(&f->match), row->id, &snippet);
	return rc == -ENOENT ? 0 : rc ? rc : 1;
}
