#include "content/recover.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/past/base.h"
#include "content/cut.h"
#include "content/durable.h"
#include "content/past/kept.h"
#include "content/lease.h"
#include "content/outside.h"
#include "content/run.h"
#include "content/settle.h"
#include "content/past/whole.h"

#define RECOVER_AGAIN "recover_again" /* a lake key: a version in versions/ was still in use */

struct left_over {
	struct volume *volume;
	char name[VERSION_NAME_MAX];
	uint64_t node, version;
	struct fhandle handle;
	struct stat st;
};

static int drop(const struct left_over *l, const char *why)
{
	log_info("versions/%s: removed: %s", l->name, why);
	return unlinkat(l->volume->versionsfd, l->name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* Where PATH, below buckets/, is looked up, and what of it: *REST. PATH may be changed. */
static int folder_of(struct lake *lake, char *path, const char **rest)
{
	char *slash = strchr(path, '/');
	struct bucket *b;

	*rest = path;
	if (!slash)
		return lake->buckets_fd;
	*slash = '\0';
	if (!lake_bucket(lake, path, &b) && b->fd >= 0) {
		*rest = slash + 1;
		return b->fd;
	}
	*slash = '/';
	return lake->buckets_fd;
}

bool recover_look_at_path(struct lake *lake, uint64_t node, struct fhandle *h, struct stat *st)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	const char *rest;
	int folderfd;

	if (store_path(lake->store, node, &path) || !path.len)
		return false;
	folderfd = folder_of(lake, path.data, &rest);
	return !fstatat(folderfd, rest, st, AT_SYMLINK_NOFOLLOW) && !fhandle_get(folderfd, rest, h);
}

/* Handles and mappings of the last mount may still be in use. */
static bool is_settled(const struct left_over *l)
{
	_cleanup_close_ int fd = openat(l->volume->versionsfd, l->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && lease_probe(fd, F_RDLCK) != -EAGAIN;
}

/*
 * What was saved of V was about to be overwritten: that reaches the disk before the file's time does, and a power
 * failure may come between the two.
 */
static bool same_bytes(const struct left_over *l, const struct version_row *v)
{
	return v->size == (uint64_t)l->st.st_size && v->mtime == stat_mtime(&l->st) &&
	       !kept_was_begun(l->volume, l->node, v->id);
}

/* VERSION was live, and the file here has other bytes by now. */
static int end_base(struct lake *lake, const struct left_over *l, uint64_t version, struct record *r)
{
	_cleanup_close_ int fd = openat(l->volume->versionsfd, l->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct version_row base;
	enum version_how how;
	uint64_t stored;

	if (!version || store_version(lake->store, version, &base) || base.state != VERSION_LIVE)
		return 0;
	how = fd < 0 ? HOW_NONE : base_recover(lake, &base, fd, &l->st, &stored);
	if (how == HOW_NONE && durable_lose(lake, &base, r)) /* that one alone */
		return 0;
	if (how == HOW_NONE)
		return kept_lose_raw(lake, l->node, "overwritten in place before a crash", r);
	cut_keep(r, version, how);
	if (stored)
		record_version_how(r, version, how, stored);
	return 0;
}

/* The file was written after its version was cut: these bytes are a version of their own. */
static int keep_as_new(struct lake *lake, struct left_over *l)
{
	char was[VERSION_NAME_MAX];

	memcpy(was, l->name, sizeof(was));
	l->version = store_new_version(lake->store);
	version_name(l->node, l->version, l->name);
	return renameat(l->volume->versionsfd, was, l->volume->versionsfd, l->name) < 0 ? -errno : 0;
}

/* ROW: the version that the name speaks of, NULL when the store has none. LIVE: the node's, as the store has it. */
static int keep_version(struct lake *lake, struct left_over *l, const struct version_row *row, uint64_t live,
			struct record *r)
{
	struct version_row v = {.node = l->node,
				.state = VERSION_KEPT,
				.how = HOW_ASIDE,
				.settled = is_settled(l),
				.run = RUN_UNKNOWN,
				.volume = l->volume->index};
	int rc;

	if (row && v.settled && same_bytes(l, row)) {
		cut_keep(r, l->version, HOW_ASIDE);
		return 0;
	}
	rc = end_base(lake, l, row ? l->version : live, r);
	if (!rc && row)
		rc = keep_as_new(lake, l);
	if (rc < 0)
		return rc;
	v.id = l->version;
	cut_add_row(lake, &v, &l->st, r);
	if (!v.settled)
		record_lake(r, RECOVER_AGAIN, "1", 1);
	return 0;
}

/* The old content is here; the node's path has other content by now (NOW, ST), or nothing (NOW is NULL). */
static int finish(struct lake *lake, struct left_over *l, struct node_row *node, const struct fhandle *now,
		  const struct stat *st, const struct version_row *row)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, l->node, 0, NULL);
	struct node_row other;
	bool here;
	int rc;

	if (!r)
		return -ENOMEM;
	rc = keep_version(lake, l, row, node->version, r);
	if (rc < 0) {
		record_free(r);
		return rc;
	}
	if (!now || !store_node_by_handle(lake->store, l->volume->index, now, 0, NULL, &other, &here)) {
		/* unlinked, or replaced by a file that is known elsewhere: the look-up there tells the rest. What its
		 * mode was last may be lost with its record, too; whoever reads its past is asked for that one. */
		row_set_stat(node, &l->st);
		record_node_set(r, node);
		record_node_end(r, l->node);
		record_node_writing(r, l->node, false);
	} else {
		node->handle = *now;
		row_set_stat(node, st);
		node->ctime =
			0; /* the look-up there reads what no row says, too: a change of that may be lost as well */
		record_node_set(r, node);
		record_node_writing(r, l->node, true);
	}
	log_info("versions/%s: kept: the operation was done, its record was lost", l->name);
	return store_submit(lake->store, r, NULL);
}

/* Kept, but it was still open for writing when the last daemon ended. */
static int settle_kept(struct lake *lake, struct left_over *l)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, l->node, 0, NULL);

	if (!r)
		return -ENOMEM;
	if (lake->power_failed &&
	    store_is_synced(lake->store, l->node, (uint64_t)l->st.st_size, stat_mtime(&l->st)) <= 0) {
		cut_lose(r, l->version, DURABLE_POWER_FAILED);
	} else if (is_settled(l)) {
		cut_settled(r, l->version, &l->st);
	} else {
		record_lake(r, RECOVER_AGAIN, "1", 1);
	}
	return store_submit(lake->store, r, NULL);
}

