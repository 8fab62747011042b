/*
 * An undo file: the bytes that one version had where its raw file was overwritten since.
 *
 *	versions/HH/NODE.VERSION.undo
 *	header		UNDO_HEADER bytes: magic, format, node, version, checksum
 *	records		head (UNDO_HEAD bytes: magic, kind, batch, offset, length, checksum of the bytes, checksum of
 *			the head), then `length` bytes; a record of zeros has no bytes
 *
 * Numbers are little-endian; a checksum is the first eight bytes of a SHA-256. Records never overlap.
 *
 * Writing: what is saved together is one batch, at most UNDO_BATCH bytes; the header goes with the first. It is
 * appended and made durable (fdatasync; the first time its name too), and only then published in the map and
 * overwritten in the raw file. So after a crash only the last batch can be torn, and what it would have saved is still
 * in the raw file: loading leaves it out, and saving cuts it off. Anything else that is wrong is damage. Header and
 * first head lie in one page, so that a header that was never written is told from one that is damaged. Which batches
 * were whole once is said from outside, too: the bytes of all of them, which the row of a version that ended has.
 *
 * Threads: one at a time saves (content/past/chain.h), any number look up and read meanwhile.
 */
#ifndef TARN_CONTENT_PAST_UNDO_FILE_H
#define TARN_CONTENT_PAST_UNDO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define UNDO_HEADER 64
#define UNDO_HEAD 56
#define UNDO_BLOCK (UINT64_C(64) * 1024)	/* extents begin and end at its multiples */
#define UNDO_RECORD (UINT64_C(256) * 1024)	/* bytes in one record: what a read has to check */
#define UNDO_AHEAD (UINT64_C(8) * 1024 * 1024)	/* saved ahead of who writes sequentially */
#define UNDO_BATCH (UINT64_C(32) * 1024 * 1024) /* bytes in one batch */

struct undo_file;

struct undo_extent {
	uint64_t offset, length; /* in the version */
	uint64_t at;		 /* of its bytes in the undo file; 0: they are zeros */
	uint64_t sum;
};

/* Makes NAME ("HH/NODE.VERSION.undo" below DIRFD); it becomes durable with what is saved first. -EEXIST, or -errno. */
int undo_file_create(int dirfd, const char *name, uint64_t node, uint64_t version, struct undo_file **out);
/*
 * Reads the map of one that is there, whose first KNOWN bytes were durable once (0: nobody knows of any): in those
 * nothing is torn, and a record with damaged bytes is in the map, so that reading it fails. -ENOENT; -EUCLEAN: it is
 * damaged, or another version's.
 */
int undo_file_load(int dirfd, const char *name, uint64_t node, uint64_t version, uint64_t known,
		   struct undo_file **out);
void undo_file_free(struct undo_file *u); /* NULL is fine */

/*
 * Saves what RAWFD has in [FROM, TO) and is not saved yet, in whole blocks, and more ahead of who goes on where the
 * last one ended; nothing beyond LIMIT, the version's size. MOST: how large the file may become, else -EFBIG. Durable
 * when it returns 0; -errno: nothing of the last batch was saved.
 */
int undo_file_save(struct undo_file *u, int rawfd, uint64_t from, uint64_t to, uint64_t limit, uint64_t most);
/* Is all of [FROM, TO) saved? */
bool undo_file_covers(struct undo_file *u, uint64_t from, uint64_t to);
/*
 * The extent that has AT: true. Else false, and *RUN is how many bytes from AT on no extent has (at most its value
 * before).
 */
bool undo_file_find(struct undo_file *u, uint64_t at, struct undo_extent *e, uint64_t *run);
/* The bytes [AT, AT + LEN) of the version, all in E. 0; -EIO: they are damaged. */
int undo_file_read(struct undo_file *u, const struct undo_extent *e, uint64_t at, size_t len, void *to);

bool undo_file_is_empty(struct undo_file *u);
uint64_t undo_file_bytes(struct undo_file *u); /* on disk; 0 while nothing is saved */

/* What it calls, for tests that make it fail. */
extern struct undo_calls {
	ssize_t (*write)(int fd, const struct iovec *v, int n, off_t at); /* as pwritev(2) */
	int (*sync)(int fd);						  /* as fdatasync(2) */
} undo_calls;

#endif
