/*
 * The history that lies under one raw file: the versions whose bytes were in it one after the other, and what was saved
 * of each before it was changed in place.
 *
 *	V1 ──► V2 ──► V3 ──► … ──► the last link, whose bytes are saved now
 *
 * A byte of V is what the first of V, V+1, … has in its undo file (content/past/undo_file.h) or in a whole copy of it,
 * and where none has it, what the raw file has. So a version that was only appended to needs nothing of its own
 * (prefix), one that was overwritten the few extents that were (undo), and a copy (content/past/whole.h) ends the
 * search for itself and for all before it.
 *
 * Who changes the raw file saves first: chain_save() returns when the bytes are durable and published. Who reads a
 * version reads the raw file first and what was saved then, so it is right whatever happens in between.
 *
 * When the raw file goes aside (content/aside.h) it belongs to the version that it is put aside as; the chain ends
 * there, and the node's next raw file gets one of its own.
 *
 * Only links with something saved, and the last one, are in memory, and those of older versions only once somebody
 * reads one.
 *
 * Threads: any. `save` is held by who saves or loads, across disk and store; `lock` protects the links and is a leaf:
 * it may be taken under an inode's lock.
 */
#ifndef TARN_CONTENT_PAST_CHAIN_H
#define TARN_CONTENT_PAST_CHAIN_H

#include "content/lake.h"
#include "tier/tier.h"

struct chain;

/*
 * The chain of INODE's raw file, made from what the store knows if need be; with a reference. 0, or -errno: nothing is
 * known of its past, which must then be lost before it is changed.
 */
int chain_of(struct lake *lake, struct inode *inode, struct chain **out);
struct chain *chain_ref(struct chain *c);
void chain_unref(struct chain *c); /* NULL is fine */

/* Do its versions need bytes of the raw file that are not saved? If not, it may be changed without asking. */
bool chain_is_due(struct chain *c);
/* May [FROM, TO) of the raw file be changed: is what versions have there saved, or do they have nothing there? */
bool chain_has(struct chain *c, uint64_t from, uint64_t to);
/*
 * [FROM, TO) of INODE's raw file is about to change: saves what the last link has there. 0, or -errno: it could not,
 * and what is read through the raw file must be lost (chain_lose()).
 */
int chain_save(struct lake *lake, struct inode *inode, struct chain *c, uint64_t from, uint64_t to);
/* Keeps the last link whole, so that nothing is due any more: by a reflink, or (MAY_COPY) a copy. 0 or -errno. */
int chain_save_whole(struct lake *lake, struct inode *inode, struct chain *c, bool may_copy);
/*
 * What could not be saved is lost: every version that is read through the raw file is recorded as not kept, durably,
 * and what was saved of it is removed.
 */
void chain_lose(struct lake *lake, struct inode *inode, struct chain *c, const char *reason);

/* The raw file was changed by somebody else: nothing is read through it any more. INODE's lock may be held. */
void chain_void(struct chain *c);
struct pack_object;
/* The content of VERSION is in a pack, as OBJECT (taken over): it is read there, and nothing of it is due. */
void chain_set_packed(struct chain *c, uint64_t version, struct pack_object *object);
/* VERSION, of SIZE bytes, is what the raw file has from now on. INODE's lock may be held. */
int chain_cut(struct chain *c, uint64_t version, uint64_t size);
/* VERSION, the last one, has SIZE bytes now: it was appended to. INODE's lock may be held. */
void chain_grow(struct chain *c, uint64_t version, uint64_t size);
/* Is the last link kept whole? It does not grow then. */
bool chain_is_whole(struct chain *c);
/* How VERSION is kept, now that the raw file has other bytes, and what that occupies. SIZE: the raw file's. HOW_NONE:
 * it is not. INODE's lock may be held. */
enum version_how chain_how(struct chain *c, uint64_t version, uint64_t size, uint64_t *stored);

/* VERSION is going to be read through it. 0; -ENOENT: it is not of this raw file, or lost. */
int chain_reach(struct lake *lake, struct chain *c, uint64_t version);
/*
 * LEN bytes of VERSION from AT, which it has. RAWFD: the raw file. 0; -EIO: damaged, or lost meanwhile; -errno.
 */
int chain_read(struct chain *c, uint64_t version, int rawfd, void *to, size_t len, uint64_t at);
/* The same where TO has the first RAW bytes of them already as the chain's end has them. */
int chain_lay_over(struct chain *c, uint64_t version, void *to, size_t raw, size_t len, uint64_t at);
/* Can they be read without waiting for the cloud, where packs of later versions may lie? Else chain_want() waits until
 * they can. CALL may be NULL. 0; -EIO; as recall_want(). */
bool chain_is_here(struct chain *c, uint64_t version, uint64_t at, uint64_t len);
int chain_want(struct chain *c, uint64_t version, uint64_t at, uint64_t len, const struct tier_call *call);

/* A chain of which nothing changes any more, for a version whose bytes are in a whole file at END at the latest. */
int chain_load_ended(struct lake *lake, const struct version_row *v, uint64_t end, struct chain **out);

/* V alone, as the last link of a raw file that a crash left. */
int chain_load_one(struct lake *lake, const struct version_row *v, struct chain **out);

#endif
