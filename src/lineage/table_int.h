/* The table of processes. Inside lineage/ only; everything is protected by its lock. */
#ifndef TARN_LINEAGE_TABLE_INT_H
#define TARN_LINEAGE_TABLE_INT_H

#include <pthread.h>
#include <uthash.h>

#include "lineage/lineage.h"
#include "lineage/proc.h"

#define PIPES_KEPT 64 /* of a process; then the oldest is forgotten */

struct process_key {
	pid_t pid;
	uint64_t start;
};

struct read {
	uint64_t version, node, folder, size;
	uint64_t at;		  /* the table's clock */
	uint32_t name, extension; /* hashes; the latter 0: none */
	bool indirect;		  /* it came through a file without versions */
	bool own;		  /* the process wrote it itself */
};

struct process {
	UT_hash_handle hh, by_run;
	struct process_key key;
	uint64_t run; /* 0: it did nothing in the lake yet */
	struct process_key parent;
	uint64_t group; /* hash of its TARN_RUN_ID; 0: none */
	struct read *reads;
	size_t n, room;
	struct proc_pipe pipes[PIPES_KEPT];
	unsigned npipes; /* ever; the place of the next one is this modulo PIPES_KEPT */
	uint64_t wrote;	 /* when it, or a child of it, last ended an output */
	size_t told;	 /* edges of what it read since then */
	uint64_t began;	 /* `wrote` when it last read something new after that */
	bool forked;	 /* it had executed nothing when it was last looked at: it is what its parent was */
	int looks;	 /* how often it was looked at */
	int64_t looked;	 /* monotonic, the last time */
	unsigned mark;	 /* of a walk */
};

struct lineage {
	pthread_mutex_t lock;
	struct process *processes, *runs; /* by key, by run */
	uint64_t clock;			  /* rises with each read and each output */
	unsigned mark;
	uint64_t reads, dropped;
};

struct process *processes_find(struct lineage *l, struct process_key key);
struct process *processes_find_run(struct lineage *l, uint64_t run);
/* Found or made; NULL: out of memory. */
struct process *processes_get(struct lineage *l, struct process_key key);
void processes_release(struct lineage *l);
void processes_add_read(struct lineage *l, struct process *p, const struct read *read);
/* That of RUN, about to read something: with its outputs so far a job may have ended. NULL: it is not known. */
struct process *processes_reader(struct lineage *l, uint64_t run);

/* pipes.c: looks at process KEY and at those around it, and notes their pipes, and its PARENT unless that is 0; but not
 * for longer than patience.h says. The lock is not held. */
void pipes_look(struct lineage *l, struct process_key key, pid_t parent);

uint32_t name_hash(const char *name);
uint32_t extension_hash(const char *name);

#endif
