/* Rows about what was made from what. */
#include "meta/record.h"

void record_edge(struct record *r, uint64_t output, uint64_t input, enum edge_class class, uint64_t run)
{
	size_t start = record_begin(r, ROW_EDGE);

	record_put(r, output);
	record_put(r, input);
	record_put(r, class);
	record_put(r, run);
	record_end(r, start);
}

void record_run_wrote(struct record *r, uint64_t run)
{
	size_t start = record_begin(r, ROW_RUN_WROTE);

	record_put(r, run);
	record_end(r, start);
}
