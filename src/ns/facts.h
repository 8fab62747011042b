/*
 * What the lake is and does now, as a list of named facts: .catalog/stats.* and `tarn status` both show it.
 */
#ifndef TARN_NS_FACTS_H
#define TARN_NS_FACTS_H

#include "content/lake.h"

struct fact {
	const char *name;
	const char *text; /* NULL: a number */
	double number;	  /* whole unless `fraction` */
	bool fraction;
};
/* Valid during the call. Non-zero ends it and is returned. */
typedef int (*fact_fn)(void *arg, const struct fact *f);
int lake_facts(struct lake *lake, fact_fn fn, void *arg);
/* Why versions are not kept, the most frequent reasons first: "overwritten in place: 12, excluded: 3". 0 or -errno. */
int facts_not_kept(struct store *s, struct buf *out);

#endif
