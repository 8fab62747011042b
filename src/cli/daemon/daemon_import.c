#include "cli/daemon/daemon_import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/facts.h"
#include "content/reach.h"
#include "content/cloud/remote.h"
#include "ns/import.h"
#include "tier/key.h"

#define BUDGET NSEC_PER_SEC
#define TOLD 64

struct importing {
	struct daemon_state *d;
	struct lake *lake;
	struct actor actor;
	const char *base;
	bool update;
	int64_t until;

	/* the folder that was used last: objects come in the order of their keys */
	struct buf folder;
	struct inode *inode; /* with a reference */
	struct inode *bucket;
	bool moment; /* the store is read as of when the first object of a folder was met */

	struct buf last; /* the key that was done last */
	uint64_t made, same, changed, conflicts, skipped, bytes;
	struct json_object *list;
};

static void tell(struct importing *m, const char *key, const char *why)
{
	if (json_object_array_length(m->list) < TOLD)
		json_add_skipped(m->list, key, why);
}

/* ---- folders ---- */

/*
 * No object of a page leads to the name or key of another, so all of one folder are looked up in one moment of the
 * store. Not in a sync, whose renames have to see what it did before.
 */
static int begin_moment(struct importing *m)
{
	int rc = m->moment || m->update ? 0 : store_moment_begin(m->lake->store);

	m->moment = !rc && !m->update;
	return rc;
}

static void end_moment(struct importing *m)
{
	if (m->moment)
		store_moment_end(m->lake->store);
	m->moment = false;
}

/* The folder NAME in AT, made when it is missing. Gives the reference to AT back. */
static int step(struct importing *m, struct inode *at, const char *name, struct inode **out)
{
	struct ns_entry e;
	struct node_row row;
	int rc = store_entry(m->lake->store, at->id, name, &row);

	if (!rc && row.kind != KIND_FOLDER)
		rc = -ENOTDIR;
	if (!rc)
		rc = reach_node(m->lake, row.id, out);
	if (rc == -ENOENT) {
		rc = ns_mkdir(m->lake, at->id, name, 0755, &m->actor, &e);
		if (!rc) {
			*out = inode_find(m->lake, e.ino);
			inode_forget(m->lake, e.ino, 1);
			rc = *out ? store_barrier(m->lake->store, 0) : -EAGAIN;
		}
	}
	inode_unref(m->lake, at);
	return rc;
}

/* Of PATH, whose last component is a file; *NAME is that. */
static int find_folder(struct importing *m, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	_cleanup_free_ char *folder = strndup(path, len);
	struct inode *at;
	int rc = 0;

	*name = slash ? slash + 1 : path;
	if (m->inode && m->folder.len == len && !strncmp(buf_str(&m->folder), path, len))
		return 0;
	end_moment(m);
	if (m->inode)
		inode_unref(m->lake, m->inode);
	m->inode = NULL;
	at = inode_ref(m->lake, m->bucket);
	for (char *save, *c = folder ? strtok_r(folder, "/", &save) : NULL; !rc && c; c = strtok_r(NULL, "/", &save))
		rc = step(m, at, c, &at);
	if (rc < 0)
		return rc;
	m->inode = at;
	buf_clear(&m->folder);
	buf_add(&m->folder, path, len);
	return buf_error(&m->folder);
}

static int open_bucket(struct importing *m, const char *name)
{
	struct inode *root = inode_find(m->lake, NODE_ROOT);
	const char *problem = strchr(name, '/') ? "is no bucket" : bucket_name_problem(name);

	if (!root || problem) {
		if (root)
			inode_unref(m->lake, root);
		return -EINVAL;
	}
	return step(m, root, name, &m->bucket);
}

/* ---- objects ---- */

