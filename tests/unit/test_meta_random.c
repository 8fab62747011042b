/*
 * Random changes against a model: the names now, the names at any earlier commit, the totals; and that no statement
 * which runs often reads more of a table than it needs.
 */
#include <time.h>

#include "meta/functions.h"
#include "meta/sql.h"
#include "test_meta.h"

#define FOLDERS 5
#define NAMES 8
#define STEPS 4000
#define MOMENTS 20

struct model {
	uint64_t at[FOLDERS][NAMES]; /* 0: no such name */
};

struct moment {
	uint64_t commit;
	struct model model;
};

static uint64_t folders[FOLDERS];

static const char *name_of(int i)
{
	static const char *const names[NAMES] = {"a", "b.csv", "\xc3\xa9", "\xff", "n\n", "-", "@v", "aa"};

	return names[i];
}

static void change(struct store *s, struct model *m, unsigned *seed)
{
	int f = rand_r(seed) % FOLDERS, n = rand_r(seed) % NAMES, g = rand_r(seed) % FOLDERS, k = rand_r(seed) % NAMES;
	uint64_t *here = &m->at[f][n], *there = &m->at[g][k];
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, *here, folders[f], name_of(n));
	struct node_row node;

	switch (rand_r(seed) % 4) {
	case 0:
		/* Over a live name, too: the store ends that one itself. */
		node = test_node(s, rand_r(seed) % 5 ? KIND_FILE : KIND_SYMLINK);
		node.size = node.kind == KIND_FILE ? (uint64_t)rand_r(seed) % 100000 : 0;
		record_node_add(r, &node);
		record_entry_add(r, folders[f], name_of(n), node.id);
		if (node.kind == KIND_FILE)
			record_version_add(r, &(struct version_row){.id = store_new_version(s),
								    .node = node.id,
								    .state = VERSION_LIVE,
								    .settled = true});
		*here = node.id;
		break;
	case 1:
		record_entry_end(r, folders[f], name_of(n), ENDED_UNLINK);
		*here = 0;
		break;
	case 2:
		if (!*here || here == there)
			break;
		record_entry_end(r, folders[f], name_of(n), ENDED_RENAME);
		record_entry_end(r, folders[g], name_of(k), ENDED_UNLINK);
		record_entry_add(r, folders[g], name_of(k), *here);
		*there = *here;
		*here = 0;
		break;
	default:
		if (!*here || here == there)
			break;
		record_entry_add(r, folders[g], name_of(k), *here);
		*there = *here;
	}
	store_submit(s, r, NULL);
}

struct compare {
	const struct model *model;
	int folder, count, wrong;
};

static int compare_entry(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	struct compare *c = arg;
	bool found = false;

	(void)kind;
	for (int n = 0; n < NAMES; n++)
		found |= strcmp(name_of(n), name) == 0 && c->model->at[c->folder][n] == node;
	c->wrong += !found;
	c->count++;
	return 0;
}

static int names_in(const struct model *m, int folder)
{
	int count = 0;

	for (int n = 0; n < NAMES; n++)
		count += m->at[folder][n] != 0;
	return count;
}

static int compare_now(struct store *s, const struct model *m)
{
	int wrong = 0;

	for (int f = 0; f < FOLDERS; f++) {
		struct compare c = {m, f, 0, 0};

		store_entries(s, folders[f], compare_entry, &c);
		wrong += c.wrong + (c.count != names_in(m, f));
		for (int n = 0; n < NAMES; n++) {
			struct node_row row = {0};
			int err = store_entry(s, folders[f], name_of(n), &row);

			wrong += m->at[f][n] ? err != 0 || row.id != m->at[f][n] : err != -ENOENT;
		}
	}
	return wrong;
}

static int compare_past_entry(void *arg, const struct past_entry *e)
{
	return compare_entry(arg, e->name, e->node, e->kind);
}

static int compare_then(struct store *s, const struct moment *then)
{
	int wrong = 0;

	for (int f = 0; f < FOLDERS; f++) {
		struct compare c = {&then->model, f, 0, 0};

		store_entries_at(s, folders[f], then->commit, NULL, compare_past_entry, &c);
		wrong += c.wrong + (c.count != names_in(&then->model, f));
		for (int n = 0; n < NAMES; n++) {
			uint64_t there = then->model.at[f][n];
			struct node_row row = {0};
			int err = store_entry_at(s, folders[f], name_of(n), then->commit, &row);

			wrong += there ? err != 0 || row.id != there : err != -ENOENT;
		}
	}
	return wrong;
}

