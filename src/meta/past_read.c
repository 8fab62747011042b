/*
 * What was, as of a commit. schema.c says which rows tell it.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "meta/line.h"
#include "meta/store_int.h"

#define DAYS_MOST 366 /* that are told */

/* ---- commits and times ---- */

/* The newest numbered at most MOST: 1, 0 when there is none, or -errno. */
static int step(struct store *s, enum sql id, uint64_t series, uint64_t most, uint64_t *number, int64_t *time)
{
	_cleanup_query_ struct query q = {};
	int got;

	store_query(s, &q, id);
	if (series)
		query_int(&q, (int64_t)series);
	query_int(&q, (int64_t)most);
	got = query_row(&q);
	if (got > 0) {
		*number = (uint64_t)query_get(&q);
		*time = query_get(&q);
	}
	return got;
}

int store_search_time(struct store *s, enum sql id, uint64_t series, int64_t time, uint64_t *found)
{
	uint64_t low = 1, high, at;
	int64_t then;
	int got = step(s, id, series, INT64_MAX, &high, &then);

	*found = 0;
	while (got > 0 && low <= high) {
		uint64_t middle = low + (high - low) / 2;

		got = step(s, id, series, middle, &at, &then);
		if (got < 0)
			break;
		if (got && at >= low && then > time) {
			high = at - 1;
			continue;
		}
		if (got && at >= low)
			*found = at;
		low = middle + 1; /* between AT and the middle there is nothing */
		got = 1;
	}
	return got < 0 ? got : *found != 0;
}

int store_commit_at(struct store *s, int64_t time, uint64_t *commit)
{
	int got = store_search_time(s, SQL_COMMIT_STEP, 0, time, commit);

	return got < 0 ? got : got ? 0 : -ENOENT;
}

int store_commit_time(struct store *s, uint64_t commit, int64_t *time)
{
	uint64_t number;
	int got = step(s, SQL_COMMIT_STEP, 0, commit, &number, time);

	return got < 0 ? got : got ? 0 : -ENOENT;
}

/* ---- nodes ---- */

void past_attributes_from_query(struct query *q, struct node_row *n)
{
	n->mode = (mode_t)query_get(q);
	n->uid = (uid_t)query_get(q);
	n->gid = (gid_t)query_get(q);
	n->mtime = query_get(q);
	n->acl = query_get(q);
}

static int set_attributes(struct store *s, uint64_t commit, struct node_row *n)
{
	_cleanup_query_ struct query q = {};
	int got;

	store_query(s, &q, SQL_NODE_PAST);
	query_int(&q, (int64_t)n->id);
	query_int(&q, (int64_t)commit);
	got = query_row(&q);
	if (got > 0)
		past_attributes_from_query(&q, n);
	return got < 0 ? got : 0;
}

void past_set_content(struct node_row *n, const struct version_row *v)
{
	n->version = v->id;
	n->size = v->size;
	if (v->id)
		n->mtime = v->mtime;
}

static int set_content(struct store *s, uint64_t commit, struct node_row *n)
{
	struct version_row v = {0};
	int err = store_version_of_node_at(s, n->id, commit, &v);

	if (err && err != -ENOENT)
		return err;
	past_set_content(n, &v);
	return 0;
}

static int node_at(struct store *s, uint64_t node, uint64_t commit, struct node_row *out)
{
	int err = store_node(s, node, out);

	if (!err)
		err = set_attributes(s, commit, out);
	if (!err && out->kind == KIND_FILE)
		err = set_content(s, commit, out);
	out->writing = false;
	return err;
}

