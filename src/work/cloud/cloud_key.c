/*
 * JOB_MOVE_KEY: the objects of a file lie under the name that it had. A rename is recorded at once and costs nothing;
 * here the objects follow, by copies that the server makes. Until then, and when it is not possible (somebody else's
 * object lies under the new name), the store knows where they are.
 *
 * The job of a folder has one for each folder in it, so that it can go on where it ended.
 *
 * A file that has no name any more has no object under a name either: what is still needed of it moves to
 * .tarn/objects/, the rest goes.
 *
 * What is read before the keys are claimed says only what may have to be done; it is read again then, and never while
 * a list is being read: that would show the store as it was when the list began. An intent under a claimed key is
 * nobody's: who made it gave the key up, or crashed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "work/cloud/cloud.h"

#define BATCH 64
#define LATER_NS (5 * NSEC_PER_SEC)
#define LATER_MOST 6 /* doubled so often */

struct mover {
	struct work *work;
	struct lake *lake;
	struct tier *tier;
	struct record *record;
};

/* ---- the objects of a file ---- */

static bool is_own_place(struct tier *t, const char *key)
{
	const char *prefix = tier_prefix(t);
	size_t len = strlen(prefix);

	if (len && (strncmp(key, prefix, len) != 0 || key[len++] != '/'))
		return false;
	return !strncmp(key + len, TIER_OWN "/objects/", strlen(TIER_OWN "/objects/"));
}

struct objects {
	struct mover *mover;
	uint64_t live; /* all of this version, and of the others those that lie under a name */
	struct cloud_row *rows;
	size_t n, room;
};

static int note_object(void *arg, const struct cloud_row *c)
{
	struct objects *o = arg;

	/* what others put there stays where they know it */
	if (c->remote[0] || c->state == CLOUD_GOING || c->state == CLOUD_FOREIGN ||
	    (c->version != o->live && is_own_place(o->mover->tier, c->key)))
		return 0;
	if (array_grow(&o->rows, o->n, &o->room, sizeof(*o->rows)))
		return -ENOMEM;
	o->rows[o->n++] = *c;
	return 0;
}

static int note_version(void *arg, const struct version_row *v)
{
	struct objects *o = arg;

	return store_cloud_each_of_version(o->mover->lake->store, v->id, note_object, o);
}

/* What lies under the new key is spared, and known to be ours. 1: it is not. */
static int clear(struct mover *m, const char *key)
{
	struct tier_call call = cloud_call(m->work);
	struct cloud_row known;
	struct tier_head head;
	int rc = store_cloud_by_key(m->lake->store, "", key, &known);
	bool ours = !rc;

	if (rc < 0 && rc != -ENOENT)
		return rc;
	rc = ours && known.state != CLOUD_INTENT ? cloud_spare(m->work, m->tier, &known) : 0;
	if (rc < 0)
		return rc;
	rc = tier_head(m->tier, key, &call, &head);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	return !cloud_is_ours(m->lake, ours ? &known : NULL, &head);
}

/* Has VERSION an object under KEY already? */
static bool is_there(struct mover *m, uint64_t version, const char *key)
{
	struct cloud_row known;

	return !store_cloud_by_key(m->lake->store, "", key, &known) && known.version == version &&
	       known.state == CLOUD_VERIFIED;
}

static int move_to(struct mover *m, const struct cloud_row *c, const char *key)
{
	struct cloud_row to = *c;
	bool there = is_there(m, c->version, key);
	struct record *r;
	int rc = there ? 0 : clear(m, key);

	if (rc)
		return rc;
	snprintf(to.key, sizeof(to.key), "%s", key);
	rc = there ? 0 : cloud_copy(m->work, m->tier, c, &to);
	if (rc)
		return rc;
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	if (!there)
		record_cloud_verified(r, &to);
	record_cloud_state(r, c, CLOUD_GOING);
	return cloud_record(m->lake, r);
}

/* Both keys are claimed: is it still the object of the live version of NODE, and KEY the name of that? */
static int check_live(struct mover *m, const struct cloud_row *c, uint64_t node, const char *key)
{
	char now[CLOUD_KEY_BYTES + 1];
	struct node_row n;
	int rc = cloud_is_still(m->lake, c);

	if (!rc)
		rc = store_node(m->lake->store, node, &n);
	if (!rc && n.version != c->version)
		rc = -ESTALE;
	if (!rc)
		rc = cloud_key_by_name(m->lake, m->tier, node, c->compress, now);
	return rc < 0 ? rc : rc || strcmp(now, key) ? -ESTALE : 0;
}