static const char *why_not(int rc)
{
	switch (rc) {
	case -EEXIST:
		return "another file of that name is there";
	case -EBUSY:
		return "changed in the cloud, and its file has another name here";
	case -ENOTDIR:
		return "a file has the name of its folder";
	case -EROFS:
	case -EINVAL:
		return "no file can be called so here";
	case -ENAMETOOLONG:
		return "its name is too long";
	default:
		return strerror(-rc);
	}
}

static int take(struct importing *m, const struct tier_entry *e)
{
	const char *path = tier_path_of_key(m->base, e->key), *name;
	int rc;

	if (!path) {
		if (!strstr(e->key, TIER_OWN "/")) {
			m->skipped++;
			tell(m, e->key, "its key names no file");
		}
		return 0;
	}
	rc = find_folder(m, path, &name);
	if (!rc)
		rc = begin_moment(m);
	if (!rc)
		rc = ns_import(m->lake, m->inode->id, name, e->key, &e->head, m->update, &m->actor);
	if (rc == -ENOSPC || rc == -EDQUOT || rc == -ENOMEM)
		return rc;
	if (rc < 0) {
		m->skipped++;
		tell(m, path, why_not(rc));
		return 0;
	}
	m->made += rc == IMPORT_NEW;
	m->same += rc == IMPORT_SAME;
	m->changed += rc == IMPORT_CHANGED;
	m->conflicts += rc == IMPORT_CONFLICT;
	m->bytes += rc == IMPORT_NEW ? e->head.size : 0;
	if (rc == IMPORT_CONFLICT)
		tell(m, path, "changed here and in the cloud: both are kept, that of the cloud as …" IMPORT_BESIDE);
	return 0;
}

static int take_page(void *arg, const struct tier_entry *entries, int n)
{
	struct importing *m = arg;
	int rc = 0;

	for (int i = 0; i < n && !rc; i++)
		rc = take(m, &entries[i]);
	end_moment(m);
	if (rc)
		return rc;
	buf_clear(&m->last);
	if (n)
		buf_adds(&m->last, entries[n - 1].key);
	return clock_monotonic() >= m->until || atomic_load(&m->d->ending) ? 1 : buf_error(&m->last);
}

static void answer(struct importing *m, bool ended, struct json_object *reply)
{
	json_object_object_add(reply, "ended", json_object_new_boolean(ended));
	if (!ended)
		json_object_object_add(reply, "after", json_object_new_string(buf_str(&m->last)));
	json_add_number(reply, "new", m->made);
	json_add_number(reply, "same", m->same);
	json_add_number(reply, "changed", m->changed);
	json_add_number(reply, "conflicts", m->conflicts);
	json_add_number(reply, "skipped", m->skipped);
	json_add_number(reply, "bytes", m->bytes);
	json_object_object_add(reply, "list", json_object_get(m->list));
}

int daemon_answer_import(struct daemon_state *d, bool update, struct json_object *request, struct json_object *reply)
{
	_cleanup_tier_ struct tier *tier = lake_tier(d->lake);
	_cleanup_json_ struct json_object *list = json_object_new_array();
	_cleanup_buf_ struct buf prefix = BUF_INIT;
	struct importing m = {.d = d, .lake = d->lake, .update = update, .list = list};
	struct tier_list l = {.after = json_text(request, "after"), .page = take_page, .arg = &m};
	int rc = store_barrier(d->lake->store, 0);

	m.base = json_text(request, "base");
	m.actor = (struct actor){.caller = {.uid = geteuid(), .gid = getegid()}, .run = RUN_TARN};
	m.until = clock_monotonic() + BUDGET;
	if (!tier || !m.base || d->lake->read_only)
		return !tier ? -ENODEV : !m.base ? -EINVAL : -EROFS;
	buf_addf(&prefix, "%s%s", m.base, m.base[0] ? "/" : "");
	l.prefix = buf_str(&prefix);
	if (!rc)
		rc = open_bucket(&m, json_text(request, "path"));
	if (!rc)
		rc = tier_list(tier, &l, NULL);
	if (rc >= 0)
		answer(&m, !rc, reply);
	if (m.inode)
		inode_unref(d->lake, m.inode);
	if (m.bucket) {
		if (d->lake->frontend.invalidate)
			d->lake->frontend.invalidate(d->lake->frontend.arg, m.bucket->id, true);
		inode_unref(d->lake, m.bucket);
	}
	buf_release(&m.folder);
	buf_release(&m.last);
	return rc < 0 ? rc : 0;
}

