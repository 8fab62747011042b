#include "content/recall_version.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "content/reach.h"
#include "content/remote.h"

static int find_object(struct lake *lake, const struct version_row *v, struct cloud_row *object)
{
	int rc = store_cloud_of_version(lake->store, v->id, object);

	if (rc == -ENOENT)
		return -ENODATA;
	if (!rc && (object->compress || object->size != v->size || object->remote[0])) {
		log_warning("%s: tarn cannot read version %llu from it", object->key, (unsigned long long)v->id);
		return -ENODATA;
	}
	return rc;
}

int recall_open_version(struct lake *lake, const struct version_row *v, struct recall **out)
{
	struct volume *volume = reach_volume(lake, v->volume);
	struct recall_source source = {.id = v->id, .size = v->size};
	_cleanup_tier_ struct tier *tier = lake_tier(lake);
	struct cloud_row object;
	int rc = find_object(lake, v, &object);

	if (rc < 0)
		return rc;
	if (!volume)
		volume = lake->volumes[0]; /* any disk will do for the bytes of a version whose own is not there */
	source.key = object.key;
	source.etag = object.etag;
	source.hashed = v->hashed || object.hashed;
	memcpy(source.sha256, v->hashed ? v->sha256 : object.sha256, SHA256_BYTES);
	return tier ? recall_open(lake->recalls, tier, volume->cachefd, &source, out) : -EHOSTUNREACH;
}

int recall_find_again(struct lake *lake, uint64_t version)
{
	struct version_row v;
	struct recall *r;
	int rc = store_version(lake->store, version, &v);

	if (!rc)
		rc = recall_open_version(lake, &v, &r);
	if (!rc)
		recall_close(r); /* it is open elsewhere, and knows its new place now */
	return rc;
}
