/*
 * Running totals and the writer's own counters: rows "store.<name>" in the table lake. The writer changes them in
 * memory while it applies a group and saves what differs in the group's transaction; a group that fails is forgotten
 * with a copy. Inside meta/ only.
 */
#ifndef TARN_META_TALLY_H
#define TARN_META_TALLY_H

#include "meta/conn.h"

enum tally_item {
	TALLY_FILES,
	TALLY_FOLDERS,
	TALLY_SYMLINKS,
	TALLY_BYTES,
	TALLY_KEPT,
	TALLY_KEPT_BYTES,
	TALLY_NOT_KEPT,
	TALLY_STORED, /* bytes on disk, of versions in any state */
	TALLY_HOW,    /* and one for each further enum version_how: kept versions by how */
	TALLY_HOW_LAST = TALLY_HOW + 7,
	TALLY_JOBS,
	TALLY_COMMITS,
	TALLY_STUBS,
	TALLY_STUB_BYTES,
	TALLY_UPLOADED, /* live versions with an object that can be relied on */
	TALLY_UPLOADED_BYTES,
	TALLY_CLOUD, /* such objects, of whatever */
	TALLY_CLOUD_BYTES,
	TALLY_CLOUD_INTENTS,
	TALLY_CLOUD_INTENT_BYTES,
	TALLY_CLOUD_GOING,
	TALLY_OPENS,
	TALLY_COUNTED, /* the ones above repeat what a count gives, but OPENS */
	TALLY_NEXT_ASSET = TALLY_COUNTED,
	TALLY_NEXT_JOB,
	TALLY_ITEMS
};

struct tally {
	int64_t items[TALLY_ITEMS];
};

/* 0 or -errno; -EUCLEAN when a row is missing. */
int tally_load(struct conn *c, struct tally *t);
/* SQLite's code. Writes the items that differ from SAVED. */
int tally_save(struct conn *c, const struct tally *t, const struct tally *saved);
/* What the tables say. 0 or -errno. */
int tally_count(struct conn *c, struct tally *t);
const char *tally_name(int item);

#endif