/* The node that a name led to: 1, 0 when there was none, or -errno. */
static int entry_at(struct store *s, uint64_t parent, const char *name, uint64_t commit, uint64_t *node)
{
	_cleanup_query_ struct query live = {}, ended = {};
	int got;

	store_query(s, &live, SQL_ENTRY_AT_LIVE);
	query_int(&live, (int64_t)parent);
	query_blob(&live, name, strlen(name));
	query_int(&live, (int64_t)commit);
	got = query_row(&live);
	if (got > 0)
		*node = (uint64_t)query_get(&live);
	if (got)
		return got;
	store_query(s, &ended, SQL_ENTRY_AT_ENDED);
	query_int(&ended, (int64_t)parent);
	query_blob(&ended, name, strlen(name));
	query_int(&ended, (int64_t)commit);
	got = query_row(&ended);
	if (got <= 0)
		return got;
	*node = (uint64_t)query_get(&ended);
	return (uint64_t)query_get(&ended) <= commit;
}

static int named_node_at(struct store *s, uint64_t parent, const char *name, uint64_t commit, struct node_row *out)
{
	uint64_t node;
	int got = entry_at(s, parent, name, commit, &node);

	if (got <= 0)
		return got ? got : -ENOENT;
	got = node_at(s, node, commit, out);
	return got ? got : out->kind == KIND_FILE && !out->version ? -ENOENT : 0;
}

int store_node_at(struct store *s, uint64_t node, uint64_t commit, struct node_row *out)
{
	struct conn *c;
	int err = store_begin(s, &c);

	if (err)
		return err;
	err = node_at(s, node, commit, out);
	conn_end(c);
	return err;
}

int store_entry_at(struct store *s, uint64_t parent, const char *name, uint64_t commit, struct node_row *out)
{
	struct conn *c;
	int err = store_begin(s, &c);

	if (err)
		return err;
	err = named_node_at(s, parent, name, commit, out);
	conn_end(c);
	return err;
}

/* A folder of the line of PARENT has the name. */
static int entry_in_line(struct conn *c, struct store *s, uint64_t parent, const char *name, uint64_t commit,
			 struct node_row *out)
{
	struct line line;
	uint64_t folder;
	int got;

	line_start(&line, c, parent);
	while ((got = line_next(&line, &folder)) > 0) {
		int err = named_node_at(s, folder, name, commit, out);

		if (err != -ENOENT)
			return err;
	}
	return got < 0 ? got : -ENOENT;
}

/* What lay at the path that NAME in PARENT has now. */
static int entry_by_path(struct store *s, uint64_t parent, const char *name, uint64_t commit, struct node_row *out)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	char root[] = "", *save = NULL, *part;
	uint64_t folder = NODE_ROOT;
	int got = store_path(s, parent, &path);

	if (got)
		return got;
	part = strtok_r(path.len ? path.data : root, "/", &save);
	for (got = 1; got > 0 && part; part = strtok_r(NULL, "/", &save))
		got = entry_at(s, folder, part, commit, &folder);
	return got < 0 ? got : got ? named_node_at(s, folder, name, commit, out) : -ENOENT;
}

int store_entry_was(struct store *s, uint64_t parent, const char *name, uint64_t commit, struct node_row *out)
{
	struct conn *c;
	int err = store_begin(s, &c);

	if (err)
		return err;
	err = entry_in_line(c, s, parent, name, commit, out);
	if (err == -ENOENT)
		err = entry_by_path(s, parent, name, commit, out);
	conn_end(c);
	return err;
}

/* The one column of a query's one row is added: 1, 0 when there is no row, or -errno. *IS_NULL: it is NULL. */
static int one_blob(struct query *q, struct buf *out, bool *is_null)
{
	const void *bytes;
	size_t len;
	int got = query_row(q);

	if (got <= 0)
		return got;
	bytes = query_get_blob(q, &len);
	*is_null = !bytes;
	buf_add(out, bytes ? bytes : "", len);
	return buf_error(out) ? -ENOMEM : 1;
}

