/*
 * Reading the live file of a version while anybody may change it: what is read counts only if nobody did.
 *
 *	begin	under the inode's lock: clean, no writer, the version is the live one; write_seq is noted, holders go up
 *	read	the raw file. Who wants it alone (a truncation that moves it aside) sets `wanted` and waits for holders
 *		to go: the reader looks between two pieces, and lets go at once
 *	end	write_seq is the same and the version still the live one: else what was read does not count
 */
#ifndef TARN_CONTENT_CLOUD_HOLDING_H
#define TARN_CONTENT_CLOUD_HOLDING_H

#include "content/lake.h"

struct holding {
	struct inode *inode; /* with a reference; NULL: nothing is held */
	uint64_t version;
	unsigned write_seq;
	int fd; /* the raw file, for reading */
	struct stat st;
};

/*
 * -EBUSY: it is open for writing. -EAGAIN: something else is going on, soon not any more. -ESTALE: VERSION is not the
 * live one of NODE, its file has other bytes, or it is not here. Else -errno.
 */
int holding_begin(struct lake *lake, uint64_t node, uint64_t version, struct holding *out);
/* Somebody waits for it. */
bool holding_is_wanted(struct holding *h);
/* Is what was read VERSION's? H holds nothing then; one that never did is fine: false. */
bool holding_end(struct lake *lake, struct holding *h);

#endif
