/* What puts that did not end have left: parts at the server, or files in a folder. */
#include <errno.h>
#include <string.h>

#include "tier/tier_int.h"

struct left {
	char *key, *id;
};

struct sweeping {
	int64_t older;
	struct left *list;
	int n, room;
};

static void sweeping_release(struct sweeping *s)
{
	for (int i = 0; i < s->n; i++) {
		free(s->list[i].key);
		free(s->list[i].id);
	}
	free(s->list);
}

static int take_upload(void *arg, const struct tier_upload *u)
{
	struct sweeping *s = arg;

	if (u->begun > s->older)
		return 0;
	if (s->n == s->room) {
		int room = s->room ? 2 * s->room : 16;
		struct left *list = realloc(s->list, (size_t)room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		s->list = list;
		s->room = room;
	}
	s->list[s->n] = (struct left){strdup(u->key), strdup(u->id)};
	s->n++;
	return s->list[s->n - 1].key && s->list[s->n - 1].id ? 0 : -ENOMEM;
}

static int find_uploads(struct tier *t, const char *prefix, const struct tier_call *call, struct sweeping *s)
{
	struct attempts a;
	int r;

	attempts_begin(&a, t, call, TIER_VERB_LIST, prefix);
	do {
		int64_t older = s->older;

		sweeping_release(s);
		*s = (struct sweeping){.older = older};
		r = attempt_begin(&a);
		if (r == 0)
			r = t->ops->uploads(t->engine, prefix, take_upload, s, &a.t);
	} while (attempt_again(&a, &r));
	return r;
}

static int abort_one(struct tier *t, const struct left *left, const struct tier_call *call)
{
	struct attempts a;
	int r;

	attempts_begin(&a, t, call, TIER_VERB_OTHER, left->key);
	do {
		r = attempt_begin(&a);
		if (r == 0)
			r = t->ops->abort(t->engine, left->key, left->id, &a.t);
	} while (attempt_again(&a, &r));
	return r;
}

static int sweep_uploads(struct tier *t, const char *prefix, int64_t older, bool look, const struct tier_call *call,
			 uint64_t *n)
{
	_cleanup_(sweeping_release) struct sweeping s = {.older = older};
	int r = find_uploads(t, prefix, call, &s);

	for (int i = 0; r == 0 && i < s.n; i++) {
		r = look ? 0 : abort_one(t, &s.list[i], call);
		*n += r == 0;
	}
	return r;
}

static int sweep_rest(struct tier *t, const char *prefix, int64_t older, bool look, const struct tier_call *call,
		      uint64_t *n)
{
	struct attempts a;
	int r;

	attempts_begin(&a, t, call, TIER_VERB_OTHER, prefix);
	do {
		r = attempt_begin(&a);
		if (r == 0)
			r = t->ops->sweep(t->engine, prefix, older, look, &a.t, n);
	} while (attempt_again(&a, &r));
	return r;
}

static int sweep(struct tier *t, const char *prefix, int64_t older, bool look, const struct tier_call *call,
		 uint64_t *n)
{
	uint64_t own;
	int r = 0;

	n = n ? n : &own;
	*n = 0;
	if (t->ops->uploads)
		r = sweep_uploads(t, prefix, older, look, call, n);
	if (r == 0 && t->ops->sweep)
		r = sweep_rest(t, prefix, older, look, call, n);
	return r;
}

int tier_sweep(struct tier *t, const char *prefix, int64_t older, const struct tier_call *call, uint64_t *removed)
{
	return sweep(t, prefix, older, false, call, removed);
}

int tier_unfinished(struct tier *t, const char *prefix, int64_t older, const struct tier_call *call, uint64_t *n)
{
	return sweep(t, prefix, older, true, call, n);
}
