/* Rows about what was made from what. */
#include "meta/record.h"

void record_edge(struct record *r, const struct edge_row *e)
{
	size_t start = record_begin(r, ROW_EDGE);

	record_put(r, e->output);
	record_put(r, e->input);
	record_put(r, e->class);
	record_put(r, e->run);
	record_put(r, e->input_node);
	record_end(r, start);
}

void record_run_wrote(struct record *r, uint64_t run)
{
	size_t start = record_begin(r, ROW_RUN_WROTE);

	record_put(r, run);
	record_end(r, start);
}
