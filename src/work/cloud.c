#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "work/cloud.h"

#define UNREACHABLE_NS (30 * NSEC_PER_SEC)

void (*cloud_step_hook)(enum cloud_step step);

struct tier_call cloud_call(struct work *w)
{
	return (struct tier_call){.stop = work_is_stopping, .arg = w, .background = true};
}

bool cloud_is_reachable(struct tier *t)
{
	struct tier_stats stats;

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

bool cloud_is(const struct tier_head *head, const uint8_t sha256[SHA256_BYTES], uint64_t size)
{
	const struct tier_facts *f = &head->facts;

	return head->size == size && !f->zstd && (f->known & TIER_KNOWS_SHA256) &&
	       !memcmp(f->sha256, sha256, SHA256_BYTES);
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
