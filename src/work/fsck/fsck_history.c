/* What is kept of earlier versions: versions/, packs, cache/, temp/. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "content/cloud/draft.h"
#include "content/past/kept.h"
#include "content/pack/packs.h"
#include "content/past/past.h"
#include "content/recall/recall.h"
#include "work/fsck/fsck_int.h"

#define BATCH 256

/* ---- each kept version ---- */

static const char *check_object(struct fsck *f, const struct version_row *v)
{
	struct object_row packed;
	int rc = store_object(f->lake->store, v->sha256, &packed);

	if (!v->hashed || rc == -ENOENT)
		return "its content is in no pack";
	return !rc && packed.size != v->size ? "its content in the pack has another size" : NULL;
}

static const char *check_cloud(struct fsck *f, const struct version_row *v)
{
	struct cloud_row object;
	int rc = store_cloud_of_version(f->lake->store, v->id, &object);

	return rc == -ENOENT ? "no object in the cloud has its content" : NULL;
}

/* EXACT: as large as the version; else not smaller. A file that is not there is leftovers.c's. */
static const char *check_file(struct fsck *f, const struct version_row *v, bool exact)
{
	struct volume *volume = reach_volume(f->lake, v->volume);
	char name[VERSION_NAME_MAX];
	struct stat st;

	(exact ? version_name : copy_name)(v->node, v->id, name);
	if (!volume || fstatat(volume->versionsfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode))
		return "what lies in versions/ for it is no file";
	if (exact ? (uint64_t)st.st_size != v->size : (uint64_t)st.st_size < v->size)
		return "its file in versions/ has another size";
	return NULL;
}

/* Each undo file on the way to its bytes is read. */
static const char *check_chain(struct fsck *f, const struct version_row *v)
{
	struct past *p;
	int rc = kept_is_missing(f->lake, v) ? 0 : past_open(f->lake, v, &p);

	if (!rc && !kept_is_missing(f->lake, v))
		past_close(p);
	return rc == -ENOENT ? "what it is put together from is missing"
	       : rc < 0	     ? "what it is put together from is damaged"
			     : NULL;
}

static const char *check_version(struct fsck *f, const struct version_row *v)
{
	switch (v->how) {
	case HOW_PACKED:
		return check_object(f, v);
	case HOW_CLOUD:
		return check_cloud(f, v);
	case HOW_ASIDE:
		return check_file(f, v, true);
	case HOW_COPY:
	case HOW_REFLINK:
		return check_file(f, v, false);
	case HOW_UNDO:
	case HOW_PREFIX:
		return check_chain(f, v);
	case HOW_NONE:
		break;
	}
	return NULL;
}

static void look_at(struct fsck *f, const struct version_row *seen)
{
	_cleanup_buf_ struct buf place = BUF_INIT;
	struct version_row v = *seen;
	const char *remedy, *what;
	int rc;

	f->result->versions++;
	what = v.settled && v.size ? check_version(f, &v) : NULL;
	if (!what)
		return;
	/* It may have expired, or be kept in another way, since its row was read. */
	if (store_barrier(f->lake->store, 0) || store_version(f->lake->store, v.id, &v) ||
	    (v.state != VERSION_KEPT && v.state != VERSION_PARTIAL) || !v.settled)
		return;
	what = check_version(f, &v);
	if (!what)
		return;
	fsck_name_version(f, &v, &place);
	rc = fsck_other_copy(f, &v, &remedy);
	fsck_tell(f, rc, buf_str(&place), remedy, "%s", what);
}

struct batch {
	struct version_row *rows;
	int n;
};

static int note(void *arg, const struct version_row *v)
{
	struct batch *b = arg;

	b->rows[b->n++] = *v;
	return 0;
}