static int xattrs_at(struct store *s, uint64_t node, uint64_t commit, struct buf *blob)
{
	_cleanup_query_ struct query past = {}, now = {};
	bool is_null;
	int got;

	store_query(s, &past, SQL_NODE_XATTRS_PAST);
	query_int(&past, (int64_t)node);
	query_int(&past, (int64_t)commit);
	got = one_blob(&past, blob, &is_null);
	if (got)
		return got < 0 ? got : 0;
	store_query(s, &now, SQL_NODE_XATTRS);
	query_int(&now, (int64_t)node);
	got = one_blob(&now, blob, &is_null);
	return got < 0 ? got : 0;
}

int store_node_xattrs_at(struct store *s, uint64_t node, uint64_t commit, struct buf *blob)
{
	struct conn *c;
	int err = store_begin(s, &c);

	if (err)
		return err;
	err = xattrs_at(s, node, commit, blob);
	conn_end(c);
	return err;
}

int store_node_target(struct store *s, uint64_t node, struct buf *target)
{
	_cleanup_query_ struct query q = {};
	bool is_null = true;
	int got;

	store_query(s, &q, SQL_NODE_TARGET);
	query_int(&q, (int64_t)node);
	got = one_blob(&q, target, &is_null);
	return got < 0 ? got : is_null ? -ENOENT : 0;
}

/* ---- folders ---- */

/* The newest of all of a line, each once. */
struct days {
	int64_t day[DAYS_MOST];
	int n, limit;
};

static void add_day(struct days *d, int64_t day)
{
	int at = 0;

	while (at < d->n && d->day[at] > day)
		at++;
	if (at == d->limit || (at < d->n && d->day[at] == day))
		return;
	if (d->n < d->limit)
		d->n++;
	memmove(d->day + at + 1, d->day + at, (size_t)(d->n - 1 - at) * sizeof(*d->day));
	d->day[at] = day;
}

static int days_of(struct conn *c, uint64_t folder, struct days *d)
{
	_cleanup_query_ struct query q = {};
	int got;

	query_start(&q, c, SQL_FOLDER_DAYS);
	query_int(&q, (int64_t)folder);
	query_int(&q, d->limit);
	while ((got = query_row(&q)) > 0)
		add_day(d, query_get(&q));
	return got;
}

static int days_of_line(struct conn *c, uint64_t folder, struct days *d)
{
	struct line line;
	int got;

	line_start(&line, c, folder);
	while ((got = line_next(&line, &folder)) > 0) {
		got = days_of(c, folder, d);
		if (got < 0)
			break;
	}
	return got;
}

int store_change_days(struct store *s, uint64_t folder, int limit, store_day_fn fn, void *arg)
{
	struct days d = {.limit = limit < DAYS_MOST ? limit : DAYS_MOST};
	struct conn *c;
	int rc = store_begin(s, &c);

	if (rc)
		return rc;
	rc = days_of_line(c, folder, &d);
	conn_end(c);
	for (int i = 0; !rc && i < d.n; i++)
		rc = fn(arg, d.day[i]);
	return rc;
}

/* Where a node was, by the name that it had first: 1, 0 when it had none, or -errno. */
static int place_at(struct store *s, uint64_t *node, uint64_t commit, struct buf *names)
{
	static const enum sql where[] = {SQL_ENTRY_OF_NODE_AT_ENDED, SQL_ENTRY_OF_NODE_AT_LIVE};
	uint64_t parent = 0, since = COMMIT_LIVE;
	size_t start = names->len;

	for (int i = 0; i < 2; i++) {
		_cleanup_query_ struct query q = {};
		const void *bytes;
		uint64_t above, from;
		size_t len;
		int got;

		store_query(s, &q, where[i]);
		query_int(&q, (int64_t)*node);
		query_int(&q, (int64_t)commit);
		got = query_row(&q);
		if (got < 0)
			return got;
		if (!got)
			continue;
		above = (uint64_t)query_get(&q);
		bytes = query_get_blob(&q, &len);
		from = (uint64_t)query_get(&q);
		if (from >= since)
			continue;
		parent = above;
		since = from;
		names->len = start;
		buf_add(names, bytes ? bytes : "", len);
		buf_addc(names, 0);
	}
	*node = parent;
	return buf_error(names) ? -ENOMEM : parent != 0;
}