/* The live version's object belongs under the name. */
static int move_live(struct mover *m, const struct cloud_row *c, uint64_t node, const char *key)
{
	int rc;

	if (!strcmp(c->key, key))
		return 0;
	if (!claim_key(m->work->claims, c->key))
		return -EAGAIN;
	if (!claim_key(m->work->claims, key)) {
		disclaim_key(m->work->claims, c->key);
		return -EAGAIN;
	}
	rc = check_live(m, c, node, key);
	if (!rc && c->state == CLOUD_VERIFIED)
		rc = move_to(m, c, key);
	disclaim_key(m->work->claims, key);
	disclaim_key(m->work->claims, c->key);
	if (rc == 1)
		log_warning("the cloud has another object under the key %s: the file's stays where it is", key);
	return rc < 0 ? rc : 0;
}

/* No name leads to the version any more, or another one than it has. */
static int leave_name(struct mover *m, const struct cloud_row *c)
{
	struct record *r;
	uint64_t commit;
	int rc;

	if (!claim_key(m->work->claims, c->key))
		return -EAGAIN;
	rc = cloud_is_still(m->lake, c);
	if (!rc && c->state == CLOUD_VERIFIED)
		rc = cloud_spare(m->work, m->tier, c);
	if (!rc && c->state == CLOUD_VERIFIED) {
		r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
		record_cloud_state(r, c, CLOUD_GOING);
		rc = store_submit(m->lake->store, r, &commit);
		if (!rc)
			rc = store_barrier(m->lake->store, commit);
	}
	disclaim_key(m->work->claims, c->key);
	return rc;
}

/* The live version's is under the file's name, and no other one's is under one that no file has. */
static int move_object(struct mover *m, uint64_t node, uint64_t live, const struct cloud_row *c)
{
	char key[CLOUD_KEY_BYTES + 1];
	int rc = cloud_key_by_name(m->lake, m->tier, node, c->compress, key);

	if (rc < 0 || (rc && is_own_place(m->tier, c->key)))
		return rc < 0 ? rc : 0;
	if (!rc && c->version == live)
		return move_live(m, c, node, key);
	return !rc && !strcmp(c->key, key) ? 0 : leave_name(m, c);
}

static int move_file(struct mover *m, const struct node_row *n)
{
	char key[CLOUD_KEY_BYTES + 1];
	struct objects o = {.mover = m};
	int nameless = cloud_key_by_name(m->lake, m->tier, n->id, false, key), rc;

	if (nameless < 0)
		return nameless;
	o.live = nameless ? 0 : n->version;
	rc = store_versions_of_node(m->lake->store, n->id, 0, note_version, &o);
	for (size_t i = 0; i < o.n && rc != -ENOMEM && !work_stopping(m->work); i++) {
		int one = move_object(m, n->id, o.live, &o.rows[i]);

		rc = one < 0 ? one : rc;
	}
	free(o.rows);
	return rc;
}

/* ---- what is in a folder ---- */

struct folder {
	struct mover *mover;
	uint64_t *files;
	size_t n, room;
};

static int note_entry(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	struct folder *f = arg;

	(void)name;
	if (kind == KIND_FOLDER)
		record_job_add(f->mover->record, JOB_MOVE_KEY, node, clock_wall());
	if (kind != KIND_FILE)
		return 0;
	if (array_grow(&f->files, f->n, &f->room, sizeof(*f->files)))
		return -ENOMEM;
	f->files[f->n++] = node;
	return 0;
}

static int move_folder(struct mover *m, uint64_t node)
{
	struct folder f = {.mover = m};
	struct node_row n;
	int rc = store_entries(m->lake->store, node, note_entry, &f);

	for (size_t i = 0; i < f.n && !work_stopping(m->work); i++) {
		int one = store_node(m->lake->store, f.files[i], &n);

		if (!one)
			one = move_file(m, &n);
		rc = one < 0 && one != -ENOENT ? one : rc;
	}
	free(f.files);
	return rc;
}

static void move_one(struct mover *m, const struct job_row *job)
{
	struct node_row n;
	int rc = store_node(m->lake->store, job->subject, &n),
	    doubled = job->tries < LATER_MOST ? job->tries : LATER_MOST;

	if (!rc && n.kind == KIND_FILE)
		rc = move_file(m, &n);
	else if (!rc && n.kind == KIND_FOLDER)
		rc = move_folder(m, n.id);
	if (work_stopping(m->work))
		return;
	if (rc < 0 && rc != -ENOENT)
		record_job_retry(m->record, job->id, clock_wall() + (LATER_NS << doubled), strerror(-rc));
	else
		record_job_done(m->record, job->id);
}

int move_keys(struct work *w, struct tier *t)
{
	struct mover m = {.work = w, .lake = w->lake, .tier = t};
	struct job_row jobs[BATCH];
	uint64_t commit;
	int n = store_jobs(w->lake->store, JOB_MOVE_KEY, clock_wall(), jobs, BATCH), rc;

	if (n <= 0)
		return n;
	m.record = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	for (int i = 0; i < n && !work_stopping(w); i++)
		move_one(&m, &jobs[i]);
	rc = store_submit(w->lake->store, m.record, &commit);
	if (!rc)
		rc = store_barrier(w->lake->store, commit);
	return rc ? rc : n;
}
