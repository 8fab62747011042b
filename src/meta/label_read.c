#include <errno.h>
#include <string.h>

#include "meta/line.h"
#include "meta/store_int.h"

static void label_from_query(struct query *q, struct label_row *out)
{
	const void *name;
	size_t len;

	*out = (struct label_row){.folder = (uint64_t)query_get(q)};
	name = query_get_blob(q, &len);
	if (name && len <= NAME_BYTES)
		memcpy(out->name, name, len);
	out->commit = (uint64_t)query_get(q);
	out->time = query_get(q);
	out->uid = (uid_t)query_get(q);
}

static int label_in_line(struct conn *c, uint64_t folder, const char *name, struct label_row *out)
{
	_cleanup_query_ struct query q = {};
	int got = line_find(c, SQL_LABEL, folder, name, strlen(name), &q, NULL);

	if (got > 0)
		label_from_query(&q, out);
	return got < 0 ? got : got ? 0 : -ENOENT;
}

int store_label(struct store *s, uint64_t folder, const char *name, struct label_row *out)
{
	struct conn *c;
	int err = store_begin(s, &c);

	if (err)
		return err;
	err = label_in_line(c, folder, name, out);
	conn_end(c);
	return err;
}

/* OF (may be 0): only those that store_label() finds for that folder. */
static int labels_between(struct store *s, uint64_t first, uint64_t last, uint64_t of, store_label_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	int got, answer = 0;

	store_query(s, &q, SQL_LABELS);
	query_int(&q, (int64_t)first);
	query_int(&q, (int64_t)last);
	while (!answer && (got = query_row(&q)) > 0) {
		struct label_row l, newer;

		label_from_query(&q, &l);
		if (of && of != l.folder)
			answer = store_label(s, of, l.name, &newer);
		if (!answer && (!of || of == l.folder || newer.folder == l.folder))
			answer = fn(arg, &l);
	}
	return answer ? answer : got;
}

static int labels_of_line(struct conn *c, struct store *s, uint64_t of, store_label_fn fn, void *arg)
{
	struct line line;
	uint64_t folder;
	int got;

	line_start(&line, c, of);
	while ((got = line_next(&line, &folder)) > 0) {
		int answer = labels_between(s, folder, folder, of, fn, arg);

		if (answer)
			return answer;
	}
	return got;
}

int store_labels(struct store *s, uint64_t folder, store_label_fn fn, void *arg)
{
	struct conn *c;
	int rc;

	if (!folder)
		return labels_between(s, 0, INT64_MAX, 0, fn, arg);
	rc = store_begin(s, &c);
	if (rc)
		return rc;
	rc = labels_of_line(c, s, folder, fn, arg);
	conn_end(c);
	return rc;
}

/* Was NODE in FOLDER, or below it? 1, 0 or -errno. */
static int was_below(struct store *s, uint64_t node, uint64_t folder, uint64_t commit, int depth)
{
	static const enum sql where[] = {SQL_PARENTS_AT_LIVE, SQL_PARENTS_AT_ENDED};
	int got = 0;

	if (node == folder || folder == NODE_ROOT)
		return 1;
	for (int i = 0; i < 2 && depth < PATH_DEEP; i++) {
		_cleanup_query_ struct query q = {};

		store_query(s, &q, where[i]);
		query_int(&q, (int64_t)node);
		query_int(&q, (int64_t)commit);
		/* A file may have several names, a folder has one. */
		while ((got = query_row(&q)) > 0) {
			uint64_t parent = (uint64_t)query_get(&q);
			int below = parent == NODE_ROOT ? 0 : was_below(s, parent, folder, commit, depth + 1);

			if (below)
				return below;
		}
		if (got < 0)
			return got;
	}
	return 0;
}

/* Had it a name then? */
static int was_named(struct store *s, uint64_t node, uint64_t commit)
{
	struct buf path = BUF_INIT;
	int err = store_path_at(s, node, commit, &path);

	buf_release(&path);
	return err == -ENOENT ? 0 : err ? err : 1;
}

static int any_label(struct store *s, const struct version_row *v)
{
	_cleanup_query_ struct query q = {};
	int got, is = 0;

	store_query(s, &q, SQL_LABELS_OF_VERSION);
	query_int(&q, (int64_t)v->node);
	query_int(&q, (int64_t)v->cut_commit);
	while (!is && (got = query_row(&q)) > 0) {
		uint64_t folder = (uint64_t)query_get(&q), commit = (uint64_t)query_get(&q);

		is = was_named(s, v->node, commit);
		if (is > 0)
			is = was_below(s, v->node, folder, commit, 0);
	}
	return is ? is : got;
}

int store_version_is_labelled(struct store *s, const struct version_row *v)
{
	struct conn *c;
	int is, err = store_begin(s, &c);

	if (err)
		return err;
	is = any_label(s, v);
	conn_end(c);
	return is;
}
