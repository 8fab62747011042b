/*
 * The table of inodes: by node id and by file handle, under one lock, because both keys and both counts change
 * together. Nothing is looked up in the store here; see outside.h for what a name on disk turns into.
 */
#include "content/inode.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content/appends.h"
#include "content/past/chain.h"
#include "content/cloud/draft.h"
#include "content/folder.h"
#include "content/lake.h"
#include "content/settle.h"
#include "content/cloud/stub.h"

struct inode_table {
	pthread_mutex_t lock;
	struct inode *by_id, *by_handle;
	struct inode *idle; /* unused, but the store cannot be read about them yet */
	struct folder_cache folders;
};

int inode_table_new(struct inode_table **out)
{
	struct inode_table *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	pthread_mutex_init(&t->lock, NULL);
	folder_cache_init(&t->folders);
	*out = t;
	return 0;
}

struct folder_cache *inode_folders(struct lake *lake)
{
	return &lake->inodes->folders;
}

static void free_inode(struct inode *inode)
{
	if (inode->pinned >= 0)
		close(inode->pinned);
	chain_unref(inode->chain);
	draft_unref(inode->draft);
	origin_free(&inode->origin);
	pthread_mutex_destroy(&inode->lock);
	pthread_cond_destroy(&inode->changed);
	free(inode->name);
	free(inode);
}

void inode_table_free(struct lake *lake)
{
	struct inode_table *t = lake->inodes;
	struct inode *inode, *next;

	if (!t)
		return;
	folder_cache_drop(&t->folders);
	HASH_CLEAR(by_handle, t->by_handle);
	HASH_ITER (by_id, t->by_id, inode, next) {
		HASH_DELETE(by_id, t->by_id, inode);
		free_inode(inode);
	}
	pthread_mutex_destroy(&t->lock);
	free(t);
	lake->inodes = NULL;
}

static void key_set(struct handle_key *key, int volume, const struct fhandle *h)
{
	memset(key, 0, sizeof(*key)); /* it is hashed as bytes, padding included */
	key->volume = volume;
	key->handle.len = h->len;
	key->handle.made = h->made;
	key->handle.type = h->type;
	memcpy(key->handle.bytes, h->bytes, h->len);
}

static void hash_handle_locked(struct inode_table *t, struct inode *inode)
{
	struct inode *other;

	if (!inode->key.handle.len)
		return;
	HASH_FIND(by_handle, t->by_handle, &inode->key, sizeof(inode->key), other);
	if (other) { /* its backing inode is gone and the number was used again */
		HASH_DELETE(by_handle, t->by_handle, other);
		other->key.handle.len = 0;
	}
	HASH_ADD(by_handle, t->by_handle, key, sizeof(inode->key), inode);
}

static void unhash_handle_locked(struct inode_table *t, struct inode *inode)
{
	if (inode->key.handle.len)
		HASH_DELETE(by_handle, t->by_handle, inode);
	inode->key.handle.len = 0;
}

/* Frees INODE if nothing needs it, and then its parents as far as nothing needs those. */
static void reap_locked(struct lake *lake, struct inode *inode)
{
	struct inode_table *t = lake->inodes;

	while (inode && !inode->nlookup && !inode->refs) {
		struct inode *parent = inode->parent;

		if (inode->id == NODE_ROOT)
			return;
		if (atomic_load(&inode->commit) > store_visible(lake->store) ||
		    inode->opens) { /* both pass by themselves */
			if (!inode->idle) {
				inode->idle = true;
				inode->idle_next = t->idle;
				t->idle = inode;
			}
			return;
		}
		if (inode->idle) /* the list still points to it; inode_sweep() comes by */
			return;
		if (inode->backing_id > 0)
			lake->frontend.backing_close(lake->frontend.arg, inode->backing_id);
		folder_cache_forget(&t->folders, inode);
		settle_unwatch(lake, inode);
		HASH_DELETE(by_id, t->by_id, inode);
		unhash_handle_locked(t, inode);
		free_inode(inode);
		if (parent)
			parent->refs--;
		inode = parent;
	}
}

void inode_sweep(struct lake *lake)
{
	struct inode_table *t = lake->inodes;
	SCOPED_LOCK(&t->lock);
	struct inode *list = t->idle;

	t->idle = NULL;
	while (list) {
		struct inode *inode = list;

		list = inode->idle_next;
		inode->idle = false;
		reap_locked(lake, inode);
	}
}

/* The caller holds the inode's lock too. */
static void set_name_locked(struct lake *lake, struct inode *inode, struct inode *parent, char *name,
			    struct bucket *bucket)
{
	struct inode *old = inode->parent;

	if (parent)
		parent->refs++;
	inode->parent = parent;
	free(inode->name);
	inode->name = name;
	if (bucket)
		inode->bucket = bucket;
	atomic_store_explicit(&inode->in_root, parent && parent->id == NODE_ROOT, memory_order_relaxed);
	if (inode->kind == KIND_FOLDER && parent && bucket && name)
		atomic_store_explicit(
			&inode->excluded,
			atomic_load_explicit(&parent->excluded, memory_order_relaxed) ||
				(parent->id != NODE_ROOT && policy_excludes(bucket_policy(bucket), name, true)),
			memory_order_relaxed);
	if (old) {
		old->refs--;
		reap_locked(lake, old);
	}
}