/* ---- what is not there any more ---- */

struct known_key {
	UT_hash_handle hh;
	char key[];
};

struct missing {
	struct daemon_state *d;
	const char *prefix;
	struct known_key *there;
	struct record *record;
	uint64_t lost, again;
	struct json_object *list;
};

static int remember_page(void *arg, const struct tier_entry *entries, int n)
{
	struct missing *m = arg;

	for (int i = 0; i < n; i++) {
		size_t len = strlen(entries[i].key);
		struct known_key *k = malloc(sizeof(*k) + len + 1);

		if (!k)
			return -ENOMEM;
		memcpy(k->key, entries[i].key, len + 1);
		HASH_ADD_KEYPTR(hh, m->there, k->key, len, k);
	}
	return atomic_load(&m->d->ending) ? -ECANCELED : 0;
}

static void tell_lost(struct missing *m, const struct version_row *v)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	if (json_object_array_length(m->list) >= TOLD || store_path(m->d->lake->store, v->node, &path))
		return;
	json_add_skipped(m->list, buf_str(&path), "removed in the cloud by somebody else, and was only there");
}

static int look_whether_missing(void *arg, const struct cloud_row *c)
{
	struct missing *m = arg;
	struct known_key *k;
	struct version_row v;
	struct node_row row;

	if ((c->state != CLOUD_VERIFIED && c->state != CLOUD_FOREIGN) ||
	    strncmp(c->key, m->prefix, strlen(m->prefix)) != 0)
		return 0;
	HASH_FIND(hh, m->there, c->key, strlen(c->key), k);
	if (k || !c->version || store_version(m->d->lake->store, c->version, &v) ||
	    store_node(m->d->lake->store, v.node, &row))
		return 0;
	if (row.version != c->version)
		return 0;
	if (row.stub) {
		m->lost++;
		tell_lost(m, &v);
		return 0;
	}
	if (!m->record)
		m->record = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_cloud_remove(m->record, c);
	m->again++;
	return 0;
}

int daemon_answer_missing(struct daemon_state *d, struct json_object *request, struct json_object *reply)
{
	_cleanup_tier_ struct tier *tier = lake_tier(d->lake);
	_cleanup_json_ struct json_object *list = json_object_new_array();
	const char *base = json_text(request, "base");
	_cleanup_buf_ struct buf prefix = BUF_INIT;
	struct missing m = {.d = d, .list = list};
	struct tier_list l = {.page = remember_page, .arg = &m};
	struct known_key *k, *next;
	int rc;

	if (!tier || !base || d->lake->read_only)
		return !tier ? -ENODEV : !base ? -EINVAL : -EROFS;
	buf_addf(&prefix, "%s%s", base, base[0] ? "/" : "");
	m.prefix = l.prefix = buf_str(&prefix);
	rc = tier_list(tier, &l, NULL);
	if (!rc)
		rc = store_cloud_each(d->lake->store, 0, 0, look_whether_missing, &m);
	if (!rc && m.record)
		rc = store_submit(d->lake->store, steal_ptr(&m.record), NULL);
	record_free(m.record);
	HASH_ITER (hh, m.there, k, next) {
		HASH_DEL(m.there, k);
		free(k);
	}
	if (rc < 0)
		return rc;
	json_object_object_add(reply, "ended", json_object_new_boolean(true));
	json_add_number(reply, "lost", m.lost);
	json_add_number(reply, "again", m.again);
	json_object_object_add(reply, "list", json_object_get(list));
	return 0;
}
