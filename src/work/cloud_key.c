/*
 * JOB_MOVE_KEY: the objects of a file lie under the name that it had. A rename is recorded at once and costs nothing;
 * here the objects follow, by copies that the server makes. Until then, and when it is not possible (somebody else's
 * object lies under the new name), the store knows where they are.
 *
 * The job of a folder has one for each folder in it, so that it can go on where it ended.
 *
 * A file that has no name any more has no object under a name either: what is still needed of it moves to
 * .tarn/objects/, the rest goes.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "work/cloud.h"

#define BATCH 64
#define LATER_NS (5 * NSEC_PER_SEC)
#define LATER_MOST 6 /* doubled so often */

struct mover {
	struct work *work;
	struct lake *lake;
	struct tier *tier;
	struct record *record;
	int failed; /* -errno of what has to be tried again */
};

/* ---- the objects of a file ---- */

struct objects {
	struct cloud_row rows[8];
	int n;
};

static int note_object(void *arg, const struct cloud_row *c)
{
	struct objects *o = arg;

	if (!c->remote[0] && c->state != CLOUD_GOING)
		o->rows[o->n++] = *c;
	return o->n == (int)(sizeof(o->rows) / sizeof(o->rows[0]));
}

static bool is_own_place(struct tier *t, const char *key)
{
	const char *prefix = tier_prefix(t);
	size_t len = strlen(prefix);

	if (len && (strncmp(key, prefix, len) != 0 || key[len++] != '/'))
		return false;
	return !strncmp(key + len, TIER_OWN "/objects/", strlen(TIER_OWN "/objects/"));
}

/* The key of the path that NODE has now. 0; 1: it has none, or its bucket keeps its files here. */
static int key_now(struct mover *m, uint64_t node, char *key)
{
	_cleanup_buf_ struct buf path = BUF_INIT, now = BUF_INIT;
	char *slash;
	int rc = store_path(m->lake->store, node, &path);

	slash = rc ? NULL : strchr(path.data, '/');
	if (!slash)
		return !rc || rc == -ENOENT ? 1 : rc;
	*slash = '\0';
	tier_key_of(m->tier, &now, path.data, slash + 1);
	if (buf_error(&now) || now.len > CLOUD_KEY_BYTES)
		return -ENAMETOOLONG;
	memcpy(key, buf_str(&now), now.len + 1);
	return 0;
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
	if (ours && known.state == CLOUD_INTENT)
		return -EAGAIN;
	rc = ours && known.state != CLOUD_GOING ? cloud_spare(m->work, m->tier, &known) : 0;
	if (rc < 0)
		return rc;
	rc = tier_head(m->tier, key, &call, &head);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (ours && known.etag[0] && !strcmp(known.etag, head.etag))
		return 0;
	return !((head.facts.known & TIER_KNOWS_VERSION) && head.facts.lake == m->lake->id);
}

static int move_to(struct mover *m, const struct cloud_row *c, const char *key)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	struct cloud_row to = *c;
	uint64_t commit;
	int rc = clear(m, key);

	if (rc) {
		record_free(r);
		return rc;
	}
	snprintf(to.key, sizeof(to.key), "%s", key);
	rc = cloud_copy(m->work, m->tier, c, &to);
	if (rc) {
		record_free(r);
		return rc;
	}
	record_cloud_verified(r, &to);
	record_cloud_state(r, c, CLOUD_GOING);
	rc = store_submit(m->lake->store, r, &commit);
	return rc ? rc : store_sync(m->lake->store, commit);
}

/* The live version's object belongs under the name. */
static int move_live(struct mover *m, const struct cloud_row *c, const char *key)
{
	int rc;

	if (!strcmp(c->key, key))
		return 0;
	if (c->state != CLOUD_VERIFIED)
		return c->state == CLOUD_INTENT ? -EAGAIN : 0; /* what others put there stays where they know it */
	if (!claim_key(m->work->claims, c->key))
		return -EAGAIN;
	if (!claim_key(m->work->claims, key)) {
		disclaim_key(m->work->claims, c->key);
		return -EAGAIN;
	}
	rc = move_to(m, c, key);
	disclaim_key(m->work->claims, key);
	disclaim_key(m->work->claims, c->key);
	if (rc == 1)
		log_warning("the cloud has another object under the key %s: the file's stays where it is", key);
	return rc < 0 ? rc : 0;
}

/* No name leads to the version any more. */
static int leave_name(struct mover *m, const struct cloud_row *c)
{
	struct record *r;
	int rc;

	if (c->state != CLOUD_VERIFIED || is_own_place(m->tier, c->key))
		return c->state == CLOUD_INTENT ? -EAGAIN : 0;
	if (!claim_key(m->work->claims, c->key))
		return -EAGAIN;
	rc = cloud_spare(m->work, m->tier, c);
	if (!rc) {
		r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
		record_cloud_state(r, c, CLOUD_GOING);
		rc = store_submit(m->lake->store, r, NULL);
	}
	disclaim_key(m->work->claims, c->key);
	return rc;
}

struct of_node {
	struct mover *mover;
	uint64_t live;
	const char *key; /* NULL: it has no name */
};

static int follow(void *arg, const struct version_row *v)
{
	struct of_node *of = arg;
	struct objects found = {.n = 0};
	int rc = store_cloud_each_of_version(of->mover->lake->store, v->id, note_object, &found);

	for (int i = 0; i < found.n && rc >= 0 && !work_stopping(of->mover->work); i++) {
		rc = 0;
		if (of->key && v->id == of->live)
			rc = move_live(of->mover, &found.rows[i], of->key);
		else if (!of->key)
			rc = leave_name(of->mover, &found.rows[i]);
		if (rc < 0)
			of->mover->failed = rc;
	}
	return 0;
}

static int move_file(struct mover *m, const struct node_row *n)
{
	char key[CLOUD_KEY_BYTES + 1];
	struct of_node of = {.mover = m, .live = n->version};
	int rc = key_now(m, n->id, key);

	if (rc < 0)
		return rc;
	of.key = rc ? NULL : key;
	return store_versions_of_node(m->lake->store, n->id, 0, follow, &of);
}

static int move_entry(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	struct mover *m = arg;
	struct node_row n;

	(void)name;
	if (work_stopping(m->work))
		return -ECANCELED;
	if (kind == KIND_FOLDER)
		record_job_add(m->record, JOB_MOVE_KEY, node, clock_wall());
	if (kind != KIND_FILE || store_node(m->lake->store, node, &n) < 0)
		return 0;
	return move_file(m, &n);
}

static void move_one(struct mover *m, const struct job_row *job)
{
	struct node_row n;
	int rc = store_node(m->lake->store, job->subject, &n),
	    doubled = job->tries < LATER_MOST ? job->tries : LATER_MOST;

	m->failed = 0;
	if (!rc && n.kind == KIND_FILE)
		rc = move_file(m, &n);
	else if (!rc && n.kind == KIND_FOLDER)
		rc = store_entries(m->lake->store, n.id, move_entry, m);
	if (rc == -ECANCELED || work_stopping(m->work))
		return;
	if (!rc)
		rc = m->failed;
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
