/*
 * Checking a lake: does what lies in its folder, and in the cloud, agree with what the store says?
 *
 *	the store	SQLite's own check, and what its tables promise each other (meta/store.h)
 *	the history	each kept version can be read the way its row says; nothing lies in versions/, packs/ and cache/
 *			that nobody needs					work/fsck/fsck_history.c, leftovers.c
 *	the tree	names, kinds, handles, sizes and placeholders in buckets/		work/fsck/fsck_tree.c
 *	the cloud	rows of uploads that did not end, objects that nothing needs; when the remote is asked, too:
 *			objects that are missing or others, and such that no row knows	work/fsck/fsck_cloud.c
 *
 * What is wrong is told, one finding each, with what putting it right does. Putting right never takes the only bytes
 * of anything: what nobody knows is moved to lost+found/ in the lake's folder, what cannot be put right stays as it is,
 * and of objects at the remote only those go that are below .tarn/ and this lake's own, or that it noted as such.
 *
 * A lake that is mounted is checked while it is used: what looks wrong is looked at again when nobody is in the middle
 * of changing it. Contents are not read; that is `tarn scrub` (work/fsck/scrub.h).
 */
#ifndef TARN_WORK_FSCK_FSCK_H
#define TARN_WORK_FSCK_FSCK_H

#include "content/lake.h"

struct work;

enum fsck_state {
	FSCK_NOTE = 1, /* nothing is wrong, but worth knowing */
	FSCK_LEFT,     /* wrong; stays so for now, or for ever (no remedy) */
	FSCK_REPAIRED
};
const char *fsck_state_name(enum fsck_state s);

/* Texts are the callee's until TELL returns. */
struct fsck_finding {
	enum fsck_state state;
	const char *place;  /* "buckets/data/f", "versions/0a/1b.2", "catalog/tarn.db", a key at the remote */
	const char *what;   /* what is wrong there */
	const char *remedy; /* what putting it right does, or did; NULL: it cannot be */
};

struct fsck_options {
	bool repair;
	bool remote;		  /* the remote is asked, too */
	const _Atomic bool *stop; /* ends it early; may be NULL */
	struct work *work;	  /* the daemon's; NULL: the lake is not mounted */
	void (*tell)(void *arg, const struct fsck_finding *f);
	void *arg;
};

struct fsck_result {
	uint64_t notes, left, repaired;
	uint64_t names, versions, packs, objects; /* looked at; objects: at the remote */
};

/*
 * Any thread, one at a time: -EBUSY. 0: all was checked, whatever came of it; -EHOSTUNREACH and the like: the remote
 * could not be asked, the rest was checked; -ECANCELED; -EROFS: REPAIR on a lake that is read-only; -errno.
 */
int fsck_run(struct lake *lake, const struct fsck_options *o, struct fsck_result *out);

#endif
