/*
 * What each process read and who wrote what, in memory: where edges come from (meta/store_lineage.h).
 *
 * A process is one of the kernel's, whatever programs it executes; one that did something in the lake has the number of
 * a run. Of each are remembered, as long as there is room: the versions that it opened for reading, and the pipes that
 * it had an end of. Nothing of it is stored until a version is cut that it wrote.
 *
 * An origin is what the content of a file that is being written was made from, so far. It is resolved when a process
 * closes the file (the process is alive then, and has read what it was to read), and told when the version is cut:
 *
 *	exact	what the process itself read
 *	pipe	what those read whose output came to it through pipes, over any number of processes, which need not
 *		have touched the lake; or what a file was made from that has no versions (a temporary one), and was read
 *	copy	found by the store, when hashes are known; what has the name and the size of the output and was read
 *		last, came over a pipe, or was one of many, is proposed alone
 *	session	what is likely something else: the input of a shell's loop that a program inherited
 *	declared	what processes read that have the same TARN_RUN_ID in their environment
 *
 * A process that serves many jobs reads, writes, and reads again. What it read before an output counts for a later one
 * only as far as nothing of its kind (in the same folder, or with the same extension) was read since, and nothing that
 * it wrote itself; if it read nothing since, everything counts still.
 *
 * Pipes are linked by their inodes. They are looked for in /proc when a process is met and when it opens files, in
 * the process and in its parent, siblings and children. An end that is inherited as standard input by a loop's programs
 * links less than one that was made for it; a pipe whose both ends one process holds (make's tokens) links nothing.
 *
 * Threads: any. The one lock is a leaf; /proc is read without it.
 */
#ifndef TARN_LINEAGE_LINEAGE_H
#define TARN_LINEAGE_LINEAGE_H

#include <stdbool.h>

#include "meta/store.h"

#define LINEAGE_READS 4096	 /* versions remembered of one process; what is more is counted */
#define LINEAGE_PROCESSES 8192	 /* the one longest unused goes first, … */
#define LINEAGE_ALL_READS 262144 /* …also when so much is remembered of all together: 12 MB */

struct lineage;
struct origin; /* protected by whom it belongs to, as the pointer to it is */

int lineage_new(struct lineage **out);
void lineage_free(struct lineage *l);

/* RUN is process PID, which began at START (of proc_stat()), a child of PARENT. GROUP: its TARN_RUN_ID, or NULL. */
void lineage_meet(struct lineage *l, uint64_t run, pid_t pid, uint64_t start, pid_t parent, const char *group);
/*
 * RUN opens something: it may have got ends of pipes since it was met. Not to be called where it closes something, for
 * it may be executing a program then, and who reads its /proc waits until that has gone on.
 */
void lineage_look_again(struct lineage *l, uint64_t run);

/* A version that is read, where it lies. */
struct lineage_input {
	uint64_t version, node, folder, size;
	const char *name;
	bool own; /* the run wrote it itself */
};
/* RUN opened it to read it. */
void lineage_read(struct lineage *l, uint64_t run, const struct lineage_input *in);
/* RUN opened a file that has no version, but an origin, which may be NULL. */
void lineage_read_unversioned(struct lineage *l, uint64_t run, const struct origin *of);

/* Has RUN, or who may have sent it something, read anything at all? */
bool lineage_has_read(struct lineage *l, uint64_t run);
/*
 * RUN, which is told of as AS, wrote what *O belongs to, a file of this NAME (may be NULL) and SIZE: what it was made
 * from is added. APPENDS: it is a log, and the end of no job.
 */
void lineage_wrote(struct lineage *l, uint64_t run, uint64_t as, const char *name, uint64_t size, bool appends,
		   struct origin **o);
/* It was made from version INPUT of NODE, too. */
void origin_add(struct origin **o, uint64_t input, uint64_t node, enum edge_class class, uint64_t run);
/* VERSION was cut of what OF belongs to: its edges become part of R. */
void lineage_cut(struct record *r, uint64_t version, const struct origin *of);
void origin_free(struct origin **o);

struct lineage_counts {
	uint64_t processes, reads, dropped; /* what did not fit */
};
void lineage_count(struct lineage *l, struct lineage_counts *out);

#endif
