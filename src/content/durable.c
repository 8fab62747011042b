#include "content/durable.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/stat.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/aside.h"
#include "content/cut.h"
#include "content/hash.h"
#include "content/past/past.h"

#define MOUNTED_AS "mounted_as" /* a lake key: boot and mount of the file system that the last daemon worked on */
#define PIECE (256 * 1024)

#ifndef STATX_MNT_ID_UNIQUE /* Linux 6.8: never used again, unlike the plain one */
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif

/* ---- while it runs ---- */

void durable_cut(struct lake *lake)
{
	atomic_store(&lake->undurable, true);
}

static int sync_volumes(struct lake *lake)
{
	for (int i = 0; i < LAKE_VOLUMES; i++) {
		struct volume *v = lake_volume(lake, i);

		if (v && syncfs(v->versionsfd) < 0)
			return -errno;
	}
	return 0;
}

int durable_point(struct lake *lake)
{
	struct record *r;
	uint64_t commit;
	int rc;

	if (lake->read_only || !atomic_exchange(&lake->undurable, false))
		return 0;
	rc = store_barrier(lake->store, 0);
	commit = store_visible(lake->store);
	if (!rc)
		rc = sync_volumes(lake);
	if (rc < 0) {
		atomic_store(&lake->undurable, true);
		return rc;
	}
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_durable(r, commit);
	return store_submit(lake->store, r, NULL);
}

bool durable_is_synced_locked(const struct inode *inode, const struct stat *st)
{
	return inode->synced && inode->synced_size == (uint64_t)st->st_size && inode->synced_mtime == stat_mtime(st);
}

void durable_add_locked(struct inode *inode, const struct stat *st, struct record *r)
{
	inode->synced = true;
	inode->synced_size = (uint64_t)st->st_size;
	inode->synced_mtime = stat_mtime(st);
	if (inode->version && !inode->dirty)
		inode->synced_told = inode->version;
	record_synced(r, inode->id, inode->synced_size, inode->synced_mtime);
}

/* The store can vouch for it from this record's commit on. */
static uint64_t tell(struct lake *lake, struct inode *inode, const struct stat *st)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, inode->id, 0, NULL);
	uint64_t commit;

	record_synced(r, inode->id, (uint64_t)st->st_size, stat_mtime(st));
	return store_submit(lake->store, r, &commit) ? 0 : commit;
}

uint64_t durable_synced(struct lake *lake, struct inode *inode, const struct stat *st)
{
	bool cut;

	pthread_mutex_lock(&inode->lock);
	/* The version of what is being written is cut later, and takes it along (cut_add()). */
	cut = inode->version && !(inode->dirty && inode_changed_locked(inode, st)) &&
	      !(durable_is_synced_locked(inode, st) && inode->synced_told == inode->version);
	inode->synced = true;
	inode->synced_size = (uint64_t)st->st_size;
	inode->synced_mtime = stat_mtime(st);
	if (cut)
		inode->synced_told = inode->version;
	pthread_mutex_unlock(&inode->lock);
	return cut ? tell(lake, inode, st) : 0;
}

void durable_vouch(struct lake *lake, struct inode *inode, const struct stat *st, bool fresh)
{
	uint64_t commit = atomic_load(&inode->commit);
	bool synced, told;

	pthread_mutex_lock(&inode->lock);
	synced = durable_is_synced_locked(inode, st);
	told = !fresh && inode->synced_told == inode->version;
	pthread_mutex_unlock(&inode->lock);
	if (!synced)
		return;
	if (!told)
		commit = tell(lake, inode, st);
	if (commit)
		store_sync(lake->store, commit);
}

/* ---- after a power failure ---- */

/* Names the mount that the lake's own file system is on; it stays as it is until that is unmounted. */
static void mounted_as(struct lake *lake, struct buf *out)
{
	struct statx x = {0};
	char boot[37] = "";
	_cleanup_close_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, boot, sizeof(boot) - 1) < 0)
		boot[0] = '\0';
	if (statx(lake->fd, "", AT_EMPTY_PATH, STATX_MNT_ID_UNIQUE, &x) < 0 || !(x.stx_mask & STATX_MNT_ID_UNIQUE))
		statx(lake->fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &x);
	buf_addf(out, "%s %u:%u %" PRIu64, boot, x.stx_dev_major, x.stx_dev_minor, (uint64_t)x.stx_mnt_id);
}

int durable_begin(struct lake *lake)
{
	_cleanup_buf_ struct buf was = BUF_INIT, now = BUF_INIT;
	struct record *r;
	bool known;
	int rc;

	known = !store_lake(lake->store, MOUNTED_AS, &was); /* else a tarn that did not note it */
	mounted_as(lake, &now);
	if (known && was.len == now.len && !memcmp(was.data, now.data, now.len))
		return 0;
	lake->power_failed = known && !store_was_clean(lake->store);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_lake(r, MOUNTED_AS, now.data, now.len);
	rc = store_submit(lake->store, r, NULL);
	return rc == -EROFS ? 0 : rc; /* a view of the lake beside its daemon */
}

