/*
 * Room on the disk that is kept for the record of changes. Inside meta/ only; used by the writer's thread.
 *
 * On a disk that is full to the last block nothing could be recorded; so nothing that was removed could be let go, it
 * would stay full, and no version could be read. The write-ahead log therefore owns blocks beyond its end, which nobody
 * else can take, and starts again at its front when it has used them up; and the database file is made larger by
 * RESERVE_BYTES at a time. Enough for the commits by which history gives way.
 *
 * A closed store has no log, and its database file is no larger than it must be; the room is then kept by a file beside
 * it, so that it can be opened again on a disk that others have filled meanwhile.
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

/* After the store PATH was closed, and before it is opened. */
void reserve_lay_by(const char *path);
void reserve_take_back(const char *path);

#endif
