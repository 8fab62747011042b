/*
 * What the values of one column are like: count, nulls, least, greatest, mean, deviation, quantiles, how many different
 * ones, the most frequent. As DuckDB's SUMMARIZE has them, and exact, up to so many values that memory stays bounded:
 *
 *	quantiles	of all values, or of a random choice of KEPT of them
 *	distinct	counted, until there are SLOTS different ones; then an estimate (HyperLogLog, some 1.6 %), told
 *			as `approximate`
 *	top		of the first SLOTS different values
 *
 * It also guesses what is personal: what most of the values look like, or else the column's name.
 */
#ifndef TARN_SNIFF_STATISTICS_H
#define TARN_SNIFF_STATISTICS_H

#include "sniff/description.h"
#include "sniff/value.h"

struct statistics;

/* COLUMNS share the memory. NULL: none left. */
struct statistics *statistics_new(enum value_type type, size_t columns);
void statistics_free(struct statistics *s); /* NULL is fine */

void statistics_add_null(struct statistics *s);
/* TEXT: as it stands in the file. *V: what it is; of a VARCHAR not looked at. 0; 1: it is the first of its kind;
 * -ENOMEM. */
int statistics_add(struct statistics *s, const char *text, size_t len, const struct value *v);

/* Puts it all into C, whose name is known. 0 or -ENOMEM. */
int statistics_finish(struct statistics *s, struct column *c);

#endif
