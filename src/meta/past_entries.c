/*
 * What lay in a folder, as of a commit: one range of the entries, for listings.
 */
#include <errno.h>
#include <string.h>

#include "meta/store_int.h"

int store_folder_changed_at(struct store *s, uint64_t folder, uint64_t commit, int64_t *time)
{
	_cleanup_query_ struct query q = {};
	int got;

	store_query(s, &q, SQL_FOLDER_CHANGED_AT);
	query_int(&q, (int64_t)folder);
	query_int(&q, (int64_t)commit);
	got = query_row(&q);
	if (got <= 0)
		return got ? got : -ENOENT;
	*time = query_get(&q);
	return query_get(&q) == OP_OUTSIDE ? -ENOENT : 0;
}

static void start_entries(struct store *s, struct query *q, enum sql id, uint64_t parent, uint64_t commit,
			  const char *after)
{
	store_query(s, q, id);
	query_int(q, (int64_t)parent);
	query_int(q, (int64_t)commit);
	query_blob(q, after ? after : "", after ? strlen(after) : 0);
}

/* NAME has room for NAME_BYTES + 1. */
static bool get_name(struct query *q, char *name)
{
	size_t len;
	const void *bytes = query_get_blob(q, &len);

	if (!bytes || len > NAME_BYTES)
		return false;
	memcpy(name, bytes, len);
	name[len] = '\0';
	return true;
}

int store_entries_at(struct store *s, uint64_t parent, uint64_t commit, const char *after, store_past_entry_fn fn,
		     void *arg)
{
	_cleanup_query_ struct query q = {};
	int got, answer = 0;

	start_entries(s, &q, SQL_ENTRIES_AT, parent, commit, after);
	while (!answer && (got = query_row(&q)) > 0) {
		char name[NAME_BYTES + 1];
		struct past_entry e = {.name = name};
		struct version_row content;
		bool named = get_name(&q, name);

		e.node = (uint64_t)query_get(&q);
		e.kind = (enum node_kind)query_get(&q);
		version_brief_from_query(&q, &content);
		if (!named || (e.kind == KIND_FILE && !content.id))
			continue;
		e.version = content.id;
		e.content = content.id ? &content : NULL;
		answer = fn(arg, &e);
	}
	return answer ? answer : got;
}

/* A node that has no past has what it has now. */
static void known_from_query(struct query *q, struct past_known *e)
{
	struct node_row was = {0};

	e->place = (uint64_t)query_get(q);
	node_from_query(q, &e->now);
	version_from_query(q, &e->content);
	past_attributes_from_query(q, &was);
	e->target = query_get(q);
	e->then = e->now;
	e->then.writing = false;
	if (was.mode) {
		e->then.mode = was.mode;
		e->then.uid = was.uid;
		e->then.gid = was.gid;
		e->then.mtime = was.mtime;
		e->then.acl = was.acl;
	}
	if (e->now.kind == KIND_FILE)
		past_set_content(&e->then, &e->content);
}

int store_entries_known_at(struct store *s, uint64_t parent, uint64_t commit, const char *after, store_past_known_fn fn,
			   void *arg)
{
	_cleanup_query_ struct query q = {};
	int got, answer = 0;

	start_entries(s, &q, SQL_ENTRIES_KNOWN_AT, parent, commit, after);
	while (!answer && (got = query_row(&q)) > 0) {
		char name[NAME_BYTES + 1];
		struct past_known e = {.name = name};

		if (!get_name(&q, name))
			continue;
		known_from_query(&q, &e);
		if (e.now.kind != KIND_FILE || e.content.id)
			answer = fn(arg, &e);
	}
	return answer ? answer : got;
}

int store_entries_ever(struct store *s, uint64_t parent, store_ever_fn fn, void *arg)
{
	_cleanup_query_ struct query q = {};
	int got, answer = 0;

	store_query(s, &q, SQL_ENTRIES_EVER);
	query_int(&q, (int64_t)parent);
	while (!answer && (got = query_row(&q)) > 0) {
		char name[NAME_BYTES + 1];
		struct ever_entry e = {.name = name};

		if (!get_name(&q, name))
			continue;
		e.node = (uint64_t)query_get(&q);
		e.kind = (enum node_kind)query_get(&q);
		e.ended = (int)query_get(&q);
		answer = fn(arg, &e);
	}
	return answer ? answer : got;
}

#define REMOVAL_MOST 1000000 /* commits that are looked back over */

int store_removal(struct store *s, uint64_t node, int64_t *time, uint64_t *before)
{
	_cleanup_query_ struct query end = {}, begin = {};
	int64_t commit;
	int got;

	store_query(s, &end, SQL_REMOVED);
	query_int(&end, (int64_t)node);
	got = query_row(&end);
	if (got <= 0)
		return got ? got : -ENOENT;
	commit = query_get(&end);
	*time = query_get(&end);
	store_query(s, &begin, SQL_REMOVAL_BEGIN);
	query_int(&begin, commit);
	query_int(&begin, query_get(&end));
	query_int(&begin, commit > REMOVAL_MOST ? commit - REMOVAL_MOST : 0);
	got = query_row(&begin);
	*before = (uint64_t)(got > 0 ? query_get(&begin) : commit) - 1;
	return got < 0 ? got : 0;
}

int store_entry_known_at(struct store *s, uint64_t parent, const char *name, uint64_t commit, struct past_known *out)
{
	_cleanup_query_ struct query q = {};
	size_t len;
	int got;

	start_entries(s, &q, SQL_ENTRY_KNOWN_AT, parent, commit, name);
	got = query_row(&q);
	if (got <= 0)
		return got ? got : -ENOENT;
	query_get_blob(&q, &len);
	out->name = name;
	known_from_query(&q, out);
	return out->now.kind == KIND_FILE && !out->content.id ? -ENOENT : 0;
}
