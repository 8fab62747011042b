/* What undo_file.c and undo_save.c share. */
#ifndef TARN_CONTENT_PAST_UNDO_INT_H
#define TARN_CONTENT_PAST_UNDO_INT_H

#include <pthread.h>

#include "content/past/undo_file.h"

#define UNDO_MAGIC "tarnundo"
#define UNDO_RECORD_MAGIC 0x6f646e75u /* "undo" */
#define UNDO_FORMAT 1
#define UNDO_BATCH_MOST (UNDO_BATCH + UNDO_BATCH / UNDO_BLOCK * UNDO_HEAD + UNDO_HEAD) /* in the file */

enum { UNDO_KIND_BYTES = 1, UNDO_KIND_ZEROS };

struct undo_header {
	char magic[8];
	uint32_t format, spare;
	uint64_t node, version;
	uint64_t spares[3];
	uint64_t sum; /* of all before it */
};
_Static_assert(sizeof(struct undo_header) == UNDO_HEADER, "the header is as the format says");

struct undo_head {
	uint32_t magic, kind;
	uint64_t batch, offset, length;
	uint64_t bytes_sum, spare;
	uint64_t sum; /* of all before it */
};
_Static_assert(sizeof(struct undo_head) == UNDO_HEAD, "a head is as the format says");

struct undo_file {
	int fd;
	int folderfd; /* until the name is durable, else -1 */
	uint64_t node, version;
	/* of who saves */
	uint64_t batch;		   /* the number of the last one */
	bool fresh;		   /* the header is not written yet */
	bool torn;		   /* something lies behind file_end */
	uint64_t last_end, ahead;  /* where the last save ended, and how far ahead it went */
	_Atomic uint64_t file_end; /* where the next record goes */

	pthread_mutex_t lock; /* no call is made under it */
	/* protected by lock: by offset, not overlapping */
	struct undo_extent *extents;
	size_t n, room;
};

uint64_t undo_checksum(const void *bytes, size_t len);
bool undo_read_exactly(int fd, void *to, size_t len, uint64_t at);
/* There is room for MORE extents. The lock is held. */
int undo_make_room_locked(struct undo_file *u, size_t more);
/* There is room. False when it overlaps what is there. The lock is held. */
bool undo_insert_locked(struct undo_file *u, const struct undo_extent *e);

#endif
