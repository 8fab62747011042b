#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "meta/line.h"
#include "meta/store_int.h"

void node_from_query(struct query *q, struct node_row *out)
{
	const void *handle;
	size_t len;

	*out = (struct node_row){.id = (uint64_t)query_get(q)};
	out->kind = (enum node_kind)query_get(q);
	out->volume = (int)query_get(q);
	handle = query_get_blob(q, &len);
	if (handle && fhandle_from_blob(&out->handle, handle, (int)len) < 0)
		out->handle = (struct fhandle){0};
	out->mode = (mode_t)query_get(q);
	out->uid = (uid_t)query_get(q);
	out->gid = (gid_t)query_get(q);
	out->size = (uint64_t)query_get(q);
	out->mtime = query_get(q);
	out->ctime = query_get(q);
	out->asset = (uint64_t)query_get(q);
	out->version = (uint64_t)query_get(q);
	out->writing = query_get(q);
	out->acl = query_get(q);
	out->stub = query_get(q);
	out->pin = query_get(q);
	out->opened = query_get(q);
}

/* The one row of a query about a node. */
static int one_node(struct query *q, struct node_row *out)
{
	int got = query_row(q);

	if (got <= 0)
		return got ? got : -ENOENT;
	node_from_query(q, out);
	return 0;
}

int store_lake(struct store *s, const char *key, struct buf *value)
{
	_cleanup_query_ struct query q = {};
	const void *bytes;
	size_t len;
	int got;

	store_query(s, &q, SQL_LAKE_GET);
	query_text(&q, key);
	got = query_row(&q);
	if (got <= 0)
		return got ? got : -ENOENT;
	bytes = query_get_blob(&q, &len);
	buf_add(value, bytes ? bytes : "", len);
	return buf_error(value);
}

int store_node(struct store *s, uint64_t id, struct node_row *out)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_NODE);
	query_int(&q, (int64_t)id);
	return one_node(&q, out);
}

int store_node_by_handle(struct store *s, int volume, const struct fhandle *h, uint64_t parent, const char *name,
			 struct node_row *out, bool *here)
{
	_cleanup_query_ struct query q = {};
	uint8_t blob[FHANDLE_BLOB_MAX];
	int err;

	if (here)
		*here = false;
	if (!h->len)
		return -ENOENT;
	store_query(s, &q, SQL_NODE_HERE);
	query_int(&q, volume);
	query_blob(&q, blob, (size_t)fhandle_to_blob(h, blob));
	query_int(&q, (int64_t)parent);
	query_blob(&q, parent ? name : NULL, parent ? strlen(name) : 0);
	err = one_node(&q, out);
	if (!err && here)
		*here = query_get(&q);
	return err;
}

int store_entry(struct store *s, uint64_t parent, const char *name, struct node_row *out)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_ENTRY);
	query_int(&q, (int64_t)parent);
	query_blob(&q, name, strlen(name));
	return one_node(&q, out);
}

int store_find(struct store *s, const char *path, struct node_row *out)
{
	_cleanup_free_ char *copy = strdup(path);
	char *save, *name;
	int rc = store_node(s, NODE_ROOT, out);

	if (!copy)
		return -ENOMEM;
	for (name = strtok_r(copy, "/", &save); !rc && name; name = strtok_r(NULL, "/", &save))
		rc = store_entry(s, out->id, name, out);
	return rc;
}

int store_entries(struct store *s, uint64_t parent, store_entry_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	int got;

	store_query(s, &q, SQL_ENTRIES);
	query_int(&q, (int64_t)parent);
	while ((got = query_row(&q)) > 0) {
		char name[NAME_BYTES + 1];
		size_t len;
		const void *bytes = query_get_blob(&q, &len);
		uint64_t node = (uint64_t)query_get(&q);
		int answer;

		if (!bytes || len > NAME_BYTES)
			continue;
		memcpy(name, bytes, len);
		name[len] = 0;
		answer = fn(arg, name, node, (enum node_kind)query_get(&q));
		if (answer)
			return answer;
	}
	return got;
}

