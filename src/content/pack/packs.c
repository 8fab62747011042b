#include "content/pack/packs.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "content/pack/pack_index.h"
#include "content/recall/recall.h"
#include "content/cloud/remote.h"

#define CACHE_BYTES (64 * 1024 * 1024)
#define OPEN_FILES 16 /* kept open for the next reader */
#define TRIES 8	      /* an object may move between its row and its file */

struct packs {
	struct pack_cache *cache;

	pthread_mutex_t lock;
	struct pack_file *files[OPEN_FILES]; /* protected by lock, as the next ones */
	unsigned next;
	bool busy;
	pthread_cond_t idle;
	_Atomic int wanted;
};

int packs_new(struct packs **out)
{
	struct packs *p = calloc(1, sizeof(*p));

	if (!p || pack_cache_new(CACHE_BYTES, &p->cache) < 0) {
		free(p);
		return -ENOMEM;
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->idle, NULL);
	*out = p;
	return 0;
}

void packs_free(struct packs *p)
{
	if (!p)
		return;
	for (int i = 0; i < OPEN_FILES; i++)
		if (p->files[i])
			pack_file_unref(p->files[i]);
	pack_cache_free(p->cache);
	pthread_cond_destroy(&p->idle);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* ---- files ---- */

static struct pack_file *find_open(struct packs *p, uint64_t number)
{
	SCOPED_LOCK(&p->lock);

	for (int i = 0; i < OPEN_FILES; i++)
		if (p->files[i] && p->files[i]->number == number)
			return pack_file_ref(p->files[i]);
	return NULL;
}

static void keep_open(struct packs *p, struct pack_file *f)
{
	struct pack_file *old;

	pthread_mutex_lock(&p->lock);
	old = p->files[p->next];
	p->files[p->next] = pack_file_ref(f);
	p->next = (p->next + 1) % OPEN_FILES;
	pthread_mutex_unlock(&p->lock);
	if (old)
		pack_file_unref(old);
}

static void close_kept(struct packs *p, uint64_t number)
{
	struct pack_file *gone[OPEN_FILES];
	int n = 0;

	pthread_mutex_lock(&p->lock);
	for (int i = 0; i < OPEN_FILES; i++)
		if (p->files[i] && p->files[i]->number == number)
			gone[n++] = steal_ptr(&p->files[i]);
	pthread_mutex_unlock(&p->lock);
	while (n)
		pack_file_unref(gone[--n]);
}

void packs_forget_away(struct packs *p)
{
	struct pack_file *gone[OPEN_FILES];
	int n = 0;

	pthread_mutex_lock(&p->lock);
	for (int i = 0; i < OPEN_FILES; i++)
		if (p->files[i] && p->files[i]->recall)
			gone[n++] = steal_ptr(&p->files[i]);
	pthread_mutex_unlock(&p->lock);
	while (n)
		pack_file_unref(gone[--n]);
}

static int open_away(struct lake *lake, const struct pack_row *row, struct volume *volume, struct pack_file **out)
{
	struct recall_source source = {.id = row->id, .size = row->bytes};
	_cleanup_tier_ struct tier *tier = lake_tier(lake);
	struct pack_index *index = NULL;
	struct recall *recall;
	struct cloud_row object;
	int rc = store_cloud_of_pack(lake->store, row->id, &object);

	if (rc < 0)
		return rc == -ENOENT ? -EIO : rc;
	source.key = object.key;
	source.etag = object.etag;
	source.hashed = object.hashed;
	memcpy(source.sha256, object.sha256, SHA256_BYTES);
	rc = tier ? recall_open(lake->recalls, tier, volume->cachefd, &source, &recall) : -EHOSTUNREACH;
	if (rc < 0)
		return rc;
	if (pack_index_open(volume->packsfd, row->id, &index))
		index = NULL;
	return pack_file_new_away(recall, index, row->id, out);
}

static int open_pack(struct lake *lake, uint64_t number, struct pack_file **out)
{
	struct pack_row row;
	struct volume *volume;
	int rc;

	*out = find_open(lake->packs, number);
	if (*out)
		return 0;
	rc = store_pack(lake->store, number, &row);
	if (rc < 0)
		return rc;
	volume = lake_volume(lake, row.volume);
	if (!volume || volume->packsfd < 0)
		return -EIO;
	rc = row.state == PACK_AWAY ? open_away(lake, &row, volume, out) : pack_file_open(volume->packsfd, number, out);
	if (!rc)
		keep_open(lake->packs, *out);
	return rc == -EBADMSG ? -EIO : rc;
}

/* ---- objects ---- */

int pack_find(struct lake *lake, const uint8_t sha256[SHA256_BYTES], struct pack_place *out)
{
	struct object_row row;
	int rc = store_object(lake->store, sha256, &row);

	if (!rc)
		rc = open_pack(lake, row.pack, &out->file);
	out->offset = row.offset;
	out->length = row.length;
	return rc;
}

bool pack_is_away(struct lake *lake, const uint8_t sha256[SHA256_BYTES])
{
	struct object_row object;
	struct pack_row row;

	return !store_object(lake->store, sha256, &object) && !store_pack(lake->store, object.pack, &row) &&
	       row.state == PACK_AWAY;
}

static int find_object(void *arg, const uint8_t sha256[SHA256_BYTES], struct pack_place *out)
{
	return pack_find(arg, sha256, out);
}

static void tell_damage(const uint8_t sha256[SHA256_BYTES], int err)
{
	char hex[2 * SHA256_BYTES + 1];

	for (int i = 0; i < SHA256_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", sha256[i]);
	log_error("packed content %s: cannot be read: %s", hex, strerror(-err));
}

int pack_open(struct lake *lake, const uint8_t sha256[SHA256_BYTES], struct pack_object **out)
{
	struct object_row row;
	int rc = -ENOENT;

	/* What moved meanwhile is found in its new place the next time. */
	for (int i = 0; i < TRIES && rc == -ENOENT; i++) {
		rc = pack_object_open(lake->packs->cache, sha256, find_object, lake, out);
		if (rc == -ENOENT && store_object(lake->store, sha256, &row) == -ENOENT)
			return rc;
	}
	if (rc == -ENOENT)
		rc = -EIO;
	if (rc < 0)
		tell_damage(sha256, rc);
	return rc;
}

/* ---- the turn ---- */

void packs_begin(struct lake *lake, bool urgent)
{
	struct packs *p = lake->packs;
	SCOPED_LOCK(&p->lock);

	p->wanted += urgent;
	while (p->busy)
		pthread_cond_wait(&p->idle, &p->lock);
	p->wanted -= urgent;
	p->busy = true;
}

void packs_end(struct lake *lake)
{
	struct packs *p = lake->packs;
	SCOPED_LOCK(&p->lock);

	p->busy = false;
	pthread_cond_signal(&p->idle);
}

bool packs_wanted(struct lake *lake)
{
	return atomic_load(&lake->packs->wanted);
}

/* ---- making one ---- */

int packing_begin(struct packing *p, struct lake *lake, struct volume *volume)
{
	*p = (struct packing){.lake = lake, .volume = volume};
	if (volume->packsfd < 0)
		return -EROFS;
	p->record = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	return p->record ? 0 : -ENOMEM;
}

int packing_open(struct packing *p)
{
	if (p->writer)
		return 0;
	p->pack = store_new_version(p->lake->store); /* numbers that are never given out again */
	return pack_writer_new(p->volume->packsfd, p->pack, p->lake->packs->cache, &p->writer);
}

int packing_object(struct packing *p, const struct object_row *o)
{
	if (array_grow(&p->objects, p->n, &p->room, sizeof(*p->objects)))
		return -ENOMEM;
	p->objects[p->n] = *o;
	p->objects[p->n].pack = p->pack;
	record_object_set(p->record, &p->objects[p->n++]);
	return 0;
}

static int find_here(void *arg, const uint8_t sha256[SHA256_BYTES], struct pack_place *out)
{
	struct packing *p = arg;

	for (size_t i = 0; i < p->n; i++) {
		const struct object_row *o = &p->objects[i];

		if (memcmp(o->sha256, sha256, SHA256_BYTES))
			continue;
		*out = (struct pack_place){pack_file_ref(pack_writer_file(p->writer)), o->offset, o->length};
		return 0;
	}
	return pack_find(p->lake, sha256, out);
}

int packing_find(struct packing *p, const uint8_t sha256[SHA256_BYTES], struct pack_object **out)
{
	return pack_object_open(p->lake->packs->cache, sha256, find_here, p, out);
}

int packing_end(struct packing *p)
{
	uint64_t commit, length = 0;
	int rc = p->writer ? pack_writer_finish(p->writer, &length) : -ENODATA;
	bool made = !rc;

	if (made) {
		struct pack_row row = {.id = p->pack, .volume = p->volume->index, .bytes = length};

		row.state = p->stays ? PACK_STAYS : PACK_HERE;
		record_pack_set(p->record, &row);
	}
	if (rc == -ENODATA)
		rc = 0;
	if (!rc) {
		rc = store_submit(p->lake->store, steal_ptr(&p->record), &commit);
		if (rc < 0 && made)
			pack_remove(p->lake, p->volume, p->pack);
		if (!rc)
			rc = store_sync(p->lake->store, commit);
	}
	packing_cancel(p);
	return rc;
}

void packing_cancel(struct packing *p)
{
	pack_writer_free(steal_ptr(&p->writer));
	record_free(steal_ptr(&p->record));
	free(steal_ptr(&p->objects));
	p->n = p->room = 0;
}

static int remove_file(struct volume *volume, const char *name)
{
	int rc;

	if (!unlinkat(volume->packsfd, name, 0) || errno == ENOENT)
		return 0;
	rc = -errno;
	log_warning("versions/packs/%s: cannot be removed: %s", name, strerror(-rc));
	return rc;
}

static int remove_pack_file(struct lake *lake, struct volume *volume, uint64_t pack)
{
	char name[PACK_NAME_MAX];

	close_kept(lake->packs, pack);
	pack_file_name(pack, name);
	return remove_file(volume, name);
}

int pack_remove(struct lake *lake, struct volume *volume, uint64_t pack)
{
	char name[PACK_NAME_MAX];
	int rc = remove_pack_file(lake, volume, pack), rc2;

	pack_index_name(pack, name);
	if (!faccessat(volume->packsfd, name, F_OK, AT_SYMLINK_NOFOLLOW)) {
		recalls_forget(lake->recalls, volume->cachefd, &pack, 1);
		rc2 = remove_file(volume, name);
		rc = rc ? rc : rc2;
	}
	return rc ? rc : fsync(volume->packsfd) < 0 ? -errno : 0;
}

/* ---- leaving ---- */

static int store_nothing(void *arg, const struct version_row *v)
{
	record_version_how(arg, v->id, HOW_PACKED, 0);
	return 0;
}

struct leaving {
	struct store *store;
	struct record *record;
};

static int note_leaving(void *arg, const struct object_row *o)
{
	struct leaving *l = arg;

	return store_versions_packed(l->store, o->sha256, store_nothing, l->record);
}

int pack_record_away(struct store *store, struct record *r, const struct pack_row *row)
{
	struct leaving l = {store, r};
	struct pack_row away = *row;

	away.state = PACK_AWAY;
	record_pack_set(r, &away);
	return store_objects(store, row->id, note_leaving, &l);
}

static int record_away(struct lake *lake, const struct pack_row *row)
{
	struct record *r = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL);
	uint64_t commit;
	int rc = pack_record_away(lake->store, r, row);

	if (rc < 0) {
		record_free(r);
		return rc;
	}
	rc = store_submit(lake->store, r, &commit);
	return rc ? rc : store_sync(lake->store, commit);
}

int pack_leave(struct lake *lake, struct volume *volume, uint64_t pack)
{
	_cleanup_pack_file_ struct pack_file *file = NULL;
	struct pack_row row;
	int rc = store_pack(lake->store, pack, &row);

	if (!rc && row.state != PACK_HERE)
		rc = -EINVAL;
	if (!rc)
		rc = pack_file_open(volume->packsfd, pack, &file);
	if (!rc)
		rc = pack_index_write(volume->packsfd, file);
	if (!rc)
		rc = record_away(lake, &row);
	if (!rc)
		rc = remove_pack_file(lake, volume, pack);
	return rc ? rc : fsync(volume->packsfd) < 0 ? -errno : 0;
}
