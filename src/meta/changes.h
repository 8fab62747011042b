/*
 * What a copy of the store elsewhere is made of: snapshots, and the changes since.
 *
 * A snapshot is a whole, compact SQLite file as of one commit. Changes are what the writer was told: every record,
 * with its commit and time, in the order of the commits. Applied to a snapshot they give the very rows that the
 * store has, for records are applied by the same code and nothing in them depends on when or where; and they cost
 * what was changed, not what there is. Command lines of runs, text and samples of files are in neither unless asked
 * for.
 *
 * While changes are kept, the writer appends each group to the open file of a folder before it commits it, and takes it
 * back when that fails. store_changes_cut() closes the open file under the name of what it holds:
 *
 *	FROM-TO	closed, to be carried away: what came after commit FROM, up to TO (16 hex digits each)
 *	open	being written; after a crash it is closed with what is whole
 *
 * Nothing is fsynced: what a power failure takes leaves a gap, and gaps show. A file begins with a header of
 * CHANGES_HEADER bytes: "TARNCHG" and the format's number (1 byte), the machine's byte order (4 bytes, 0x01020304), the
 * store's schema (4), the commit before the first record (8). Then one frame per group: "GROU", the length of its body
 * (4), the FNV-1a of all that follows (8), the last commit in it (8), the next node, version and run number after it (8
 * each), the body: the records, as meta/record.h packs them. Integers outside of bodies are little endian, but for the
 * byte order.
 *
 * The format of records is that of this program: whoever changes what a row's body holds raises CHANGES_FORMAT.
 * Files of another format or schema are refused; after an update a new snapshot is due.
 */
#ifndef TARN_META_CHANGES_H
#define TARN_META_CHANGES_H

#include "meta/store.h"

#define CHANGES_FORMAT 3
#define CHANGES_HEADER 24
#define CHANGES_NAME 34 /* bytes of a closed file's name, with its NUL */

/*
 * From the next group on changes are kept in DIR (made, 0700). To be called before anything is submitted, or there is a
 * gap. Files that are there already stay as far as they belong to this store; *LAST: its last commit now.
 * FULL: with those. Called again: after a failure, or to change that. 0 or -errno.
 */
int store_changes_keep(struct store *s, const char *dir, bool full, uint64_t *last);
/* No more, and the files go. Nothing happens when none are kept. */
void store_changes_drop(struct store *s);
/* Closes the open file when it holds anything. 1: it did, 0: nothing was in it; -EIO: writing failed since keep(). */
int store_changes_cut(struct store *s);
/* Was something forgotten (record_version_forget(), record_node_forget()) since this was asked last? Then older
 * files and snapshots still tell it. */
bool store_changes_forgot(struct store *s);

/* The name of a closed file that holds FROM + 1 to TO. */
void changes_name(uint64_t from, uint64_t to, char name[CHANGES_NAME]);
/* 0 or -EINVAL: it is none. */
int changes_parse_name(const char *name, uint64_t *from, uint64_t *to);
/* Is this a whole file of FROM + 1 to TO, of this format and schema? 0; -EBADMSG: damaged; -EPROTONOSUPPORT:
 * another's. */
int changes_check(const void *bytes, size_t len, uint64_t from, uint64_t to);

/*
 * A snapshot of the store as a new file PATH, as of *COMMIT. Readers and the writer go on meanwhile. STOP (may be NULL)
 * is asked now and then: true ends it with -ECANCELED. On any error the file is gone. FULL: with those.
 */
int store_snapshot(struct store *s, const char *path, bool full, bool (*stop)(void *arg), void *arg, uint64_t *commit);

/*
 * Applies a closed file to a store that was opened for writing, of which nobody else knows yet. What it has already is
 * passed over. 0; -EILSEQ: something is missing between its last commit and the file's first; -EBADMSG,
 * -EPROTONOSUPPORT as above; -errno. Call store_barrier() before reading.
 */
int store_replay(struct store *s, const void *bytes, size_t len);

#endif
