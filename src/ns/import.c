#include "ns/import.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content/cloud/stub.h"
#include "ns/real.h"
#include "ns/view/view.h"

#define MODE 0644
#define OVERWRITTEN "overwritten in the cloud by somebody else"

struct import {
	struct lake *lake;
	const struct actor *actor;
	struct real_folder folder;
	const char *name, *key;
	const struct tier_head *head;
};

/* ---- a new file ---- */

static void describe(const struct import *m, const struct stat *folder, struct node_row *row)
{
	const struct tier_facts *f = &m->head->facts;

	*row = (struct node_row){.id = store_new_node(m->lake->store),
				 .kind = KIND_FILE,
				 .volume = m->folder.inode->volume->index,
				 .mode = S_IFREG | (f->known & TIER_KNOWS_MODE ? f->mode & 0777 : MODE),
				 .uid = f->known & TIER_KNOWS_UID ? f->uid : folder->st_uid,
				 .gid = f->known & TIER_KNOWS_GID ? f->gid : folder->st_gid,
				 .size = m->head->size,
				 .mtime = f->known & TIER_KNOWS_MTIME ? f->mtime : m->head->mtime,
				 .ctime = clock_wall()};
}

static void add_version(const struct import *m, const struct node_row *row, struct record *r)
{
	const struct tier_facts *f = &m->head->facts;
	bool hashed = (f->known & TIER_KNOWS_SHA256) && !f->zstd;
	struct version_row v = {.id = store_new_version(m->lake->store),
				.node = row->id,
				.size = row->size,
				.mtime = row->mtime,
				.mode = row->mode,
				.uid = row->uid,
				.gid = row->gid,
				.state = VERSION_LIVE,
				.settled = true,
				.volume = row->volume,
				.run = m->actor->run,
				.run_uid = m->actor->caller.uid};
	struct cloud_row c = {.version = v.id, .size = row->size, .stored = row->size, .state = CLOUD_FOREIGN};

	record_version_add(r, &v);
	snprintf(c.key, sizeof(c.key), "%s", m->key);
	snprintf(c.etag, sizeof(c.etag), "%s", m->head->etag);
	snprintf(c.class, sizeof(c.class), "%s", m->head->class);
	c.hashed = hashed;
	if (hashed) {
		memcpy(c.sha256, f->sha256, sizeof(c.sha256));
		record_version_facts(r, v.id, f->sha256, NULL);
	}
	record_cloud_set(r, &c);
}

/* On the disk as the daemon's own: placeholders of others count for nothing. */
static int make_placeholder(const struct import *m, const char *name, struct node_row *row)
{
	char target[STUB_TARGET_ROOM];
	int rc;

	stub_target(m->lake->id, row->id, target);
	if (symlinkat(target, m->folder.fd, name) < 0)
		return -errno;
	rc = fhandle_get(m->folder.fd, name, &row->handle);
	if (rc < 0)
		unlinkat(m->folder.fd, name, 0);
	return rc;
}

static int make_file(const struct import *m, const char *name)
{
	struct lake *lake = m->lake;
	struct inode *parent = m->folder.inode;
	struct node_row row;
	struct stat folder;
	struct record *r;
	int rc;

	if (strlen(name) > NAME_BYTES)
		return -ENAMETOOLONG;
	if (fstat(m->folder.fd, &folder) < 0)
		return -errno;
	describe(m, &folder, &row);
	pthread_rwlock_rdlock(&lake->tree_lock);
	rc = make_placeholder(m, name, &row);
	if (!rc) {
		r = real_record(OP_CREATE, m->actor, row.id, parent->id, name);
		record_node_add(r, &row);
		record_node_stub(r, row.id, true, &row.handle);
		record_entry_add(r, parent->id, name, row.id);
		add_version(m, &row, r);
		rc = real_submit_name(lake, r, NULL, parent, name);
	}
	pthread_rwlock_unlock(&lake->tree_lock);
	if (!rc && lake->frontend.invalidate_entry && inode_is_looked_up(lake, parent))
		lake->frontend.invalidate_entry(lake->frontend.arg, parent->id, name);
	return rc;
}

/* ---- what is there already ---- */

