/*
 * What the tests of the metadata store share: a store in a folder of its own, and records in few words.
 */
#ifndef TARN_TESTS_TEST_META_H
#define TARN_TESTS_TEST_META_H

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "meta/store.h"
#include "meta/store_test.h"
#include "tap.h"

static char test_folder[64], test_path[96];

static inline void test_remove(const char *suffix)
{
	char name[128];

	snprintf(name, sizeof(name), "%s%s", test_path, suffix);
	unlink(name);
}

static inline void test_remove_store(void)
{
	test_remove("");
	test_remove("-wal");
	test_remove("-shm");
	test_remove("-lock");
	test_remove("-reserve");
	test_remove("-new");
}

static inline void test_begin(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(test_folder, sizeof(test_folder), "%s/tarn-meta-XXXXXX", base && strlen(base) < 40 ? base : "/tmp");
	if (!mkdtemp(test_folder))
		abort();
	snprintf(test_path, sizeof(test_path), "%s/tarn.db", test_folder);
}

static inline int test_end(void)
{
	test_remove_store();
	is_int(rmdir(test_folder), 0, "nothing else is left in the store's folder");
	return done();
}

static inline struct store *test_open(enum store_mode mode)
{
	struct store *s = NULL;
	const char *why = NULL;
	int err = store_open(test_path, mode, &s, &why);

	if (err) {
		printf("Bail out! cannot open %s: %s (%s)\n", test_path, strerror(-err), why ? why : "");
		exit(1);
	}
	return s;
}

/* All that the store promises holds: SQLite's own check, what its tables say of each other, the totals. */
static inline void test_whole(struct store *s, const char *what)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (!is_int(store_check(s, true, &why), 0, what))
		diag("%s", buf_str(&why));
}

static inline void test_submit(struct store *s, struct record *r)
{
	if (store_submit(s, r, NULL) != 0 || store_barrier(s, 0) != 0)
		ok(false, "a record is committed");
}

static inline struct fhandle test_handle(uint64_t n)
{
	struct fhandle h = { .len = 8, .type = 1 };

	memcpy(h.bytes, &n, sizeof(n));
	return h;
}

static inline struct node_row test_node(struct store *s, enum node_kind kind)
{
	struct node_row n = { .id = store_new_node(s), .kind = kind, .uid = 1000, .gid = 100, .mtime = 5, .ctime = 6 };

	n.mode = kind == KIND_FOLDER ? 040755 : kind == KIND_SYMLINK ? 0120777 : 0100644;
	n.size = kind == KIND_FILE ? 10 : 0;
	n.handle = test_handle(n.id);
	return n;
}

/* Makes a node under a name, in one record that is visible afterwards. */
static inline uint64_t test_make(struct store *s, uint64_t parent, const char *name, enum node_kind kind)
{
	struct node_row n = test_node(s, kind);
	struct record *r = record_new(kind == KIND_FOLDER ? OP_MKDIR : OP_CREATE, RUN_TARN, 1000, n.id, parent, name);

	record_node_add(r, &n);
	record_entry_add(r, parent, name, n.id);
	test_submit(s, r);
	return n.id;
}

static inline void test_unlink(struct store *s, uint64_t parent, const char *name, uint64_t node)
{
	struct record *r = record_new(OP_UNLINK, RUN_TARN, 1000, node, parent, name);

	record_entry_end(r, parent, name, ENDED_UNLINK);
	record_node_end(r, node);
	test_submit(s, r);
}

static inline void test_rename(struct store *s, uint64_t parent, const char *from, const char *to, uint64_t node)
{
	struct record *r = record_new(OP_RENAME, RUN_TARN, 1000, node, parent, to);

	record_entry_end(r, parent, from, ENDED_RENAME);
	record_entry_add(r, parent, to, node);
	test_submit(s, r);
}

/* A version of NODE; its id. */
static inline uint64_t test_cut(struct store *s, uint64_t node, enum version_state state, enum version_how how,
				uint64_t size)
{
	struct version_row v = { .id = store_new_version(s),
				 .node = node,
				 .size = size,
				 .mtime = 7,
				 .mode = 0100640,
				 .uid = 1000,
				 .gid = 100,
				 .state = state,
				 .how = how,
				 .settled = true,
				 .run = RUN_TARN,
				 .run_uid = 1000 };
	struct record *r = record_new(OP_WRITE, RUN_TARN, 1000, node, 0, NULL);

	record_version_add(r, &v);
	test_submit(s, r);
	return v.id;
}

static inline void test_state(struct store *s, uint64_t version, enum version_state state, enum version_how how,
			      const char *reason)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	record_version_state(r, version, state, how, reason);
	test_submit(s, r);
}

static inline struct version_row test_version(struct store *s, uint64_t id)
{
	struct version_row v = { 0 };

	store_version(s, id, &v);
	return v;
}

static inline struct store_totals test_totals(struct store *s)
{
	struct store_totals t = { 0 };

	is_int(store_totals(s, &t), 0, "totals");
	return t;
}

/* SQL from outside, as another program would. */
static inline int test_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open(path, &db);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return rc;
}

#endif