static struct inode *make_inode(struct lake *lake, const struct node_row *row)
{
	struct inode *inode = calloc(1, sizeof(*inode));

	if (!inode)
		return NULL;
	inode->id = row->id;
	inode->kind = row->kind;
	inode->volume = lake->volumes[row->volume];
	key_set(&inode->key, row->volume, &row->handle);
	inode->pinned = -1;
	inode->version = row->version;
	inode->left = row->version && !row->asset;
	inode->base_commit = store_visible(lake->store);
	inode->acl = row->acl;
	inode->dirty = row->writing;
	inode->clean_size = row->size;
	inode->clean_mtime = row->mtime;
	if (row->stub)
		stub_set_locked(lake, inode, row);
	pthread_mutex_init(&inode->lock, NULL);
	pthread_cond_init(&inode->changed, NULL);
	return inode;
}

int inode_get(struct lake *lake, const struct node_row *row, struct inode *parent, const char *name,
	      struct bucket *bucket, struct inode **out, bool *made)
{
	struct inode_table *t = lake->inodes;
	_cleanup_free_ char *copy = name ? strdup(name) : NULL;
	SCOPED_LOCK(&t->lock);
	struct inode *inode;

	if (name && !copy)
		return -ENOMEM;
	if (!lake_volume(lake, row->volume))
		return -EIO;
	HASH_FIND(by_id, t->by_id, &row->id, sizeof(row->id), inode);
	if (made)
		*made = !inode;
	if (!inode) {
		inode = make_inode(lake, row);
		if (!inode)
			return -ENOMEM;
		HASH_ADD(by_id, t->by_id, id, sizeof(inode->id), inode);
		hash_handle_locked(t, inode);
	}
	if (parent &&
	    (inode->parent != parent || !inode->name || strcmp(inode->name, name) || inode->bucket != bucket)) {
		SCOPED_LOCK(&inode->lock);

		set_name_locked(lake, inode, parent, steal_ptr(&copy), bucket);
	}
	inode->refs++;
	*out = inode;
	return 0;
}

struct inode *inode_find(struct lake *lake, uint64_t id)
{
	struct inode_table *t = lake->inodes;
	SCOPED_LOCK(&t->lock);
	struct inode *inode;

	HASH_FIND(by_id, t->by_id, &id, sizeof(id), inode);
	if (inode)
		inode->refs++;
	return inode;
}

struct inode *inode_find_handle(struct lake *lake, int volume, const struct fhandle *h)
{
	struct inode_table *t = lake->inodes;
	struct handle_key key;
	struct inode *inode;

	if (!h->len)
		return NULL;
	key_set(&key, volume, h);
	SCOPED_LOCK(&t->lock);
	HASH_FIND(by_handle, t->by_handle, &key, sizeof(key), inode);
	if (inode)
		inode->refs++;
	return inode;
}

struct inode *inode_ref(struct lake *lake, struct inode *inode)
{
	SCOPED_LOCK(&lake->inodes->lock);

	inode->refs++;
	return inode;
}

void inode_unref(struct lake *lake, struct inode *inode)
{
	if (!inode)
		return;
	SCOPED_LOCK(&lake->inodes->lock);

	inode->refs--;
	reap_locked(lake, inode);
}

void inode_look_up(struct lake *lake, struct inode *inode)
{
	SCOPED_LOCK(&lake->inodes->lock);

	inode->nlookup++;
}

bool inode_is_looked_up(struct lake *lake, const struct inode *inode)
{
	SCOPED_LOCK(&lake->inodes->lock);

	return inode->nlookup;
}

void inode_forget(struct lake *lake, uint64_t id, uint64_t n)
{
	struct inode_table *t = lake->inodes;
	SCOPED_LOCK(&t->lock);
	struct inode *inode;

	HASH_FIND(by_id, t->by_id, &id, sizeof(id), inode);
	if (!inode)
		return;
	inode->nlookup -= n < inode->nlookup ? n : inode->nlookup;
	reap_locked(lake, inode);
}

void inode_set_handle(struct lake *lake, struct inode *inode, const struct fhandle *h)
{
	struct inode_table *t = lake->inodes;
	SCOPED_LOCK(&t->lock);

	unhash_handle_locked(t, inode);
	key_set(&inode->key, inode->volume->index, h);
	hash_handle_locked(t, inode);
}

struct fhandle inode_handle(struct lake *lake, struct inode *inode)
{
	SCOPED_LOCK(&lake->inodes->lock);

	return inode->key.handle;
}

void inode_set_name(struct lake *lake, struct inode *inode, struct inode *parent, const char *name,
		    struct bucket *bucket)
{
	char *copy = name ? strdup(name) : NULL;
	SCOPED_LOCK(&lake->inodes->lock);
	SCOPED_LOCK(&inode->lock);

	set_name_locked(lake, inode, copy ? parent : NULL, copy, bucket);
}

