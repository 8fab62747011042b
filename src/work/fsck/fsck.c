#include "work/fsck/fsck.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "work/fsck/fsck_int.h"

#define LOST "lost+found"

const char *fsck_state_name(enum fsck_state s)
{
	static const char *const names[] = {[FSCK_NOTE] = "note", [FSCK_LEFT] = "left", [FSCK_REPAIRED] = "repaired"};

	return names[s];
}

/* ---- telling ---- */

static void tell(struct fsck *f, enum fsck_state state, const char *place, const char *remedy, const char *fmt,
		 va_list ap)
{
	_cleanup_buf_ struct buf what = BUF_INIT;
	struct fsck_finding finding = {.state = state, .place = place, .remedy = remedy};

	buf_vaddf(&what, fmt, ap);
	finding.what = buf_str(&what);
	f->result->notes += state == FSCK_NOTE;
	f->result->left += state == FSCK_LEFT;
	f->result->repaired += state == FSCK_REPAIRED;
	f->options->tell(f->options->arg, &finding);
}

void fsck_tell(struct fsck *f, int rc, const char *place, const char *remedy, const char *fmt, ...)
{
	bool right = fsck_repairs(f) && remedy && rc >= 0;
	va_list ap;

	if (fsck_repairs(f) && remedy && rc < 0)
		log_warning("fsck: %s: cannot be put right: %s", place, strerror(-rc));
	va_start(ap, fmt);
	tell(f, right ? FSCK_REPAIRED : FSCK_LEFT, place, remedy, fmt, ap);
	va_end(ap);
}

void fsck_note(struct fsck *f, const char *place, const char *remedy, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(f, FSCK_NOTE, place, remedy, fmt, ap);
	va_end(ap);
}

void fsck_name_version(struct fsck *f, const struct version_row *v, struct buf *place)
{
	buf_adds(place, "buckets/");
	if (store_path(f->lake->store, v->node, place) && store_path_at(f->lake->store, v->node, v->cut_commit, place))
		buf_addf(place, "?node-%llu", (unsigned long long)v->node);
	buf_addf(place, "@v%llu", (unsigned long long)v->number);
}

/* ---- putting right ---- */

int fsck_record(struct fsck *f, struct record *r)
{
	uint64_t commit;
	int rc = store_submit(f->lake->store, r, &commit);

	return rc ? rc : store_sync(f->lake->store, commit);
}

/* A name there that is not taken. */
static int free_name(int lostfd, const char *name, char to[NAME_BYTES + 1])
{
	const char *last = strrchr(name, '/');

	last = last ? last + 1 : name;
	for (unsigned n = 0; n < 10000; n++) {
		snprintf(to, NAME_BYTES + 1, n ? "%.240s.%u" : "%.240s", last, n);
		if (faccessat(lostfd, to, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return errno == ENOENT ? 0 : -errno;
	}
	return -EEXIST;
}

int fsck_keep(struct fsck *f, int dirfd, const char *name)
{
	_cleanup_close_ int lostfd = -1;
	char to[NAME_BYTES + 1];
	int rc;

	if (mkdirat(f->lake->fd, LOST, 0700) < 0 && errno != EEXIST)
		return -errno;
	lostfd = openat(f->lake->fd, LOST, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	rc = lostfd < 0 ? -errno : free_name(lostfd, name, to);
	if (rc < 0)
		return rc;
	return renameat(dirfd, name, lostfd, to) < 0 || fsync(lostfd) < 0 ? -errno : 0;
}

int fsck_other_copy(struct fsck *f, const struct version_row *v, const char **remedy)
{
	enum version_how how = HOW_NONE;
	struct object_row packed;
	struct cloud_row object;
	struct record *r;

	*remedy = NULL;
	if (!v->hashed || !v->size || (v->state != VERSION_KEPT && v->state != VERSION_PARTIAL))
		return -ENOENT;
	if (v->how != HOW_PACKED && !store_object(f->lake->store, v->sha256, &packed) && packed.size == v->size) {
		how = HOW_PACKED;
		*remedy = "it is read from the pack that has the same content";
	} else if (v->how != HOW_CLOUD && !store_cloud_of_version(f->lake->store, v->id, &object)) {
		how = HOW_CLOUD;
		*remedy = "it is read from the object in the cloud that has the same content";
	}
	if (how == HOW_NONE)
		return -ENOENT;
	if (!fsck_repairs(f))
		return 0;
	r = record_new(OP_SYSTEM, RUN_TARN, 0, v->node, 0, NULL);
	record_version_how(r, v->id, how, 0);
	return fsck_record(f, r);
}

/* ---- the store ---- */

static int check_store(struct fsck *f)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	int rc = store_barrier(f->lake->store, 0);

	if (!rc)
		rc = store_check(f->lake->store, true, &why);
	if (rc != -EUCLEAN)
		return rc;
	fsck_tell(f, rc, "catalog/tarn.db", NULL, "%s", buf_str(&why));
	return 0;
}

/* ---- all of it ---- */

int fsck_begin(struct fsck *f)
{
	struct work *daemon = f->options->work;

	work_bare(&f->work, f->lake, f->options->stop);
	f->work.claims = daemon ? daemon->claims : claims_new();
	f->work.first_version = daemon ? daemon->first_version : UINT64_MAX; /* nothing is being made */
	f->before = f->lake->since;
	return f->work.claims ? 0 : -ENOMEM;
}

void fsck_end(struct fsck *f)
{
	if (!f->options->work)
		claims_free(f->work.claims);
	work_bare_end(&f->work);
}

int fsck_run(struct lake *lake, const struct fsck_options *o, struct fsck_result *out)
{
	static int (*const parts[])(struct fsck * f) = {check_store, fsck_history, fsck_tree, fsck_cloud};
	static atomic_flag busy = ATOMIC_FLAG_INIT;
	struct fsck f = {.lake = lake, .options = o, .result = out};
	int rc, error = 0;

	*out = (struct fsck_result){0};
	if (o->repair && lake->read_only)
		return -EROFS;
	if (atomic_flag_test_and_set(&busy))
		return -EBUSY;
	rc = fsck_begin(&f);
	for (size_t i = 0; !rc && i < sizeof(parts) / sizeof(parts[0]); i++) {
		int part = parts[i](&f);

		if (fsck_stopping(&f))
			rc = -ECANCELED;
		error = error ? error : part;
	}
	fsck_end(&f);
	atomic_flag_clear(&busy);
	return rc ? rc : error;
}
