/*
 * Room on the disk that is kept for the record of changes. Inside meta/ only; used by the writer's thread.
 *
 * On a disk that is full to the last block nothing could be recorded; so nothing that was removed could be let go, it
 * would stay full, and no version could be read. The write-ahead log therefore owns blocks beyond its end, which nobody
 * else can take, and starts again at its front when it has used them up; and the database file is made larger by
 * RESERVE_BYTES at a time (until the store is closed). Enough for the commits by which history gives way.
 */
#ifndef TARN_META_RESERVE_H
#define TARN_META_RESERVE_H

#define RESERVE_BYTES (4 << 20) /* of either file */

/* Descriptors of the two files; -1: not open yet. */
struct reserve {
	int database, wal;
};

#define RESERVE_NONE ((struct reserve){.database = -1, .wal = -1})

/* Makes sure of it for the database PATH and its log, where the disk can do that and has room for it. */
void reserve_keep(struct reserve *r, const char *path);
/*
 * Closes the files. Only when no connection to the database is open any more in this process: closing any descriptor of
 * a file drops the locks that the process has on it, and with them SQLite's.
 */
void reserve_end(struct reserve *r);

#endif
