/*
 * packs/ and the store agree. A crash can leave packs that are not complete, packs that no row names, those that are
 * only in the cloud by now, and indexes of those that are not: nobody reads them, they go. What should not happen is a
 * row whose pack is not there. If the cloud has it, it is read from there; else what can be read only with it is
 * recorded as not kept, so that what is listed can be read.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "content/pack/pack_index.h"
#include "content/pack/packs.h"
#include "work/fsck/fsck_int.h"

#define LOST "its pack is missing from versions/packs/"

/* ---- files without a row ---- */

static bool is_left_over(struct work *w, const char *name)
{
	struct pack_row row;
	uint64_t number = strtoull(name, NULL, 16);
	bool is_index = pack_index_name_parse(name, &number);
	int rc;

	/* This start's are being made. */
	if (number >= w->first_version)
		return false;
	if (pack_writer_leftover(name))
		return true;
	if (!is_index && !pack_file_name_parse(name, &number))
		return false;
	rc = store_pack(w->lake->store, number, &row);
	return rc == -ENOENT || (!rc && is_index != (row.state == PACK_AWAY));
}

static void check_pack_file(struct fsck *f, struct volume *volume, const char *name)
{
	_cleanup_buf_ struct buf place = BUF_INIT;
	int rc = fsck_repairs(f) && unlinkat(volume->packsfd, name, 0) < 0 ? -errno : 0;

	buf_addf(&place, "versions/packs/%s", name);
	fsck_tell(f, rc, buf_str(&place), "it is removed",
		  pack_writer_leftover(name) ? "a pack that was never finished" : "a pack that nothing is read from");
}

static void sweep_folder(struct work *w, struct fsck *f, struct volume *volume)
{
	int fd = openat(volume->packsfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	unsigned removed = 0;
	struct dirent *e;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (!work_stopping(w) && (e = readdir(d))) {
		if (!is_left_over(w, e->d_name))
			continue;
		if (f)
			check_pack_file(f, volume, e->d_name);
		else
			removed += !unlinkat(volume->packsfd, e->d_name, 0);
	}
	if (removed)
		log_info("versions/packs: %u files that nobody needs were removed", removed);
}

/* ---- rows without a file ---- */

struct missing {
	struct lake *lake;
	struct record *record;
	uint8_t (*lost)[SHA256_BYTES]; /* objects, each after the one that it builds on */
	size_t n, room;
	uint64_t *packs;
	size_t npacks, packs_room, nfound;
};

/* Only on the lake's own file system: a bucket that lies elsewhere may not be there just now. */
static bool is_missing(struct lake *lake, const struct pack_row *p)
{
	char name[PACK_NAME_MAX];
	struct stat st;

	pack_file_name(p->id, name);
	return !p->volume && fstatat(lake->volumes[0]->packsfd, name, &st, AT_SYMLINK_NOFOLLOW) && errno == ENOENT;
}

static int note_pack(void *arg, const struct pack_row *p)
{
	struct missing *m = arg;
	struct cloud_row c;
	bool in_cloud = !store_cloud_of_pack(m->lake->store, p->id, &c);

	if (p->state == PACK_AWAY ? in_cloud : !is_missing(m->lake, p))
		return 0;
	if (in_cloud) {
		m->nfound++;
		return pack_record_away(m->lake->store, m->record, p);
	}
	if (m->npacks == m->packs_room) {
		uint64_t *more = reallocarray(m->packs, m->packs_room + 16, sizeof(*more));

		if (!more)
			return -ENOMEM;
		m->packs = more;
		m->packs_room += 16;
	}
	m->packs[m->npacks++] = p->id;
	return 0;
}

static int note_object(void *arg, const struct object_row *o)
{
	struct missing *m = arg;

	if (m->n == m->room) {
		void *more = reallocarray(m->lost, m->room * 2 + 64, sizeof(*m->lost));

		if (!more)
			return -ENOMEM;
		m->lost = more;
		m->room = m->room * 2 + 64;
	}
	memcpy(m->lost[m->n++], o->sha256, SHA256_BYTES);
	return 0;
}

static int lose_version(void *arg, const struct version_row *v)
{
	struct missing *m = arg;
	struct cloud_row object;

	if (v->state == VERSION_LIVE)
		record_version_how(m->record, v->id, HOW_NONE, 0);
	else if (!store_cloud_of_version(m->lake->store, v->id, &object))
		record_version_how(m->record, v->id, HOW_CLOUD, 0);
	else if (v->state == VERSION_KEPT || v->state == VERSION_PARTIAL)
		record_version_state(m->record, v->id, VERSION_NOT_KEPT, HOW_NONE, LOST);
	return 0;
}

static int lose_packs(struct missing *m)
{
	struct store *store = m->lake->store;
	int rc = 0;

	for (size_t i = 0; i < m->npacks && !rc; i++)
		rc = store_objects(store, m->packs[i], note_object, m);
	for (size_t i = 0; i < m->n && !rc; i++)
		rc = store_objects_on(store, m->lost[i], note_object, m);
	for (size_t i = 0; i < m->n && !rc; i++) {
		rc = store_versions_packed(store, m->lost[i], lose_version, m);
		record_object_remove(m->record, m->lost[i]);
	}
	for (size_t i = 0; i < m->npacks; i++)
		record_pack_remove(m->record, m->packs[i]);
	if (rc < 0)
		return rc;
	if (m->npacks)
		log_error("versions/packs: %zu packs are missing, and with them %zu contents of earlier versions",
			  m->npacks, m->n);
	return store_submit(store, steal_ptr(&m->record), NULL);
}

static void check_missing(struct fsck *f, struct missing *m)
{
	int rc = fsck_repairs(f) ? lose_packs(m) : 0;

	if (m->nfound)
		fsck_tell(f, rc, "versions/packs", "they are read from there",
			  "%zu packs are missing that the cloud has", m->nfound);
	for (size_t i = 0; i < m->npacks; i++) {
		char name[PACK_NAME_MAX], place[PACK_NAME_MAX + 16];

		pack_file_name(m->packs[i], name);
		snprintf(place, sizeof(place), "versions/packs/%s", name);
		fsck_tell(f, rc, place, "the versions in it are recorded as not kept", "the pack is missing");
	}
}

static void sweep_rows(struct lake *lake, struct fsck *f)
{
	struct missing m = {.lake = lake, .record = record_new(OP_SYSTEM, RUN_TARN, 0, 0, 0, NULL)};
	int rc = lake->volumes[0]->packsfd < 0 ? 0 : store_packs(lake->store, note_pack, &m);

	if (!rc && (m.npacks || m.nfound) && f)
		check_missing(f, &m);
	else if (!rc && (m.npacks || m.nfound))
		rc = lose_packs(&m);
	if (rc < 0)
		log_warning("versions/packs: not all packs could be checked: %s", strerror(-rc));
	record_free(m.record);
	free(m.packs);
	free(m.lost);
}

void pack_leftovers_sweep(struct work *w, struct fsck *f)
{
	struct volume *volume;

	packs_begin(w->lake, f);
	for (int i = 0; i < LAKE_VOLUMES; i++)
		if ((volume = reach_volume(w->lake, i)) && volume->packsfd >= 0)
			sweep_folder(w, f, volume);
	sweep_rows(w->lake, f);
	packs_end(w->lake);
}
