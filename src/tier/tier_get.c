/* Reading: a body that was cut off is gone on with where it ended, and no byte comes twice. */
#include <errno.h>
#include <string.h>

#include "tier/tier_int.h"

struct getting {
	const struct tier_get *g;
	struct attempts *a;
	struct tier_head *head; /* the caller's */
	bool headed;
	uint64_t done, want;
	int ended; /* what the sink said */
	bool has_ended;
};

static int take_head(void *arg, const struct tier_head *head)
{
	struct getting *get = arg;
	const struct tier_get *g = get->g;

	if (get->headed)
		return strcmp(get->head->etag, head->etag) == 0 && get->head->size == head->size ? 0 : -ESTALE;
	if (g->offset > head->size)
		return -ERANGE;
	get->want = head->size - g->offset;
	if (get->want > g->length)
		get->want = g->length;
	*get->head = *head;
	get->headed = true;
	return 0;
}

static int take_body(void *arg, const void *bytes, size_t len)
{
	struct getting *get = arg;

	if (len > get->want - get->done)
		return -EIO;
	get->done += len;
	attempts_moved(get->a);
	get->ended = get->a->call->background ? attempt_paced(&get->a->t, get->a->tier, len) : 0;
	if (get->ended == 0)
		get->ended = get->g->sink(get->g->arg, bytes, len);
	get->has_ended = get->ended != 0;
	return get->ended;
}

static int get_once(struct getting *get)
{
	const struct tier_ops *ops = get->a->tier->ops;
	struct tier_get rest = *get->g;
	int r;

	rest.offset += get->done;
	if (get->headed) {
		rest.length = get->want - get->done;
		if (!rest.etag && get->head->etag[0])
			rest.etag = get->head->etag;
	}
	r = ops->get(get->a->tier->engine, &rest, take_head, take_body, get, &get->a->t);
	if (get->has_ended)
		get->a->t.again = false;
	/* All of it is here, whatever became of the connection then. */
	else if (get->headed && get->done == get->want && r != -ESTALE)
		r = 0;
	else if (r == 0) {
		get->a->t.again = true;
		r = -EIO;
	}
	return r;
}

int tier_get(struct tier *t, const struct tier_get *g, const struct tier_call *call, struct tier_head *head)
{
	struct tier_head own;
	struct attempts a;
	struct getting get = {.g = g, .a = &a, .head = head ? head : &own};
	int r;

	if (!g->key[0] || strlen(g->key) > TIER_KEY_MAX)
		return -EINVAL;
	attempts_begin(&a, t, call, TIER_VERB_GET, g->key);
	do {
		r = attempt_begin(&a);
		if (r == 0)
			r = get_once(&get);
	} while (!get.has_ended && attempt_again(&a, &r));
	return get.has_ended ? get.ended : r;
}
