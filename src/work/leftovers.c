/*
 * versions/ and the store agree. A crash, or a store that was put back from a backup, can leave
 *
 *	a file whose version is not kept any more	removed: nobody can read it
 *	a kept version without its file			recorded as not kept: what is listed can be read
 *
 * Once after each start, in the background, and when `tarn fsck` asks. Versions that this start gave out are left
 * alone: their files and rows are being made. What a crash left of them is content/recover.c's, before the first
 * request.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/past/kept.h"
#include "work/fsck/fsck_int.h"

#define FAN 256

/* ---- files without a version ---- */

/* Its file is not what it is read from. */
static bool is_over(const struct version_row *v)
{
	return v->how == HOW_PACKED || v->how == HOW_CLOUD || v->state == VERSION_EXPIRED ||
	       v->state == VERSION_NOT_KEPT || v->state == VERSION_PURGED;
}

/* FILE: "HH/" and its name there. One that says where its bytes are may be needed for others. */
static bool remove_if_over(struct work *w, struct volume *volume, const char *file, uint64_t node, uint64_t id)
{
	struct version_row v;

	if (id >= w->first_version || store_version(w->lake->store, id, &v) || v.node != node || !is_over(&v))
		return false;
	if (v.how != HOW_NONE && v.how != HOW_PACKED && v.how != HOW_CLOUD) {
		kept_remove(w->lake, &v);
		return faccessat(volume->versionsfd, file, F_OK, 0) < 0;
	}
	if (v.how == HOW_NONE && kept_is_needed(w->lake, &v))
		return false;
	if (!unlinkat(volume->versionsfd, file, 0))
		return true;
	if (errno != ENOENT)
		log_warning("versions/%s: cannot be removed: %s", file, strerror(errno));
	return false;
}

#define GOING_NS (2 * NSEC_PER_SEC)
#define GOING_TRIES 20
#define OVER "a file of a version that is not read from it any more"

