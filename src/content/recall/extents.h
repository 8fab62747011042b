/*
 * A set of byte ranges: sorted, disjoint, never touching each other. Each is [from, to).
 *
 * Threads: none; whoever has one locks it.
 */
#ifndef TARN_CONTENT_RECALL_EXTENTS_H
#define TARN_CONTENT_RECALL_EXTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct extent {
	uint64_t from, to;
};

struct extents {
	struct extent *list;
	size_t n, room;
	uint64_t bytes; /* in all of them */
};

void extents_release(struct extents *e);
void extents_clear(struct extents *e); /* keeps the memory */
/* 0 or -ENOMEM: nothing changed. An empty range is fine. */
int extents_add(struct extents *e, uint64_t from, uint64_t to);
int extents_remove(struct extents *e, uint64_t from, uint64_t to);
/* TO becomes what FROM is. 0 or -ENOMEM. */
int extents_copy(struct extents *to, const struct extents *from);

/* Is all of [FROM, TO) in it? */
bool extents_cover(const struct extents *e, uint64_t from, uint64_t to);
/* Is any of [FROM, TO) in it? */
bool extents_touch(const struct extents *e, uint64_t from, uint64_t to);
/* The first byte from AT on that is not in it. */
uint64_t extents_end(const struct extents *e, uint64_t at);
/* The first byte from AT on that is in it; UINT64_MAX: none. */
uint64_t extents_next(const struct extents *e, uint64_t at);
/* The first range of [FROM, TO) that is not in it; false: there is none. */
bool extents_gap(const struct extents *e, uint64_t from, uint64_t to, struct extent *gap);
/* The bytes of [FROM, TO) that are in it. */
uint64_t extents_within(const struct extents *e, uint64_t from, uint64_t to);

#endif
