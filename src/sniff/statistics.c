#include "sniff/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fnv.h"
#include "sniff/personal.h"

#define ALL_KEPT (UINT64_C(16) << 20) /* numbers of all columns */
#define ALL_SLOTS (UINT64_C(4) << 20)
#define KEPT_MAX (256 * 1024)
#define SLOTS_MAX (64 * 1024)
#define LEAST 256
#define SKETCH_BITS 12 /* HyperLogLog: 2^12 registers, 1.04 / sqrt(4096) */
#define SKETCH (1u << SKETCH_BITS)
#define MAX_BYTES_HELD 512 /* of a least or greatest text; a longer one is known by so much of it */
#define US_PER_DAY 86400e6

struct slot {
	uint64_t hash;
	uint64_t count; /* 0: free */
	uint32_t at;	/* of its text in `texts` */
	uint32_t len;
};

struct statistics {
	enum value_type type;
	uint64_t values, nulls;

	struct value min, max;
	struct buf min_text, max_text; /* of a VARCHAR */
	long double sum;
	double mean, squares; /* Welford's */

	double *kept;
	size_t nkept, kept_room, kept_max;
	uint64_t random;

	struct slot *slots;
	size_t nslots, slots_room, slots_max; /* room: a power of two; the table is at most three quarters full */
	struct buf texts;
	uint8_t *sketch; /* NULL: all are in the table */

	struct personal personal;
};

struct statistics *statistics_new(enum value_type type, size_t columns)
{
	struct statistics *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->type = type;
	s->kept_max = ALL_KEPT / columns < KEPT_MAX ? ALL_KEPT / columns : KEPT_MAX;
	s->slots_max = ALL_SLOTS / columns < SLOTS_MAX ? ALL_SLOTS / columns : SLOTS_MAX;
	if (s->slots_max < 4 * LEAST)
		s->slots_max = 4 * LEAST;
	s->random = UINT64_C(0x9e3779b97f4a7c15);
	return s;
}

void statistics_free(struct statistics *s)
{
	if (!s)
		return;
	buf_release(&s->min_text);
	buf_release(&s->max_text);
	buf_release(&s->texts);
	free(s->kept);
	free(s->slots);
	free(s->sketch);
	free(s);
}

/* ---- least, greatest, mean ---- */

static bool is_text(const struct statistics *s)
{
	return s->type == VALUE_VARCHAR || s->type == VALUE_NONE;
}

static void hold(struct buf *b, const char *text, size_t len)
{
	buf_clear(b);
	buf_add(b, text, len < MAX_BYTES_HELD ? len : MAX_BYTES_HELD);
}

/* As DuckDB compares texts: byte by byte. */
static int compare(const char *text, size_t len, const struct buf *b)
{
	size_t n = len < b->len ? len : b->len;
	int order = n ? memcmp(text, b->data, n) : 0;

	return order ? order : (len > b->len) - (len < b->len);
}

static void bound_text(struct statistics *s, const char *text, size_t len)
{
	if (!s->values || compare(text, len, &s->min_text) < 0)
		hold(&s->min_text, text, len);
	if (!s->values || compare(text, len, &s->max_text) > 0)
		hold(&s->max_text, text, len);
}

static double number(const struct statistics *s, const struct value *v)
{
	return s->type == VALUE_DOUBLE ? v->d : (double)v->i;
}

static bool less(const struct statistics *s, const struct value *a, const struct value *b)
{
	if (s->type != VALUE_DOUBLE)
		return a->i < b->i;
	return a->d < b->d || (isnan(b->d) && !isnan(a->d)); /* what is no number is the greatest */
}

static void bound(struct statistics *s, const struct value *v)
{
	if (!s->values || less(s, v, &s->min))
		s->min = *v;
	if (!s->values || less(s, &s->max, v))
		s->max = *v;
}

static uint64_t random_below(struct statistics *s, uint64_t n)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random % n;
}

