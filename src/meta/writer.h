/*
 * The writer: the queue, the thread that commits it in groups, and the numbers that are given out ahead. Inside meta/
 * only; writer.c tells how it works.
 */
#ifndef TARN_META_WRITER_H
#define TARN_META_WRITER_H

#include "meta/conn.h"
#include "meta/record.h"

struct writer;

enum counter_id { COUNTER_NODE, COUNTER_VERSION, COUNTER_RUN, COUNTERS };

/* Takes the connection, also when it fails. *CLEAN: the last writer's end was clean. 0 or -errno. */
int writer_open(struct conn *c, const char *path, bool *clean, struct writer **out);
/* Commits what is queued, marks the store clean, checkpoints, frees. 0 or -errno of the last commit. */
int writer_close(struct writer *w);

uint64_t writer_number(struct writer *w, enum counter_id id);
uint64_t writer_last(struct writer *w);
uint64_t writer_visible(struct writer *w);
int writer_submit(struct writer *w, struct record *r, uint64_t *commit);
/* The same for a record that has its commit and time already (meta/changes.h); one that is known is passed over. */
int writer_replay(struct writer *w, struct record *r);
/* The next number of this kind is NEXT or higher. */
void writer_number_at_least(struct writer *w, enum counter_id id, uint64_t next);
int writer_barrier(struct writer *w, uint64_t commit);
int writer_sync(struct writer *w, uint64_t commit);
/* The WAL's file is empty then, when nothing is committed meanwhile. SQLite's code; SQLITE_BUSY: somebody reads. */
int writer_empty_wal(struct writer *w);
/* What was submitted cannot be committed now, for want of room. */
bool writer_is_full(struct writer *w);
void writer_on_jobs(struct writer *w, void (*fn)(void *arg), void *arg);

/* For tests: see meta/store_test.h. */
void writer_fail_commits(struct writer *w, int after, int count, int code);
void writer_alarm_wal(struct writer *w, int64_t bytes);

#endif
