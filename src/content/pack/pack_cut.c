#include "content/pack/pack_cut.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CUT_LEAST (512 * 1024)
#define CUT_MASK (((UINT64_C(1) << 18) - 1) << 46) /* each 256 KiB */
#define SAMPLE (UINT64_C(0x3f) << 40)		   /* of the 46 last bytes */
#define CANDIDATES 64

static uint64_t gear[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Numbers without a pattern: splitmix64 (Steele, Lea, Flood 2014). */
static void make_table(void)
{
	uint64_t state = 0x7461726e; /* "tarn" */

	for (int i = 0; i < 256; i++) {
		uint64_t z = (state += 0x9e3779b97f4a7c15);

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		gear[i] = z ^ (z >> 31);
	}
}

static void sample(uint64_t h, uint32_t features[PACK_FEATURES])
{
	static const uint64_t factor[PACK_FEATURES] = {0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9,
						       0xd6e8feb86659fd93};

	for (int i = 0; i < PACK_FEATURES; i++) {
		uint32_t v = (uint32_t)((h * factor[i]) >> 32);

		if (v < features[i])
			features[i] = v;
	}
}

size_t pack_cut(const uint8_t *bytes, size_t len, uint32_t features[PACK_FEATURES])
{
	size_t most = len < PACK_SEGMENT_MAX ? len : PACK_SEGMENT_MAX;
	uint64_t h = 0;

	pthread_once(&once, make_table);
	memset(features, 0xff, PACK_FEATURES * sizeof(*features));
	for (size_t i = 0; i < most; i++) {
		h = (h << 1) + gear[bytes[i]];
		if (!(h & SAMPLE) && i >= 63)
			sample(h, features);
		if (i + 1 >= CUT_LEAST && !(h & CUT_MASK))
			return i + 1;
	}
	return most;
}

/* ---- which resemble ---- */

struct entry {
	uint32_t feature, segment;
};

struct pack_features {
	struct entry *entries;
	size_t n, room;
};

int pack_features_new(const struct pack_map *m, struct pack_features **out)
{
	struct pack_features *f = calloc(1, sizeof(*f));

	if (f) {
		f->room = (size_t)m->count * PACK_FEATURES;
		f->entries = calloc(f->room + 1, sizeof(*f->entries));
	}
	if (!f || !f->entries) {
		free(f);
		return -ENOMEM;
	}
	*out = f;
	return 0;
}

void pack_features_add(struct pack_features *f, uint32_t segment, const uint32_t features[PACK_FEATURES])
{
	for (int i = 0; i < PACK_FEATURES && f->n < f->room; i++)
		f->entries[f->n++] = (struct entry){features[i], segment};
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->feature != y->feature)
		return x->feature < y->feature ? -1 : 1;
	return x->segment < y->segment ? -1 : x->segment > y->segment;
}

void pack_features_sort(struct pack_features *f)
{
	qsort(f->entries, f->n, sizeof(*f->entries), compare);
}

/* The first entry that is not below (FEATURE, SEGMENT). */
static size_t lower_bound(const struct pack_features *f, uint32_t feature, uint32_t segment)
{
	size_t low = 0, high = f->n;
	struct entry wanted = {feature, segment};

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&f->entries[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct candidates {
	uint32_t segment[CANDIDATES];
	unsigned votes[CANDIDATES];
	unsigned n;
};

static void vote(struct candidates *c, uint32_t segment)
{
	unsigned i;

	for (i = 0; i < c->n; i++)
		if (c->segment[i] == segment)
			break;
	if (i == CANDIDATES)
		return;
	if (i == c->n) {
		c->segment[i] = segment;
		c->votes[i] = 0;
		c->n++;
	}
	c->votes[i]++;
}

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

/* Content that repeats itself has the same feature everywhere: only those around the expected place are looked at. */
static void collect(const struct pack_features *f, uint32_t feature, uint32_t expected, struct candidates *c)
{
	size_t at = lower_bound(f, feature, expected < 4 ? 0 : expected - 4);

	for (int i = 0; i < 10 && at < f->n && f->entries[at].feature == feature; i++)
		vote(c, f->entries[at++].segment);
	at = lower_bound(f, feature, 0);
	if (at < f->n && f->entries[at].feature == feature)
		vote(c, f->entries[at].segment);
}

static unsigned votes_of(const struct candidates *c, uint32_t segment)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->segment[i] == segment)
			return c->votes[i];
	return 0;
}

unsigned pack_features_find(const struct pack_features *f, const uint32_t features[PACK_FEATURES], uint32_t expected,
			    uint32_t *first)
{
	struct candidates c = {.n = 0};
	unsigned best = 0, before, after;

	for (int i = 0; i < PACK_FEATURES; i++)
		collect(f, features[i], expected, &c);
	if (!c.n)
		return 0;
	for (unsigned i = 1; i < c.n; i++)
		if (c.votes[i] > c.votes[best] ||
		    (c.votes[i] == c.votes[best] &&
		     distance(c.segment[i], expected) < distance(c.segment[best], expected)))
			best = i;
	*first = c.segment[best];
	if (c.votes[best] >= PACK_FEATURES) /* all of it is there */
		return 1;
	before = *first ? votes_of(&c, *first - 1) : 0;
	after = votes_of(&c, *first + 1);
	if (!before && !after)
		return 1;
	if (before > after)
		--*first;
	return 2;
}

void pack_features_free(struct pack_features *f)
{
	if (f)
		free(f->entries);
	free(f);
}
