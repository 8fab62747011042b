/*
 * The graph of lineage as one caller may see it: versions by the paths of their files, edges both of whose ends the
 * caller may read, and who made them.
 *
 * A version is told of at the path where its series is now, or was last. Command lines are told to who ran them and to
 * root.
 */
#ifndef TARN_NS_GRAPH_H
#define TARN_NS_GRAPH_H

#include <uthash.h>

#include "ns/reader.h"

/* A version, as it is told of. */
struct graph_node {
	UT_hash_handle hh;
	uint64_t id, number;
	char *path; /* below buckets/; NULL: the caller may not know of it */
	const char *state;
	int64_t time;
	bool walked;
};

struct graph {
	struct reader *reader;
	struct graph_node *nodes;
};

void graph_release(struct graph *g);
#define _cleanup_graph_ __attribute__((cleanup(graph_release)))

/* The node of VERSION; NULL: out of memory. One that is not there has no path. */
const struct graph_node *graph_node(struct graph *g, uint64_t version);
/* The version that PATH ("raw-data/a.csv", also with @vN) means. -ENOENT. */
int graph_find(struct graph *g, const char *path, uint64_t *version);

enum graph_way { GRAPH_UP, GRAPH_DOWN };
#define GRAPH_MOST 100000 /* edges of one walk; then it ends with -E2BIG */

/* Every visible edge of at least CLASS, from VERSION on, by rising DEPTH (1: its own). FN's non-zero answer ends it. */
typedef int (*graph_edge_fn)(void *arg, int depth, const struct edge_row *e);
int graph_walk(struct graph *g, uint64_t version, enum graph_way way, enum edge_class class, graph_edge_fn fn,
	       void *arg);

/* The members of a run as the caller may know them, as JSON, without braces. -ENOENT: there is none. */
int graph_run(struct graph *g, uint64_t run, struct buf *json);

#endif
