/* SQLite databases: their tables, the columns of those, and how many rows they have. */
#ifndef TARN_SNIFF_SQLITE_H
#define TARN_SNIFF_SQLITE_H

#include <stdint.h>

#include "sniff/description.h"
#include "sniff/input.h"

#define DATABASE_READ_MAX (UINT64_C(1) << 30) /* bytes that are read; what comes after that is not counted */
#define DATABASE_STEPS_MAX 60000000	      /* steps of SQLite, three or so for each row that is counted */
#define DATABASE_HEAP (256 << 20)	      /* bytes of memory that SQLite may have */
#define DATABASE_TABLES_MAX 1024

/* While files can be opened. */
void sqlite_prepare(void);
/* 0, also when D->unreadable says why not; -ENOMEM. One thread. */
int sqlite_sniff(struct input *in, struct description *d);

#endif
