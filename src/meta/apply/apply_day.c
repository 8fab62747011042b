/*
 * On which days something changed below a folder (table folder_day), for a listing of D@v.
 *
 * A folder that has the day has it in all folders above it, too: the climb ends at the first one that has it already.
 * So most changes cost one look into the cache. A folder that moves takes nothing along, for the rename itself is a
 * change in the folder that it comes to.
 */
#include "meta/apply/apply.h"
#include "meta/store_int.h"

#define DAY_NS INT64_C(86400000000000)

static int parent_of(struct apply *a, uint64_t node, uint64_t *parent)
{
	_cleanup_query_ struct query q = {};
	int rc;

	*parent = 0;
	query_start(&q, a->conn, SQL_ENTRY_OF_NODE);
	query_int(&q, (int64_t)node);
	rc = query_step(&q);
	if (rc == SQLITE_ROW)
		*parent = (uint64_t)query_get(&q);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int apply_day(struct apply *a, uint64_t folder)
{
	int64_t day = a->record->time / DAY_NS;
	int rc = SQLITE_OK;

	for (int depth = 0; rc == SQLITE_OK && folder && depth < PATH_DEEP; depth++) {
		struct noted_day *noted = &a->days[folder % DAYS_CACHED];
		int added = 0;

		if (noted->folder == folder && noted->day == day)
			break;
		rc = APPLY(a, SQL_FOLDER_DAY_ADD, &added, (int64_t)folder, day);
		if (rc != SQLITE_OK)
			break;
		*noted = (struct noted_day){folder, day};
		if (!added || folder == NODE_ROOT)
			break;
		rc = parent_of(a, folder, &folder);
	}
	return rc;
}

int apply_day_of(struct apply *a, uint64_t node)
{
	uint64_t parent = a->record->parent;
	int rc = parent ? SQLITE_OK : parent_of(a, node, &parent);

	return rc == SQLITE_OK ? apply_day(a, parent) : rc;
}
