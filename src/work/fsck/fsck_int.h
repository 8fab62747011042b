/* What the parts of fsck share. */
#ifndef TARN_WORK_FSCK_FSCK_INT_H
#define TARN_WORK_FSCK_FSCK_INT_H

#include "work/cloud/cloud.h"
#include "work/fsck/fsck.h"

struct fsck {
	struct work work; /* of its own, without threads; its claims are the daemon's, if there is one */
	struct lake *lake;
	const struct fsck_options *options;
	struct fsck_result *result;
	int64_t before; /* wall clock: what was begun later may still be under way */
};

static inline bool fsck_stopping(struct fsck *f)
{
	return work_stopping(&f->work);
}
static inline bool fsck_repairs(const struct fsck *f)
{
	return f->options->repair;
}
/* Somebody waits for it. */
static inline struct tier_call fsck_call(struct fsck *f)
{
	return (struct tier_call){.stop = work_is_stopping, .arg = &f->work};
}
/*
 * Something is wrong at PLACE. REMEDY: what repairing does, NULL where there is none. RC: what became of that, which is
 * tried only if fsck_repairs(); 0: it is right now.
 */
void fsck_tell(struct fsck *f, int rc, const char *place, const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void fsck_note(struct fsck *f, const char *place, const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* "buckets/data/f, version 3": of V. */
void fsck_name_version(struct fsck *f, const struct version_row *v, struct buf *place);
/* Takes R, and waits until it is durable. */
int fsck_record(struct fsck *f, struct record *r);
/* Moves NAME in DIRFD, which nobody knows, to lost+found/. 0 or -errno. */
int fsck_keep(struct fsck *f, int dirfd, const char *name);
/*
 * The old version V cannot be read in the way its row says. Where a pack or the cloud has the same content it is read
 * from there; *REMEDY says which. 0; -ENOENT: there is none.
 */
int fsck_other_copy(struct fsck *f, const struct version_row *v, const char **remedy);

/*
 * An object of T is not what C, its row, says: the row goes, so that the file is uploaded again, or another object with
 * the same content is copied to its place. OURS: it is the object that was uploaded, with other bytes by now. *REMEDY:
 * which. 0; -ENOENT: nothing else has what is needed of it; -errno.
 */
int fsck_mend_object(struct fsck *f, struct tier *t, const struct cloud_row *c, bool ours, const char **remedy);

/* LAKE, options and result of F are set; what else it needs. 0 or -ENOMEM. */
int fsck_begin(struct fsck *f);
void fsck_end(struct fsck *f);

int fsck_history(struct fsck *f);
int fsck_tree(struct fsck *f);
int fsck_cloud(struct fsck *f);

#endif
