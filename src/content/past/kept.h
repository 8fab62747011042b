/*
 * What is kept of earlier versions in versions/, and when it may go.
 *
 *	NODE.VERSION		a file put aside
 *	NODE.VERSION.undo	what was overwritten in place (content/past/undo_file.h)
 *	NODE.VERSION.copy	a whole copy (content/past/whole.h)
 *
 * Older versions of the same raw file may be read through each of them (content/past/chain.h). So a version that is
 * over keeps its `how` as long as its files are there, and they go when the last one that needs them is over, too.
 */
#ifndef TARN_CONTENT_PAST_KEPT_H
#define TARN_CONTENT_PAST_KEPT_H

#include "content/lake.h"

/*
 * V is over, and durably so: its files go, and those of others that were there only for it, as far as no version that
 * can be read needs them. 0 or -errno.
 */
int kept_remove(struct lake *lake, const struct version_row *v);
/* Is an older version read through what was saved of V? */
bool kept_is_needed(struct lake *lake, const struct version_row *v);
/* V, and what is read through it, is read from a pack now, durably so: its own files go. */
void kept_remove_own(struct lake *lake, const struct version_row *v);
/* What V's own files occupy on disk. */
uint64_t kept_occupies(struct lake *lake, const struct version_row *v);
/* Are files of V missing, so that it cannot be read? */
bool kept_is_missing(struct lake *lake, const struct version_row *v);

/* Was something saved of VERSION of NODE, which was live? */
bool kept_was_begun(struct volume *volume, uint64_t node, uint64_t version);

/* Is V read through the raw file that it was in, or through what was saved of that? */
static inline bool version_needs_raw(const struct version_row *v)
{
	if (v->state == VERSION_PARTIAL && v->how == HOW_NONE) /* nothing came after it yet */
		return true;
	return v->state == VERSION_LIVE || ((v->state == VERSION_KEPT || v->state == VERSION_PARTIAL) &&
					    (v->how == HOW_PREFIX || v->how == HOW_UNDO));
}

/*
 * Does a version need INODE's raw file, besides the live one? Asked before it goes away for good. The inode may be
 * frozen; its lock is not held.
 */
bool kept_needs_raw(struct lake *lake, struct inode *inode);
/*
 * The raw file of NODE is not there any more, or was changed by somebody else: what is read through it is lost, the
 * live version too. REASON NULL: they were no history, and nothing of them is told. Adds to R.
 */
int kept_lose_raw(struct lake *lake, uint64_t node, const char *reason, struct record *r);

/* How large the undo file of one version may become: half the history budget. */
uint64_t kept_undo_limit(struct lake *lake);

#endif