static int check_versions(struct fsck *f)
{
	_cleanup_free_ struct version_row *rows = calloc(BATCH, sizeof(*rows));
	struct batch b = {.rows = rows};
	uint64_t commit = 0, version = 0;
	int rc = rows ? 0 : -ENOMEM;

	do {
		b.n = 0;
		if (!rc)
			rc = store_kept_after(f->lake->store, commit, version, BATCH, note, &b);
		for (int i = 0; !rc && i < b.n && !fsck_stopping(f); i++)
			look_at(f, &rows[i]);
		if (b.n) {
			commit = rows[b.n - 1].end_commit;
			version = rows[b.n - 1].id;
		}
	} while (!rc && b.n && !fsck_stopping(f));
	return rc < 0 ? rc : 0;
}

/* ---- packs ---- */

struct pack_check {
	struct pack_entry *list;
	size_t n, at;
	uint64_t wrong, rows;
};

/* Both come by rising offset. */
static int compare_object(void *arg, const struct object_row *o)
{
	struct pack_check *p = arg;
	const struct pack_entry *e;

	while (p->at < p->n && p->list[p->at].offset < o->offset)
		p->at++;
	e = &p->list[p->at];
	p->rows++;
	p->wrong += p->at == p->n || e->offset != o->offset || e->length != o->length || e->size != o->size ||
		    memcmp(e->sha256, o->sha256, SHA256_BYTES) != 0;
	return 0;
}

/* Its size, its directory, and what the store says to be in it. */
static int check_pack(void *arg, const struct pack_row *row)
{
	struct fsck *f = arg;
	struct volume *volume = reach_volume(f->lake, row->volume);
	_cleanup_pack_file_ struct pack_file *file = NULL;
	struct pack_check check = {0};
	char name[PACK_NAME_MAX], place[PACK_NAME_MAX + 16];
	struct stat st;
	int rc;

	if (fsck_stopping(f))
		return 1;
	f->result->packs++;
	if (!volume || volume->packsfd < 0)
		return 0;
	pack_file_name(row->id, name);
	snprintf(place, sizeof(place), "versions/packs/%s", name);
	if (fstatat(volume->packsfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) /* leftovers.c tells */
		return 0;
	rc = pack_file_open(volume->packsfd, row->id, &file);
	if (!rc)
		rc = pack_file_list(file, &check.list, &check.n);
	if ((uint64_t)st.st_size != row->bytes)
		fsck_tell(f, 0, place, NULL, "the pack has %lld bytes, not %" PRIu64, (long long)st.st_size,
			  row->bytes);
	else if (rc < 0)
		fsck_tell(f, 0, place, NULL, "the pack's directory cannot be read");
	else if (!store_objects(f->lake->store, row->id, compare_object, &check) && check.wrong)
		fsck_tell(f, 0, place, NULL, "%" PRIu64 " of %" PRIu64 " contents are not where the store says",
			  check.wrong, check.rows);
	free(check.list);
	return 0;
}

/* ---- what was on its way ---- */

typedef void (*entry_fn)(struct fsck *f, int dirfd, const char *folder, const char *name);

static void each_entry(struct fsck *f, int at, const char *name, const char *folder, entry_fn fn)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d && fd >= 0)
		close(fd);
	while (d && !fsck_stopping(f) && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			fn(f, dirfd(d), folder, e->d_name);
}

static bool is_old(struct fsck *f, int dirfd, const char *name, struct stat *st)
{
	return !fstatat(dirfd, name, st, AT_SYMLINK_NOFOLLOW) && stat_ctime(st) < f->before;
}

static bool is_in_cloud(struct fsck *f, uint64_t version, uint64_t size)
{
	struct cloud_row object;

	return !store_cloud_of_version(f->lake->store, version, &object) && object.hashed && object.size == size;
}

