/*
 * The format of the files of meta/changes.h: composing and taking apart. Inside meta/ only.
 */
#ifndef TARN_META_CHANGES_FILE_H
#define TARN_META_CHANGES_FILE_H

#include "base/buf.h"
#include "meta/record.h"

/* What a frame says of its group: the last commit, and the next node, version and run number after it. */
struct changes_end {
	uint64_t last;
	uint64_t next[3];
};

void changes_add_header(struct buf *b, uint64_t from);
/* Where the frame begins in B; records are packed behind it. */
size_t changes_begin_frame(struct buf *b);
void changes_end_frame(struct buf *b, size_t frame, const struct changes_end *end);

/* 0, -EBADMSG or -EPROTONOSUPPORT. */
int changes_read_header(const void *bytes, size_t len, uint64_t *from);
/*
 * The next whole frame at *AT, its records as BODY: 1; 0: the end; -EBADMSG: it is torn, or other bytes than were
 * written. *AT is where the next one begins.
 */
int changes_next_frame(const void *bytes, size_t len, size_t *at, struct changes_end *end, struct record_reader *body);
/* How many bytes are whole and hold nothing after commit LAST; 0: not even a header is. *FROM, *TO: what they hold. */
size_t changes_whole(const void *bytes, size_t len, uint64_t last, uint64_t *from, uint64_t *to);

#endif
