/* .catalog/tag, by-type, by-date: files by a property, down to a tree of them (view_catalog_files.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ns/view/view_catalog.h"

#define FILES "files"
#define TAGS_DEEP 16
#define OTHERS_OF 1000 /* so many files are asked which other tags they have */

/* ---- tags ---- */

struct tag_path {
	const char *tags[TAGS_DEEP];
	int n;
	char *real; /* what follows "files"; NULL: it is not there */
};

static int parse_tags(struct tag_path *p, char *rest)
{
	char *name;

	*p = (struct tag_path){0};
	while ((name = catalog_next(&rest))) {
		if (p->n && !strcmp(name, FILES)) {
			p->real = rest;
			return 0;
		}
		for (int i = 0; i < p->n; i++)
			if (!strcmp(p->tags[i], name))
				return -ENOENT;
		if (p->n == TAGS_DEEP)
			return -ENOENT;
		p->tags[p->n++] = name;
	}
	return 0;
}

struct sight {
	struct catalog *c;
	int looked;
};

/* 1: the reader sees it. */
static int see(void *arg, uint64_t node)
{
	struct sight *s = arg;
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct node_row row;

	return reader_sees(&s->c->reader, node, &row, &path);
}

/* Is there anything with all these tags for this reader? 1, 0 or -errno. */
static int any_tagged(struct catalog *c, const char *const *tags, int n)
{
	struct sight s = {.c = c};

	return store_tagged(c->lake->store, tags, n, 0, see, &s);
}

int catalog_tag_look_up(struct catalog *c, const char *path, char *rest, struct view_node *draft)
{
	struct tag_path p;
	struct catalog_set set = {.kind = SET_TAGGED};
	int rc = parse_tags(&p, rest);

	if (rc)
		return rc;
	set.tags = p.tags;
	set.ntags = p.n;
	if (p.real && *p.real)
		return catalog_files_look_up(c, &set, path, strlen(path) - strlen(p.real), draft);
	rc = any_tagged(c, p.tags, p.n);
	return rc > 0 ? catalog_folder(c, path, draft) : rc ? rc : -ENOENT;
}

struct tag_names {
	struct catalog *c;
	const struct tag_path *path;
	struct tag_name {
		UT_hash_handle hh;
		char name[TAG_BYTES + 1];
	} * names;
	int nodes;
};

static bool can_be_a_name(const char *tag)
{
	return *tag && !strchr(tag, '/') && strcmp(tag, ".") && strcmp(tag, "..") && strcmp(tag, FILES) &&
	       strlen(tag) <= TAG_BYTES;
}

/* Is it one that would be shown, and is not noted yet? */
static bool is_new(const struct tag_names *t, const char *tag)
{
	struct tag_name *n;

	for (int i = 0; i < t->path->n; i++)
		if (!strcmp(t->path->tags[i], tag))
			return false;
	HASH_FIND_STR(t->names, tag, n);
	return !n && can_be_a_name(tag);
}

static int note_tag(void *arg, const char *tag, uint64_t count)
{
	struct tag_names *t = arg;
	struct tag_name *n;

	(void)count;
	if (!is_new(t, tag))
		return 0;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	snprintf(n->name, sizeof(n->name), "%s", tag);
	HASH_ADD_STR(t->names, name, n);
	return 0;
}

static int find_new(void *arg, const char *tag, uint64_t count)
{
	(void)count;
	return is_new(arg, tag);
}

/* Who may see it is asked only of a node that has something new. */
static int note_other_tags(void *arg, uint64_t node)
{
	struct tag_names *t = arg;
	struct sight s = {.c = t->c};
	int rc = t->nodes++ == OTHERS_OF ? -ENOSPC : store_tags_of(t->c->lake->store, node, 0, find_new, t);

	if (rc > 0)
		rc = see(&s, node);
	return rc > 0 ? store_tags_of(t->c->lake->store, node, 0, note_tag, t) : rc;
}

