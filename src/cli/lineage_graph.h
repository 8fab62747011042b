/*
 * What .lineage/of/PATH/ of a mount says, taken apart: the edges that lead to a version, or from it, as the caller may
 * see them (ns/graph.h).
 */
#ifndef TARN_CLI_LINEAGE_GRAPH_H
#define TARN_CLI_LINEAGE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/json.h"

struct lineage_graph {
	struct json_object **lines; /* the first says which version it is about; then one for each edge */
	size_t n, room;
	bool down, cut; /* CUT: there is more */
};

/* POINT: of the mount, INSIDE: the path below it, also with @vN. 0; -ENOENT: no such version; -errno. */
int lineage_graph_read(const char *point, const char *inside, bool down, bool all, struct lineage_graph *g);
void lineage_graph_release(struct lineage_graph *g);
#define _cleanup_lineage_graph_ __attribute__((cleanup(lineage_graph_release)))

const char *line_text(struct json_object *line, const char *member); /* "" when it has none */
long long line_number(struct json_object *line, const char *member);
/* Are the version at END ("output", "input") of A and that at OTHER of B the same? */
bool line_meets(struct json_object *a, const char *end, struct json_object *b, const char *other);
/* "path@v3", of the version at END. */
void line_add_version(struct buf *to, struct json_object *line, const char *end);
/* "sort a > b" as far as it is told, else the program's name; at most MOST bytes. */
void line_add_command(struct buf *to, struct json_object *line, size_t most);
/* "root", or the number of a user that has no name. */
void line_add_user(struct buf *to, struct json_object *line);

#endif
