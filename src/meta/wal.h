/*
 * Keeping the write-ahead log short. Inside meta/ only; used by the writer's thread.
 *
 * A checkpoint copies the WAL's pages into the database file and fsyncs both: seconds on a slow disk. So it is made by
 * a thread of its own with a connection of its own, while commits go on; what they add meanwhile is the next round's. A
 * WAL can start again at its front only at a moment when all of it is copied. Under load that moment is made by the
 * writer: when a round has left only little, it copies that little itself, between two groups.
 *
 *	WAL_LARGE	to be copied: rounds begin
 *	WAL_LITTLE	left by a round: the writer ends it
 *	WAL_HUGE	rounds do not keep up: the writer waits for them
 *
 * A reader that stays in one moment of the store keeps the WAL from being copied beyond it, and from starting again. It
 * then grows, and that is logged whenever it has doubled.
 */
#ifndef TARN_META_WAL_H
#define TARN_META_WAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "meta/conn.h"

struct wal {
	struct conn *writer; /* borrowed */
	struct conn *conn;   /* the thread's */
	char *path;
	pthread_t thread;
	bool started;

	/* the writer thread's */
	int frames;    /* in the WAL after the last commit */
	int tried_at;  /* and when rounds were last begun in vain */
	int rounds;    /* of the checkpoint that is under way; 0: none is */
	int64_t alarm; /* bytes at which its growth is logged next */
	int64_t alarm_from;

	_Atomic int copied;	 /* frames, as the last round found */
	_Atomic bool distrusted; /* an fsync failed: see writer.c */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* protected by lock */
	bool asked, busy, stop;
};

/* Takes what WRITER commits from now on into account. 0 or -errno. */
int wal_start(struct wal *wal, struct conn *writer, const char *path);
/* Ends the thread; copies all that is left when WHOLE. */
void wal_stop(struct wal *wal, bool whole);
/* After a commit: begins, goes on with or ends a checkpoint. */
void wal_mind(struct wal *wal);
/* Bytes that a checkpoint would copy; 0 also when the last one got no further. */
int64_t wal_left(const struct wal *wal);
/* When there is nothing else to do: begins a round. */
void wal_tidy(struct wal *wal);
/* The same, and the WAL's file is empty then. Waits for nobody but the thread. */
int wal_empty(struct wal *wal);
/* All of the WAL into the database file, durably. SQLite's code; SQLITE_BUSY while a reader keeps it from that. */
int wal_leave(struct wal *wal);

#endif
