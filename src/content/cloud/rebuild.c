#include "content/cloud/rebuild.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <uthash.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content/hash.h"
#include "content/inode.h"
#include "content/cloud/rebuild_int.h"
#include "content/cloud/stub.h"
#include "content/volume.h"
#include "content/xattrs.h"

#define IN_RECORD 500
#define PROGRESS_EVERY 1024
#define VOLUMES 64

/* A file with more than one name: where it was made first. */
struct linked {
	uint64_t node;
	char *path;
	UT_hash_handle hh;
};

/* ---- records ---- */

struct record *rebuild_record(struct rebuild *r)
{
	if (!r->record)
		r->record = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	return r->record;
}

int rebuild_submit(struct rebuild *r, bool all)
{
	if (!r->record || (!all && ++r->in_record < IN_RECORD))
		return 0;
	r->in_record = 0;
	return store_submit(r->store, steal_ptr(&r->record), NULL);
}

static void told(struct rebuild *r)
{
	const struct rebuild_counts *c = &r->counts;

	if (r->progress && (c->folders + c->files + c->symlinks + c->lost) % PROGRESS_EVERY == 0)
		r->progress(r->arg, c);
}

/* ---- one name ---- */

/* What is being made: NAME in the folder DIRFD, whose node is PARENT. */
struct named {
	int dirfd;
	uint64_t parent;
	const char *name;
	struct node_row row;
};

static void set_times(const struct named *n)
{
	struct timespec t = {.tv_sec = n->row.mtime / NSEC_PER_SEC, .tv_nsec = n->row.mtime % NSEC_PER_SEC};

	if (t.tv_nsec < 0) { /* before 1970 */
		t.tv_nsec += NSEC_PER_SEC;
		t.tv_sec--;
	}
	utimensat(n->dirfd, n->name, (const struct timespec[]){t, t}, AT_SYMLINK_NOFOLLOW);
}

