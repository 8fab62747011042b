/*
 * Room on the disk that is kept for the record of changes. Inside meta/ only; used by the writer's thread.
 *
 * On a disk that is full to the last block nothing could be recorded; so nothing that was removed could be let go, it
 * would stay full, and no version could be read. The write-ahead log therefore owns blocks beyond its end, which nobody
 * else can take: enough for the commits by which history gives way.
 */
#ifndef TARN_META_RESERVE_H
#define TARN_META_RESERVE_H

#define RESERVE_BYTES (4 << 20)

/* Makes sure of it for the log of the database PATH, where the disk can do that and has room for it. */
void reserve_keep(const char *path);

#endif
