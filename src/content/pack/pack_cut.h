/*
 * Where a segment ends, and what it looks like: both from one rolling hash over the content, so that a version whose
 * content shifted is cut at the same places as its base, and its segments are found there.
 *
 * The hash is "gear": h = (h << 1) + table[byte], which depends on the last 64 bytes. A segment has at least CUT_LEAST
 * bytes and ends where the 18 upper bits of h are zero, or at PACK_SEGMENT_MAX; 730 KiB on average.
 *
 * Features say which segments resemble one another: of the places where six other bits of h are zero, the least of h
 * under each of four permutations (min-hash). Two segments agree in a feature with about the probability that a place
 * of one is in the other: a few changed lines in a segment leave all four as they were, and a segment that is made of
 * the halves of two has features of both.
 *
 * A pack can be read without this; only how well things are found depends on it.
 */
#ifndef TARN_CONTENT_PACK_PACK_CUT_H
#define TARN_CONTENT_PACK_PACK_CUT_H

#include "content/pack/pack_map.h"

/* The length of the segment that BYTES begin with, when LEN are there: all that is left, or at least
 * PACK_SEGMENT_MAX. Fills in its features. */
size_t pack_cut(const uint8_t *bytes, size_t len, uint32_t features[PACK_FEATURES]);

/* Segments by their features; of another map than the one that is written. */
struct pack_features;
int pack_features_new(const struct pack_map *m, struct pack_features **out);
/* SEGMENT's features are FEATURES, where its map does not say so (PACK_SAME). */
void pack_features_add(struct pack_features *f, uint32_t segment, const uint32_t features[PACK_FEATURES]);
/* No more is added. */
void pack_features_sort(struct pack_features *f);
/*
 * The segments that resemble most: the first of one or two that lie side by side. Among equals the nearest to EXPECTED.
 * Returns how many, 0: none does.
 */
unsigned pack_features_find(const struct pack_features *f, const uint32_t features[PACK_FEATURES], uint32_t expected,
			    uint32_t *first);
void pack_features_free(struct pack_features *f);

#endif
