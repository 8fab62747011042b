#include "work/quality.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fnv.h"
#include "content/reach.h"
#include "content/cloud/stub.h"
#include "content/tables.h"
#include "sniff/checks.h"

/* ---- which table a file is ---- */

struct tag_search {
	const struct declared_table *table;
	size_t found;
};

static int look_for_tag(void *arg, const char *tag, uint64_t count)
{
	struct tag_search *s = arg;

	(void)count;
	for (size_t i = 0; i < s->table->ntags; i++)
		s->found += !strcmp(s->table->tags[i], tag);
	return 0;
}

static int any_tag(void *arg, const char *tag, uint64_t count)
{
	(void)arg;
	(void)tag;
	(void)count;
	return 1;
}

/* Was NODE the file of T, before it got another name? No other file lies there, and it has T's tags. */
static bool was_table(struct lake *lake, const struct declared_table *t, uint64_t node)
{
	struct tag_search s = {.table = t};
	struct node_row row;

	return t->ntags && store_find(lake->store, t->path, &row) == -ENOENT &&
	       !store_tags_of(lake->store, node, TAG_DECLARED, look_for_tag, &s) && s.found == t->ntags;
}

static const struct declared_table *table_of(struct lake *lake, const struct declared_tables *tables, uint64_t node,
					     const char *path, bool had_tags)
{
	const struct declared_table *t = tables_at(tables, path);

	for (size_t i = 0; !t && had_tags && tables && i < tables->n; i++)
		if (was_table(lake, &tables->list[i], node))
			t = &tables->list[i];
	return t;
}

/* The live file of a table. -ENOENT. */
static int live_file(struct lake *lake, const struct declared_tables *tables, const char *name, struct node_row *row)
{
	const struct declared_table *t = tables_named(tables, name);
	int rc = t ? store_find(lake->store, t->path, row) : -ENOENT;

	return rc ? rc : row->kind == KIND_FILE ? 0 : -ENOENT;
}

/* ---- which declaration it was looked at by ---- */

static void add_text(struct buf *b, const char *text)
{
	buf_adds(b, text ? text : "");
	buf_addc(b, '\n');
}

static void add_keys(struct buf *b, struct lake *lake, const struct declared_tables *tables,
		     const struct declared_table *t)
{
	struct node_row row;

	for (size_t i = 0; i < t->ncolumns; i++)
		if (t->columns[i].key_table && !live_file(lake, tables, t->columns[i].key_table, &row))
			buf_addf(b, "%llu\n", (unsigned long long)row.version);
}

/* A hash of all that is declared of T, and of the versions that its rules refer to. */
static int64_t declaration_of(struct lake *lake, const struct declared_tables *tables, const struct declared_table *t)
{
	static const char *const no_files[CHECKS_KEYS];
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t nkeys = 0;

	add_text(&b, t->name);
	add_text(&b, t->description);
	add_text(&b, t->owner);
	for (size_t i = 0; i < t->ntags; i++)
		add_text(&b, t->tags[i]);
	for (size_t i = 0; i < t->ncolumns; i++) {
		add_text(&b, t->columns[i].description);
		nkeys += t->columns[i].key_table != NULL;
	}
	if (nkeys <= CHECKS_KEYS)
		checks_add_rules(&b, t, no_files);
	add_keys(&b, lake, tables, t);
	return (int64_t)fnv1a(FNV1A_START, b.data, b.len);
}

void quality_begin(struct quality *q, struct lake *lake, uint64_t node, const char *path)
{
	*q = (struct quality){.lake = lake, .tables = lake_tables(lake), .found = BUF_INIT};
	q->had_tags = store_tags_of(lake->store, node, TAG_DECLARED, any_tag, NULL) > 0;
	q->table = table_of(lake, q->tables, node, path, q->had_tags);
	if (q->table)
		q->declaration = declaration_of(lake, q->tables, q->table);
}

void quality_release(struct quality *q)
{
	tables_unref(q->tables);
	buf_release(&q->found);
	*q = (struct quality){0};
}

/* ---- looking ---- */

/* The files that foreign keys lead to. What cannot be opened stays -1, and its name NULL. */
struct keys {
	int fds[CHECKS_KEYS];
	char *names[CHECKS_KEYS];
	size_t n;
};

