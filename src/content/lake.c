#include "content/lake.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/caller.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/finding.h"
#include "content/cloud/backup.h"
#include "content/cloud/draft.h"
#include "content/durable.h"
#include "content/past/former.h"
#include "content/pack/packs.h"
#include "content/recall/recall.h"
#include "content/recall/recall_caller.h"
#include "content/registered.h"
#include "content/cloud/remote.h"
#include "content/room.h"
#include "content/run.h"
#include "content/settle.h"
#include "config/table.h"
#include "meta/changes.h"

bool bucket_name_reserved(const char *name)
{
	static const char *const reserved[] = {".catalog", ".lineage", "@v", ".tarn-versions", NULL};

	for (int i = 0; reserved[i]; i++)
		if (!strcmp(name, reserved[i]))
			return true;
	return false;
}

/* rsync writes .NAME.XXXXXX, tarn restore .NAME.tarn-XXXXXX */
static bool is_dotted_temporary(const char *name)
{
	const char *end = strrchr(name, '.');

	if (name[0] != '.' || !end || end == name)
		return false;
	if (!strncmp(end, ".tarn-", 6))
		return true;
	return strlen(end + 1) == 6 &&
	       strspn(end + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == 6 &&
	       strcspn(end + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") < 6;
}

bool name_is_temporary(const char *name)
{
	static const char *const globs[] = {"*~",	    ".*.sw[a-p]",    "*.part",	  ".goutputstream-*",
					    "*.crdownload", ".fuse_hidden*", ".~lock.*#", NULL};

	for (int i = 0; globs[i]; i++)
		if (!fnmatch(globs[i], name, 0))
			return true;
	return is_dotted_temporary(name);
}

bool bucket_versions(struct bucket *b, struct inode *parent, const char *name)
{
	const struct bucket_policy *policy;

	if (!b || !name)
		return false;
	policy = bucket_policy(b);
	if (!policy->versioned || name_is_temporary(name) || policy_excludes(policy, name, false))
		return false;
	return !parent || !atomic_load_explicit(&parent->excluded, memory_order_relaxed);
}

/*
 * The index of the volume that says it is ID: rows of the store name it for ever, whatever is mounted in which order.
 * A new one gets the first that is free. -ENOSPC: there are too many.
 */
static int volume_index(struct lake *lake, const char *id)
{
	char key[24];

	for (int i = 1; i < LAKE_VOLUMES; i++) {
		_cleanup_buf_ struct buf known = BUF_INIT;
		struct record *r;
		int rc;

		snprintf(key, sizeof(key), "volume.%d", i);
		rc = store_lake(lake->store, key, &known);
		if (!rc && !strcmp(buf_str(&known), id))
			return i;
		if (!rc)
			continue;
		if (rc != -ENOENT)
			return rc;
		r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
		record_lake(r, key, id, strlen(id));
		rc = store_submit(lake->store, r, NULL);
		if (!rc)
			rc = store_sync(lake->store, 0);
		return rc ? rc : i;
	}
	return -ENOSPC;
}

static int open_folder(int at, const char *name, mode_t mode)
{
	int fd;

	if (mkdirat(at, name, mode) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Another file system: history of its files stays on it. FOLDERFD: the bucket's folder. */
static int open_volume(struct lake *lake, struct bucket *b, int folderfd)
{
	_cleanup_close_ int versionsfd = -1;
	char id[VOLUME_ID_LEN + 1];
	struct volume *v;
	int index, rc;

	if (mkdirat(folderfd, ".tarn-versions", 0700) < 0 && errno != EEXIST)
		return -errno;
	versionsfd = openat(folderfd, ".tarn-versions", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (versionsfd < 0)
		return -errno;
	rc = volume_identify(versionsfd, id);
	if (rc < 0)
		return rc;
	index = volume_index(lake, id);
	if (index < 0)
		return index;
	v = lake->volumes[index];
	if (!v) {
		rc = volume_open(index, folderfd, steal_fd(&versionsfd), &v);
		if (rc < 0)
			return rc;
		v->cachefd = open_folder(v->versionsfd, "cache", 0700);
		lake->volumes[index] = v;
	}
	b->volume = v;
	return 0;
}

static int open_elsewhere(struct lake *lake, const char *path, struct bucket *b)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int rc = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		rc = -errno;
	else if (!(b->path = strdup(path)))
		rc = -ENOMEM;
	else if (st.st_dev != lake->volumes[0]->dev)
		rc = open_volume(lake, b, fd);
	if (rc < 0)
		return rc;
	b->fd = steal_fd(&fd);
	return 0;
}

static void bucket_free(struct bucket *b)
{
	if (b->fd >= 0)
		close(b->fd);
	free(b->path);
	free(b->name);
	free(b);
}

static struct bucket *find_bucket_locked(struct lake *lake, const char *name)
{
	for (struct bucket *b = lake->buckets; b; b = b->next)
		if (!b->removed && !strcmp(b->name, name))
			return b;
	return NULL;
}

int lake_bucket(struct lake *lake, const char *name, struct bucket **out)
{
	SCOPED_LOCK(&lake->buckets_lock);
	struct bucket *b = find_bucket_locked(lake, name);
	const struct bucket_policy *policy;
	int rc = 0;

	if (b) {
		*out = b;
		return 0;
	}
	if (bucket_name_reserved(name))
		return -EINVAL;
	b = calloc(1, sizeof(*b));
	if (!b || !(b->name = strdup(name))) {
		free(b);
		return -ENOMEM;
	}
	b->fd = -1;
	policy = settings_bucket(lake->settings, name);
	b->volume = lake->volumes[0];
	atomic_init(&b->policy, policy);
	if (policy->path)
		rc = open_elsewhere(lake, policy->path, b);
	if (rc < 0) {
		bucket_free(b);
		return rc;
	}
	b->next = lake->buckets;
	lake->buckets = b;
	*out = b;
	return 0;
}

void lake_bucket_renamed(struct lake *lake, const char *from, const char *to)
{
	SCOPED_LOCK(&lake->buckets_lock);
	struct bucket *b = find_bucket_locked(lake, from), *over = find_bucket_locked(lake, to);
	char *name = strdup(to);

	if (over)
		over->removed = true;
	if (b && name) { /* its policy goes along */
		free(b->name);
		b->name = name;
		name = NULL;
	}
	free(name);
}

void lake_bucket_removed(struct lake *lake, const char *name)
{
	SCOPED_LOCK(&lake->buckets_lock);
	struct bucket *b = find_bucket_locked(lake, name);

	if (b)
		b->removed = true;
}

void lake_set_settings(struct lake *lake, struct settings *settings)
{
	SCOPED_LOCK(&lake->buckets_lock);

	if (lake->nretired == (int)(sizeof(lake->retired) / sizeof(lake->retired[0]))) {
		/* Policies of the oldest are in use by nobody: each operation looks its policy up anew. */
		settings_unref(lake->retired[0]);
		memmove(lake->retired, lake->retired + 1, sizeof(lake->retired) - sizeof(lake->retired[0]));
		lake->nretired--;
	}
	lake->retired[lake->nretired++] = lake->settings;
	lake->settings = settings;
	atomic_store(&lake->audit_reads, settings->audit_reads);
	atomic_store(&lake->lineage_on, settings->auto_lineage);
	atomic_store(&lake->version_interval, settings->version_interval * NSEC_PER_SEC);
	for (struct bucket *b = lake->buckets; b; b = b->next)
		atomic_store_explicit(&b->policy, settings_bucket(settings, b->name), memory_order_release);
}

int lake_reload(struct lake *lake, struct findings *findings)
{
	struct settings *settings;
	int rc = settings_load(lake->path, NULL, &settings, findings);

	if (rc < 0)
		return rc;
	log_set_level(settings->log_level);
	lake_set_settings(lake, settings);
	remote_open(lake);
	log_info("settings reloaded");
	return 0;
}

static bool same_place(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : !a && !b;
}

/* One that lies elsewhere has an empty folder in buckets/, as a mount point has, so that it is listed. */
static int open_bucket(struct lake *lake, const struct bucket_policy *p, struct findings *findings)
{
	struct place nowhere = {0};
	struct bucket *b;
	int rc;

	if (mkdirat(lake->buckets_fd, p->name, 0755) < 0 && errno != EEXIST)
		findings_add(findings, FINDING_WARNING, &nowhere, "%s/buckets/%s: %s", lake->path, p->name,
			     strerror(errno));
	rc = lake_bucket(lake, p->name, &b);
	if (rc < 0)
		findings_add(findings, FINDING_WARNING, &nowhere, "bucket %s cannot be reached at %s: %s", p->name,
			     p->path ? p->path : "buckets/", strerror(-rc));
	else if (!same_place(b->path, p->path))
		findings_add(findings, FINDING_WARNING, &nowhere,
			     "bucket %s is in use at %s, and lies at %s from the next mount on", p->name,
			     b->path ? b->path : "buckets/", p->path ? p->path : "buckets/");
	return rc == -ENOMEM ? rc : 0;
}

int lake_open_buckets(struct lake *lake, struct findings *findings)
{
	struct settings *s = lake_settings(lake);
	int rc = 0;

	for (int i = 0; i < s->nbuckets && !rc; i++)
		rc = open_bucket(lake, &s->buckets[i], findings);
	settings_unref(s);
	if (lake->frontend.invalidate)
		lake->frontend.invalidate(lake->frontend.arg, NODE_ROOT, false);
	return rc;
}

struct settings *lake_settings(struct lake *lake)
{
	SCOPED_LOCK(&lake->buckets_lock);

	return settings_ref(lake->settings);
}

int lake_space(struct lake *lake, uint64_t *used, uint64_t *free_bytes, uint64_t *total)
{
	struct store_totals totals;
	struct statvfs fs;
	int rc = store_totals(lake->store, &totals);

	if (rc < 0)
		return rc;
	if (fstatvfs(lake->fd, &fs) < 0)
		return -errno;
	*used = totals.bytes - totals.stub_bytes + totals.stored_bytes;
	*free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	*total = (uint64_t)fs.f_blocks * fs.f_frsize;
	return 0;
}

/* ---- opening ---- */

static int open_folders(struct lake *lake, struct buf *error)
{
	struct volume *v;
	int versionsfd, rc;

	lake->fd = open(lake->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lake->fd < 0) {
		rc = -errno;
		buf_addf(error, "%s: %s", lake->path, strerror(errno));
		return rc;
	}
	lake->buckets_fd = open_folder(lake->fd, "buckets", 0755);
	lake->temp_fd = open_folder(lake->fd, "temp", 0700);
	versionsfd = open_folder(lake->fd, "versions", 0700);
	if (lake->buckets_fd < 0 || lake->temp_fd < 0 || versionsfd < 0) {
		buf_addf(error, "%s: cannot open its folders: %s", lake->path, strerror(errno));
		return -EIO;
	}
	rc = volume_open(0, lake->buckets_fd, versionsfd, &v);
	if (rc < 0) {
		buf_addf(error, "%s/versions: %s", lake->path, strerror(-rc));
		return rc;
	}
	lake->volumes[0] = v;
	v->cachefd = open_folder(lake->fd, "cache", 0700);
	if (v->cachefd < 0)
		buf_addf(error, "%s/cache: %s", lake->path, strerror(-v->cachefd));
	return v->cachefd < 0 ? v->cachefd : 0;
}

static int open_store(struct lake *lake, struct buf *error)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	const char *why = NULL;
	int rc;

	buf_addf(&path, "%s/catalog/tarn.db", lake->path);
	rc = store_open(buf_str(&path), STORE_WRITE, &lake->store, &why);
	if (rc == -ENOENT) {
		log_warning("%s is not there: a new one is made, and all files are taken in again", buf_str(&path));
		mkdirat(lake->fd, "catalog", 0700);
		rc = store_open(buf_str(&path), STORE_CREATE, &lake->store, &why);
	}
	if (rc == -EBUSY)
		buf_addf(error, "%s: the lake is in use by another tarn (see `tarn status %s`)", lake->path,
			 lake->path);
	else if (rc < 0)
		buf_addf(error, "%s: %s", buf_str(&path), why ? why : strerror(-rc));
	return rc;
}

/* Before anything is submitted: a copy of the metadata goes on from what is there (work/cloud/backup.c). */
static void keep_changes(struct lake *lake)
{
	_cleanup_buf_ struct buf folder = BUF_INIT;

	if (!lake->settings->cloud_provider || !lake->settings->metadata_backup)
		return;
	buf_addf(&folder, "%s/" BACKUP_FOLDER, lake->path);
	lake->changes_kept =
		!buf_error(&folder) &&
		!store_changes_keep(lake->store, buf_str(&folder), lake->settings->metadata_full, &lake->changes_last);
}

/* Root's node, and whether this is the folder that the store knows: a copied lake has other inodes everywhere. */
static int open_root(struct lake *lake, struct buf *error)
{
	struct node_row row = {.id = NODE_ROOT, .kind = KIND_FOLDER};
	uint8_t blob[FHANDLE_BLOB_MAX];
	_cleanup_buf_ struct buf known = BUF_INIT;
	struct record *r;
	struct inode *root;
	struct stat st;
	int len, rc;

	rc = fhandle_get(lake->buckets_fd, "", &row.handle);
	if (rc < 0 || fstat(lake->buckets_fd, &st) < 0) {
		buf_addf(error, "%s/buckets: %s", lake->path, strerror(rc < 0 ? -rc : errno));
		return -EIO;
	}
	len = fhandle_to_blob(&row.handle, blob);
	r = record_new(OP_SYSTEM, RUN_TARN, 0, NODE_ROOT, 0, NULL);
	if (!r)
		return -ENOMEM;
	rc = store_lake(lake->store, "root_handle", &known);
	if (rc < 0 || known.len != (size_t)len || memcmp(known.data, blob, (size_t)len)) {
		if (known.len)
			log_info("%s was moved to another file system or copied: files are recognised by name",
				 lake->path);
		if (known.len)
			record_forget_handles(r, 0);
		record_lake(r, "root_handle", blob, (size_t)len);
	}
	row_set_stat(&row, &st);
	record_node_set(r, &row);
	rc = store_submit(lake->store, r, NULL);
	if (!rc)
		rc = store_barrier(lake->store, 0);
	if (!rc)
		rc = inode_get(lake, &row, NULL, NULL, NULL, &root, NULL);
	return rc; /* the reference stays until the end */
}

static int find_id(struct lake *lake)
{
	_cleanup_buf_ struct buf known = BUF_INIT;
	struct record *r;
	int rc = store_lake(lake->store, "id", &known);

	if (!rc && known.len == sizeof(lake->id)) {
		memcpy(&lake->id, known.data, sizeof(lake->id));
		return 0;
	}
	if (rc < 0 && rc != -ENOENT)
		return rc;
	clock_source.random(&lake->id, sizeof(lake->id));
	r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	record_lake(r, "id", &lake->id, sizeof(lake->id));
	rc = store_submit(lake->store, r, NULL);
	return rc == -EROFS ? 0 : rc ? rc : store_sync(lake->store, 0);
}

static int open_first_buckets(struct lake *lake)
{
	struct findings findings = {0};
	int rc = lake_open_buckets(lake, &findings);

	for (int i = 0; i < findings.n; i++)
		log_warning("%s", findings.list[i].text);
	findings_release(&findings);
	return rc;
}

/* Operations follow each other without a gap; a look-up that has to take something in must get its turn. */
static void init_tree_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

int lake_open(const char *path, struct settings *settings, struct lake **out, struct buf *error)
{
	struct lake *lake = calloc(1, sizeof(*lake));
	int rc;

	if (!lake)
		return -ENOMEM;
	lake->fd = lake->buckets_fd = lake->temp_fd = -1;
	lake->settings = settings;
	atomic_init(&lake->audit_reads, settings->audit_reads);
	atomic_init(&lake->lineage_on, settings->auto_lineage);
	atomic_init(&lake->version_interval, settings->version_interval * NSEC_PER_SEC);
	lake->since = clock_wall();
	pthread_mutex_init(&lake->buckets_lock, NULL);
	pthread_mutex_init(&lake->growth_lock, NULL);
	pthread_mutex_init(&lake->mark.lock, NULL);
	pthread_mutex_init(&lake->opened_lock, NULL);
	init_tree_lock(&lake->tree_lock);
	lake->privileged = caller_can_switch();
	lake->path = strdup(path);
	rc = lake->path ? 0 : -ENOMEM;
	if (!rc)
		rc = open_folders(lake, error);
	if (!rc)
		rc = open_store(lake, error);
	if (!rc)
		keep_changes(lake);
	if (!rc && !store_was_clean(lake->store) && store_commit_time(lake->store, COMMIT_LIVE, &lake->crashed_at) < 0)
		lake->crashed_at = 0;
	if (!rc)
		rc = inode_table_new(&lake->inodes);
	if (!rc)
		rc = settle_queue_new(&lake->unsettled);
	if (!rc)
		rc = registered_new(&lake->registered);
	if (!rc)
		rc = former_names_new(&lake->formers);
	if (!rc)
		rc = lineage_new(&lake->lineage);
	if (!rc)
		rc = packs_new(&lake->packs);
	if (!rc)
		rc = room_new(&lake->room);
	if (!rc)
		rc = find_id(lake);
	if (!rc)
		remote_open(lake);
	if (!rc)
		rc = recalls_new(&lake->recalls);
	if (!rc)
		rc = recall_callers_new(&lake->recall_callers);
	if (!rc)
		rc = drafts_new(&lake->drafts);
	if (!rc)
		rc = open_root(lake, error);
	if (!rc)
		rc = open_first_buckets(lake);
	if (!rc)
		rc = drafts_load(lake);
	if (rc < 0) {
		if (!error->len)
			buf_addf(error, "%s: %s", path, strerror(-rc));
		lake_close(lake);
		return rc;
	}
	*out = lake;
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

int lake_close(struct lake *lake)
{
	struct bucket *b;
	int rc;

	if (lake->store && durable_point(lake) < 0)
		log_warning("%s: not all that was written is on the disk", lake->path);
	settle_queue_free(lake);
	inode_table_free(lake);
	registered_free(lake->registered);
	recall_callers_free(lake->recall_callers); /* they have recalls open */
	packs_free(steal_ptr(&lake->packs));	   /* they, too */
	drafts_free(steal_ptr(&lake->drafts));
	recalls_free(lake->recalls);
	former_names_free(lake->formers);
	lineage_free(lake->lineage);
	room_free(lake->room);
	run_forget_all();
	rc = lake->store ? store_close(lake->store) : 0;
	while ((b = lake->buckets)) {
		lake->buckets = b->next;
		bucket_free(b);
	}
	for (int i = 0; i < LAKE_VOLUMES; i++)
		volume_close(lake->volumes[i]);
	tables_unref(lake->tables);
	for (int i = 0; i < lake->nretired; i++)
		settings_unref(lake->retired[i]);
	settings_unref(lake->settings);
	remote_close(lake);
	close_fd(lake->buckets_fd);
	close_fd(lake->temp_fd);
	close_fd(lake->fd);
	pthread_mutex_destroy(&lake->buckets_lock);
	pthread_mutex_destroy(&lake->growth_lock);
	pthread_mutex_destroy(&lake->mark.lock);
	pthread_mutex_destroy(&lake->opened_lock);
	pthread_rwlock_destroy(&lake->tree_lock);
	free(lake->path);
	free(lake);
	return rc;
}