/* All, or as many of them as there is room for, each with the same chance (Vitter's algorithm R). */
static int keep(struct statistics *s, double d)
{
	if (s->nkept == s->kept_max) {
		uint64_t at = random_below(s, s->values + 1);

		if (at < s->kept_max)
			s->kept[at] = d;
		return 0;
	}
	if (s->nkept == s->kept_room) {
		size_t room = s->kept_room ? 2 * s->kept_room : LEAST;
		double *grown = reallocarray(s->kept, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->kept = grown;
		s->kept_room = room;
	}
	s->kept[s->nkept++] = d;
	return 0;
}

static int add_number(struct statistics *s, const struct value *v)
{
	double d = number(s, v), off = d - s->mean;

	bound(s, v);
	s->sum += d;
	s->mean += off / (double)(s->values + 1);
	s->squares += off * (d - s->mean);
	return keep(s, d);
}

/* ---- how many different ones ---- */

static uint64_t hash_of(const char *text, size_t len)
{
	uint64_t h = fnv1a(FNV1A_START, text, len);

	/* every bit moves half of the others */
	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 31;
}

static void sketch_add(struct statistics *s, uint64_t hash)
{
	uint8_t rank = (uint8_t)(__builtin_clzll(hash << SKETCH_BITS | UINT64_C(1) << (SKETCH_BITS - 1)) + 1);
	uint8_t *r = &s->sketch[hash >> (64 - SKETCH_BITS)];

	if (*r < rank)
		*r = rank;
}

static uint64_t sketch_count(const struct statistics *s)
{
	double sum = 0, m = SKETCH;
	unsigned zeros = 0;

	for (unsigned i = 0; i < SKETCH; i++) {
		sum += ldexp(1, -s->sketch[i]);
		zeros += !s->sketch[i];
	}
	sum = 0.7213 / (1 + 1.079 / m) * m * m / sum;
	if (sum < 2.5 * m && zeros)
		sum = m * log(m / zeros);
	return (uint64_t)llround(sum);
}

/* The table stays as it is from now on; what is new is only counted. */
static int begin_sketch(struct statistics *s)
{
	s->sketch = calloc(SKETCH, 1);
	if (!s->sketch)
		return -ENOMEM;
	for (size_t i = 0; i < s->slots_room; i++)
		if (s->slots[i].count)
			sketch_add(s, s->slots[i].hash);
	return 0;
}

static struct slot *find(struct slot *slots, size_t room, uint64_t hash)
{
	size_t i = hash & (room - 1);

	while (slots[i].count && slots[i].hash != hash)
		i = (i + 1) & (room - 1);
	return &slots[i];
}

static int grow(struct statistics *s)
{
	size_t room = s->slots_room ? 2 * s->slots_room : LEAST;
	struct slot *grown = calloc(room, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	for (size_t i = 0; i < s->slots_room; i++)
		if (s->slots[i].count)
			*find(grown, room, s->slots[i].hash) = s->slots[i];
	free(s->slots);
	s->slots = grown;
	s->slots_room = room;
	return 0;
}

/* 1: it is new. */
static int count_value(struct statistics *s, uint64_t hash, const char *text, size_t len)
{
	struct slot *slot;

	if (s->nslots >= s->slots_room / 4 * 3 && !s->sketch) {
		int rc = s->slots_room < s->slots_max ? grow(s) : begin_sketch(s);

		if (rc)
			return rc;
	}
	if (s->sketch)
		sketch_add(s, hash);
	slot = find(s->slots, s->slots_room, hash);
	if (slot->count++)
		return 0;
	if (s->sketch) {
		slot->count = 0;
		return 0;
	}
	*slot = (struct slot){hash, 1, (uint32_t)s->texts.len,
			      (uint32_t)(len < DESCRIPTION_VALUE_MAX + 4 ? len : DESCRIPTION_VALUE_MAX + 4)};
	buf_add(&s->texts, text, slot->len);
	s->nslots++;
	return buf_error(&s->texts) ? -ENOMEM : 1;
}

/* ---- from outside ---- */

void statistics_add_null(struct statistics *s)
{
	s->nulls++;
}

int statistics_add(struct statistics *s, const char *text, size_t len, const struct value *v)
{
	int rc = 0;

	if (is_text(s))
		bound_text(s, text, len);
	else
		rc = add_number(s, v);
	personal_add(&s->personal, text, len);
	if (!rc)
		rc = count_value(s, is_text(s) ? hash_of(text, len) : hash_of((const char *)v, sizeof(*v)), text, len);
	s->values++;
	return rc;
}

static int by_count(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return (x->at > y->at) - (x->at < y->at); /* the earlier one first */
}

static int finish_top(struct statistics *s, struct column *c)
{
	int rc = 0;

	qsort(s->slots, s->slots_room, sizeof(*s->slots), by_count);
	for (size_t i = 0; i < s->nslots && i < DESCRIPTION_TOP && !rc; i++)
		rc = column_add_top(c, s->texts.data + s->slots[i].at, s->slots[i].len, s->slots[i].count);
	return rc;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	if (isnan(x) || isnan(y))
		return isnan(x) - isnan(y);
	return (x > y) - (x < y);
}

/* Each value is in the middle of its share, as a t-digest has it; between two it is interpolated. */
static double quantile(const struct statistics *s, double q)
{
	double at = q * (double)s->nkept - 0.5;
	size_t below = at > 0 ? (size_t)at : 0;

	if (at <= 0 || below + 1 >= s->nkept)
		return s->kept[at <= 0 ? 0 : s->nkept - 1];
	return s->kept[below] + (at - (double)below) * (s->kept[below + 1] - s->kept[below]);
}

static int set_value(char **member, enum value_type type, const struct value *v)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	value_print(&b, type, v);
	return buf_error(&b) ? -ENOMEM : description_set(member, buf_str(&b));
}

static int set_double(char **member, double d)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	value_print_double(&b, d);
	return buf_error(&b) ? -ENOMEM : description_set(member, buf_str(&b));
}

