/*
 * Reading everything that is kept, and comparing it with the SHA-256 that it had when it was settled: what a disk, or a
 * remote, has lost or changed by itself.
 *
 *	files	live files, old versions in files of their own or overwritten in place since; those that are only a
 *		prefix of another when that is damaged
 *	packs	each content in them
 *	cloud	when that is asked for: each object
 *
 * A version that is damaged is put right from another place that has its content: a pack, another version or file, the
 * cloud; an object in the cloud from the file, or from another object. What nothing else has stays as it is, and is
 * told.
 *
 * It goes on where the last one ended, in steps, so that it can end at any time; a large file or a pack that was not
 * read to its end is read again. Its reading has the lowest priority, and a limit.
 */
#ifndef TARN_WORK_FSCK_SCRUB_H
#define TARN_WORK_FSCK_SCRUB_H

#include "content/scrub_state.h"
#include "work/fsck/fsck.h"

struct scrub_options {
	bool anew;					       /* begins again, whatever was done */
	bool cloud;					       /* one that begins reads the objects in the cloud, too */
	uint64_t rate;					       /* bytes a second; 0: no limit */
	int64_t budget;					       /* ns: returns soon after */
	const _Atomic bool *stop;			       /* may be NULL */
	struct work *work;				       /* the daemon's; NULL: the lake is not mounted */
	void (*tell)(void *arg, const struct fsck_finding *f); /* what is damaged (FSCK_LEFT) or was (FSCK_REPAIRED) */
	void *arg;
};

/*
 * One step, of the calling thread, whose priority becomes low. STATE: how far it is then; SCRUB_DONE: it is through. 0;
 * -EBUSY: another one is at it; -EROFS; -ECANCELED; -ENODEV: no remote is configured; the tier's -errno; -errno.
 */
int scrub_step(struct lake *lake, const struct scrub_options *o, struct scrub_state *state);

#endif
