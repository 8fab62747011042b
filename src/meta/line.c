#include "meta/line.h"

#include <errno.h>
#include <string.h>

#include "meta/store.h"

#define NOW INT64_MAX
#define LINE_DEEP 512 /* names in a path: a loop in damaged rows must end */

static void start_at(struct line *l, struct conn *conn, uint64_t folder, int depth, int *left)
{
	l->conn = conn;
	l->left = left;
	l->folders[0] = folder;
	l->n = 1;
	l->at = 0;
	l->depth = depth;
}

void line_start(struct line *l, struct conn *conn, uint64_t folder)
{
	l->may_ask = LINE_ASKED;
	start_at(l, conn, folder, 0, &l->may_ask);
}

static bool may_ask(struct line *l)
{
	return *l->left > 0 && (*l->left)-- > 0;
}

static void add(struct line *l, uint64_t folder)
{
	for (int i = 0; i < l->n; i++)
		if (l->folders[i] == folder)
			return;
	if (l->n < LINE_MOST)
		l->folders[l->n++] = folder;
}

/* A name that SELF has, or had, since a commit. */
struct place {
	uint64_t self, parent;
	int64_t since;
	size_t len;
	uint8_t name[NAME_BYTES];
};

/* A folder has one place at a time: that before `since`, or NOW's. 1, 0 or -errno. */
static int place_by(struct conn *conn, enum sql id, struct place *p)
{
	_cleanup_query_ struct query q = {};
	const void *name;
	int got;

	query_start(&q, conn, id);
	query_int(&q, (int64_t)p->self);
	query_int(&q, p->since);
	got = query_row(&q);
	if (got <= 0)
		return got;
	p->parent = (uint64_t)query_get(&q);
	name = query_get_blob(&q, &p->len);
	p->since = query_get(&q);
	if (!name || p->len > NAME_BYTES)
		return 0;
	memcpy(p->name, name, p->len);
	return 1;
}

static int place_before(struct conn *conn, struct place *p)
{
	int got = p->since == NOW ? place_by(conn, SQL_ENTRY_OF_NODE_AT_LIVE, p) : 0;

	return got ? got : place_by(conn, SQL_PLACE_BEFORE, p);
}

/* The last other folder at a place that ended by commit MOST: 1 when there was one, and *FOLDER if it was removed. */
static int before_in(struct conn *conn, const struct place *p, uint64_t parent, int64_t most, uint64_t *folder)
{
	_cleanup_query_ struct query q = {};
	int got;

	query_start(&q, conn, SQL_FOLDER_BEFORE);
	query_int(&q, (int64_t)parent);
	query_blob(&q, p->name, p->len);
	query_int(&q, most);
	query_int(&q, (int64_t)p->self);
	got = query_row(&q);
	if (got > 0) {
		*folder = (uint64_t)query_get(&q);
		if (query_get(&q) != ENDED_UNLINK)
			*folder = 0;
	}
	return got;
}

/* The same where the parent's line says it. Not inlined: paths are deep, and a line takes room on the stack. */
static int __attribute__((noinline)) before_in_line(struct line *of, const struct place *p, uint64_t *folder)
{
	struct line line;
	uint64_t parent;
	int got;

	start_at(&line, of->conn, p->parent, of->depth + 1, of->left);
	got = line_next(&line, &parent); /* the parent itself was asked before */
	while (got > 0 && may_ask(of) && (got = line_next(&line, &parent)) > 0) {
		got = before_in(of->conn, p, parent, NOW, folder);
		if (got)
			return got;
		got = 1;
	}
	return got < 0 ? got : 0;
}

/* Adds whose places FOLDER took, the newest of its own first. */
static int expand(struct line *l, uint64_t folder)
{
	struct place p = {.self = folder, .since = NOW};
	int got = folder != NODE_ROOT && l->depth < LINE_DEEP;

	while (got > 0 && may_ask(l) && (got = place_before(l->conn, &p)) > 0) {
		uint64_t before = 0;

		got = before_in(l->conn, &p, p.parent, p.since, &before);
		if (!got)
			got = before_in_line(l, &p, &before);
		if (got < 0)
			break;
		if (before)
			add(l, before);
		got = 1;
	}
	return got;
}

int line_next(struct line *l, uint64_t *folder)
{
	int rc = l->at ? expand(l, l->folders[l->at - 1]) : 0;

	if (rc < 0)
		return rc;
	if (l->at == l->n)
		return 0;
	*folder = l->folders[l->at++];
	return 1;
}

int line_find(struct conn *conn, enum sql id, uint64_t parent, const void *name, size_t len, struct query *q,
	      bool *alone)
{
	struct line line;
	uint64_t folder;
	int got, row;

	if (alone)
		*alone = false;
	line_start(&line, conn, parent);
	while ((got = line_next(&line, &folder)) > 0) {
		query_start(q, conn, id);
		query_int(q, (int64_t)folder);
		query_blob(q, name, len);
		row = query_row(q);
		if (row)
			return row;
		query_end(q);
	}
	if (alone)
		*alone = !got && line.n == 1 && line.may_ask > 0;
	return got;
}
