#include "content/past/kept.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/run.h"
#include "content/cloud/stub.h"

#define LIMIT_NS (5 * NSEC_PER_SEC) /* the budget is looked at again */

static const struct {
	enum version_how how;
	void (*name)(uint64_t node, uint64_t version, char name[VERSION_NAME_MAX]);
} files[] = {{HOW_ASIDE, version_name}, {HOW_UNDO, undo_name}, {HOW_COPY, copy_name}};
#define FILES (sizeof(files) / sizeof(files[0]))

static bool is_readable(const struct version_row *v)
{
	return v->state == VERSION_LIVE || v->state == VERSION_KEPT || v->state == VERSION_PARTIAL;
}

/* Those before it are not read through anything after it. */
static bool is_whole(const struct version_row *v)
{
	return v->how != HOW_NONE && v->how != HOW_PREFIX && v->how != HOW_UNDO;
}

/* ---- removing ---- */

struct unneeded {
	uint64_t version;
	struct volume *volume;
};

struct removal {
	struct lake *lake;
	uint64_t node, over; /* whatever its row says: a full disk may keep the store from saying it */
	bool needed;	     /* by a version before the one in hand */
	struct unneeded *list;
	size_t n, room;
};

static void remove_files(struct volume *volume, uint64_t node, uint64_t version)
{
	char name[VERSION_NAME_MAX];

	for (size_t i = 0; i < FILES; i++) {
		files[i].name(node, version, name);
		if (unlinkat(volume->versionsfd, name, 0) < 0 && errno != ENOENT)
			log_warning("versions/%s: cannot be removed: %s", name, strerror(errno));
	}
}

static int add_unneeded(struct removal *m, uint64_t version, struct volume *volume)
{
	if (m->n == m->room) {
		struct unneeded *more = reallocarray(m->list, m->room + 64, sizeof(*more));

		if (!more)
			return -ENOMEM;
		m->list = more;
		m->room += 64;
	}
	m->list[m->n++] = (struct unneeded){version, volume};
	return 0;
}

static int note_if_unneeded(void *arg, const struct version_row *v)
{
	struct removal *m = arg;
	struct volume *volume = lake_volume(m->lake, v->volume);
	bool over = v->id == m->over || !is_readable(v);
	int rc = 0;

	if (over && (v->how != HOW_NONE || v->id == m->over) && !m->needed && volume)
		rc = add_unneeded(m, v->id, volume);
	m->needed = (m->needed || (!over && version_needs_raw(v))) && !is_whole(v);
	return rc;
}

/* That they are over is durable, of those too that somebody else has just said it of. A full disk needs the room. */
static int sync_over(struct lake *lake)
{
	int rc = store_sync(lake->store, 0);

	return rc == -ENOSPC ? 0 : rc;
}

static int remove_noted(struct removal *m)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);

	for (size_t i = 0; i < m->n; i++) {
		remove_files(m->list[i].volume, m->node, m->list[i].version);
		record_version_how(r, m->list[i].version, HOW_NONE, 0);
	}
	return store_submit(m->lake->store, r, NULL);
}

/* From a version back: 1 when it is known. */
static int ask_if_needed(void *arg, const struct version_row *v)
{
	bool *needed = arg;

	*needed = !is_whole(v) && version_needs_raw(v);
	return *needed || is_whole(v);
}

bool kept_is_needed(struct lake *lake, const struct version_row *v)
{
	bool needed = false;

	return store_versions_of_node_back(lake->store, v->node, v->id, ask_if_needed, &needed) < 0 || needed;
}

void kept_remove_own(struct lake *lake, const struct version_row *v)
{
	struct volume *volume = lake_volume(lake, v->volume);

	if (volume)
		remove_files(volume, v->node, v->id);
}

int kept_remove(struct lake *lake, const struct version_row *v)
{
	struct removal m = {.lake = lake, .node = v->node, .over = v->id};
	int rc = store_versions_of_node(lake->store, v->node, 0, note_if_unneeded, &m);

	if (!rc && m.n)
		rc = sync_over(lake);
	if (!rc && m.n)
		rc = remove_noted(&m);
	free(m.list);
	return rc;
}

uint64_t kept_occupies(struct lake *lake, const struct version_row *v)
{
	struct volume *volume = lake_volume(lake, v->volume);
	char name[VERSION_NAME_MAX];
	uint64_t bytes = 0;
	struct stat st;

	if (v->how == HOW_PACKED || v->how == HOW_CLOUD)
		return v->stored;
	for (size_t i = 0; volume && i < FILES; i++) {
		files[i].name(v->node, v->id, name);
		if (!fstatat(volume->versionsfd, name, &st, AT_SYMLINK_NOFOLLOW))
			bytes += (uint64_t)st.st_blocks * 512;
	}
	return bytes;
}

