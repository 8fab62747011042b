/* The declared tables of an open lake (config/table.h). Any thread. */
#ifndef TARN_CONTENT_TABLES_H
#define TARN_CONTENT_TABLES_H

#include "config/table.h"
#include "content/lake.h"

/* Reads them, in place of those that there were. What is wrong goes to FINDINGS, and is no error. 0 or -ENOMEM. */
int lake_load_tables(struct lake *lake, struct findings *findings);
/* Those that hold now, with a reference; NULL: none were loaded. */
struct declared_tables *lake_tables(struct lake *lake);

#endif