/* The series that waits at a path: of the file that was unlinked there last, or that left it there. */
static int past_series(struct conn *c, uint64_t parent, const char *name, uint64_t *asset)
{
	_cleanup_query_ struct query q = {};
	int got = line_find(c, SQL_SERIES_PAST, parent, name, strlen(name), &q, NULL);

	if (got > 0) {
		bool unlinked = query_get(&q) == ENDED_UNLINK;
		uint64_t there = (uint64_t)query_get(&q);
		bool left = query_get(&q) == 0;

		*asset = unlinked || left ? there : 0;
	}
	return got < 0 ? got : *asset ? 0 : -ENOENT;
}

static int live_series(struct conn *c, uint64_t parent, const char *name, uint64_t *asset, uint64_t *live_node)
{
	_cleanup_query_ struct query q = {};
	int got;

	query_start(&q, c, SQL_SERIES_LIVE);
	query_int(&q, (int64_t)parent);
	query_blob(&q, name, strlen(name));
	got = query_row(&q);
	if (got > 0) {
		*asset = (uint64_t)query_get(&q);
		*live_node = (uint64_t)query_get(&q);
	}
	return got;
}

int store_series(struct store *s, uint64_t parent, const char *name, uint64_t *asset, uint64_t *live_node)
{
	struct conn *c;
	int rc = store_begin(s, &c);

	*asset = *live_node = 0;
	if (rc)
		return rc;
	rc = live_series(c, parent, name, asset, live_node);
	rc = rc > 0 ? 0 : rc < 0 ? rc : past_series(c, parent, name, asset);
	conn_end(c);
	return rc;
}

/* Where a node is, by its first name: 1, 0 when it has none, or -errno. */
static int place(struct store *s, uint64_t node, uint64_t *parent, struct buf *name)
{
	_cleanup_query_ struct query q = {};
	const void *bytes;
	size_t len;
	int got;

	store_query(s, &q, SQL_ENTRY_OF_NODE);
	query_int(&q, (int64_t)node);
	got = query_row(&q);
	if (got <= 0)
		return got;
	*parent = (uint64_t)query_get(&q);
	bytes = query_get_blob(&q, &len);
	buf_add(name, bytes ? bytes : "", len);
	buf_addc(name, 0);
	return buf_error(name) ? -ENOMEM : 1;
}

void store_join_backward(struct buf *path, const struct buf *names)
{
	size_t end = names->len;

	while (end > 0) {
		size_t start = end - 1;

		while (start > 0 && names->data[start - 1])
			start--;
		if (end < names->len)
			buf_addc(path, '/');
		buf_add(path, names->data + start, end - 1 - start);
		end = start;
	}
}

static int climb(struct store *s, uint64_t node, struct buf *path)
{
	_cleanup_buf_ struct buf names = BUF_INIT;

	for (int depth = 0; node != NODE_ROOT; depth++) {
		int got = depth < PATH_DEEP ? place(s, node, &node, &names) : -ELOOP;

		if (got <= 0)
			return got ? got : -ENOENT;
	}
	store_join_backward(path, &names);
	return buf_error(path);
}

int store_name(struct store *s, uint64_t node, uint64_t *parent, struct buf *name)
{
	int got = place(s, node, parent, name);

	return got < 0 ? got : got ? buf_error(name) : -ENOENT;
}

int store_named_elsewhere(struct store *s, uint64_t node, uint64_t parent, const char *name)
{
	_cleanup_query_ struct query q = {};

	store_query(s, &q, SQL_ENTRY_OTHER);
	query_int(&q, (int64_t)node);
	query_int(&q, (int64_t)parent);
	query_blob(&q, name, strlen(name));
	return query_row(&q);
}

int store_path(struct store *s, uint64_t node, struct buf *path)
{
	struct conn *c;
	int err = store_begin(s, &c);

	if (err)
		return err;
	err = climb(s, node, path);
	conn_end(c);
	return err;
}

int store_writing(struct store *s, store_node_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	int got, answer = 0;

	store_query(s, &q, SQL_NODE_WRITING);
	while (!answer && (got = query_row(&q)) > 0) {
		struct node_row n;

		node_from_query(&q, &n);
		answer = fn(arg, &n);
	}
	return answer ? answer : got;
}
