/* Labels, packs, and the objects in them. */
#include "meta/apply/apply.h"

int apply_label_set(struct apply *a, struct record_reader *in)
{
	_cleanup_query_ struct query q = {};
	uint64_t folder = record_get(in), commit;
	size_t len;
	const char *name = record_get_string(in, &len);
	int rc;

	commit = record_get(in);
	if (!commit)
		commit = a->record->commit;
	query_start(&q, a->conn, SQL_LABEL_SET);
	query_int(&q, (int64_t)folder);
	query_blob(&q, name, len);
	query_int(&q, (int64_t)commit);
	query_int(&q, a->record->time);
	query_int(&q, (int64_t)record_get(in)); /* uid */
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : apply_failed(a, rc, "a label of folder", folder);
}

int apply_label_remove(struct apply *a, struct record_reader *in)
{
	_cleanup_query_ struct query q = {};
	uint64_t folder = record_get(in);
	size_t len;
	const char *name = record_get_string(in, &len);
	int rc;

	query_start(&q, a->conn, SQL_LABEL_REMOVE);
	query_int(&q, (int64_t)folder);
	query_blob(&q, name, len);
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int apply_pack_set(struct apply *a, struct record_reader *in)
{
	int64_t id = (int64_t)record_get(in), volume = (int64_t)record_get(in), bytes = (int64_t)record_get(in);

	return APPLY(a, SQL_PACK_SET, NULL, id, volume, bytes, (int64_t)record_get(in));
}

int apply_pack_remove(struct apply *a, struct record_reader *in)
{
	int64_t id = (int64_t)record_get(in);
	int rc = APPLY(a, SQL_OBJECTS_REMOVE, NULL, id);

	if (rc == SQLITE_OK)
		rc = apply_cloud_pack_over(a, (uint64_t)id);
	return rc == SQLITE_OK ? APPLY(a, SQL_PACK_REMOVE, NULL, id) : rc;
}

int apply_object_set(struct apply *a, struct record_reader *in)
{
	_cleanup_query_ struct query q = {};
	size_t len;
	const void *sha256 = record_get_blob(in, &len);
	int rc;

	query_start(&q, a->conn, SQL_OBJECT_SET);
	query_blob(&q, sha256, len);
	for (int i = 0; i < 4; i++) /* size, pack, offset, length */
		query_int(&q, (int64_t)record_get(in));
	sha256 = record_get_blob(in, &len); /* of the base */
	query_blob(&q, sha256, len);
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int apply_object_remove(struct apply *a, struct record_reader *in)
{
	_cleanup_query_ struct query q = {};
	size_t len;
	const void *sha256 = record_get_blob(in, &len);
	int rc;

	query_start(&q, a->conn, SQL_OBJECT_REMOVE);
	query_blob(&q, sha256, len);
	rc = query_step(&q);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}
