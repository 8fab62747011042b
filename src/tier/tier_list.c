/* Listings, page after page; and tier_check(), which is a small one. */
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

static int all_pages(struct tier *t, const struct tier_list *wanted, const struct tier_call *call, struct listing *l,
		     struct tier_page *page)
{
	_cleanup_free_ char *after = NULL;
	int r;

	do {
		r = one_page(t, call, page, l);
		if (r == 0)
			r = check_order(page, l);
		if (r == 0 && l->n)
			r = wanted->page(wanted->arg, l->entries, l->n);
		if (r == 0 && l->n) {
			free(after);
			after = strdup(l->keys[l->n - 1]);
			page->after = after;
			r = after ? 0 : -ENOMEM;
		}
	} while (r == 0 && page->more);
	if (t->ops->list_end)
		t->ops->list_end(t->engine, page);
	return r;
}

int tier_list(struct tier *t, const struct tier_list *wanted, const struct tier_call *call)
{
	_cleanup_(listing_release) struct listing l = {.entries = calloc(PAGE, sizeof(*l.entries)),
						       .keys = calloc(PAGE, sizeof(*l.keys))};
	struct tier_page page = {.prefix = wanted->prefix,
				 .after = wanted->after,
				 .folders = wanted->folders,
				 .max = PAGE,
				 .add = add,
				 .arg = &l};

	if (!l.entries || !l.keys)
		return -ENOMEM;
	return all_pages(t, wanted, call, &l, &page);
}

int tier_check(struct tier *t, const struct tier_call *call, struct buf *why)
{
	_cleanup_(listing_release) struct listing l = {.entries = calloc(PAGE, sizeof(*l.entries)),
						       .keys = calloc(PAGE, sizeof(*l.keys))};
	struct tier_page page = {.prefix = t->prefix, .max = 1, .add = add, .arg = &l};
	struct attempts a;
	int r;

	if (!l.entries || !l.keys)
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