int store_place_at(struct store *s, uint64_t node, uint64_t commit, uint64_t *parent)
{
	_cleanup_buf_ struct buf names = BUF_INIT;
	struct conn *c;
	int got = store_begin(s, &c);

	if (got)
		return got;
	*parent = node;
	got = place_at(s, parent, commit, &names);
	conn_end(c);
	return got < 0 ? got : got ? 0 : -ENOENT;
}

int store_path_at(struct store *s, uint64_t node, uint64_t commit, struct buf *path)
{
	_cleanup_buf_ struct buf names = BUF_INIT;
	struct conn *c;
	int err = store_begin(s, &c), got = 1;

	if (err)
		return err;
	for (int depth = 0; got > 0 && node != NODE_ROOT; depth++)
		got = depth < PATH_DEEP ? place_at(s, &node, commit, &names) : -ELOOP;
	conn_end(c);
	if (got <= 0)
		return got ? got : -ENOENT;
	store_join_backward(path, &names);
	return buf_error(path);
}

/* ---- what became of it ---- */

int store_line(struct store *s, uint64_t folder, store_line_fn fn, void *arg)
{
	struct line line;
	struct conn *c;
	int got = store_begin(s, &c), answer = 0;

	if (got)
		return got;
	line_start(&line, c, folder);
	while (!answer && (got = line_next(&line, &folder)) > 0)
		answer = fn(arg, folder);
	conn_end(c);
	return answer ? answer : got;
}

static int last_in_line(struct conn *c, enum sql id, uint64_t parent, const char *name, struct node_row *out)
{
	_cleanup_query_ struct query q = {};
	int got = line_find(c, id, parent, name, strlen(name), &q, NULL);

	if (got > 0)
		node_from_query(&q, out);
	return got < 0 ? got : got ? 0 : -ENOENT;
}

static int entry_last(struct store *s, enum sql id, uint64_t parent, const char *name, struct node_row *out)
{
	struct conn *c;
	int err = store_begin(s, &c);

	if (err)
		return err;
	err = last_in_line(c, id, parent, name, out);
	conn_end(c);
	return err;
}

int store_entry_last(struct store *s, uint64_t parent, const char *name, struct node_row *out)
{
	return entry_last(s, SQL_ENTRY_LAST, parent, name, out);
}

int store_folder_last(struct store *s, uint64_t parent, const char *name, struct node_row *out)
{
	return entry_last(s, SQL_FOLDER_LAST, parent, name, out);
}

static int folder_in_line(struct conn *c, struct store *s, uint64_t folder, uint64_t commit, uint64_t *found)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct line line;
	int got;

	line_start(&line, c, folder);
	while ((got = line_next(&line, found)) > 0) {
		int err = store_path_at(s, *found, commit, &path);

		if (err != -ENOENT)
			return err;
	}
	return got < 0 ? got : -ENOENT;
}

int store_folder_at(struct store *s, uint64_t folder, uint64_t commit, struct node_row *out)
{
	struct conn *c;
	int err = store_begin(s, &c);

	if (err)
		return err;
	err = folder_in_line(c, s, folder, commit, &folder);
	if (!err)
		err = node_at(s, folder, commit, out);
	conn_end(c);
	return err;
}

int store_last_place(struct store *s, uint64_t node, uint64_t prefer, uint64_t *parent)
{
	static const enum sql where[] = {SQL_PLACE_LIVE, SQL_PLACE_LAST};

	for (int i = 0; i < 2; i++) {
		_cleanup_query_ struct query q = {};
		int got;

		store_query(s, &q, where[i]);
		query_int(&q, (int64_t)node);
		if (where[i] == SQL_PLACE_LIVE)
			query_int(&q, (int64_t)prefer);
		got = query_row(&q);
		if (got > 0)
			*parent = (uint64_t)query_get(&q);
		if (got)
			return got < 0 ? got : 0;
	}
	return -ENOENT;
}
