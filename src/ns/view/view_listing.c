/*
 * Listings of views. What a folder shows is read at once, when it is first asked for: it is what one moment says,
 * however long the reader takes. Where views can be long and have no order, FIRST names are read before: who wants no
 * more waits for no more, and for others all is read again, of which those names are left out.
 */
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "ns/view/view.h"

struct listed {
	size_t name; /* where it begins in `names` */
	enum node_kind kind;
	uint64_t number;
};

#define FIRST 500
#define ENOUGH 1

struct first_name {
	UT_hash_handle hh;
	char name[];
};

struct view_listing {
	struct view_node *folder; /* in use */
	bool read;
	bool begun; /* the first names were read, and there are more */
	struct first_name *first;
	struct buf names;
	struct listed *entries;
	size_t n, room;
};

static int add_entry(void *arg, const char *name, enum node_kind kind, uint64_t number)
{
	struct view_listing *l = arg;

	if (array_grow(&l->entries, l->n, &l->room, sizeof(*l->entries)))
		return -ENOMEM;
	l->entries[l->n++] = (struct listed){.name = l->names.len, .kind = kind, .number = number};
	buf_add(&l->names, name, strlen(name) + 1);
	return buf_error(&l->names);
}

static int add_dots(struct view_listing *l)
{
	int rc;

	l->n = 0;
	buf_clear(&l->names);
	rc = add_entry(l, ".", KIND_FOLDER, l->folder->number);
	return rc ? rc : add_entry(l, "..", KIND_FOLDER, 0);
}

static int read_all(struct lake *lake, struct view_listing *l, const struct actor *actor)
{
	int rc = add_dots(l);

	if (!rc)
		rc = l->folder->ops->list(lake, l->folder, actor, add_entry, l);
	l->read = !rc;
	return rc;
}

/* ---- the first names ---- */

static int add_first(void *arg, const char *name, enum node_kind kind, uint64_t number)
{
	struct view_listing *l = arg;
	size_t len = strlen(name);
	struct first_name *n = malloc(sizeof(*n) + len + 1);

	if (!n)
		return -ENOMEM;
	memcpy(n->name, name, len + 1);
	HASH_ADD(hh, l->first, name, len, n);
	if (add_entry(l, name, kind, number))
		return -ENOMEM;
	return HASH_COUNT(l->first) == FIRST ? ENOUGH : 0;
}

static void forget_first(struct view_listing *l)
{
	struct first_name *n, *next;

	HASH_ITER (hh, l->first, n, next) {
		HASH_DEL(l->first, n);
		free(n);
	}
	l->begun = false;
}

static int read_first(struct lake *lake, struct view_listing *l, const struct actor *actor)
{
	int rc = add_dots(l);

	if (!rc)
		rc = l->folder->ops->list(lake, l->folder, actor, add_first, l);
	l->begun = rc == ENOUGH;
	l->read = !rc;
	if (!l->begun)
		forget_first(l);
	return rc < 0 ? rc : 0;
}

static int add_other(void *arg, const char *name, enum node_kind kind, uint64_t number)
{
	struct view_listing *l = arg;
	struct first_name *n;

	HASH_FIND(hh, l->first, name, strlen(name), n);
	return n ? 0 : add_entry(l, name, kind, number);
}

/* Of those that were read before it keeps the place, for the reader counts them. */
static int read_others(struct lake *lake, struct view_listing *l, const struct actor *actor)
{
	size_t n = l->n, len = l->names.len;
	int rc = l->folder->ops->list(lake, l->folder, actor, add_other, l);

	if (rc) {
		l->n = n;
		l->names.len = len;
		return rc;
	}
	l->read = true;
	forget_first(l);
	return 0;
}

/* So far that there is an entry number NEXT, or no more. */
static int read_to(struct lake *lake, struct view_listing *l, size_t next, const struct actor *actor)
{
	int rc = 0;

	if (!l->read && !l->folder->ops->long_lists)
		return read_all(lake, l, actor);
	if (!l->read && !l->begun)
		rc = read_first(lake, l, actor);
	return rc || l->read || next < l->n ? rc : read_others(lake, l, actor);
}

