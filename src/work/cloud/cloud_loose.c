/*
 * Old versions that do not pack leave for the cloud as they are: each content as a plain object,
 * .tarn/objects/<sha256>, as if a file's had been spared (work/cloud/cloud_spare.c). The object is verified and
 * recorded as the version's; from then on that version is one that the cloud has, too, and leaves like those
 * (work/cloud/cloud_history.c).
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/past/kept.h"
#include "content/past/past.h"
#include "content/past/pin.h"
#include "work/cloud/cloud.h"

#define AGAIN_NS (10 * NSEC_PER_SEC)

/* ---- sending one ---- */

static ssize_t read_it(void *arg, void *to, size_t len, uint64_t at)
{
	return past_read(arg, to, len, (off_t)at);
}

static int put(struct work *w, struct tier *t, const struct version_row *v, struct past *past, struct cloud_row *c)
{
	struct tier_call call = cloud_call(w);
	struct tier_put put = {.key = c->key,
			       .source = {v->size, read_it, past},
			       .facts = {.known = TIER_KNOWS_SHA256 | TIER_KNOWS_SIZE | TIER_KNOWS_VERSION,
					 .size = v->size,
					 .lake = w->lake->id,
					 .node = v->node,
					 .version = v->number},
			       .sha256 = v->sha256};
	struct tier_head head;
	int rc;

	memcpy(put.facts.sha256, v->sha256, SHA256_BYTES);
	rc = tier_put(t, &put, &call, NULL);
	cloud_step(STEP_SENT);
	if (!rc)
		rc = tier_head(t, c->key, &call, &head);
	if (!rc && !cloud_is(&head, c))
		rc = -EIO;
	cloud_step(STEP_LOOKED);
	if (rc)
		return rc;
	cloud_note_head(c, &head);
	return 0;
}

/* The key is claimed. -ESTALE: its bytes are not what was hashed. */
static int send(struct work *w, struct tier *t, const struct version_row *v, struct cloud_row *c)
{
	struct past *past;
	int rc = past_open(w->lake, v, &past);

	if (rc)
		return rc;
	rc = cloud_intend(w->lake, c);
	cloud_step(STEP_INTENT);
	if (!rc)
		rc = put(w, t, v, past, c);
	past_close(past);
	return rc ? rc : cloud_verified(w->lake, c);
}

static int send_and_leave(struct work *w, struct tier *t, const struct version_row *v)
{
	struct cloud_row c = {
		.version = v->id, .hashed = true, .size = v->size, .stored = v->size, .state = CLOUD_INTENT};
	int rc;

	memcpy(c.sha256, v->sha256, SHA256_BYTES);
	rc = cloud_key_of_content(t, &c, c.key);
	if (rc)
		return rc;
	if (!claim_key(w->claims, c.key))
		return -EAGAIN;
	rc = send(w, t, v, &c);
	disclaim_key(w->claims, c.key);
	return rc ? rc : cloud_history_leave(w, t, v);
}

/* ---- which ---- */

struct choice {
	struct work *work;
	struct version_row version;
};

/* What older versions are read through has to stay as it is, and so has what its packer has not seen. */
static int choose(void *arg, const struct version_row *v)
{
	struct choice *c = arg;
	struct lake *lake = c->work->lake;
	struct cloud_row there;

	if (v->end_commit > atomic_load(&lake->cloud.packed_to) || work_stopping(c->work))
		return -ENOENT; /* nor has what comes after it */
	c->work->loose.commit = v->end_commit;
	c->work->loose.version = v->id;
	if ((v->how != HOW_ASIDE && v->how != HOW_COPY && v->how != HOW_REFLINK) || v->state != VERSION_KEPT ||
	    !v->settled || !v->hashed || !v->size || !reach_volume(lake, v->volume) || kept_is_needed(lake, v) ||
	    pin_keeps_past(lake, v->node) || !store_cloud_of_version(lake->store, v->id, &there))
		return 0;
	c->version = *v;
	return 1;
}

int cloud_loose(struct work *w, struct tier *t)
{
	struct choice c = {.work = w};
	int rc;

	if (w->loose.packed_to != atomic_load(&w->lake->cloud.packed_to))
		w->loose.again = 0;
	if (clock_monotonic() < w->loose.again)
		return 0;
	w->loose.packed_to = atomic_load(&w->lake->cloud.packed_to);
	rc = store_kept_after(w->lake->store, w->loose.commit, w->loose.version, INT32_MAX, choose, &c);
	if (rc <= 0) { /* what could not leave now may do so then */
		w->loose.commit = w->loose.version = 0;
		w->loose.again = clock_monotonic() + AGAIN_NS;
		return rc == -ENOENT ? 0 : rc;
	}
	rc = send_and_leave(w, t, &c.version);
	if (rc == -ENOENT || rc == -ESTALE || rc == -EIO) { /* its own fault: the others go on */
		log_warning("node %llu: version %llu (number %llu) cannot leave for the cloud: %s",
			    (unsigned long long)c.version.node, (unsigned long long)c.version.id,
			    (unsigned long long)c.version.number, strerror(-rc));
		return 1;
	}
	return rc ? rc : 1;
}
