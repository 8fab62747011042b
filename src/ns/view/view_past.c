#include "ns/view/view_past.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content/appends.h"
#include "content/pack/pack_ahead.h"

void past_set_times(struct stat *st, int64_t mtime, int64_t ctime)
{
	st->st_mtim = (struct timespec){mtime / NSEC_PER_SEC, mtime % NSEC_PER_SEC};
	st->st_ctim = (struct timespec){ctime / NSEC_PER_SEC, ctime % NSEC_PER_SEC};
	st->st_atim = st->st_mtim;
}

/* What was never changes, and is asked for again and again; to find it out takes as long as to list the folder. */
#define REMEMBERED 509

static struct {
	uint64_t folder, commit;
	int64_t mtime;
} remembered[REMEMBERED]; /* protected by the next */
static pthread_mutex_t remembered_lock = PTHREAD_MUTEX_INITIALIZER;

int64_t past_folder_mtime(struct lake *lake, uint64_t folder, uint64_t commit, int64_t then)
{
	size_t at = (folder ^ commit) % REMEMBERED;
	int64_t changed;
	int rc;

	pthread_mutex_lock(&remembered_lock);
	if (remembered[at].folder == folder && remembered[at].commit == commit) {
		then = remembered[at].mtime;
		pthread_mutex_unlock(&remembered_lock);
		return then;
	}
	pthread_mutex_unlock(&remembered_lock);
	rc = store_folder_changed_at(lake->store, folder, commit, &changed);
	if (!rc)
		then = changed;
	else if (rc != -ENOENT)
		return then;
	SCOPED_LOCK(&remembered_lock);
	remembered[at].folder = folder;
	remembered[at].commit = commit;
	remembered[at].mtime = then;
	return then;
}

double past_attr_timeout(struct lake *lake)
{
	return lake->in_place && !lake_volume(lake, 1) ? 10.0 : 0;
}

/* A close that came before the look-up may still be on its way to a version. */
static int wait_for_cut(struct lake *lake, uint64_t node)
{
	struct inode *inode = inode_find(lake, node);

	if (inode) {
		inode_wait_quiet(inode);
		inode_is_read(inode);
	}
	inode_unref(lake, inode);
	return store_barrier(lake->store, 0);
}

int past_lay(struct lake *lake, uint64_t parent, const char *name, struct lay *out)
{
	int rc = store_barrier(lake->store, 0);

	if (rc)
		return rc;
	rc = store_entry(lake->store, parent, name, &out->row);
	out->live = !rc;
	if (!rc && out->row.kind == KIND_FILE) {
		rc = wait_for_cut(lake, out->row.id);
		return rc ? rc : store_entry(lake->store, parent, name, &out->row);
	}
	return rc == -ENOENT ? store_entry_last(lake->store, parent, name, &out->row) : rc;
}

int past_commit(struct lake *lake, uint64_t d, const struct which *w, const char *name, uint64_t *commit)
{
	struct label_row label;
	int rc = store_barrier(lake->store, 0);

	appends_pin(lake);
	if (rc)
		return rc;
	if (w->kind == WHICH_TIME)
		return w->time > clock_wall() ? -ENOENT : store_commit_at(lake->store, w->time, commit);
	if (w->kind == WHICH_COMMIT) {
		*commit = w->number;
		return w->number > store_last_commit(lake->store) ? -ENOENT : 0;
	}
	rc = store_label(lake->store, d, name, &label);
	if (!rc)
		*commit = label.commit;
	return rc;
}

/* Are the bytes of this version, which is live, perhaps not what it says? */
static bool is_unsure(struct lake *lake, const struct version_row *v)
{
	struct inode *inode = inode_find(lake, v->node);
	bool unsure;

	if (!inode)
		return false;
	pthread_mutex_lock(&inode->lock);
	unsure = inode->version == v->id && inode->base_unsure;
	pthread_mutex_unlock(&inode->lock);
	inode_unref(lake, inode);
	return unsure;
}

/* Readable, or somebody ended it since the row was read, or is about to: its inode has another version, or had one when
 * it was asked whether it is readable. */
bool past_is_listed(struct lake *lake, const struct version_row *v)
{
	return version_is_readable(lake, v) || (v->settled && v->state == VERSION_LIVE && !is_unsure(lake, v));
}

int past_version(struct lake *lake, uint64_t id, struct version_row *v)
{
	int rc = store_version(lake->store, id, v);

	if (rc || version_is_readable(lake, v))
		return rc;
	if (!past_is_listed(lake, v))
		return -ENOENT;
	rc = wait_for_cut(lake, v->node);
	if (!rc)
		rc = store_version(lake->store, id, v);
	return rc ? rc : version_is_readable(lake, v) ? 0 : -ENOENT;
}

int past_open_version(struct lake *lake, uint64_t id, const struct tier_call *call, struct past **out)
{
	struct version_row v = {0};
	int rc = past_version(lake, id, &v);

	if (!rc && call && v.how == HOW_PACKED && v.size)
		rc = pack_bring_maps(lake, v.sha256, call);
	if (rc == -ESTALE) /* the object in the cloud is another than the one that was put there */
		rc = -EIO;
	if (!rc)
		rc = past_open(lake, &v, out);
	if (rc != -ENOENT || v.state != VERSION_LIVE)
		return rc;
	/* it ended between the two */
	rc = past_version(lake, id, &v);
	return rc ? rc : past_open(lake, &v, out);
}
