/*
 * A record on its way to the writer: what record_*() were told, in one run of bytes. Inside meta/ only.
 *
 * The bytes are the row changes one after the other, each a code (enum row), the length of its body (4 bytes, the
 * machine's order) and the body. Integers in a body are LEB128 (signed ones zigzag),
 * strings and blobs their length + 1 and the bytes (0: NULL). A create takes about 120 bytes; that counts, for the
 * queue may hold as many records as fit in 64 MiB.
 */
#ifndef TARN_META_RECORD_H
#define TARN_META_RECORD_H

#include "meta/store.h"

/* These numbers, and what is in the bodies, are in files too: see CHANGES_FORMAT in meta/changes.h. */
enum row {
	ROW_NODE_ADD = 1,
	ROW_NODE_SET,
	ROW_NODE_WRITING,
	ROW_NODE_END,
	ROW_NODE_TARGET,
	ROW_NODE_XATTRS,
	ROW_ENTRY_ADD,
	ROW_ENTRY_END,
	ROW_SERIES_TAKE,
	ROW_SERIES_LEAVE,
	ROW_VERSION_ADD,
	ROW_VERSION_STATE,
	ROW_VERSION_HOW,
	ROW_VERSION_SAME,
	ROW_VERSION_DROP,
	ROW_VERSION_GROW,
	ROW_VERSION_SETTLED,
	ROW_VERSION_FACTS,
	ROW_VERSION_FORGET,
	ROW_NODE_FORGET,
	ROW_LABEL_SET,
	ROW_LABEL_REMOVE,
	ROW_PACK_SET,
	ROW_PACK_REMOVE,
	ROW_OBJECT_SET,
	ROW_OBJECT_REMOVE,
	ROW_NODE_STUB,
	ROW_NODE_PIN,
	ROW_CLOUD_SET,
	ROW_CLOUD_VERIFIED,
	ROW_CLOUD_STATE,
	ROW_CLOUD_REMOVE,
	ROW_CLOUD_HAND_OVER,
	ROW_JOB_ADD,
	ROW_JOB_DONE,
	ROW_JOB_RETRY,
	ROW_RUN,
	ROW_OPENS,
	ROW_LAKE,
	ROW_SYNCED,
	ROW_DURABLE,
	ROW_FORGET_HANDLES,
	ROW_DESCRIBED_TEXT,
	ROW_DESCRIPTION,
	ROW_TAGS,
	ROW_EDGE,
	ROW_RUN_WROTE,
	ROW_QUALITY
};

#define ANY_SIZE UINT64_MAX /* in ROW_VERSION_FACTS */
#define RECORD_ROOM 288	    /* what fits without a second allocation */
#define SETTLED_NOT_ALONE 2 /* version.settled */

struct record {
	struct record *next; /* in the queue */
	uint64_t commit;
	int64_t time;
	int64_t queued; /* CLOCK_MONOTONIC */
	enum change_op op;
	uint64_t run, node, parent;
	uid_t uid;
	bool named;  /* the name is the first string of the bytes */
	bool logged; /* gets its row in the change log */
	int error;
	size_t len, room;
	uint8_t *bytes; /* own, or more */
	uint8_t own[RECORD_ROOM];
};

/* What it weighs in the queue. */
size_t record_size(const struct record *r);

/* A row, from its beginning to record_end(), which takes what record_begin() gave; in between what is in its body. All
 * of them take a record that is NULL, or has an error. */
size_t record_begin(struct record *r, enum row row);
void record_end(struct record *r, size_t start);
void record_put(struct record *r, uint64_t value);
void record_put_signed(struct record *r, int64_t value);
void record_put_blob(struct record *r, const void *bytes, size_t len); /* NULL stays NULL */
void record_put_string(struct record *r, const char *s);	       /* its NUL goes with it */

/* Taking a record apart, in the order in which it was put together. */
struct record_reader {
	const uint8_t *at, *end;
};

uint64_t record_get(struct record_reader *in);
int64_t record_get_signed(struct record_reader *in);
/* Borrowed; NULL with length 0 where NULL was put in. Strings are followed by a NUL. */
const void *record_get_blob(struct record_reader *in, size_t *len);
const char *record_get_string(struct record_reader *in, size_t *len);
/* The next row, whose body becomes *BODY. False at the end. */
bool record_next(struct record_reader *in, enum row *row, struct record_reader *body);

/*
 * A record with its commit and time as bytes, and back: commit, time, op, flags (1 named, 2 logged), run, node, parent,
 * uid, the length of its rows, the rows. Command lines, text and samples are left out unless FULL. *FORGETS is set when
 * it has something forgotten, and left alone else. unpack: 1, 0 at the end of IN, -EBADMSG or -ENOMEM.
 */
void record_pack(const struct record *r, bool full, struct buf *to, bool *forgets);
int record_unpack(struct record_reader *in, struct record **out);

#endif