static void keys_release(struct keys *k)
{
	for (size_t i = 0; i < k->n; i++) {
		free(k->names[i]);
		if (k->fds[i] >= 0)
			close(k->fds[i]);
	}
}

/* Its bytes, when they are here; nothing is recalled for that. */
static int open_live(struct lake *lake, uint64_t node)
{
	struct inode *inode;
	int fd, rc = reach_node(lake, node, &inode);
	bool stub;

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&inode->lock);
	stub = inode_is_stub(inode);
	pthread_mutex_unlock(&inode->lock);
	fd = stub ? -ENOENT : inode_open(lake, inode, O_RDONLY);
	inode_unref(lake, inode);
	return fd;
}

static int open_key(struct quality *q, const char *table, struct keys *k)
{
	const struct declared_table *t = tables_named(q->tables, table);
	struct node_row row;
	int fd = -ENOENT;

	if (k->n == CHECKS_KEYS)
		return -E2BIG;
	if (t && !live_file(q->lake, q->tables, table, &row))
		fd = open_live(q->lake, row.id);
	k->fds[k->n] = fd;
	k->names[k->n] = fd >= 0 ? strdup(strrchr(t->path, '/') + 1) : NULL;
	k->n++;
	return fd >= 0 && !k->names[k->n - 1] ? -ENOMEM : 0;
}

static int count_failed(void *arg, const struct check_result *r)
{
	*(int64_t *)arg += r->failed > 0;
	return 0;
}

/* In place of what was not found out. */
static void set_note(struct quality *q, const char *why)
{
	buf_clear(&q->found);
	buf_adds(&q->found, "[{\"column\":\"\",\"check\":\"all\",\"rows\":0,\"failed\":0,\"note\":");
	buf_add_json(&q->found, why, strlen(why));
	buf_adds(&q->found, "}]");
}

static int run_checks(struct quality *q, struct worker *w, int fd, const char *name, struct keys *k,
		      bool (*stop)(void *arg), void *arg)
{
	_cleanup_buf_ struct buf rules = BUF_INIT, why = BUF_INIT;
	struct worker_table t = {.fd = fd, .name = name, .keys = k->fds, .nkeys = k->n};
	int rc;

	checks_add_rules(&rules, q->table, (const char *const *)k->names);
	for (size_t i = 0; i < k->n; i++)
		if (k->fds[i] < 0) {
			k->fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* something must be sent */
			if (k->fds[i] < 0)
				return -errno;
		}
	if (buf_error(&rules) || rules.len > CHECKS_RULES_MAX)
		return -E2BIG;
	t.rules = buf_str(&rules);
	rc = worker_check(w, &t, stop, arg, &q->found, &why);
	if (!rc)
		rc = checks_each(buf_str(&q->found), q->found.len, count_failed, &q->failed);
	if (rc && rc != -ECANCELED) {
		q->failed = 0;
		set_note(q, why.len ? buf_str(&why) : strerror(-rc));
		rc = 0;
	}
	return rc;
}

int quality_check(struct quality *q, struct worker *w, int fd, const char *name, bool (*stop)(void *arg), void *arg)
{
	_cleanup_(keys_release) struct keys k = {.n = 0};
	int rc = 0;

	if (!q->table)
		return 0;
	for (size_t i = 0; !rc && i < q->table->ncolumns; i++)
		if (q->table->columns[i].key_table)
			rc = open_key(q, q->table->columns[i].key_table, &k);
	if (rc)
		set_note(q, rc == -E2BIG ? "there are more foreign keys than are looked at" : strerror(-rc));
	else if (table_has_checks(q->table))
		rc = run_checks(q, w, fd, name, &k, stop, arg);
	else
		buf_adds(&q->found, "[]");
	q->checked = rc != -ECANCELED && !buf_error(&q->found);
	return rc == -ECANCELED ? rc : 0;
}

/* ---- what becomes of it ---- */

