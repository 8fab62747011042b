/*
 * Edges, in the writer: those that are new, and what becomes of them when their versions do.
 *
 * A version whose content came again left its series, and its edges went to the one that stands for it. Who read it
 * may say so later still; then the one that stands for it is looked for by its series and hash.
 */
#include "meta/apply/apply.h"

/* The version that is told of when VERSION (of NODE) is meant, and since when it was content; *ID 0: there is none. */
static int find_end(struct apply *a, enum sql sql, uint64_t version, uint64_t node, uint64_t *id, uint64_t *commit)
{
	_cleanup_query_ struct query q = {};
	int rc;

	*id = 0;
	query_start(&q, a->conn, sql);
	query_int(&q, (int64_t)version);
	if (sql == SQL_EDGE_INPUT_NEXT)
		query_int(&q, (int64_t)node);
	rc = query_step(&q);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	*id = (uint64_t)query_get(&q);
	*commit = (uint64_t)query_get(&q);
	return SQLITE_OK;
}

int apply_edge(struct apply *a, struct record_reader *in)
{
	uint64_t output = record_get(in), meant = record_get(in), input, began, since, node;
	int64_t class = (int64_t)record_get(in), run = (int64_t)record_get(in);
	int rc = find_end(a, SQL_EDGE_OUTPUT, output, 0, &output, &since);

	node = record_get(in);
	if (rc != SQLITE_OK || !output)
		return rc;
	rc = find_end(a, SQL_EDGE_INPUT, meant, 0, &input, &began);
	if (rc == SQLITE_OK && !input && node)
		rc = find_end(a, SQL_EDGE_INPUT_NEXT, meant, node, &input, &began);
	if (rc != SQLITE_OK || !input || input == output || began >= since)
		return rc;
	rc = APPLY(a, SQL_EDGE_ADD, NULL, (int64_t)output, (int64_t)input, class, run, (int64_t)a->record->commit);
	return rc == SQLITE_OK ? rc : apply_failed(a, rc, "an edge to version", output);
}

int apply_run_wrote(struct apply *a, struct record_reader *in)
{
	return APPLY(a, SQL_RUN_WROTE, NULL, (int64_t)record_get(in), a->record->time);
}

int apply_edges_same(struct apply *a, uint64_t newer, uint64_t older)
{
	int64_t to = (int64_t)newer, from = (int64_t)older;
	/* it is as old as that one from now on: what it was made from since then was made when it was there already */
	int rc = APPLY(a, SQL_EDGES_TOO_NEW, NULL, to, from);

	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_EDGES_MOVE_OUTPUT, NULL, to, from);
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_EDGES_MOVE_INPUT, NULL, to, from);
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_EDGES_DROP_OUTPUT, NULL, from);
	return rc == SQLITE_OK ? APPLY(a, SQL_EDGES_DROP_INPUT, NULL, from) : rc;
}

int apply_edges_lead_from(struct apply *a, uint64_t version, bool *found)
{
	_cleanup_query_ struct query q = {};
	int rc;

	query_start(&q, a->conn, SQL_EDGE_LEADS_FROM);
	query_int(&q, (int64_t)version);
	rc = query_step(&q);
	*found = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int apply_edges_drop(struct apply *a, uint64_t version)
{
	return APPLY(a, SQL_EDGES_DROP_OUTPUT, NULL, (int64_t)version);
}

/*
 * The bytes of VERSION are known: what was made from a version with the same bytes is a copy of that, and was made from
 * nothing else.
 */
int apply_edges_hashed(struct apply *a, uint64_t version)
{
	int rc = APPLY(a, SQL_EDGES_COPY_UP, NULL, (int64_t)version);

	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_EDGES_COPY_DOWN, NULL, (int64_t)version);
	if (rc == SQLITE_OK)
		rc = APPLY(a, SQL_EDGES_COPY_ONLY, NULL, (int64_t)version);
	return rc == SQLITE_OK ? APPLY(a, SQL_EDGES_COPY_ONLY_DOWN, NULL, (int64_t)version) : rc;
}