bool kept_was_begun(struct volume *volume, uint64_t node, uint64_t version)
{
	char undo[VERSION_NAME_MAX], copy[VERSION_NAME_MAX];

	undo_name(node, version, undo);
	copy_name(node, version, copy);
	return !faccessat(volume->versionsfd, undo, F_OK, 0) || !faccessat(volume->versionsfd, copy, F_OK, 0);
}

bool kept_is_missing(struct lake *lake, const struct version_row *v)
{
	struct volume *volume = lake_volume(lake, v->volume);
	enum version_how how = v->how == HOW_REFLINK ? HOW_COPY : v->how;
	char name[VERSION_NAME_MAX];
	struct stat st;

	if ((v->state != VERSION_KEPT && v->state != VERSION_PARTIAL) || !v->size || !volume)
		return false;
	for (size_t i = 0; i < FILES; i++) {
		if (files[i].how != how)
			continue;
		files[i].name(v->node, v->id, name);
		return fstatat(volume->versionsfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
	}
	return false;
}

/* ---- what the raw file is needed for ---- */

struct needs {
	uint64_t aside; /* the raw file, put aside already */
	uint64_t live;	/* not counted */
	bool any;
};

/* From the last version back: 1 when it is known. */
static int note_need(void *arg, const struct version_row *v)
{
	struct needs *n = arg;

	return v->id == n->aside || v->id == n->live ? 0 : ask_if_needed(&n->any, v);
}

bool kept_needs_raw(struct lake *lake, struct inode *inode)
{
	uint64_t commit = atomic_load(&inode->commit);
	struct needs n = {0};
	bool known;

	if (inode_is_stub(inode)) /* it has none that anything could be read through */
		return false;
	pthread_mutex_lock(&inode->lock);
	n.live = inode->version;
	n.aside = inode->kept_version ? inode->kept_version : inode->kept_listed;
	n.any = inode->dependants;
	known = inode->no_past;
	pthread_mutex_unlock(&inode->lock);
	if (known)
		return n.any;
	n.any = false;
	if ((commit && store_barrier(lake->store, commit) < 0) ||
	    store_versions_of_node_back(lake->store, inode->id, 0, note_need, &n) < 0)
		return true; /* nothing is known: as if */
	return n.any;
}

struct lost {
	struct lake *lake;
	bool all; /* also what has no bytes */
	uint64_t *ids;
	size_t n, room;
	uint64_t empty; /* the live version, if it has no bytes… */
	uint64_t whole; /* …or if its base is kept already */
	enum version_how how;
};

static bool is_in_cloud(struct lake *lake, const struct version_row *v)
{
	struct cloud_row object;

	return v->size && !store_cloud_of_version(lake->store, v->id, &object);
}

static int note_lost(void *arg, const struct version_row *v)
{
	struct lost *l = arg;

	if (is_whole(v) || (v->state == VERSION_LIVE && is_in_cloud(l->lake, v))) {
		l->n = 0;
		l->whole = v->state == VERSION_LIVE ? v->id : 0;
		l->how = is_whole(v) ? v->how : HOW_CLOUD;
		return 0;
	}
	if (!version_needs_raw(v))
		return 0;
	if (!v->size &&
	    !l->all) { /* has no bytes that could be lost, and all of those before it was saved when they went */
		l->n = 0;
		l->empty = v->state == VERSION_LIVE ? v->id : l->empty;
		return 0;
	}
	if (l->n == l->room) {
		uint64_t *more = reallocarray(l->ids, l->room + 64, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->ids = more;
		l->room += 64;
	}
	l->ids[l->n++] = v->id;
	return 0;
}

int kept_lose_raw(struct lake *lake, uint64_t node, const char *reason, struct record *r)
{
	struct lost l = {.lake = lake, .all = !reason};
	int rc = store_versions_of_node(lake->store, node, 0, note_lost, &l);

	for (size_t i = 0; i < l.n; i++) {
		if (reason)
			record_version_state(r, l.ids[i], VERSION_NOT_KEPT, HOW_NONE, reason);
		else
			record_version_drop(r, l.ids[i]);
	}
	if (l.empty)
		record_version_state(r, l.empty, VERSION_KEPT, HOW_NONE, NULL);
	if (l.whole)
		record_version_state(r, l.whole, VERSION_KEPT, l.how, NULL);
	free(l.ids);
	return rc;
}

/* ---- how much ---- */

uint64_t kept_undo_limit(struct lake *lake)
{
	uint64_t used, free_bytes, total, limit = atomic_load(&lake->undo_limit);
	struct settings *settings;
	int64_t now = clock_monotonic();

	if (limit && now - atomic_load(&lake->undo_limit_time) < LIMIT_NS)
		return limit;
	if (lake_space(lake, &used, &free_bytes, &total) < 0)
		return limit ? limit : UINT64_MAX;
	settings = lake_settings(lake);
	limit = settings_history_budget(settings, settings_capacity(settings, used, free_bytes)) / 2;
	settings_unref(settings);
	atomic_store(&lake->undo_limit, limit ? limit : 1);
	atomic_store(&lake->undo_limit_time, now);
	return limit;
}
