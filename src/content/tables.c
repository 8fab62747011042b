#include "content/tables.h"

#include "base/cleanup.h"

int lake_load_tables(struct lake *lake, struct findings *findings)
{
	struct declared_tables *new, *old;
	int rc = tables_load(lake->path, &new, findings);

	if (rc)
		return rc;
	pthread_mutex_lock(&lake->buckets_lock);
	old = lake->tables;
	lake->tables = new;
	pthread_mutex_unlock(&lake->buckets_lock);
	tables_unref(old);
	return 0;
}

struct declared_tables *lake_tables(struct lake *lake)
{
	SCOPED_LOCK(&lake->buckets_lock);

	return tables_ref(lake->tables);
}
