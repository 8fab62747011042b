/*
 * The writer's side of meta/changes.h: the open file. Inside meta/ only.
 *
 * The writer's thread holds the journal's lock from before it appends a group until it knows what became of it, so that
 * a file is only ever closed between groups. Nobody else waits for that lock but who closes files.
 */
#ifndef TARN_META_JOURNAL_H
#define TARN_META_JOURNAL_H

#include "meta/writer_int.h"

struct journal;

/* Keeps changes in DIR from the next group on. LAST: the store's last commit. 0 or -errno. */
int journal_keep(struct journal *j, const char *dir, bool full, uint64_t last);
void journal_drop(struct journal *j);
int journal_cut(struct journal *j);
bool journal_forgot(struct journal *j);

int journal_new(struct journal **out);
void journal_free(struct journal *j); /* its files stay; NULL is fine */

/* Around the transaction of G, which has records. COUNTERS: the next numbers. NULL is fine. */
void journal_begin(struct journal *j, const struct group *g, const struct counter *counters);
void journal_end(struct journal *j, bool committed);

#endif