int quality_describe(const struct quality *q, struct description *d)
{
	const struct declared_table *t = q->table;
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!t)
		return 0;
	add_text(&b, t->name);
	add_text(&b, t->description);
	add_text(&b, t->owner);
	for (size_t i = 0; i < t->ncolumns; i++)
		add_text(&b, t->columns[i].description);
	buf_adds(&b, d->text ? d->text : "");
	if (b.len > DESCRIPTION_TEXT_MAX)
		b.len = DESCRIPTION_TEXT_MAX;
	return buf_error(&b) ? -ENOMEM : description_set_bytes(&d->text, b.data, b.len);
}

static void record_declared_tags(struct record *r, uint64_t node, const struct declared_table *t)
{
	_cleanup_buf_ struct buf tags = BUF_INIT;

	buf_addc(&tags, '[');
	for (size_t i = 0; t && i < t->ntags && i < TAGS_MOST; i++) {
		if (!t->tags[i][0] || strlen(t->tags[i]) > TAG_BYTES)
			continue;
		buf_adds(&tags, tags.len > 1 ? "," : "");
		buf_add_json(&tags, t->tags[i], strlen(t->tags[i]));
	}
	buf_addc(&tags, ']');
	if (!buf_error(&tags))
		record_tags(r, node, TAG_DECLARED, buf_str(&tags));
}

void quality_record(const struct quality *q, struct record *r, uint64_t node, uint64_t version)
{
	struct quality_row row = {.version = version,
				  .declaration = q->declaration,
				  .time = clock_wall(),
				  .failed = q->failed,
				  .found = buf_str(&q->found)};

	if (q->table || q->had_tags)
		record_declared_tags(r, node, q->table);
	if (q->checked)
		record_quality(r, &row);
}

/* ---- all again ---- */

struct renewal {
	struct lake *lake;
	struct declared_tables *tables;
	struct record *record;
	uint64_t n;
};

static int take_declaration(void *arg, const struct quality_row *q)
{
	*(int64_t *)arg = q->declaration;
	return 0;
}

/* Can it be looked at at all: is it here, and its bucket's files are catalogued? */
static bool can_look(struct lake *lake, const struct declared_table *t, uint64_t node)
{
	char name[NAME_BYTES + 1];
	struct bucket *bucket;
	struct inode *inode;
	bool stub;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(t->path, "/"), t->path);
	if (lake_bucket(lake, name, &bucket) || !bucket_policy(bucket)->auto_catalog || reach_node(lake, node, &inode))
		return false;
	pthread_mutex_lock(&inode->lock);
	stub = inode_is_stub(inode);
	pthread_mutex_unlock(&inode->lock);
	inode_unref(lake, inode);
	return !stub;
}

static int renew_table(struct renewal *r, const struct declared_table *t)
{
	struct node_row row;
	int64_t was = 0;
	int rc = store_find(r->lake->store, t->path, &row);

	if (rc || row.kind != KIND_FILE || !row.version)
		return rc == -ENOENT || rc == -ENOTDIR ? 0 : rc;
	rc = store_quality(r->lake->store, row.version, take_declaration, &was);
	if (rc && rc != -ENOENT)
		return rc;
	if ((!rc && was == declaration_of(r->lake, r->tables, t)) || !can_look(r->lake, t, row.id))
		return 0;
	record_job_add(r->record, JOB_SNIFF, row.version, 0);
	r->n++;
	return 0;
}

static int drop_tags(void *arg, uint64_t node)
{
	struct renewal *r = arg;
	_cleanup_buf_ struct buf path = BUF_INIT;

	if (!store_path(r->lake->store, node, &path) && !table_of(r->lake, r->tables, node, buf_str(&path), true)) {
		record_declared_tags(r->record, node, NULL);
		r->n++;
	}
	return 0;
}

int quality_renew(struct lake *lake, uint64_t *pending)
{
	struct renewal r = {.lake = lake, .tables = lake_tables(lake)};
	uint64_t pending_tables, commit;
	int rc = store_barrier(lake->store, 0);

	r.record = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	for (size_t i = 0; !rc && r.tables && i < r.tables->n; i++)
		rc = renew_table(&r, &r.tables->list[i]);
	pending_tables = r.n;
	if (!rc)
		rc = store_declared(lake->store, drop_tags, &r);
	tables_unref(r.tables);
	if (rc || !r.n)
		record_free(r.record);
	else
		rc = store_submit(lake->store, r.record, &commit);
	if (pending)
		*pending = pending_tables;
	return rc;
}