/* FD may be O_PATH, of what has no mode. What this user may not set stays as it is. */
static void set_attributes(struct rebuild *r, const struct named *n, int fd)
{
	_cleanup_buf_ struct buf xattrs = BUF_INIT;

	if (fchownat(n->dirfd, n->name, n->row.uid, n->row.gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != EPERM)
		return;
	if (fd >= 0 && !store_node_xattrs_at(r->store, n->row.id, COMMIT_LIVE, &xattrs) && xattrs.len)
		xattrs_write(fd, xattrs.data, xattrs.len);
	if (!S_ISLNK(n->row.mode))
		fchmodat(n->dirfd, n->name, n->row.mode & 07777, 0);
	set_times(n);
}

/* The row of what lies there now. */
static int record_place(struct rebuild *r, struct named *n)
{
	struct stat st;
	int rc = fhandle_get(n->dirfd, n->name, &n->row.handle);

	if (rc < 0 || fstatat(n->dirfd, n->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return rc < 0 ? rc : -errno;
	n->row.volume = 0;
	n->row.ctime = stat_ctime(&st);
	if (n->row.kind == KIND_FOLDER)
		n->row.size = (uint64_t)st.st_size;
	record_node_set(rebuild_record(r), &n->row);
	return 0;
}

static int make_symlink(struct rebuild *r, struct named *n)
{
	_cleanup_buf_ struct buf target = BUF_INIT;
	int rc = store_node_target(r->store, n->row.id, &target);

	if (rc < 0)
		return rc;
	if (symlinkat(buf_str(&target), n->dirfd, n->name) < 0 && errno != EEXIST)
		return -errno;
	set_attributes(r, n, -1);
	r->counts.symlinks++;
	return record_place(r, n);
}

static int make_empty(struct rebuild *r, struct named *n)
{
	_cleanup_close_ int fd =
		openat(n->dirfd, n->name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd < 0)
		return -errno;
	set_attributes(r, n, fd);
	r->counts.files++;
	return record_place(r, n);
}

/* Pipes and sockets; what a device was is not known. */
static int make_other(struct rebuild *r, struct named *n)
{
	if (!S_ISFIFO(n->row.mode) && !S_ISSOCK(n->row.mode))
		return -ENOENT;
	if (mknodat(n->dirfd, n->name, (n->row.mode & S_IFMT) | 0600, 0) < 0 && errno != EEXIST)
		return -errno;
	set_attributes(r, n, -1);
	r->counts.files++;
	return record_place(r, n);
}

/* A placeholder: the store has all that is to be known of the file. */
static int make_stub(struct rebuild *r, struct named *n, const struct version_row *v)
{
	char target[STUB_TARGET_ROOM];

	stub_target(r->lake, n->row.id, target);
	if (symlinkat(target, n->dirfd, n->name) < 0) {
		char there[STUB_TARGET_ROOM + 1];
		ssize_t len = errno == EEXIST ? readlinkat(n->dirfd, n->name, there, sizeof(there)) : -1;

		if (len != (ssize_t)strlen(target) || memcmp(there, target, (size_t)len) != 0)
			return errno == EINVAL ? 0 : -EEXIST; /* it was fetched meanwhile */
	}
	if (fhandle_get(n->dirfd, n->name, &n->row.handle) < 0)
		n->row.handle.len = 0;
	if (n->row.volume || n->row.size != v->size || n->row.mtime != v->mtime) {
		n->row.volume = 0;
		n->row.size = v->size;
		n->row.mtime = v->mtime;
		record_node_set(rebuild_record(r), &n->row);
	}
	record_node_stub(rebuild_record(r), n->row.id, true, &n->row.handle);
	if (n->row.writing)
		record_node_writing(rebuild_record(r), n->row.id, false);
	r->counts.files++;
	r->counts.bytes += v->size;
	return 0;
}

/* A file with several names: its bytes come now, and the other names are links to it. */
static int make_linked(struct rebuild *r, struct named *n, const struct version_row *v, const struct cloud_row *c)
{
	struct linked *l;
	int rc = 0;

	HASH_FIND(hh, r->linked, &n->row.id, sizeof(n->row.id), l);
	if (l) {
		if (linkat(r->buckets_fd, l->path, n->dirfd, n->name, 0) < 0 && errno != EEXIST)
			return -errno;
		return 0;
	}
	rc = rebuild_fetch(r, c, v, n->dirfd, n->name);
	if (rc < 0)
		return rc;
	{
		_cleanup_close_ int fd = openat(n->dirfd, n->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

		set_attributes(r, n, fd);
	}
	n->row.size = v->size;
	rc = record_place(r, n);
	l = calloc(1, sizeof(*l));
	if (!l || !(l->path = strdup(buf_str(&r->path)))) {
		free(l);
		return -ENOMEM;
	}
	l->node = n->row.id;
	HASH_ADD(hh, r->linked, node, sizeof(l->node), l);
	r->counts.files++;
	r->counts.bytes += v->size;
	return rc;
}

/* It leaves the tree; its content stays told of. */
static int lose(struct rebuild *r, const struct named *n, const struct version_row *v)
{
	struct record *record = rebuild_record(r);
	enum version_how how = v->id ? rebuild_kept(r, v) : HOW_NONE;

	record_entry_end(record, n->parent, n->name, ENDED_UNLINK);
	record_node_end(record, n->row.id);
	if (v->id && how)
		record_version_state(record, v->id, VERSION_KEPT, how, NULL);
	else if (v->id)
		record_version_state(record, v->id, VERSION_NOT_KEPT, HOW_NONE, REBUILD_LOST);
	r->counts.lost++;
	r->counts.lost_bytes += v->id ? v->size : n->row.size;
	if (r->lost)
		r->lost(r->arg, buf_str(&r->path), v, how ? "its content is an old version now" : REBUILD_LOST);
	return 0;
}

static int make_file(struct rebuild *r, struct named *n)
{
	struct version_row v = {0};
	struct cloud_row c;
	int rc = n->row.version ? store_version(r->store, n->row.version, &v) : -ENOENT;

	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (rc == -ENOENT)
		v.id = 0;
	if (v.id ? !v.size : !n->row.size && !n->row.writing)
		return make_empty(r, n);
	rc = v.id ? store_cloud_of_version(r->store, v.id, &c) : -ENOENT;
	if (rc == -ENOENT)
		return lose(r, n, &v);
	if (!rc)
		rc = store_named_elsewhere(r->store, n->row.id, n->parent, n->name);
	if (rc < 0)
		return rc;
	return rc ? make_linked(r, n, &v, &c) : make_stub(r, n, &v);
}

/* ---- folders ---- */

struct entry {
	uint64_t node;
	char name[];
};

struct entries {
	struct entry **list;
	size_t n, room;
};

static int add_entry(void *arg, const char *name, uint64_t node, enum node_kind kind)
{
	struct entries *l = arg;
	struct entry *e;

	(void)kind;
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 64;
		struct entry **list = realloc(l->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		l->list = list;
		l->room = room;
	}
	e = malloc(sizeof(*e) + strlen(name) + 1);
	if (!e)
		return -ENOMEM;
	e->node = node;
	memcpy(e->name, name, strlen(name) + 1);
	l->list[l->n++] = e;
	return 0;
}

static int make_children(struct rebuild *r, int dirfd, uint64_t folder, int depth);

static int make_folder(struct rebuild *r, struct named *n, int depth)
{
	_cleanup_close_ int fd = -1;
	int rc;

	if (mkdirat(n->dirfd, n->name, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(n->dirfd, n->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	rc = fd < 0 ? -errno : make_children(r, fd, n->row.id, depth + 1);
	if (rc < 0)
		return rc;
	set_attributes(r, n, fd);
	r->counts.folders++;
	return record_place(r, n);
}

static int make_one(struct rebuild *r, struct named *n, int depth)
{
	struct version_row none = {0};
	int rc;

	switch (n->row.kind) {
	case KIND_FOLDER:
		return make_folder(r, n, depth);
	case KIND_FILE:
		return make_file(r, n);
	case KIND_SYMLINK:
		rc = make_symlink(r, n);
		break;
	default:
		rc = make_other(r, n);
	}
	return rc == -ENOENT ? lose(r, n, &none) : rc;
}

static int make_children(struct rebuild *r, int dirfd, uint64_t folder, int depth)
{
	struct entries l = {0};
	size_t len = r->path.len;
	int rc = depth > 4096 ? -ELOOP : store_entries(r->store, folder, add_entry, &l);

	for (size_t i = 0; i < l.n; i++) {
		struct named n = {.dirfd = dirfd, .parent = folder, .name = l.list[i]->name};

		if (!rc)
			rc = store_node(r->store, l.list[i]->node, &n.row);
		if (!rc) {
			buf_addf(&r->path, "%s%s", len ? "/" : "", n.name);
			rc = buf_error(&r->path) ? buf_error(&r->path) : make_one(r, &n, depth);
			if (!rc)
				rc = rebuild_submit(r, false);
			if (!rc && r->call && r->call->stop && r->call->stop(r->call->arg))
				rc = -ECANCELED;
			told(r);
			if (!rc) {
				r->path.len = len;
				r->path.data[len] = '\0';
			}
		}
		free(l.list[i]);
	}
	free(l.list);
	return rc;
}

/* ---- all ---- */

/* The root's own row and handle, so that the lake is not taken for one that was copied. */
static int record_root(struct rebuild *r)
{
	struct node_row row;
	uint8_t blob[FHANDLE_BLOB_MAX];
	struct stat st;
	int rc = store_node(r->store, NODE_ROOT, &row);

	if (!rc)
		rc = fhandle_get(r->buckets_fd, "", &row.handle);
	if (rc < 0 || fstat(r->buckets_fd, &st) < 0)
		return rc < 0 ? rc : -errno;
	row_set_stat(&row, &st);
	record_node_set(rebuild_record(r), &row);
	record_lake(rebuild_record(r), "root_handle", blob, (size_t)fhandle_to_blob(&row.handle, blob));
	return 0;
}

static void release(struct rebuild *r)
{
	struct linked *l, *next;

	HASH_ITER (hh, r->linked, l, next) {
		HASH_DEL(r->linked, l);
		free(l->path);
		free(l);
	}
	record_free(steal_ptr(&r->record));
	buf_release(&r->path);
}

int rebuild_tree(struct rebuild *r, struct buf *why)
{
	int rc;

	for (int volume = 0; volume < VOLUMES; volume++)
		record_forget_handles(rebuild_record(r), volume);
	rc = rebuild_submit(r, true);
	if (!rc)
		rc = store_barrier(r->store, 0);
	if (!rc)
		rc = make_children(r, r->buckets_fd, NODE_ROOT, 0);
	if (!rc)
		rc = rebuild_versions(r);
	if (!rc)
		rc = record_root(r);
	if (!rc)
		rc = rebuild_submit(r, true);
	if (!rc)
		rc = store_sync(r->store, 0);
	if (rc)
		buf_addf(why, "%s: %s", r->path.len ? buf_str(&r->path) : "buckets", strerror(-rc));
	release(r);
	return rc;
}
