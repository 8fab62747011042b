/*
 * What is declared of tables (config/table.h), applied to the versions of their files: tags, words to be found by, and
 * whether the rows keep their rules, which the helper process finds out (sniff/checks.h).
 *
 * A declaration is of the file at its path. A file that was renamed away from there stays that table, with its tags,
 * until another file lies at the path or the declaration goes.
 *
 * One version at a time, by one thread.
 */
#ifndef TARN_WORK_QUALITY_H
#define TARN_WORK_QUALITY_H

#include "content/lake.h"
#include "sniff/worker.h"

struct quality {
	struct lake *lake;
	struct declared_tables *tables;
	const struct declared_table *table; /* NULL: nothing is declared of it */
	bool had_tags;			    /* that were declared once */
	bool checked;
	int64_t declaration, failed;
	struct buf found;
};

/* What holds for NODE, which lies at PATH below buckets/. To be released. */
void quality_begin(struct quality *q, struct lake *lake, uint64_t node, const char *path);
void quality_release(struct quality *q);
/* Looks at the rows of FD, which is NAME. As worker_describe(): 0, -ECANCELED; what goes wrong is said as a note. */
int quality_check(struct quality *q, struct worker *w, int fd, const char *name, bool (*stop)(void *arg), void *arg);
/* What is to be found of a table is found by what is declared of it, too. 0 or -ENOMEM. */
int quality_describe(const struct quality *q, struct description *d);
void quality_record(const struct quality *q, struct record *r, uint64_t node, uint64_t version);

/*
 * Every live file of a declared table that was not looked at since the declaration, it, or a table that it refers to
 * changed is looked at soon; what is declared no more is no tag any more. *PENDING (may be NULL): how many there were.
 * Any thread. 0 or -errno.
 */
int quality_renew(struct lake *lake, uint64_t *pending);

#endif
