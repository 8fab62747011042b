#include "content/past/pin.h"

#include <errno.h>

#include "base/cleanup.h"

/* Is the tier of the bucket NAME `pinned`? */
static bool bucket_is_pinned(struct lake *lake, const char *name)
{
	struct settings *settings = lake_settings(lake);
	bool pinned = settings_bucket(settings, name)->tier == TIER_PINNED;

	settings_unref(settings);
	return pinned;
}

int pin_of(struct lake *lake, uint64_t node)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct node_row row;
	uint64_t parent;
	int rc;

	for (uint64_t at = node; at != NODE_ROOT; at = parent) {
		rc = store_node(lake->store, at, &row);
		if (!rc && row.pin)
			return at == node ? PIN_OWN : PIN_ABOVE;
		buf_clear(&name);
		if (!rc)
			rc = store_name(lake->store, at, &parent, &name);
		if (rc < 0)
			return rc == -ENOENT ? PIN_NONE : rc;
		if (parent == NODE_ROOT && bucket_is_pinned(lake, buf_str(&name)))
			return PIN_ABOVE;
	}
	return PIN_NONE;
}

bool pin_keeps_past(struct lake *lake, uint64_t node)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct node_row row;
	uint64_t parent, unused;

	for (uint64_t at = node; at != NODE_ROOT; at = parent) {
		if (!store_node(lake->store, at, &row) && row.pin)
			return true;
		if (store_last_place(lake->store, at, 0, &parent))
			return false;
		if (parent == NODE_ROOT)
			return !store_name(lake->store, at, &unused, &name) && bucket_is_pinned(lake, buf_str(&name));
	}
	return false;
}
