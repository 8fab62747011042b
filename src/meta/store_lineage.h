/*
 * Lineage: which versions a version was made from, and by which run. Included by meta/store.h, whose contract holds
 * here, too.
 *
 * An edge is one row per (output, input), both ids of versions: the run wrote the output when it had read the input.
 * The graph has no cycle: an input is older than its output, or the edge is left out. Versions that are one later
 * (record_version_same()) have one set of edges; what was cut for a reader's sake only (VERSION_PARTIAL,
 * VERSION_TRANSIENT) stays as long as an edge leads from it. Edges outlive the bytes of their versions: an expired
 * version is told of still, a purged one too, but not the command line of the run that wrote it.
 *
 * An edge is 5 numbers in one table and 2 in an index over it: 40 to 60 bytes.
 */
#ifndef TARN_META_STORE_LINEAGE_H
#define TARN_META_STORE_LINEAGE_H

#include "meta/store.h"

/* How sure it is; the higher the surer. The values are in the store and never change. */
enum edge_class {
	EDGE_LOW = 1,  /* something of the kind */
	EDGE_SESSION,  /* the run had read it, for another output as it seems */
	EDGE_PIPE,     /* a process read it whose output came to the writer through a pipe */
	EDGE_EXACT,    /* the writer itself read it */
	EDGE_COPY,     /* the writer read it, and the bytes are the same */
	EDGE_DECLARED, /* somebody said so */
};
#define EDGE_SHOWN EDGE_PIPE /* what views show unless asked for more */

struct edge_row {
	uint64_t output, input; /* versions */
	enum edge_class class;
	uint64_t run, commit;
	uint64_t input_node; /* only of record_edge(): whose version the input is; 0: not said */
};

const char *edge_class_name(enum edge_class class);

/*
 * The output, which is in the store or in R, was made from the input. Said again, the surer class holds. Nothing
 * happens when they are the same, or the input is not older than the output. An input that left its series because its
 * content came again is the version that stands for it; one that was cut for its reader only, and is gone by now, is
 * the next one of its node.
 */
void record_edge(struct record *r, const struct edge_row *e);
/* RUN wrote something at the time of R. */
void record_run_wrote(struct record *r, uint64_t run);

/* ---- reading ---- */

/* FN's non-zero answer ends it and is returned. By rising id of the other end. */
typedef int (*store_edge_fn)(void *arg, const struct edge_row *e);
int store_edges_up(struct store *s, uint64_t output, store_edge_fn fn, void *arg);
int store_edges_down(struct store *s, uint64_t input, store_edge_fn fn, void *arg);
/* Every edge of at least CLASS, by output, those of outputs after AFTER. */
int store_edges(struct store *s, uint64_t after, enum edge_class class, store_edge_fn fn, void *arg);
/* Where a version is told of: at the file that its series belongs to now, else where its own file was last. */
struct version_place {
	bool live; /* it is there: NODE */
	uint64_t node;
	uint64_t parent; /* where it was, under the NAME, which is released by the caller */
	struct buf name;
};
int store_version_place(struct store *s, const struct version_row *v, struct version_place *out);

/* How many there are. Counts. */
int store_count_edges(struct store *s, uint64_t *edges);

/* A run as the store has it; what R points to is borrowed, and valid during the call. argv is NULL when it is not told.
 * FN's answer, or -ENOENT. */
typedef int (*store_run_fn)(void *arg, const struct run_row *r);
int store_run_row(struct store *s, uint64_t id, store_run_fn fn, void *arg);
/* Every run, by id, after AFTER. */
int store_runs(struct store *s, uint64_t after, store_run_fn fn, void *arg);

#endif
