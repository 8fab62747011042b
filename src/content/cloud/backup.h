/*
 * The copy of the metadata at the remote: which object is what, and what is known here of how far it has come. work/
 * makes it (work/cloud/backup.c), `tarn restore-lake` reads it.
 *
 *	<prefix>/.tarn/meta/<lake's id, 16 hex digits>/
 *		config/settings.yaml, config/tables/…		as they are
 *		<generation>/snapshot-<commit>.zst		the store as of a commit
 *		<generation>/<from>-<to>.zst			what was changed after commit <from>, up to <to>
 *
 * Commits are 16 hex digits. Everything but config/ is zstd with a checksum of its content. A generation is one history
 * of the store, whose commit numbers mean one thing each: <wall clock, 16 hex digits>-<8 random ones>. A new one begins
 * when what is here is not what went on from what is there: after a power failure that took commits which had been
 * copied, after a store from a backup, after changes that were not kept. The newest generation with a snapshot counts,
 * from its newest snapshot on; older ones go once a newer one has its snapshot.
 */
#ifndef TARN_CONTENT_CLOUD_BACKUP_H
#define TARN_CONTENT_CLOUD_BACKUP_H

#include "base/buf.h"
#include "tier/tier.h"

#define BACKUP_GENERATION_ROOM 26

struct backup_item {
	char generation[BACKUP_GENERATION_ROOM];
	bool snapshot;	   /* as of commit `to`; else the changes after `from`, up to `to` */
	uint64_t from, to; /* of a snapshot both the same */
	uint64_t size;	   /* of the object */
};

struct backup_list {
	struct backup_item *items; /* by generation, the newest last; then by `from`, `to` */
	size_t n, room;
};
void backup_list_release(struct backup_list *l);

void backup_new_generation(char generation[BACKUP_GENERATION_ROOM]);
/* The key of what lies below the folder of LAKE's copy: NAME as above. */
void backup_key(struct buf *key, const char *prefix, uint64_t lake, const char *name);
void backup_item_key(struct buf *key, const char *prefix, uint64_t lake, const struct backup_item *item);
/* All of LAKE's. 0 or the tier's -errno. */
int backup_list(struct tier *t, uint64_t lake, const struct tier_call *call, struct backup_list *out);

/* What a restored store is made of: ITEMS[*FIRST] is the snapshot, and what follows it until *END applies on it, in
 * that order. -ENOENT: there is no snapshot. */
int backup_choose(const struct backup_list *l, size_t *first, size_t *end);

/* ---- LAKE/catalog/changes/copied ---- */

/* How far the copy has come. An empty generation: nothing is there that can be gone on with. */
struct backup_state {
	char generation[BACKUP_GENERATION_ROOM];
	uint64_t snapshot, end;				 /* commits: of the newest snapshot; up to which all is there */
	uint64_t snapshot_bytes, changes_bytes, changes; /* objects' bytes and number since that snapshot */
	uint64_t config;				 /* tells whether config/ is another than the one copied */
	int full;					 /* 1: with command lines */
};

#define BACKUP_FOLDER "catalog/changes" /* in the lake */
/* FOLDERFD: that folder. A file that is not there or damaged gives an empty state. */
void backup_state_read(int folderfd, struct backup_state *out);
int backup_state_write(int folderfd, const struct backup_state *state);

/* ---- compressed, with a checksum ---- */

int backup_squeeze(const void *bytes, size_t len, struct buf *out);
/* Of the file IN from its start; OUT is written to. *SIZE: what OUT has. STOP as in struct tier_call. */
int backup_squeeze_file(int in, int out, const struct tier_call *call, uint64_t *size);
/* The other way: KEY's content is written to OUT, or appended to the buffer TO (the other is -1, NULL). -EBADMSG: its
 * checksum is wrong. */
int backup_fetch(struct tier *t, const char *key, const struct tier_call *call, int out, struct buf *to);

#endif
