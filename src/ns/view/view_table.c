#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "ns/view/view.h"

#define MIXED (VIEW_NODE | UINT64_C(1) << 61) /* such numbers are made here, versions have others */
#define MIXED_BITS 60
#define MIXED_MASK ((UINT64_C(1) << MIXED_BITS) - 1)

/* The nodes whose attributes depend on one live node. */
struct subject {
	UT_hash_handle hh;
	uint64_t node;
	struct view_node *first;
};

#define FRONTS_TOLD 16

static pthread_rwlock_t fronts_lock = PTHREAD_RWLOCK_INITIALIZER; /* no front ends while it is held; before the next */
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct subject *subjects; /* protected by table_lock */
static _Atomic uint64_t changes;
static struct view_node *table;	   /* protected by table_lock, as are the next two */
static struct view_node *unopened; /* the rendered files that nobody has opened, by what was asked for */
static uint64_t last_version;	   /* of a rendered file */

/* ---- numbers ---- */

/* The finaliser of SplitMix64: every bit of what goes in moves half of those that come out. */
static uint64_t stir(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t stir_in(uint64_t hash, uint64_t x)
{
	return stir(hash + UINT64_C(0x9e3779b97f4a7c15) + x);
}

static uint64_t stir_in_text(uint64_t hash, const char *text)
{
	for (; text && *text; text++)
		hash = stir_in(hash, (unsigned char)*text);
	return hash;
}

/* The same for the same node after every mount, so the front is no part of it. */
uint64_t view_number(const struct view_node *n)
{
	uint64_t hash = stir_in_text((uint64_t)n->part, n->ops->name);

	hash = stir_in(stir_in(stir_in(stir_in(hash, n->node), n->commit), n->version), n->tree);
	return MIXED | (stir_in_text(hash, n->text) & MIXED_MASK);
}

static bool is_same(const struct view_node *a, const struct view_node *b)
{
	return a->ops == b->ops && a->front == b->front && a->kind == b->kind && a->part == b->part &&
	       a->node == b->node && a->commit == b->commit && a->version == b->version && a->tree == b->tree &&
	       !strcmp(a->text ? a->text : "", b->text ? b->text : "");
}

/* ---- the table ---- */

void view_release_draft(struct view_node *draft)
{
	free(draft->text);
	if (draft->fd >= 0)
		close(draft->fd);
}

/* The node that DRAFT is, or NULL and its number is free. */
static struct view_node *find_same_locked(struct view_node *draft)
{
	struct view_node *n;

	if (!draft->number)
		draft->number = view_number(draft);
	for (;;) {
		HASH_FIND(hh, table, &draft->number, sizeof(draft->number), n);
		if (!n || is_same(n, draft))
			return n;
		draft->number = MIXED | ((draft->number + 1) & MIXED_MASK);
	}
}

/*
 * As long as nobody has opened a rendered file, it is rendered anew in its place: so stat(2) and then open(2), as cp(1)
 * does them, find the same file. What was opened stays as it is, and the next look-up begins another, of a version of
 * its own; until that is opened it is found by the number that it would have without.
 */
static struct view_node *find_unopened_locked(struct view_node *draft)
{
	struct view_node *n;

	draft->version = 0;
	draft->asked = view_number(draft);
	HASH_FIND(unopened_hh, unopened, &draft->asked, sizeof(draft->asked), n);
	if (n) {
		draft->version = n->version;
		if (is_same(n, draft))
			return n;
	}
	draft->version = ++last_version;
	return find_same_locked(draft);
}

static void set_opened_locked(struct view_node *n)
{
	if (!n->opened)
		HASH_DELETE(unopened_hh, unopened, n);
	n->opened = true;
}

static void render_anew_locked(struct view_node *n, struct view_node *draft)
{
	int fd = n->fd;

	n->fd = draft->fd;
	n->st = draft->st;
	draft->fd = fd;
}

static void leave_subject_locked(struct view_node *n)
{
	uint64_t node = atomic_load(&n->live);
	struct subject *s;

	if (!n->at_of_live)
		return;
	*n->at_of_live = n->next_of_live;
	if (n->next_of_live)
		n->next_of_live->at_of_live = n->at_of_live;
	n->at_of_live = NULL;
	HASH_FIND(hh, subjects, &node, sizeof(node), s);
	if (s && !s->first) {
		HASH_DEL(subjects, s);
		free(s);
	}
}

/* One that cannot be told of changes, for want of memory, is not remembered. */
static void set_subject_locked(struct view_node *n, uint64_t node)
{
	struct subject *s = NULL;

	leave_subject_locked(n);
	atomic_store(&n->live, node);
	if (!node)
		return;
	HASH_FIND(hh, subjects, &node, sizeof(node), s);
	if (!s && (s = calloc(1, sizeof(*s)))) {
		s->node = node;
		HASH_ADD(hh, subjects, node, sizeof(s->node), s);
	}
	if (!s) {
		n->attr_timeout = 0;
		return;
	}
	n->next_of_live = s->first;
	n->at_of_live = &s->first;
	if (s->first)
		s->first->at_of_live = &n->next_of_live;
	s->first = n;
}

struct view_node *view_keep(struct view_node *draft)
{
	SCOPED_LOCK(&table_lock);
	struct view_node *n = draft->rendered ? find_unopened_locked(draft) : find_same_locked(draft);

	if (!n && (n = malloc(sizeof(*n)))) {
		memcpy(n, draft, sizeof(*n));
		n->nlookup = n->users = 0;
		HASH_ADD(hh, table, number, sizeof(n->number), n);
		if (n->rendered)
			HASH_ADD(unopened_hh, unopened, asked, sizeof(n->asked), n);
		set_subject_locked(n, atomic_load(&draft->live));
	} else {
		if (n) {
			if (atomic_load(&n->live) != atomic_load(&draft->live))
				set_subject_locked(n, atomic_load(&draft->live));
			atomic_store(&n->parent, atomic_load(&draft->parent));
			if (n->rendered)
				render_anew_locked(n, draft);
		}
		view_release_draft(draft);
	}
	if (n) {
		n->nlookup++;
		n->users++;
	}
	return n;
}

struct view_node *view_find(uint64_t number)
{
	SCOPED_LOCK(&table_lock);
	struct view_node *n;

	HASH_FIND(hh, table, &number, sizeof(number), n);
	if (n)
		n->users++;
	return n;
}

static void drop_unused_locked(struct view_node *n)
{
	if (n->nlookup || n->users)
		return;
	HASH_DEL(table, n);
	leave_subject_locked(n);
	if (n->rendered)
		set_opened_locked(n);
	view_release_draft(n);
	free(n);
}

void view_put(struct view_node **n)
{
	SCOPED_LOCK(&table_lock);

	if (!*n)
		return;
	(*n)->users--;
	drop_unused_locked(*n);
}

void view_forget(uint64_t number, uint64_t count)
{
	SCOPED_LOCK(&table_lock);
	struct view_node *n;

	HASH_FIND(hh, table, &number, sizeof(number), n);
	if (!n)
		return;
	n->nlookup -= count < n->nlookup ? count : n->nlookup;
	drop_unused_locked(n);
}

const struct frontend *view_front(uint64_t number)
{
	_cleanup_view_node_ struct view_node *n = view_find(number);

	return n ? n->front : NULL;
}

/* *N fronts of nodes that were told. */
static void tell_locked(uint64_t node, const struct frontend **fronts, int *n)
{
	struct subject *s;

	HASH_FIND(hh, subjects, &node, sizeof(node), s);
	for (struct view_node *v = s ? s->first : NULL; v; v = v->next_of_live) {
		int i = 0;

		if (!v->front->invalidate)
			continue;
		v->front->invalidate(v->front->arg, v->number, false);
		while (i < *n && fronts[i] != v->front)
			i++;
		if (i == *n && i < FRONTS_TOLD)
			fronts[(*n)++] = v->front;
	}
}

void view_changed(uint64_t node)
{
	const struct frontend *fronts[FRONTS_TOLD];
	int n = 0;

	atomic_fetch_add(&changes, 1);
	pthread_rwlock_rdlock(&fronts_lock);
	pthread_mutex_lock(&table_lock);
	tell_locked(node, fronts, &n);
	pthread_mutex_unlock(&table_lock);
	for (int i = 0; i < n; i++)
		if (fronts[i]->wait_notices)
			fronts[i]->wait_notices(fronts[i]->arg);
	pthread_rwlock_unlock(&fronts_lock);
}

uint64_t view_changes(void)
{
	return atomic_load(&changes);
}

static void forget_all_locked(const struct frontend *front)
{
	struct view_node *n, *next;

	HASH_ITER (hh, table, n, next) {
		if (n->front != front)
			continue;
		n->nlookup = 0;
		drop_unused_locked(n);
	}
}

void view_forget_front(const struct frontend *front)
{
	pthread_rwlock_wrlock(&fronts_lock);
	pthread_mutex_lock(&table_lock);
	forget_all_locked(front);
	pthread_mutex_unlock(&table_lock);
	pthread_rwlock_unlock(&fronts_lock);
}

int view_rendered_open(struct view_node *n)
{
	SCOPED_LOCK(&table_lock);
	int fd = fcntl(n->fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return -errno;
	set_opened_locked(n);
	return fd;
}

void view_rendered_stat(const struct view_node *n, struct stat *st)
{
	SCOPED_LOCK(&table_lock);

	*st = n->st;
}