/* Is the live content of the file in ROW still the one that ROW says, on the disk, too? */
static bool is_as_recorded(struct lake *lake, const struct node_row *row)
{
	struct inode *inode = inode_find(lake, row->id);
	bool dirty = row->writing || (inode && inode_is_dirty(inode));

	if (inode)
		inode_unref(lake, inode);
	return !dirty && row->version;
}

/* The object goes in the place of NAME, which was that object before. Its old bytes that were only there are lost. */
static int replace(const struct import *m, const struct node_row *old)
{
	_cleanup_buf_ struct buf temp = BUF_INIT;
	struct record *r;
	int rc;

	buf_addf(&temp, ".%.200s.tarn-import", m->name);
	if (buf_error(&temp))
		return buf_error(&temp);
	rc = make_file(m, buf_str(&temp));
	if (!rc)
		rc = store_barrier(m->lake->store, 0);
	if (!rc)
		rc = ns_rename(m->lake, m->folder.inode->id, buf_str(&temp), m->folder.inode->id, m->name, 0, m->actor);
	if (rc < 0) {
		ns_unlink(m->lake, m->folder.inode->id, buf_str(&temp), m->actor);
		return rc;
	}
	if (m->lake->frontend.invalidate_entry)
		m->lake->frontend.invalidate_entry(m->lake->frontend.arg, m->folder.inode->id, m->name);
	if (!old->stub)
		return 0;
	r = real_record(OP_SYSTEM, m->actor, old->id, 0, NULL);
	record_version_state(r, old->version, VERSION_NOT_KEPT, HOW_NONE, OVERWRITTEN);
	return store_submit(m->lake->store, r, NULL);
}

static int put_beside(const struct import *m)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	int rc;

	buf_addf(&name, "%s" IMPORT_BESIDE, m->name);
	rc = buf_error(&name) ? buf_error(&name) : make_file(m, buf_str(&name));
	return rc == -EEXIST ? IMPORT_SAME : rc ? rc : IMPORT_CONFLICT;
}

static int meet(const struct import *m, const struct node_row *row, bool update)
{
	struct store *s = m->lake->store;
	struct cloud_row c;
	int rc = store_cloud_by_key(s, "", m->key, &c);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	/* Known, as it is; whatever became of the file here. */
	if (!rc && (c.state == CLOUD_INTENT || c.state == CLOUD_GOING || !strcmp(c.etag, m->head->etag)))
		return IMPORT_SAME;
	if (!update)
		return -EEXIST;
	if (!rc && row->kind == KIND_FILE && c.version && c.version == row->version && is_as_recorded(m->lake, row)) {
		rc = replace(m, row);
		return rc ? rc : IMPORT_CHANGED;
	}
	return put_beside(m);
}

/* Nothing has that name. But the object may be a file already, which is called otherwise here, and keeps it. */
static int meet_nothing(const struct import *m)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct store *s = m->lake->store;
	struct version_row v;
	struct node_row row;
	struct cloud_row c;
	int rc = store_cloud_by_key(s, "", m->key, &c);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (!rc && c.version && !store_version(s, c.version, &v) && !store_node(s, v.node, &row) &&
	    row.version == c.version && !store_path(s, row.id, &path))
		return strcmp(c.etag, m->head->etag) ? -EBUSY : IMPORT_SAME;
	/* Not what others put there: it was removed or renamed here, and is about to leave that key. */
	if (!rc && (c.state == CLOUD_INTENT || c.state == CLOUD_GOING ||
		    (c.state == CLOUD_VERIFIED && !strcmp(c.etag, m->head->etag))))
		return IMPORT_SAME;
	rc = make_file(m, m->name);
	return rc ? rc : IMPORT_NEW;
}

int ns_import(struct lake *lake, uint64_t parent, const char *name, const char *key, const struct tier_head *head,
	      bool update, const struct actor *actor)
{
	struct import m = {.lake = lake, .actor = actor, .name = name, .key = key, .head = head};
	struct node_row row;
	int rc = real_folder_get(lake, parent, &m.folder);

	if (!rc)
		rc = store_entry(lake->store, parent, name, &row);
	if (!rc)
		rc = meet(&m, &row, update);
	else if (rc == -ENOENT)
		rc = meet_nothing(&m);
	real_folder_put(&m.folder);
	return rc;
}
