/*
 * How far something long is: one line on a terminal, rewritten in place. Nothing where standard error is no terminal,
 * nor when it is over within half a second.
 */
#ifndef TARN_CLI_PROGRESS_H
#define TARN_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *name;     /* what it is about; borrowed */
	uint64_t total, done; /* bytes */
	int64_t next;	      /* when to show it again; 0: never */
	bool shown;
};

void progress_start(struct progress *p, const char *name, uint64_t total);
/* N more are done. P NULL is fine. */
void progress_add(struct progress *p, uint64_t n);
/* The line is taken away. */
void progress_end(struct progress *p);

#endif
