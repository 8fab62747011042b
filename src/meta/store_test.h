/*
 * What only tests may do to a store: fault injection by countdown.
 */
#ifndef TARN_META_STORE_TEST_H
#define TARN_META_STORE_TEST_H

#include "meta/store.h"

/*
 * After AFTER more commits of the writer thread, COUNT commits fail as if SQLite had failed with ERR: -ENOSPC (disk
 * full), -EIO, or -ENOMEM.
 */
void store_fail_commits(struct store *s, int after, int count, int err);
/* The same, as if the WAL could not be fsynced. */
void store_fail_fsyncs(struct store *s, int after, int count);
/* Log a WAL that grows from BYTES on, not only from 256 MiB. Call it before anything is submitted. */
void store_alarm_wal(struct store *s, int64_t bytes);

#endif
