/*
 * Listings, page after page; and tier_check(), which is a small one. While the caller is busy with a page, the next one
 * is asked for: each of the two takes about as long as the other where many objects become files.
 */
#include <errno.h>
#include <string.h>

#include "tier/tier_int.h"

#define PAGE 1000

struct listing {
	struct tier_entry *entries;
	char **keys;
	int n;
};

static void forget(struct listing *l)
{
	while (l->n)
		free(l->keys[--l->n]);
}

static void listing_release(struct listing *l)
{
	forget(l);
	free(l->entries);
	free(l->keys);
}

static void listings_release(struct listing (*l)[2])
{
	listing_release(&(*l)[0]);
	listing_release(&(*l)[1]);
}

static int add(void *arg, const struct tier_entry *entry)
{
	struct listing *l = arg;

	if (l->n == PAGE)
		return -EIO;
	l->keys[l->n] = strdup(entry->key);
	if (!l->keys[l->n])
		return -ENOMEM;
	l->entries[l->n] = *entry;
	l->entries[l->n].key = l->keys[l->n];
	l->n++;
	return 0;
}

static int one_page(struct tier *t, const struct tier_call *call, struct tier_page *page, struct listing *l)
{
	struct attempts a;
	int r;

	page->arg = l;
	attempts_begin(&a, t, call, TIER_VERB_LIST, page->prefix);
	do {
		forget(l);
		r = attempt_begin(&a);
		if (r == 0)
			r = t->ops->list(t->engine, page, &a.t);
	} while (attempt_again(&a, &r));
	return r;
}

/* The keys of a page rise, and follow those before: else the listing would never end, or leave some out. */
static int check_order(const struct tier_page *page, const struct listing *l)
{
	const char *before = page->after;

	for (int i = 0; i < l->n; i++) {
		if (before && strcmp(l->keys[i], before) <= 0)
			return -EIO;
		before = l->keys[i];
	}
	return page->more && l->n == 0 ? -EIO : 0;
}

/* The page after the one that the caller has. */
struct ahead {
	struct tier *tier;
	struct tier_page *page;
	struct listing *listing;
	const struct tier_call *caller; /* may be NULL */
	struct tier_call call;
	pthread_t thread;
	bool running;
	_Atomic bool given_up;
	int r;
};

static bool is_given_up(void *arg)
{
	struct ahead *a = arg;

	return a->given_up || (a->caller && a->caller->stop && a->caller->stop(a->caller->arg));
}

static void *fetch(void *arg)
{
	struct ahead *a = arg;

	a->r = one_page(a->tier, &a->call, a->page, a->listing);
	return NULL;
}

static void begin(struct ahead *a)
{
	a->call = a->caller ? *a->caller : (struct tier_call){0};
	a->call.stop = is_given_up;
	a->call.arg = a;
	a->running = !pthread_create(&a->thread, NULL, fetch, a);
	if (!a->running) /* it comes all the same, later */
		fetch(a);
}

static int end(struct ahead *a)
{
	if (a->running)
		pthread_join(a->thread, NULL);
	a->running = false;
	return a->r;
}

static int set_after(struct tier_page *page, const struct listing *l, char **after)
{
	if (!l->n)
		return 0;
	free(*after);
	*after = strdup(l->keys[l->n - 1]);
	page->after = *after;
	return *after ? 0 : -ENOMEM;
}

/* L: two of them, which take turns. */
static int all_pages(struct tier *t, const struct tier_list *wanted, const struct tier_call *call, struct listing *l,
		     struct tier_page *page)
{
	struct ahead a = {.tier = t, .page = page, .caller = call};
	_cleanup_free_ char *after = NULL;
	struct listing *now = &l[0];
	int r = one_page(t, call, page, now);
	bool more;

	do {
		if (r == 0)
			r = check_order(page, now);
		if (r == 0)
			r = set_after(page, now, &after);
		more = r == 0 && page->more;
		if (more) {
			a.listing = now == l ? &l[1] : &l[0];
			begin(&a);
		}
		if (r == 0 && now->n)
			r = wanted->page(wanted->arg, now->entries, now->n);
		a.given_up = r != 0;
		if (more && end(&a) != 0 && r == 0)
			r = a.r;
		now = a.listing;
	} while (r == 0 && more);
	if (t->ops->list_end)
		t->ops->list_end(t->engine, page);
	return r;
}

static bool listing_init(struct listing *l)
{
	l->entries = calloc(PAGE, sizeof(*l->entries));
	l->keys = calloc(PAGE, sizeof(*l->keys));
	return l->entries && l->keys;
}

int tier_list(struct tier *t, const struct tier_list *wanted, const struct tier_call *call)
{
	_cleanup_(listings_release) struct listing l[2] = {0};
	struct tier_page page = {
		.prefix = wanted->prefix, .after = wanted->after, .folders = wanted->folders, .max = PAGE, .add = add};

	if (!listing_init(&l[0]) || !listing_init(&l[1]))
		return -ENOMEM;
	return all_pages(t, wanted, call, l, &page);
}

int tier_check(struct tier *t, const struct tier_call *call, struct buf *why)
{
	_cleanup_(listing_release) struct listing l = {0};
	struct tier_page page = {.prefix = t->prefix, .max = 1, .add = add, .arg = &l};
	struct attempts a;
	int r;

	if (!listing_init(&l))
		return -ENOMEM;
	attempts_begin(&a, t, call, TIER_VERB_LIST, page.prefix);
	do {
		forget(&l);
		r = attempt_begin(&a);
		if (r == 0)
			r = t->ops->list(t->engine, &page, &a.t);
	} while (attempt_again(&a, &r));
	if (t->ops->list_end)
		t->ops->list_end(t->engine, &page);
	if (r < 0)
		buf_addf(why, "%s: %s", t->url, a.t.why[0] ? a.t.why : strerror(-r));
	return r;
}
