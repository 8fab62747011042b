#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "work/cloud/cloud.h"

#define UNREACHABLE_NS (30 * NSEC_PER_SEC)

void (*cloud_step_hook)(enum cloud_step step);

struct tier_call cloud_call(struct work *w)
{
	return (struct tier_call){.stop = work_is_stopping, .arg = w, .background = true};
}

bool cloud_is_usable(struct lake *lake, struct tier *t)
{
	struct tier_stats stats;

	if (remote_is_others(lake, NULL))
		return false;
	tier_stats(t, &stats);
	return !stats.unreachable_since || clock_wall() - stats.unreachable_since < UNREACHABLE_NS;
}

int cloud_set_key(char key[CLOUD_KEY_BYTES + 1], const struct buf *found)
{
	if (buf_error(found))
		return -ENOMEM;
	if (found->len > CLOUD_KEY_BYTES)
		return -ENAMETOOLONG;
	memcpy(key, buf_str(found), found->len + 1);
	return 0;
}

/* Is there something called PATH? 1, 0 or -errno. PATH is taken apart. */
static int is_name(struct lake *lake, char *path)
{
	struct node_row n = {.id = NODE_ROOT};
	char *save, *name = strtok_r(path, "/", &save);
	int rc = 0;

	for (; name && !rc; name = strtok_r(NULL, "/", &save))
		rc = store_entry(lake->store, n.id, name, &n);
	return rc == -ENOENT ? 0 : rc ? rc : 1;
}

static int is_taken(struct lake *lake, const struct buf *path)
{
	_cleanup_buf_ struct buf other = BUF_INIT;

	buf_addf(&other, "%s" TIER_COMPRESSED, buf_str(path));
	return buf_error(&other) ? buf_error(&other) : is_name(lake, other.data);
}

int cloud_key_by_name(struct lake *lake, struct tier *t, uint64_t node, bool compress, char key[CLOUD_KEY_BYTES + 1])
{
	_cleanup_buf_ struct buf path = BUF_INIT, found = BUF_INIT;
	struct bucket *bucket;
	char *slash;
	int rc = store_path(lake->store, node, &path);

	slash = rc ? NULL : strchr(path.data, '/');
	if (!slash)
		return rc == -ENOENT || !rc ? CLOUD_NAMELESS : rc;
	rc = compress ? is_taken(lake, &path) : 0;
	if (rc)
		return rc < 0 ? rc : CLOUD_NAME_TAKEN;
	if (compress)
		buf_adds(&path, TIER_COMPRESSED);
	if (buf_error(&path))
		return buf_error(&path);
	slash = strchr(path.data, '/');
	*slash = '\0';
	rc = lake_bucket(lake, path.data, &bucket);
	if (rc < 0 || !bucket_policy(bucket)->versioned)
		return rc < 0 ? rc : CLOUD_NAMELESS;
	tier_key_of(t, &found, path.data, slash + 1);
	return cloud_set_key(key, &found);
}

int cloud_key_of_version(struct tier *t, uint64_t version, bool compress, char key[CLOUD_KEY_BYTES + 1])
{
	_cleanup_buf_ struct buf found = BUF_INIT;
	char name[40];

	snprintf(name, sizeof(name), "version-%" PRIx64 "%s", version, compress ? TIER_COMPRESSED : "");
	tier_key_of_own(&found, tier_prefix(t), "objects", name);
	return cloud_set_key(key, &found);
}

int cloud_key_of_content(struct tier *t, const struct cloud_row *c, char key[CLOUD_KEY_BYTES + 1])
{
	_cleanup_buf_ struct buf found = BUF_INIT;

	tier_key_of_content(&found, tier_prefix(t), c->sha256);
	buf_adds(&found, c->compress ? TIER_COMPRESSED : "");
	return cloud_set_key(key, &found);
}

/* ---- what the store has ---- */

int cloud_is_still(struct lake *lake, const struct cloud_row *c)
{
	struct cloud_row now;
	int rc = store_cloud_by_key(lake->store, c->remote, c->key, &now);

	if (rc < 0)
		return rc == -ENOENT ? -ESTALE : rc;
	return now.id == c->id && now.version == c->version && now.state == c->state && now.time == c->time ? 0
													    : -ESTALE;
}

int cloud_has_intent(struct lake *lake, const struct cloud_row *c)
{
	struct cloud_row now;
	int rc = store_cloud_by_key(lake->store, c->remote, c->key, &now);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	return !rc && now.state == CLOUD_INTENT && now.version == c->version ? 0 : -EAGAIN;
}

int cloud_record(struct lake *lake, struct record *r)
{
	uint64_t commit;
	int rc = store_submit(lake->store, r, &commit);

	return rc ? rc : store_sync(lake->store, commit);
}

int cloud_intend(struct lake *lake, const struct cloud_row *c)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	int rc;

	record_cloud_set(r, c);
	rc = cloud_record(lake, r);
	return rc ? rc : cloud_has_intent(lake, c);
}

int cloud_verified(struct lake *lake, const struct cloud_row *c)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	record_cloud_verified(r, c);
	return cloud_record(lake, r);
}

/* ---- what the remote says ---- */

bool cloud_is(const struct tier_head *head, const struct cloud_row *c)
{
	const struct tier_facts *f = &head->facts;

	return head->size == c->stored && f->zstd == !!c->compress && (f->known & TIER_KNOWS_SHA256) &&
	       !memcmp(f->sha256, c->sha256, SHA256_BYTES);
}

bool cloud_is_ours(const struct lake *lake, const struct cloud_row *known, const struct tier_head *head)
{
	if (known && known->etag[0] && !strcmp(known->etag, head->etag))
		return true;
	return (head->facts.known & TIER_KNOWS_VERSION) && head->facts.lake == lake->id;
}

void cloud_note_head(struct cloud_row *c, const struct tier_head *head)
{
	c->stored = head->size;
	snprintf(c->etag, sizeof(c->etag), "%s", head->etag);
	snprintf(c->class, sizeof(c->class), "%s", head->class);
}