/* The few that read a whole table or index, on purpose: it is small, partial, or bounded by LIMIT; the versions that a
 * power failure may have taken are looked for once after it. */
static bool may_scan(enum sql id)
{
	return id == SQL_NODE_WRITING || id == SQL_VERSIONS_KEPT || id == SQL_LAST_COMMIT || id == SQL_PACKS ||
	       id == SQL_PACK_TOTALS || id == SQL_PACK_STAYING_TOTALS || id == SQL_PACK_AWAY_TOTALS ||
	       id == SQL_OBJECT_TOTALS || id == SQL_OBJECTS_UNUSED || id == SQL_NOT_KEPT ||
	       id == SQL_VERSIONS_BY_HASH || id == SQL_SYNCED_FORGET || id == SQL_VERSIONS_NOT_DURABLE ||
	       /* of one file, or all there are */
	       id == SQL_TAGS_OF || id == SQL_TAGS_SAME || id == SQL_TAGS_ADD || id == SQL_TAGS_ADD_XATTRS ||
	       id == SQL_TAGS || id == SQL_COUNT_MIMES || id == SQL_CATALOG_TOTALS || id == SQL_MIMES ||
	       id == SQL_EDGES_COUNT || id == SQL_DECLARED;
}

static void test_plans(sqlite3 *db)
{
	functions_add(db);
	for (int id = 0; id < SQL_COUNT; id++) {
		_cleanup_buf_ struct buf sql = BUF_INIT, plan = BUF_INIT;
		sqlite3_stmt *st = NULL;
		bool good = true;

		buf_addf(&sql, "EXPLAIN QUERY PLAN %s", sql_text[id]);
		if (sqlite3_prepare_v2(db, sql.data, -1, &st, NULL) != SQLITE_OK)
			good = false;
		while (st && sqlite3_step(st) == SQLITE_ROW) {
			const char *line = (const char *)sqlite3_column_text(st, 3);

			buf_addf(&plan, "%s; ", line);
			good &= may_scan((enum sql)id) || strstr(line, " VIRTUAL TABLE ") ||
				(!strstr(line, "SCAN ") && !strstr(line, "TEMP B-TREE"));
			/* The database has no BEGIN of its own to plan. */
			good |= strstr(line, "SCAN CONSTANT ROW") != NULL;
		}
		sqlite3_finalize(st);
		if (!ok(good, "statement %d reads only what it needs", id))
			diag("%s: %s", sql_text[id], buf_str(&plan));
	}
}

int main(void)
{
	struct store *s;
	struct model model = {0};
	struct moment moments[MOMENTS];
	unsigned seed = (unsigned)time(NULL);
	int wrong = 0, taken = 0;
	sqlite3 *db;

	test_begin();
	diag("seed %u", seed);
	s = test_open(STORE_CREATE);
	for (int f = 0; f < FOLDERS; f++) {
		char name[32];

		snprintf(name, sizeof(name), "folder%d", f);
		folders[f] = test_make(s, NODE_ROOT, name, KIND_FOLDER);
	}
	for (int i = 0; i < STEPS; i++) {
		change(s, &model, &seed);
		if (i % (STEPS / MOMENTS) == 0)
			moments[taken++] = (struct moment){store_last_commit(s), model};
		if (i % 100 == 0) {
			store_barrier(s, 0);
			wrong += compare_now(s, &model);
		}
	}
	is_int(store_barrier(s, 0), 0, "random changes are committed");
	wrong += compare_now(s, &model);
	is_int(wrong, 0, "names are at all times what the model says");
	test_whole(s, "whole, and the totals count right");
	wrong = 0;
	for (int i = 0; i < taken; i++)
		wrong += compare_then(s, &moments[i]);
	is_int(wrong, 0, "and as of every earlier commit what they were then");
	store_close(s);
	sqlite3_open(test_path, &db);
	test_plans(db);
	sqlite3_close(db);
	return test_end();
}
