#include "ns/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define DEEP_MOST 16
#define NO_TABLE 1 /* what was seen tells that it is none */

static void release(struct parts *p)
{
	free(p->root);
	free(p->extension);
	free(p->names);
	free(p->format);
	buf_release(&p->keys);
	buf_release(&p->paths);
	free(p);
}

void parts_known_release(struct parts_known *k)
{
	struct parts *p, *next;

	HASH_ITER (hh, k->all, p, next) {
		HASH_DEL(k->all, p);
		release(p);
	}
}

/* "key=value" */
static bool is_partition(const char *name, size_t len)
{
	const char *equal = memchr(name, '=', len);

	return equal && equal > name;
}

/* ".csv", ".csv.gz" */
static const char *extension_of(const char *name)
{
	const char *dot = strrchr(name, '.'), *before = NULL;

	if (!dot || dot == name)
		return "";
	if (strcmp(dot, ".gz") && strcmp(dot, ".zst"))
		return dot;
	for (const char *p = name + 1; p < dot; p++)
		if (*p == '.')
			before = p;
	return before ? before : dot;
}

/* ---- one folder ---- */

struct walk {
	struct reader *reader;
	struct parts *parts;
	const char *path;
	int deep;
};

/* The first one decides what all are like. */
static int same(char **was, const char *now)
{
	if (!*was) {
		*was = strdup(now);
		return *was ? 0 : -ENOMEM;
	}
	return strcmp(*was, now) ? NO_TABLE : 0;
}

static int take_description(void *arg, const struct description_row *d)
{
	struct parts *p = arg;
	int rc = d->names && !d->unreadable ? same(&p->names, d->names) : NO_TABLE;

	if (!rc)
		rc = same(&p->format, d->format);
	if (p->rows >= 0)
		p->rows = d->rows >= 0 ? p->rows + d->rows : -1;
	return rc;
}

static int take_file(struct walk *w, const char *name, uint64_t node)
{
	struct parts *p = w->parts;
	struct node_row row;
	uint64_t version;
	bool table = false;
	int rc = store_document(w->reader->lake->store, node, &version, &table);

	if (rc || !table)
		return rc == -ENOENT ? 0 : rc;
	rc = store_node(w->reader->lake->store, node, &row);
	if (rc || !reader_may(w->reader, &row, 4))
		return rc == -ENOENT ? 0 : rc;
	if (p->files && p->deep != w->deep)
		return NO_TABLE;
	p->deep = w->deep;
	rc = same(&p->extension, extension_of(name));
	if (!rc)
		rc = store_description(w->reader->lake->store, version, take_description, p);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	if (!p->files++ || row.mtime > p->mtime) {
		p->mtime = row.mtime;
		p->version = version;
		p->node = node;
	}
	p->size += row.size;
	buf_addf(&p->paths, "%s/%s", w->path, name);
	buf_addc(&p->paths, 0);
	return buf_error(&p->paths);
}

static int walk_folder(struct walk *w, uint64_t folder);

static int take_entry(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	struct walk *w = arg, below = {.reader = w->reader, .parts = w->parts, .deep = w->deep + 1};
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct node_row row;
	int rc;

	if (kind == KIND_FILE)
		return take_file(w, name, node);
	if (kind != KIND_FOLDER || !is_partition(name, strlen(name)) || w->deep == DEEP_MOST)
		return 0;
	rc = store_node(w->reader->lake->store, node, &row);
	if (rc || !reader_may(w->reader, &row, 5))
		return rc == -ENOENT ? 0 : rc;
	buf_addf(&path, "%s/%s", w->path, name);
	below.path = buf_str(&path);
	return buf_error(&path) ? -ENOMEM : walk_folder(&below, node);
}

static int walk_folder(struct walk *w, uint64_t folder)
{
	return store_entries(w->reader->lake->store, folder, take_entry, w);
}

/* The names before "=", from one of the paths. */
static void add_keys(struct parts *p)
{
	const char *at = p->paths.data + strlen(p->root) + 1;

	for (int i = 0; i < p->deep; i++) {
		buf_add(&p->keys, at, strcspn(at, "="));
		buf_addc(&p->keys, 0);
		at = strchr(at, '/') + 1;
	}
}

static int find_out(struct reader *r, struct parts *p)
{
	struct walk w = {.reader = r, .parts = p, .path = p->root};
	struct node_row folder;
	int rc = reader_find(r, p->root, &folder);

	if (rc <= 0 || folder.kind != KIND_FOLDER)
		return rc < 0 ? rc : 0;
	p->folder = folder.id;
	rc = walk_folder(&w, folder.id);
	if (rc < 0)
		return rc;
	p->is = !rc && (p->deep ? p->files > 0 : p->files > 1 && strchr(p->root, '/'));
	if (p->is)
		add_keys(p);
	return buf_error(&p->keys) || buf_error(&p->paths) ? -ENOMEM : 0;
}

int parts_at(struct parts_known *k, const char *root, size_t root_len, struct parts **out)
{
	struct parts *p;
	int rc;

	HASH_FIND(hh, k->all, root, root_len, p);
	*out = p;
	if (p)
		return 0;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->root = strndup(root, root_len);
	rc = p->root ? find_out(k->reader, p) : -ENOMEM;
	if (rc) {
		release(p);
		return rc;
	}
	HASH_ADD_KEYPTR(hh, k->all, p->root, root_len, p);
	*out = p;
	return 0;
}

int parts_of_file(struct parts_known *k, const char *path, struct parts **out)
{
	const char *end = strrchr(path, '/');
	int rc;

	*out = NULL;
	while (end && end > path) {
		const char *begin = end;

		while (begin > path && begin[-1] != '/')
			begin--;
		if (begin == path || !is_partition(begin, (size_t)(end - begin)))
			break;
		end = begin - 1;
	}
	if (!end || end == path)
		return 0;
	rc = parts_at(k, path, (size_t)(end - path), out);
	if (!rc && !(*out)->is)
		*out = NULL;
	return rc;
}

void parts_add_pattern(struct buf *b, const struct parts *p)
{
	buf_adds(b, p->root);
	for (int i = 0; i < p->deep; i++)
		buf_adds(b, "/*=*");
	buf_addf(b, "/*%s", p->extension);
}
