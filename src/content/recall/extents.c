#include "content/recall/extents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void extents_release(struct extents *e)
{
	free(e->list);
	*e = (struct extents){0};
}

void extents_clear(struct extents *e)
{
	e->n = 0;
	e->bytes = 0;
}

/* The index of the first one that ends after AT, or at it when TOUCHING. */
static size_t first_after(const struct extents *e, uint64_t at, bool touching)
{
	size_t low = 0, high = e->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (e->list[middle].to > at || (touching && e->list[middle].to == at))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int make_room(struct extents *e)
{
	size_t room = e->room ? 2 * e->room : 8;
	struct extent *list;

	if (e->n < e->room)
		return 0;
	list = reallocarray(e->list, room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	e->list = list;
	e->room = room;
	return 0;
}

/* Those from I to J (not included) go, and WITH (may be NULL) comes in their place. There is room. */
static void replace(struct extents *e, size_t i, size_t j, const struct extent *with)
{
	for (size_t k = i; k < j; k++)
		e->bytes -= e->list[k].to - e->list[k].from;
	memmove(e->list + i + !!with, e->list + j, (e->n - j) * sizeof(*e->list));
	e->n = e->n - (j - i) + !!with;
	if (with) {
		e->list[i] = *with;
		e->bytes += with->to - with->from;
	}
}

int extents_add(struct extents *e, uint64_t from, uint64_t to)
{
	struct extent joined = {from, to};
	size_t i, j;

	if (from >= to)
		return 0;
	if (make_room(e) < 0)
		return -ENOMEM;
	i = j = first_after(e, from, true);
	while (j < e->n && e->list[j].from <= to)
		j++;
	if (j > i && e->list[i].from < from)
		joined.from = e->list[i].from;
	if (j > i && e->list[j - 1].to > to)
		joined.to = e->list[j - 1].to;
	replace(e, i, j, &joined);
	return 0;
}

int extents_remove(struct extents *e, uint64_t from, uint64_t to)
{
	struct extent left, right;
	size_t i, j;

	if (from >= to)
		return 0;
	if (make_room(e) < 0)
		return -ENOMEM;
	i = j = first_after(e, from, false);
	while (j < e->n && e->list[j].from < to)
		j++;
	if (i == j)
		return 0;
	left = (struct extent){e->list[i].from, from};
	right = (struct extent){to, e->list[j - 1].to};
	replace(e, i, j, right.from < right.to ? &right : NULL);
	if (left.from < left.to) { /* one more than before only when one was cut in two: there is room */
		replace(e, i, i, &left);
	}
	return 0;
}

int extents_copy(struct extents *to, const struct extents *from)
{
	struct extent *list = NULL;

	if (from->n) {
		list = reallocarray(NULL, from->n, sizeof(*list));
		if (!list)
			return -ENOMEM;
		memcpy(list, from->list, from->n * sizeof(*list));
	}
	free(to->list);
	*to = (struct extents){.list = list, .n = from->n, .room = from->n, .bytes = from->bytes};
	return 0;
}

uint64_t extents_end(const struct extents *e, uint64_t at)
{
	size_t i = first_after(e, at, false);

	return i < e->n && e->list[i].from <= at ? e->list[i].to : at;
}

uint64_t extents_next(const struct extents *e, uint64_t at)
{
	size_t i = first_after(e, at, false);

	if (i == e->n)
		return UINT64_MAX;
	return e->list[i].from > at ? e->list[i].from : at;
}

bool extents_cover(const struct extents *e, uint64_t from, uint64_t to)
{
	return from >= to || extents_end(e, from) >= to;
}

bool extents_touch(const struct extents *e, uint64_t from, uint64_t to)
{
	return from < to && extents_next(e, from) < to;
}

bool extents_gap(const struct extents *e, uint64_t from, uint64_t to, struct extent *gap)
{
	uint64_t next;

	gap->from = extents_end(e, from);
	if (gap->from >= to)
		return false;
	next = extents_next(e, gap->from);
	gap->to = next < to ? next : to;
	return true;
}

uint64_t extents_within(const struct extents *e, uint64_t from, uint64_t to)
{
	uint64_t bytes = 0;

	for (size_t i = first_after(e, from, false); i < e->n && e->list[i].from < to; i++) {
		const struct extent *x = &e->list[i];

		bytes += (x->to < to ? x->to : to) - (x->from > from ? x->from : from);
	}
	return bytes;
}