static bool is_below(const struct inode *inode, const struct inode *folder)
{
	for (const struct inode *p = inode->parent; p; p = p->parent)
		if (p == folder)
			return true;
	return false;
}

static bool is_excluded(const struct inode *folder)
{
	for (const struct inode *p = folder; p && p->name && p->parent && p->parent->id != NODE_ROOT; p = p->parent)
		if (policy_excludes(bucket_policy(p->bucket), p->name, true))
			return true;
	return false;
}

void inode_folder_moved(struct lake *lake, struct inode *folder)
{
	struct inode_table *t = lake->inodes;
	struct inode *inode, *next;
	SCOPED_LOCK(&t->lock);

	HASH_ITER (by_id, t->by_id, inode, next) {
		SCOPED_LOCK(&inode->lock);

		if (!is_below(inode, folder))
			continue;
		inode->bucket = folder->bucket;
	}
	HASH_ITER (by_id, t->by_id, inode, next)
		if (inode->kind == KIND_FOLDER && (inode == folder || is_below(inode, folder)))
			atomic_store_explicit(&inode->excluded, is_excluded(inode), memory_order_relaxed);
}

struct inode *inode_parent(struct lake *lake, struct inode *inode, char name[NAME_BYTES + 1])
{
	SCOPED_LOCK(&lake->inodes->lock);

	if (!inode->parent)
		return NULL;
	snprintf(name, NAME_BYTES + 1, "%s", inode->name);
	inode->parent->refs++;
	return inode->parent;
}

uint64_t inode_count(struct lake *lake)
{
	SCOPED_LOCK(&lake->inodes->lock);

	return HASH_CNT(by_id, lake->inodes->by_id);
}

void inode_each(struct lake *lake, void (*fn)(void *arg, struct inode *inode), void *arg)
{
	struct inode_table *t = lake->inodes;
	struct inode **all, *inode, *next;
	size_t n = 0;

	pthread_mutex_lock(&t->lock);
	all = calloc(HASH_CNT(by_id, t->by_id) + 1, sizeof(struct inode *));
	if (all) {
		HASH_ITER (by_id, t->by_id, inode, next) {
			inode->refs++;
			all[n++] = inode;
		}
	}
	pthread_mutex_unlock(&t->lock);
	for (size_t i = 0; i < n; i++) {
		fn(arg, all[i]);
		inode_unref(lake, all[i]);
	}
	free(all);
}

bool inode_is_clean_locked(const struct inode *inode, const struct stat *st)
{
	return !inode->dirty ||
	       (!inode->written && (uint64_t)st->st_size == inode->clean_size && stat_mtime(st) == inode->clean_mtime);
}

void inode_is_read(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	appends_note_reader_locked(inode);
}

bool inode_is_dirty(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	return inode->dirty;
}

bool inode_is_named(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	return inode->name;
}

bool inode_is_at(struct inode *inode, const struct inode *parent, const char *name)
{
	SCOPED_LOCK(&inode->lock);

	return inode->parent == parent && inode->name && !strcmp(inode->name, name);
}

void inode_wait_free_locked(struct inode *inode)
{
	while (inode->state == INODE_CHANGING || inode->frozen)
		pthread_cond_wait(&inode->changed, &inode->lock);
}

void inode_freeze_locked(struct inode *inode)
{
	inode_wait_free_locked(inode);
	inode->frozen = true;
	while (inode->changing) /* no new one begins */
		pthread_cond_wait(&inode->changed, &inode->lock);
}

void inode_freeze(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	inode_freeze_locked(inode);
}

void inode_thaw(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	inode->frozen = false;
	pthread_cond_broadcast(&inode->changed);
}

void inode_begin_change(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	inode_wait_free_locked(inode);
	inode->changing++;
}

void inode_after_change(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	if (!--inode->changing)
		pthread_cond_broadcast(&inode->changed);
}

void inode_end_change(struct inode *inode)
{
	SCOPED_LOCK(&inode->lock);

	inode->state = INODE_IDLE;
	pthread_cond_broadcast(&inode->changed);
}

void inode_submitted(struct inode *inode, uint64_t commit)
{
	uint64_t known = atomic_load(&inode->commit);

	while (commit > known && !atomic_compare_exchange_weak(&inode->commit, &known, commit))
		;
}

int64_t stat_mtime(const struct stat *st)
{
	return st->st_mtim.tv_sec * NSEC_PER_SEC + st->st_mtim.tv_nsec;
}

int64_t stat_ctime(const struct stat *st)
{
	return st->st_ctim.tv_sec * NSEC_PER_SEC + st->st_ctim.tv_nsec;
}

void row_set_stat(struct node_row *row, const struct stat *st)
{
	row->mode = st->st_mode;
	row->uid = st->st_uid;
	row->gid = st->st_gid;
	row->size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
	row->mtime = stat_mtime(st);
	row->ctime = stat_ctime(st);
}

enum node_kind kind_of_mode(mode_t mode)
{
	return S_ISREG(mode) ? KIND_FILE : S_ISDIR(mode) ? KIND_FOLDER : S_ISLNK(mode) ? KIND_SYMLINK : KIND_OTHER;
}
