/*
 * What is purged leaves nothing in the database file: as long as these rows are written, SQLite overwrites with zeros
 * what it deletes, whole pages too (PRAGMA secure_delete). At other times it does so only within pages that it writes
 * anyway (conn.c). The WAL has the old pages still; store_scrub() empties it.
 */
#include "meta/apply/apply.h"

int apply_overwrite(struct apply *a, bool all)
{
	/* The index writes its pages at the commit. */
	if (!all && a->found)
		return SQLITE_OK;
	return sqlite3_exec(a->conn->db, all ? "PRAGMA secure_delete = ON" : "PRAGMA secure_delete = FAST", NULL, NULL,
			    NULL);
}

static int forget(struct apply *a, enum sql id, int64_t subject)
{
	int rc = apply_overwrite(a, true);

	if (rc == SQLITE_OK)
		rc = APPLY(a, id, NULL, subject);
	apply_overwrite(a, false);
	return rc;
}

int apply_version_forget(struct apply *a, struct record_reader *in)
{
	int64_t version = (int64_t)record_get(in);
	int rc = apply_description_drop(a, (uint64_t)version, true);

	if (rc == SQLITE_OK)
		rc = forget(a, SQL_VERSION_FORGET, version);
	return rc == SQLITE_OK ? forget(a, SQL_RUN_FORGET, version) : rc;
}

int apply_node_forget(struct apply *a, struct record_reader *in)
{
	int64_t node = (int64_t)record_get(in);
	int rc = forget(a, SQL_NODE_FORGET_PAST, node);

	return rc == SQLITE_OK ? forget(a, SQL_NODE_FORGET, node) : rc;
}