/* As content/recover.c does after a crash. */
static void check_staged(struct fsck *f, int dirfd, const char *folder, const char *name)
{
	uint64_t node, version;
	enum staged_kind kind;
	char place[NAME_BYTES + 24];
	struct stat st;
	bool own;
	int rc = 0;

	if (version_file_parse(name, &node, &version)) /* leftovers.c */
		return;
	snprintf(place, sizeof(place), "versions/%s/%s", folder, name);
	if (!staged_name_parse(name, &node, &version, &kind)) {
		fsck_note(f, place, NULL, "it is not tarn's");
		return;
	}
	if (!is_old(f, dirfd, name, &st))
		return;
	own = S_ISREG(st.st_mode) && !is_in_cloud(f, version, (uint64_t)st.st_size);
	if (fsck_repairs(f))
		rc = own ? fsck_keep(f, dirfd, name) : unlinkat(dirfd, name, 0) < 0 ? -errno : 0;
	fsck_tell(f, rc, place, own ? "it is moved to lost+found/" : "it is removed",
		  "a file left on its way %s the cloud", kind == STAGED_STUB ? "to" : "from");
}

/* Is the version or pack ID read from the cloud? Else what came of it is of no use to anybody. */
static bool is_read_there(struct fsck *f, uint64_t id)
{
	struct version_row v;
	struct pack_row pack;
	struct node_row n;

	if (!store_pack(f->lake->store, id, &pack))
		return pack.state == PACK_AWAY;
	if (store_version(f->lake->store, id, &v))
		return false;
	if (v.state == VERSION_LIVE)
		return !store_node(f->lake->store, v.node, &n) && n.stub;
	return (v.state == VERSION_KEPT || v.state == VERSION_PARTIAL) && v.how == HOW_CLOUD;
}

static void check_draft(struct fsck *f, int dirfd, const char *name, const char *place, uint64_t node)
{
	struct stat st;
	int rc = 0;

	if (draft_is_in_use(f->lake, node) || !is_old(f, dirfd, name, &st))
		return;
	if (fsck_repairs(f))
		rc = unlinkat(dirfd, name, 0) < 0 ? -errno : 0;
	fsck_tell(f, rc, place, "it is removed", "what was written to a file that is whole, or gone");
}

static void check_cached(struct fsck *f, int dirfd, const char *folder, const char *name)
{
	char place[NAME_BYTES + 24];
	struct stat st;
	uint64_t id, node;
	int rc = 0;

	snprintf(place, sizeof(place), "%s/%s", folder, name);
	if (draft_file_parse(name, &node, &id)) {
		check_draft(f, dirfd, name, place, node);
		return;
	}
	if (!recall_file_parse(name, &id)) {
		fsck_note(f, place, NULL, "it is not tarn's");
		return;
	}
	if (recall_is_in_use(f->lake->recalls, id) || is_read_there(f, id) || !is_old(f, dirfd, name, &st))
		return;
	if (fsck_repairs(f))
		rc = unlinkat(dirfd, name, 0) < 0 ? -errno : 0;
	fsck_tell(f, rc, place, "it is removed", "bytes from the cloud that are not needed any more");
}

static void check_temp(struct fsck *f, int dirfd, const char *folder, const char *name)
{
	char place[NAME_BYTES + 24];
	struct stat st;
	int rc = 0;

	if (!is_old(f, dirfd, name, &st))
		return;
	snprintf(place, sizeof(place), "%s/%s", folder, name);
	if (fsck_repairs(f))
		rc = unlinkat(dirfd, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
	fsck_tell(f, rc, place, "it is removed", "left by something that did not end");
}

static void check_volume(struct fsck *f, struct volume *volume)
{
	char folder[3];

	for (int i = 0; i < 256 && !fsck_stopping(f); i++) {
		snprintf(folder, sizeof(folder), "%02x", i);
		each_entry(f, volume->versionsfd, folder, folder, check_staged);
	}
	if (volume->cachefd >= 0)
		each_entry(f, volume->cachefd, ".", "cache", check_cached);
}

int fsck_history(struct fsck *f)
{
	struct volume *volume;
	int rc;

	leftovers_sweep(&f->work, f);
	rc = check_versions(f);
	if (!rc && store_packs(f->lake->store, check_pack, f) < 0)
		rc = -EIO;
	for (int i = 0; i < LAKE_VOLUMES && !fsck_stopping(f); i++)
		if ((volume = reach_volume(f->lake, i)))
			check_volume(f, volume);
	each_entry(f, f->lake->temp_fd, ".", "temp", check_temp);
	return rc;
}
