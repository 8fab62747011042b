/*
 * Sparing: an object that holds the only bytes of something that can be read is copied, by the server, to
 * .tarn/objects/ before its key gets another content or none. The copy is verified and its record durable first; then
 * it is what the version is read from.
 *
 * Old versions are read from any object with their content: .tarn/objects/<sha256> serves all of them. A stub is read
 * only from an object of its own version, so where that name is taken by another's, it gets one that names the version.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "work/cloud/cloud.h"

static bool is_same(const struct cloud_row *c, const struct tier_head *head)
{
	if (c->hashed && (head->facts.known & TIER_KNOWS_SHA256))
		return !memcmp(head->facts.sha256, c->sha256, SHA256_BYTES) && head->size == c->stored;
	return head->size == c->stored;
}

int cloud_copy(struct work *w, struct tier *t, const struct cloud_row *from, struct cloud_row *to)
{
	struct tier_call call = cloud_call(w);
	struct tier_copy copy = {
		.from = from->key, .to = to->key, .etag = from->etag[0] ? from->etag : NULL, .size = from->stored};
	struct tier_head head;
	int rc;

	to->state = CLOUD_INTENT;
	to->compress = from->compress;
	to->stored = from->stored;
	to->etag[0] = '\0';
	rc = cloud_intend(w->lake, to);
	cloud_step(STEP_COPY_INTENT);
	if (!rc)
		rc = tier_copy(t, &copy, &call, NULL);
	if (!rc)
		rc = tier_head(t, to->key, &call, &head);
	cloud_step(STEP_COPIED);
	if (!rc && !is_same(from, &head)) {
		log_error("the cloud made no right copy of %s", from->key);
		rc = -EIO;
	}
	if (rc)
		return rc;
	cloud_note_head(to, &head);
	return 0;
}

/* KEY, which is claimed, gets C's content, as the object of VERSION. */
static int copy_as(struct work *w, struct tier *t, const struct cloud_row *c, uint64_t version, const char *key)
{
	struct cloud_row to = *c;
	int rc;

	memcpy(to.key, key, sizeof(to.key));
	to.version = version;
	rc = cloud_copy(w, t, c, &to);
	if (rc)
		return rc;
	rc = cloud_verified(w->lake, &to);
	cloud_step(STEP_SPARED);
	return rc;
}

/* Is KEY there, as the object of another version? It is claimed. */
static int is_taken(struct lake *lake, const char *key, uint64_t version)
{
	struct cloud_row known;
	int rc = store_cloud_by_key(lake->store, "", key, &known);

	return rc == -ENOENT ? 0 : rc ? rc : known.version && known.version != version;
}

/* VERSION gets an object of C's content that stays. SHARED: under the name of its content. 1: another's has that. */
static int copy_for(struct work *w, struct tier *t, const struct cloud_row *c, uint64_t version, bool shared)
{
	char key[CLOUD_KEY_BYTES + 1];
	int rc = shared ? cloud_key_of_content(t, c, key) : cloud_key_of_version(t, version, c->compress, key);

	if (rc || !strcmp(key, c->key))
		return rc ? rc : shared ? 1 : -EBUSY; /* it is that object itself that is needed */
	if (!claim_key(w->claims, key))
		return -EAGAIN;
	rc = shared ? is_taken(w->lake, key, version) : 0;
	if (!rc)
		rc = copy_as(w, t, c, version, key);
	disclaim_key(w->claims, key);
	return rc;
}

/* The version's own object, other than that of KEY. */
struct own {
	const char *key;
	bool found;
};

static int look_at_own(void *arg, const struct cloud_row *c)
{
	struct own *o = arg;

	o->found |= strcmp(c->key, o->key) != 0 && (c->state == CLOUD_VERIFIED || c->state == CLOUD_FOREIGN);
	return 0;
}

static int has_another(struct lake *lake, const struct cloud_row *c, const struct version_row *v, bool *has)
{
	struct own own = {.key = c->key};
	struct cloud_row shared;
	int rc = store_cloud_each_of_version(lake->store, v->id, look_at_own, &own);

	*has = own.found;
	if (rc || own.found || v->state == VERSION_LIVE || !c->hashed)
		return rc;
	rc = store_cloud_by_hash(lake->store, c->sha256, c->size, &shared);
	*has = !rc && strcmp(shared.key, c->key) != 0;
	return rc == -ENOENT ? 0 : rc;
}

/* An old version that is here whole: its bytes can go only as long as the cloud has them, too (cloud_history.c). */
static bool is_worth_it(const struct version_row *v)
{
	return v->state == VERSION_KEPT && v->settled && v->hashed && v->size &&
	       (v->how == HOW_ASIDE || v->how == HOW_COPY || v->how == HOW_REFLINK);
}

static bool is_live(struct lake *lake, const struct version_row *v)
{
	struct node_row n;

	return v->state == VERSION_LIVE && !store_node(lake->store, v->node, &n) && n.version == v->id;
}

/*
 * Who has it. A file's live version first: it may be here now, and a stub at any moment, which can be read from an
 * object of its own only; what is kept with this content is then served by that, too. What is here does not need it,
 * but it was uploaded for a reason, and a copy by the server costs less than sending it again: two files may have
 * exchanged their names, or one is overwritten.
 */
static int find_owner(struct lake *lake, const struct cloud_row *c, struct version_row *v)
{
	uint64_t version;
	int rc = c->version ? store_version(lake->store, c->version, v) : -ENOENT, need;

	if ((rc && rc != -ENOENT) || (!rc && is_live(lake, v)))
		return rc;
	need = store_cloud_need(lake->store, c, &version);
	if (need > 0)
		return store_version(lake->store, version, v);
	return need ? need : rc ? rc : is_worth_it(v) ? 0 : -ENOENT;
}

int cloud_spare(struct work *w, struct tier *t, const struct cloud_row *c)
{
	struct version_row v;
	bool has;
	int rc = find_owner(w->lake, c, &v);

	if (rc == -ENOENT)
		return 0;
	if (!rc)
		rc = has_another(w->lake, c, &v, &has);
	if (rc || has)
		return rc;
	rc = c->hashed ? copy_for(w, t, c, v.id, true) : 1;
	return rc == 1 ? copy_for(w, t, c, v.id, false) : rc;
}
