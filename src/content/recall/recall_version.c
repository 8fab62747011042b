#include "content/recall/recall_version.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "content/reach.h"
#include "content/cloud/remote.h"

static int find_object(struct lake *lake, const struct version_row *v, struct cloud_row *object)
{
	int rc = store_cloud_of_version(lake->store, v->id, object);

	if (rc == -ENOENT)
		return -ENODATA;
	if (!rc && (object->size != v->size || object->remote[0])) {
		log_warning("%s: tarn cannot read version %llu from it", object->key, (unsigned long long)v->id);
		return -ENODATA;
	}
	return rc;
}

/* Any disk will do for the bytes of a version whose own is not there. */
static int cache_of(struct lake *lake, const struct version_row *v)
{
	struct volume *volume = reach_volume(lake, v->volume);

	return volume ? volume->cachefd : lake->volumes[0]->cachefd;
}

int recall_open_version(struct lake *lake, const struct version_row *v, struct recall **out)
{
	struct recall_source source = {.id = v->id, .size = v->size};
	_cleanup_tier_ struct tier *tier = lake_tier(lake);
	struct cloud_row object;
	int rc = find_object(lake, v, &object);

	if (rc < 0)
		return rc;
	source.key = object.key;
	source.etag = object.etag;
	source.compressed = object.compress ? object.stored : 0;
	source.hashed = v->hashed || object.hashed;
	memcpy(source.sha256, v->hashed ? v->sha256 : object.sha256, SHA256_BYTES);
	return tier ? recall_open(lake->recalls, tier, cache_of(lake, v), &source, out) : -EHOSTUNREACH;
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

static struct recall_source source_of(const struct version_row *v)
{
	struct recall_source s = {.id = v->id, .key = "", .size = v->size, .hashed = v->hashed};

	memcpy(s.sha256, v->sha256, SHA256_BYTES);
	return s;
}

void recall_keep_version_ends(struct lake *lake, const struct version_row *v, int fd)
{
	const struct recall_source s = source_of(v);

	recall_keep_ends(lake->recalls, cache_of(lake, v), &s, fd);
}

bool recall_has_version_ends(struct lake *lake, uint64_t version)
{
	struct recall_source s;
	struct version_row v;

	if (store_version(lake->store, version, &v) || !v.hashed)
		return false;
	s = source_of(&v);
	return recall_has_ends(cache_of(lake, &v), &s);
}
