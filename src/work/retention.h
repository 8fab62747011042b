/*
 * Which old versions of a series may go: retention_days and keep_last of its bucket.
 *
 * A version's age is counted from when it was superseded or deleted. Younger than retention_days, every one stays.
 * Beyond that they are thinned: up to twice that age the last one of each hour stays, then the last one of each day,
 * for ever; what the budget does to them is another matter (work/gc.h). The keep_last newest ones always stay, and
 * those that were live in a labelled moment. With retention_days: -1 all of them do. The live version is never among
 * those that go, but counts as the last one of its hour and day.
 */
#ifndef TARN_WORK_RETENTION_H
#define TARN_WORK_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One version of a series. */
struct retained {
	uint64_t id, bytes; /* what it occupies */
	int64_t time;	    /* when it was cut */
	int64_t end_time;   /* when it ceased to be live */
	bool listed;	    /* it can be read, under its number */
	bool old;	    /* kept: it may go */
	bool goes;	    /* the answer */
};

/* LIST: in the order in which they were cut. Labels are the caller's business. */
void retention_choose(struct retained *list, size_t n, int64_t days, int64_t keep_last, int64_t now);

#endif