/* Those that are noted, of which in the root only those that lead to something for this reader. */
static int emit_tags(struct tag_names *t, view_emit_fn emit, void *arg)
{
	struct tag_name *n, *next;
	int rc = 0;

	HASH_ITER (hh, t->names, n, next) {
		const char *tag = n->name;
		int seen = rc || t->path->n || !t->c->reader.uid ? 1 : any_tagged(t->c, &tag, 1);

		if (!rc)
			rc = seen < 0 ? seen : seen ? emit(arg, n->name, KIND_FOLDER, 0) : 0;
		HASH_DEL(t->names, n);
		free(n);
	}
	return rc;
}

int catalog_tag_list(struct catalog *c, char *rest, view_emit_fn emit, void *arg)
{
	struct tag_path p;
	struct tag_names t = {.c = c, .path = &p};
	struct catalog_set set = {.kind = SET_TAGGED};
	int rc = parse_tags(&p, rest), failed;

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	set.tags = p.tags;
	set.ntags = p.n;
	if (p.real)
		return catalog_files_list(c, &set, p.real, KIND_SYMLINK, emit, arg);
	rc = p.n ? store_tagged(c->lake->store, p.tags, p.n, 0, note_other_tags, &t)
		 : store_tags(c->lake->store, note_tag, &t);
	failed = emit_tags(&t, emit, arg);
	if (!rc || rc == -ENOSPC)
		rc = failed;
	return !rc && p.n ? emit(arg, FILES, KIND_FOLDER, 0) : rc;
}

/* ---- types: by-type/text/csv/files ---- */

/* "text", "csv", and what follows "files" as far as it is there. */
struct type_path {
	char *major, *minor, *real;
	char mime[NAME_BYTES * 2 + 2];
};

static int parse_type(struct type_path *p, char *rest)
{
	const char *files;

	*p = (struct type_path){0};
	p->major = catalog_next(&rest);
	p->minor = p->major ? catalog_next(&rest) : NULL;
	if (!p->minor)
		return 0;
	snprintf(p->mime, sizeof(p->mime), "%s/%s", p->major, p->minor);
	files = catalog_next(&rest);
	if (files && strcmp(files, FILES))
		return -ENOENT;
	p->real = files ? rest : NULL;
	return 0;
}

struct type_search {
	const struct type_path *path;
	view_emit_fn emit;
	void *arg;
	char last[NAME_BYTES + 1];
	bool found;
};

/* Types come in order, so that a name is new when it is not the last one. */
static int see_type(void *arg, const char *mime)
{
	struct type_search *t = arg;
	const struct type_path *p = t->path;
	size_t major = strcspn(mime, "/"), len;
	const char *name = p->major ? mime + major + 1 : mime;

	if (!mime[major] || (p->major && (strlen(p->major) != major || strncmp(mime, p->major, major))))
		return 0;
	len = p->major ? strlen(name) : major;
	if (!len || len > NAME_BYTES || memchr(name, '/', len))
		return 0;
	t->found |= !p->minor || !strcmp(name, p->minor);
	if (!t->emit || (strlen(t->last) == len && !strncmp(t->last, name, len)))
		return 0;
	snprintf(t->last, sizeof(t->last), "%.*s", (int)len, name);
	return t->emit(t->arg, t->last, KIND_FOLDER, 0);
}

int catalog_type_look_up(struct catalog *c, const char *path, char *rest, struct view_node *draft)
{
	struct type_path p;
	struct type_search t = {.path = &p};
	struct catalog_set set = {.kind = SET_MIME};
	int rc = parse_type(&p, rest);

	if (rc)
		return rc;
	set.mime = p.mime;
	if (p.real && *p.real)
		return catalog_files_look_up(c, &set, path, strlen(path) - strlen(p.real), draft);
	rc = store_mimes(c->lake->store, see_type, &t);
	return rc ? rc : t.found ? catalog_folder(c, path, draft) : -ENOENT;
}

