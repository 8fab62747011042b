/*
 * The packs of a lake: from the name of an object to its bytes, and making and remaking packs.
 *
 * The store says in which pack an object is and on which other one it builds; a pack's number is its id there, and
 * lies on the volume of its row, at versions/packs/ (content/pack/pack_file.h), or only in the cloud (PACK_AWAY).
 *
 * Who packs, and who moves or drops what is packed, has the turn (packs_begin()): one at a time, and long. Who reads
 * needs no turn.
 */
#ifndef TARN_CONTENT_PACK_PACKS_H
#define TARN_CONTENT_PACK_PACKS_H

#include "content/lake.h"
#include "content/pack/pack_writer.h"

struct packs;

/* -ENOMEM. */
int packs_new(struct packs **out);
void packs_free(struct packs *p); /* NULL is fine; nothing of it is open any more */

/*
 * Opens the object SHA256 for reading, with all that it builds on: it can be read to its end whatever becomes of its
 * packs. Any thread. -ENOENT: no pack has it; -EIO: its disk is not there, or it is damaged, which is logged; for what
 * is in the cloud as recall_open_version(), and where there is no index of it as recall_read().
 */
int pack_open(struct lake *lake, const uint8_t sha256[SHA256_BYTES], struct pack_object **out);

/* Does the object lie in a pack that is only in the cloud? */
bool pack_is_away(struct lake *lake, const uint8_t sha256[SHA256_BYTES]);

/* Where the object is, with a reference to the file. -ENOENT; -EIO. */
int pack_find(struct lake *lake, const uint8_t sha256[SHA256_BYTES], struct pack_place *out);

/* ---- for those who have the turn ---- */

/* Waits for it, with nothing locked. URGENT: who has it now is asked to end early (packs_wanted()). */
void packs_begin(struct lake *lake, bool urgent);
void packs_end(struct lake *lake);
/* Somebody waits urgently. */
bool packs_wanted(struct lake *lake);

/* A pack on VOLUME that is being made: objects are added to the writer, rows to the record, and both end together. */
struct packing {
	struct lake *lake;
	struct volume *volume;
	struct record *record;
	struct pack_writer *writer; /* NULL until packing_open() */
	uint64_t pack;		    /* its number, then */
	bool stays;		    /* it never leaves for the cloud */
	struct object_row *objects; /* those in it */
	size_t n, room;
};

/* 0 or -errno; then there is nothing to end. */
int packing_begin(struct packing *p, struct lake *lake, struct volume *volume);
/* The writer is there afterwards. 0 or -errno. */
int packing_open(struct packing *p);
/* An object that the writer has: its row, but for its pack. 0 or -ENOMEM. */
int packing_object(struct packing *p, const struct object_row *o);
/* Opens an object that may be in this pack, else elsewhere. As pack_object_open(). */
int packing_find(struct packing *p, const uint8_t sha256[SHA256_BYTES], struct pack_object **out);
/*
 * The pack is complete and durable, and then the record, which names it. Without objects there is no pack, only the
 * record. 0; -errno: nothing of it happened, or it is only not certain that the record is durable: then the pack stays.
 */
int packing_end(struct packing *p);
/* Nothing of it is wanted. */
void packing_cancel(struct packing *p);

/* PACK is in no row any more, durably so: its file goes, its index, and what came back of it from the cloud. */
int pack_remove(struct lake *lake, struct volume *volume, uint64_t pack);
/*
 * PACK, which is complete and may leave, is in the cloud, verified: from now on, durably so, it is only there. The
 * versions in it store nothing here any more, its file goes, and an index of it stays. 0; -ENOENT: it is no more;
 * -EINVAL: it may not leave; -errno: it stays here, or only its file does, until the next start.
 */
int pack_leave(struct lake *lake, struct volume *volume, uint64_t pack);
/* What R has to say of a pack that is only in the cloud from now on: it, and that its versions store nothing here. 0 or
 * -errno. */
int pack_record_away(struct store *store, struct record *r, const struct pack_row *row);
/* Packs in the cloud are looked up anew: it is another remote now. Any thread, no turn. */
void packs_forget_away(struct packs *p);

#endif
