/*
 * What becomes of packs when not all that is in them is wanted any more. An object is wanted while a version is kept as
 * it, and while another one builds on it.
 *
 *	collect	rows of objects that nothing wants go; packs of which less than half is wanted, and many small ones,
 *		are written together anew
 *	erase	an object goes for good, also from its pack; those that build on it are packed anew without it
 *
 * The rows always name complete packs: first the new pack, then the record with its rows and without the old one, then
 * the old file goes. Who reads an old pack has it open.
 */
#ifndef TARN_CONTENT_PACK_REPACK_H
#define TARN_CONTENT_PACK_REPACK_H

#include "content/pack/packs.h"

/*
 * Collects once. For who has the turn (packs_begin()). STOP (may be NULL) is asked between objects. *FREED (added to):
 * bytes that files in packs/ lost. 0; -ECANCELED; -errno.
 */
int packs_collect(struct lake *lake, bool (*stop)(void *arg), void *arg, uint64_t *freed);
/*
 * Erases N objects; those that a version is still kept as stay. Takes the turn, urgently. When it returns 0 no file in
 * packs/ has a byte of them, nor has a pack in the cloud. Else -errno, and some may be there still: to be called again.
 */
int packs_erase(struct lake *lake, const uint8_t (*sha256)[SHA256_BYTES], size_t n);

#endif