/* A version that has another place since may have its file for a moment more. */
static bool goes_by_itself(struct work *w, struct fsck *f, struct volume *volume, const char *file)
{
	for (int i = 0; f->options->work && i < GOING_TRIES; i++) {
		if (faccessat(volume->versionsfd, file, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return true;
		work_sleep(w, GOING_NS / GOING_TRIES);
	}
	return false;
}

/* What is about to go has its job, and its row says where it is. */
static void check_file(struct work *w, struct fsck *f, struct volume *volume, const char *file, uint64_t node,
		       uint64_t id)
{
	char place[VERSION_NAME_MAX + 16];
	struct version_row v;
	int rc = id >= w->first_version ? -EBUSY : store_version(w->lake->store, id, &v);

	snprintf(place, sizeof(place), "versions/%s", file);
	if ((rc == -ENOENT || (!rc && v.node != node)) && !goes_by_itself(w, f, volume, file)) {
		rc = fsck_repairs(f) ? fsck_keep(f, volume->versionsfd, file) : 0;
		fsck_tell(f, rc, place, "it is moved to lost+found/", "a file of a version that nobody knows");
	}
	if (rc || v.node != node || !is_over(&v) || (v.how != HOW_NONE && v.how != HOW_PACKED && v.how != HOW_CLOUD) ||
	    (v.how == HOW_NONE && kept_is_needed(w->lake, &v)) || goes_by_itself(w, f, volume, file))
		return;
	if (!fsck_repairs(f) && !f->options->work) { /* its end may have come between the two steps */
		fsck_note(f, place, "the next mount removes it", OVER);
		return;
	}
	rc = fsck_repairs(f) && !remove_if_over(w, volume, file, node, id) ? -EBUSY : 0;
	fsck_tell(f, rc, place, "it is removed", OVER);
}

static uint64_t sweep_folder(struct work *w, struct fsck *f, struct volume *volume, int index)
{
	uint64_t node, version, removed = 0;
	struct dirent *e;
	char name[3], file[VERSION_NAME_MAX];
	DIR *d;
	int fd;

	snprintf(name, sizeof(name), "%02x", index);
	fd = openat(volume->versionsfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (!work_stopping(w) && (e = readdir(d))) {
		if (!version_file_parse(e->d_name, &node, &version))
			continue;
		snprintf(file, sizeof(file), "%s/%.*s", name, (int)sizeof(file) - 4, e->d_name);
		if (f)
			check_file(w, f, volume, file, node, version);
		else
			removed += remove_if_over(w, volume, file, node, version);
	}
	closedir(d);
	return removed;
}

static void sweep_files(struct work *w, struct fsck *f)
{
	uint64_t removed = 0;
	struct volume *volume;

	for (int i = 0; i < LAKE_VOLUMES; i++)
		for (int n = 0; n < FAN && (volume = reach_volume(w->lake, i)) && !work_stopping(w); n++)
			removed += sweep_folder(w, f, volume, n);
	if (removed)
		log_info("versions: %" PRIu64 " files of versions that are over were removed", removed);
}

/* ---- versions without a file ---- */

struct missing {
	struct work *work;
	uint64_t *ids;
	size_t n, room;
};

/* Only on the lake's own file system: a bucket that lies elsewhere may not be there just now. */
static bool file_is_missing(struct lake *lake, const struct version_row *v)
{
	return !v->volume && kept_is_missing(lake, v);
}

static int note_missing(void *arg, const struct version_row *v)
{
	struct missing *m = arg;

	if (work_stopping(m->work))
		return 1;
	if (v->id >= m->work->first_version || !file_is_missing(m->work->lake, v))
		return 0;
	if (array_grow(&m->ids, m->n, &m->room, sizeof(*m->ids)))
		return -ENOMEM;
	m->ids[m->n++] = v->id;
	return 0;
}

/* Was it missing, or has it just expired? The row that is read now tells. */
static void end_missing(struct lake *lake, uint64_t id)
{
	struct version_row v;
	struct record *r;

	if (store_version(lake->store, id, &v) || !file_is_missing(lake, &v))
		return;
	r = record_new(OP_SYSTEM, RUN_TARN, 0, v.node, 0, NULL);
	if (!r)
		return;
	record_version_state(r, id, VERSION_NOT_KEPT, HOW_NONE, "its content is missing from versions/");
	if (!store_submit(lake->store, r, NULL))
		log_warning("node %" PRIu64 ": the content of version %" PRIu64 " (number %" PRIu64
			    ") is missing from versions/",
			    v.node, id, v.number);
}

static void check_missing(struct fsck *f, uint64_t id)
{
	_cleanup_buf_ struct buf place = BUF_INIT;
	const char *remedy;
	struct version_row v;
	int rc;

	if (store_version(f->lake->store, id, &v) || !file_is_missing(f->lake, &v))
		return;
	fsck_name_version(f, &v, &place);
	rc = fsck_other_copy(f, &v, &remedy);
	if (rc == -ENOENT) {
		remedy = "it is recorded as not kept";
		if (fsck_repairs(f))
			end_missing(f->lake, id);
		rc = 0;
	}
	fsck_tell(f, rc, buf_str(&place), remedy, "its content is missing from versions/");
}

static void sweep_rows(struct work *w, struct fsck *f)
{
	struct missing m = {.work = w};

	if (store_oldest_kept(w->lake->store, INT32_MAX, note_missing, &m) < 0)
		log_warning("versions: not all kept versions could be checked");
	for (size_t i = 0; i < m.n && !work_stopping(w); i++)
		if (f)
			check_missing(f, m.ids[i]);
		else
			end_missing(w->lake, m.ids[i]);
	free(m.ids);
}

void leftovers_sweep(struct work *w, struct fsck *f)
{
	if (w->lake->read_only && !f)
		return;
	sweep_files(w, f);
	sweep_rows(w, f);
	pack_leftovers_sweep(w, f);
}
