/*
 * What was before: the content of a file, or of the file that had its name, when its bytes are elsewhere by now. The
 * same content again is no new version, however it came there: an editor's save without a change, `cp same same`, rsync
 * of an identical file.
 *
 * Small files are compared at the cut. Larger ones are found to be the same when both hashes are known (the store
 * compares neighbours in a series, meta/apply/apply_version.c).
 */
#ifndef TARN_CONTENT_PAST_FORMER_H
#define TARN_CONTENT_PAST_FORMER_H

#include "content/lake.h"

#define FORMER_COMPARED (1024 * 1024) /* so large are files that are compared at once */

struct former_names;

int former_names_new(struct former_names **out);
void former_names_free(struct former_names *f);

/* NAME in PARENT has no file now; F was its content. A later note may take the place of this one. */
void former_note(struct lake *lake, uint64_t parent, const char *name, struct former f);
/* What was noted of it, once; else with version 0. */
struct former former_take(struct lake *lake, uint64_t parent, const char *name);

/*
 * Are the SIZE bytes of INODE's raw file, which nobody changes meanwhile, those of F? False also when that is not
 * known. Reads the disk and the store; no lock is held.
 */
bool former_is_same(struct lake *lake, const struct former *f, struct inode *inode, uint64_t size);

#endif
