#include "content/recover.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/outside.h"
#include "content/run.h"
#include "content/settle.h"

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

/* What lies at the node's path now; false when nothing does. */
static bool handle_at_path(struct lake *lake, uint64_t node, struct fhandle *h)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	return !store_path(lake->store, node, &path) && !fhandle_get(lake->buckets_fd, buf_str(&path), h);
}

static void keep_version(struct record *r, const struct left_over *l, bool has_row)
{
	struct version_row v = {.id = l->version,
				.node = l->node,
				.state = VERSION_KEPT,
				.how = HOW_ASIDE,
				.settled = true,
				.run = RUN_UNKNOWN,
				.volume = l->volume->index};

	if (has_row) {
		record_version_state(r, l->version, VERSION_KEPT, HOW_ASIDE, NULL);
	} else {
		version_set_stat(&v, &l->st);
		record_version_add(r, &v);
	}
	record_job_add(r, JOB_SNIFF, l->version, clock_wall());
}

/* The old content is here; the node's path has other content by now, or nothing. */
static int finish(struct lake *lake, const struct left_over *l, struct node_row *node, const struct fhandle *now,
		  bool has_row)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, l->node, 0, NULL);
	struct node_row other;
	bool here;

	if (!r)
		return -ENOMEM;
	keep_version(r, l, has_row);
	if (!now || !store_node_by_handle(lake->store, l->volume->index, now, 0, NULL, &other, &here)) {
		/* unlinked, or replaced by a file that is known elsewhere: the look-up there tells the rest */
		record_node_end(r, l->node);
		record_node_writing(r, l->node, false);
	} else {
		node->handle = *now;
		node->size = 0;
		node->mtime = 0;
		record_node_set(r, node);
		record_node_writing(r, l->node, true);
	}
	log_info("versions/%s: kept: the operation was done, its record was lost", l->name);
	return store_submit(lake->store, r, NULL);
}

static int recover_one(struct lake *lake, struct left_over *l)
{
	struct version_row version;
	struct node_row node;
	struct fhandle now;
	bool has_row, at_path;
	int rc;

	has_row = !store_version(lake->store, l->version, &version);
	if (has_row && version.state == VERSION_KEPT)
		return 0;
	if (has_row && version.state != VERSION_LIVE)
		return drop(l, "its version is not kept any more");
	rc = store_node(lake->store, l->node, &node);
	if (rc == -ENOENT)
		return drop(l, "its file was never made durable");
	if (rc < 0)
		return rc;
	if (fstatat(l->volume->versionsfd, l->name, &l->st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	rc = fhandle_get(l->volume->versionsfd, l->name, &l->handle);
	if (rc < 0)
		return rc;
	at_path = handle_at_path(lake, l->node, &now);
	if (at_path && fhandle_equal(&now, &l->handle))
		return drop(l, "the rename over its file did not happen");
	if (node.handle.len && !fhandle_equal(&node.handle, &l->handle))
		return drop(l, "the truncation of its file did not happen");
	return finish(lake, l, &node, at_path ? &now : NULL, has_row);
}

static int recover_folder(struct lake *lake, struct volume *v, int index)
{
	struct left_over l = {.volume = v};
	_cleanup_closedir_ DIR *d = NULL;
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
		if (!version_name_parse(e->d_name, &l.node, &l.version))
			continue;
		version_name(l.node, l.version, l.name);
		rc = recover_one(lake, &l);
	}
	return rc;
}

int lake_recover(struct lake *lake)
{
	int rc = 0;

	for (int i = 0; i < lake->nvolumes && !rc; i++)
		for (int f = 0; f < 256 && !rc; f++)
			rc = recover_folder(lake, lake->volumes[i], f);
	return rc ? rc : store_barrier(lake->store, 0);
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

static void settle_node(struct lake *lake, uint64_t node)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct inode *inode;
	struct record *r;

	inode = store_path(lake->store, node, &path) || !path.len ? NULL : walk(lake, path.data);
	if (inode && inode->id == node) {
		settle_later(lake, inode);
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
	return rc;
}