int catalog_type_list(struct catalog *c, char *rest, view_emit_fn emit, void *arg)
{
	struct type_path p;
	struct type_search t = {.path = &p, .emit = emit, .arg = arg};
	struct catalog_set set = {.kind = SET_MIME};
	int rc = parse_type(&p, rest);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	set.mime = p.mime;
	if (p.real)
		return catalog_files_list(c, &set, p.real, KIND_SYMLINK, emit, arg);
	return p.minor ? emit(arg, FILES, KIND_FOLDER, 0) : store_mimes(c->lake->store, see_type, &t);
}

/* ---- days: by-date/2026/11/20/files ---- */

struct date_path {
	int n;		  /* how many of year, month and day are there */
	int64_t from, to; /* days since 1970, the last one not included */
	int at[3];
	char *real;
};

static int64_t day_of(int year, int month, int day)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};

	return (int64_t)timegm(&tm) / 86400;
}

static int parse_number(const char *name, size_t digits, int least, int most)
{
	int n = 0;

	if (strlen(name) != digits)
		return -ENOENT;
	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return -ENOENT;
		n = n * 10 + (*name - '0');
	}
	return n < least || n > most ? -ENOENT : n;
}

static int parse_date(struct date_path *p, char *rest)
{
	static const int least[] = {1970, 1, 1}, most[] = {9999, 12, 31};
	const char *name;

	*p = (struct date_path){.from = 0, .to = INT64_MAX};
	while (p->n < 3 && (name = catalog_next(&rest))) {
		p->at[p->n] = parse_number(name, p->n ? 2 : 4, least[p->n], most[p->n]);
		if (p->at[p->n++] < 0)
			return -ENOENT;
	}
	if (p->n == 3 && day_of(p->at[0], p->at[1] + 1, 1) <= day_of(p->at[0], p->at[1], p->at[2]))
		return -ENOENT;
	if (p->n) {
		p->from = day_of(p->at[0], p->n > 1 ? p->at[1] : 1, p->n > 2 ? p->at[2] : 1);
		p->to = p->n == 1   ? day_of(p->at[0] + 1, 1, 1)
			: p->n == 2 ? day_of(p->at[0], p->at[1] + 1, 1)
				    : p->from + 1;
	}
	name = p->n == 3 ? catalog_next(&rest) : NULL;
	if (name && strcmp(name, FILES))
		return -ENOENT;
	p->real = name ? rest : NULL;
	return 0;
}

int catalog_date_look_up(struct catalog *c, const char *path, char *rest, struct view_node *draft)
{
	struct date_path p;
	struct catalog_set set = {.kind = SET_DAY};
	int64_t day;
	int rc = parse_date(&p, rest);

	if (rc)
		return rc;
	set.day = p.from;
	if (p.real && *p.real)
		return catalog_files_look_up(c, &set, path, strlen(path) - strlen(p.real), draft);
	rc = store_first_day(c->lake->store, p.from, &day);
	return rc ? rc : day < p.to ? catalog_folder(c, path, draft) : -ENOENT;
}

int catalog_date_list(struct catalog *c, char *rest, view_emit_fn emit, void *arg)
{
	struct date_path p;
	struct catalog_set set = {.kind = SET_DAY};
	int64_t day;
	int rc = parse_date(&p, rest);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	set.day = p.from;
	if (p.real)
		return catalog_files_list(c, &set, p.real, KIND_SYMLINK, emit, arg);
	if (p.n == 3)
		return emit(arg, FILES, KIND_FOLDER, 0);
	while (!rc && !(rc = store_first_day(c->lake->store, p.from, &day)) && day < p.to) {
		time_t seconds = (time_t)(day * 86400);
		struct tm tm;
		char name[16];

		gmtime_r(&seconds, &tm);
		snprintf(name, sizeof(name), p.n ? "%02d" : "%04d",
			 !p.n	    ? tm.tm_year + 1900
			 : p.n == 1 ? tm.tm_mon + 1
				    : tm.tm_mday);
		rc = emit(arg, name, KIND_FOLDER, 0);
		p.from = !p.n	    ? day_of(tm.tm_year + 1901, 1, 1)
			 : p.n == 1 ? day_of(tm.tm_year + 1900, tm.tm_mon + 2, 1)
				    : day + 1;
	}
	return rc == -ENOENT ? 0 : rc;
}