static int64_t whole(long double d)
{
	return d >= 0x1p63L ? INT64_MAX : d <= -0x1p63L ? INT64_MIN : (int64_t)rintl(d);
}

/* Of a DATE the mean is a moment. */
static int set_mean(struct statistics *s, struct column *c)
{
	long double mean = s->sum / (long double)s->values;
	struct value v = {.i = whole(s->type == VALUE_DATE ? mean * US_PER_DAY : mean)};

	if (s->type == VALUE_BIGINT || s->type == VALUE_DOUBLE)
		return set_double(&c->mean, (double)mean);
	return set_value(&c->mean, s->type == VALUE_DATE ? VALUE_TIMESTAMP : s->type, &v);
}

static int finish_numbers(struct statistics *s, struct column *c)
{
	const double at[] = {0.25, 0.5, 0.75};
	char **members[] = {&c->q25, &c->q50, &c->q75};
	int rc = set_mean(s, c);

	if (!rc && s->values > 1 && (s->type == VALUE_BIGINT || s->type == VALUE_DOUBLE))
		rc = set_double(&c->std, sqrt(s->squares / (double)(s->values - 1)));
	qsort(s->kept, s->nkept, sizeof(*s->kept), by_size);
	for (int i = 0; i < 3 && !rc; i++) {
		double q = quantile(s, at[i]);
		struct value v = {.d = q};

		if (s->type != VALUE_DOUBLE)
			v.i = whole(q);
		rc = set_value(members[i], s->type, &v);
	}
	return rc;
}

int statistics_finish(struct statistics *s, struct column *c)
{
	int rc = 0;

	c->count = s->values + s->nulls;
	c->nulls = s->nulls;
	c->distinct = s->sketch ? sketch_count(s) : s->nslots;
	c->approximate = s->sketch != NULL;
	if (s->values && is_text(s)) {
		rc = description_set_value(&c->min, s->min_text.data, s->min_text.len);
		if (!rc)
			rc = description_set_value(&c->max, s->max_text.data, s->max_text.len);
	} else if (s->values) {
		rc = set_value(&c->min, s->type, &s->min);
		if (!rc)
			rc = set_value(&c->max, s->type, &s->max);
		if (!rc && s->type != VALUE_BOOLEAN)
			rc = finish_numbers(s, c);
	}
	if (!rc && s->nslots)
		rc = finish_top(s, c);
	return rc ? rc : description_set(&c->pii, personal_guess(&s->personal, c->name));
}