/* Has V the bytes that its hash says? */
static bool verifies(struct lake *lake, const struct version_row *v)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t sha256[EVP_MAX_MD_SIZE];
	char *piece = malloc(PIECE);
	struct past *p = NULL;
	off_t at = 0;
	ssize_t n = -1;

	if (md && piece && EVP_DigestInit_ex(md, EVP_sha256(), NULL) && !past_open(lake, v, &p))
		while ((n = past_read(p, piece, PIECE, at)) > 0 && EVP_DigestUpdate(md, piece, (size_t)n))
			at += n;
	if (n || (uint64_t)at != v->size || !EVP_DigestFinal_ex(md, sha256, NULL))
		n = -1;
	past_close(p);
	free(piece);
	EVP_MD_CTX_free(md);
	return !n && !memcmp(sha256, v->sha256, SHA256_BYTES);
}

/* Older versions may be read through what was saved of V, whatever became of itself; content/past/kept.h removes that.
 * */
static enum version_how how_then(struct lake *lake, const struct version_row *v)
{
	struct volume *volume = lake_volume(lake, v->volume);
	char name[VERSION_NAME_MAX];

	undo_name(v->node, v->id, name);
	if (v->how != HOW_NONE || !volume || faccessat(volume->versionsfd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return v->how;
	return HOW_UNDO;
}

static void lose(struct lake *lake, const struct version_row *v, struct record *r)
{
	record_version_state(r, v->id, VERSION_NOT_KEPT, how_then(lake, v), DURABLE_POWER_FAILED);
}

uint64_t durable_commit(struct lake *lake)
{
	_cleanup_buf_ struct buf value = BUF_INIT;

	return store_lake(lake->store, "durable", &value) ? 0 : strtoull(buf_str(&value), NULL, 10);
}

/* Was V fsynced, or the version that it was before, under another name? 1, 0 or -errno. */
static int is_durable(struct lake *lake, const struct version_row *v)
{
	struct version_row before;
	int rc;

	if (v->how == HOW_CLOUD)
		return 1;
	rc = v->size ? store_is_synced(lake->store, v->node, v->size, v->mtime) : 1;

	if (rc)
		return rc;
	return !store_version_of_node_at(lake->store, v->node, durable_commit(lake), &before) &&
	       before.size == v->size && before.mtime == v->mtime;
}

bool durable_lose(struct lake *lake, const struct version_row *v, struct record *r)
{
	if (!lake->power_failed || v->cut_commit <= durable_commit(lake) || is_durable(lake, v))
		return false;
	lose(lake, v, r);
	return true;
}

/* Has the live file the bytes of V? Asked without an inode: nobody may have one yet that believes in V. */
static bool live_verifies(struct lake *lake, const struct version_row *v)
{
	_cleanup_close_ int fd = -1;
	uint8_t sha256[SHA256_BYTES];
	struct volume *volume;
	struct node_row node;
	uint64_t bytes;

	if (store_node(lake->store, v->node, &node))
		return false;
	if (node.stub)
		return true; /* nothing of it is here */
	if (!v->hashed)
		return false;
	volume = lake_volume(lake, node.volume);
	if (!volume || !volume->handles || !node.handle.len || node.handle.made)
		return false;
	fd = fhandle_open(volume->mountfd, &node.handle, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && !hash_fd(fd, NULL, NULL, sha256, &bytes) && bytes == v->size &&
	       !memcmp(sha256, v->sha256, SHA256_BYTES);
}

struct check {
	struct lake *lake;
	struct record *record;
	bool live; /* the live ones, else the others */
	uint64_t seen, lost;
};

static void lose_live(struct check *c, const struct version_row *v)
{
	/* what its file has now is settled, and cut, as what was being written is */
	record_node_writing(c->record, v->node, true);
	if (v->how != HOW_NONE) { /* a whole copy of it is on the disk */
		cut_keep(c->record, v->id, v->how);
		return;
	}
	c->lost++;
	lose(c->lake, v, c->record);
}

static int check_one(void *arg, const struct version_row *v)
{
	struct check *c = arg;
	int synced = is_durable(c->lake, v);

	if ((v->state == VERSION_LIVE) != c->live || synced < 0)
		return synced < 0 ? synced : 0;
	c->seen++;
	if (synced)
		return 0;
	if (c->live && !live_verifies(c->lake, v)) {
		lose_live(c, v);
	} else if (!c->live && !(v->hashed && verifies(c->lake, v))) {
		c->lost++;
		lose(c->lake, v, c->record);
	}
	return 0;
}

/* The live ones first: a reader of the others may need the file, and takes it for what the store says. */
static int check_all(struct check *c, bool live)
{
	int rc;

	c->live = live;
	c->record = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	if (!c->record)
		return -ENOMEM;
	rc = store_not_durable(c->lake->store, check_one, c);
	if (rc < 0) {
		record_free(c->record);
		return rc;
	}
	rc = store_submit(c->lake->store, c->record, NULL);
	return rc ? rc : store_barrier(c->lake->store, 0);
}

int durable_check(struct lake *lake)
{
	struct check c = {.lake = lake};
	int rc;

	durable_cut(lake); /* what is there now shall be on the disk soon */
	if (!lake->power_failed)
		return 0;
	rc = check_all(&c, true);
	if (!rc)
		rc = check_all(&c, false);
	if (!rc)
		log_info("the power failed: of %" PRIu64 " versions that were not on the disk for sure, %" PRIu64
			 " are not kept",
			 c.seen, c.lost);
	return rc;
}