static int recover_one(struct lake *lake, struct left_over *l)
{
	struct version_row version;
	struct node_row node;
	struct fhandle now;
	struct stat st;
	bool has_row, at_path;
	int rc;

	has_row = !store_version(lake->store, l->version, &version);
	if (has_row && version.state == VERSION_KEPT && version.settled)
		return 0;
	if (fstatat(l->volume->versionsfd, l->name, &l->st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (has_row && version.state == VERSION_KEPT)
		return settle_kept(lake, l);
	if (has_row && version.state != VERSION_LIVE && version.how == HOW_ASIDE)
		return 0; /* others may be read through it: work/leftovers.c asks */
	if (has_row && version.state != VERSION_LIVE)
		return drop(l, "its version is not kept any more");
	rc = store_node(lake->store, l->node, &node);
	if (rc == -ENOENT)
		return drop(l, "its file was never made durable");
	if (!rc)
		rc = fhandle_get(l->volume->versionsfd, l->name, &l->handle);
	if (rc < 0)
		return rc;
	at_path = recover_look_at_path(lake, l->node, &now, &st);
	if (at_path && fhandle_equal(&now, &l->handle))
		return drop(l, "the rename over its file did not happen");
	if (node.handle.len && !fhandle_equal(&node.handle, &l->handle))
		return drop(l, "the truncation of its file did not happen");
	return finish(lake, l, &node, at_path ? &now : NULL, &st, has_row ? &version : NULL);
}

/* ---- what was about to change places with a live file: content/cloud/stub.h ---- */

/* The object that an eviction relied on. */
static bool is_in_cloud(struct lake *lake, const struct left_over *l)
{
	struct cloud_row object;

	return !store_cloud_of_version(lake->store, l->version, &object) && object.hashed &&
	       object.size == (uint64_t)l->st.st_size;
}

static int recover_staged(struct lake *lake, enum staged_kind kind, struct left_over *l)
{
	(kind == STAGED_STUB ? stub_name : recall_name)(l->node, l->version, l->name);
	if (fstatat(l->volume->versionsfd, l->name, &l->st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (kind == STAGED_RECALL)
		return drop(l, S_ISLNK(l->st.st_mode) ? "the placeholder of a file that is back"
						      : "its file was on its way back");
	if (S_ISLNK(l->st.st_mode))
		return drop(l, "its file did not leave");
	if (is_in_cloud(lake, l))
		return drop(l, "its bytes are in the cloud");
	log_error("versions/%s: a file that left, and nothing is known of its bytes in the cloud: it stays", l->name);
	return 0;
}

static int recover_folder(struct lake *lake, struct volume *v, int index)
{
	struct left_over l = {.volume = v};
	_cleanup_closedir_ DIR *d = NULL;
	enum staged_kind kind;
	struct dirent *e;
	char name[12];
	int fd, rc = 0;

	snprintf(name, sizeof(name), "%02x", index);
	fd = openat(v->versionsfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -errno;
	}
	while (!rc && (e = readdir(d))) {
		if (staged_name_parse(e->d_name, &l.node, &l.version, &kind)) {
			rc = recover_staged(lake, kind, &l);
		} else if (version_name_parse(e->d_name, &l.node, &l.version)) {
			version_name(l.node, l.version, l.name);
			rc = recover_one(lake, &l);
		}
	}
	return rc;
}

/* ---- what the store knows, and the disk had not done when the power failed ---- */

static bool is_aside(const struct volume *volume, const char *name, const struct version_row *v)
{
	struct stat st;

	return !fstatat(volume->versionsfd, name, &st, AT_SYMLINK_NOFOLLOW) && (uint64_t)st.st_size == v->size;
}

/* The file that V was put aside from, if it still lies there. A descriptor or -errno. */
static int open_where_it_was(struct lake *lake, const struct version_row *v)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	_cleanup_close_ int fd = -1;
	const char *rest;
	struct stat st;
	int folderfd, rc = store_path_at(lake->store, v->node, v->end_commit - 1, &path);

	if (rc < 0)
		return rc;
	folderfd = folder_of(lake, path.data, &rest);
	fd = openat(folderfd, rest, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != v->size || stat_mtime(&st) != v->mtime)
		return -ENOENT;
	return steal_fd(&fd);
}

static int read_raw(void *arg, void *to, size_t len, uint64_t at)
{
	ssize_t n = pread(*(int *)arg, to, len, (off_t)at);

	return n < 0 ? -errno : (size_t)n == len ? 0 : -EIO;
}

/* The record that V was put aside was durable, the aside was not: the tree has its file. That one goes on, so V gets a
 * copy. */
static int put_aside_again(void *arg, const struct version_row *v)
{
	struct lake *lake = arg;
	struct volume *volume = lake_volume(lake, v->volume);
	_cleanup_close_ int rawfd = -1, fd = -1;
	char name[VERSION_NAME_MAX];

	version_name(v->node, v->id, name);
	if (v->how != HOW_ASIDE || !v->size || !volume || is_aside(volume, name, v))
		return 0;
	rawfd = open_where_it_was(lake, v);
	if (rawfd < 0)
		return 0;
	fd = whole_reflink(volume, rawfd, name, v->size);
	if (fd < 0)
		fd = whole_copy(volume, name, v->size, read_raw, &rawfd);
	if (fd >= 0)
		log_info("versions/%s: a copy: its record was durable, the operation was not", name);
	return 0;
}

bool lake_must_recover(struct lake *lake)
{
	_cleanup_buf_ struct buf again = BUF_INIT;

	return !store_was_clean(lake->store) || !store_lake(lake->store, RECOVER_AGAIN, &again);
}

int lake_recover(struct lake *lake)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	int rc;

	record_lake(r, RECOVER_AGAIN, NULL, 0);
	rc = store_submit(lake->store, r, NULL);
	for (int i = 0; i < LAKE_VOLUMES && !rc; i++)
		for (int f = 0; f < 256 && !rc && lake->volumes[i]; f++)
			rc = recover_folder(lake, lake->volumes[i], f);
	if (!rc)
		rc = store_barrier(lake->store, 0);
	if (!rc && lake->power_failed)
		rc = store_kept_after(lake->store, durable_commit(lake), 0, INT32_MAX, put_aside_again, lake);
	return rc ? rc : durable_check(lake);
}

/* ---- what was being written ---- */

struct unsettled {
	struct lake *lake;
	uint64_t *nodes;
	size_t n, room;
};

static int note_unsettled(void *arg, const struct node_row *n)
{
	struct unsettled *u = arg;

	if (u->n == u->room) {
		size_t room = u->room ? u->room * 2 : 64;
		uint64_t *more = realloc(u->nodes, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		u->nodes = more;
		u->room = room;
	}
	u->nodes[u->n++] = n->id;
	return 0;
}

/* Walks from the root to the node's path, as the kernel would, and so takes in what changed on the way. */
static struct inode *walk(struct lake *lake, char *path)
{
	struct inode *at = inode_find(lake, NODE_ROOT), *next;
	char *save, *name = strtok_r(path, "/", &save);
	struct stat st;

	for (; at && name; name = strtok_r(NULL, "/", &save)) {
		struct folder_fd *folder = NULL;
		int rc = folder_get(lake, at, &folder);

		if (!rc)
			rc = outside_look_up(lake, at, folder_fd(folder), name, &next, &st);
		folder_put(folder);
		inode_unref(lake, at);
		at = rc < 0 ? NULL : next;
	}
	return at;
}

/* lake_queue_unsettled() has it on the disk before it ends. */
static void note_synced(struct lake *lake, struct inode *inode)
{
	struct stat st;

	if (inode->kind == KIND_FILE && !inode_stat(lake, inode, &st))
		durable_synced(lake, inode, &st);
}

static void settle_node(struct lake *lake, uint64_t node)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	bool named = !store_path(lake->store, node, &path) && path.len;
	struct inode *inode = named ? walk(lake, path.data) : NULL;
	struct record *r;

	if (inode && inode->id == node) {
		note_synced(lake, inode);
		settle_later(lake, inode);
	} else if (named) {
		; /* it may have gone elsewhere, and is settled where it is found: content/outside.h */
	} else if ((r = record_new(OP_SYSTEM, RUN_TARN, 0, node, 0, NULL))) { /* gone */
		record_node_writing(r, node, false);
		store_submit(lake->store, r, NULL);
	}
	inode_unref(lake, inode);
}

int lake_queue_unsettled(struct lake *lake)
{
	struct unsettled u = {.lake = lake};
	int rc = store_writing(lake->store, note_unsettled, &u);

	for (size_t i = 0; i < u.n && !rc; i++)
		settle_node(lake, u.nodes[i]);
	free(u.nodes);
	return rc ? rc : durable_point(lake);
}
