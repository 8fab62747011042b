/*
 * History leaves for the cloud as packs. A pack never changes, so that it is one object there, the very file, under a
 * key of its own: .tarn/packs/<number>-<half of its SHA-256>.
 *
 *	sent	the intent is durable; put, with the hash of every byte, then asked for again. Only then it is recorded
 *		as verified, durably. It may be removed here meanwhile, by who collects or erases: then its object is
 *		to go, which that record says, too
 *	left	with the turn of those who pack: an index stays here (content/pack/pack_index.h), that the pack is
 *		only in the cloud is durable, and then its file goes
 *
 * A crash leaves a pack that is here, and perhaps in the cloud, too; or one that is in the cloud and a file that the
 * next start removes (work/pack/pack_leftovers.c). An intent that a crash left is used by the next try: it has the same
 * key.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "content/hash.h"
#include "content/pack/packs.h"
#include "work/cloud/cloud.h"

struct parting {
	struct work *work;
	struct lake *lake;
	struct tier *tier;
	struct volume *volume;
	struct pack_row pack;
	struct pack_file *file;
	struct cloud_row row;
};

/* ---- to the cloud ---- */

static int describe(struct parting *p)
{
	_cleanup_buf_ struct buf name = BUF_INIT, key = BUF_INIT;
	uint64_t bytes;
	int rc = hash_fd(p->file->fd, work_is_stopping, p->work, p->row.sha256, &bytes);

	if (rc)
		return rc;
	buf_addf(&name, "%08" PRIx64 "-", p->pack.id);
	buf_add_hex(&name, p->row.sha256, SHA256_BYTES / 2);
	tier_key_of_own(&key, tier_prefix(p->tier), "packs", buf_str(&name));
	rc = buf_error(&name) ? -ENOMEM : cloud_set_key(p->row.key, &key);
	if (rc)
		return rc;
	p->row.pack = p->pack.id;
	p->row.hashed = true;
	p->row.size = p->row.stored = bytes;
	return bytes == p->pack.bytes ? 0 : -EIO;
}

static int put(struct parting *p, const struct tier_call *call)
{
	struct tier_put put = {.key = p->row.key,
			       .source = {p->row.size, tier_source_fd, &p->file->fd},
			       .facts = {.known = TIER_KNOWS_SHA256 | TIER_KNOWS_SIZE | TIER_KNOWS_VERSION,
					 .size = p->row.size,
					 .lake = p->lake->id},
			       .sha256 = p->row.sha256};

	memcpy(put.facts.sha256, p->row.sha256, SHA256_BYTES);
	return tier_put(p->tier, &put, call, NULL);
}

static int look(struct parting *p, const struct tier_call *call)
{
	struct tier_head head;
	int rc = tier_head(p->tier, p->row.key, call, &head);

	if (rc)
		return rc;
	if (!cloud_is(&head, &p->row))
		return -ESTALE;
	cloud_note_head(&p->row, &head);
	return 0;
}

/* It is there, and the store says so. The key is claimed. */
static int send(struct parting *p)
{
	struct tier_call call = cloud_call(p->work);
	int rc;

	p->row.state = CLOUD_INTENT;
	rc = cloud_intend(p->lake, &p->row);
	cloud_step(STEP_PACK_INTENT);
	if (!rc && look(p, &call)) /* an earlier try may have come so far */
		rc = put(p, &call);
	cloud_step(STEP_PACK_SENT);
	if (!rc)
		rc = look(p, &call);
	if (rc == -ESTALE)
		log_error("the cloud does not have what was sent to it under the key %s", p->row.key);
	if (rc)
		return rc;
	rc = cloud_verified(p->lake, &p->row);
	cloud_step(STEP_PACK_VERIFIED);
	return rc;
}

/* Is it there already, and still? */
static bool is_there(struct parting *p)
{
	struct tier_call call = cloud_call(p->work);
	struct cloud_row known;

	return !store_cloud_of_pack(p->lake->store, p->pack.id, &known) && !strcmp(known.key, p->row.key) &&
	       !look(p, &call);
}

static int leave(struct parting *p)
{
	struct cloud_row c;
	int rc;

	packs_begin(p->lake, true);
	rc = store_cloud_of_pack(p->lake->store, p->pack.id, &c);
	if (!rc)
		rc = pack_leave(p->lake, p->volume, p->pack.id);
	packs_end(p->lake);
	cloud_step(STEP_PACK_AWAY);
	return rc == -ENOENT ? 0 : rc; /* nobody needs it any more */
}

static int part_with(struct parting *p, bool leaving)
{
	int rc;

	if (!claim_key(p->work->claims, p->row.key))
		return -EAGAIN;
	rc = is_there(p) ? 0 : send(p);
	if (!rc && leaving)
		rc = leave(p);
	disclaim_key(p->work->claims, p->row.key);
	if (!rc && leaving)
		log_info("history: a pack of %.1f MB is only in the cloud now", (double)p->pack.bytes / 1e6);
	return rc;
}

/* ---- which ---- */

struct choice {
	struct lake *lake;
	bool leave;
	uint64_t after;
	struct pack_row pack;
};

static int choose(void *arg, const struct pack_row *row)
{
	struct choice *c = arg;
	struct cloud_row there;

	if (row->state != PACK_HERE || row->id <= c->after || !reach_volume(c->lake, row->volume))
		return 0;
	if (!c->leave && (row->bytes < PACK_LEAST || !store_cloud_of_pack(c->lake->store, row->id, &there)))
		return 0;
	c->pack = *row;
	return 1;
}

int cloud_pack(struct work *w, struct tier *t, bool leave)
{
	struct choice c = {.lake = w->lake, .leave = leave, .after = w->damaged_pack};
	struct parting p = {.work = w, .lake = w->lake, .tier = t};
	int rc = store_packs(w->lake->store, choose, &c);

	if (rc <= 0)
		return rc;
	p.pack = c.pack;
	p.volume = reach_volume(w->lake, c.pack.volume);
	rc = p.volume ? pack_file_open(p.volume->packsfd, c.pack.id, &p.file) : -EIO;
	if (rc == -ENOENT) /* who collects was faster */
		return 1;
	if (!rc)
		rc = describe(&p);
	if (rc && rc != -ECANCELED) { /* it is damaged: the others need not wait for it */
		log_error("versions/packs: pack %" PRIx64 " cannot leave for the cloud: %s", c.pack.id, strerror(-rc));
		w->damaged_pack = c.pack.id;
	}
	if (!rc)
		rc = part_with(&p, leave);
	if (p.file)
		pack_file_unref(p.file);
	return rc ? rc : 1;
}