int view_list_start(uint64_t ino, struct view_listing **out)
{
	_cleanup_view_node_ struct view_node *n = view_find(ino);
	struct view_listing *l;

	if (!n || !n->ops->list)
		return n ? -ENOTDIR : -ESTALE;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->folder = steal_ptr(&n);
	view_walk_begin();
	*out = l;
	return 0;
}

void view_listing_free(struct view_listing *l)
{
	view_walk_end();
	view_put(&l->folder);
	forget_first(l);
	buf_release(&l->names);
	free(l->entries);
	free(l);
}

/* What can be read changes only with a commit: when bytes expire, are purged, or begin to be overwritten. */
bool view_list_is_cached(struct lake *lake, struct view_listing *l, bool *keep)
{
	uint64_t commit = store_last_commit(lake->store);

	if (!l->folder->ops->lists_the_past)
		return false;
	*keep = atomic_exchange(&l->folder->listed_at, commit) == commit;
	return true;
}

static mode_t type_of(enum node_kind kind)
{
	return kind == KIND_FOLDER ? S_IFDIR : kind == KIND_SYMLINK ? S_IFLNK : S_IFREG;
}

/* One answer to readdir(2). */
struct page {
	struct lake *lake;
	struct view_listing *l;
	const struct actor *actor; /* of readdirplus; NULL: only names are asked for */
	ns_emit_fn emit;
	void *arg;
	size_t next;
	uint64_t changes; /* view_changes() at its beginning */
};

static const char *name_at(const struct view_listing *l, size_t i)
{
	return l->names.data + l->entries[i].name;
}

/* E counts as looked up when it has a number. */
static int emit_next(struct page *p, const struct ns_entry *e)
{
	int rc = p->emit(p->arg, name_at(p->l, p->next), e, (off_t)p->next + 1);

	if (rc == -ENOSPC && e->ino)
		view_forget(e->ino, 1);
	p->next += !rc;
	return rc;
}

static int list_next(struct page *p)
{
	const struct listed *entry = &p->l->entries[p->next];
	struct ns_entry e = {.st = {.st_mode = type_of(entry->kind),
				    .st_ino = entry->number ? entry->number : p->l->folder->number}};
	int rc = p->actor && p->next > 1
			 ? view_look_up(p->lake, p->l->folder->number, name_at(p->l, p->next), p->actor, &e)
			 : 0;

	if (rc == -ENOENT)
		p->next++;
	return rc == -ENOENT ? 0 : rc ? rc : emit_next(p, &e);
}

/* One that look_up_all() found: those before it that it left out come first, one that is not listed is not shown. */
static int list_found(void *arg, const char *name, struct view_node *draft, const struct stat *st)
{
	struct page *p = arg;
	struct ns_entry e;
	int rc = 0, order = -1;

	while (!rc && p->next < p->l->n && (order = strcmp(name_at(p->l, p->next), name)) < 0)
		rc = list_next(p);
	if (rc || p->next == p->l->n || order > 0) {
		view_release_draft(draft);
		return rc;
	}
	rc = view_answer_known(p->lake, draft, st, p->changes, &e);
	return rc ? rc : emit_next(p, &e);
}

int view_list(struct lake *lake, struct view_listing *l, off_t offset, bool plus, const struct actor *actor,
	      ns_emit_fn emit, void *arg)
{
	struct page p = {.lake = lake,
			 .l = l,
			 .actor = plus ? actor : NULL,
			 .emit = emit,
			 .arg = arg,
			 .next = (size_t)offset,
			 .changes = view_changes()};
	const struct view_ops *ops = l->folder->ops;
	int rc = read_to(lake, l, p.next, actor);

	while (!rc && p.next < 2 && p.next < l->n)
		rc = list_next(&p);
	if (!rc && plus && ops->look_up_all && p.next < l->n)
		rc = ops->look_up_all(lake, l->folder, p.next > 2 ? name_at(l, p.next - 1) : NULL, list_found, &p);
	while (!rc && p.next < l->n)
		rc = list_next(&p);
	return rc == -ENOSPC ? 0 : rc;
}
